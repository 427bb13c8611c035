//! Requests that no honest sender writes: each is refused or cut off, leaves no row and harms no later request.
//!
//! The list follows RFC 9112 (sections 2.2, 2.3, 3.2, 5.1, 5.2, 6.1, 6.3 and 7.1) and what request smuggling is made of.

use std::fmt::Write as _;

use serde_json::json;

use super::support::{Creel, Endpoint, Launch, Request, http};

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

/// Headers that two servers could read differently, and those that only look like the ones that govern framing.
fn odd_headers(host: &str) -> Vec<(&'static str, String)> {
    let framed = |header: &str| format!("Host: {host}\r\n{header}\r\nContent-Length: 2\r\n\r\n{{}}");
    let coded = |header: &str| format!("Host: {host}\r\n{header}\r\n\r\n0\r\n\r\n");
    let measured = |length: &str| format!("Host: {host}\r\nContent-Length: {length}\r\n\r\n{{}}");
    let hosted = |host: &str| format!("Host{host}\r\nContent-Length: 2\r\n\r\n{{}}");
    vec![
        ("two lengths in different case", framed("content-length: 2")),
        ("a length of two numbers", measured("2 2")),
        ("a length with a parameter", measured("2;q=1")),
        ("a length of minus zero", measured("-0")),
        ("a length with an exponent", measured("2e0")),
        ("a length with an underscore", measured("0_2")),
        ("a length in quotes", measured("\"2\"")),
        ("a length in wide digits", measured("\u{ff12}")),
        ("a length of 2 to the 63rd", measured("9223372036854775808")),
        ("a length of 2 to the 64th and 2", measured("18446744073709551618")),
        ("a length of zero and chunked", framed("Transfer-Encoding: chunked").replace(" 2\r", " 0\r")),
        ("chunked and a folded length", coded("Transfer-Encoding: chunked\r\nContent-Length:\r\n 5")),
        ("a coding and a comma", coded("Transfer-Encoding: chunked,")),
        ("a comma and a coding", coded("Transfer-Encoding: , chunked")),
        ("a coding with a parameter", coded("Transfer-Encoding: chunked;q=1")),
        ("two codings without a comma", coded("Transfer-Encoding: chunked chunked")),
        ("gzip alone", coded("Transfer-Encoding: gzip")),
        ("gzip and chunked", coded("Transfer-Encoding: gzip, chunked")),
        ("chunked, then identity in another line", coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity")),
        ("identity, then chunked in another line", coded("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked")),
        ("a coding with the Kelvin sign", coded("Transfer-Encoding: chun\u{212a}ed")),
        ("a coding and NUL", coded("Transfer-Encoding: chunked\0")),
        ("a space before the colon of a coding", coded("Transfer-Encoding : chunked")),
        ("NUL before a coding's name", coded("\0Transfer-Encoding: chunked")),
        ("NUL behind a coding's name", coded("Transfer-Encoding\0: chunked")),
        ("a coding behind CR", coded("X: y\rTransfer-Encoding: chunked")),
        ("a coding behind LF", framed("X: y\nTransfer-Encoding: chunked")),
        ("a header folded with a tab", framed("X: a\r\n\tb")),
        ("a line of white space", framed("X: a\r\n ")),
        ("a name beyond ASCII", framed("X-\u{e9}: a")),
        ("DEL in a name", framed("X\x7f: a")),
        ("DEL in a value", framed("X: a\x7f")),
        ("an escape sequence in a value", framed("X: \x1b[2J")),
        ("a form feed in a value", framed("X: a\x0cb")),
        ("a name of 40 kB without a colon", framed(&"X".repeat(40_000))),
        ("an expectation and another", framed("Expect: 100-continue, more")),
        ("an empty expectation", framed("Expect:")),
        ("a space before the colon of the host", hosted(&format!(" : {host}"))),
        ("a folded host", hosted(&format!(":\r\n {host}"))),
        ("a list of hosts", hosted(": a, b")),
        ("a host with two ports", hosted(": a:80:80")),
        ("a port without a host", hosted(": :80")),
        ("a host with a scheme", hosted(": http://a")),
        ("a host with a backslash", hosted(": a\\b")),
        ("a host with a query", hosted(": a?b")),
        ("a host with a fragment", hosted(": a#b")),
        ("a host beyond ASCII", hosted(": \u{fc}.example")),
        ("an address without its bracket", hosted(": [::1")),
        ("a name in brackets", hosted(": [a]")),
    ]
}

/// Chunked bodies (RFC 9112 section 7.1) that are not what they should be.
fn odd_chunks(host: &str) -> Vec<(&'static str, String)> {
    let long = "x".repeat(5_000);
    let bodies: Vec<(&'static str, String)> = vec![
        ("a space before a chunk size", " 2\r\n{}\r\n0\r\n\r\n".into()),
        ("a space behind a chunk size", "2 \r\n{}\r\n0\r\n\r\n".into()),
        ("a chunk size that wraps around", "10000000000000002\r\n{}\r\n0\r\n\r\n".into()),
        ("a chunk size of many zeros", "00000000000000002\r\n{}\r\n0\r\n\r\n".into()),
        ("a chunk size with an underscore", "0_2\r\n{}\r\n0\r\n\r\n".into()),
        ("a chunk size and NUL", "2\0\r\n{}\r\n0\r\n\r\n".into()),
        ("a chunk size that ends in CR", "2\r{}\r\n0\r\n\r\n".into()),
        ("a chunk extension that ends in LF", "2;x\n{}\r\n0\r\n\r\n".into()),
        ("a chunk extension with CR", "2;x\ry\r\n{}\r\n0\r\n\r\n".into()),
        ("a chunk extension with NUL", "2;x\0\r\n{}\r\n0\r\n\r\n".into()),
        ("a chunk extension of 5 kB", format!("2;{long}\r\n{{}}\r\n0\r\n\r\n")),
        ("a chunk that ends in LF", "2\r\n{}\n0\r\n\r\n".into()),
        ("a chunk that ends in CR", "2\r\n{}\r0\r\n\r\n".into()),
        ("a chunk that ends the wrong way round", "2\r\n{}\n\r0\r\n\r\n".into()),
        ("a last chunk that ends in LF", "2\r\n{}\r\n0\n\n".into()),
        ("a chunked body that ends in LF", "2\r\n{}\r\n0\r\n\n".into()),
        ("a trailer that ends in LF", "0\r\nX: a\n\r\n".into()),
        ("a folded trailer", "0\r\nX: a\r\n b\r\n\r\n".into()),
        ("a trailer without a colon", "0\r\nGET / HTTP/1.1\r\n\r\n".into()),
        ("a trailer with NUL", "0\r\nX: \0\r\n\r\n".into()),
        ("trailers of 10 kB", format!("0\r\nX: {long}\r\nY: {long}\r\n\r\n")),
    ];
    let head = format!("Host: {host}\r\nTransfer-Encoding: chunked\r\n\r\n");
    bodies.into_iter().map(|(name, body)| (name, format!("{head}{body}"))).collect()
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
        ("absolute form with a user", line(format!("POST http://user:word@{host}{path} HTTP/1.1"))),
        ("absolute form of a file", line(format!("POST file://{path} HTTP/1.1"))),
        ("a host and a port for a target", line(format!("POST {host} HTTP/1.1"))),
        ("a backslash before the path", line(format!("POST \\{path} HTTP/1.1"))),
        ("a path with CR", line(format!("POST {path}\r HTTP/1.1"))),
        ("a path with NUL", line(format!("POST {path}\0 HTTP/1.1"))),
        ("a path with DEL", line(format!("POST {path}\x7f HTTP/1.1"))),
        ("a path with a tab", line(format!("POST {path}\t HTTP/1.1"))),
        ("a path that is no UTF-8", {
            [format!("POST {path}/").as_bytes(), b"\xff HTTP/1.1\r\n", rest.as_bytes()].concat()
        }),
        ("a word behind the version", line(format!("POST {path} HTTP/1.1 more"))),
        ("a space behind the version", line(format!("POST {path} HTTP/1.1 "))),
        ("a tab behind the version", line(format!("POST {path} HTTP/1.1\t"))),
        ("a letter behind the version", line(format!("POST {path} HTTP/1.1x"))),
        ("a version with a zero before", line(format!("POST {path} HTTP/01.1"))),
        ("a version with a zero behind", line(format!("POST {path} HTTP/1.10"))),
        ("a version without a point", line(format!("POST {path} HTTP/1"))),
        ("a version with a comma", line(format!("POST {path} HTTP/1,1"))),
        ("a space in the version", line(format!("POST {path} HTTP /1.1"))),
        ("another protocol", line(format!("POST {path} ICY/1.1"))),
        ("a method of 40 letters", line(format!("{} {path} HTTP/1.1", "P".repeat(40)))),
        ("a method with a colon", line(format!("PO:ST {path} HTTP/1.1"))),
        ("a method with NUL", line(format!("PO\0ST {path} HTTP/1.1"))),
        ("a method beyond ASCII", line(format!("P\u{d6}ST {path} HTTP/1.1"))),
        ("a byte order mark", line(format!("\u{feff}POST {path} HTTP/1.1"))),
        ("LF before the request", line(format!("\nPOST {path} HTTP/1.1"))),
        ("CR before the request", line(format!("\rPOST {path} HTTP/1.1"))),
        ("two empty lines before the request", line(format!("\r\n\r\nPOST {path} HTTP/1.1"))),
        ("empty lines without end", b"\r\n".repeat(10_000)),
        ("a request line without end", format!("POST {path}/{}", "a".repeat(100_000)).into_bytes()),
        ("a method without end", vec![b'P'; 100_000]),
        ("garbage", b"\0\x01\x02\x03\r\n\r\n".to_vec()),
        ("LF after the request line", format!("POST {path} HTTP/1.1\n{rest}").into_bytes()),
    ]
}

