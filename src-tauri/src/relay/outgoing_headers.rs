//! The head of a relayed request: the stored headers, byte for byte and in order, with what belongs to the connection
//! replaced.

use super::attempt::OutgoingDelivery;
use crate::domain::Headers;

/// Headers of one connection, not of the message (RFC 9110 section 7.6.1; Keep-Alive: RFC 2068 section 19.7.1.1).
/// `Proxy-*` is dropped by its prefix.
const HOP_BY_HOP: [&str; 6] = ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// Dropped only when `Connection` names it (RFC 7540 section 3.2.1). Everything else that a sender lists in
/// `Connection` stays: listing its own signature header there must not take it from the app.
const HOP_BY_HOP_WHEN_NAMED: &str = "http2-settings";

/// Headers that Creel sets itself; a received one is replaced.
const OWN_PREFIX: &str = "x-creel-";
const OWN_NAMES: [&str; 3] = ["delivery", "attempt", "replay"];

/// What a request's head is made of.
pub(super) struct HeadParts<'a> {
    pub(super) method: &'a str,
    pub(super) request_target: &'a str,
    pub(super) host: &'a str,
    pub(super) headers: &'a Headers,
    pub(super) body_bytes: usize,
}

/// The head of a relayed request, with the headers that name the delivery.
pub(super) fn request_head(delivery: &OutgoingDelivery, request_target: &str, host: &str) -> Vec<u8> {
    let mut marks = vec![
        (&b"X-Creel-Delivery"[..], delivery.delivery_id.to_string()),
        (b"X-Creel-Attempt", delivery.attempt_id.to_string()),
    ];
    marks.extend(delivery.replayed_from.map(|original| (&b"X-Creel-Replay"[..], original.to_string())));
    let (method, headers, body_bytes) = (delivery.method.as_str(), &delivery.headers, delivery.body.len());
    head_with(&HeadParts { method, request_target, host, headers, body_bytes }, &marks)
}

