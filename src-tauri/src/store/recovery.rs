//! What a crash left behind, put right at the next start, before anything is accepted.

use rusqlite::params;

use super::StoreError;
use super::words::blob_id;
use super::writer::Writing;
use crate::domain::{AttemptId, AttemptOutcome, Timestamp};

/// Said of an attempt that was under way when the process died.
const IN_DOUBT_REASON: &str = "Creel stopped while this was under way; your app may or may not have seen it";

impl Writing<'_> {
    /// Marks attempts that were under way as in doubt and their deliveries as interrupted; returns how many there were.
    /// Attempts that were never started stay pending: the relay sends them.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn recover(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let under_way: Vec<(AttemptId, i64)> = self
            .connection
            .prepare("SELECT id, delivery FROM attempts WHERE outcome = 'pending' AND started_at IS NOT NULL")?
            .query_map([], |row| Ok((blob_id(row, 0, AttemptId::from_bytes)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for &(id, delivery) in &under_way {
            self.connection
                .prepare_cached("UPDATE attempts SET outcome = ?2, reason = ?3, finished_at = ?4 WHERE id = ?1")?
                .execute(params![id.as_bytes(), AttemptOutcome::InDoubt.as_str(), IN_DOUBT_REASON, now.as_millis()])?;
            self.connection
                .prepare_cached("UPDATE deliveries SET relay_status = NULL, relay_outcome = ?2 WHERE seq = ?1")?
                .execute(params![delivery, AttemptOutcome::InDoubt.as_str()])?;
            self.settle_delivery(delivery)?;
            self.announce_delivery(delivery)?;
        }
        Ok(under_way.len() as u64)
    }
}
