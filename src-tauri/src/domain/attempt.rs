//! Attempts: one outbound request each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AttemptId, DeliveryId, TargetId, Timestamp, words};

words! {
    /// How an attempt stands or ended.
    AttemptOutcome {
        /// Not ended yet.
        Pending = "pending",
        /// Waits for the target to come back.
        Held = "held",
        /// The target answered 2xx or 3xx.
        Succeeded = "succeeded",
        /// The target answered anything else.
        HttpError = "http_error",
        /// No connection: refused, no route, no such name, not allowed.
        ConnectFailed = "connect_failed",
        /// A time limit ran out.
        TimedOut = "timed_out",
        /// The connection broke, or the answer was no HTTP.
        Reset = "reset",
        /// The process died between sending and recording.
        InDoubt = "in_doubt",
    }
}

/// When an attempt got how far, in milliseconds from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct AttemptTimings {
    /// To a usable connection; null when there was none.
    pub connect_ms: Option<u64>,
    /// To the first byte of the answer; null when none came.
    pub first_byte_ms: Option<u64>,
    /// To the end.
    pub total_ms: u64,
}

/// One outbound request that relays a delivery to one target, with its outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Attempt {
    /// Its name.
    pub id: AttemptId,
    /// The delivery it relays.
    pub delivery_id: DeliveryId,
    /// Counts from 1 within the delivery.
    pub n: u32,
    /// The endpoint's target; null when a replay named a URL of its own.
    pub target_id: Option<TargetId>,
    /// Where it goes, as the target was configured when the attempt was made.
    pub target_url: String,
    /// How it stands.
    pub outcome: AttemptOutcome,
    /// What exactly happened, for people; null on success and while pending.
    pub reason: Option<String>,
    /// The target's HTTP status.
    pub response_status: Option<u16>,
    /// The target's headers, in order, repeats kept.
    pub response_headers: Option<Vec<(String, String)>>,
    /// Length in bytes of the target's body as far as it was read.
    pub response_size: Option<u64>,
    /// When it was inserted.
    pub created_at: Timestamp,
    /// Committed before the connection was opened.
    pub started_at: Option<Timestamp>,
    /// When its outcome was known.
    pub finished_at: Option<Timestamp>,
    /// From start to end, in milliseconds.
    pub duration_ms: Option<u64>,
    /// How the time was spent; null while it runs, and where it was not recorded.
    pub timings: Option<AttemptTimings>,
}
