//! Time, rates, sizes, the number of connections, and the end.

use super::*;

#[tokio::test]
async fn a_connection_that_has_rested_takes_requests_as_before() {
    let listening = listen_limited(IngressLimits { rest: Duration::from_millis(50), ..short() }).await;
    let mut socket = listening.connect().await;
    for n in 0..4 {
        let request = listening.post("", "", &format!("body {n}"));
        let (early, late) = request.split_at(20 * n);
        socket.write_all(early.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        socket.write_all(late.as_bytes()).await.unwrap();
        assert_eq!(status(&read_answer(&mut socket).await), 200);
        sleep(Duration::from_millis(150)).await;
    }
    assert_eq!(listening.captured().len(), 4);
    let began = Instant::now();
    assert_eq!(read_to_end(&mut socket).await, "");
    assert!(began.elapsed() > Duration::from_millis(500), "{:?}", began.elapsed());
    listening.stop().await;
}

#[tokio::test]
async fn too_large_is_answered_at_once_and_the_rest_is_drained() {
    let settings = IngressSettings { max_body_bytes: 1000, ..IngressSettings::default() };
    let listening = listen_with(Recorder::new(), IngressConfig::new(settings, Vec::new())).await;
    assert_eq!(status(&listening.exchange(listening.post("", "Connection: close\r\n", &"x".repeat(1000))).await), 200);
    // Announced, and not sent at all.
    let mut socket = listening.connect().await;
    let head = format!("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n", listening.path());
    socket.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(status(&read_answer(&mut socket).await), 413);
    drop(socket);
    // Sent whole before the answer is read.
    let whole = [head.into_bytes(), vec![b'x'; 30_000_000]].concat();
    let answer = listening.exchange(&whole).await;
    assert!(status(&answer) == 413 && answer.contains("\r\nconnection: close\r\n"));
    // Not announced.
    let chunked = format!("POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n", listening.path());
    let fits = format!("{chunked}{}\r\n0\r\n\r\n", "x".repeat(1000));
    let mut socket = listening.connect().await;
    socket.write_all(fits.as_bytes()).await.unwrap();
    assert_eq!(status(&read_answer(&mut socket).await), 200);
    let one_more = format!("{chunked}{}\r\n1\r\nx\r\n", "x".repeat(1000));
    let answer = listening.exchange(one_more + "186a0\r\n" + &"x".repeat(100_000)).await;
    assert!(status(&answer) == 413 && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert_eq!(listening.captured().len(), 2);
    assert_eq!(listening.refusals(), [(413, RefusalReason::BodyTooLarge); 3]);
    listening.stop().await;
}

#[tokio::test]
async fn an_endpoint_over_its_rate_is_told_when_to_come_back() {
    let listening = listen().await;
    listening.config.set(IngressSettings { endpoint_rate_per_minute: 2, ..IngressSettings::default() });
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let answer = listening.exchange(listening.post("", "Connection: close\r\n", "x")).await;
        statuses.push(status(&answer));
        if status(&answer) == 429 {
            let wait = answer.split("retry-after: ").nth(1).unwrap().split("\r\n").next().unwrap();
            assert!((59..=60).contains(&wait.parse::<u64>().unwrap()));
        }
    }
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(listening.refusals(), [(429, RefusalReason::RateLimited)]);
    listening.config.set(IngressSettings { endpoint_rate_per_minute: 0, ..IngressSettings::default() });
    assert_eq!(status(&listening.exchange(listening.post("", "Connection: close\r\n", "x")).await), 200);
    listening.stop().await;
}

#[tokio::test]
async fn bad_credentials_are_counted_by_true_client_and_never_for_a_bare_loopback_peer() {
    let recorder = Recorder { status: 401, is_bad_credential: true, ..Recorder::new() };
    let settings = IngressSettings { failure_rate_per_minute: 2, ..IngressSettings::default() };
    let listening = listen_with(recorder, IngressConfig::new(settings, vec!["127.0.0.1".parse().unwrap()])).await;
    let from = |ip: &str, path: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {ip}\r\nConnection: close\r\n\r\n")
    };
    let path = listening.path();
    for (ip, path, expected) in [
        ("203.0.113.1", "/in/ep_x", 404),
        ("203.0.113.1", &path[..], 401),
        ("203.0.113.1", &path[..], 429),
        ("203.0.113.1", "/in/ep_x", 429),
        ("203.0.113.2", "/in/ep_x", 404),
    ] {
        assert_eq!(status(&listening.exchange(from(ip, path)).await), expected, "{ip} {path}");
    }
    for _ in 0..5 {
        let bare = "GET /in/ep_x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        assert_eq!(status(&listening.exchange(bare).await), 404);
    }
    listening.stop().await;
}

