//! The little of an HTTP answer that the sender looks at.

use anyhow::{Context, Result, bail};

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    /// Bytes of the head, with its empty line
    pub length: usize,
    /// Bytes of the body
    pub body: usize,
    /// The other side closes after this answer
    pub closes: bool,
}

/// `None` until the whole head is there.
pub fn parse(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end]).context("the answer's head is no text")?;
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
    let Some(status) = status else { bail!("not an HTTP/1.1 answer: {first:?}") };
    let mut body = None;
    let mut closes = false;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { bail!("not a header: {line:?}") };
        if name.eq_ignore_ascii_case("content-length") {
            body = Some(value.trim().parse().with_context(|| format!("no length: {value:?}"))?);
        } else if name.eq_ignore_ascii_case("connection") {
            closes = value.trim().eq_ignore_ascii_case("close");
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("a chunked answer, which this sender does not read");
        }
    }
    let body = body.with_context(|| format!("an answer {status} without Content-Length"))?;
    Ok(Some(Head { status, length: end + 4, body, closes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_length_and_closing_are_read_in_any_case() {
        let answer = b"HTTP/1.1 401 Unauthorized\r\nconnection: Close\r\nCONTENT-LENGTH: 7\r\n\r\n{\"a\":1}";
        let head = parse(answer).unwrap().unwrap();
        assert_eq!(head, Head { status: 401, length: answer.len() - 7, body: 7, closes: true });
    }

    #[test]
    fn an_incomplete_head_waits_and_an_unreadable_one_is_an_error() {
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n").unwrap(), None);
        assert!(parse(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n").is_err());
    }
}
