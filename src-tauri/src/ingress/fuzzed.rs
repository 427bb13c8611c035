//! What is fuzzed of the ingress: any bytes at all as a head. Driven as [`crate::signature::fuzzed`].

use super::head::HeadParser;

/// Reads the bytes as a head, whole and byte by byte: both come to the same end, and what is taken lies inside the bytes.
pub fn heads(bytes: &[u8]) {
    let mut whole = HeadParser::default();
    let at_once = whole.advance(bytes);
    let mut parts = HeadParser::default();
    let mut in_parts = Ok(None);
    for end in 1..=bytes.len() {
        in_parts = parts.advance(&bytes[..end]);
        if !matches!(in_parts, Ok(None)) {
            break;
        }
    }
    match (at_once, in_parts) {
        (Ok(Some(length)), Ok(Some(other))) => {
            assert!(length == other && length <= bytes.len());
            let (head, other) = (whole.finish(&bytes[..length]), parts.finish(&bytes[..length]));
            assert_eq!(head, other);
            if let Ok(head) = head {
                assert!(!head.method.is_empty() && !head.target.is_empty());
                assert!(head.headers.iter().all(|(name, _)| !name.is_empty()));
            }
        }
        (at_once, in_parts) => {
            assert_eq!(at_once.is_err(), in_parts.is_err(), "{at_once:?} {in_parts:?}");
            assert_eq!(at_once.ok(), in_parts.ok());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Parts of heads, right and wrong, in any order.
    const PIECES: [&[u8]; 26] = [
        b"POST ",
        b"GET ",
        b"/in/ep_a",
        b"http://h/",
        b" HTTP/1.1",
        b" HTTP/1.0",
        b"\r\n",
        b"\n",
        b"\r",
        b"Host: h",
        b"host:",
        b"Content-Length: 5",
        b"Content-Length: 18446744073709551616",
        b"Transfer-Encoding: chunked",
        b"gzip, chunked",
        b"Connection: close",
        b"Expect: 100-continue",
        b"X-Forwarded-For: 1",
        b": ",
        b" ",
        b"\t",
        b"\0",
        b"\xff",
        b"a",
        b"Upgrade: h2c",
        b"\x16\x03\x01",
    ];

    proptest! {
        #[test]
        fn no_bytes_make_the_head_parser_panic_and_it_does_not_matter_how_they_arrive(
            random in vec(any::<u8>(), 0..300),
            soup in vec(proptest::sample::select(PIECES.to_vec()), 0..24),
        ) {
            heads(&random);
            heads(&soup.concat());
            heads(&[b"POST /in/a HTTP/1.1\r\nHost: h\r\n".as_slice(), &soup.concat(), b"\r\n\r\n"].concat());
        }
    }
}