/// Request line, headers, further ones of ours, and the empty line.
pub(super) fn head_with(parts: &HeadParts<'_>, marks: &[(&[u8], String)]) -> Vec<u8> {
    let HeadParts { method, request_target, host, headers, body_bytes } = *parts;
    let block = headers.as_block();
    let mut head = Vec::with_capacity(block.len() + request_target.len() + host.len() + 320);
    for part in [method, " ", request_target, " HTTP/1.1\r\n"] {
        head.extend_from_slice(part.as_bytes());
    }
    let names_http2 = headers.get_all("connection").any(|value| {
        value.split(|&byte| byte == b',').any(|name| name.trim_ascii().eq_ignore_ascii_case(b"http2-settings"))
    });
    let mut host_written = false;
    if headers.get("host").is_none() {
        write_line(&mut head, b"Host", host.as_bytes());
        host_written = true;
    }
    let mut length_written = false;
    for line in lines(block) {
        let name = &line[..line.iter().position(|&byte| byte == b':').unwrap_or(line.len())];
        if name.eq_ignore_ascii_case(b"host") {
            if !host_written {
                write_line(&mut head, name, host.as_bytes());
                host_written = true;
            }
        } else if name.eq_ignore_ascii_case(b"content-length") {
            if !length_written {
                write_line(&mut head, name, body_bytes.to_string().as_bytes());
                length_written = true;
            }
        } else if !is_dropped(name, names_http2) {
            head.extend_from_slice(line);
            head.extend_from_slice(b"\r\n");
        }
    }
    if !length_written && (body_bytes > 0 || expects_body(method)) {
        write_line(&mut head, b"Content-Length", body_bytes.to_string().as_bytes());
    }
    write_line(&mut head, b"Connection", b"close");
    for (name, value) in marks {
        write_line(&mut head, name, value.as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// Whether a method can stand in a request line, and the relay may send it.
pub(super) fn is_sendable_method(method: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !method.is_empty() && method.bytes().all(is_token) && method != "CONNECT"
}

fn write_line(head: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        head.extend_from_slice(part);
    }
}

/// The block's lines without their CR LF. Values hold no CR and no LF, as `Headers` has checked.
fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block.split(|&byte| byte == b'\n').filter_map(|line| line.strip_suffix(b"\r"))
}

/// Methods that announce an empty body (RFC 9110 section 8.6).
fn expects_body(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}

fn is_dropped(name: &[u8], names_http2: bool) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let starts_with = |prefix: &str| name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    HOP_BY_HOP.iter().any(|dropped| name.eq_ignore_ascii_case(dropped))
        || starts_with("proxy-")
        || names_http2 && name.eq_ignore_ascii_case(HOP_BY_HOP_WHEN_NAMED)
        || starts_with(OWN_PREFIX) && OWN_NAMES.iter().any(|own| name[OWN_PREFIX.len()..].eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::domain::{AttemptId, DeliveryId};

    fn delivery(method: &str, block: &'static [u8], body: &'static [u8]) -> OutgoingDelivery {
        OutgoingDelivery {
            attempt_id: AttemptId::from_bytes([1; 16]),
            delivery_id: DeliveryId::from_bytes([2; 16]),
            replayed_from: None,
            target_url: "http://localhost:3000/hook".into(),
            method: method.into(),
            path: String::new(),
            query: None,
            headers: Headers::from_block(Bytes::from_static(block)).unwrap(),
            body: Bytes::from_static(body),
            force: false,
            allow_non_loopback: false,
        }
    }

    const OWN: &str = "Connection: close\r\nX-Creel-Delivery: 02020202-0202-0202-0202-020202020202\r\n\
                       X-Creel-Attempt: 01010101-0101-0101-0101-010101010101\r\n";

    fn head(delivery: &OutgoingDelivery) -> Vec<u8> {
        request_head(delivery, "/hook", "localhost:3000")
    }

    #[test]
    fn what_is_not_the_connections_goes_out_byte_for_byte_in_order() {
        let sent = delivery(
            "POST",
            b"hOsT: evil.example\r\nX-b:1\r\nx-A:   two  \r\nX-B: 3\r\nX-Hub-Signature-256: sha256=ab\r\n\
              CONTENT-length: 999\r\nX-Latin: \xe9\xff\r\nX-Empty:\r\nExpect: 100-continue\r\n\
              Authorization: Basic eA==\r\n",
            b"body",
        );
        let expected = [
            b"POST /hook HTTP/1.1\r\nhOsT: localhost:3000\r\nX-b:1\r\nx-A:   two  \r\nX-B: 3\r\n\
              X-Hub-Signature-256: sha256=ab\r\nCONTENT-length: 4\r\nX-Latin: \xe9\xff\r\nX-Empty:\r\n\
              Expect: 100-continue\r\nAuthorization: Basic eA==\r\n",
            OWN.as_bytes(),
            b"\r\n",
        ]
        .concat();
        assert_eq!(head(&sent), expected, "{}", String::from_utf8_lossy(&head(&sent)));
    }

    #[test]
    fn hop_by_hop_headers_are_dropped_and_the_length_of_a_chunked_body_is_stated() {
        let sent = delivery(
            "POST",
            b"Host: a\r\nConnection: keep-alive, Upgrade, HTTP2-Settings\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n\
              Trailer: X-T\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\
              Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\nX-Kept: 1\r\n",
            b"abc",
        );
        let expected =
            format!("POST /hook HTTP/1.1\r\nHost: localhost:3000\r\nX-Kept: 1\r\nContent-Length: 3\r\n{OWN}\r\n");
        assert_eq!(String::from_utf8(head(&sent)).unwrap(), expected);
    }

    #[test]
    fn a_sender_cannot_take_a_header_from_the_app_by_naming_it_in_connection() {
        let sent = delivery(
            "POST",
            b"Host: a\r\nConnection: close, webhook-signature, X-Hub-Signature-256\r\nwebhook-signature: v1,x\r\n\
              X-Hub-Signature-256: sha256=ab\r\n",
            b"",
        );
        let text = String::from_utf8(head(&sent)).unwrap();
        assert!(text.contains("webhook-signature: v1,x\r\nX-Hub-Signature-256: sha256=ab\r\n"), "{text}");
        assert_eq!(text.matches("Connection").count(), 1);
    }

    #[test]
    fn creels_own_headers_replace_received_ones() {
        let mut sent =
            delivery("GET", b"x-creel-delivery: forged\r\nX-Creel-Replay: forged\r\nX-Creel-Other: 1\r\n", b"");
        sent.replayed_from = Some(DeliveryId::from_bytes([3; 16]));
        let expected = format!(
            "GET /hook HTTP/1.1\r\nHost: localhost:3000\r\nX-Creel-Other: 1\r\n{OWN}\
             X-Creel-Replay: 03030303-0303-0303-0303-030303030303\r\n\r\n"
        );
        assert_eq!(String::from_utf8(head(&sent)).unwrap(), expected);
    }

    #[test]
    fn an_empty_body_is_announced_where_one_is_expected() {
        let length = |method, block| {
            let text = String::from_utf8(head(&delivery(method, block, b""))).unwrap();
            text.lines().find(|line| line.starts_with("Content-Length")).map(str::to_owned)
        };
        assert_eq!(length("POST", b"").as_deref(), Some("Content-Length: 0"));
        assert_eq!(length("GET", b""), None);
        assert_eq!(length("GET", b"Content-Length: 7\r\n").as_deref(), Some("Content-Length: 0"));
    }

    #[test]
    fn a_method_cannot_end_the_request_line() {
        for method in ["", "GET ", "GE T", "GET\r\n", "GÉT", "CONNECT"] {
            assert!(!is_sendable_method(method), "{method:?}");
        }
        for method in ["GET", "PURGE", "M-SEARCH", "get"] {
            assert!(is_sendable_method(method));
        }
    }
}
