//! One fresh connection to a target, plain or TLS.
//!
//! Never a kept one: a kept connection that the target is just closing fails in a way that says nothing about the app.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::fault::Fault;
use super::limits::RelayLimits;
use super::target_url::{TargetHost, TargetUrl};

/// The TLS setup, made at the first `https` target: reading the system's roots takes longer than Creel takes to start.
#[derive(Default)]
pub(super) struct Tls {
    connector: OnceCell<TlsConnector>,
}

impl Tls {
    /// Trusts these roots rather than the system's.
    #[cfg(test)]
    pub(super) fn with_roots(roots: RootCertStore) -> Self {
        Self { connector: OnceCell::new_with(connector(roots).ok()) }
    }

    async fn connector(&self) -> Result<&TlsConnector, String> {
        self.connector
            .get_or_try_init(|| async {
                let roots = tokio::task::spawn_blocking(system_roots).await.map_err(|error| error.to_string())??;
                connector(roots)
            })
            .await
    }
}

fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _unusable) = roots.add_parsable_certificates(found.certs);
    if usable > 0 {
        return Ok(roots);
    }
    let detail = found.errors.first().map_or_else(|| "none is installed".to_owned(), ToString::to_string);
    Err(format!("this system has no usable root certificates: {detail}"))
}

fn connector(roots: RootCertStore) -> Result<TlsConnector, String> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Dials checked addresses in order until one takes the connection.
///
/// Each gets an equal share of the time that is left, so that one that swallows packets leaves some for the next.
pub(super) async fn dial(
    url: &TargetUrl,
    addresses: &[SocketAddr],
    deadline: Instant,
    limits: &RelayLimits,
) -> Result<TcpStream, Fault> {
    let mut last = Fault::ConnectTime { authority: url.authority(), limit: limits.connect };
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let others = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        last = match timeout_at(Instant::now() + left / others, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return prepared(stream).map_err(|error| unreachable(url, error)),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Fault::Refused(url.authority()),
            Ok(Err(error)) => unreachable(url, error),
            Err(_) => Fault::ConnectTime { authority: url.authority(), limit: limits.connect },
        };
    }
    Err(last)
}

fn prepared(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn unreachable(url: &TargetUrl, error: io::Error) -> Fault {
    Fault::Unreachable { authority: url.authority(), error }
}

/// Puts TLS on a connection; the certificate must be good for the target's host.
pub(super) async fn secure(
    url: &TargetUrl,
    stream: TcpStream,
    tls: &Tls,
    deadline: Instant,
    limits: &RelayLimits,
) -> Result<TlsStream<TcpStream>, Fault> {
    let refused = |detail: String| Fault::Tls { authority: url.authority(), detail };
    let name = match url.host() {
        TargetHost::Address(address) => ServerName::from(*address),
        TargetHost::Name(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
            .map_err(|_| refused("the host's name cannot stand in a certificate".to_owned()))?,
    };
    let handshake = async {
        let connector = tls.connector().await.map_err(&refused)?;
        connector.connect(name, stream).await.map_err(|error| refused(error.to_string()))
    };
    timeout_at(deadline, handshake)
        .await
        .unwrap_or_else(|_| Err(Fault::ConnectTime { authority: url.authority(), limit: limits.connect }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

    use super::super::{AddressPolicy, AttemptResult, OutgoingDelivery, TargetClient};
    use super::*;
    use crate::domain::{AttemptId, AttemptOutcome, DeliveryId, Headers};

    /// A TLS server with a certificate for `localhost` of its own making; returns its port and the certificate.
    async fn tls_target() -> (u16, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that does not trust the certificate ends the handshake.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap();
                assert!(request[..read].starts_with(b"POST /hook HTTP/1.1\r\n"));
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        (port, certificate)
    }

    async fn send(url: String, roots: RootCertStore) -> AttemptResult {
        let limits = RelayLimits { connect: Duration::from_secs(2), ..RelayLimits::default() };
        let delivery = OutgoingDelivery {
            attempt_id: AttemptId::new(),
            delivery_id: DeliveryId::new(),
            replayed_from: None,
            target_url: url,
            method: "POST".into(),
            path: String::new(),
            query: None,
            headers: Headers::default(),
            body: Bytes::new(),
            force: false,
            allow_non_loopback: false,
        };
        TargetClient::with_tls(limits, Tls::with_roots(roots)).send(delivery, &AddressPolicy::default()).await
    }

    #[tokio::test]
    async fn a_target_with_a_trusted_certificate_is_relayed_to_over_tls() {
        let (port, certificate) = tls_target().await;
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let result = send(format!("https://localhost:{port}/hook"), roots).await;
        assert_eq!((result.outcome, result.reason), (AttemptOutcome::Succeeded, None));
        assert_eq!(&result.response.unwrap().body[..], b"ok");
    }

    #[tokio::test]
    async fn a_certificate_that_is_untrusted_or_for_another_host_is_refused() {
        let (port, certificate) = tls_target().await;
        let untrusted = send(format!("https://localhost:{port}/hook"), RootCertStore::empty()).await;
        assert_eq!(untrusted.outcome, AttemptOutcome::ConnectFailed);
        let expected = format!("no TLS with localhost:{port}: invalid peer certificate: UnknownIssuer");
        assert_eq!(untrusted.reason, Some(expected));

        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let other_host = send(format!("https://127.0.0.1:{port}/hook"), roots).await;
        assert_eq!(other_host.outcome, AttemptOutcome::ConnectFailed);
        let reason = other_host.reason.unwrap();
        assert!(reason.starts_with(&format!("no TLS with 127.0.0.1:{port}: invalid peer certificate:")), "{reason}");
    }

    #[tokio::test]
    async fn a_plain_or_silent_server_behind_https_is_told_apart() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let authority = listener.local_addr().unwrap();
        let silent = send(format!("https://{authority}/"), RootCertStore::empty()).await;
        assert_eq!(silent.outcome, AttemptOutcome::TimedOut);
        assert_eq!(silent.reason, Some(format!("no connection to {authority} within 2 s")));

        tokio::spawn(async move {
            // The first is the silent one's.
            let _silent = listener.accept().await.unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        });
        let plain = send(format!("https://{authority}/"), RootCertStore::empty()).await;
        assert_eq!(plain.outcome, AttemptOutcome::ConnectFailed);
        let reason = plain.reason.unwrap();
        assert!(reason.starts_with(&format!("no TLS with {authority}: ")), "{reason}");
    }

    #[tokio::test]
    async fn when_one_address_refuses_the_next_is_dialled() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let good = listener.local_addr().unwrap();
        let refusing = SocketAddr::from(([127, 0, 0, 2], good.port()));
        let url = TargetUrl::parse(&format!("http://localhost:{}/", good.port())).unwrap();
        let limits = RelayLimits::default();
        let deadline = Instant::now() + limits.connect;
        let stream = dial(&url, &[refusing, good], deadline, &limits).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
    }
}
