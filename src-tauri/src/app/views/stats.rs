//! Health and counts as shown.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::Timestamp;

/// That the engine runs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Health {
    /// `ok`
    pub status: &'static str,
    /// Version of the engine.
    pub version: &'static str,
}

/// Deliveries by state.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct StatusCounts {
    /// Being relayed.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub queued: i64,
    /// Relayed, or nothing to relay to.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub dispatched: i64,
    /// Signature does not hold.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub rejected: i64,
    /// Stored, not relayed.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub ignored: i64,
    /// Every target failed.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub failed: i64,
    /// The process died in between.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub interrupted: i64,
}

/// Counts and rates of a running engine.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Stats {
    /// Version of the engine.
    pub version: &'static str,
    /// When it started.
    pub started_at: Timestamp,
    /// Endpoints.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub endpoints: u64,
    /// Deliveries stored now.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub deliveries: i64,
    /// The same by state.
    pub deliveries_by_status: StatusCounts,
    /// Deliveries stored since the start.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub received: u64,
    /// Deliveries a second over the last ten seconds.
    pub received_per_second: f64,
    /// Requests refused since the start.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub refused: u64,
    /// Requests that could not be stored since the start.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub dropped: u64,
    /// Bytes of the database file.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub database_bytes: u64,
    /// Bytes of its write-ahead log.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub wal_bytes: u64,
    /// Jobs that the writer has not taken yet.
    #[cfg_attr(feature = "types", ts(type = "number"))]
    pub writer_queue_depth: u64,
    /// Whether senders can reach a public URL; its base.
    pub public_url: Option<String>,
    /// Base URL of the ingress.
    pub ingress_url: String,
}
