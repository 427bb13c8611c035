//! One delivery of a filled directory: made from a number, judged by the catalogue, stored by the writer.

use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use creel::domain::{
    Attempt, AttemptId, AttemptOutcome, DeliveryId, DeliveryStatus, DeliverySummary, DuplicatePolicy, Endpoint,
    Headers, SignatureReason, SignatureStatus, Timestamp,
};
use creel::signature::{BodyFacts, SignedRequest};
use creel::store::{NewAttempt, NewDelivery, Payload, StoreError, Writing};
use creel_rig::chance::{drawn, uuid};
use creel_rig::samples::{self, GITHUB_EVENTS, SHOP_EVENTS, Sample};
use creel_rig::sign::{SIGNATURE_HEADER, signature};

use super::endpoints::{FilledEndpoint, SECRET};
use super::outcome::{Relayed, relayed};

/// Bodies kept of each kind of event; each use puts its own number in.
const VARIANTS: u64 = 24;
/// Stands in a body where the number goes; as long as [`numbered`] makes it.
const MARK: &str = "@number@@@@@@@@@";
/// One delivery in this many has a wrong signature.
const FORGED_EVERY: u64 = 71;
/// One delivery in this many has none.
const UNSIGNED_EVERY: u64 = 211;
/// One delivery in this many repeats the key and body of the one before it.
const REPEATED_EVERY: u64 = 37;
/// One delivery in this many is pinned.
const PINNED_EVERY: u64 = 4_001;
/// One delivery in this many is followed by its replay.
const REPLAYED_EVERY: u64 = 503;

/// Bodies made beforehand: making JSON a million times would take longer than storing it.
pub struct Pool {
    github: Vec<Sample>,
    shop: Vec<Sample>,
}

impl Pool {
    pub fn new() -> Result<Pool> {
        let kinds = |count: usize, make: fn(usize, u64) -> Sample| -> Result<Vec<Sample>> {
            (0..count)
                .flat_map(|event| (0..VARIANTS).map(move |variant| (event, variant)))
                .map(|(event, variant)| marked(make(event, variant)))
                .collect()
        };
        Ok(Pool {
            github: kinds(GITHUB_EVENTS.len(), samples::github)?,
            shop: kinds(SHOP_EVENTS.len(), samples::shop)?,
        })
    }

    fn of(&self, provider: &str, number: u64) -> &Sample {
        let samples = if provider == "github" { &self.github } else { &self.shop };
        &samples[(drawn(number ^ 0xe7) % samples.len() as u64) as usize]
    }
}

/// The sample with a field for the number.
fn marked(mut sample: Sample) -> Result<Sample> {
    let mut body: serde_json::Value = serde_json::from_str(&sample.body)?;
    body["trace"] = MARK.into();
    sample.body = body.to_string();
    Ok(sample)
}

fn numbered(number: u64) -> String {
    format!("n{number:015}")
}

/// A delivery ready to be stored, with what its targets answered.
pub struct Storing {
    new: NewDelivery,
    relayed: Vec<(AttemptId, Relayed)>,
    pinned: bool,
    replay: Option<Box<Storing>>,
}

impl Storing {
    /// Stores it as capture and relay would have.
    pub fn store(&mut self, writing: &mut Writing<'_>) -> Result<(), StoreError> {
        writing.store_delivery(&mut self.new)?;
        for (attempt, relayed) in &self.relayed {
            // Not there when the delivery became an arrival of another one.
            if writing.start_attempt(*attempt, relayed.started_at)? {
                writing.end_attempt(*attempt, &relayed.end)?;
            }
        }
        if self.pinned {
            writing.set_pinned(self.new.summary.id, true)?;
        }
        self.replay.as_mut().map_or(Ok(()), |replay| replay.store(writing))
    }
}

/// The delivery of a number. A repeat is the webhook of the number before it once more.
pub fn storing(endpoints: &[FilledEndpoint], pool: &Pool, number: u64, at: Timestamp) -> Result<Storing> {
    let repeats = number > 0 && number.is_multiple_of(REPEATED_EVERY);
    let webhook = if repeats { number - 1 } else { number };
    let filled = endpoint_of(endpoints, webhook);
    let (headers, body) = request(filled, pool, webhook)?;
    let mut storing = judged(filled, number, at, headers, body)?;
    storing.pinned = number % PINNED_EVERY == 5;
    let may_be_replayed = !repeats && !storing.relayed.is_empty();
    if may_be_replayed && number % REPLAYED_EVERY == 1 {
        storing.replay = Some(Box::new(replay_of(filled, &storing.new, number)?));
    }
    Ok(storing)
}

