//! Requests that no honest sender writes: each is refused or cut off, leaves no row and harms no later request.
//!
//! The list follows RFC 9112 (sections 2.2, 3, 5, 6 and 7) and what request smuggling is made of.

use std::fmt::Write as _;

use serde_json::json;

use super::support::{Creel, Endpoint, Launch, http};

/// A name for the report, and the bytes.
type Case = (&'static str, Vec<u8>);

/// What follows the request line of a plain hostile case.
fn heads(host: &str) -> Vec<(&'static str, String)> {
    let h = format!("Host: {host}\r\n");
    let with = |rest: &str| format!("{h}{rest}");
    vec![
        ("length and chunked", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        ("chunked and length", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")),
        ("two equal lengths", with("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}")),
        ("two different lengths", with("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}!")),
        ("a list of lengths", with("Content-Length: 2, 2\r\n\r\n{}")),
        ("a length with a sign", with("Content-Length: +2\r\n\r\n{}")),
        ("a negative length", with("Content-Length: -2\r\n\r\n{}")),
        ("a hexadecimal length", with("Content-Length: 0x2\r\n\r\n{}")),
        ("a length beyond 64 bits", with("Content-Length: 99999999999999999999999\r\n\r\n{}")),
        ("an empty length", with("Content-Length:\r\n\r\n{}")),
        ("a length that is no number", with("Content-Length: two\r\n\r\n{}")),
        ("a length with a fraction", with("Content-Length: 2.0\r\n\r\n{}")),
        ("a space before the colon", with("Content-Length : 2\r\n\r\n{}")),
        ("a tab before the colon", with("Content-Length\t: 2\r\n\r\n{}")),
        ("an unknown transfer coding", with("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")),
        ("identity coding", with("Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}")),
        ("chunked not last", with("Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n")),
        ("chunked twice in one line", with("Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n")),
        (
            "chunked twice in two lines",
            with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        ("a coding behind a vertical tab", with("Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n")),
        ("an empty coding", with("Transfer-Encoding:\r\nContent-Length: 2\r\n\r\n{}")),
        ("a folded coding", with("Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n")),
        ("a quoted coding", with("Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n")),
        ("a folded header", with("X-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\n{}")),
        ("a first header that is folded", format!(" X: y\r\n{h}Content-Length: 2\r\n\r\n{{}}")),
        ("NUL in a value", with("X-Nul: a\0b\r\nContent-Length: 2\r\n\r\n{}")),
        ("NUL in a name", with("X-N\0ul: a\r\nContent-Length: 2\r\n\r\n{}")),
        ("CR in a value", with("X-Cr: a\rb\r\nContent-Length: 2\r\n\r\n{}")),
        ("a control character in a value", with("X-Bell: a\x07b\r\nContent-Length: 2\r\n\r\n{}")),
        ("a space in a name", with("X Space: a\r\nContent-Length: 2\r\n\r\n{}")),
        ("a bracket in a name", with("X[0]: a\r\nContent-Length: 2\r\n\r\n{}")),
        ("an empty name", with(": a\r\nContent-Length: 2\r\n\r\n{}")),
        ("a line without a colon", with("nonsense\r\nContent-Length: 2\r\n\r\n{}")),
        ("lines that end in LF alone", format!("Host: {host}\nContent-Length: 2\n\n{{}}")),
        ("one line that ends in LF alone", with("X-Lf: a\nContent-Length: 2\r\n\r\n{}")),
        ("an empty line that is LF alone", with("Content-Length: 2\r\n\n{}")),
        ("lines that end in CR alone", format!("Host: {host}\rContent-Length: 2\r\r{{}}")),
        ("no host", "Content-Length: 2\r\n\r\n{}".to_owned()),
        ("two hosts", format!("{h}Host: other.test\r\nContent-Length: 2\r\n\r\n{{}}")),
        ("two equal hosts", format!("{h}{h}Content-Length: 2\r\n\r\n{{}}")),
        ("an empty host", "Host:\r\nContent-Length: 2\r\n\r\n{}".to_owned()),
        ("a host with a path", "Host: a/b\r\nContent-Length: 2\r\n\r\n{}".to_owned()),
        ("a host with a user", "Host: a@b\r\nContent-Length: 2\r\n\r\n{}".to_owned()),
        ("a host with a space", "Host: a b\r\nContent-Length: 2\r\n\r\n{}".to_owned()),
        ("a host with a bad port", "Host: a:b\r\nContent-Length: 2\r\n\r\n{}".to_owned()),
        ("an unknown expectation", with("Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}")),
        ("a chunk size that is no number", with("Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n")),
        ("a chunk size with a sign", with("Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n")),
        ("a chunk size with a prefix", with("Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n")),
        ("a negative chunk size", with("Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n")),
        (
            "a chunk size beyond 64 bits",
            with("Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff2\r\n{}\r\n0\r\n\r\n"),
        ),
        ("an empty chunk size", with("Transfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n")),
        ("a chunk size that ends in LF", with("Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n")),
        ("a chunk longer than its size", with("Transfer-Encoding: chunked\r\n\r\n2\r\n{}!!\r\n0\r\n\r\n")),
        ("a chunk without its line end", with("Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n")),
        ("a chunked body that breaks off", with("Transfer-Encoding: chunked\r\n\r\n5\r\n{}")),
        ("a body shorter than its length", with("Content-Length: 9\r\n\r\n{}")),
        ("a head that breaks off", with("Content-Length: 2\r\n")),
        ("200 headers", with(&numbered_headers(200))),
        ("a header of 500 kB", with(&format!("X-Big: {}\r\nContent-Length: 2\r\n\r\n{{}}", "a".repeat(500_000)))),
        ("64 headers of 2 kB", with(&big_headers(64, 2_000))),
    ]
}

fn numbered_headers(count: usize) -> String {
    let mut head = String::new();
    for n in 0..count {
        write!(head, "X-{n}: v\r\n").unwrap();
    }
    head + "Content-Length: 2\r\n\r\n{}"
}

fn big_headers(count: usize, bytes: usize) -> String {
    let value = "v".repeat(bytes);
    let mut head = String::new();
    for n in 0..count {
        write!(head, "X-{n}: {value}\r\n").unwrap();
    }
    head + "Content-Length: 2\r\n\r\n{}"
}

/// Whole requests whose fault lies in the request line or before it.
fn request_lines(host: &str, path: &str) -> Vec<Case> {
    let rest = format!("Host: {host}\r\nContent-Length: 2\r\n\r\n{{}}");
    let line = |line: String| format!("{line}\r\n{rest}").into_bytes();
    vec![
        ("HTTP/1.0", line(format!("POST {path} HTTP/1.0"))),
        ("HTTP/1.0 with chunks", {
            format!("POST {path} HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").into_bytes()
        }),
        ("HTTP/0.9", format!("POST {path}\r\n").into_bytes()),
        ("HTTP/1.2", line(format!("POST {path} HTTP/1.2"))),
        ("HTTP/2.0", line(format!("POST {path} HTTP/2.0"))),
        ("a version in lower case", line(format!("POST {path} http/1.1"))),
        ("a version that is no number", line(format!("POST {path} HTTP/a.b"))),
        ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec()),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcdefgh".to_vec()),
        ("absolute form", line(format!("POST http://{host}{path} HTTP/1.1"))),
        ("absolute form for another host", line(format!("POST http://other.test{path} HTTP/1.1"))),
        ("a fragment", line(format!("POST {path}#fragment HTTP/1.1"))),
        ("asterisk form", line("POST * HTTP/1.1".into())),
        ("OPTIONS of the server", line("OPTIONS * HTTP/1.1".into())),
        ("CONNECT to a host", line("CONNECT other.test:443 HTTP/1.1".into())),
        ("CONNECT to the path", line(format!("CONNECT {path} HTTP/1.1"))),
        ("a path without a slash", line(format!("POST {} HTTP/1.1", &path[1..]))),
        ("a space in the path", line(format!("POST {path}/a b HTTP/1.1"))),
        ("a control character in the path", line(format!("POST {path}/a\x01b HTTP/1.1"))),
        ("two spaces", line(format!("POST  {path} HTTP/1.1"))),
        ("a tab for a space", line(format!("POST\t{path}\tHTTP/1.1"))),
        ("a space before the method", line(format!(" POST {path} HTTP/1.1"))),
        ("a method with a bracket", line(format!("PO(ST {path} HTTP/1.1"))),
        ("an empty method", line(format!(" {path} HTTP/1.1"))),
        ("a path of 70 kB", line(format!("POST {path}/{} HTTP/1.1", "a".repeat(70_000)))),
        ("garbage", b"\0\x01\x02\x03\r\n\r\n".to_vec()),
        ("LF after the request line", format!("POST {path} HTTP/1.1\n{rest}").into_bytes()),
    ]
}

fn cases(creel: &Creel, endpoint: &Endpoint) -> Vec<Case> {
    let host = creel.ingress.to_string();
    let mut cases = request_lines(&host, &endpoint.path);
    for (name, head) in heads(&host) {
        cases.push((name, format!("POST {} HTTP/1.1\r\n{head}", endpoint.path).into_bytes()));
    }
    cases
}

/// Sends each case, with a second request smuggled behind it, and looks at the answers and at the rows.
pub fn every_hostile_head_is_refused_and_leaves_no_row(creel: &Creel) {
    let endpoint = creel.endpoint(json!({}));
    let cases = cases(creel, &endpoint);
    assert!(cases.len() >= 58, "{}", cases.len());
    for (name, bytes) in &cases {
        let answer = http::raw_exchange(creel.ingress, bytes);
        let shown = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
            "a hostile head was taken: {name} was answered {shown}"
        );
        assert!(!shown.contains("HTTP/1.1 2"), "a hostile head was taken: {name} was answered twice: {shown}");
        let total = creel.total("");
        assert_eq!(total, 0, "a hostile head was taken: {name} left a row");
    }
    creel.send_expecting("skipped", &endpoint.post("{}"));
    assert_eq!(creel.total(""), 1);
}

#[test]
fn more_than_58_hostile_heads_are_refused_and_the_next_request_is_fine() {
    every_hostile_head_is_refused_and_leaves_no_row(&Launch::new().start());
}

#[test]
fn a_request_hidden_behind_a_refused_one_is_never_served() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let hidden = format!("POST {} HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nhidden", endpoint.path);
    for (name, mut bytes) in cases(&creel, &endpoint) {
        if name.contains("breaks off") || name.contains("shorter") {
            // What follows would be the rest of that body or head.
            continue;
        }
        bytes.extend_from_slice(hidden.as_bytes());
        http::raw_exchange(creel.ingress, &bytes);
        assert_eq!(creel.total(""), 0, "{name} let a second request through");
    }
}

#[test]
fn two_honest_requests_in_one_segment_are_two_deliveries_or_the_connection_is_closed_after_one() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let one = |body: &str| endpoint.post(body).header("Connection", "keep-alive").bytes(creel.ingress);
    http::raw_exchange(creel.ingress, &[one("first"), one("second")].concat());
    let bodies: Vec<Vec<u8>> =
        creel.all_deliveries().iter().map(|row| creel.stored_body(row["id"].as_str().unwrap())).collect();
    assert!(bodies == [b"second".to_vec(), b"first".to_vec()] || bodies == [b"first".to_vec()], "{bodies:?}");
}

#[test]
fn malformed_http_is_seen_among_the_refusals() {
    let creel = Creel::start();
    creel.endpoint(json!({}));
    http::raw_exchange(creel.ingress, b"POST /in/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    let refusals = creel.refused(1);
    assert_eq!((&refusals[0]["status"], &refusals[0]["reason"]), (&json!(400), &json!("malformed_http")));
}
