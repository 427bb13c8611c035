//! The listener over real sockets, with an engine that records what it is handed.

mod limits;
mod requests;

use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::app::inbound::{InboundRequest, IngressReply, RefusedRequest, TunnelFront};
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
    is_bad_credential: bool,
    delay: Duration,
    /// Gives up the request's bytes before the delay.
    commits_at_once: bool,
}

impl Inbound for Recorder {
    fn endpoint_by_token(&self, token: &str) -> Option<Arc<Endpoint>> {
        (token == self.endpoint.token.as_str()).then(|| Arc::clone(&self.endpoint))
    }

    async fn capture<H: Send>(&self, _: Arc<Endpoint>, request: InboundRequest, held: H) -> IngressReply {
        assert_ne!(request.path, "/panic", "asked to panic");
        if self.commits_at_once {
            drop(held);
        }
        if !self.delay.is_zero() {
            sleep(self.delay).await;
        }
        let body = if request.path == "/large" { vec![b'x'; 1 << 20] } else { br#"{"status":"accepted"}"#.to_vec() };
        self.captured.lock().unwrap().push(request);
        let headers = Headers::from_pairs([("Content-Type", "application/json"), ("X-Own", "1")]).unwrap();
        IngressReply { status: self.status, headers, body: body.into(), is_bad_credential: self.is_bad_credential }
    }

    fn refuse(&self, refused: RefusedRequest) {
        self.refused.lock().unwrap().push(refused);
    }

    fn issued_nonce(&self, nonce: &str) -> bool {
        nonce == "issued"
    }

    fn tunnel(&self) -> Option<Arc<TunnelFront>> {
        None
    }

    fn public_base(&self, _tunnel: Option<&TunnelFront>) -> Option<String> {
        None
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
            reply: Reply::Ack {},
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
            is_bad_credential: false,
            delay: Duration::ZERO,
            commits_at_once: false,
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
