//! Totals of filters for which no count is kept, remembered so that a list that is asked for again is not counted again.
//!
//! Such a filter is counted by walking rows, which is most of what its list costs. What was counted stays true as rows are
//! added, because numbers only grow: the rest is what is newer than the newest row counted. It stops being true when rows
//! are deleted or hidden; the writer says so with [`Totals::forget`], before and after the commit. Only columns that never
//! change may be part of a remembered filter.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, params_from_iter};

use super::StoreError;
use super::list::{DeliveryFilter, TOTAL_EXACT_MAX, VISIBLE, read_count, read_newest_seq};
use crate::domain::EndpointId;

/// Filters whose totals are remembered; the one that was asked for longest ago makes room.
const REMEMBERED_MAX: usize = 64;

/// How many deliveries match a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Total {
    /// So many.
    pub(super) rows: i64,
    /// There may be more.
    pub(super) is_minimum: bool,
}

/// Says which deletions a count knows of; taken before the first statement of the read transaction that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age(u64);

/// What has been counted so far.
#[derive(Debug, Default)]
pub(super) struct Totals {
    deletions: AtomicU64,
    /// The one that was asked for last comes last.
    counted: Mutex<Vec<(Key, Counted)>>,
}

/// The part of a filter that never changes for a row once it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    endpoint_id: Option<EndpointId>,
    provider: Option<String>,
    event: Option<String>,
    text: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    age: Age,
    /// Newest number that is counted in.
    up_to: i64,
    /// At most one more than [`TOTAL_EXACT_MAX`].
    rows: i64,
}

impl Totals {
    /// The present age. A count of an older snapshot than the age says is never remembered as one of this age: the writer
    /// lets the age grow before rows vanish and once more after it.
    pub(super) fn age(&self) -> Age {
        Age(self.deletions.load(Ordering::SeqCst))
    }

    /// Called before and after the commit of a transaction that deletes or hides rows.
    pub(super) fn forget(&self) {
        self.deletions.fetch_add(1, Ordering::SeqCst);
    }

    /// How many match; `age` as of before the read transaction saw anything.
    pub(super) fn read(&self, connection: &Connection, filter: &DeliveryFilter, age: Age) -> Result<Total, StoreError> {
        if filter.is_counted() {
            let rows = read_count(connection, filter.endpoint_id, filter.status)?;
            return Ok(Total { rows, is_minimum: false });
        }
        let Some(key) = Key::of(filter) else { return Ok(total(count_after(connection, filter, i64::MIN, 0)?)) };
        let known = self.known(&key, age);
        if let Some(known) = known.filter(|known| known.rows > TOTAL_EXACT_MAX) {
            return Ok(total(known.rows));
        }
        let (after, before) = known.map_or((i64::MIN, 0), |known| (known.up_to, known.rows));
        let newest = read_newest_seq(connection)?;
        let rows = before + count_after(connection, filter, after, before)?;
        // The newest row may have been deleted since: what is counted reaches at least as far as it did.
        self.remember(key, Counted { age, up_to: newest.max(after), rows });
        Ok(total(rows))
    }

    fn known(&self, key: &Key, age: Age) -> Option<Counted> {
        let mut counted = self.lock();
        let at = counted.iter().position(|(known, _)| known == key)?;
        let found = counted.remove(at);
        // One of another age is of no use any more.
        let known = (found.1.age == age).then_some(found.1)?;
        counted.push(found);
        Some(known)
    }

    fn remember(&self, key: Key, fresh: Counted) {
        let mut counted = self.lock();
        counted.retain(|(known, _)| *known != key);
        if counted.len() >= REMEMBERED_MAX {
            counted.remove(0);
        }
        counted.push((key, fresh));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Key, Counted)>> {
        // Each entry is whole whatever panicked.
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    /// None for a filter by what may change: its total is counted each time.
    fn of(filter: &DeliveryFilter) -> Option<Self> {
        let DeliveryFilter { endpoint_id, status, signature_status, provider, event, text } = filter;
        (status.is_none() && signature_status.is_none()).then(|| Self {
            endpoint_id: *endpoint_id,
            provider: provider.clone(),
            event: event.clone(),
            text: text.clone(),
        })
    }
}

fn total(counted: i64) -> Total {
    Total { rows: counted.min(TOTAL_EXACT_MAX), is_minimum: counted > TOTAL_EXACT_MAX }
}

/// Counts what is newer than `after`, as far as it matters when `before` are counted already.
fn count_after(connection: &Connection, filter: &DeliveryFilter, after: i64, before: i64) -> Result<i64, StoreError> {
    let mut conditions = filter.conditions();
    // Looking up each row's endpoint would cost more than the count itself; there is hardly ever a hidden one.
    let hidden: bool = connection.prepare_cached("SELECT 1 FROM endpoints WHERE deleting = 1 LIMIT 1")?.exists([])?;
    let join = if hidden { " JOIN endpoints e ON e.row = d.endpoint" } else { "" };
    if hidden {
        conditions.and_constant(VISIBLE);
    }
    conditions.and("d.seq > ?", after);
    conditions.and_limit(TOTAL_EXACT_MAX + 1 - before);
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM deliveries d{join}{})", conditions.sql);
    Ok(connection.prepare_cached(&sql)?.query_row(params_from_iter(conditions.values), |row| row.get(0))?)
}
