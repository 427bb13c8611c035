//! Test events: a sample of the endpoint's provider, posted to the endpoint's own URL as any sender would.
//!
//! It takes the whole way (ingress, signature, store, relay), so that what it shows is what a sender will meet. It is
//! signed with the endpoint's secret inside the engine; the secret is never part of an answer.

use std::sync::Arc;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::parameters::EndpointPath;
use crate::app::App;
use crate::app::endpoint_table::EndpointEntry;
use crate::app::error::AppError;
use crate::app::judgement::public_url_of;
use crate::app::operation::{Input, Json, NoQuery, Optional};
use crate::app::signing::sign_for;
use crate::domain::{DeliveryId, Headers, Timestamp};
use crate::relay::{IngressAnswer, post_to_ingress};
use crate::signature::{BodyFacts, Provider, Sample, SampleRequest, SignedRequest};
use crate::store::{read_newer_with_key, read_newest_seq};

/// Where every provider's dedupe key is looked for last (CONTRACT section 3).
const KEY_HEADER: &str = "Idempotency-Key";

/// Which sample is sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(optional_fields))]
#[serde(default, deny_unknown_fields)]
pub struct TestEventRequest {
    /// One of the provider's `sample_events`; its first unless given.
    pub event: Option<String>,
}

/// What came of a test event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct SentTestEvent {
    /// The event that was sent.
    pub event: String,
    /// Whether it was signed: whether the endpoint has a secret, and its provider signs.
    pub signed: bool,
    /// The delivery that it became; null when the ingress refused it.
    pub delivery_id: Option<DeliveryId>,
    /// HTTP status that the sender was told; null when no answer came in time.
    pub response_status: Option<u16>,
    /// `status` of the answer's body, such as `accepted`; null when the endpoint answers with something else.
    pub response_word: Option<String>,
    /// Why there is no answer.
    pub reason: Option<String>,
    /// Milliseconds to the answer, or to giving up.
    pub duration_ms: u64,
}

/// `POST /endpoints/{id}/test-event`
pub async fn send(
    app: Arc<App>,
    input: Input<EndpointPath, NoQuery, Optional<TestEventRequest>>,
) -> Result<Json<SentTestEvent>, AppError> {
    let entry = app.entry(input.params.id)?;
    let Some(provider) = entry.provider.as_deref() else {
        return Err(AppError::internal("the catalogue does not know the endpoint's provider"));
    };
    let sample = sample_of(provider, input.body.0.event.as_deref())?;
    let now = app.core.clock.now();
    let made = sample.request(*DeliveryId::new().as_bytes(), now);
    let made = made.map_err(|error| AppError::internal(error.to_string()))?;
    let url = public_url_of(&entry.endpoint, app.core.addresses.public_base().as_deref(), "", None);
    let (request, signed) = signed(&entry, provider, made, url.as_deref(), now)?;
    let (request, key) = with_key(provider, request)?;
    let newest = app.core.store.read(read_newest_seq).await?;
    let began = Instant::now();
    let path = entry.endpoint.ingress_path();
    let answer = post_to_ingress(app.core.addresses.ingress, &path, &request.headers, Bytes::from(request.body)).await;
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let row = entry.row;
    let delivery_id = app.core.store.read(move |connection| read_newer_with_key(connection, row, &key, newest)).await?;
    Ok(Json(SentTestEvent {
        event: sample.event.clone(),
        signed,
        delivery_id,
        response_status: answer.as_ref().ok().map(|answer| answer.status),
        response_word: answer.as_ref().ok().and_then(word_of),
        reason: answer.err().map(|error| error.to_string()),
        duration_ms,
    }))
}

fn sample_of<'a>(provider: &'a Provider, event: Option<&str>) -> Result<&'a Sample, AppError> {
    let found = match event {
        None => provider.samples.first(),
        Some(event) => provider.samples.iter().find(|sample| sample.event == event),
    };
    found.ok_or_else(|| {
        let known: Vec<&str> = provider.samples.iter().map(|sample| sample.event.as_str()).collect();
        let help = if known.is_empty() {
            "Choose the provider `generic` to try the endpoint out.".to_owned()
        } else {
            format!("There is {}.", known.join(", "))
        };
        let message = format!("There is no sample of this event for {}", provider.name);
        AppError::refused("unknown_sample", "event", message, help)
    })
}

/// The sample with its signature, when there is a secret to sign with.
fn signed(
    entry: &EndpointEntry,
    provider: &Provider,
    made: SampleRequest,
    url: Option<&str>,
    now: Timestamp,
) -> Result<(SampleRequest, bool), AppError> {
    let request = SignedRequest { method: "POST", url, headers: &made.headers, body: &made.body };
    let Some(signed) = sign_for(entry, provider, &request, now, "event")? else { return Ok((made, false)) };
    let headers = signed.headers_in(&made.headers).map_err(|error| AppError::internal(error.to_string()))?;
    let body = signed.body.unwrap_or(made.body);
    Ok((SampleRequest { headers, body }, true))
}

/// The sample with its dedupe key: the delivery is found by it whatever the endpoint's reply says. Where the provider
/// sends none, one is added.
fn with_key(provider: &Provider, made: SampleRequest) -> Result<(SampleRequest, String), AppError> {
    let facts = BodyFacts::read(&made.body);
    if let Some(found) = provider.dedupe_key(&made.headers, &facts, &made.body) {
        return Ok((made, found.key));
    }
    let key = DeliveryId::new().to_string();
    let pairs = made.headers.to_text_pairs().into_iter().chain([(KEY_HEADER.to_owned(), key.clone())]);
    let headers = Headers::from_pairs(pairs).map_err(|error| AppError::internal(error.to_string()))?;
    Ok((SampleRequest { headers, ..made }, key))
}

/// The word of CONTRACT section 3 in the ingress's own answers.
fn word_of(answer: &IngressAnswer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    body.get("status")?.as_str().map(str::to_owned)
}
