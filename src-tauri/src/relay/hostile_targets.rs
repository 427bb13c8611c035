//! Targets that behave as no server should, on real sockets: each attempt ends in time, with the exact reason.
//!
//! A [`Script`] is what the target does with a connection; it runs against the real client with small limits.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::{AddressPolicy, AttemptResult, OutgoingDelivery, RelayLimits, TargetClient};
use crate::domain::AttemptOutcome::{self, ConnectFailed, HttpError, Reset, Succeeded, TimedOut};
use crate::domain::{AttemptId, DeliveryId, Headers};

/// Small enough for a test, and far enough apart that a busy machine does not mix them up.
fn small_limits() -> RelayLimits {
    RelayLimits {
        connect: Duration::from_millis(900),
        head: Duration::from_millis(300),
        total: Duration::from_millis(800),
        kept_bytes: 64 * 1024,
        read_bytes: 1024 * 1024,
        ..RelayLimits::default()
    }
}

/// What a target does with its one connection.
#[derive(Clone)]
enum Script {
    /// Reads the whole request, writes this, closes.
    Answer(Vec<u8>),
    /// Writes this without reading a byte, closes after a while.
    AnswerUnread(Vec<u8>),
    /// Reads the request, writes this, then a byte of this every few milliseconds for ever.
    Drip(Vec<u8>, u8),
    /// Reads the request, writes this, then this again and again for ever.
    Flood(Vec<u8>, Vec<u8>),
    /// Reads the request, writes this, then nothing, and stays.
    Hang(Vec<u8>),
    /// Stays without reading.
    HangUnread,
    /// Reads the request, writes this, then resets the connection.
    Abort(Vec<u8>),
    /// Resets the connection without reading.
    AbortUnread,
}

struct HostileTarget {
    address: SocketAddr,
    serving: JoinHandle<Vec<u8>>,
}

impl HostileTarget {
    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            // The client ends first in most scripts: errors of the target's own socket are no news.
            let _ = perform(script, &mut stream, &mut request).await;
            request
        });
        Self { address, serving }
    }

    fn delivery(&self, method: &str, body: &'static [u8]) -> OutgoingDelivery {
        delivery(&format!("http://{}/hook", self.address), method, Bytes::from_static(body))
    }
}

async fn perform(script: Script, stream: &mut TcpStream, request: &mut Vec<u8>) -> std::io::Result<()> {
    if !matches!(script, Script::AnswerUnread(_) | Script::HangUnread | Script::AbortUnread) {
        *request = read_request(stream).await?;
    }
    match script {
        Script::Answer(bytes) => stream.write_all(&bytes).await?,
        Script::AnswerUnread(bytes) => {
            stream.write_all(&bytes).await?;
            sleep(Duration::from_millis(100)).await;
        }
        Script::Drip(first, byte) => {
            stream.write_all(&first).await?;
            loop {
                stream.write_all(&[byte]).await?;
                sleep(Duration::from_millis(5)).await;
            }
        }
        Script::Flood(first, bytes) => {
            stream.write_all(&first).await?;
            loop {
                stream.write_all(&bytes).await?;
            }
        }
        Script::Hang(bytes) => {
            stream.write_all(&bytes).await?;
            sleep(Duration::from_secs(60)).await;
        }
        Script::HangUnread => sleep(Duration::from_secs(60)).await,
        Script::Abort(bytes) => {
            stream.write_all(&bytes).await?;
            sleep(Duration::from_millis(50)).await;
            stream.set_zero_linger()?;
        }
        Script::AbortUnread => stream.set_zero_linger()?,
    }
    Ok(())
}

/// Head and announced body.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if request.len() >= end + 4 + length.unwrap_or(0) {
                return Ok(request);
            }
        }
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(request);
        }
    }
}

fn delivery(target_url: &str, method: &str, body: Bytes) -> OutgoingDelivery {
    OutgoingDelivery {
        attempt_id: AttemptId::new(),
        delivery_id: DeliveryId::new(),
        replayed_from: None,
        target_url: target_url.to_owned(),
        method: method.to_owned(),
        path: String::new(),
        query: None,
        headers: Headers::from_pairs([("Host", "hooks.example"), ("X-Event", "ping")]).unwrap(),
        body,
        force: false,
        allow_non_loopback: false,
    }
}

