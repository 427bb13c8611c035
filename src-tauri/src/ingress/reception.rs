//! From one request to its answer: steps 1 to 4 of CONTRACT section 3, then the engine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::{self, BodyError, Budget, Lease};
use super::captures::Captures;
use super::client::{Client, client_of};
use super::config::IngressConfig;
use super::connections::Connections;
use super::exchange::{Arrived, Broken, Exchange, RefusedHead};
use super::head::{BodyLength, Head};
use super::head_gate::HeadGate;
use super::limits::{FLOOD_RATE_PER_MINUTE, OVERLOADED_RETRY_AFTER_SECONDS};
use super::path::{self, Asked};
use super::rate::{Limited, RateLimiter};
use super::reply::{self, HttpReply};
use crate::app::inbound::{Inbound, InboundRequest, RefusedRequest};
use crate::domain::{Endpoint, EndpointId, RefusalReason, SeededBug};

/// What all connections of one listener share.
#[derive(Debug)]
pub struct Reception<I> {
    inbound: Arc<I>,
    config: Arc<IngressConfig>,
    connections: Arc<Connections>,
    budget: Arc<Budget>,
    flood: RateLimiter<std::net::IpAddr>,
    failures: RateLimiter<std::net::IpAddr>,
    endpoints: RateLimiter<EndpointId>,
    /// Captures under way. They outlive their connections.
    pub captures: Captures,
}

/// One connection, as the reception sees it.
#[derive(Debug)]
pub struct Caller {
    /// Address of the peer.
    pub peer: SocketAddr,
    /// What there is to answer.
    pub exchange: Arc<Exchange>,
}

/// A request for an endpoint that may hand over its body.
#[derive(Debug)]
struct Admitted {
    endpoint: Arc<Endpoint>,
    client: Client,
    /// As of the head: while a body comes in, the tunnel may change.
    public_base: Option<String>,
}

/// A request whose body came after it had been let in.
#[derive(Debug)]
pub struct Received {
    head: Head,
    admitted: Admitted,
    body: Bytes,
    lease: Lease,
}

/// An answer that is no delivery, before it is recorded.
struct Refusal {
    reply: HttpReply,
    reason: RefusalReason,
    endpoint_id: Option<EndpointId>,
    body_size: Option<u64>,
}

impl<I: Inbound> Reception<I> {
    /// For one listener.
    pub fn new(inbound: Arc<I>, config: Arc<IngressConfig>, connections: Arc<Connections>) -> Self {
        let now = Instant::now();
        Self {
            inbound,
            budget: Budget::new(config.limits.bytes_in_flight_max),
            config,
            connections,
            flood: RateLimiter::new(now),
            failures: RateLimiter::new(now),
            endpoints: RateLimiter::new(now),
            captures: Captures::default(),
        }
    }

