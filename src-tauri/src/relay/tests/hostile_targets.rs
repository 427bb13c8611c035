//! Each way to misbehave: the attempt ends in time, with the exact reason.

use std::time::Duration;

use tokio::time::Instant;

use super::{OK_10, Script, answer, attempt};
use crate::domain::AttemptOutcome::{self, HttpError, Reset, Succeeded, TimedOut};

const OK_CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked";

/// Name, script, outcome, reason (empty: none), status.
type Case = (&'static str, Script, AttemptOutcome, &'static str, Option<u16>);

fn refusing_and_breaking() -> Vec<Case> {
    let closed = "the target closed the connection without an answer";
    vec![
        ("closes without an answer", Script::Answer(vec![]), Reset, closed, None),
        (
            "closes in the status line",
            Script::Answer(b"HTTP/1.1 20".to_vec()),
            Reset,
            "the target closed the connection in the middle of the answer's head",
            None,
        ),
        (
            "closes in the head",
            Script::Answer(b"HTTP/1.1 200 OK\r\nA: b\r\n".to_vec()),
            Reset,
            "the target closed the connection in the middle of the answer's head",
            None,
        ),
        (
            "closes in the body",
            Script::Answer(answer(OK_10, b"short")),
            Reset,
            "the target closed the connection in the middle of the answer's body, after 5 bytes",
            Some(200),
        ),
        (
            "closes in a chunk",
            Script::Answer(answer(OK_CHUNKED, b"5\r\nhel")),
            Reset,
            "the target closed the connection in the middle of the answer's body, after 3 bytes",
            Some(200),
        ),
        (
            "closes before the last chunk",
            Script::Answer(answer(OK_CHUNKED, b"5\r\nhello\r\n")),
            Reset,
            "the target closed the connection in the middle of the answer's body, after 5 bytes",
            Some(200),
        ),
        (
            "resets before reading",
            Script::AbortUnread,
            Reset,
            "the connection broke before an answer came: reset by the target",
            None,
        ),
        (
            "resets instead of answering",
            Script::Abort(vec![]),
            Reset,
            "the connection broke before an answer came: reset by the target",
            None,
        ),
        (
            "resets in the head",
            Script::Abort(b"HTTP/1.1 200".to_vec()),
            Reset,
            "the connection broke in the middle of the answer's head: reset by the target",
            None,
        ),
        (
            "resets in the body",
            Script::Abort(answer(OK_10, b"1234")),
            Reset,
            "the connection broke in the middle of the answer's body, after 4 bytes: \
             reset by the target",
            Some(200),
        ),
    ]
}

