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
        let connector = connector(roots).unwrap();
        Self { connector: OnceCell::new_with(Some(connector)) }
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
