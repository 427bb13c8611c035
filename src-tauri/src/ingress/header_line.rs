//! One header line: its name and value, and what the headers that govern framing say.

use super::head::BodyLength;
use super::malformed::Malformed;
use crate::domain::SeededBug;

/// Bit of [`BYTE_CLASS`]: may stand in a token (RFC 9110 section 5.6.2).
const TOKEN: u8 = 1;
/// Bit of [`BYTE_CLASS`]: may stand in a field value: visible, space, tab, or above 127 (RFC 9110 section 5.5).
const VALUE: u8 = 2;
/// Bit of [`BYTE_CLASS`]: may stand in a host name or port (RFC 3986 section 3.2.2, without brackets).
const HOST: u8 = 4;

/// What each byte may stand in; a table, because every byte of every head passes here.
const BYTE_CLASS: [u8; 256] = byte_classes();

const fn byte_classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let value = byte as u8;
        if value == b'\t' || (value >= b' ' && value != 0x7f) {
            table[byte] |= VALUE;
        }
        if value.is_ascii_alphanumeric() {
            table[byte] |= TOKEN | HOST;
        }
        byte += 1;
    }
    mark(mark(table, b"!#$%&'*+-.^_`|~", TOKEN), b"-._~%!$&'()*+,;=:", HOST)
}

const fn mark(mut table: [u8; 256], bytes: &[u8], class: u8) -> [u8; 256] {
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] |= class;
        at += 1;
    }
    table
}

/// Whether a byte may stand in a method or header name.
#[must_use]
pub const fn is_token_byte(byte: u8) -> bool {
    BYTE_CLASS[byte as usize] & TOKEN != 0
}

fn all_of(bytes: &[u8], class: u8) -> bool {
    // Folding without leaving early lets the compiler read several bytes at a time.
    bytes.iter().fold(class, |rest, &byte| rest & BYTE_CLASS[byte as usize]) == class
}

/// Cuts a line without its line end into name and value; the value without surrounding spaces and tabs.
///
/// # Errors
/// When it is folded, has no valid name, or a value with control characters.
pub fn split(line: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Malformed::Folding);
    }
    let colon = memchr::memchr(b':', line).ok_or(Malformed::HeaderName)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() || !all_of(name, TOKEN) {
        return Err(Malformed::HeaderName);
    }
    if !all_of(value, VALUE) {
        let bare_cr = value.contains(&b'\r');
        return Err(if bare_cr { Malformed::BareCr } else { Malformed::HeaderValue });
    }
    Ok((name, trim(value)))
}

/// Optional white space is space and tab (RFC 9110 section 5.6.3).
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// A header that the ingress itself acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// `Host`.
    Host,
    /// `Content-Length`.
    ContentLength,
    /// `Transfer-Encoding`.
    TransferEncoding,
    /// `Connection`.
    Connection,
    /// `Expect`.
    Expect,
    /// Says for whom a proxy or tunnel speaks.
    Forwarding,
}

impl Known {
    /// Which of them a name is, if any.
    #[must_use]
    pub fn of(name: &[u8]) -> Option<Self> {
        let is = |candidate: &str| name.eq_ignore_ascii_case(candidate.as_bytes());
        // By length first: most names then need no comparison at all.
        match name.len() {
            4 if is("host") => Some(Self::Host),
            6 if is("expect") => Some(Self::Expect),
            9 if is("forwarded") || is("x-real-ip") => Some(Self::Forwarding),
            10 if is("connection") => Some(Self::Connection),
            14 if is("content-length") => Some(Self::ContentLength),
            14 if is("true-client-ip") => Some(Self::Forwarding),
            15 if is("x-forwarded-for") => Some(Self::Forwarding),
            16 if is("cf-connecting-ip") || is("x-forwarded-host") => Some(Self::Forwarding),
            17 if is("transfer-encoding") => Some(Self::TransferEncoding),
            17 if is("x-forwarded-proto") => Some(Self::Forwarding),
            _ => None,
        }
    }
}

/// What the known headers of one head have said so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    host: bool,
    content_length: Option<u64>,
    chunked: bool,
    /// The sender waits for `100 Continue`.
    pub expects_continue: bool,
    /// The sender wants the connection closed.
    pub closes: bool,
    /// A proxy or tunnel says for whom it speaks.
    pub forwarded: bool,
}

impl Seen {
    /// Takes one known header.
    ///
    /// # Errors
    /// When it is malformed or does not go with one seen before.
    pub fn take(&mut self, known: Known, value: &[u8]) -> Result<(), Malformed> {
        match known {
            Known::Host => self.take_host(value)?,
            Known::ContentLength => self.take_content_length(value)?,
            Known::TransferEncoding => self.take_transfer_encoding(value)?,
            Known::Connection => self.closes |= has_close(value),
            Known::Expect if value.eq_ignore_ascii_case(b"100-continue") => self.expects_continue = true,
            Known::Expect => return Err(Malformed::Expectation),
            Known::Forwarding => self.forwarded = true,
        }
        Ok(())
    }

    /// What can only be judged once all headers are there.
    ///
    /// # Errors
    /// When there was no Host.
    pub fn check_complete(&self) -> Result<(), Malformed> {
        if self.host { Ok(()) } else { Err(Malformed::NoHost) }
    }

    /// Where the body ends.
    #[must_use]
    pub fn body_length(&self) -> BodyLength {
        match self.content_length {
            _ if self.chunked => BodyLength::Chunked,
            None | Some(0) => BodyLength::None,
            Some(length) => BodyLength::Exactly(length),
        }
    }

    fn take_host(&mut self, value: &[u8]) -> Result<(), Malformed> {
        if self.host && !SeededBug::LenientHead.is_on() {
            return Err(Malformed::ManyHosts);
        }
        self.host = true;
        if is_host(value) { Ok(()) } else { Err(Malformed::Host) }
    }

    fn take_content_length(&mut self, value: &[u8]) -> Result<(), Malformed> {
        if self.chunked {
            return Err(Malformed::LengthAndEncoding);
        }
        if self.content_length.is_some() {
            return Err(Malformed::ManyContentLengths);
        }
        self.content_length = Some(decimal(value).ok_or(Malformed::ContentLength)?);
        Ok(())
    }

    fn take_transfer_encoding(&mut self, value: &[u8]) -> Result<(), Malformed> {
        if self.content_length.is_some() {
            return Err(Malformed::LengthAndEncoding);
        }
        if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Malformed::TransferEncoding);
        }
        self.chunked = true;
        Ok(())
    }
}

/// Digits only, and no more than 63 bits: what is above is no length of anything.
fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    let mut number: i64 = 0;
    for &byte in value {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    u64::try_from(number).ok()
}

fn has_close(value: &[u8]) -> bool {
    value.split(|&byte| byte == b',').any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

/// `host [":" port]` (RFC 9110 section 7.2). Empty is refused: an `http` URI always has a host (section 4.2.1).
fn is_host(value: &[u8]) -> bool {
    let (name_is_valid, rest) = match value {
        [b'[', inner @ ..] => {
            let Some(end) = inner.iter().position(|&byte| byte == b']') else { return false };
            let address = std::str::from_utf8(&inner[..end]).unwrap_or_default();
            (address.parse::<std::net::Ipv6Addr>().is_ok(), &inner[end + 1..])
        }
        _ => {
            let end = value.iter().position(|&byte| byte == b':').unwrap_or(value.len());
            (end > 0 && all_of(&value[..end], HOST), &value[end..])
        }
    };
    let port_is_valid = match rest {
        [] => true,
        [b':', port @ ..] => port.len() <= 5 && port.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    name_is_valid && port_is_valid
}