fn cases(creel: &Creel, endpoint: &Endpoint) -> Vec<Case> {
    let host = creel.ingress.to_string();
    let mut cases = request_lines(&host, &endpoint.path);
    for (name, head) in [heads(&host), odd_headers(&host), odd_chunks(&host)].concat() {
        cases.push((name, format!("POST {} HTTP/1.1\r\n{head}", endpoint.path).into_bytes()));
    }
    cases
}

/// Sends each case, with a second request smuggled behind it, and looks at the answers and at the rows.
pub fn every_hostile_head_is_refused_and_leaves_no_row(creel: &Creel) {
    let endpoint = creel.endpoint(json!({}));
    let cases = cases(creel, &endpoint);
    assert!(cases.len() >= 180, "{}", cases.len());
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
fn hostile_heads_are_refused_and_the_next_request_is_fine() {
    every_hostile_head_is_refused_and_leaves_no_row(&Launch::new().start());
}

#[test]
fn the_same_requests_without_their_faults_are_taken() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let (host, line) = (creel.ingress, format!("POST {} HTTP/1.1\r\n", endpoint.path));
    let chunked = format!("{line}Host: {host}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let measured = format!("{line}Host: {host}\r\nX: a\r\nContent-Length: 2\r\n\r\n{{}}");
    let requests = [
        format!("\r\n{measured}"),
        measured,
        format!("{chunked}2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{chunked}02 ;x=y\r\n{{}}\r\n0\r\nX: a\r\n\r\n"),
    ];
    for request in &requests {
        let answer = http::raw_exchange(creel.ingress, request.as_bytes());
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{request:?}: {}", String::from_utf8_lossy(&answer));
    }
    assert!(creel.all_deliveries().iter().all(|row| row["body_size"] == 2));
    assert_eq!(creel.total(""), requests.len() as u64);
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
fn garbage_behind_an_honest_request_is_refused_and_so_is_what_hides_behind_it() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let honest = [
        endpoint.post("honest").header("Connection", "keep-alive"),
        endpoint.post("honest").header("Connection", "keep-alive").chunked(4),
        Request::new("GET", &endpoint.path).header("Connection", "keep-alive"),
    ];
    for (n, request) in (1..).zip(honest) {
        let request = request.bytes(creel.ingress);
        let answer = http::raw_exchange(creel.ingress, &[&request[..], b"garbage\r\n\r\n", &request].concat());
        let answer = String::from_utf8_lossy(&answer);
        let count = |status: &str| answer.matches(&format!("HTTP/1.1 {status}")).count();
        assert_eq!((count("200"), count("400"), count("")), (1, 1, 2), "{answer}");
        assert_eq!(creel.total(""), n);
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
