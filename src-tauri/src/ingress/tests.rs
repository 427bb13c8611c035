//! The listener over real sockets, with an engine that records what it is handed.

use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::app::inbound::{InboundRequest, IngressReply, RefusedRequest};
use crate::domain::{
    BodyPolicy, DuplicatePolicy, Endpoint, EndpointId, Headers, RefusalReason, Reply, SignaturePolicy, Timestamp,
    Token, WhenTargetDown,
};

/// An engine that keeps what it gets.
struct Recorder {
    endpoint: Arc<Endpoint>,
    captured: Mutex<Vec<InboundRequest>>,
    refused: Mutex<Vec<RefusedRequest>>,
    status: u16,
    delay: Duration,
}

impl Inbound for Recorder {
    fn endpoint_by_token(&self, token: &str) -> Option<Arc<Endpoint>> {
        (token == self.endpoint.token.as_str()).then(|| Arc::clone(&self.endpoint))
    }

    async fn capture(&self, _: Arc<Endpoint>, request: InboundRequest) -> IngressReply {
        assert_ne!(request.path, "/panic", "asked to panic");
        if !self.delay.is_zero() {
            sleep(self.delay).await;
        }
        let body = if request.path == "/large" { vec![b'x'; 1 << 20] } else { br#"{"status":"accepted"}"#.to_vec() };
        self.captured.lock().unwrap().push(request);
        let headers = Headers::from_pairs([("Content-Type", "application/json"), ("X-Own", "1")]).unwrap();
        IngressReply { status: self.status, headers, body: body.into() }
    }

    fn refuse(&self, refused: RefusedRequest) {
        self.refused.lock().unwrap().push(refused);
    }

    fn issued_nonce(&self, nonce: &str) -> bool {
        nonce == "issued"
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1)
    }
}

impl Recorder {
    fn new() -> Self {
        let endpoint = Endpoint {
            id: EndpointId::new(),
            name: "test".into(),
            token: Token::from_random([7; Token::RANDOM_BYTES]),
            provider: "generic".into(),
            scheme: None,
            provider_options: serde_json::json!({}),
            body_policy: BodyPolicy::Any,
            signature_policy: SignaturePolicy::Enforce,
            enabled: true,
            duplicate_policy: DuplicatePolicy::Collapse,
            reply: Reply::Ack,
            event_filters: Vec::new(),
            when_target_down: WhenTargetDown::Fail,
            targets: Vec::new(),
            allow_non_loopback: false,
            public_url_override: None,
            created_at: Timestamp::from_millis(0),
        };
        Self {
            endpoint: Arc::new(endpoint),
            captured: Mutex::default(),
            refused: Mutex::default(),
            status: 200,
            delay: Duration::ZERO,
        }
    }
}

/// A running listener.
struct Listening {
    recorder: Arc<Recorder>,
    config: Arc<IngressConfig>,
    address: SocketAddr,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

/// Limits short enough to wait for.
fn short() -> IngressLimits {
    IngressLimits {
        head: Duration::from_millis(300),
        keep_alive_idle: Duration::from_millis(900),
        body_idle: Duration::from_millis(300),
        body_total: Duration::from_millis(900),
        body_bytes_per_second_min: 1024,
        write: Duration::from_millis(500),
        drain: Duration::from_millis(500),
        stop: Duration::from_millis(500),
        ..IngressLimits::default()
    }
}

async fn listen_with(recorder: Recorder, config: IngressConfig) -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (recorder, config, stop) = (Arc::new(recorder), Arc::new(config), CancellationToken::new());
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(serve(listener, Arc::clone(&recorder), Arc::clone(&config), stop.clone()));
    Listening { recorder, config, address, stop, task }
}

async fn listen() -> Listening {
    listen_limited(IngressLimits::default()).await
}

async fn listen_limited(limits: IngressLimits) -> Listening {
    listen_with(Recorder::new(), IngressConfig::with_limits(IngressSettings::default(), Vec::new(), limits)).await
}

impl Listening {
    /// The endpoint's path.
    fn path(&self) -> String {
        self.recorder.endpoint.ingress_path()
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a connection of their own and reads to its end.
    async fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut socket = self.connect().await;
        socket.write_all(request.as_ref()).await.unwrap();
        read_to_end(&mut socket).await
    }

    fn post(&self, suffix: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        format!("POST {}{suffix} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {length}\r\n\r\n{body}", self.path())
    }

    fn captured(&self) -> Vec<InboundRequest> {
        self.recorder.captured.lock().unwrap().clone()
    }

    fn refusals(&self) -> Vec<(u16, RefusalReason)> {
        self.recorder.refused.lock().unwrap().iter().map(|refused| (refused.status, refused.reason)).collect()
    }

    async fn captures(&self, count: usize) {
        until(|| self.captured().len() >= count).await;
        assert_eq!(self.captured().len(), count);
    }

    async fn stop(self) {
        self.stop.cancel();
        timeout(Duration::from_secs(8), self.task).await.unwrap().unwrap();
    }
}

async fn until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "it never came to that");
        sleep(Duration::from_millis(5)).await;
    }
}

async fn read_to_end(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    timeout(Duration::from_secs(20), socket.read_to_end(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Reads one answer with a `Content-Length` off a connection that stays open.
async fn read_answer(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap_or("0");
            if body.len() >= length.parse().unwrap() {
                return text;
            }
        }
        let mut piece = [0; 4096];
        let read = timeout(Duration::from_secs(20), socket.read(&mut piece)).await.unwrap().unwrap();
        assert!(read > 0, "the connection ended after {text:?}");
        bytes.extend_from_slice(&piece[..read]);
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {answer:?}")).parse().unwrap()
}

fn without_date(answer: &str) -> String {
    answer.lines().filter(|line| !line.starts_with("date: ")).collect::<Vec<_>>().join("\n")
}

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
    let answer = listening.exchange(format!("{chunked}{}\r\n1\r\n", "x".repeat(1000)) + &"x".repeat(100_000)).await;
    // One byte above the cap; what follows is no chunk any more, and nobody looks at it.
    assert!([413, 400].contains(&status(&answer)), "{answer}");
    assert_eq!(listening.captured().len(), 2);
    assert_eq!(listening.refusals()[..2], [(413, RefusalReason::BodyTooLarge); 2]);
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
async fn an_endpoint_over_its_rate_is_told_when_to_come_back() {
    let listening = listen().await;
    listening.config.set(IngressSettings { endpoint_rate_per_minute: 2, ..IngressSettings::default() });
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let answer = listening.exchange(listening.post("", "Connection: close\r\n", "x")).await;
        statuses.push(status(&answer));
        if status(&answer) == 429 {
            let wait = answer.split("retry-after: ").nth(1).unwrap().split("\r\n").next().unwrap();
            assert!((1..=65).contains(&wait.parse::<u64>().unwrap()));
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
    let recorder = Recorder { status: 401, ..Recorder::new() };
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
