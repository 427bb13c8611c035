//! Health and counts as shown.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::{DeliveryStatus, Timestamp};

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
    pub queued: i64,
    /// Relayed, or nothing to relay to.
    pub dispatched: i64,
    /// Signature does not hold.
    pub rejected: i64,
    /// Stored, not relayed.
    pub ignored: i64,
    /// Every target failed.
    pub failed: i64,
    /// The process died in between.
    pub interrupted: i64,
}

impl StatusCounts {
    /// The count of one state.
    pub fn of_mut(&mut self, status: DeliveryStatus) -> &mut i64 {
        match status {
            DeliveryStatus::Queued => &mut self.queued,
            DeliveryStatus::Dispatched => &mut self.dispatched,
            DeliveryStatus::Rejected => &mut self.rejected,
            DeliveryStatus::Ignored => &mut self.ignored,
            DeliveryStatus::Failed => &mut self.failed,
            DeliveryStatus::Interrupted => &mut self.interrupted,
        }
    }
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
    pub endpoints: u64,
    /// Deliveries stored now.
    pub deliveries: i64,
    /// The same by state.
    pub deliveries_by_status: StatusCounts,
    /// Deliveries stored since the start.
    pub received: u64,
    /// Deliveries a second over the last ten seconds.
    pub received_per_second: f64,
    /// Requests refused since the start.
    pub refused: u64,
    /// Requests that could not be stored since the start.
    pub dropped: u64,
    /// Bytes of the database file.
    pub database_bytes: u64,
    /// Bytes of its write-ahead log.
    pub wal_bytes: u64,
    /// Jobs that the writer has not taken yet.
    pub writer_queue_depth: u64,
    /// Whether senders can reach a public URL; its base.
    pub public_url: Option<String>,
    /// Base URL of the ingress.
    pub ingress_url: String,
}
