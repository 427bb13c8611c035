//! Capture: steps 5 to 10 of CONTRACT section 3, from a complete request to the answer.
//!
//! Everything that is known about a delivery is known before it is inserted ([`super::judgement`]), and nothing is
//! answered or relayed before the insert is on stable storage. The request's bytes go to the writer with the job and end
//! with its commit: an answer that has to wait, for a target or for its time, holds none of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::App;
use super::endpoint_table::EndpointEntry;
use super::inbound::{InboundRequest, IngressReply, RefusedRequest};
use super::judgement::{Judged, Judgement, JudgementError, public_url_of};
use super::new_attempts::{Destination, matching_targets, pending_attempts};
use super::replies;
use crate::domain::{
    AttemptId, DeliveryId, DeliveryStatus, DeliverySummary, Endpoint, EndpointId, RefusalReason, Reply, SecretId,
    SeededBug, SignaturePolicy, SignatureReason, SignatureStatus,
};
use crate::relay::AttemptResult;
use crate::signature::matches_filters;
use crate::store::{NewDelivery, Payload, StoreError, Stored};

/// HTTP version of every stored request: the ingress takes no other.
const HTTP_VERSION: &str = "1.1";
/// Reason of an ignored delivery whose endpoint is switched off.
const ENDPOINT_DISABLED: &str = "endpoint_disabled";
/// Reason of an ignored delivery whose event no filter lets through.
const EVENT_FILTERED: &str = "event_filtered";
/// Reason of an ignored delivery by which the provider asked whether the endpoint is there.
const HANDSHAKE: &str = "handshake";
/// Reason of a dispatched delivery that had nowhere to go.
pub(super) const NO_TARGET: &str = "no_target";

/// What becomes of a delivery; decided before it is stored.
enum Outcome {
    Rejected(&'static str),
    Ignored(&'static str),
    NoTarget,
    Relayed,
    /// Answered as the provider asks.
    Handshake,
}

/// A delivery on its way to the writer, and what is done once it is stored.
struct Prepared {
    new: NewDelivery,
    /// Where its attempts go.
    destinations: Vec<Destination>,
    answer: Answer,
}

/// What the sender will be told if the delivery is stored as one of its own.
enum Answer {
    /// This. A fixed reply that replaces a 200 takes its time first.
    Known(IngressReply, Duration),
    /// What the first target answers.
    OfTarget(TargetWait),
}

/// A wait for a target's answer.
pub(super) struct TargetWait {
    pub(super) delivery: DeliveryId,
    pub(super) attempt: AttemptId,
    pub(super) ended: oneshot::Receiver<AttemptResult>,
    pub(super) limit: Duration,
}

impl App {
    /// Stores a request, begins its relay, and says what the sender is told. `held` is dropped with the request's bytes.
    pub(super) async fn capture_request<H: Send + 'static>(
        self: &Arc<Self>,
        endpoint_id: EndpointId,
        request: InboundRequest,
        held: H,
    ) -> IngressReply {
        let refusable = Refusable::of(endpoint_id, &request);
        let error = match self.captured(endpoint_id, request, held).await {
            Ok(reply) => return reply,
            Err(error) => error,
        };
        let (reason, reply) = match &error {
            CaptureError::NoEndpoint => (RefusalReason::UnknownToken, replies::not_found()),
            CaptureError::Judgement(JudgementError::NotJson(why)) => {
                (RefusalReason::InvalidBody, replies::invalid_body(why))
            }
            _ => {
                tracing::error!(%error, endpoint = %endpoint_id, "a delivery could not be stored");
                self.core.counters.count_dropped();
                if matches!(error, CaptureError::Store(StoreError::Full)) {
                    self.core.disk_trouble.notify_one();
                }
                (RefusalReason::StoreUnavailable, replies::unavailable())
            }
        };
        self.keep_refusal(refusable.refused(reason, reply.status));
        reply
    }

    async fn captured<H: Send + 'static>(
        self: &Arc<Self>,
        endpoint_id: EndpointId,
        request: InboundRequest,
        held: H,
    ) -> Result<IngressReply, CaptureError> {
        // Looked up again: the endpoint may have been deleted while its body was read.
        let entry = self.core.endpoints.by_id(endpoint_id).ok_or(CaptureError::NoEndpoint)?;
        self.captured_by(&entry, request, held).await
    }

