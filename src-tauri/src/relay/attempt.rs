//! One attempt: a delivery to a target, and exactly what came of it.

use bytes::Bytes;
use tokio::time::Instant;

use super::address_guard::{AddressPolicy, check_target};
use super::answer::Received;
use super::connect::{Tls, dial, secure};
use super::exchange::{WireRequest, exchange};
use super::fault::Fault;
use super::limits::RelayLimits;
use super::outgoing_headers::{is_sendable_method, request_head};
use super::target_url::TargetUrl;
use crate::domain::{AttemptId, AttemptOutcome, DeliveryId, Headers, SeededBug};

/// Everything needed to send a delivery to one target.
#[derive(Clone, Debug)]
pub struct OutgoingDelivery {
    /// The attempt that this is.
    pub attempt_id: AttemptId,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The delivery that it repeats, if it is a replay.
    pub replayed_from: Option<DeliveryId>,
    /// Where it goes.
    pub target_url: String,
    /// HTTP method.
    pub method: String,
    /// The path behind the token, as received.
    pub path: String,
    /// The query without `?`, as received.
    pub query: Option<String>,
    /// All headers, as received.
    pub headers: Headers,
    /// The body's bytes.
    pub body: Bytes,
    /// Whether a path with dot segments is sent all the same.
    pub force: bool,
    /// Whether the endpoint allows targets outside this machine.
    pub allow_non_loopback: bool,
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub struct AttemptResult {
    /// In one word.
    pub outcome: AttemptOutcome,
    /// In a sentence; none on success.
    pub reason: Option<String>,
    /// The target's answer, as far as it came; none when not even its head was complete.
    pub response: Option<TargetResponse>,
    /// How long it took.
    pub timing: AttemptTiming,
}

/// A target's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetResponse {
    /// HTTP status.
    pub status: u16,
    /// All headers, as they came.
    pub headers: Headers,
    /// The beginning of the body, transfer coding removed, content coding kept.
    pub body: Bytes,
    /// Bytes of the body as far as it was read.
    pub body_size: u64,
    /// Whether the target's body was longer than what is kept.
    pub truncated: bool,
}

/// Milliseconds from the beginning of the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AttemptTiming {
    /// To a usable connection.
    pub connected_ms: Option<u64>,
    /// To the answer's first byte.
    pub first_byte_ms: Option<u64>,
    /// To the end.
    pub total_ms: u64,
}

/// Sends deliveries to targets.
pub struct TargetClient {
    limits: RelayLimits,
    tls: Tls,
}

impl TargetClient {
    /// A client that trusts the system's root certificates.
    #[must_use]
    pub fn new(limits: RelayLimits) -> Self {
        Self { limits, tls: Tls::default() }
    }

    #[cfg(test)]
    pub(super) fn with_tls(limits: RelayLimits, tls: Tls) -> Self {
        Self { limits, tls }
    }

    /// Makes one attempt. Never fails: whatever happens is the result. Dropping the future closes the connection.
    pub async fn send(&self, delivery: OutgoingDelivery, policy: &AddressPolicy) -> AttemptResult {
        let again = SeededBug::FollowRedirects.is_on().then(|| delivery.clone());
        let result = self.send_once(delivery, policy).await;
        // Off in every release build: redirects are recorded, never followed.
        if let Some(delivery) = again
            && let Some(location) = result.response.as_ref().and_then(|response| response.headers.get_text("location"))
        {
            let target_url = location.to_owned();
            return self.send_once(OutgoingDelivery { target_url, ..delivery }, policy).await;
        }
        result
    }

    async fn send_once(&self, delivery: OutgoingDelivery, policy: &AddressPolicy) -> AttemptResult {
        let request = || -> Result<(TargetUrl, WireRequest), Fault> {
            let url = TargetUrl::parse(&delivery.target_url)?;
            let request = wire_request(&url, delivery)?;
            Ok((url, request))
        };
        self.carry_out(request(), policy).await
    }

    /// Sends a request that is made, or says why it is not.
    pub(super) async fn carry_out(
        &self,
        request: Result<(TargetUrl, WireRequest), Fault>,
        policy: &AddressPolicy,
    ) -> AttemptResult {
        let began = Instant::now();
        let mut connected_at = None;
        let mut received = Received::default();
        let ended = match request {
            Ok((url, request)) => self.run(&url, request, policy, began, &mut connected_at, &mut received).await,
            Err(fault) => Err(fault),
        };
        let millis = |at: Instant| u64::try_from(at.duration_since(began).as_millis()).unwrap_or(u64::MAX);
        let timing = AttemptTiming {
            connected_ms: connected_at.map(millis),
            first_byte_ms: received.first_byte_at.map(millis),
            total_ms: millis(Instant::now()),
        };
        result(ended, received, timing)
    }

    async fn run(
        &self,
        url: &TargetUrl,
        request: WireRequest,
        policy: &AddressPolicy,
        began: Instant,
        connected_at: &mut Option<Instant>,
        received: &mut Received,
    ) -> Result<(), Fault> {
        let addresses = check_target(url, policy).await?;
        let total_deadline = began + self.limits.total;
        let connect_deadline = Instant::now() + self.limits.connect;
        let stream = dial(url, &addresses, connect_deadline, &self.limits).await?;
        if url.is_https() {
            let stream = secure(url, stream, &self.tls, connect_deadline, &self.limits).await?;
            *connected_at = Some(Instant::now());
            exchange(stream, request, &self.limits, total_deadline, received).await
        } else {
            *connected_at = Some(Instant::now());
            exchange(stream, request, &self.limits, total_deadline, received).await
        }
    }
}

fn wire_request(url: &TargetUrl, delivery: OutgoingDelivery) -> Result<WireRequest, Fault> {
    if !is_sendable_method(&delivery.method) {
        return Err(Fault::Method(delivery.method));
    }
    let target = url.request_target(&delivery.path, delivery.query.as_deref(), delivery.force)?;
    let head = request_head(&delivery, &target, &url.host_header());
    Ok(WireRequest { head, is_head: delivery.method == "HEAD", body: delivery.body })
}

fn result(ended: Result<(), Fault>, received: Received, timing: AttemptTiming) -> AttemptResult {
    let response = received.head.map(|head| TargetResponse {
        status: head.status,
        headers: head.headers,
        truncated: !received.complete || received.body_size > received.body.len() as u64,
        body: received.body.freeze(),
        body_size: received.body_size,
    });
    let status = response.as_ref().map(|response| response.status);
    let (outcome, reason) = match (ended, status) {
        (Err(fault), _) => (fault.outcome(), Some(fault.to_string())),
        (Ok(()), Some(200..=399)) => (AttemptOutcome::Succeeded, None),
        (Ok(()), _) => (AttemptOutcome::HttpError, status.map(|status| format!("the target answered {status}"))),
    };
    AttemptResult { outcome, reason, response, timing }
}