fn endpoint_of(endpoints: &[FilledEndpoint], number: u64) -> &FilledEndpoint {
    let mut place = drawn(number ^ 0x0e) % 100;
    endpoints
        .iter()
        .find(|filled| {
            let here = place < filled.share;
            place = place.saturating_sub(filled.share);
            here
        })
        .unwrap_or(&endpoints[0])
}

/// Head and body as the sender writes them.
fn request(filled: &FilledEndpoint, pool: &Pool, number: u64) -> Result<(Headers, Bytes)> {
    let sample = pool.of(&filled.endpoint.provider, number);
    let body = sample.body.replace(MARK, &numbered(number));
    let mut pairs = vec![("Host", "hooks.northwind.example".to_owned()), ("Content-Length", body.len().to_string())];
    for (name, value) in &sample.headers {
        let value = match *name {
            "X-GitHub-Delivery" => uuid(number),
            "Idempotency-Key" => format!("evt_{}", uuid(number)),
            _ => value.clone(),
        };
        pairs.push((name, value));
    }
    if !filled.secrets.is_empty() && number % UNSIGNED_EVERY != 17 {
        let secret = if number % FORGED_EVERY == 9 { "the-secret-before-the-rotation" } else { SECRET };
        pairs.push((SIGNATURE_HEADER, signature(secret, body.as_bytes())?));
    }
    Ok((Headers::from_pairs(pairs)?, Bytes::from(body)))
}

/// Verdict, name, key, outcome and answer, as `capture` decides them.
fn judged(filled: &FilledEndpoint, number: u64, at: Timestamp, headers: Headers, body: Bytes) -> Result<Storing> {
    let endpoint = &filled.endpoint;
    let signed = SignedRequest { method: "POST", url: None, headers: &headers, body: &body };
    let verdict = filled.provider.verify(None, &endpoint.provider_options, &filled.secrets, &signed, at)?;
    let facts = BodyFacts::read(&body);
    let event = filled.provider.event_name(&headers, &facts, &body);
    let key = filled.provider.dedupe_key(&headers, &facts, &body);
    let id = DeliveryId::new();
    let holds = matches!(verdict.status, SignatureStatus::Valid | SignatureStatus::NotRequired);
    let relays = holds && endpoint.enabled && !endpoint.targets.is_empty();
    let attempts = if relays { pending(endpoint, id, at) } else { Vec::new() };
    let ids: Vec<AttemptId> = attempts.iter().map(|new| new.attempt.id).collect();
    let (status, reason, answer) = if !holds {
        let reason = match verdict.reason {
            SignatureReason::MissingHeader => "missing_signature",
            _ => "invalid_signature",
        };
        (DeliveryStatus::Rejected, Some(reason), told(401, id, "rejected", reason))
    } else if !endpoint.enabled {
        (DeliveryStatus::Ignored, Some("endpoint_disabled"), told(200, id, "ignored", "endpoint_disabled"))
    } else if relays {
        (DeliveryStatus::Queued, None, accepted(id, endpoint, &ids))
    } else {
        (DeliveryStatus::Dispatched, Some("no_target"), told(200, id, "skipped", "no_target"))
    };
    let summary = DeliverySummary {
        id,
        seq: 0,
        endpoint_id: endpoint.id,
        provider: endpoint.provider.clone(),
        event: event.name,
        event_source: event.source,
        dedupe_key: key.as_ref().map(|key| key.key.clone()),
        dedupe_source: key.map(|key| key.source),
        signature_status: verdict.status,
        signature_reason: verdict.reason,
        status,
        reason: reason.map(str::to_owned),
        attempt_count: 1,
        relay_attempt_count: u32::try_from(ids.len())?,
        method: "POST".to_owned(),
        path: if number % 13 == 2 { "/v2/events".to_owned() } else { String::new() },
        query: (number % 29 == 3).then(|| "region=eu".to_owned()),
        content_type: Some("application/json".to_owned()),
        body_size: body.len() as u64,
        response_status: Some(answer.status),
        relay_status: None,
        relay_outcome: None,
        relay_duration_ms: None,
        replayed_from_delivery_id: None,
        duplicate_of: None,
        pinned: false,
        error: None,
        received_at: at,
        last_attempt_at: at,
        created_at: at,
    };
    let payload = payload(number, headers, body, Some(answer.body));
    let relayed = answers(&ids, number, at)?;
    let new = NewDelivery {
        endpoint_row: filled.row,
        summary: Arc::new(summary),
        payload,
        tunnel: None,
        attempts,
        on_repeat: DuplicatePolicy::Collapse,
        replay_key: None,
    };
    Ok(Storing { new, relayed, pinned: false, replay: None })
}

