//! The strict reading of one request head, line by line, as its bytes come in.
//!
//! [`HeadParser::advance`] is given everything received since the head began, as often as there is more. It looks at
//! each byte once, refuses at the first line that is wrong, and comes to the same result however the bytes were split.
//! It keeps offsets only; [`HeadParser::finish`] copies what the engine keeps: one block with all header lines, exactly
//! as they stood.

use std::ops::Range;

use bytes::Bytes;

use super::header_line::{self, Known};
use super::limits::{HEAD_BYTES_MAX, HEADERS_MAX, METHOD_BYTES_MAX, REQUEST_LINE_BYTES_MAX, TARGET_BYTES_MAX};
use super::malformed::Malformed;
use crate::domain::Headers;

/// How a request says where its body ends (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BodyLength {
    /// There is no body.
    #[default]
    None,
    /// This many bytes; never 0.
    Exactly(u64),
    /// Chunks, until the last one.
    Chunked,
}

/// A head that may be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The method as received.
    pub method: String,
    /// The path and query as received.
    pub target: String,
    /// All header lines as received.
    pub headers: Headers,
    /// Where the body ends.
    pub body: BodyLength,
    /// The sender waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// The sender wants the connection closed after the answer.
    pub closes: bool,
    /// There is a header that a proxy or tunnel adds to say for whom it speaks.
    pub forwarded: bool,
}

/// The state of reading one head.
#[derive(Clone, Debug, Default)]
pub struct HeadParser {
    /// Bytes already searched for a line end.
    searched: usize,
    /// Where the line under way begins.
    line: usize,
    /// Whether the one empty line that RFC 9112 section 2.2 allows before the request line has been skipped.
    skipped_blank: bool,
    method: Range<usize>,
    target: Range<usize>,
    headers: Range<usize>,
    header_count: usize,
    seen: header_line::Seen,
}

