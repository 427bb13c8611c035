//! Attempts against targets on real sockets that behave as no server should.
//!
//! A [`Script`] is what the target does with a connection; it runs against the real client with small limits.

mod hostile_targets;
mod single_attempts;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{AddressPolicy, AttemptResult, OutgoingDelivery, RelayLimits, TargetClient};
use crate::domain::{AttemptId, DeliveryId, Headers};

/// Small enough for a test, and far enough apart that a busy machine does not mix them up.
fn small_limits() -> RelayLimits {
    RelayLimits {
        connect: Duration::from_millis(900),
        head: Duration::from_secs(1),
        total: Duration::from_millis(2500),
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
    /// Writes this without reading a byte, closes after this long.
    AnswerUnread(Vec<u8>, Duration),
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
    if !matches!(script, Script::AnswerUnread(..) | Script::HangUnread | Script::AbortUnread) {
        *request = read_request(stream).await?;
    }
    match script {
        Script::Answer(bytes) => stream.write_all(&bytes).await?,
        Script::AnswerUnread(bytes, stay) => {
            stream.write_all(&bytes).await?;
            sleep(stay).await;
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

const OK_10: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10";