    /// Steps 1 to 4 for a request whose body did not come with its head. hyper hears of the request when this has ended:
    /// a sender that takes its time holds none of hyper's buffers.
    pub async fn receive<S>(&self, caller: &Caller, head: Head, gate: &mut HeadGate<S>) -> Arrived
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // A body that nobody reads stands in the way of the next request: the answer ends the connection.
        let turned_away = |reply| Arrived::Answered(Box::new(reply::closing(reply)));
        let admitted = match self.admit(caller, &head) {
            Ok(admitted) => admitted,
            Err(turned) => return turned_away(self.turn_away(caller, &head, turned)),
        };
        let read = match gate.ask_for_body(&head).await {
            Ok(()) => body::read(gate, self.config.body_bytes_max(), self.budget.lease()).await,
            Err(broken) => Err((BodyError::Broken(broken), 0)),
        };
        match read {
            Ok((body, lease)) => Arrived::Received(Box::new(Received { head, admitted, body, lease })),
            Err(failed) => {
                let refusal = body_refusal(failed, &head, admitted.endpoint.id);
                turned_away(self.record(caller, &head, refusal))
            }
        }
    }

    /// Answers one request that hyper has announced.
    pub async fn answer(&self, caller: &Caller) -> HttpReply {
        let reply = match caller.exchange.take() {
            Some(Arrived::Request { head, body }) => self.answer_whole(caller, head, body).await,
            Some(Arrived::Received(received)) => self.capture(caller, *received).await,
            Some(Arrived::Answered(reply)) => *reply,
            Some(Arrived::Refused(refused)) => self.refuse_head(caller, refused),
            None => {
                tracing::error!("a request was announced without its head");
                reply::closing(reply::error(StatusCode::INTERNAL_SERVER_ERROR, "internal error"))
            }
        };
        if self.connections.is_closing() { reply::closing(reply) } else { reply }
    }

    /// Steps 1 to 4 and the engine, for a request that came in one piece.
    async fn answer_whole(&self, caller: &Caller, head: Head, body: Bytes) -> HttpReply {
        let admitted = match self.admit(caller, &head) {
            Ok(admitted) => admitted,
            Err(turned) => return self.turn_away(caller, &head, turned),
        };
        match body::take(body, self.config.body_bytes_max(), self.budget.lease()) {
            Ok((body, lease)) => self.capture(caller, Received { head, admitted, body, lease }).await,
            Err(failed) => {
                let refusal = body_refusal(failed, &head, admitted.endpoint.id);
                reply::closing(self.record(caller, &head, refusal))
            }
        }
    }

    fn turn_away(&self, caller: &Caller, head: &Head, turned: Turned) -> HttpReply {
        match turned {
            Turned::Refused(refusal) => self.record(caller, head, *refusal),
            Turned::Answered(reply) => *reply,
        }
    }

    /// Steps 1 to 3, and what the announced length says about step 4.
    fn admit(&self, caller: &Caller, head: &Head) -> Result<Admitted, Turned> {
        let now = Instant::now();
        let tunnel = self.inbound.tunnel();
        let proxies = &self.config.trusted_proxies;
        let client = client_of(caller.peer, head.forwarded, &head.headers, proxies, tunnel.as_deref());
        let public_base = self.inbound.public_base(tunnel.as_deref());
        let settings = self.config.settings();
        if let Some(address) = client.counted_as {
            let flood = self.flood.charge(address, FLOOD_RATE_PER_MINUTE, now);
            let failures = || self.failures.check(&address, settings.failure_rate_per_minute, now);
            flood.and_then(|()| failures()).map_err(|limited| limited_refusal(limited, None, head))?;
        }
        let endpoint = match path::asked(&head.target) {
            Asked::Endpoint { token, .. } => self.inbound.endpoint_by_token(token),
            Asked::Alive { nonce } if head.method == "GET" && self.inbound.issued_nonce(nonce) => {
                return Err(Turned::Answered(Box::new(reply::alive())));
            }
            Asked::Alive { .. } | Asked::Unknown => None,
        };
        let Some(endpoint) = endpoint else {
            self.charge_failure(&client);
            return Err(refusal(reply::not_found(), RefusalReason::UnknownToken, None, announced(head)));
        };
        self.endpoints
            .charge(endpoint.id, settings.endpoint_rate_per_minute, now)
            .map_err(|limited| limited_refusal(limited, Some(endpoint.id), head))?;
        if announced(head).is_some_and(|size| size > self.config.body_bytes_max()) {
            return Err(refusal(too_large(), RefusalReason::BodyTooLarge, Some(endpoint.id), announced(head)));
        }
        Ok(Admitted { endpoint, client, public_base })
    }

    /// Hands the request to the engine. The lease goes with it: the engine gives it back with the body's bytes.
    async fn capture(&self, caller: &Caller, received: Received) -> HttpReply {
        let Received { head, admitted, body, lease } = received;
        let Asked::Endpoint { suffix, query, .. } = path::asked(&head.target) else {
            return reply::not_found();
        };
        let Admitted { endpoint, client, public_base } = admitted;
        let request = InboundRequest {
            path: suffix.to_owned(),
            query: query.map(str::to_owned),
            method: head.method,
            headers: head.headers,
            body,
            remote_addr: caller.peer,
            client: client.address.clone(),
            tunnel: client.tunnel,
            received_at: self.inbound.now(),
            public_base,
        };
        let endpoint_id = endpoint.id;
        let inbound = Arc::clone(&self.inbound);
        let capture = async move { inbound.capture(endpoint, request, lease).await };
        let captured = if SeededBug::TiedToConnection.is_on() {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            Ok(capture.await)
        } else {
            self.captures.run(capture).await
        };
        match captured {
            Ok(answer) => {
                if answer.is_bad_credential {
                    self.charge_failure(&client);
                }
                reply::from_engine(answer)
            }
            Err(error) => {
                tracing::error!(endpoint = %endpoint_id, %error, "a request could not be captured");
                reply::error(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
            }
        }
    }

    fn charge_failure(&self, client: &Client) {
        if let Some(address) = client.counted_as
            && self.config.settings().failure_rate_per_minute > 0
        {
            self.failures.record(address, Instant::now());
        }
    }

    fn refuse_head(&self, caller: &Caller, refused: RefusedHead) -> HttpReply {
        let (reply, reason) = broken(refused.cause);
        self.inbound.refuse(RefusedRequest {
            at: self.inbound.now(),
            endpoint_id: None,
            status: reply.status().as_u16(),
            reason,
            method: refused.method,
            path: refused.target.as_deref().map(path::masked),
            body_size: None,
            remote_addr: caller.peer,
        });
        reply::closing(reply)
    }

    fn record(&self, caller: &Caller, head: &Head, refusal: Refusal) -> HttpReply {
        self.inbound.refuse(RefusedRequest {
            at: self.inbound.now(),
            endpoint_id: refusal.endpoint_id,
            status: refusal.reply.status().as_u16(),
            reason: refusal.reason,
            method: Some(head.method.clone()),
            path: Some(path::masked(&head.target)),
            body_size: refusal.body_size,
            remote_addr: caller.peer,
        });
        refusal.reply
    }
}