impl HeadParser {
    /// Reads on. `bytes` begins at the head's first byte and holds everything received since; returns the length of the
    /// head once its empty line is there.
    ///
    /// # Errors
    /// When the head is wrong, as soon as that shows.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        loop {
            self.check_start(bytes)?;
            let Some(found) = memchr::memchr(b'\n', &bytes[self.searched..]) else { break };
            let line_end = self.searched + found + 1;
            self.check_size(line_end)?;
            self.searched = line_end;
            if self.take_line(bytes, line_end)? {
                return Ok(Some(line_end));
            }
            self.line = line_end;
        }
        self.searched = bytes.len();
        // One byte more must still come, so reaching the limit without a line end is as good as passing it.
        self.check_size(bytes.len() + 1)?;
        Ok(None)
    }

    /// The head that [`HeadParser::advance`] found complete in `bytes`.
    pub fn finish(self, bytes: &[u8]) -> Result<Head, Malformed> {
        let text = |range: Range<usize>, error| match std::str::from_utf8(&bytes[range]) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(error),
        };
        Ok(Head {
            method: text(self.method, Malformed::Method)?,
            target: text(self.target, Malformed::TargetBytes)?,
            headers: Headers::from_checked_block(Bytes::copy_from_slice(&bytes[self.headers])),
            body: self.seen.body_length(),
            expects_continue: self.seen.expects_continue,
            closes: self.seen.closes,
            forwarded: self.seen.forwarded,
        })
    }

    /// Method and target as far as they are known, for the record of a refusal.
    #[must_use]
    pub fn request_line<'a>(&self, bytes: &'a [u8]) -> Option<(&'a str, &'a str)> {
        if self.target.is_empty() {
            return None;
        }
        let method = std::str::from_utf8(bytes.get(self.method.clone())?).ok()?;
        let target = std::str::from_utf8(bytes.get(self.target.clone())?).ok()?;
        Some((method, target))
    }

    /// Whether there is anything of a head among the bytes read so far. The empty line that may stand before it is not:
    /// some senders end each body with one (RFC 9112 section 2.2).
    #[must_use]
    pub fn has_begun(&self, bytes: &[u8]) -> bool {
        self.has_request_line() || bytes.len() > self.line
    }

    fn has_request_line(&self) -> bool {
        self.headers.start > 0
    }

    /// What is no HTTP at all (a TLS hello, binary noise) is known by its first byte: no need to wait for a line end
    /// that may never come.
    fn check_start(&self, bytes: &[u8]) -> Result<(), Malformed> {
        if self.has_request_line() {
            return Ok(());
        }
        match &bytes[self.line..] {
            [] => Ok(()),
            [b'\r'] | [b'\r', b'\n', ..] if !self.skipped_blank => Ok(()),
            [b'\r', ..] => Err(Malformed::BareCr),
            [b'\n', ..] => Err(Malformed::BareLf),
            [first, ..] if header_line::is_token_byte(*first) => Ok(()),
            _ => Err(Malformed::Method),
        }
    }

    fn check_size(&self, end: usize) -> Result<(), Malformed> {
        if !self.has_request_line() && end - self.line > REQUEST_LINE_BYTES_MAX {
            return Err(Malformed::TargetTooLong);
        }
        if end > HEAD_BYTES_MAX { Err(Malformed::HeadTooLarge) } else { Ok(()) }
    }

    /// Takes the line that ends before `line_end`; true when it is the empty one that ends the head.
    fn take_line(&mut self, bytes: &[u8], line_end: usize) -> Result<bool, Malformed> {
        let line = &bytes[self.line..line_end - 1];
        let Some((b'\r', line)) = line.split_last().map(|(last, rest)| (*last, rest)) else {
            return Err(Malformed::BareLf);
        };
        if self.has_request_line() {
            return self.take_header(line, line_end);
        }
        if line.is_empty() {
            self.skipped_blank = true;
            return Ok(false);
        }
        self.take_request_line(line)?;
        self.headers = line_end..line_end;
        Ok(false)
    }

    fn take_request_line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        if line.contains(&b'\r') {
            return Err(Malformed::BareCr);
        }
        let mut parts = line.split(|&byte| byte == b' ');
        let (method, target, version) = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(method), Some(target), Some(version), None) => (method, target, version),
            (Some(method), ..) => {
                check_method(method)?;
                return Err(Malformed::RequestLine);
            }
            _ => return Err(Malformed::RequestLine),
        };
        check_method(method)?;
        if target.len() > TARGET_BYTES_MAX {
            return Err(Malformed::TargetTooLong);
        }
        if version != b"HTTP/1.1" {
            return Err(Malformed::Version);
        }
        if method == b"CONNECT" {
            return Err(Malformed::Connect);
        }
        check_target(target)?;
        self.method = self.line..self.line + method.len();
        self.target = self.method.end + 1..self.method.end + 1 + target.len();
        Ok(())
    }

    fn take_header(&mut self, line: &[u8], line_end: usize) -> Result<bool, Malformed> {
        if line.is_empty() {
            self.seen.check_complete()?;
            return Ok(true);
        }
        self.header_count += 1;
        if self.header_count > HEADERS_MAX {
            return Err(Malformed::ManyHeaders);
        }
        let (name, value) = header_line::split(line)?;
        if let Some(known) = Known::of(name) {
            self.seen.take(known, value)?;
        }
        self.headers.end = line_end;
        Ok(false)
    }
}

fn check_method(method: &[u8]) -> Result<(), Malformed> {
    let valid = !method.is_empty()
        && method.len() <= METHOD_BYTES_MAX
        && method.iter().all(|&byte| header_line::is_token_byte(byte));
    if valid { Ok(()) } else { Err(Malformed::Method) }
}

/// Origin-form only (RFC 9112 section 3.2.1). Characters that RFC 3986 would have percent-encoded pass when they are
/// visible or UTF-8: senders do write them, and refusing would lose the webhook. What could be read in two ways does not.
fn check_target(target: &[u8]) -> Result<(), Malformed> {
    if target.first() != Some(&b'/') || target.contains(&b'#') {
        return Err(Malformed::Target);
    }
    if target.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
        return Err(Malformed::TargetBytes);
    }
    if target.is_ascii() || std::str::from_utf8(target).is_ok() { Ok(()) } else { Err(Malformed::TargetBytes) }
}