/// An attempt to each target; no target here filters events.
fn pending(endpoint: &Endpoint, delivery_id: DeliveryId, at: Timestamp) -> Vec<NewAttempt> {
    let numbered = (1_u32..).zip(&endpoint.targets);
    let attempts = numbered.map(|(n, target)| Attempt {
        id: AttemptId::new(),
        delivery_id,
        n,
        target_id: Some(target.id),
        target_url: target.url.clone(),
        outcome: AttemptOutcome::Pending,
        reason: None,
        response_status: None,
        response_headers: None,
        response_size: None,
        created_at: at,
        started_at: None,
        finished_at: None,
        duration_ms: None,
        timings: None,
    });
    attempts.map(|attempt| NewAttempt { attempt: Arc::new(attempt), force: false }).collect()
}

/// What the sender was told (CONTRACT section 3).
struct Told {
    status: u16,
    body: String,
}

fn told(status: u16, id: DeliveryId, word: &str, reason: &str) -> Told {
    Told { status, body: format!(r#"{{"status":"{word}","delivery_id":"{id}","reason":"{reason}"}}"#) }
}

fn accepted(id: DeliveryId, endpoint: &Endpoint, attempts: &[AttemptId]) -> Told {
    let ids: Vec<String> = attempts.iter().map(|attempt| format!("\"{attempt}\"")).collect();
    let (endpoint, ids) = (endpoint.id, ids.join(","));
    let body =
        format!(r#"{{"status":"accepted","delivery_id":"{id}","endpoint_id":"{endpoint}","attempt_ids":[{ids}]}}"#);
    Told { status: 200, body }
}

/// The same webhook on purpose, a minute later: no key, no verdict, nobody told.
fn replay_of(filled: &FilledEndpoint, original: &NewDelivery, number: u64) -> Result<Storing> {
    let at = Timestamp::from_millis(original.summary.received_at.as_millis() + 60_000);
    let id = DeliveryId::new();
    let attempts = pending(&filled.endpoint, id, at);
    let ids: Vec<AttemptId> = attempts.iter().map(|new| new.attempt.id).collect();
    let summary = DeliverySummary {
        id,
        replayed_from_delivery_id: Some(original.summary.id),
        dedupe_key: None,
        dedupe_source: None,
        signature_status: SignatureStatus::NotRequired,
        signature_reason: SignatureReason::NotSigned,
        response_status: None,
        received_at: at,
        last_attempt_at: at,
        created_at: at,
        ..(*original.summary).clone()
    };
    let payload = payload(number, original.payload.headers.clone(), original.payload.body.clone(), None);
    let relayed = answers(&ids, number ^ 0xf00d, at)?;
    let new = NewDelivery { summary: Arc::new(summary), payload, attempts, replay_key: None, ..original.clone() };
    Ok(Storing { new, relayed, pinned: false, replay: None })
}

fn answers(ids: &[AttemptId], number: u64, at: Timestamp) -> Result<Vec<(AttemptId, Relayed)>> {
    (0..).zip(ids).map(|(target, id)| Ok((*id, relayed(number, target, at)?))).collect()
}

fn payload(number: u64, headers: Headers, body: Bytes, answer: Option<String>) -> Payload {
    let json = || Headers::from_checked_block(Bytes::from_static(b"Content-Type: application/json\r\n"));
    let client = format!("140.82.{}.{}", drawn(number) % 128, drawn(number + 1) % 250);
    Payload {
        http_version: "1.1".to_owned(),
        remote_addr: Some(format!("127.0.0.1:{}", 32_768 + number % 28_000)),
        client_ip: Some(client),
        client_ip_source: Some("cf-connecting-ip".to_owned()),
        public_url: None,
        headers,
        response_headers: answer.as_ref().map(|_| json()),
        response_body: answer.map(Bytes::from),
        body,
    }
}
