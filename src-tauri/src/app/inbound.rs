//! What the ingress hands to the engine, and what it gets back to answer with.
//!
//! The trait is the ingress's whole view of the engine: it can find an endpoint, hand over a complete request, and
//! report a refusal. [`crate::app::App`] implements it; tests of the ingress bring a recorder of their own.

use std::future::Future;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;

use crate::domain::{Endpoint, EndpointId, Headers, RefusalReason, Timestamp};

/// The headers of every answer but a target's and a fixed one: known to both sides, because they go with nearly all.
pub const JSON_HEADERS: &[u8] = b"Content-Type: application/json\r\n";

/// One complete request, as it stood on the wire.
#[derive(Clone, Debug)]
pub struct InboundRequest {
    /// HTTP method as received.
    pub method: String,
    /// The path behind the token, undecoded; empty, or begins with `/`.
    pub path: String,
    /// The query without `?`, undecoded.
    pub query: Option<String>,
    /// All headers as received.
    pub headers: Headers,
    /// The body's bytes, transfer coding removed.
    pub body: Bytes,
    /// Address of the peer.
    pub remote_addr: SocketAddr,
    /// Address of the true client, as far as known.
    pub client: ClientAddress,
    /// Row of the tunnel that it came by; none: by none of ours, as far as can be told.
    pub tunnel: Option<i64>,
    /// When the request was complete.
    pub received_at: Timestamp,
    /// Public base URL when its head came, of endpoints that have none of their own.
    pub public_base: Option<String>,
}

/// The tunnel that stands: what its requests look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelFront {
    /// Its row in the store; deliveries that come by it are stored with that.
    pub row: i64,
    /// Its public base URL without a trailing slash.
    pub public_url: String,
    /// Where it says who the sender is; none: it does not.
    pub client: Option<TunnelClient>,
}

/// Where a tunnel says who the sender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TunnelClient {
    /// Lower-case name of the header.
    pub header: &'static str,
    /// Only what stands behind the last comma was written by the tunnel.
    pub is_last: bool,
    /// What is stored as the address's source.
    pub source: &'static str,
    /// The sender may have written it: shown, but nothing is counted by it.
    pub is_claimed: bool,
}

/// The true client's address and how it became known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    /// The address; null behind a proxy that does not say.
    pub ip: Option<IpAddr>,
    /// `peer`, or the lower-case name of the header it came from; ` (claimed)` follows where it may be the sender's own.
    pub source: &'static str,
}

impl ClientAddress {
    /// The address, where it is not only the sender's own word.
    #[must_use]
    pub fn known(&self) -> Option<IpAddr> {
        self.ip.filter(|_| !self.source.ends_with(CLAIMED))
    }
}

/// The address that stands for all of one client: an IPv6 customer has a /64 at least, so single addresses would be no
/// limit.
#[must_use]
pub fn network_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

/// What the source of an address ends with that may be the sender's own word.
const CLAIMED: &str = "(claimed)";

/// An answer to the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngressReply {
    /// HTTP status.
    pub status: u16,
    /// Headers besides `Content-Length`, `Date` and `Connection`.
    pub headers: Headers,
    /// Body.
    pub body: Bytes,
    /// Whether the engine itself turned the sender away for a bad credential: a token that names no endpoint, a signature
    /// that does not hold. A 401 of a target or of a fixed reply is none.
    pub is_bad_credential: bool,
}

/// A request that will not become a delivery.
#[derive(Clone, Debug)]
pub struct RefusedRequest {
    /// When.
    pub at: Timestamp,
    /// The endpoint, when the token was known.
    pub endpoint_id: Option<EndpointId>,
    /// HTTP status that the sender was told.
    pub status: u16,
    /// Why.
    pub reason: RefusalReason,
    /// HTTP method, when the head could be read.
    pub method: Option<String>,
    /// Path with its token masked, when the head could be read.
    pub path: Option<String>,
    /// Bytes of the body as far as announced or read.
    pub body_size: Option<u64>,
    /// Address of the peer.
    pub remote_addr: SocketAddr,
}

/// The engine as the ingress sees it.
pub trait Inbound: Send + Sync + 'static {
    /// The endpoint that a token names. In memory: called before any body is read.
    fn endpoint_by_token(&self, token: &str) -> Option<Arc<Endpoint>>;

    /// Steps 5 to 10 of CONTRACT section 3. The caller carries the returned future to its end also when the sender has hung
    /// up, because storing and relaying must not depend on who waits for the answer. The engine itself records a refusal that it answers with.
    ///
    /// `held` is kept for as long as the engine keeps the request's bytes, and dropped with them right after the commit:
    /// an answer may come much later.
    fn capture<H: Send + 'static>(
        &self,
        endpoint: Arc<Endpoint>,
        request: InboundRequest,
        held: H,
    ) -> impl Future<Output = IngressReply> + Send;

    /// Keeps a refusal in the bounded list. Never waits.
    fn refuse(&self, refused: RefusedRequest);

    /// Whether the running engine itself issued this nonce (a tunnel's proof of life).
    fn issued_nonce(&self, nonce: &str) -> bool;

    /// The tunnel that stands, if one does.
    fn tunnel(&self) -> Option<Arc<TunnelFront>>;

    /// Public base URL of endpoints that have none of their own, while this tunnel stands.
    fn public_base(&self, tunnel: Option<&TunnelFront>) -> Option<String>;

    /// Now.
    fn now(&self) -> Timestamp;
}
