//! Connections of the admin port: accepted, bounded in number and time, and joined at the end.
//!
//! Built on hyper's http1 builder, because `axum::serve` gives a slow head no deadline.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Api;
use super::router::Guarded;

/// Connections open at once; further ones wait to be accepted.
pub const CONNECTIONS_MAX: usize = 256;
/// Time for a head to arrive, also counted while a connection idles between two requests.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest head in bytes: 32 KiB.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Largest buffer of a connection in bytes: 64 KiB.
const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Time that calls in flight get to end after the stop.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// Wait after a failed accept: without free file descriptors the next one fails at once too.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// A listener that is bound and whose address is known to be loopback.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

/// Why a listener cannot serve the admin API.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Others could reach it.
    #[error("the admin address {0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// Its address is not known.
    #[error("the admin listener has no address: {0}")]
    NoAddress(#[from] std::io::Error),
}

impl Bound {
    /// Takes a listener if it is bound to loopback.
    ///
    /// # Errors
    /// When it is not, or its address cannot be told.
    pub fn new(listener: TcpListener) -> Result<Self, BindError> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(BindError::NotLoopback(address));
        }
        Ok(Self { listener, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// What the listener's work is tied to.
#[derive(Clone, Debug)]
pub(super) struct Lifetime {
    /// Owns every task; [`serve`] waits for them.
    pub(super) tasks: TaskTracker,
    /// Nothing new begins, streams end.
    pub(super) stop: CancellationToken,
    /// What has not ended by itself is given up.
    pub(super) abort: CancellationToken,
}

/// Serves until `stop`, then lets calls in flight end, for [`STOP_TIMEOUT`] at most. On return no task is left.
pub async fn serve<E: Send + Sync + 'static>(bound: Bound, api: Api<E>, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let abort = CancellationToken::new();
    let lifetime = Lifetime { tasks: tasks.clone(), stop: stop.clone(), abort: abort.clone() };
    let guarded = Guarded::new(bound.address, &api, &lifetime);
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Some((connection, slot)) = accept(&bound.listener, &slots, &stop).await {
        tasks.spawn(connect(connection, slot, guarded.clone(), stop.clone(), abort.clone()));
    }
    drop(bound);
    tasks.close();
    if tokio::time::timeout(STOP_TIMEOUT, tasks.wait()).await.is_err() {
        tracing::warn!(left = tasks.len(), "calls of the admin API did not end in time");
        abort.cancel();
        tasks.wait().await;
    }
}

/// The next connection and its slot; none: stopped.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let next = async {
        // The semaphore is never closed.
        let slot = Arc::clone(slots).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((connection, _)) => return Some((connection, slot)),
                Err(error) => {
                    tracing::warn!(%error, "the admin port could not accept a connection");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => None,
        next = next => next,
    }
}

