//! Reads a target's answer: heads, interim ones included, and a body in each of its framings (RFC 9112 section 6).
//!
//! A target is the developer's own app at best and anything at all at worst, so every length here has a bound; the
//! bounds in time are the caller's.

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

use super::fault::Fault;
use super::limits::{CHUNK_LINE_BYTES_MAX, READ_BYTES, RelayLimits};
use crate::domain::Headers;

/// What has been read so far. Kept outside the reading future, so that a time limit leaves the part that came.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) first_byte_at: Option<Instant>,
    pub(super) head: Option<AnswerHead>,
    pub(super) body: BytesMut,
    pub(super) body_size: u64,
    /// Whether the body was read to its end.
    pub(super) complete: bool,
}

/// Status line and headers of one answer.
#[derive(Debug)]
pub(super) struct AnswerHead {
    pub(super) status: u16,
    pub(super) headers: Headers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    NoBody,
    Length(u64),
    Chunked,
    UntilClose,
}

/// The receiving half of one exchange.
pub(super) struct AnswerReader<'a, R> {
    reader: R,
    limits: &'a RelayLimits,
    received: &'a mut Received,
    buffer: BytesMut,
    bytes_read: u64,
}

impl<'a, R: AsyncRead + Unpin> AnswerReader<'a, R> {
    pub(super) fn new(reader: R, limits: &'a RelayLimits, received: &'a mut Received) -> Self {
        Self { reader, limits, received, buffer: BytesMut::new(), bytes_read: 0 }
    }

    /// Reads up to the end of the final head.
    pub(super) async fn read_head(&mut self) -> Result<(), Fault> {
        for _ in 0..=self.limits.interim_answers {
            let bytes = self.head_bytes().await?;
            let head = parse_head(&bytes, self.limits.head_lines)?;
            let status = head.status;
            if status >= 200 || status == 101 {
                self.received.head = Some(head);
                return if status == 101 { Err(Fault::SwitchingProtocols) } else { Ok(()) };
            }
        }
        Err(Fault::TooManyInterim(self.limits.interim_answers))
    }

    /// Reads the body that follows the final head; `to_head` when the request's method was HEAD.
    pub(super) async fn read_body(&mut self, to_head: bool) -> Result<(), Fault> {
        let Some(head) = &self.received.head else { return Ok(()) };
        self.received.complete = match framing(head, to_head)? {
            Framing::NoBody => true,
            Framing::Length(length) => self.copy(length).await?,
            Framing::Chunked => self.copy_chunks().await?,
            Framing::UntilClose => self.copy_until_close().await?,
        };
        Ok(())
    }

    /// One head, its empty line included. Scans each byte once, however slowly they drip.
    async fn head_bytes(&mut self) -> Result<Bytes, Fault> {
        let mut scanned = 0;
        loop {
            check_beginning(&self.buffer)?;
            let end = find_head_end(&self.buffer, &mut scanned);
            if end.unwrap_or(self.buffer.len()) > self.limits.head_bytes {
                return Err(Fault::HeadTooLarge(self.limits.head_bytes));
            }
            if let Some(end) = end {
                return Ok(self.buffer.split_to(end).freeze());
            }
            let at_start = self.buffer.is_empty();
            match self.fill().await {
                Ok(true) => {}
                Ok(false) if at_start => return Err(Fault::ClosedWithoutAnswer),
                Ok(false) => return Err(Fault::ClosedInHead),
                Err(error) if at_start => return Err(Fault::BrokenBeforeAnswer(error)),
                Err(error) => return Err(Fault::BrokenInHead(error)),
            }
        }
    }

    /// Reads once; false at the end of the stream.
    async fn fill(&mut self) -> std::io::Result<bool> {
        self.buffer.reserve(READ_BYTES);
        let read = self.reader.read_buf(&mut self.buffer).await?;
        if self.received.first_byte_at.is_none() && read > 0 {
            self.received.first_byte_at = Some(Instant::now());
        }
        self.bytes_read += read as u64;
        Ok(read > 0)
    }

    async fn fill_body(&mut self) -> Result<bool, Fault> {
        let read = self.received.body_size;
        self.fill().await.map_err(|error| Fault::BrokenInBody { read, error })
    }

    fn is_over_bound(&self) -> bool {
        self.bytes_read > self.limits.read_bytes
    }

    /// Takes up to `most` buffered bytes into the body, keeping what may be kept; returns how many.
    fn take(&mut self, most: u64) -> u64 {
        let count = self.buffer.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        let kept = count.min(self.limits.kept_bytes - self.received.body.len());
        self.received.body.extend_from_slice(&self.buffer[..kept]);
        self.buffer.advance(count);
        self.received.body_size += count as u64;
        count as u64
    }

    /// Takes exactly `length` bytes; false when the bound on reading came first.
    async fn copy(&mut self, mut length: u64) -> Result<bool, Fault> {
        loop {
            length -= self.take(length);
            if length == 0 {
                return Ok(true);
            }
            if self.is_over_bound() {
                return Ok(false);
            }
            if !self.fill_body().await? {
                return Err(Fault::ClosedInBody(self.received.body_size));
            }
        }
    }

