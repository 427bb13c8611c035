//! Deliveries as shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::limits::BODY_INLINE_BYTES_MAX;
use crate::domain::{ArrivalSummary, DeliveryId, DeliverySummary, DeliveryTunnel, Headers};
use crate::signature::envelope;
use crate::store::{DeliveryPage, Payload};

/// The full row: the slim one with head, bodies and arrivals.
#[derive(Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct DeliveryDetail {
    /// The slim row.
    #[serde(flatten)]
    #[cfg_attr(feature = "types", ts(flatten))]
    pub summary: DeliverySummary,
    /// All headers, in order, repeats kept.
    pub headers: Vec<(String, String)>,
    /// Address of the peer; null for a replay.
    pub remote_addr: Option<String>,
    /// Address of the true client, as far as known.
    pub client_ip: Option<String>,
    /// How it became known.
    pub client_ip_source: Option<String>,
    /// The URL as the sender saw it, as known at arrival.
    pub public_url: Option<String>,
    /// The tunnel that it came by; null when that was none of Creel's own, and for a replay.
    pub tunnel: Option<DeliveryTunnel>,
    /// `1.1`
    pub http_version: String,
    /// The body, when it is inlined and valid UTF-8.
    pub raw_body: Option<String>,
    /// The body, when it is inlined and not valid UTF-8.
    pub raw_body_base64: Option<String>,
    /// Whether the body stands here; larger ones are fetched on their own.
    pub body_inlined: bool,
    /// Headers of what the sender was told.
    pub response_headers: Option<Vec<(String, String)>>,
    /// Body of what the sender was told.
    pub response_body: Option<String>,
    /// Every receipt; the first is the delivery itself.
    pub arrivals: Vec<ArrivalSummary>,
    /// Replays of this delivery, oldest first.
    pub replay_ids: Vec<DeliveryId>,
    /// Event, payload and request in one JSON object; null when the body is no JSON or not inlined.
    #[schemars(with = "Option<serde_json::Value>")]
    #[cfg_attr(feature = "types", ts(type = "unknown"))]
    pub envelope: Option<Box<RawValue>>,
}

/// One page of deliveries.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct DeliveryList {
    /// Newest first.
    pub deliveries: Vec<DeliverySummary>,
    /// Pass it as `before` for the next page; null at the end.
    pub next_before: Option<i64>,
    /// All that match, whatever the cursor.
    pub total: i64,
    /// Whether there may be more than `total`.
    pub total_is_minimum: bool,
    /// How many that match are newer than the first row. Null unless `rank=true` asked for it; also when there is no
    /// row, and beyond 10,000 with filters other than endpoint and status.
    pub rank: Option<i64>,
}

impl From<DeliveryPage> for DeliveryList {
    fn from(page: DeliveryPage) -> Self {
        Self {
            deliveries: page.deliveries,
            next_before: page.next_before,
            total: page.total,
            total_is_minimum: page.total_is_minimum,
            rank: page.rank,
        }
    }
}

impl DeliveryDetail {
    /// A delivery as shown; `later_arrivals` without the first.
    #[must_use]
    pub fn of(
        summary: DeliverySummary,
        payload: Payload,
        tunnel: Option<DeliveryTunnel>,
        later_arrivals: Vec<ArrivalSummary>,
        replay_ids: Vec<DeliveryId>,
    ) -> Self {
        let body_inlined = payload.body.len() as u64 <= BODY_INLINE_BYTES_MAX;
        let (raw_body, raw_body_base64) = if body_inlined { inlined(&payload.body) } else { (None, None) };
        let envelope = if body_inlined {
            envelope(&summary.event, &payload.body, summary.received_at, summary.content_type.as_deref())
        } else {
            None
        };
        let first = ArrivalSummary {
            n: 1,
            received_at: summary.received_at,
            remote_addr: payload.remote_addr.clone(),
            client_ip: payload.client_ip.clone(),
            public_url: payload.public_url.clone(),
            tunnel: tunnel.clone(),
            headers: payload.headers.to_text_pairs(),
            signature_status: summary.signature_status,
            body_size: summary.body_size,
            same_body: true,
        };
        Self {
            headers: first.headers.clone(),
            remote_addr: payload.remote_addr,
            client_ip: payload.client_ip,
            client_ip_source: payload.client_ip_source,
            public_url: payload.public_url,
            tunnel,
            http_version: payload.http_version,
            raw_body,
            raw_body_base64,
            body_inlined,
            response_headers: payload.response_headers.as_ref().map(Headers::to_text_pairs),
            response_body: payload.response_body.map(|body| String::from_utf8_lossy(&body).into_owned()),
            arrivals: std::iter::once(first).chain(later_arrivals).collect(),
            replay_ids,
            envelope,
            summary,
        }
    }
}

fn inlined(body: &Bytes) -> (Option<String>, Option<String>) {
    match std::str::from_utf8(body) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(STANDARD.encode(body))),
    }
}
