//! Replay: a new delivery that repeats an older one on purpose, as it was or edited, and links to it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::App;
use super::capture::{NO_TARGET, media_type};
use super::core::read_target_url;
use super::endpoint_table::EndpointEntry;
use super::error::AppError;
use super::judgement::JUDGED_INLINE_BYTES_MAX;
use super::new_attempts::{Destination, matching_targets, pending_attempts};
use super::signing::sign_for;
use super::stored_request::full_url;
use crate::domain::{
    DeliveryId, DeliveryStatus, DeliverySummary, DuplicatePolicy, Endpoint, Headers, SignatureReason, SignatureStatus,
    Timestamp,
};
use crate::relay::check_target;
use crate::signature::{BodyFacts, SignedRequest};
use crate::store::{
    NewDelivery, Payload, ReplayKey, StoreError, Stored, read_arrival, read_earlier_replay, read_public_url,
    read_summary,
};

/// What a replay changes; nothing: the delivery goes out as it came.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(optional_fields))]
#[serde(default, deny_unknown_fields)]
pub struct ReplayRequest {
    /// Another target than the endpoint's.
    pub target_url: Option<String>,
    /// Head and body of this arrival; 1 is the delivery itself.
    pub arrival: Option<u32>,
    /// Sign anew with the endpoint's secret.
    pub resign: Option<bool>,
    /// Another method.
    pub method: Option<String>,
    /// Another path behind the target's.
    pub path: Option<String>,
    /// Another query, without `?`; empty: none.
    pub query: Option<String>,
    /// All headers, in place of the stored ones.
    pub headers: Option<Vec<(String, String)>>,
    /// Another body, base64.
    pub body_base64: Option<String>,
    /// Relay although it was rejected, and although its path has dot segments.
    pub force: Option<bool>,
}

/// The request that goes out.
struct Outgoing {
    method: String,
    path: String,
    query: Option<String>,
    headers: Headers,
    body: Bytes,
}

impl App {
    /// Makes a replay of a delivery; `false` with the earlier one when the same call made it before.
    ///
    /// # Errors
    /// When there is no such delivery, it may not be replayed, or an edit is not acceptable.
    pub async fn replay(
        self: &Arc<Self>,
        id: DeliveryId,
        request: ReplayRequest,
        idempotency_key: Option<String>,
    ) -> Result<(bool, DeliveryId), AppError> {
        let replay_key = idempotency_key.map(|key| replay_key(id, key, &request)).transpose()?;
        if let Some(earlier) = self.earlier_replay(replay_key.clone()).await? {
            return Ok((false, earlier));
        }
        let arrival = request.arrival.unwrap_or(1);
        let found = self
            .core
            .store
            .read(move |connection| {
                let Some(original) = read_summary(connection, id)? else { return Ok(None) };
                let arrived = read_arrival(connection, original.seq, arrival)?;
                let public_url = read_public_url(connection, original.seq, arrival)?;
                Ok(Some((original, arrived, public_url)))
            })
            .await?;
        let Some((original, arrived, public_url)) = found else { return Err(AppError::not_found("delivery", id)) };
        let Some(arrived) = arrived else { return Err(AppError::not_found("arrival", arrival)) };
        let Some(entry) = self.core.endpoints.by_id(original.endpoint_id) else {
            return Err(AppError::not_found("delivery", id));
        };
        let force = request.force.unwrap_or(false);
        check_replayable(&original, force)?;
        let outgoing = edited(&original, arrived, &request, self.settings().max_body_bytes)?;
        let now = self.core.clock.now();
        let resign_as = request.resign.unwrap_or(false).then(|| {
            let base = self.public_base_of(&entry.endpoint);
            url_to_sign(&entry.endpoint, &original, &outgoing, public_url, base.as_deref())
        });
        let (outgoing, facts) = self.signed_and_read(&entry, outgoing, resign_as, now).await?;
        let Some(provider) = entry.provider.as_deref() else {
            return Err(AppError::internal("the catalogue does not know the endpoint's provider"));
        };
        let event = provider.event_name(&outgoing.headers, &facts, &outgoing.body);
        let destinations = match &request.target_url {
            Some(url) => vec![self.checked_destination(url, entry.endpoint.allow_non_loopback).await?],
            None => matching_targets(&entry.endpoint, &event.name, &facts),
        };
        let new = new_delivery(&entry, &original, outgoing, (event.name, event.source), &destinations, now, force);
        let new = NewDelivery { replay_key, ..new };
        self.store_replay(new, destinations).await
    }

    /// Signs a request anew, when it is to be signed as of a URL, and reads its body: a large one not on an async worker.
    async fn signed_and_read(
        self: &Arc<Self>,
        entry: &Arc<EndpointEntry>,
        mut outgoing: Outgoing,
        resign_as: Option<Option<String>>,
        now: Timestamp,
    ) -> Result<(Outgoing, BodyFacts), AppError> {
        let (entry, is_large) = (Arc::clone(entry), outgoing.body.len() > JUDGED_INLINE_BYTES_MAX);
        let work = move || {
            if let Some(public_url) = resign_as {
                resign(&entry, &mut outgoing, public_url.as_deref(), now)?;
            }
            let facts = BodyFacts::read(&outgoing.body);
            Ok((outgoing, facts))
        };
        if !is_large {
            return work();
        }
        let _turn = self.large_bodies.acquire().await.map_err(|_| StoreError::Closed)?;
        self.tasks.spawn_blocking(work).await.map_err(|_| StoreError::Closed)?
    }

