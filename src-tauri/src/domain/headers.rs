//! Headers as they were received: order, repeats, case and bytes kept.

use std::fmt;

use bytes::Bytes;

/// A header block: lines `name: value`, each ended by CR LF, without the empty line.
///
/// Names are HTTP tokens; values hold neither CR, LF nor NUL and may hold any other byte (RFC 9110 section 5.5), so they
/// are bytes, not text. Looked up without regard to case. One allocation, cut where a lookup needs it: a request carries
/// a dozen headers, of which two or three are ever asked for.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Headers {
    block: Bytes,
}

/// Why bytes are no header block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderBlockError {
    /// A line without a colon, or with an empty name.
    #[error("a header line has no name")]
    NoName,
    /// A name with a character that RFC 9110 section 5.6.2 does not allow.
    #[error("a header name holds a character that is not allowed")]
    BadName,
    /// A value with CR, LF or NUL.
    #[error("a header value holds a line break or NUL")]
    BadValue,
}

impl Headers {
    /// Takes a block as it stood in a request's head, for example `Host: a\r\nX-B: c\r\n`.
    ///
    /// # Errors
    /// When a line has no valid name, or a value holds a bare CR, LF or NUL.
    pub fn from_block(block: Bytes) -> Result<Self, HeaderBlockError> {
        let mut rest: &[u8] = &block;
        while !rest.is_empty() {
            let end = find_crlf(rest).ok_or(HeaderBlockError::BadValue)?;
            check_line(&rest[..end])?;
            rest = &rest[end + 2..];
        }
        Ok(Self { block })
    }

    /// Takes a block that its maker has already checked line by line, such as the ingress's head gate, without looking
    /// at every byte a second time. Debug builds check all the same.
    #[must_use]
    pub fn from_checked_block(block: Bytes) -> Self {
        debug_assert!(Self::from_block(block.clone()).is_ok(), "a block that was said to be checked is not valid");
        Self { block }
    }

    /// Joins pairs to a block.
    ///
    /// # Errors
    /// As [`Headers::from_block`].
    pub fn from_pairs<N: AsRef<str>, V: AsRef<[u8]>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, HeaderBlockError> {
        let mut block = Vec::new();
        for (name, value) in pairs {
            check_name(name.as_ref().as_bytes())?;
            check_value(value.as_ref())?;
            block.extend_from_slice(name.as_ref().as_bytes());
            block.extend_from_slice(b": ");
            block.extend_from_slice(value.as_ref());
            block.extend_from_slice(b"\r\n");
        }
        Ok(Self { block: block.into() })
    }

    /// The block, as stored.
    #[must_use]
    pub fn as_block(&self) -> &Bytes {
        &self.block
    }

    /// All headers in order: the name as received, the value without surrounding white space.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.lines().filter_map(|line| {
            let colon = memchr::memchr(b':', line)?;
            let name = std::str::from_utf8(&line[..colon]).unwrap_or_default();
            Some((name, line[colon + 1..].trim_ascii()))
        })
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest: &[u8] = &self.block;
        std::iter::from_fn(move || {
            let end = find_crlf(rest)?;
            let line = &rest[..end];
            rest = &rest[end + 2..];
            Some(line)
        })
    }

    /// The first value of a header.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.lines().find_map(|line| value_of(line, name))
    }

    /// All values of a header, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.lines().filter_map(move |line| value_of(line, name))
    }

    /// The first value of a header as text, trimmed; blank, and what is no UTF-8, counts as absent.
    #[must_use]
    pub fn get_text(&self, name: &str) -> Option<&str> {
        let text = std::str::from_utf8(self.get(name)?).ok()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// Pairs of text for the API. A value that is no UTF-8 is shown byte by byte as ISO 8859-1, so that nothing is lost.
    #[must_use]
    pub fn to_text_pairs(&self) -> Vec<(String, String)> {
        self.iter().map(|(name, value)| (name.to_owned(), text_of(value))).collect()
    }
}

fn text_of(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// The value of a line, if it has this name. Most lines are told apart by one byte, because names differ in length.
fn value_of<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let value = line.get(name.len() + 1..)?;
    let has_name = line[name.len()] == b':' && line[..name.len()].eq_ignore_ascii_case(name.as_bytes());
    has_name.then(|| value.trim_ascii())
}

fn find_crlf(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'\r', &bytes[from..]) {
        if bytes.get(from + at + 1) == Some(&b'\n') {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

fn check_line(line: &[u8]) -> Result<(), HeaderBlockError> {
    let colon = line.iter().position(|&byte| byte == b':').ok_or(HeaderBlockError::NoName)?;
    check_name(&line[..colon])?;
    check_value(&line[colon + 1..])
}

fn check_name(name: &[u8]) -> Result<(), HeaderBlockError> {
    if name.is_empty() {
        return Err(HeaderBlockError::NoName);
    }
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if name.iter().all(is_token) { Ok(()) } else { Err(HeaderBlockError::BadName) }
}

fn check_value(value: &[u8]) -> Result<(), HeaderBlockError> {
    if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) { Err(HeaderBlockError::BadValue) } else { Ok(()) }
}

impl fmt::Debug for Headers {
    /// Names only: values carry credentials.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &'static str) -> Headers {
        Headers::from_block(Bytes::from_static(text.as_bytes())).unwrap()
    }

    #[test]
    fn order_case_and_repeats_survive() {
        let headers = block("X-b: 1\r\nx-A:  2 \r\nX-B: 3\r\n");
        let seen: Vec<_> = headers.to_text_pairs();
        assert_eq!(seen, [("X-b", "1"), ("x-A", "2"), ("X-B", "3")].map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert_eq!(headers.get_all("x-b").collect::<Vec<_>>(), [b"1", b"3"]);
        assert_eq!(
            ["x-b", "X-A", "x", "x-", "x-b:", "x-b: 1", ""].map(|name| headers.get(name).is_some()),
            [true, true, false, false, false, false, false]
        );
        assert_eq!(block("X-Empty:\r\n").get("x-empty"), Some(&b""[..]));
    }

    #[test]
    fn pairs_and_block_say_the_same() {
        let headers = Headers::from_pairs([("Host", "a"), ("X-Y", "")]).unwrap();
        assert_eq!(&headers.as_block()[..], b"Host: a\r\nX-Y: \r\n");
        assert_eq!(Headers::from_block(headers.as_block().clone()).unwrap(), headers);
    }

    #[test]
    fn a_value_cannot_smuggle_a_second_header() {
        assert_eq!(Headers::from_pairs([("A", "b\r\nC: d")]), Err(HeaderBlockError::BadValue));
        assert_eq!(Headers::from_pairs([("A:", "b")]), Err(HeaderBlockError::BadName));
        assert_eq!(Headers::from_pairs([("", "b")]), Err(HeaderBlockError::NoName));
        assert_eq!(Headers::from_block(Bytes::from_static(b"A: b\rc\r\n")), Err(HeaderBlockError::BadValue));
    }

    #[test]
    fn a_blank_value_counts_as_absent_text_and_bytes_above_127_are_kept() {
        let headers = Headers::from_pairs([("A", &b"  "[..]), ("B", &b"\xe9"[..])]).unwrap();
        assert_eq!(headers.get_text("a"), None);
        assert_eq!(headers.get("b"), Some(&b"\xe9"[..]));
        assert_eq!(headers.to_text_pairs()[1].1, "é");
    }
}