    async fn copy_until_close(&mut self) -> Result<bool, Fault> {
        loop {
            self.take(u64::MAX);
            if self.is_over_bound() {
                return Ok(false);
            }
            if !self.fill_body().await? {
                return Ok(true);
            }
        }
    }

    /// RFC 9112 section 7.1; trailers are read and dropped.
    async fn copy_chunks(&mut self) -> Result<bool, Fault> {
        loop {
            let size = chunk_size(&self.line().await?)?;
            if size == 0 {
                break;
            }
            if !self.copy(size).await? {
                return Ok(false);
            }
            if !self.line().await?.is_empty() {
                return Err(Fault::BadChunk("a chunk is longer than it says"));
            }
        }
        let mut trailer_bytes = 0;
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok(true);
            }
            trailer_bytes += line.len();
            if trailer_bytes > self.limits.head_bytes {
                return Err(Fault::BadChunk("its trailers are too long"));
            }
        }
    }

    /// One line of the chunked framing, without its CR LF.
    async fn line(&mut self) -> Result<Bytes, Fault> {
        let mut scanned = 0;
        loop {
            if let Some(at) = self.buffer[scanned..].iter().position(|&byte| byte == b'\n') {
                let mut line = self.buffer.split_to(scanned + at + 1);
                if !line.ends_with(b"\r\n") {
                    return Err(Fault::BadChunk("a line does not end with CR LF"));
                }
                line.truncate(line.len() - 2);
                return Ok(line.freeze());
            }
            scanned = self.buffer.len();
            if scanned > CHUNK_LINE_BYTES_MAX {
                return Err(Fault::BadChunk("a line is too long"));
            }
            if !self.fill_body().await? {
                return Err(Fault::ClosedInBody(self.received.body_size));
            }
        }
    }
}

/// Refuses at the first byte that no HTTP/1 status line begins with: such an answer may never end its line.
fn check_beginning(buffer: &[u8]) -> Result<(), Fault> {
    const BEGINNING: &[u8] = b"HTTP/1.";
    let common = buffer.len().min(BEGINNING.len());
    if buffer[..common] == BEGINNING[..common] {
        return Ok(());
    }
    let shown = &buffer[..buffer.len().min(16)];
    Err(Fault::NotHttp(format!("\"{}\"", shown.escape_ascii())))
}

/// The index behind the empty line, if it has come. Bare LF ends a line as well (RFC 9112 section 2.2).
fn find_head_end(buffer: &[u8], scanned: &mut usize) -> Option<usize> {
    while let Some(at) = buffer[*scanned..].iter().position(|&byte| byte == b'\n') {
        let after = *scanned + at + 1;
        match &buffer[after..] {
            [b'\n', ..] => return Some(after + 1),
            [b'\r', b'\n', ..] => return Some(after + 2),
            // Not decided yet: look at this line end again when more has come.
            [] | [b'\r'] => {
                *scanned = after - 1;
                return None;
            }
            _ => *scanned = after,
        }
    }
    *scanned = buffer.len();
    None
}

fn parse_head(bytes: &Bytes, lines_max: usize) -> Result<AnswerHead, Fault> {
    let mut lines = vec![httparse::EMPTY_HEADER; lines_max];
    let mut answer = httparse::Response::new(&mut lines);
    match answer.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(Fault::BadHead("it ends too early")),
        Err(httparse::Error::TooManyHeaders) => return Err(Fault::TooManyHeaders(lines_max)),
        Err(httparse::Error::HeaderName) => return Err(Fault::BadHead("a header's name is not allowed")),
        Err(httparse::Error::HeaderValue) => return Err(Fault::BadHead("a header's value is not allowed")),
        Err(httparse::Error::Version) => return Err(Fault::BadHead("its version is neither HTTP/1.0 nor HTTP/1.1")),
        Err(_) => return Err(Fault::BadHead("its status line cannot be read")),
    }
    let status =
        answer.code.filter(|code| (100..1000).contains(code)).ok_or(Fault::BadHead("its status is no status"))?;
    Ok(AnswerHead { status, headers: kept_headers(bytes, answer.headers)? })
}

/// The headers as they came; when they came with bare line feeds, as a block of the same names and values.
fn kept_headers(bytes: &Bytes, parsed: &[httparse::Header<'_>]) -> Result<Headers, Fault> {
    let start = bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| at + 1);
    if bytes.ends_with(b"\r\n\r\n") && start + 2 <= bytes.len() {
        // A copy: what is kept for display must not hold the whole read buffer.
        let block = Bytes::copy_from_slice(&bytes[start..bytes.len() - 2]);
        if let Ok(headers) = Headers::from_block(block) {
            return Ok(headers);
        }
    }
    Headers::from_pairs(parsed.iter().map(|line| (line.name, line.value)))
        .map_err(|_| Fault::BadHead("a header cannot be kept"))
}