    /// The replay that the same call made before: whatever has become of the delivery or its target since.
    async fn earlier_replay(&self, key: Option<ReplayKey>) -> Result<Option<DeliveryId>, AppError> {
        let Some(key) = key else { return Ok(None) };
        let now = self.core.clock.now();
        match self.core.store.read(move |connection| read_earlier_replay(connection, &key, now)).await? {
            Some(Stored::SameReplay { delivery_id }) => Ok(Some(delivery_id)),
            Some(Stored::OtherReplay) => Err(key_reused()),
            _ => Ok(None),
        }
    }

    async fn store_replay(
        &self,
        mut new: NewDelivery,
        destinations: Vec<Destination>,
    ) -> Result<(bool, DeliveryId), AppError> {
        let (id, endpoint_id) = (new.summary.id, new.summary.endpoint_id);
        match self.core.store.write(move |writing| writing.store_delivery(&mut new)).await? {
            Stored::SameReplay { delivery_id } => Ok((false, delivery_id)),
            Stored::OtherReplay => Err(key_reused()),
            Stored::NoEndpoint => Err(AppError::not_found("endpoint", endpoint_id)),
            Stored::New | Stored::Repeat { .. } => {
                destinations.iter().for_each(|destination| self.relay.wake(&destination.url));
                Ok((true, id))
            }
        }
    }

    /// A URL that a replay names, checked as a target is when it is saved.
    async fn checked_destination(&self, url: &str, allow_non_loopback: bool) -> Result<Destination, AppError> {
        self.check_target_url(url, "target_url", allow_non_loopback).await?;
        Ok(Destination { target_id: None, url: url.to_owned() })
    }

    /// Checks that a target may be relayed to: 422 outside this machine, 409 when it is Creel itself.
    ///
    /// # Errors
    /// With the reason.
    pub async fn check_target_url(&self, text: &str, field: &str, allow_non_loopback: bool) -> Result<(), AppError> {
        let url = read_target_url(text, field)?;
        match check_target(&url, &self.core.address_policy(allow_non_loopback)).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == "relay_loop" => {
                Err(AppError::conflict("relay_loop", error.to_string(), error.hint()).about(field))
            }
            Err(error) => Err(AppError::refused(error.code(), field, error.to_string(), error.hint())),
        }
    }
}

fn key_reused() -> AppError {
    AppError::conflict(
        "idempotency_conflict",
        "This Idempotency-Key was used for another replay of the delivery",
        "Send a fresh key with each new replay.",
    )
}

fn check_replayable(original: &DeliverySummary, force: bool) -> Result<(), AppError> {
    match original.status {
        DeliveryStatus::Queued => Err(AppError::conflict(
            "delivery_queued",
            "The delivery is still being relayed",
            "Wait until its attempts have ended.",
        )),
        DeliveryStatus::Rejected if !force => Err(AppError::conflict(
            "not_replayable",
            "The delivery was rejected: its signature does not hold, so anybody may have sent it",
            "Replay it with `force` if you are sure.",
        )),
        _ => Ok(()),
    }
}

fn edited(
    original: &DeliverySummary,
    (headers, body): (Headers, Bytes),
    request: &ReplayRequest,
    body_bytes_max: u64,
) -> Result<Outgoing, AppError> {
    let headers = match &request.headers {
        Some(pairs) => Headers::from_pairs(pairs.iter().map(|(name, value)| (name, value)))
            .map_err(|error| AppError::refused("invalid_value", "headers", error.to_string(), "Correct the header."))?,
        None => headers,
    };
    let body = match &request.body_base64 {
        Some(text) => Bytes::from(STANDARD.decode(text).map_err(|error| {
            AppError::refused(
                "invalid_value",
                "body_base64",
                format!("not base64: {error}"),
                "Encode the body with base64.",
            )
        })?),
        None => body,
    };
    if body_bytes_max > 0 && body.len() as u64 > body_bytes_max {
        let message = format!("The body is larger than {body_bytes_max} bytes");
        return Err(AppError::refused("body_too_large", "body_base64", message, "Send less, or raise the limit."));
    }
    Ok(Outgoing {
        method: request.method.clone().map_or(Ok(original.method.clone()), checked_method)?,
        path: request.path.clone().map_or(Ok(original.path.clone()), checked_path)?,
        query: match &request.query {
            Some(query) => checked_query(query)?,
            None => original.query.clone(),
        },
        headers,
        body,
    })
}

/// A method is a token (RFC 9110 section 9.1); CONNECT opens a tunnel and is never relayed.
fn checked_method(method: String) -> Result<String, AppError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if method.is_empty() || !method.bytes().all(is_token) || method.eq_ignore_ascii_case("connect") {
        return Err(AppError::refused(
            "invalid_value",
            "method",
            "This is no method that can be relayed",
            "Use POST, for example.",
        ));
    }
    Ok(method)
}

