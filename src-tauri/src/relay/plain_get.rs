//! One GET to any address, and which part of it failed: for a tunnel's proof of life and for the addresses at which
//! tunnel programs tell their state.
//!
//! It is no relay: nothing of a delivery goes out, and the answer is read only to be recognised.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::answer::Received;
use super::connect::{Tls, dial, secure};
use super::exchange::{WireRequest, exchange};
use super::fault::Fault;
use super::limits::RelayLimits;
use super::target_url::{TargetHost, TargetUrl};

/// Bytes of an answer that are kept.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainAnswer {
    /// HTTP status.
    pub status: u16,
    /// The beginning of its body.
    pub body: Bytes,
}

/// Which part failed.
#[derive(Debug, thiserror::Error)]
pub enum PlainGetError {
    /// The URL's name is not known.
    #[error("the name {host} is not known: {why}")]
    Name {
        /// The name.
        host: String,
        /// What the system says.
        why: String,
    },
    /// No connection.
    #[error("{0}")]
    Connection(String),
    /// No TLS, or no complete answer.
    #[error("{0}")]
    Exchange(String),
}

/// Sends GETs; keeps what TLS needs.
#[derive(Default)]
pub struct PlainClient {
    tls: Tls,
}

impl PlainClient {
    /// Asks a URL, path and query included, within `time` altogether.
    ///
    /// # Errors
    /// With the part that failed.
    pub async fn get(
        &self,
        base: &str,
        path: &str,
        headers: &[(&str, &str)],
        time: Duration,
    ) -> Result<PlainAnswer, PlainGetError> {
        let deadline = Instant::now() + time;
        let url = TargetUrl::parse(base).map_err(|error| PlainGetError::Exchange(error.to_string()))?;
        let addresses = resolve(&url, deadline).await?;
        let limits = RelayLimits {
            connect: time,
            head: time,
            total: time,
            kept_bytes: ANSWER_BYTES_MAX,
            read_bytes: ANSWER_BYTES_MAX as u64,
            ..RelayLimits::default()
        };
        let mut received = Received::default();
        let stream = dial(&url, &addresses, deadline, &limits).await;
        let stream = stream.map_err(|fault| PlainGetError::Connection(fault.to_string()))?;
        let got = self.ask(&url, stream, (path, headers), deadline, &limits, &mut received).await;
        match (received.head, got) {
            (Some(head), _) => Ok(PlainAnswer { status: head.status, body: received.body.freeze() }),
            (None, Err(fault)) => Err(PlainGetError::Exchange(fault.to_string())),
            (None, Ok(())) => Err(PlainGetError::Exchange("there was no answer".to_owned())),
        }
    }

    async fn ask(
        &self,
        url: &TargetUrl,
        stream: TcpStream,
        (path, headers): (&str, &[(&str, &str)]),
        deadline: Instant,
        limits: &RelayLimits,
        received: &mut Received,
    ) -> Result<(), Fault> {
        let mut head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n", url.host_header());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("Connection: close\r\n\r\n");
        let request = WireRequest { head: head.into_bytes(), body: Bytes::new(), is_head: false };
        if url.is_https() {
            let stream = secure(url, stream, &self.tls, deadline, limits).await?;
            return exchange(stream, request, limits, deadline, received).await;
        }
        exchange(stream, request, limits, deadline, received).await
    }
}

async fn resolve(url: &TargetUrl, deadline: Instant) -> Result<Vec<SocketAddr>, PlainGetError> {
    let name = match url.host() {
        TargetHost::Address(address) => return Ok(vec![SocketAddr::new(*address, url.port())]),
        TargetHost::Name(name) => name.clone(),
    };
    let unknown = |why: String| PlainGetError::Name { host: name.clone(), why };
    let found = timeout_at(deadline, tokio::net::lookup_host((name.as_str(), url.port())))
        .await
        .map_err(|_| unknown("no answer in time".to_owned()))?
        .map_err(|error| unknown(error.to_string()))?;
    let addresses: Vec<SocketAddr> = found.collect();
    if addresses.is_empty() { Err(unknown("it has no address".to_owned())) } else { Ok(addresses) }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_answer_is_told_from_an_unknown_name_and_from_silence() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 502 Bad\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        let (client, time) = (PlainClient::default(), Duration::from_secs(10));
        let answer = client.get(&format!("http://{address}"), "/a?b", &[("X-One", "1")], time).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (502, &b"no"[..]));
        let request = server.await.unwrap();
        assert!(request.starts_with(&format!("GET /a?b HTTP/1.1\r\nHost: {address}\r\nX-One: 1\r\n")), "{request}");
        let closed = client.get(&format!("http://{address}"), "/", &[], time).await.unwrap_err();
        assert!(matches!(closed, PlainGetError::Connection(_)), "{closed}");
        let unknown = client.get("https://creel-no-such-name.invalid", "/", &[], time).await.unwrap_err();
        assert!(matches!(unknown, PlainGetError::Name { .. }), "{unknown}");
    }
}
