//! A post to Creel's own ingress, as any sender on this machine makes it: how a test event takes the whole way.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::answer::Received;
use super::connect::dial;
use super::exchange::{WireRequest, exchange};
use super::fault::Fault;
use super::limits::RelayLimits;
use super::target_url::TargetUrl;
use crate::domain::{Headers, reached_at};

/// How long the ingress may take to answer: longer than a passthrough waits for an app unless set otherwise.
pub const INGRESS_POST_TIME: Duration = Duration::from_secs(15);

/// What the ingress answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngressAnswer {
    /// HTTP status.
    pub status: u16,
    /// The beginning of its body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct IngressPostError(String);

/// Posts to a path of the ingress over a fresh connection on the loopback interface.
///
/// # Errors
/// With the reason when no complete answer comes in time. The request may have arrived all the same.
pub async fn post_to_ingress(
    ingress: SocketAddr,
    path: &str,
    headers: &Headers,
    body: Bytes,
) -> Result<IngressAnswer, IngressPostError> {
    let began = Instant::now();
    let limits = RelayLimits { head: INGRESS_POST_TIME, total: INGRESS_POST_TIME, ..RelayLimits::default() };
    let mut received = Received::default();
    post(ingress, path, headers, body, &limits, began + limits.total, &mut received)
        .await
        .map_err(|fault| IngressPostError(fault.to_string()))?;
    let head = received.head.ok_or_else(|| IngressPostError("the ingress sent no answer".to_owned()))?;
    Ok(IngressAnswer { status: head.status, body: received.body.freeze() })
}

async fn post(
    ingress: SocketAddr,
    path: &str,
    headers: &Headers,
    body: Bytes,
    limits: &RelayLimits,
    deadline: Instant,
    received: &mut Received,
) -> Result<(), Fault> {
    let address = reached_at(ingress);
    let url = TargetUrl::parse(&format!("http://{address}/"))?;
    let stream = dial(&url, &[address], Instant::now() + limits.connect, limits).await?;
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\n").into_bytes();
    head.extend_from_slice(headers.as_block());
    let mut end = String::new();
    let _infallible = write!(end, "Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    head.extend_from_slice(end.as_bytes());
    exchange(stream, WireRequest { head, body, is_head: false }, limits, deadline, received).await
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_post_is_one_plain_request_and_its_answer_comes_back() {
        let listener = TcpListener::bind(("0.0.0.0", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let (mut stream, peer) = listener.accept().await.unwrap();
            assert!(peer.ip().is_loopback());
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
            String::from_utf8(request[..read].to_vec()).unwrap()
        });
        let headers = Headers::from_pairs([("X-A", "1"), ("X-a", "2")]).unwrap();
        let answer = post_to_ingress(address, "/in/ep_x", &headers, Bytes::from_static(b"hello")).await.unwrap();
        assert_eq!(answer, IngressAnswer { status: 401, body: Bytes::from_static(b"{}") });
        let request = serving.await.unwrap();
        let host = format!("127.0.0.1:{}", address.port());
        let expected = format!(
            "POST /in/ep_x HTTP/1.1\r\nHost: {host}\r\nX-A: 1\r\nX-a: 2\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
        );
        assert_eq!(request, expected);
    }

    #[tokio::test]
    async fn an_ingress_that_is_gone_is_named() {
        let gone = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
        let error = post_to_ingress(gone, "/in/ep_x", &Headers::default(), Bytes::new()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("nothing answers on {gone} (connection refused)"));
    }
}