/// A request that is answered before its body is read.
enum Turned {
    Refused(Box<Refusal>),
    Answered(Box<HttpReply>),
}

fn refusal(reply: HttpReply, reason: RefusalReason, endpoint_id: Option<EndpointId>, body_size: Option<u64>) -> Turned {
    Turned::Refused(Box::new(Refusal { reply, reason, endpoint_id, body_size }))
}

fn limited_refusal(limited: Limited, endpoint_id: Option<EndpointId>, head: &Head) -> Turned {
    let reply = reply::error(StatusCode::TOO_MANY_REQUESTS, "rate limit exceeded");
    let reply = reply::retry_after(reply, limited.retry_after_seconds);
    refusal(reply, RefusalReason::RateLimited, endpoint_id, announced(head))
}

fn announced(head: &Head) -> Option<u64> {
    match head.body {
        BodyLength::None => Some(0),
        BodyLength::Exactly(length) => Some(length),
        BodyLength::Chunked => None,
    }
}

/// Why a body was not taken, and what the sender is told.
fn body_refusal((error, read): (BodyError, u64), head: &Head, endpoint_id: EndpointId) -> Refusal {
    let (reply, reason) = match error {
        BodyError::TooLarge => (too_large(), RefusalReason::BodyTooLarge),
        BodyError::Overloaded => (overloaded(), RefusalReason::Overloaded),
        BodyError::Broken(cause) => broken(cause),
    };
    Refusal { reply, reason, endpoint_id: Some(endpoint_id), body_size: announced(head).or(Some(read)) }
}

fn too_large() -> HttpReply {
    reply::error(StatusCode::PAYLOAD_TOO_LARGE, "payload too large")
}

fn overloaded() -> HttpReply {
    let reply = reply::error(StatusCode::SERVICE_UNAVAILABLE, "too much in flight, try again");
    reply::retry_after(reply, OVERLOADED_RETRY_AFTER_SECONDS)
}

/// The answer to a head or body that did not arrive whole.
fn broken(cause: Broken) -> (HttpReply, RefusalReason) {
    match cause {
        Broken::Malformed(malformed) => {
            let status = StatusCode::from_u16(malformed.status()).unwrap_or(StatusCode::BAD_REQUEST);
            (reply::error(status, &malformed.to_string()), RefusalReason::MalformedHttp)
        }
        Broken::Timeout => {
            (reply::error(StatusCode::REQUEST_TIMEOUT, "the request came too slowly"), RefusalReason::Timeout)
        }
        Broken::Aborted => (reply::error(StatusCode::BAD_REQUEST, "the request broke off"), RefusalReason::Aborted),
    }
}
