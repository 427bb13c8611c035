//! Deliveries: stored inbound requests and replays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AttemptOutcome, DeliveryId, DeliveryTunnel, EndpointId, SignatureReason, SignatureStatus, Timestamp, words,
};

words! {
    /// How a delivery stands.
    DeliveryStatus {
        /// Its attempts have not all ended.
        Queued = "queued",
        /// At least one target answered 2xx or 3xx, or there was nothing to relay to.
        Dispatched = "dispatched",
        /// Its signature does not hold; never relayed unasked.
        Rejected = "rejected",
        /// Stored and not relayed: endpoint disabled, event filtered, or a handshake.
        Ignored = "ignored",
        /// Every target failed.
        Failed = "failed",
        /// The process died between sending and recording; never resent unasked.
        Interrupted = "interrupted",
    }
}

/// The slim row of a delivery: everything but head, bodies and arrivals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct DeliverySummary {
    /// Its name.
    pub id: DeliveryId,
    /// Order of storing over all endpoints; never reused.
    pub seq: i64,
    /// The endpoint it came to.
    pub endpoint_id: EndpointId,
    /// Slug of the endpoint's provider at arrival.
    pub provider: String,
    /// Event name.
    pub event: String,
    /// Where the name came from: `body:<field>`, a lower-case header name, or `default`.
    pub event_source: String,
    /// What makes a repeat recognisable; null: never collapsed.
    pub dedupe_key: Option<String>,
    /// Where the key came from: a lower-case header name or `body:<path>`.
    pub dedupe_source: Option<String>,
    /// Verdict on its signature.
    pub signature_status: SignatureStatus,
    /// Why.
    pub signature_reason: SignatureReason,
    /// How it stands.
    pub status: DeliveryStatus,
    /// Why it was rejected or ignored, or that there was no target.
    pub reason: Option<String>,
    /// Arrivals: 1, and one more for each collapsed duplicate.
    pub attempt_count: u32,
    /// Relay attempts.
    pub relay_attempt_count: u32,
    /// HTTP method.
    pub method: String,
    /// The path behind the token, as received.
    pub path: String,
    /// The query without `?`, as received; null when there was none.
    pub query: Option<String>,
    /// Content type without parameters, lower case.
    pub content_type: Option<String>,
    /// Bytes of the body.
    pub body_size: u64,
    /// What the sender was told; null for a replay, and while a passthrough waits.
    pub response_status: Option<u16>,
    /// HTTP status of the newest attempt.
    pub relay_status: Option<u16>,
    /// Outcome of the newest attempt.
    pub relay_outcome: Option<AttemptOutcome>,
    /// Duration of the newest attempt in milliseconds.
    pub relay_duration_ms: Option<u64>,
    /// The delivery this one repeats.
    pub replayed_from_delivery_id: Option<DeliveryId>,
    /// The delivery that holds this one's key, under `duplicate_policy: relay`.
    pub duplicate_of: Option<DeliveryId>,
    /// Kept by retention.
    pub pinned: bool,
    /// What went wrong, for people; null when nothing did.
    pub error: Option<String>,
    /// When the request was complete.
    pub received_at: Timestamp,
    /// Newest arrival or attempt.
    pub last_attempt_at: Timestamp,
    /// When the row was made.
    pub created_at: Timestamp,
}

/// One receipt of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct ArrivalSummary {
    /// Counts from 1; 1 is the delivery itself.
    pub n: u32,
    /// When the request was complete.
    pub received_at: Timestamp,
    /// Address of the peer.
    pub remote_addr: Option<String>,
    /// Address of the true client, as far as it can be known.
    pub client_ip: Option<String>,
    /// The URL as this sender saw it, as known at this arrival.
    pub public_url: Option<String>,
    /// The tunnel that it came by; null when that was none of Creel's own, and for a replay.
    pub tunnel: Option<DeliveryTunnel>,
    /// All headers, in order, repeats kept.
    pub headers: Vec<(String, String)>,
    /// Verdict on this arrival's signature.
    pub signature_status: SignatureStatus,
    /// Bytes of its body.
    pub body_size: u64,
    /// Whether its body equals the delivery's; if not, it is kept.
    pub same_body: bool,
}
