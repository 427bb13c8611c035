//! Places in a list: which delivery stands behind so many newer ones, and how many are newer than a given one.
//!
//! A list may be entered anywhere, as when somebody drags the scrollbar of a million rows. Counts per stratum, a stretch
//! of [`STRATUM_ROWS`] numbers, are kept for every endpoint and state, so that only the rows of one stratum are ever
//! walked. Filters of other kinds are walked as a whole.

use rusqlite::{Connection, params, params_from_iter};

use super::StoreError;
use super::list::{DeliveryFilter, TOTAL_EXACT_MAX, VISIBLE};
use crate::domain::DeliveryStatus;

/// `seq >> STRATUM_BITS` names a stratum; migration 0003 has the same number.
const STRATUM_BITS: u32 = 12;
/// Numbers in a stratum.
const STRATUM_ROWS: i64 = 1 << STRATUM_BITS;

/// The stratum of a delivery number.
pub(super) fn stratum_of(seq: i64) -> i64 {
    seq >> STRATUM_BITS
}

/// Where a page begins: below this number, and behind so many more that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Only deliveries with a smaller number; none: from the newest on.
    pub before: Option<i64>,
    /// To be passed over one by one.
    pub skip: i64,
}

/// Brings a start that lies far below `before` close to its place, so that few rows are left to pass over.
pub(super) fn approach(connection: &Connection, filter: &DeliveryFilter, wanted: Entry) -> Result<Entry, StoreError> {
    if wanted.skip < STRATUM_ROWS || !filter.is_counted() {
        return Ok(wanted);
    }
    let (top, mut skip) = match wanted.before {
        Some(before) => {
            // What is left of the stratum that `before` cuts.
            let bottom = stratum_of(before) << STRATUM_BITS;
            (stratum_of(before), wanted.skip - count_between(connection, filter, bottom, before, i64::MAX)?)
        }
        None => (i64::MAX, wanted.skip),
    };
    let mut statement = connection.prepare_cached(
        "SELECT s.stratum, sum(s.n) FROM delivery_strata s JOIN endpoints e ON e.row = s.endpoint
         WHERE s.stratum < ?1 AND e.deleting = 0 AND (?2 IS NULL OR e.id = ?2) AND (?3 IS NULL OR s.status = ?3)
         GROUP BY s.stratum ORDER BY s.stratum DESC",
    )?;
    let endpoint = filter.endpoint_id.map(|id| id.as_bytes().to_vec());
    let mut strata = statement.query(params![top, endpoint, filter.status.map(DeliveryStatus::as_str)])?;
    let mut passed = None;
    while let Some(row) = strata.next()? {
        let (stratum, n): (i64, i64) = (row.get(0)?, row.get(1)?);
        if skip < n {
            return Ok(Entry { before: Some((stratum + 1) << STRATUM_BITS), skip });
        }
        skip -= n;
        passed = Some(stratum);
    }
    // Behind the last one; what is left to pass over finds nothing more.
    Ok(passed.map_or(wanted, |stratum| Entry { before: Some(stratum << STRATUM_BITS), skip }))
}

/// How many that match are newer than `seq`; none when that is more than can be counted in a short time.
pub(super) fn read_newer(
    connection: &Connection,
    filter: &DeliveryFilter,
    seq: i64,
) -> Result<Option<i64>, StoreError> {
    if !filter.is_counted() {
        let newer = count_between(connection, filter, seq + 1, i64::MAX, TOTAL_EXACT_MAX + 1)?;
        return Ok((newer <= TOTAL_EXACT_MAX).then_some(newer));
    }
    let next = stratum_of(seq) + 1;
    let endpoint = filter.endpoint_id.map(|id| id.as_bytes().to_vec());
    let above: i64 = connection
        .prepare_cached(
            "SELECT coalesce(sum(s.n), 0) FROM delivery_strata s JOIN endpoints e ON e.row = s.endpoint
             WHERE s.stratum >= ?1 AND e.deleting = 0 AND (?2 IS NULL OR e.id = ?2) AND (?3 IS NULL OR s.status = ?3)",
        )?
        .query_row(params![next, endpoint, filter.status.map(DeliveryStatus::as_str)], |row| row.get(0))?;
    Ok(Some(above + count_between(connection, filter, seq + 1, next << STRATUM_BITS, i64::MAX)?))
}

/// How many that match have a number from `from` to below `to`; counting ends at `most`.
fn count_between(
    connection: &Connection,
    filter: &DeliveryFilter,
    from: i64,
    to: i64,
    most: i64,
) -> Result<i64, StoreError> {
    let mut conditions = filter.conditions();
    conditions.and_constant(VISIBLE);
    conditions.and("d.seq >= ?", from);
    conditions.and("d.seq < ?", to);
    conditions.and_limit(most);
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM deliveries d JOIN endpoints e ON e.row = d.endpoint{})",
        conditions.sql
    );
    Ok(connection.prepare_cached(&sql)?.query_row(params_from_iter(conditions.values), |row| row.get(0))?)
}