    /// Captures by the settings that the endpoint had at its arrival.
    pub(super) async fn captured_by<H: Send + 'static>(
        self: &Arc<Self>,
        entry: &Arc<EndpointEntry>,
        request: InboundRequest,
        held: H,
    ) -> Result<IngressReply, CaptureError> {
        let (request, mut judgement) = match self.judged(entry, request)? {
            Judged::Here(request, judgement) => (request, judgement),
            Judged::Apart(judging) => judging.await?,
        };
        let wanted = self.wanted_certificate(entry, &request, judgement.verdict);
        self.note_certificate(entry, &request, judgement.verdict);
        let key = judgement.handshake.as_mut().and_then(|reply| reply.key.take());
        let Prepared { mut new, destinations, answer } = self.prepare(entry, request, judgement);
        let (id, verdict) = (new.summary.id, new.summary.signature_status);
        let (until_commit, _until_answer) =
            if SeededBug::BudgetUntilAnswer.is_on() { (None, Some(held)) } else { (Some(held), None) };
        let stored = self
            .core
            .store
            .write(move |writing| {
                // Dropped with the job, as the body is.
                let _held = &until_commit;
                let stored = writing.store_delivery(&mut new)?;
                // Anybody who knows the URL can hand a key over: it never takes the place of one, nor stands beside one.
                let is_key_kept = match (&key, &stored) {
                    (Some(key), Stored::New) => {
                        writing.add_first_secret(new.endpoint_row, SecretId::new(), key, new.summary.received_at)?
                    }
                    _ => false,
                };
                Ok((stored, is_key_kept))
            })
            .await;
        if let (Answer::OfTarget(wait), false) = (&answer, matches!(stored, Ok((Stored::New, _)))) {
            self.core.waiters.forget(wait.attempt);
        }
        let (stored, is_key_kept) = stored?;
        if is_key_kept {
            // Before the answer: what its sender signs with it may follow at once.
            Box::pin(self.use_first_secret(entry)).await;
        }
        if matches!(stored, Stored::New) {
            self.judge_again_if_late(entry, id, verdict);
        }
        let (reply, wait) = match stored {
            Stored::Repeat { delivery_id, attempt_ids } => {
                known(&entry.endpoint, replies::duplicate(delivery_id, &attempt_ids))
            }
            Stored::NoEndpoint => return Err(CaptureError::NoEndpoint),
            Stored::New | Stored::SameReplay { .. } | Stored::OtherReplay => {
                destinations.iter().for_each(|destination| self.relay.wake(&destination.url));
                if let Some(wanted) = wanted {
                    self.begin_certificate_fetch(wanted);
                }
                match answer {
                    Answer::Known(reply, wait) => (reply, wait),
                    // On the heap, so that no other capture carries the room for it.
                    Answer::OfTarget(wait) => return Ok(Box::pin(self.pass_through(wait)).await),
                }
            }
        };
        if !wait.is_zero() {
            Box::pin(tokio::time::sleep(wait)).await;
        }
        Ok(reply)
    }

    fn prepare(&self, entry: &EndpointEntry, request: InboundRequest, judgement: Judgement) -> Prepared {
        let endpoint = &*entry.endpoint;
        let mut destinations = matching_targets(endpoint, &judgement.event.name, &judgement.facts);
        let outcome = decide(endpoint, &judgement, !destinations.is_empty());
        if !matches!(outcome, Outcome::Relayed) {
            destinations.clear();
        }
        let id = DeliveryId::new();
        let attempts = pending_attempts(id, &destinations, request.received_at, false);
        let attempt_ids: Vec<AttemptId> = attempts.iter().map(|new| new.attempt.id).collect();
        let answer = match (&judgement.handshake, &endpoint.reply, attempt_ids.first()) {
            (Some(reply), ..) => Answer::Known(replies::handshake(reply), Duration::ZERO),
            (None, Reply::Passthrough { timeout_ms }, Some(&attempt)) => Answer::OfTarget(TargetWait {
                delivery: id,
                attempt,
                ended: self.core.waiters.expect(attempt),
                limit: Duration::from_millis(*timeout_ms),
            }),
            _ => {
                let (reply, wait) = known(endpoint, table_reply(&outcome, id, endpoint, &attempt_ids));
                Answer::Known(reply, wait)
            }
        };
        let told = match &answer {
            Answer::Known(reply, _) => Some(reply),
            Answer::OfTarget(_) => None,
        };
        let tunnel = request.tunnel;
        let public_url =
            public_url_of(endpoint, request.public_base.as_deref(), &request.path, request.query.as_deref());
        let (summary, payload) = row(endpoint, request, &outcome, (id, attempts.len(), judgement), told);
        let new = NewDelivery {
            endpoint_row: entry.row,
            summary: Arc::new(summary),
            payload: Payload { public_url, ..payload },
            tunnel,
            attempts,
            on_repeat: endpoint.duplicate_policy,
            replay_key: None,
        };
        Prepared { new, destinations, answer }
    }
}

