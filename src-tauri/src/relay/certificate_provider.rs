//! A provider's host with certificates, for tests: a real TLS server on this machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::certificate_fetch::CertificateClient;

/// A TLS server that is `host` to a client of its own, gives every request this answer and counts them.
pub(crate) async fn provider(host: &str, answer: Vec<u8>) -> (CertificateClient, Arc<AtomicUsize>) {
    provider_of(host, move |_| answer.clone()).await
}

/// The same with an answer for each path.
pub(crate) async fn provider_of(
    host: &str,
    answer: impl Fn(&str) -> Vec<u8> + Send + 'static,
) -> (CertificateClient, Arc<AtomicUsize>) {
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
            let head = String::from_utf8_lossy(&request[..read]);
            let target = head.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
            let path = target.filter(|path| path.starts_with('/')).unwrap_or_else(|| panic!("{head}"));
            count.fetch_add(1, Ordering::SeqCst);
            // A client that has read enough hangs up.
            let _ = stream.write_all(&answer(path)).await;
            let _ = stream.shutdown().await;
        }
    });
    (CertificateClient::of_test(roots, at), asked)
}

/// An answer 200 with this body.
pub(crate) fn found(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
