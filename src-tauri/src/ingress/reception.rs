//! From one request to its answer: steps 1 to 4 of CONTRACT section 3, then the engine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::StatusCode;
use hyper::body::Incoming;

use super::body::{self, BodyError, Budget, Lease};
use super::captures::Captures;
use super::client::{Client, client_of};
use super::config::IngressConfig;
use super::connections::Connections;
use super::exchange::{Arrived, Broken, Exchange, RefusedHead};
use super::head::{BodyLength, Head};
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
    /// What the gate hands over.
    pub exchange: Arc<Exchange>,
}

/// A request's body.
enum Sent {
    /// It came with the head.
    Whole(Bytes),
    /// It is being read by hyper, if there is one.
    Coming(Incoming),
}

/// A request for an endpoint that may hand over its body.
struct Admitted {
    endpoint: Arc<Endpoint>,
    client: Client,
    /// As of the head: while a body comes in, the tunnel may change.
    public_base: Option<String>,
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

    /// Answers one request that hyper has announced.
    pub async fn answer(&self, caller: &Caller, body: Incoming) -> HttpReply {
        let reply = match caller.exchange.take() {
            Some(Arrived::Head { head, whole_body: Some(bytes) }) => {
                self.answer_head(caller, head, Sent::Whole(bytes)).await
            }
            Some(Arrived::Head { head, whole_body: None }) => self.answer_head(caller, head, Sent::Coming(body)).await,
            Some(Arrived::Refused(refused)) => self.refuse_head(caller, refused),
            None => {
                tracing::error!("a request was announced without its head");
                reply::closing(reply::error(StatusCode::INTERNAL_SERVER_ERROR, "internal error"))
            }
        };
        if self.connections.is_closing() { reply::closing(reply) } else { reply }
    }

    async fn answer_head(&self, caller: &Caller, head: Head, body: Sent) -> HttpReply {
        let tunnel = self.inbound.tunnel();
        let proxies = &self.config.trusted_proxies;
        let client = client_of(caller.peer, head.forwarded, &head.headers, proxies, tunnel.as_deref());
        let public_base = self.inbound.public_base(tunnel.as_deref());
        let admitted = match self.admit(&head, client, public_base) {
            Ok(admitted) => admitted,
            Err(turned) => {
                let reply = match turned {
                    Turned::Refused(refusal) => self.record(caller, &head, *refusal),
                    Turned::Answered(reply) => *reply,
                };
                // A body that nobody reads stands in the way of the next request.
                let is_read = matches!(body, Sent::Whole(_)) || head.body == BodyLength::None;
                return if is_read { reply } else { reply::closing(reply) };
            }
        };
        match self.read_body(caller, &head, body).await {
            Ok((bytes, lease)) => self.capture(caller, head, admitted, bytes, lease).await,
            Err(mut refusal) => {
                refusal.endpoint_id = Some(admitted.endpoint.id);
                reply::closing(self.record(caller, &head, refusal))
            }
        }
    }

    /// Steps 1 to 3, and what the announced length says about step 4.
    fn admit(&self, head: &Head, client: Client, public_base: Option<String>) -> Result<Admitted, Turned> {
        let now = Instant::now();
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

    /// Step 4.
    async fn read_body(&self, caller: &Caller, head: &Head, body: Sent) -> Result<(Bytes, Lease), Refusal> {
        let (bytes_max, lease) = (self.config.body_bytes_max(), self.budget.lease());
        let result = match body {
            Sent::Coming(_) if head.body == BodyLength::None => return Ok((Bytes::new(), lease)),
            Sent::Coming(body) => body::read(body, bytes_max, lease).await,
            Sent::Whole(bytes) => body::take(bytes, bytes_max, lease),
        };
        let (error, read) = match result {
            Ok(complete) => return Ok(complete),
            Err(failed) => failed,
        };
        let (reply, reason) = match error {
            BodyError::TooLarge => (too_large(), RefusalReason::BodyTooLarge),
            BodyError::Overloaded => (overloaded(), RefusalReason::Overloaded),
            BodyError::Broken => broken(caller.exchange.broken_body().unwrap_or(Broken::Aborted)),
        };
        Err(Refusal { reply, reason, endpoint_id: None, body_size: announced(head).or(Some(read)) })
    }

    /// Hands the request to the engine. The lease goes with it: the engine gives it back with the body's bytes.
    async fn capture(&self, caller: &Caller, head: Head, admitted: Admitted, body: Bytes, lease: Lease) -> HttpReply {
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