/// What the record of a refusal says of a request that has been given away.
struct Refusable {
    endpoint_id: EndpointId,
    method: String,
    path: String,
    body_size: u64,
    remote_addr: std::net::SocketAddr,
    at: crate::domain::Timestamp,
}

impl Refusable {
    fn of(endpoint_id: EndpointId, request: &InboundRequest) -> Self {
        Self {
            endpoint_id,
            method: request.method.clone(),
            path: request.path.clone(),
            body_size: request.body.len() as u64,
            remote_addr: request.remote_addr,
            at: request.received_at,
        }
    }

    fn refused(self, reason: RefusalReason, status: u16) -> RefusedRequest {
        RefusedRequest {
            at: self.at,
            endpoint_id: Some(self.endpoint_id),
            status,
            reason,
            method: Some(self.method),
            path: Some(format!("/in/ep_***{}", self.path)),
            body_size: Some(self.body_size),
            remote_addr: self.remote_addr,
        }
    }
}

/// Why a request could not be captured.
#[derive(Debug, thiserror::Error)]
pub(super) enum CaptureError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Judgement(#[from] JudgementError),
    #[error("the endpoint has been deleted meanwhile")]
    NoEndpoint,
}

fn decide(endpoint: &Endpoint, judgement: &Judgement, any_target: bool) -> Outcome {
    let Judgement { facts, verdict, event, .. } = judgement;
    if judgement.handshake.is_some() {
        return Outcome::Handshake;
    }
    let holds = matches!(verdict.status, SignatureStatus::Valid | SignatureStatus::NotRequired);
    if !holds && endpoint.signature_policy == SignaturePolicy::Enforce {
        return Outcome::Rejected(rejection_word(verdict.reason));
    }
    if !endpoint.enabled {
        return Outcome::Ignored(ENDPOINT_DISABLED);
    }
    if !matches_filters(&endpoint.event_filters, &event.name, facts) {
        return Outcome::Ignored(EVENT_FILTERED);
    }
    if any_target { Outcome::Relayed } else { Outcome::NoTarget }
}

/// What a 401 says (CONTRACT section 4).
fn rejection_word(reason: SignatureReason) -> &'static str {
    match reason {
        SignatureReason::MissingHeader => "missing_signature",
        SignatureReason::StaleTimestamp | SignatureReason::FutureTimestamp => "stale_timestamp",
        _ => "invalid_signature",
    }
}