fn checked_path(path: String) -> Result<String, AppError> {
    let fits = (path.is_empty() || path.starts_with('/')) && !path.contains(['?', '#']);
    if !fits || !is_visible_ascii(&path) {
        return Err(AppError::refused(
            "invalid_value",
            "path",
            "A path is empty or begins with `/`, and holds neither `?`, `#`, white space nor unescaped characters",
            "Percent-encode what is special.",
        ));
    }
    Ok(path)
}

fn checked_query(query: &str) -> Result<Option<String>, AppError> {
    if query.contains('#') || !is_visible_ascii(query) {
        return Err(AppError::refused(
            "invalid_value",
            "query",
            "A query holds neither `#`, white space nor unescaped characters",
            "Percent-encode what is special.",
        ));
    }
    Ok((!query.is_empty()).then(|| query.to_owned()))
}

fn is_visible_ascii(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The URL that a replay is signed for: the one that its original came to, with what is edited of it. A replay came to
/// none, and other deliveries may have come before one was known: they get the one of now.
fn url_to_sign(
    endpoint: &Endpoint,
    original: &DeliverySummary,
    outgoing: &Outgoing,
    known: Option<String>,
    base_now: Option<&str>,
) -> Option<String> {
    let is_edited = outgoing.path != original.path || outgoing.query != original.query;
    if !is_edited && known.is_some() {
        return known;
    }
    let came_behind = full_url("", endpoint, &original.path, original.query.as_deref());
    let base = known.as_deref().and_then(|url| url.strip_suffix(&came_behind)).or(base_now)?;
    Some(full_url(base, endpoint, &outgoing.path, outgoing.query.as_deref()))
}

/// Replaces the signature by a fresh one, in the headers or in the body.
fn resign(
    entry: &EndpointEntry,
    outgoing: &mut Outgoing,
    public_url: Option<&str>,
    now: Timestamp,
) -> Result<(), AppError> {
    let no_secret = || {
        AppError::refused(
            "no_secret",
            "resign",
            "The endpoint has no signing secret to sign with",
            "Set one, or replay without `resign`.",
        )
    };
    let Some(provider) = &entry.provider else { return Err(no_secret()) };
    let request =
        SignedRequest { method: &outgoing.method, url: public_url, headers: &outgoing.headers, body: &outgoing.body };
    let signed = sign_for(entry, provider, &request, now, "resign")?.ok_or_else(no_secret)?;
    outgoing.headers = signed.headers_in(&outgoing.headers).map_err(|error| AppError::internal(error.to_string()))?;
    if let Some(body) = signed.body {
        outgoing.body = Bytes::from(body);
    }
    Ok(())
}

fn replay_key(id: DeliveryId, key: String, request: &ReplayRequest) -> Result<ReplayKey, AppError> {
    let asked = serde_json::to_vec(request).map_err(|error| AppError::internal(error.to_string()))?;
    Ok(ReplayKey { delivery: id, key, request_hash: Sha256::digest(asked).to_vec() })
}

fn new_delivery(
    entry: &EndpointEntry,
    original: &DeliverySummary,
    outgoing: Outgoing,
    (event, event_source): (String, String),
    destinations: &[Destination],
    now: Timestamp,
    force: bool,
) -> NewDelivery {
    let id = DeliveryId::new();
    let attempts = pending_attempts(id, destinations, now, force);
    let nowhere = attempts.is_empty();
    let summary = DeliverySummary {
        id,
        seq: 0,
        endpoint_id: original.endpoint_id,
        provider: entry.endpoint.provider.clone(),
        event,
        event_source,
        dedupe_key: None,
        dedupe_source: None,
        signature_status: SignatureStatus::NotRequired,
        signature_reason: SignatureReason::NotSigned,
        status: if nowhere { DeliveryStatus::Dispatched } else { DeliveryStatus::Queued },
        reason: nowhere.then(|| NO_TARGET.to_owned()),
        attempt_count: 1,
        relay_attempt_count: attempts.len() as u32,
        method: outgoing.method,
        path: outgoing.path,
        query: outgoing.query,
        content_type: outgoing.headers.get_text("content-type").map(media_type),
        body_size: outgoing.body.len() as u64,
        response_status: None,
        relay_status: None,
        relay_outcome: None,
        relay_duration_ms: None,
        replayed_from_delivery_id: Some(original.id),
        duplicate_of: None,
        pinned: false,
        error: None,
        received_at: now,
        last_attempt_at: now,
        created_at: now,
    };
    NewDelivery {
        endpoint_row: entry.row,
        summary: Arc::new(summary),
        payload: Payload {
            http_version: "1.1".to_owned(),
            remote_addr: None,
            client_ip: None,
            client_ip_source: None,
            public_url: None,
            headers: outgoing.headers,
            response_headers: None,
            response_body: None,
            body: outgoing.body,
        },
        tunnel: None,
        attempts,
        on_repeat: DuplicatePolicy::Collapse,
        replay_key: None,
    }
}