fn slow_and_endless() -> Vec<Case> {
    let until_close = answer("HTTP/1.1 200 OK", b"");
    vec![
        ("never reads", Script::HangUnread, TimedOut, "no answer within 1 s", None),
        ("never answers", Script::Hang(vec![]), TimedOut, "no answer within 1 s", None),
        ("stops in the head", Script::Hang(b"HTTP/1.1 200 OK\r\n".to_vec()), TimedOut, "no answer within 1 s", None),
        (
            "drips its head",
            Script::Drip(b"HTTP/1.1 200 OK\r\nA: ".to_vec(), b'a'),
            TimedOut,
            "no answer within 1 s",
            None,
        ),
        (
            "only ever says 100",
            Script::Hang(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
            TimedOut,
            "no answer within 1 s",
            None,
        ),
        (
            "stops in the body",
            Script::Hang(answer(OK_10, b"123")),
            TimedOut,
            "the answer was not complete within 2500 ms",
            Some(200),
        ),
        (
            "drips its body",
            Script::Drip(until_close.clone(), b'b'),
            TimedOut,
            "the answer was not complete within 2500 ms",
            Some(200),
        ),
        (
            "drips chunk framing",
            Script::Drip(answer(OK_CHUNKED, b""), b'0'),
            TimedOut,
            "the answer was not complete within 2500 ms",
            Some(200),
        ),
        ("never ends its body", Script::Flood(until_close, vec![b'x'; 65536]), Succeeded, "", Some(200)),
        (
            "never ends its chunks",
            Script::Flood(answer(OK_CHUNKED, b""), b"8\r\nabcdefgh\r\n".repeat(1000)),
            Succeeded,
            "",
            Some(200),
        ),
        (
            "announces more than it may send",
            Script::Flood(answer("HTTP/1.1 500 No\r\nContent-Length: 99999999999", b""), vec![b'x'; 65536]),
            HttpError,
            "the target answered 500",
            Some(500),
        ),
        (
            "floods with 1xx",
            Script::Flood(vec![], b"HTTP/1.1 102 Processing\r\n\r\n".repeat(10)),
            Reset,
            "the target sent more than 16 interim (1xx) answers",
            None,
        ),
        (
            "never ends its head",
            Script::Flood(b"HTTP/1.1 200 OK\r\n".to_vec(), b"A: b\r\n".repeat(100)),
            Reset,
            "the answer's head is larger than 64 KiB",
            None,
        ),
        (
            "never ends one header",
            Script::Flood(b"HTTP/1.1 200 OK\r\nA: ".to_vec(), vec![b'a'; 4096]),
            Reset,
            "the answer's head is larger than 64 KiB",
            None,
        ),
        (
            "never ends its trailers",
            Script::Flood(answer(OK_CHUNKED, b"0\r\n"), b"A: b\r\n".repeat(100)),
            Reset,
            "the answer's body is badly chunked: its trailers are too long",
            Some(200),
        ),
        (
            "never ends a chunk's line",
            Script::Flood(answer(OK_CHUNKED, b"5;"), vec![b'a'; 4096]),
            Reset,
            "the answer's body is badly chunked: a line is too long",
            Some(200),
        ),
    ]
}

fn malformed() -> Vec<Case> {
    let thousand = format!("HTTP/1.1 200 OK\r\n{}", "A: b\r\n".repeat(1000));
    let with = |text: &str| Script::Answer(text.as_bytes().to_vec());
    vec![
        (
            "sends a thousand headers",
            Script::Answer(answer(thousand.trim_end(), b"")),
            Reset,
            "the answer has more than 200 headers",
            None,
        ),
        (
            "speaks HTTP/0.9",
            with("<html>hello"),
            Reset,
            "the answer is not HTTP/1: it begins with \"<html>hello\"",
            None,
        ),
        (
            "speaks HTTP/2",
            with("HTTP/2 200\r\n\r\n"),
            Reset,
            "the answer is not HTTP/1: it begins with \"HTTP/2 200\\r\\n\\r\\n\"",
            None,
        ),
        (
            "speaks TLS",
            Script::Answer(b"\x15\x03\x01\0\x02\x02".to_vec()),
            Reset,
            "the answer is not HTTP/1: it begins with \"\\x15\\x03\\x01\\x00\\x02\\x02\"",
            None,
        ),
        (
            "speaks SSH and stays",
            Script::Hang(b"SSH-2.0-x\r\n".to_vec()),
            Reset,
            "the answer is not HTTP/1: it begins with \"SSH-2.0-x\\r\\n\"",
            None,
        ),
        (
            "speaks HTTP/1.2",
            with("HTTP/1.2 200 OK\r\n\r\n"),
            Reset,
            "the answer's head is malformed: its version is neither HTTP/1.0 nor HTTP/1.1",
            None,
        ),
        (
            "has no status",
            with("HTTP/1.1 OK\r\n\r\n"),
            Reset,
            "the answer's head is malformed: its status line cannot be read",
            None,
        ),
        (
            "has the status 099",
            with("HTTP/1.1 099 Odd\r\n\r\n"),
            Reset,
            "the answer's head is malformed: its status is no status",
            None,
        ),
        (
            "has a header without a name",
            with("HTTP/1.1 200 OK\r\n: x\r\n\r\n"),
            Reset,
            "the answer's head is malformed: a header's name is not allowed",
            None,
        ),
        (
            "has NUL in a header",
            with("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n"),
            Reset,
            "the answer's head is malformed: a header's value is not allowed",
            None,
        ),
        (
            "states a length that is no number",
            with("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
            Reset,
            "the answer's head is malformed: its Content-Length is no number",
            Some(200),
        ),
        (
            "states two lengths",
            with("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
            Reset,
            "the answer's head is malformed: it states two different Content-Lengths",
            Some(200),
        ),
        (
            "states a chunk size that is no number",
            Script::Answer(answer(OK_CHUNKED, b"zz\r\n")),
            Reset,
            "the answer's body is badly chunked: a chunk's size is no number",
            Some(200),
        ),
        (
            "states a chunk size beyond all numbers",
            Script::Answer(answer(OK_CHUNKED, b"fffffffffffffffff\r\n")),
            Reset,
            "the answer's body is badly chunked: a chunk's size is no number",
            Some(200),
        ),
        (
            "sends more than its chunk",
            Script::Answer(answer(OK_CHUNKED, b"2\r\nhello\r\n")),
            Reset,
            "the answer's body is badly chunked: a chunk is longer than it says",
            Some(200),
        ),
        (
            "switches protocols",
            with("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x01\x02"),
            HttpError,
            "the target wants to switch protocols (101), which a relay does not do",
            Some(101),
        ),
    ]
}

fn unusual_but_right() -> Vec<Case> {
    let with = |text: &str| Script::Answer(text.as_bytes().to_vec());
    vec![
        (
            "redirects to metadata",
            with("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
            Succeeded,
            "",
            Some(302),
        ),
        (
            "gives 204 a body",
            with("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"),
            Succeeded,
            "",
            Some(204),
        ),
        (
            "gives 304 a length",
            with("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
            Succeeded,
            "",
            Some(304),
        ),
        (
            "answers without reading",
            Script::AnswerUnread(answer(OK_10, b"0123456789"), Duration::from_millis(100)),
            Succeeded,
            "",
            Some(200),
        ),
        (
            "says 100 and 103 first",
            with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 404 No\r\n\r\n"),
            HttpError,
            "the target answered 404",
            Some(404),
        ),
        ("stays open after its answer", Script::Hang(answer(OK_10, b"0123456789")), Succeeded, "", Some(200)),
        (
            "sends more than its length",
            Script::Answer(answer(OK_10, b"0123456789HTTP/1.1 500 No\r\n\r\n")),
            Succeeded,
            "",
            Some(200),
        ),
        ("speaks HTTP/1.0", with("HTTP/1.0 200 OK\r\n\r\nhello"), Succeeded, "", Some(200)),
        (
            "has a status of its own",
            with("HTTP/1.1 799 Mine\r\nContent-Length: 0\r\n\r\n"),
            HttpError,
            "the target answered 799",
            Some(799),
        ),
    ]
}

async fn check(cases: Vec<Case>) {
    let running = cases.into_iter().map(|(name, script, outcome, reason, status)| async move {
        let began = Instant::now();
        let result = attempt(script).await;
        let seen = (result.outcome, result.reason.unwrap_or_default(), result.response.map(|answer| answer.status));
        assert_eq!(seen, (outcome, reason.to_owned(), status), "a target that {name}");
        // The limit is 2.5 s; the rest is for a busy machine.
        assert!(began.elapsed() < Duration::from_secs(20), "a target that {name} took {:?}", began.elapsed());
    });
    futures_util::future::join_all(running).await;
}

#[tokio::test]
async fn a_target_that_breaks_off_is_told_apart_by_where_it_does() {
    check(refusing_and_breaking()).await;
}

#[tokio::test]
async fn a_target_that_is_slow_or_endless_is_cut_off() {
    check(slow_and_endless()).await;
}

#[tokio::test]
async fn a_target_that_does_not_speak_http_is_told_so() {
    check(malformed()).await;
}

#[tokio::test]
async fn a_target_that_is_merely_unusual_is_understood() {
    check(unusual_but_right()).await;
}