/// The answer of the table, before the reply mode.
fn table_reply(outcome: &Outcome, id: DeliveryId, endpoint: &Endpoint, attempts: &[AttemptId]) -> IngressReply {
    match outcome {
        Outcome::Rejected(reason) => replies::rejected(id, reason),
        Outcome::Ignored(reason) => replies::ignored(id, reason),
        Outcome::Handshake => replies::ignored(id, HANDSHAKE),
        Outcome::NoTarget => replies::skipped(id),
        Outcome::Relayed => replies::accepted(id, endpoint.id, attempts),
    }
}

/// The answer in the endpoint's reply mode, and how long it waits. A fixed reply takes the place of every 200 of the table
/// and of nothing else, and only what it replaces takes its time.
fn known(endpoint: &Endpoint, table: IngressReply) -> (IngressReply, Duration) {
    let Reply::Fixed { status, headers, body, delay_ms } = &endpoint.reply else { return (table, Duration::ZERO) };
    if table.status != 200 {
        return (table, Duration::ZERO);
    }
    let reply = IngressReply {
        status: *status,
        headers: crate::domain::Headers::from_pairs(headers.iter().map(|(name, value)| (name, value)))
            .unwrap_or_default(),
        body: bytes::Bytes::from(body.clone()),
        is_bad_credential: false,
    };
    (reply, Duration::from_millis(*delay_ms))
}

/// The two parts of a delivery that was asked for: its slim row, and all that is left.
fn row(
    endpoint: &Endpoint,
    request: InboundRequest,
    outcome: &Outcome,
    (id, attempts, judgement): (DeliveryId, usize, Judgement),
    told: Option<&IngressReply>,
) -> (DeliverySummary, Payload) {
    let (status, reason) = match outcome {
        Outcome::Rejected(reason) => (DeliveryStatus::Rejected, Some(*reason)),
        Outcome::Ignored(reason) => (DeliveryStatus::Ignored, Some(*reason)),
        Outcome::Handshake => (DeliveryStatus::Ignored, Some(HANDSHAKE)),
        Outcome::NoTarget => (DeliveryStatus::Dispatched, Some(NO_TARGET)),
        Outcome::Relayed => (DeliveryStatus::Queued, None),
    };
    let (dedupe_key, dedupe_source) = judgement.key.map_or((None, None), |key| (Some(key.key), Some(key.source)));
    let summary = DeliverySummary {
        id,
        seq: 0,
        endpoint_id: endpoint.id,
        provider: endpoint.provider.clone(),
        event: judgement.event.name,
        event_source: judgement.event.source,
        dedupe_key,
        dedupe_source,
        signature_status: judgement.verdict.status,
        signature_reason: judgement.verdict.reason,
        status,
        reason: reason.map(str::to_owned),
        attempt_count: 1,
        relay_attempt_count: attempts as u32,
        method: request.method,
        path: request.path,
        query: request.query,
        content_type: request.headers.get_text("content-type").map(media_type),
        body_size: request.body.len() as u64,
        response_status: told.map(|reply| reply.status),
        relay_status: None,
        relay_outcome: None,
        relay_duration_ms: None,
        replayed_from_delivery_id: None,
        duplicate_of: None,
        pinned: false,
        error: None,
        received_at: request.received_at,
        last_attempt_at: request.received_at,
        created_at: request.received_at,
    };
    let payload = Payload {
        http_version: HTTP_VERSION.to_owned(),
        remote_addr: Some(request.remote_addr.to_string()),
        client_ip: request.client.ip.map(|ip| ip.to_string()),
        client_ip_source: Some(request.client.source.to_owned()),
        public_url: None,
        headers: request.headers,
        response_headers: told.map(|reply| reply.headers.clone()),
        response_body: told.map(|reply| reply.body.clone()),
        body: request.body,
    };
    (summary, payload)
}

/// A content type without its parameters, lower case (RFC 9110 section 8.3.1).
pub(super) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
