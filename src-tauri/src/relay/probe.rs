//! Whether anything answers at a target, without sending it a delivery: what the first-run card and the target editor show.
//!
//! Never a way to look around a network: only addresses of this machine's loopback are dialled, Creel's own never, and
//! nothing of the answer but its status and the name of the server's software is kept.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::address_guard::{AddressPolicy, check_target};
use super::answer::Received;
use super::connect::dial;
use super::exchange::{WireRequest, exchange};
use super::fault::Fault;
use super::limits::RelayLimits;
use super::target_url::TargetUrl;

/// How long one probe may take, name, connection and answer together.
pub const PROBE_TIME: Duration = Duration::from_millis(300);
/// Headers of an answer that name the server's software, in order of trust.
const SOFTWARE_HEADERS: [&str; 2] = ["server", "x-powered-by"];
/// Characters kept of the software's name.
const SOFTWARE_CHARS_MAX: usize = 80;

/// What came of a probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// Whether something took the connection.
    pub reachable: bool,
    /// Why not, or why it was not tried.
    pub reason: Option<String>,
    /// Status of the answer to `HEAD /`, when it was asked for and came in time.
    pub http_status: Option<u16>,
    /// What the answer says about the software behind it.
    pub server: Option<String>,
    /// Milliseconds to the connection.
    pub connected_ms: Option<u64>,
}

/// Dials a target; with `ask`, also sends `HEAD /` and waits for the head of the answer. Never fails: whatever happens
/// is the result.
pub async fn probe(url: &str, ask: bool, policy: &AddressPolicy) -> Probe {
    let mut probe = Probe::default();
    // Whatever the endpoint allows: a probe is sent on a key press, and must dial nothing outside this machine. A name is looked up to learn that.
    let policy = AddressPolicy { allow_non_loopback: false, ..policy.clone() };
    let limits = RelayLimits { connect: PROBE_TIME, head: PROBE_TIME, total: PROBE_TIME, ..RelayLimits::default() };
    let deadline = Instant::now() + PROBE_TIME;
    let run = run(url, ask, &policy, &limits, deadline, &mut probe);
    match tokio::time::timeout_at(deadline, run).await {
        // A connection that was taken counts, whatever came of the question.
        _ if probe.reachable => {}
        Ok(Ok(())) => {}
        Ok(Err(fault)) => probe.reason = Some(fault.to_string()),
        Err(_) => probe.reason = Some(format!("no connection within {} ms", PROBE_TIME.as_millis())),
    }
    probe
}

async fn run(
    url: &str,
    ask: bool,
    policy: &AddressPolicy,
    limits: &RelayLimits,
    deadline: Instant,
    probe: &mut Probe,
) -> Result<(), Fault> {
    let began = Instant::now();
    let url = TargetUrl::parse(url)?;
    let addresses = check_target(&url, policy).await?;
    let stream = dial(&url, &addresses, deadline, limits).await?;
    probe.reachable = true;
    probe.connected_ms = u64::try_from(began.elapsed().as_millis()).ok();
    if !ask || url.is_https() {
        return Ok(());
    }
    let head = format!("HEAD / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", url.host_header());
    let request = WireRequest { head: head.into_bytes(), body: Bytes::new(), is_head: true };
    let mut received = Received::default();
    exchange(stream, request, limits, deadline, &mut received).await?;
    if let Some(head) = received.head {
        probe.http_status = Some(head.status);
        let software = SOFTWARE_HEADERS.iter().find_map(|name| head.headers.get_text(name));
        probe.server = software.map(|text| text.chars().take(SOFTWARE_CHARS_MAX).collect());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that gives every connection this answer; returns its port.
    async fn server(answer: &'static [u8]) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                let read = stream.read(&mut request).await.unwrap();
                // A probe that asks nothing just closes.
                assert!(read == 0 || request[..read].starts_with(b"HEAD / HTTP/1.1\r\n"));
                if read > 0 {
                    stream.write_all(answer).await.unwrap();
                }
            }
        });
        port
    }

    #[tokio::test]
    async fn what_answers_is_named_and_what_takes_no_connection_is_not_reachable() {
        let port = server(b"HTTP/1.1 404 Not Found\r\nX-Powered-By: Express\r\nContent-Length: 9\r\n\r\n").await;
        let policy = AddressPolicy::default();
        let asked = probe(&format!("http://localhost:{port}/hooks?a=b"), true, &policy).await;
        assert!(asked.reachable && asked.connected_ms.is_some(), "{asked:?}");
        assert_eq!((asked.http_status, asked.server.as_deref(), asked.reason), (Some(404), Some("Express"), None));
        let dialled = probe(&format!("http://127.0.0.1:{port}"), false, &policy).await;
        assert_eq!((dialled.reachable, dialled.http_status), (true, None));
        let closed = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
        let nothing = probe(&format!("http://{closed}/"), true, &policy).await;
        assert!(!nothing.reachable);
        assert_eq!(nothing.reason, Some(format!("nothing answers on {closed} (connection refused)")));
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_or_speaks_no_http_is_reachable_all_the_same() {
        let policy = AddressPolicy::default();
        let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let other = server(b"SSH-2.0-OpenSSH_9.2\r\n").await;
        for port in [silent.local_addr().unwrap().port(), other] {
            let probe = probe(&format!("http://127.0.0.1:{port}/"), true, &policy).await;
            assert_eq!((probe.reachable, probe.http_status, probe.reason), (true, None, None));
        }
    }

    #[tokio::test]
    async fn nothing_outside_this_machine_and_nothing_of_creels_own_is_dialled() {
        let own = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = own.local_addr().unwrap();
        let policy =
            AddressPolicy { allow_non_loopback: true, own_addresses: vec![address], ..AddressPolicy::default() };
        for url in [format!("http://{address}/"), "http://192.0.2.1/".to_owned(), "http://0.0.0.0:3000/".to_owned()] {
            let probe = probe(&url, true, &policy).await;
            assert!(!probe.reachable && probe.reason.is_some(), "{url}: {probe:?}");
        }
        let accepted = tokio::time::timeout(Duration::from_millis(50), own.accept()).await;
        assert!(accepted.is_err(), "Creel's own listener was dialled");
    }
}