/// Serves one connection to its end.
async fn connect(
    connection: TcpStream,
    slot: OwnedSemaphorePermit,
    guarded: Guarded,
    stop: CancellationToken,
    abort: CancellationToken,
) {
    if let Err(error) = connection.set_nodelay(true) {
        tracing::debug!(%error, "a connection of the admin port stays with delayed packets");
    }
    let service = service_fn(move |request: http::Request<Incoming>| {
        let guarded = guarded.clone();
        async move { Ok::<_, Infallible>(guarded.call(request.map(Body::new)).await) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(connection), service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            tokio::select! {
                ended = serving => ended,
                () = abort.cancelled() => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of the admin port broke");
    }
    drop(slot);
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::api::router::tests::api;

    struct Running {
        address: SocketAddr,
        stop: CancellationToken,
        served: JoinHandle<()>,
    }

    async fn start() -> Running {
        let bound = Bound::new(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
        let (address, stop) = (bound.address(), CancellationToken::new());
        let served = tokio::spawn(serve(bound, api(), stop.clone()));
        Running { address, stop, served }
    }

    async fn send(address: SocketAddr, method: &str, path: &str, close: bool) -> TcpStream {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let close = if close { "Connection: close\r\n" } else { "" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer 4f0c-token\r\n\
             {close}Content-Length: 0\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection
    }

    async fn rest(mut connection: TcpStream) -> String {
        let mut text = Vec::new();
        // A connection that is reset has ended too.
        let _ended = connection.read_to_end(&mut text).await;
        String::from_utf8_lossy(&text).into_owned()
    }

    async fn until(connection: &mut TcpStream, wanted: &str) {
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(wanted) {
            let mut buffer = [0; 1024];
            let read = connection.read(&mut buffer).await.unwrap();
            assert!(read > 0, "ended before {wanted}: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&buffer[..read]);
        }
    }

    #[tokio::test]
    async fn only_a_loopback_address_is_served() {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        assert!(matches!(Bound::new(listener), Err(BindError::NotLoopback(_))));
    }

    #[tokio::test]
    async fn a_call_over_the_wire_is_answered() {
        let running = start().await;
        let answer = rest(send(running.address, "GET", "/api/health", true).await).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("{\"status\":\"ok\"}"), "{answer}");
        let head = rest(send(running.address, "HEAD", "/", true).await).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        running.stop.cancel();
        running.served.await.unwrap();
    }

    #[tokio::test]
    async fn after_the_stop_streams_and_idle_connections_have_ended_and_the_port_is_free() {
        let running = start().await;
        let mut stream = send(running.address, "GET", "/api/events", false).await;
        until(&mut stream, ": open\n\n").await;
        let mut idle = send(running.address, "GET", "/api/health", false).await;
        until(&mut idle, "{\"status\":\"ok\"}").await;
        let silent = TcpStream::connect(running.address).await.unwrap();
        running.stop.cancel();
        tokio::time::timeout(STOP_TIMEOUT / 2, running.served).await.expect("it does not wait for idle ones").unwrap();
        assert_eq!(rest(stream).await, "0\r\n\r\n", "the stream ended as it should");
        assert_eq!(rest(idle).await, "");
        assert_eq!(rest(silent).await, "");
        TcpListener::bind(running.address).await.unwrap();
    }

    #[tokio::test]
    async fn a_call_in_flight_at_the_stop_is_still_answered() {
        let running = start().await;
        let call = send(running.address, "POST", "/api/jobs", false).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        running.stop.cancel();
        assert!(rest(call).await.starts_with("HTTP/1.1 202"), "it is answered first");
        running.served.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_never_ends_is_given_up_at_the_stop() {
        let running = start().await;
        let call = send(running.address, "PUT", "/api/jobs", false).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        running.stop.cancel();
        tokio::time::timeout(STOP_TIMEOUT * 2, running.served).await.expect("no task is waited for for ever").unwrap();
        let answer = rest(call).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 503"), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_never_ends_is_given_up() {
        let running = start().await;
        let mut slow = TcpStream::connect(running.address).await.unwrap();
        slow.write_all(b"GET /api/health HTTP/1.1\r\nHost:").await.unwrap();
        let begun = tokio::time::Instant::now();
        rest(slow).await;
        assert!(begun.elapsed() >= HEAD_TIMEOUT && begun.elapsed() < HEAD_TIMEOUT * 2);
        running.stop.cancel();
        running.served.await.unwrap();
    }

    #[tokio::test]
    async fn heads_that_are_no_http_are_refused() {
        let running = start().await;
        let huge = format!("GET / HTTP/1.1\r\nHost: {}\r\nX: {}\r\n\r\n", running.address, "a".repeat(HEAD_BYTES_MAX));
        for head in ["\x16\x03\x01 hello\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", huge.as_str()] {
            let mut connection = TcpStream::connect(running.address).await.unwrap();
            let _refused_midway = connection.write_all(head.as_bytes()).await;
            let answer = rest(connection).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
        running.stop.cancel();
        running.served.await.unwrap();
    }
}
