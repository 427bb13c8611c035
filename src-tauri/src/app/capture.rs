//! Capture: steps 5 to 10 of CONTRACT section 3, from a complete request to the answer.
//!
//! Everything that is known about a delivery is known before it is inserted, and nothing is answered or relayed before
//! the insert is on stable storage.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use super::endpoint_table::EndpointEntry;
use super::inbound::{InboundRequest, IngressReply, RefusedRequest};
use super::new_attempts::{matching_targets, pending_attempts};
use super::replies;
use crate::domain::{
    AttemptId, BodyPolicy, DeliveryId, DeliveryStatus, DeliverySummary, Endpoint, RefusalReason, Reply, SeededBug,
    SignaturePolicy, SignatureReason, SignatureStatus,
};
use crate::signature::{
    BodyFacts, EventName, JsonKind, Provider, SignatureError, SignedRequest, Verdict, matches_filters,
};
use crate::store::{NewDelivery, Payload, StoreError, Stored};

/// HTTP version of every stored request: the ingress takes no other.
const HTTP_VERSION: &str = "1.1";
/// Reason of an ignored delivery whose endpoint is switched off.
const ENDPOINT_DISABLED: &str = "endpoint_disabled";
/// Reason of an ignored delivery whose event no filter lets through.
const EVENT_FILTERED: &str = "event_filtered";
/// Reason of a dispatched delivery that had nowhere to go.
pub(super) const NO_TARGET: &str = "no_target";

