//! What is answered, what is refused, and what reaches the engine.

use super::*;

#[tokio::test]
async fn a_request_reaches_the_engine_byte_for_byte() {
    let listening = listen().await;
    let body = "{\"a\":1}\r\n\0";
    let answer =
        listening.exchange(listening.post("/x%2F..?q=%20&r", "X-b: 1\r\nconnection: close\r\nX-B:2\r\n", body)).await;
    assert_eq!(status(&answer), 200);
    assert!(answer.contains("\r\ncontent-type: application/json\r\n") && answer.contains("\r\ncontent-length: 21\r\n"));
    assert!(answer.contains("\r\nx-own: 1\r\n") && answer.ends_with(r#"{"status":"accepted"}"#));
    let captured = listening.captured();
    assert_eq!((captured[0].method.as_str(), captured[0].path.as_str()), ("POST", "/x%2F.."));
    assert_eq!(captured[0].query.as_deref(), Some("q=%20&r"));
    assert_eq!(&captured[0].body[..], body.as_bytes());
    assert_eq!(
        &captured[0].headers.as_block()[..],
        b"Host: a\r\nX-b: 1\r\nconnection: close\r\nX-B:2\r\nContent-Length: 10\r\n"
    );
    assert_eq!(captured[0].client.ip, Some("127.0.0.1".parse().unwrap()));
    listening.stop().await;
}

#[tokio::test]
async fn many_requests_share_a_connection_also_without_waiting_for_answers() {
    let listening = listen().await;
    let mut socket = listening.connect().await;
    for n in 0..3 {
        socket.write_all(listening.post("", "", &format!("body {n}")).as_bytes()).await.unwrap();
        assert_eq!(status(&read_answer(&mut socket).await), 200);
    }
    let last = listening.post("", "Connection: close\r\n", "last");
    let chunked = format!(
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nT: 1\r\n\r\n",
        listening.path()
    );
    socket.write_all(format!("{chunked}{}{last}", listening.post("", "", "")).as_bytes()).await.unwrap();
    let answers = read_to_end(&mut socket).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 3);
    let bodies: Vec<_> = listening.captured().iter().map(|request| request.body.clone()).collect();
    assert_eq!(bodies, ["body 0", "body 1", "body 2", "abc", "", "last"]);
    listening.stop().await;
}

#[tokio::test]
async fn a_body_that_comes_later_waits_for_nobody_and_loses_no_answer_before_it() {
    let listening = listen().await;
    // The answer before it is larger than what the connection holds by itself.
    let before = listening.post("/large", "", "before");
    let request = listening.post("", "Connection: close\r\n", &"x".repeat(70_000));
    let chunked = format!(
        "POST {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n{}\r\n0\r\n\r\n",
        listening.path(),
        "x".repeat(70_000)
    );
    for request in [request, chunked] {
        for late in [1, 10, 69_000] {
            let (early, late) = request.split_at(request.len() - late);
            let mut socket = listening.connect().await;
            socket.write_all(format!("{before}{early}").as_bytes()).await.unwrap();
            assert!(read_answer(&mut socket).await.ends_with('x'));
            socket.write_all(late.as_bytes()).await.unwrap();
            assert!(read_to_end(&mut socket).await.ends_with(r#"{"status":"accepted"}"#));
        }
    }
    let bodies: Vec<_> = listening.captured().iter().map(|request| request.body.len()).collect();
    assert_eq!(bodies, [6, 70_000].repeat(6));
    listening.stop().await;
}

#[tokio::test]
async fn everything_unknown_gets_the_same_answer_and_no_token_is_kept() {
    let listening = listen().await;
    let mut answers = Vec::new();
    let token = listening.recorder.endpoint.token.as_str().to_owned();
    let wrong = format!("/in/{}x", token);
    let longer = format!("//in/{token}/a");
    for path in ["/", "/in", "/in/", "/in/ep_x", &wrong, &longer, "/api/health", "/.well-known/creel/other"] {
        let answer = listening.exchange(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
        answers.push(without_date(&answer));
    }
    assert!(answers[0].starts_with("HTTP/1.1 404 ") && answers[0].ends_with(r#"{"error":"webhook not found"}"#));
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(listening.refusals(), [(404, RefusalReason::UnknownToken); 8]);
    let refused = format!("{:?}", listening.recorder.refused.lock().unwrap());
    assert!(!refused.contains(&token[3..]) && refused.contains("/in/ep_***"));
    listening.stop().await;
}

#[tokio::test]
async fn a_nonce_proves_life_only_if_the_engine_issued_it() {
    let listening = listen().await;
    let ask = |method: &str, nonce: &str| {
        format!("{method} /.well-known/creel/{nonce} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    };
    let alive = listening.exchange(ask("GET", "issued")).await;
    assert!(status(&alive) == 200 && alive.ends_with(r#"{"creel":"alive"}"#));
    assert_eq!(status(&listening.exchange(ask("POST", "issued")).await), 404);
    assert_eq!(status(&listening.exchange(ask("GET", "guessed")).await), 404);
    listening.stop().await;
}

#[tokio::test]
async fn head_is_captured_and_answered_without_a_body() {
    let listening = listen().await;
    let head = format!("HEAD {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", listening.path());
    let answer = listening.exchange(head).await;
    assert!(status(&answer) == 200 && answer.ends_with("\r\n\r\n"));
    assert_eq!(listening.captured()[0].method, "HEAD");
    listening.stop().await;
}

#[tokio::test]
async fn malformed_requests_are_refused_and_the_next_connection_is_fine() {
    let listening = listen().await;
    let path = listening.path();
    for (request, expected) in [
        (
            format!(
                "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            400,
        ),
        (format!("POST {path} HTTP/1.0\r\nHost: a\r\n\r\n"), 400),
        (format!("POST {path} HTTP/1.1\r\n\r\n"), 400),
        (format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabX"), 400),
        (format!("POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 200-maybe\r\n\r\n"), 417),
        (format!("POST {path}/{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(9000)), 414),
        (format!("POST {path} HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(33_000)), 431),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400),
        ("\x16\x03\x01\x02".to_owned(), 400),
        ("GET /\r\n".to_owned(), 400),
    ] {
        let answer = listening.exchange(&request).await;
        assert_eq!(status(&answer), expected, "{request:.80}");
        assert!(answer.contains("\r\nconnection: close\r\n") && answer.contains("{\"error\":"), "{answer}");
    }
    assert_eq!(listening.captured().len(), 0);
    assert!(listening.refusals().iter().all(|(_, reason)| *reason == RefusalReason::MalformedHttp));
    assert_eq!(listening.refusals().len(), 10);
    assert_eq!(status(&listening.exchange(listening.post("", "Connection: close\r\n", "x")).await), 200);
    listening.stop().await;
}

#[tokio::test]
async fn a_smuggled_second_request_is_never_looked_at() {
    let listening = listen().await;
    let smuggled = listening.post("/smuggled", "", "x");
    let first =
        format!("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", listening.path());
    let answer = listening.exchange(format!("{first}{smuggled}")).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1);
    let good = listening.post("", "", "x");
    let answers = listening.exchange(format!("{good}{first}{smuggled}")).await;
    assert_eq!(answers.matches("HTTP/1.1 200 ").count() + answers.matches("HTTP/1.1 400 ").count(), 2);
    assert_eq!(listening.captured().len(), 1);
    listening.stop().await;
}

#[tokio::test]
async fn continue_is_said_only_when_the_body_is_wanted() {
    let settings = IngressSettings { max_body_bytes: 1000, ..IngressSettings::default() };
    let listening = listen_with(Recorder::new(), IngressConfig::new(settings, Vec::new())).await;
    let expecting = |path: &str, length: usize| {
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n")
    };
    for (path, length, expected) in [("/in/ep_x".to_owned(), 5, 404), (listening.path(), 1001, 413)] {
        let mut socket = listening.connect().await;
        socket.write_all(expecting(&path, length).as_bytes()).await.unwrap();
        let answer = read_answer(&mut socket).await;
        assert_eq!(status(&answer), expected);
    }
    let mut socket = listening.connect().await;
    socket.write_all(expecting(&listening.path(), 5).as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut socket).await, "HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(b"hello").await.unwrap();
    assert_eq!(status(&read_answer(&mut socket).await), 200);
    assert_eq!(&listening.captured()[0].body[..], b"hello");
    listening.stop().await;
}

#[tokio::test]
async fn a_sender_that_hangs_up_after_the_body_does_not_stop_the_capture() {
    let recorder = Recorder { delay: Duration::from_millis(300), ..Recorder::new() };
    let listening = listen_with(recorder, IngressConfig::new(IngressSettings::default(), Vec::new())).await;
    let mut socket = listening.connect().await;
    socket.write_all(listening.post("", "", "kept").as_bytes()).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    socket.set_zero_linger().unwrap();
    drop(socket);
    listening.captures(1).await;
    listening.stop().await;
}

#[tokio::test]
async fn a_sender_that_closes_its_half_still_gets_its_answer() {
    let recorder = Recorder { delay: Duration::from_millis(100), ..Recorder::new() };
    let listening = listen_with(recorder, IngressConfig::new(IngressSettings::default(), Vec::new())).await;
    let mut socket = listening.connect().await;
    socket.write_all(listening.post("", "", "half").as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    assert_eq!(status(&read_to_end(&mut socket).await), 200);
    listening.stop().await;
}

#[tokio::test]
async fn a_sender_that_leaves_in_the_body_leaves_no_delivery() {
    let listening = listen().await;
    for cut in [0, 1, 50, 99] {
        let mut socket = listening.connect().await;
        let request = listening.post("", "", &"x".repeat(100));
        socket.write_all(&request.as_bytes()[..request.len() - 100 + cut]).await.unwrap();
        if cut % 2 == 0 {
            socket.set_zero_linger().unwrap();
        }
        drop(socket);
    }
    until(|| listening.refusals().len() == 4).await;
    assert_eq!(listening.refusals(), [(400, RefusalReason::Aborted); 4]);
    assert_eq!(listening.captured().len(), 0);
    listening.stop().await;
}

#[tokio::test]
async fn a_panic_in_the_engine_is_never_a_success() {
    let listening = listen().await;
    let answer = listening.exchange(listening.post("/panic", "Connection: close\r\n", "x")).await;
    assert_eq!(status(&answer), 500);
    assert_eq!(status(&listening.exchange(listening.post("", "Connection: close\r\n", "x")).await), 200);
    listening.stop().await;
}
