//! What one attempt sends, keeps, and refuses to do.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::{HostileTarget, OK_10, Script, answer, attempt, delivery, send};
use crate::domain::AttemptOutcome::{ConnectFailed, HttpError, Succeeded, TimedOut};
use crate::domain::{DeliveryId, Headers};

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
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn what_may_not_be_dialled_is_not() {
    let table = [
        ("http://10.0.0.1:3000/", "10.0.0.1:3000 is 10.0.0.1, which is not a loopback address of this machine"),
        (
            "http://2852039166/",
            "169.254.169.254:80 is 169.254.169.254, which is not a loopback address of this machine",
        ),
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
    // It closes while the body is still being sent, or never.
    for stay in [Duration::from_millis(100), Duration::from_secs(60)] {
        let script = Script::AnswerUnread(answer("HTTP/1.1 413 Too Large\r\nContent-Length: 4", b"stop"), stay);
        let target = HostileTarget::start(script).await;
        let sending = tokio::time::timeout(Duration::from_secs(10), send(target.delivery("POST", &LARGE)));
        let result = sending.await.unwrap();
        assert_eq!((result.outcome, result.reason.as_deref()), (HttpError, Some("the target answered 413")));
        assert_eq!(&result.response.unwrap().body[..], b"stop");
        target.serving.abort();
    }
}

#[tokio::test]
async fn the_request_arrives_byte_for_byte() {
    let target = HostileTarget::start(Script::Answer(answer(OK_10, b"0123456789"))).await;
    let mut delivery = target.delivery("PURGE", b"\0\xff body \r\n");
    delivery.target_url.push_str("/?k=v");
    delivery.path = "/a%2Fb//ü/".into();
    delivery.query = Some("x=%7e&x=+".into());
    let block: &[u8] =
        b"hOST: hooks.example\r\nX-z:1\r\nx-A:  two \r\nX-Z: \xe9\r\ncontent-length: 10\r\nAccept: */*\r\n";
    delivery.headers = Headers::from_block(Bytes::from_static(block)).unwrap();
    delivery.replayed_from = Some(DeliveryId::new());
    let (ids, original) = ((delivery.delivery_id, delivery.attempt_id), delivery.replayed_from.unwrap());
    let result = send(delivery).await;
    assert_eq!((result.outcome, result.reason), (Succeeded, None));
    assert!(result.timing.connected_ms.is_some() && result.timing.first_byte_ms.is_some());
    let expected = [
        format!("PURGE /hook/a%2Fb//ü/?k=v&x=%7e&x=+ HTTP/1.1\r\nhOST: {}\r\n", target.address).as_bytes(),
        b"X-z:1\r\nx-A:  two \r\nX-Z: \xe9\r\ncontent-length: 10\r\nAccept: */*\r\nConnection: close\r\n",
        format!("X-Creel-Delivery: {}\r\nX-Creel-Attempt: {}\r\nX-Creel-Replay: {original}\r\n\r\n", ids.0, ids.1)
            .as_bytes(),
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
