//! Refusals: the newest thousand.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::StoreError;
use super::change::Change;
use super::words::{blob_id, opt_blob_id, word};
use super::writer::Writing;
use crate::domain::limits::REFUSALS_KEPT;
use crate::domain::{EndpointId, Refusal, RefusalId, RefusalReason, Timestamp};

impl Writing<'_> {
    /// Keeps a refusal and lets the oldest go.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn store_refusal(&mut self, refusal: &Arc<Refusal>) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO refusals (id, at, endpoint_id, status, reason, method, path, body_size, remote_addr)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                refusal.id.as_bytes(),
                refusal.at.as_millis(),
                refusal.endpoint_id.as_ref().map(EndpointId::as_bytes),
                refusal.status,
                refusal.reason.as_str(),
                refusal.method,
                refusal.path,
                refusal.body_size,
                refusal.remote_addr,
            ])?;
        let newest = self.connection.last_insert_rowid();
        self.connection
            .prepare_cached("DELETE FROM refusals WHERE row <= ?1")?
            .execute([newest - REFUSALS_KEPT as i64])?;
        self.changed(Change::Refusal(Arc::clone(refusal)));
        Ok(())
    }
}

/// The refusals that are kept, newest first.
///
/// # Errors
/// When the database cannot be read.
pub fn read_refusals(connection: &Connection) -> Result<Vec<Refusal>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, at, endpoint_id, status, reason, method, path, body_size, remote_addr
         FROM refusals ORDER BY row DESC LIMIT ?1",
    )?;
    let refusals = statement.query_map([REFUSALS_KEPT as i64], |row| {
        Ok(Refusal {
            id: blob_id(row, 0, RefusalId::from_bytes)?,
            at: Timestamp::from_millis(row.get(1)?),
            endpoint_id: opt_blob_id(row, 2, EndpointId::from_bytes)?,
            status: row.get(3)?,
            reason: word(row, 4, RefusalReason::parse)?,
            method: row.get(5)?,
            path: row.get(6)?,
            body_size: row.get(7)?,
            remote_addr: row.get(8)?,
        })
    })?;
    Ok(refusals.collect::<Result<_, _>>()?)
}