/// RFC 9112 section 6.3.
fn framing(head: &AnswerHead, to_head: bool) -> Result<Framing, Fault> {
    if to_head || head.status == 204 || head.status == 304 {
        return Ok(Framing::NoBody);
    }
    if let Some(codings) = head.headers.get_all("transfer-encoding").last() {
        let last = codings.rsplit(|&byte| byte == b',').next().unwrap_or_default().trim_ascii();
        return Ok(if last.eq_ignore_ascii_case(b"chunked") { Framing::Chunked } else { Framing::UntilClose });
    }
    let mut length = None;
    for value in head.headers.get_all("content-length").flat_map(|value| value.split(|&byte| byte == b',')) {
        let stated = decimal(value.trim_ascii()).ok_or(Fault::BadHead("its Content-Length is no number"))?;
        if length.is_some_and(|earlier| earlier != stated) {
            return Err(Fault::BadHead("it states two different Content-Lengths"));
        }
        length = Some(stated);
    }
    Ok(length.map_or(Framing::UntilClose, Framing::Length))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn chunk_size(line: &[u8]) -> Result<u64, Fault> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii_end();
    let size = std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .and_then(|text| u64::from_str_radix(text, 16).ok());
    size.ok_or(Fault::BadChunk("a chunk's size is no number"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads an answer that comes in pieces of these sizes.
    async fn read(wire: &[u8], pieces: &[usize], to_head: bool) -> (Result<(), Fault>, Received) {
        let (mut writer, reader) = tokio::io::duplex(64);
        let mut received = Received::default();
        let limits = RelayLimits { kept_bytes: 20, ..RelayLimits::default() };
        let send = async move {
            use tokio::io::AsyncWriteExt;
            let mut rest = wire;
            for piece in pieces.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at(rest.len().min(*piece));
                // A refused answer is not read to its end.
                if writer.write_all(now).await.is_err() {
                    break;
                }
                rest = later;
                tokio::task::yield_now().await;
            }
        };
        let receive = async {
            let mut answer = AnswerReader::new(reader, &limits, &mut received);
            answer.read_head().await?;
            answer.read_body(to_head).await
        };
        let (result, ()) = tokio::join!(receive, send);
        (result, received)
    }

    #[tokio::test]
    async fn each_framing_ends_where_it_should_however_the_bytes_are_cut() {
        let table: &[(&[u8], &str, u64)] = &[
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloEXTRA", "hello", 5),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello", "hello", 5),
            (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", 0),
            (b"HTTP/1.0 200 OK\r\n\r\nuntil close", "until close", 11),
            (b"HTTP/1.1 200 OK\nA: b\n\nbare", "bare", 4),
            (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", "", 0),
            (b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "", 0),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                5;x=y\r\nhello\r\nA \r\n, world...\r\n0\r\nT: 1\r\n\r\n",
                "hello, world...",
                15,
            ),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n1\r\n\x1f\r\n0\r\n\r\n", "\x1f", 1),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nraw", "raw", 3),
            (
                b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
                HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx",
                "x",
                1,
            ),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrst", 26),
        ];
        for (wire, body, size) in table {
            for pieces in [&[1][..], &[2, 3], &[7, 1], &[4096]] {
                let (result, received) = read(wire, pieces, false).await;
                let shown = wire.escape_ascii();
                assert!(result.is_ok() && received.complete, "{shown}: {result:?}");
                assert_eq!((&received.body[..], received.body_size), (body.as_bytes(), *size), "{shown}");
            }
        }
        let (result, received) = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", &[9], true).await;
        assert!(result.is_ok() && received.complete && received.body.is_empty());
    }

    #[tokio::test]
    async fn headers_are_kept_as_they_came() {
        let (_, received) =
            read(b"HTTP/1.1 200 OK\r\nx-B:1\r\nX-a:  2 \r\nX-b: \xe9\r\nContent-Length:0\r\n\r\n", &[5], false).await;
        let head = received.head.unwrap();
        assert_eq!(&head.headers.as_block()[..], b"x-B:1\r\nX-a:  2 \r\nX-b: \xe9\r\nContent-Length:0\r\n");
        let (_, received) = read(b"HTTP/1.1 200 OK\nx-B:1\nX-a: 2\n\n", &[5], false).await;
        assert_eq!(&received.head.unwrap().headers.as_block()[..], b"x-B: 1\r\nX-a: 2\r\n");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic_or_read_on_after_the_end(
            tail in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'0'), any::<u8>()], 0..200),
            head in 0..5_usize,
            pieces in proptest::collection::vec(1..9_usize, 1..4),
        ) {
            let heads: [&[u8]; 5] = [
                b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            ];
            let wire = [heads[head], &tail].concat();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (result, received) = runtime.block_on(read(&wire, &pieces, false));
            prop_assert!(received.body.len() <= 20);
            prop_assert!(received.body_size <= wire.len() as u64);
            prop_assert!(result.is_err() || received.head.is_some());
        }
    }
}
