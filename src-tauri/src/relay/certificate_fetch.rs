//! Fetches a certificate that a provider signs with, from the address that a request named.
//!
//! Whose addresses these may be is the recipe's to say (`hosts` in `providers/*.toml`), and is judged before this is asked.
//! Here it is https, with the system's roots, one request, no redirect, and little of everything.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::address_guard::{AddressPolicy, check_target};
use super::answer::Received;
use super::connect::{Tls, dial, secure};
use super::exchange::{WireRequest, exchange};
use super::fault::Fault;
use super::limits::RelayLimits;
use super::target_url::TargetUrl;

/// How long one fetch may take, name, connection and answer together.
pub const CERTIFICATE_TIME: Duration = Duration::from_secs(10);
/// Bytes of the largest certificate, or chain of certificates, that is read.
pub const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The address is no https URL.
    #[error("certificates are fetched over https only")]
    NotHttps,
    /// No answer came.
    #[error("{0}")]
    Unanswered(String),
    /// The answer is another than 200; a redirect is one of these.
    #[error("the answer was {0}, not 200")]
    Status(u16),
    /// The answer is no text, or too large.
    #[error("the answer is no certificate of at most {} KiB", CERTIFICATE_BYTES_MAX / 1024)]
    Unfit,
}

/// Fetches certificates.
#[derive(Default)]
pub struct CertificateClient {
    tls: Tls,
    /// Dialled in place of what the name resolves to.
    #[cfg(test)]
    at: Option<SocketAddr>,
}

impl CertificateClient {
    /// Trusts these roots and dials that address whatever the name.
    #[cfg(test)]
    pub(crate) fn of_test(roots: tokio_rustls::rustls::RootCertStore, at: SocketAddr) -> Self {
        Self { tls: Tls::with_roots(roots), at: Some(at) }
    }

    /// The text at an address. Dropping the future closes the connection.
    ///
    /// # Errors
    /// With the reason, when it cannot be had within the limits.
    pub async fn fetch(&self, url: &str, policy: &AddressPolicy) -> Result<String, CertificateError> {
        let limits = RelayLimits {
            head: CERTIFICATE_TIME,
            total: CERTIFICATE_TIME,
            kept_bytes: CERTIFICATE_BYTES_MAX,
            read_bytes: CERTIFICATE_BYTES_MAX as u64 + 1,
            ..RelayLimits::default()
        };
        let mut received = Received::default();
        let deadline = Instant::now() + CERTIFICATE_TIME;
        let late = || Fault::TotalTime(CERTIFICATE_TIME);
        let asked = tokio::time::timeout_at(deadline, self.ask(url, policy, &limits, deadline, &mut received)).await;
        asked.unwrap_or_else(|_| Err(late().into()))?;
        match received.head.map(|head| head.status) {
            Some(200) if received.complete && received.body_size <= CERTIFICATE_BYTES_MAX as u64 => {
                String::from_utf8(received.body.to_vec()).map_err(|_| CertificateError::Unfit)
            }
            Some(200) => Err(CertificateError::Unfit),
            Some(status) => Err(CertificateError::Status(status)),
            None => Err(Fault::ClosedWithoutAnswer.into()),
        }
    }

    async fn ask(
        &self,
        url: &str,
        policy: &AddressPolicy,
        limits: &RelayLimits,
        deadline: Instant,
        received: &mut Received,
    ) -> Result<(), CertificateError> {
        let url = TargetUrl::parse(url).map_err(Fault::from)?;
        if !url.is_https() {
            return Err(CertificateError::NotHttps);
        }
        let addresses = self.addresses(&url, policy).await?;
        let connected = Instant::now() + limits.connect;
        let stream = dial(&url, &addresses, connected, limits).await?;
        let stream = secure(&url, stream, &self.tls, connected, limits).await?;
        let target = url.request_target("", None, false).map_err(Fault::from)?;
        let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", url.host_header());
        let request = WireRequest { head: head.into_bytes(), body: Bytes::new(), is_head: false };
        Ok(exchange(stream, request, limits, deadline, received).await?)
    }

    async fn addresses(&self, url: &TargetUrl, policy: &AddressPolicy) -> Result<Vec<SocketAddr>, Fault> {
        #[cfg(test)]
        if let Some(at) = self.at {
            return Ok(vec![at]);
        }
        Ok(check_target(url, policy).await?)
    }
}

impl From<Fault> for CertificateError {
    fn from(fault: Fault) -> Self {
        Self::Unanswered(fault.to_string())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;
    use tokio_rustls::rustls::{RootCertStore, ServerConfig};

    use super::*;

    /// A TLS server that is `host` to a client of its own, gives every request this answer and counts them.
    pub(crate) async fn provider(host: &str, answer: Vec<u8>) -> (CertificateClient, Arc<AtomicUsize>) {
        let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (at, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap();
                assert!(request[..read].starts_with(b"GET /"), "{:?}", &request[..read]);
                count.fetch_add(1, Ordering::SeqCst);
                // A client that has read enough hangs up.
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        });
        (CertificateClient::of_test(roots, at), asked)
    }

    /// An answer 200 with this body.
    pub(crate) fn found(body: &str) -> Vec<u8> {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    const URL: &str = "https://sns.eu-central-1.amazonaws.com/a.pem";

    async fn fetched(host: &str, answer: Vec<u8>, url: &str) -> Result<String, CertificateError> {
        provider(host, answer).await.0.fetch(url, &AddressPolicy::default()).await
    }

    #[tokio::test]
    async fn a_certificate_is_fetched_over_tls_from_the_host_it_is_good_for() {
        let host = "sns.eu-central-1.amazonaws.com";
        assert_eq!(fetched(host, found("-----BEGIN"), URL).await.unwrap(), "-----BEGIN");
        let other = fetched("sns.amazonaws.com.evil.example", found("-----BEGIN"), URL).await;
        assert!(matches!(other, Err(CertificateError::Unanswered(_))), "{other:?}");
        let plain = fetched(host, found(""), "http://sns.eu-central-1.amazonaws.com/a.pem").await;
        assert!(matches!(plain, Err(CertificateError::NotHttps)), "{plain:?}");
    }

    #[tokio::test]
    async fn no_redirect_is_followed_and_what_is_too_large_or_no_text_is_refused() {
        let host = "sns.eu-central-1.amazonaws.com";
        let moved = format!("HTTP/1.1 302 Found\r\nLocation: {URL}\r\nContent-Length: 0\r\n\r\n").into_bytes();
        assert!(matches!(fetched(host, moved, URL).await, Err(CertificateError::Status(302))));
        let fits = "x".repeat(CERTIFICATE_BYTES_MAX);
        assert_eq!(fetched(host, found(&fits), URL).await.unwrap().len(), CERTIFICATE_BYTES_MAX);
        for answer in [found(&format!("{fits}x")), b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff".to_vec()] {
            let refused = fetched(host, answer, URL).await;
            assert!(matches!(refused, Err(CertificateError::Unfit | CertificateError::Unanswered(_))), "{refused:?}");
        }
    }
}