async fn send(delivery: OutgoingDelivery) -> AttemptResult {
    TargetClient::new(small_limits()).send(delivery, &AddressPolicy::default()).await
}

async fn attempt(script: Script) -> AttemptResult {
    let target = HostileTarget::start(script).await;
    let result = send(target.delivery("POST", b"{}")).await;
    target.serving.abort();
    result
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [head.as_bytes(), b"\r\n\r\n", body].concat()
}

/// Name, script, outcome, reason (empty: none), status.
type Case = (&'static str, Script, AttemptOutcome, &'static str, Option<u16>);

const OK_10: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10";
const OK_CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked";

fn refusing_and_breaking() -> Vec<Case> {
    let closed = "the target closed the connection without an answer";
    vec![
        ("closes without an answer", Script::Answer(vec![]), Reset, closed, None),
        ("closes in the status line", Script::Answer(b"HTTP/1.1 20".to_vec()), Reset,
            "the target closed the connection in the middle of the answer's head", None),
        ("closes in the head", Script::Answer(b"HTTP/1.1 200 OK\r\nA: b\r\n".to_vec()), Reset,
            "the target closed the connection in the middle of the answer's head", None),
        ("closes in the body", Script::Answer(answer(OK_10, b"short")), Reset,
            "the target closed the connection in the middle of the answer's body, after 5 bytes", Some(200)),
        ("closes in a chunk", Script::Answer(answer(OK_CHUNKED, b"5\r\nhel")), Reset,
            "the target closed the connection in the middle of the answer's body, after 3 bytes", Some(200)),
        ("closes before the last chunk", Script::Answer(answer(OK_CHUNKED, b"5\r\nhello\r\n")), Reset,
            "the target closed the connection in the middle of the answer's body, after 5 bytes", Some(200)),
        ("resets before reading", Script::AbortUnread, Reset,
            "the connection broke before an answer came: Connection reset by peer (os error 104)", None),
        ("resets instead of answering", Script::Abort(vec![]), Reset,
            "the connection broke before an answer came: Connection reset by peer (os error 104)", None),
        ("resets in the head", Script::Abort(b"HTTP/1.1 200".to_vec()), Reset,
            "the connection broke in the middle of the answer's head: Connection reset by peer (os error 104)", None),
        ("resets in the body", Script::Abort(answer(OK_10, b"1234")), Reset,
            "the connection broke in the middle of the answer's body, after 4 bytes: \
             Connection reset by peer (os error 104)", Some(200)),
    ]
}

fn slow_and_endless() -> Vec<Case> {
    let until_close = answer("HTTP/1.1 200 OK", b"");
    vec![
        ("never reads", Script::HangUnread, TimedOut, "no answer within 300 ms", None),
        ("never answers", Script::Hang(vec![]), TimedOut, "no answer within 300 ms", None),
        ("stops in the head", Script::Hang(b"HTTP/1.1 200 OK\r\n".to_vec()), TimedOut, "no answer within 300 ms", None),
        ("drips its head", Script::Drip(b"HTTP/1.1 200 OK\r\nA: ".to_vec(), b'a'), TimedOut, "no answer within 300 ms", None),
        ("only ever says 100", Script::Hang(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()), TimedOut,
            "no answer within 300 ms", None),
        ("stops in the body", Script::Hang(answer(OK_10, b"123")), TimedOut,
            "the answer was not complete within 800 ms", Some(200)),
        ("drips its body", Script::Drip(until_close.clone(), b'b'), TimedOut,
            "the answer was not complete within 800 ms", Some(200)),
        ("drips chunk framing", Script::Drip(answer(OK_CHUNKED, b""), b'0'), TimedOut,
            "the answer was not complete within 800 ms", Some(200)),
        ("never ends its body", Script::Flood(until_close, vec![b'x'; 65536]), Succeeded, "", Some(200)),
        ("never ends its chunks", Script::Flood(answer(OK_CHUNKED, b""), b"8\r\nabcdefgh\r\n".repeat(1000)), Succeeded,
            "", Some(200)),
        ("announces more than it may send", Script::Flood(answer("HTTP/1.1 500 No\r\nContent-Length: 99999999999", b""),
            vec![b'x'; 65536]), HttpError, "the target answered 500", Some(500)),
        ("floods with 1xx", Script::Flood(vec![], b"HTTP/1.1 102 Processing\r\n\r\n".repeat(10)), Reset,
            "the target sent more than 16 interim (1xx) answers", None),
        ("never ends its head", Script::Flood(b"HTTP/1.1 200 OK\r\n".to_vec(), b"A: b\r\n".repeat(100)), Reset,
            "the answer's head is larger than 64 KiB", None),
        ("never ends one header", Script::Flood(b"HTTP/1.1 200 OK\r\nA: ".to_vec(), vec![b'a'; 4096]), Reset,
            "the answer's head is larger than 64 KiB", None),
        ("never ends its trailers", Script::Flood(answer(OK_CHUNKED, b"0\r\n"), b"A: b\r\n".repeat(100)), Reset,
            "the answer's body is badly chunked: its trailers are too long", Some(200)),
        ("never ends a chunk's line", Script::Flood(answer(OK_CHUNKED, b"5;"), vec![b'a'; 4096]), Reset,
            "the answer's body is badly chunked: a line is too long", Some(200)),
    ]
}