#[tokio::test]
async fn a_401_that_says_nothing_about_a_credential_is_not_charged() {
    let recorder = Recorder { status: 401, ..Recorder::new() };
    let settings = IngressSettings { failure_rate_per_minute: 2, ..IngressSettings::default() };
    let listening = listen_with(recorder, IngressConfig::new(settings, vec!["127.0.0.1".parse().unwrap()])).await;
    for _ in 0..5 {
        let post = listening.post("", "X-Forwarded-For: 203.0.113.1\r\nConnection: close\r\n", "x");
        assert_eq!(status(&listening.exchange(post).await), 401);
    }
    listening.stop().await;
}

#[tokio::test]
async fn slow_heads_and_slow_bodies_are_given_up() {
    let listening = listen_limited(short()).await;
    // A head that drips: each byte comes in time, the whole does not.
    let mut socket = listening.connect().await;
    let began = Instant::now();
    for byte in b"POST /in/ep_x HTTP/1.1\r\nHost: a\r\n".iter().cycle() {
        if socket.write_all(&[*byte]).await.is_err() || began.elapsed() > Duration::from_millis(600) {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    let mut answer = vec![0; 4096];
    let read = timeout(Duration::from_secs(5), socket.read(&mut answer)).await.unwrap().unwrap();
    assert_eq!(status(&String::from_utf8_lossy(&answer[..read])), 408);
    // A body that stalls.
    let mut socket = listening.connect().await;
    let request = listening.post("", "", &"x".repeat(100));
    socket.write_all(&request.as_bytes()[..request.len() - 1]).await.unwrap();
    assert_eq!(status(&read_answer(&mut socket).await), 408);
    // A body that drips, below the minimum rate.
    let (mut reader, mut writer) = listening.connect().await.into_split();
    writer.write_all(listening.post("", "", &"x".repeat(10_000)).as_bytes().split_at(200).0).await.unwrap();
    let drip = tokio::spawn(async move {
        while writer.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    let read = timeout(Duration::from_secs(5), reader.read(&mut answer)).await.unwrap().unwrap();
    assert_eq!(status(&String::from_utf8_lossy(&answer[..read])), 408);
    drop(reader);
    drip.abort();
    assert_eq!(listening.refusals(), [(408, RefusalReason::Timeout); 3]);
    assert_eq!(listening.captured().len(), 0);
    listening.stop().await;
}

#[tokio::test]
async fn a_slow_body_that_keeps_up_the_minimum_rate_is_taken() {
    let listening = listen_limited(short()).await;
    let body = "x".repeat(15_000);
    let request = listening.post("", "", &body);
    let mut socket = listening.connect().await;
    for piece in request.as_bytes().chunks(1000) {
        socket.write_all(piece).await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status(&read_answer(&mut socket).await), 200);
    listening.stop().await;
}

#[tokio::test]
async fn an_idle_connection_outlives_the_head_limit_and_ends_silently() {
    let listening = listen_limited(short()).await;
    let mut socket = listening.connect().await;
    socket.write_all(listening.post("", "", "x").as_bytes()).await.unwrap();
    assert_eq!(status(&read_answer(&mut socket).await), 200);
    sleep(Duration::from_millis(600)).await;
    socket.write_all(listening.post("", "", "x").as_bytes()).await.unwrap();
    assert_eq!(status(&read_answer(&mut socket).await), 200);
    let began = Instant::now();
    assert_eq!(read_to_end(&mut socket).await, "");
    assert!(began.elapsed() > Duration::from_millis(700), "{:?}", began.elapsed());
    assert_eq!(listening.refusals(), []);
    listening.stop().await;
}

#[tokio::test]
async fn an_empty_line_behind_a_body_makes_a_connection_no_less_idle() {
    let listening = listen_limited(short()).await;
    let mut socket = listening.connect().await;
    let with_empty_line = format!("{}\r\n", listening.post("", "", "x"));
    socket.write_all(with_empty_line.as_bytes()).await.unwrap();
    assert_eq!(status(&read_answer(&mut socket).await), 200);
    sleep(Duration::from_millis(600)).await;
    // The head's time begins with the head.
    let (start, rest) = with_empty_line.split_at(9);
    socket.write_all(start.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(50)).await;
    socket.write_all(rest.as_bytes()).await.unwrap();
    assert_eq!(status(&read_answer(&mut socket).await), 200);
    assert_eq!(read_to_end(&mut socket).await, "");
    assert_eq!(listening.refusals(), []);
    listening.stop().await;
}

#[tokio::test]
async fn a_sender_that_takes_no_answers_is_given_up() {
    let listening = listen_limited(short()).await;
    let mut socket = listening.connect().await;
    // Answers fill both directions, and none is read.
    let request = listening.post("/large", "", "").repeat(100);
    let flooded = async { while socket.write_all(request.as_bytes()).await.is_ok() {} };
    assert!(timeout(Duration::from_secs(20), flooded).await.is_ok(), "the connection was kept");
    assert_eq!(listening.refusals(), []);
    listening.stop().await;
}

#[tokio::test]
async fn silent_connections_make_room_for_honest_ones() {
    let listening = listen_limited(IngressLimits { connections_max: 8, ..IngressLimits::default() }).await;
    let mut parked = Vec::new();
    for n in 0..40 {
        let mut socket = listening.connect().await;
        if n % 2 == 0 {
            socket.write_all(b"POST /in/ep_x HTTP/1.1\r\nHo").await.unwrap();
        }
        parked.push(socket);
    }
    for _ in 0..5 {
        let began = Instant::now();
        assert_eq!(status(&listening.exchange(listening.post("", "Connection: close\r\n", "x")).await), 200);
        assert!(began.elapsed() < Duration::from_secs(2));
    }
    // The oldest went; the youngest are still there.
    assert_eq!(read_to_end(&mut parked[0]).await, "");
    let mut youngest = parked.pop().unwrap();
    youngest.write_all(listening.post("", "Connection: close\r\n", "late").as_bytes()).await.unwrap();
    assert_eq!(status(&read_to_end(&mut youngest).await), 200);
    listening.stop().await;
}

#[tokio::test]
async fn bodies_beyond_the_budget_are_turned_away_with_a_time_to_come_back() {
    let listening = listen_limited(IngressLimits { bytes_in_flight_max: 100_000, ..short() }).await;
    let mut holding = listening.connect().await;
    let request = listening.post("", "", &"x".repeat(90_000));
    holding.write_all(&request.as_bytes()[..request.len() - 1]).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let answer = listening.exchange(listening.post("", "", &"x".repeat(20_000))).await;
    assert!(status(&answer) == 503 && answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
    assert_eq!(listening.refusals(), [(503, RefusalReason::Overloaded)]);
    holding.write_all(b"x").await.unwrap();
    assert_eq!(status(&read_answer(&mut holding).await), 200);
    drop(holding);
    let answer = listening.exchange(listening.post("", "Connection: close\r\n", &"x".repeat(20_000))).await;
    assert_eq!(status(&answer), 200);
    listening.stop().await;
}

#[tokio::test]
async fn an_answer_that_waits_holds_no_budget_once_the_engine_has_given_up_the_body() {
    let recorder = Recorder { delay: Duration::from_secs(2), commits_at_once: true, ..Recorder::new() };
    let limits = IngressLimits { bytes_in_flight_max: 100_000, ..IngressLimits::default() };
    let config = IngressConfig::with_limits(IngressSettings::default(), Vec::new(), limits);
    let listening = listen_with(recorder, config).await;
    let mut waiting = Vec::new();
    for _ in 0..5 {
        let mut socket = listening.connect().await;
        socket.write_all(listening.post("", "", &"x".repeat(90_000)).as_bytes()).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        waiting.push(socket);
    }
    for mut socket in waiting {
        assert_eq!(status(&read_answer(&mut socket).await), 200);
    }
    assert_eq!(listening.refusals(), []);
    listening.stop().await;
}

#[tokio::test]
async fn stopping_closes_idle_connections_and_lets_work_in_flight_end() {
    let recorder = Recorder { delay: Duration::from_millis(300), ..Recorder::new() };
    let listening = listen_with(recorder, IngressConfig::new(IngressSettings::default(), Vec::new())).await;
    let (mut silent, mut busy) = (listening.connect().await, listening.connect().await);
    busy.write_all(listening.post("", "", "x").as_bytes()).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let (address, recorder) = (listening.address, Arc::clone(&listening.recorder));
    let began = Instant::now();
    listening.stop().await;
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(read_to_end(&mut silent).await, "");
    let answer = read_to_end(&mut busy).await;
    assert!(status(&answer) == 200 && answer.contains("\r\nconnection: close\r\n"));
    assert_eq!(recorder.captured.lock().unwrap().len(), 1);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn stopping_gives_up_on_work_that_does_not_end() {
    let recorder = Recorder { delay: Duration::from_secs(600), ..Recorder::new() };
    let config = IngressConfig::with_limits(IngressSettings::default(), Vec::new(), short());
    let listening = listen_with(recorder, config).await;
    let mut socket = listening.connect().await;
    socket.write_all(listening.post("", "", "x").as_bytes()).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    listening.stop().await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}
