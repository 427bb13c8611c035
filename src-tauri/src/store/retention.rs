//! Retention: by rows, age and bytes, oldest first, pinned deliveries and queued ones excepted.

use rusqlite::{Connection, params};

use super::StoreError;
use super::writer::Writing;
use crate::domain::Timestamp;

/// What is kept; 0 means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Deliveries.
    pub rows: u64,
    /// Bytes of the database.
    pub bytes: u64,
    /// Days.
    pub days: u32,
}

/// Deliveries that one batch deletes at most. Small: a batch delays the posts behind it.
const BATCH_ROWS: i64 = 200;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Writing<'_> {
    /// Deletes one batch of what is beyond the limits; true when more is left.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn prune(&mut self, retention: Retention, now: Timestamp) -> Result<bool, StoreError> {
        let mut excess = 0;
        if retention.rows > 0 {
            let stored: i64 = self
                .connection
                .prepare_cached("SELECT coalesce(sum(n), 0) FROM delivery_counts")?
                .query_row([], |row| row.get(0))?;
            excess = stored.saturating_sub_unsigned(retention.rows).max(0);
        }
        if excess == 0 && retention.bytes > 0 && used_bytes(self.connection)? > retention.bytes {
            excess = BATCH_ROWS;
        }
        let mut seqs = self.oldest(excess.min(BATCH_ROWS))?;
        if seqs.is_empty() && retention.days > 0 {
            seqs = self.older_than(now.as_millis() - i64::from(retention.days) * DAY_MS)?;
        }
        if seqs.is_empty() {
            return Ok(false);
        }
        self.delete_deliveries(&seqs)?;
        Ok(true)
    }

    fn oldest(&self, limit: i64) -> Result<Vec<i64>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT seq FROM deliveries WHERE pinned = 0 AND status <> 'queued' ORDER BY seq LIMIT ?1",
        )?;
        let seqs = statement.query_map([limit], |row| row.get(0))?;
        Ok(seqs.collect::<Result<_, _>>()?)
    }

    /// From the oldest on, as far as they are too old: rows come in the order of their numbers, so that the first young
    /// one ends the search, and a clock that jumped deletes nothing behind it.
    fn older_than(&self, millis: i64) -> Result<Vec<i64>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT seq, received_at < ?1 FROM deliveries WHERE pinned = 0 AND status <> 'queued' ORDER BY seq LIMIT ?2",
        )?;
        let rows = statement.query_map(params![millis, BATCH_ROWS], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rows: Vec<(i64, bool)> = rows.collect::<Result<_, _>>()?;
        Ok(rows.into_iter().take_while(|(_, old)| *old).map(|(seq, _)| seq).collect())
    }
}

/// Bytes that the database uses: its pages without the free ones.
///
/// # Errors
/// When the database cannot be read.
pub fn used_bytes(connection: &Connection) -> Result<u64, StoreError> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    Ok((pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?)
}