/// What becomes of a delivery; decided before it is stored.
enum Outcome {
    Rejected(&'static str),
    Ignored(&'static str),
    NoTarget,
    Relayed,
}

impl App {
    /// Stores a request, begins its relay, and says what the sender is told.
    pub(super) async fn capture_request(
        self: Arc<Self>,
        endpoint_id: crate::domain::EndpointId,
        request: InboundRequest,
    ) -> IngressReply {
        // Looked up again: the endpoint may have been deleted while its body was read.
        let Some(entry) = self.core.endpoints.by_id(endpoint_id) else {
            return self.refuse_capture(endpoint_id, &request, RefusalReason::UnknownToken, not_found());
        };
        let facts = BodyFacts::read(&request.body);
        if entry.endpoint.body_policy == BodyPolicy::Json
            && !matches!(facts.json, Some(JsonKind::Object | JsonKind::Array))
        {
            let detail = facts.error.as_deref().unwrap_or("the body is JSON, but neither an object nor an array");
            return self.refuse_capture(
                endpoint_id,
                &request,
                RefusalReason::InvalidBody,
                replies::invalid_body(detail),
            );
        }
        match self.store_and_answer(&entry, &request, &facts).await {
            Ok(reply) => reply,
            Err(CaptureError::EndpointDeleted) => {
                self.refuse_capture(endpoint_id, &request, RefusalReason::UnknownToken, not_found())
            }
            Err(error) => {
                tracing::error!(%error, endpoint = %endpoint_id, "a delivery could not be stored");
                self.core.counters.count_dropped();
                if matches!(error, CaptureError::Store(StoreError::Full)) {
                    self.core.disk_trouble.notify_one();
                }
                self.refuse_capture(endpoint_id, &request, RefusalReason::StoreUnavailable, replies::unavailable())
            }
        }
    }

    async fn store_and_answer(
        self: &Arc<Self>,
        entry: &EndpointEntry,
        request: &InboundRequest,
        facts: &BodyFacts,
    ) -> Result<IngressReply, CaptureError> {
        let provider = entry.provider.as_deref().ok_or(CaptureError::NoProvider)?;
        let endpoint = &*entry.endpoint;
        let verdict = self.judge(entry, provider, request)?;
        let event = provider.event_name(&request.headers, facts);
        let targets = matching_targets(endpoint, &event.name, facts);
        let outcome = decide(endpoint, verdict, &event.name, facts, !targets.is_empty());
        let id = DeliveryId::new();
        let attempts = match outcome {
            Outcome::Relayed => pending_attempts(id, &targets, request.received_at, false),
            _ => Vec::new(),
        };
        let attempt_ids: Vec<AttemptId> = attempts.iter().map(|new| new.attempt.id).collect();
        let passthrough = match (&endpoint.reply, attempt_ids.first()) {
            (Reply::Passthrough { timeout_ms }, Some(&first)) => {
                Some((first, self.core.waiters.expect(first), Duration::from_millis(*timeout_ms)))
            }
            _ => None,
        };
        let table = table_reply(&outcome, id, endpoint, &attempt_ids);
        let told = if passthrough.is_some() { None } else { Some(in_reply_mode(endpoint, table.clone())) };
        let key = provider.dedupe_key(&request.headers, facts);
        let (dedupe_key, dedupe_source) = key.map_or((None, None), |key| (Some(key.key), Some(key.source)));
        let facts_of_row = RowFacts { id, event, verdict, dedupe_key, dedupe_source, attempts: attempts.len() };
        let new = NewDelivery {
            endpoint_row: entry.row,
            summary: Arc::new(summary(endpoint, request, &outcome, facts_of_row, told.as_ref())),
            payload: self.payload(endpoint, request, told.as_ref()),
            attempts,
            on_repeat: endpoint.duplicate_policy,
            replay_key: None,
        };
        let mut job = new;
        let stored = self.core.store.write(move |writing| writing.store_delivery(&mut job)).await;
        if let (Some((attempt, ..)), false) = (&passthrough, matches!(stored, Ok(Stored::New))) {
            self.core.waiters.forget(*attempt);
        }
        match stored? {
            Stored::Repeat { delivery_id, attempt_ids } => {
                let table = replies::duplicate(delivery_id, &attempt_ids);
                delay(endpoint, table.status).await;
                Ok(in_reply_mode(endpoint, table))
            }
            Stored::NoEndpoint => Err(CaptureError::EndpointDeleted),
            _ => {
                for target in &targets {
                    if !attempt_ids.is_empty() {
                        self.relay.wake(&target.url);
                    }
                }
                match (told, passthrough) {
                    (Some(reply), _) => {
                        delay(endpoint, table.status).await;
                        Ok(reply)
                    }
                    (None, Some((attempt, ended, limit))) => Ok(self.pass_through(id, attempt, ended, limit).await),
                    (None, None) => Ok(table),
                }
            }
        }
    }

    fn judge(
        &self,
        entry: &EndpointEntry,
        provider: &Provider,
        request: &InboundRequest,
    ) -> Result<Verdict, CaptureError> {
        if SeededBug::AcceptAnySignature.is_on() {
            return Ok(Verdict {
                status: SignatureStatus::Valid,
                reason: SignatureReason::Ok,
                matched_secret: Some(0),
            });
        }
        let secrets = entry.secrets.as_deref().ok_or(CaptureError::SecretUnreadable)?;
        let url = self.public_url_of(&entry.endpoint, &request.path, request.query.as_deref());
        let signed = SignedRequest {
            method: &request.method,
            url: url.as_deref(),
            headers: &request.headers,
            body: &request.body,
        };
        let endpoint = &entry.endpoint;
        Ok(provider.verify(
            endpoint.scheme.as_deref(),
            &endpoint.provider_options,
            secrets,
            &signed,
            request.received_at,
        )?)
    }

    /// The URL as the sender saw it, when the public address is known.
    pub(in crate::app) fn public_url_of(&self, endpoint: &Endpoint, path: &str, query: Option<&str>) -> Option<String> {
        let base = endpoint.public_url_override.as_deref().or(self.core.addresses.public_url.as_deref())?;
        let mark = if query.is_some() { "?" } else { "" };
        Some(format!("{base}{}{path}{mark}{}", endpoint.ingress_path(), query.unwrap_or_default()))
    }

    fn payload(&self, endpoint: &Endpoint, request: &InboundRequest, told: Option<&IngressReply>) -> Payload {
        Payload {
            http_version: HTTP_VERSION.to_owned(),
            remote_addr: Some(request.remote_addr.to_string()),
            client_ip: request.client.ip.map(|ip| ip.to_string()),
            client_ip_source: Some(request.client.source.to_owned()),
            public_url: self.public_url_of(endpoint, &request.path, request.query.as_deref()),
            headers: request.headers.clone(),
            response_headers: told.map(|reply| reply.headers.clone()),
            response_body: told.map(|reply| reply.body.clone()),
            body: request.body.clone(),
        }
    }

    fn refuse_capture(
        &self,
        endpoint_id: crate::domain::EndpointId,
        request: &InboundRequest,
        reason: RefusalReason,
        reply: IngressReply,
    ) -> IngressReply {
        self.keep_refusal(RefusedRequest {
            at: request.received_at,
            endpoint_id: Some(endpoint_id),
            status: reply.status,
            reason,
            method: Some(request.method.clone()),
            path: Some(format!("/in/ep_***{}", request.path)),
            body_size: Some(request.body.len() as u64),
            remote_addr: request.remote_addr,
        });
        reply
    }
}

/// Why a request could not be captured; the sender is asked to come again.
#[derive(Debug, thiserror::Error)]
enum CaptureError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the signature could not be judged: {0}")]
    Signature(#[from] SignatureError),
    #[error("the endpoint has been deleted meanwhile")]
    EndpointDeleted,
    #[error("a signing secret cannot be read from the database")]
    SecretUnreadable,
    #[error("the catalogue does not know the endpoint's provider")]
    NoProvider,
}

fn not_found() -> IngressReply {
    IngressReply {
        status: 404,
        headers: replies::json_headers(),
        body: bytes::Bytes::from_static(br#"{"error":"webhook not found"}"#),
    }
}

fn decide(endpoint: &Endpoint, verdict: Verdict, event: &str, facts: &BodyFacts, any_target: bool) -> Outcome {
    let holds = matches!(verdict.status, SignatureStatus::Valid | SignatureStatus::NotRequired);
    if !holds && endpoint.signature_policy == SignaturePolicy::Enforce {
        return Outcome::Rejected(rejection_word(verdict.reason));
    }
    if !endpoint.enabled {
        return Outcome::Ignored(ENDPOINT_DISABLED);
    }
    if !matches_filters(&endpoint.event_filters, event, facts) {
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
        Outcome::NoTarget => replies::skipped(id),
        Outcome::Relayed => replies::accepted(id, endpoint.id, attempts),
    }
}

/// A fixed reply takes the place of every 200 of the table, and of nothing else.
fn in_reply_mode(endpoint: &Endpoint, table: IngressReply) -> IngressReply {
    match &endpoint.reply {
        Reply::Fixed { status, headers, body, .. } if table.status == 200 => IngressReply {
            status: *status,
            headers: crate::domain::Headers::from_pairs(headers.iter().map(|(name, value)| (name, value)))
                .unwrap_or_default(),
            body: bytes::Bytes::from(body.clone()),
        },
        _ => table,
    }
}

/// A fixed reply may take its time; what it does not replace is answered at once.
async fn delay(endpoint: &Endpoint, table_status: u16) {
    if let Reply::Fixed { delay_ms, .. } = endpoint.reply
        && delay_ms > 0
        && table_status == 200
    {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
}

/// What the row takes from the judgement.
struct RowFacts {
    id: DeliveryId,
    event: EventName,
    verdict: Verdict,
    dedupe_key: Option<String>,
    dedupe_source: Option<String>,
    attempts: usize,
}

fn summary(
    endpoint: &Endpoint,
    request: &InboundRequest,
    outcome: &Outcome,
    facts: RowFacts,
    told: Option<&IngressReply>,
) -> DeliverySummary {
    let (status, reason) = match outcome {
        Outcome::Rejected(reason) => (DeliveryStatus::Rejected, Some(*reason)),
        Outcome::Ignored(reason) => (DeliveryStatus::Ignored, Some(*reason)),
        Outcome::NoTarget => (DeliveryStatus::Dispatched, Some(NO_TARGET)),
        Outcome::Relayed => (DeliveryStatus::Queued, None),
    };
    DeliverySummary {
        id: facts.id,
        seq: 0,
        endpoint_id: endpoint.id,
        provider: endpoint.provider.clone(),
        event: facts.event.name,
        event_source: facts.event.source,
        dedupe_key: facts.dedupe_key,
        dedupe_source: facts.dedupe_source,
        signature_status: facts.verdict.status,
        signature_reason: facts.verdict.reason,
        status,
        reason: reason.map(str::to_owned),
        attempt_count: 1,
        relay_attempt_count: facts.attempts as u32,
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
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
    }
}

/// A content type without its parameters, lower case (RFC 9110 section 8.3.1).
pub(super) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
