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
        let mut seqs = self.oldest(self.excess_rows(retention)?)?;
        if seqs.is_empty() {
            seqs = self.oldest_of_bytes(self.excess_bytes(retention)?)?;
        }
        if seqs.is_empty() && retention.days > 0 {
            seqs = self.older_than(now.as_millis() - i64::from(retention.days) * DAY_MS)?;
        }
        if seqs.is_empty() {
            return Ok(false);
        }
        self.delete_deliveries(&seqs)?;
        Ok(true)
    }

    /// Rows beyond the limit, one batch at most.
    fn excess_rows(&self, retention: Retention) -> Result<i64, StoreError> {
        if retention.rows == 0 {
            return Ok(0);
        }
        // What may not be deleted does not count: else each new delivery would go in its place.
        let mut statement = self.connection.prepare_cached(
            "SELECT (SELECT coalesce(sum(n), 0) FROM delivery_counts WHERE status <> 'queued')
             - (SELECT count(*) FROM deliveries WHERE pinned = 1)",
        )?;
        let stored: i64 = statement.query_row([], |row| row.get(0))?;
        Ok(stored.saturating_sub_unsigned(retention.rows).clamp(0, BATCH_ROWS))
    }

    /// Bytes beyond the limit.
    fn excess_bytes(&self, retention: Retention) -> Result<u64, StoreError> {
        if retention.bytes == 0 {
            return Ok(0);
        }
        let mut pinned =
            self.connection.prepare_cached("SELECT coalesce(sum(body_size), 0) FROM deliveries WHERE pinned = 1")?;
        let pinned: u64 = pinned.query_row([], |row| row.get(0))?;
        Ok(used_bytes(self.connection)?.saturating_sub(retention.bytes).saturating_sub(pinned))
    }

    /// The oldest rows that together hold so many bytes, one batch at most.
    fn oldest_of_bytes(&self, bytes: u64) -> Result<Vec<i64>, StoreError> {
        if bytes == 0 {
            return Ok(Vec::new());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT d.seq, d.body_size + length(p.headers) FROM deliveries d JOIN payloads p ON p.seq = d.seq
             WHERE d.pinned = 0 AND d.status <> 'queued' ORDER BY d.seq LIMIT ?1",
        )?;
        let rows = statement.query_map([BATCH_ROWS], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u64>(1)?)))?;
        let (mut seqs, mut freed) = (Vec::new(), 0);
        for row in rows {
            let (seq, size) = row?;
            seqs.push(seq);
            freed += size;
            if freed >= bytes {
                break;
            }
        }
        Ok(seqs)
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
    // Saturating: a damaged file may claim more free pages than it has.
    Ok(pragma("page_count")?.saturating_sub(pragma("freelist_count")?).saturating_mul(pragma("page_size")?))
}