fn malformed() -> Vec<Case> {
    let thousand = format!("HTTP/1.1 200 OK\r\n{}", "A: b\r\n".repeat(1000));
    let with = |text: &str| Script::Answer(text.as_bytes().to_vec());
    vec![
        ("sends a thousand headers", Script::Answer(answer(thousand.trim_end(), b"")), Reset,
            "the answer has more than 200 headers", None),
        ("speaks HTTP/0.9", with("<html>hello"), Reset, "the answer is not HTTP/1: it begins with \"<html>hello\"", None),
        ("speaks HTTP/2", with("HTTP/2 200\r\n\r\n"), Reset,
            "the answer is not HTTP/1: it begins with \"HTTP/2 200\\r\\n\\r\\n\"", None),
        ("speaks TLS", Script::Answer(b"\x15\x03\x01\0\x02\x02".to_vec()), Reset,
            "the answer is not HTTP/1: it begins with \"\\x15\\x03\\x01\\x00\\x02\\x02\"", None),
        ("speaks SSH and stays", Script::Hang(b"SSH-2.0-x\r\n".to_vec()), Reset,
            "the answer is not HTTP/1: it begins with \"SSH-2.0-x\\r\\n\"", None),
        ("speaks HTTP/1.2", with("HTTP/1.2 200 OK\r\n\r\n"), Reset,
            "the answer's head is malformed: its version is neither HTTP/1.0 nor HTTP/1.1", None),
        ("has no status", with("HTTP/1.1 OK\r\n\r\n"), Reset,
            "the answer's head is malformed: its status line cannot be read", None),
        ("has the status 099", with("HTTP/1.1 099 Odd\r\n\r\n"), Reset,
            "the answer's head is malformed: its status is no status", None),
        ("has a header without a name", with("HTTP/1.1 200 OK\r\n: x\r\n\r\n"), Reset,
            "the answer's head is malformed: a header's name is not allowed", None),
        ("has NUL in a header", with("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n"), Reset,
            "the answer's head is malformed: a header's value is not allowed", None),
        ("states a length that is no number", with("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), Reset,
            "the answer's head is malformed: its Content-Length is no number", Some(200)),
        ("states two lengths", with("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), Reset,
            "the answer's head is malformed: it states two different Content-Lengths", Some(200)),
        ("states a chunk size that is no number", Script::Answer(answer(OK_CHUNKED, b"zz\r\n")), Reset,
            "the answer's body is badly chunked: a chunk's size is no number", Some(200)),
        ("states a chunk size beyond all numbers", Script::Answer(answer(OK_CHUNKED, b"fffffffffffffffff\r\n")), Reset,
            "the answer's body is badly chunked: a chunk's size is no number", Some(200)),
        ("sends more than its chunk", Script::Answer(answer(OK_CHUNKED, b"2\r\nhello\r\n")), Reset,
            "the answer's body is badly chunked: a chunk is longer than it says", Some(200)),
        ("switches protocols", with("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x01\x02"), HttpError,
            "the target wants to switch protocols (101), which a relay does not do", Some(101)),
    ]
}

fn unusual_but_right() -> Vec<Case> {
    let with = |text: &str| Script::Answer(text.as_bytes().to_vec());
    vec![
        ("redirects to metadata", with("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
            Succeeded, "", Some(302)),
        ("gives 204 a body", with("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"), Succeeded, "", Some(204)),
        ("gives 304 a length", with("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), Succeeded, "", Some(304)),
        ("answers without reading", Script::AnswerUnread(answer(OK_10, b"0123456789")), Succeeded, "", Some(200)),
        ("says 100 and 103 first",
            with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 404 No\r\n\r\n"),
            HttpError, "the target answered 404", Some(404)),
        ("stays open after its answer", Script::Hang(answer(OK_10, b"0123456789")), Succeeded, "", Some(200)),
        ("sends more than its length", Script::Answer(answer(OK_10, b"0123456789HTTP/1.1 500 No\r\n\r\n")), Succeeded, "",
            Some(200)),
        ("speaks HTTP/1.0", with("HTTP/1.0 200 OK\r\n\r\nhello"), Succeeded, "", Some(200)),
        ("has a status of its own", with("HTTP/1.1 799 Mine\r\nContent-Length: 0\r\n\r\n"), HttpError,
            "the target answered 799", Some(799)),
    ]
}

async fn check(cases: Vec<Case>) {
    let running = cases.into_iter().map(|(name, script, outcome, reason, status)| async move {
        let began = Instant::now();
        let result = attempt(script).await;
        let seen = (result.outcome, result.reason.unwrap_or_default(), result.response.map(|answer| answer.status));
        assert_eq!(seen, (outcome, reason.to_owned(), status), "a target that {name}");
        // The limit is 0.8 s; the rest is for a busy machine.
        assert!(began.elapsed() < Duration::from_secs(4), "a target that {name} took {:?}", began.elapsed());
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

#[tokio::test]
async fn a_port_on_which_nothing_listens_refuses() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", address.port());
        let result = send(delivery(&url, "POST", Bytes::new())).await;
        assert_eq!(result.outcome, ConnectFailed);
        let expected = format!("nothing answers on {host}:{} (connection refused)", address.port());
        assert_eq!(result.reason, Some(expected));
        assert!(result.timing.connected_ms.is_none() && result.response.is_none());
    }
}

#[tokio::test]
async fn a_target_that_takes_no_connection_is_given_up_after_the_connect_limit() {
    // A listener whose queue is full drops further SYNs.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        queued.push(stream);
        assert!(queued.len() < 100, "the queue never filled");
    }
    let began = Instant::now();
    let result = send(delivery(&format!("http://{address}/"), "POST", Bytes::new())).await;
    assert_eq!(result.outcome, TimedOut);
    assert_eq!(result.reason, Some(format!("no connection to {address} within 900 ms")));
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn what_may_not_be_dialled_is_not() {
    let table = [
        ("http://10.0.0.1:3000/", "10.0.0.1:3000 is 10.0.0.1, which is not a loopback address of this machine"),
        ("http://2852039166/", "169.254.169.254:80 is 169.254.169.254, which is not a loopback address of this machine"),
        ("file:///etc/passwd", "the target's URL must begin with `http://` or `https://`"),
    ];
    for (url, reason) in table {
        let result = send(delivery(url, "POST", Bytes::new())).await;
        assert_eq!((result.outcome, result.reason.as_deref()), (ConnectFailed, Some(reason)));
    }
}

#[tokio::test]
async fn a_redirect_to_another_listener_is_text_and_nothing_more() {
    let canary = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = canary.local_addr().unwrap();
    for status in [301, 302, 303, 307, 308] {
        let head = format!("HTTP/1.1 {status} Moved\r\nLocation: http://{address}/\r\nContent-Length: 0");
        let result = attempt(Script::Answer(answer(&head, b""))).await;
        let response = result.response.unwrap();
        assert_eq!((result.outcome, response.status), (Succeeded, status));
        assert_eq!(response.headers.get_text("location"), Some(format!("http://{address}/").as_str()));
    }
    assert!(tokio::time::timeout(Duration::from_millis(50), canary.accept()).await.is_err(), "the canary was reached");
}

#[tokio::test]
async fn a_long_body_is_kept_to_the_limit_counted_and_marked() {
    let body = vec![b'x'; 200_000];
    let result = attempt(Script::Answer(answer("HTTP/1.1 200 OK\r\nContent-Length: 200000", &body))).await;
    let response = result.response.unwrap();
    assert_eq!((response.body.len(), response.body_size, response.truncated), (64 * 1024, 200_000, true));

    let endless = attempt(Script::Flood(answer("HTTP/1.1 200 OK", b""), vec![b'x'; 65536])).await.response.unwrap();
    assert!(endless.truncated && endless.body_size >= 1024 * 1024 - 100 && endless.body_size < 2 * 1024 * 1024);

    let partial = attempt(Script::Hang(answer(OK_10, b"123"))).await.response.unwrap();
    assert_eq!((&partial.body[..], partial.body_size, partial.truncated), (&b"123"[..], 3, true));
}

#[tokio::test]
async fn a_compressed_answer_is_kept_as_it_came() {
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10";
    let response = attempt(Script::Answer(answer(head, gzip))).await.response.unwrap();
    assert_eq!((&response.body[..], response.truncated), (&gzip[..], false));
}

#[tokio::test]
async fn the_answer_to_head_has_no_body_whatever_it_announces() {
    let target = HostileTarget::start(Script::Hang(answer("HTTP/1.1 200 OK\r\nContent-Length: 500", b""))).await;
    let result = send(target.delivery("HEAD", b"")).await;
    let response = result.response.unwrap();
    assert_eq!((result.outcome, response.body_size, response.truncated), (Succeeded, 0, false));
    target.serving.abort();
}

#[tokio::test]
async fn an_early_answer_counts_though_the_target_never_read_the_body() {
    static LARGE: [u8; 8 * 1024 * 1024] = [b'x'; 8 * 1024 * 1024];
    let script = Script::AnswerUnread(answer("HTTP/1.1 413 Too Large\r\nContent-Length: 4", b"stop"));
    let target = HostileTarget::start(script).await;
    let result = send(target.delivery("POST", &LARGE)).await;
    assert_eq!((result.outcome, result.reason.as_deref()), (HttpError, Some("the target answered 413")));
    assert_eq!(&result.response.unwrap().body[..], b"stop");
    target.serving.abort();
}

#[tokio::test]
async fn the_request_arrives_byte_for_byte() {
    let target = HostileTarget::start(Script::Answer(answer(OK_10, b"0123456789"))).await;
    let mut delivery = target.delivery("PURGE", b"\0\xff body \r\n");
    delivery.target_url.push_str("/?k=v");
    delivery.path = "/a%2Fb//ü/".into();
    delivery.query = Some("x=%7e&x=+".into());
    let block: &[u8] = b"hOST: hooks.example\r\nX-z:1\r\nx-A:  two \r\nX-Z: \xe9\r\ncontent-length: 10\r\nAccept: */*\r\n";
    delivery.headers = Headers::from_block(Bytes::from_static(block)).unwrap();
    delivery.replayed_from = Some(DeliveryId::new());
    let (ids, original) = ((delivery.delivery_id, delivery.attempt_id), delivery.replayed_from.unwrap());
    let result = send(delivery).await;
    assert_eq!((result.outcome, result.reason), (Succeeded, None));
    assert!(result.timing.connected_ms.is_some() && result.timing.first_byte_ms.is_some());
    let expected = [
        format!("PURGE /hook/a%2Fb//ü/?k=v&x=%7e&x=+ HTTP/1.1\r\nhOST: {}\r\n", target.address).as_bytes(),
        b"X-z:1\r\nx-A:  two \r\nX-Z: \xe9\r\ncontent-length: 10\r\nAccept: */*\r\nConnection: close\r\n",
        format!("X-Creel-Delivery: {}\r\nX-Creel-Attempt: {}\r\nX-Creel-Replay: {original}\r\n\r\n", ids.0, ids.1).as_bytes(),
        b"\0\xff body \r\n",
    ]
    .concat();
    let seen = target.serving.await.unwrap();
    assert_eq!(seen.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[tokio::test]
async fn a_proxy_from_the_environment_is_not_asked() {
    // The client reads no environment at all; this pins that the request line holds a path, not a proxy's full URL.
    let target = HostileTarget::start(Script::Answer(answer(OK_10, b"0123456789"))).await;
    send(target.delivery("POST", b"{}")).await;
    assert!(target.serving.await.unwrap().starts_with(b"POST /hook HTTP/1.1\r\n"));
}
