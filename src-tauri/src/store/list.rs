//! Lists of deliveries: filters, keyset paging, totals. Never touches heads or bodies.

use rusqlite::{Connection, ToSql, params_from_iter};

use super::StoreError;
use super::deliveries::{SLIM, summary_from_row};
use super::strata::{Entry, approach, read_newer};
use super::totals::{Total, Totals};
use super::words::{blob_id, word};
use crate::domain::{DeliveryId, DeliveryStatus, DeliverySummary, EndpointId, SignatureStatus};

/// With filters other than endpoint and status a total is exact up to this many rows, then a minimum.
pub const TOTAL_EXACT_MAX: i64 = 10_000;

/// Leaves out deliveries whose endpoint is being deleted; needs `endpoints e`.
pub(super) const VISIBLE: &str = "e.deleting = 0";
/// The condition of the index `deliveries_unsettled`, word for word.
const UNSETTLED: &str = "d.status IN ('queued', 'rejected', 'ignored', 'failed', 'interrupted')";
/// The condition of the index `deliveries_unsigned`, word for word.
const UNSIGNED: &str = "d.signature_status IN ('invalid', 'missing')";

/// What a list is narrowed to; every part given must match.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Of this endpoint.
    pub endpoint_id: Option<EndpointId>,
    /// In this state.
    pub status: Option<DeliveryStatus>,
    /// With this verdict.
    pub signature_status: Option<SignatureStatus>,
    /// Of this provider.
    pub provider: Option<String>,
    /// With this event name.
    pub event: Option<String>,
    /// With this text in event, path, dedupe key or id.
    pub text: Option<String>,
}

/// Where a page begins or ends; both exclusive.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageBounds {
    /// Only older deliveries.
    pub before: Option<i64>,
    /// Only newer deliveries.
    pub after: Option<i64>,
    /// Matching deliveries to pass over first, from the newest or from `before` on.
    pub skip: u32,
    /// Whether the page tells its place.
    pub ranked: bool,
    /// Rows at most.
    pub limit: usize,
}

/// One page of a list, newest first.
#[derive(Clone, Debug)]
pub struct DeliveryPage {
    /// The rows.
    pub deliveries: Vec<DeliverySummary>,
    /// Pass it as `before` for the next page; none at the end.
    pub next_before: Option<i64>,
    /// Rows that match, whatever the bounds.
    pub total: i64,
    /// Whether there may be more than `total`.
    pub total_is_minimum: bool,
    /// How many that match are newer than the first row: only when asked for, and when it can be told.
    pub rank: Option<i64>,
}

/// A `WHERE` clause with its values.
#[derive(Default)]
pub(super) struct Conditions {
    pub(super) sql: String,
    pub(super) values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    pub(super) fn and(&mut self, sql: &str, value: impl ToSql + 'static) {
        self.values.push(Box::new(value));
        self.and_constant(&sql.replace('?', &format!("?{}", self.values.len())));
    }

    pub(super) fn and_constant(&mut self, sql: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
    }

    /// Ends the query. Bound, not written out, so that each number needs no statement of its own.
    pub(super) fn and_limit(&mut self, most: i64) {
        self.values.push(Box::new(most));
        self.sql.push_str(&format!(" LIMIT ?{}", self.values.len()));
    }

    fn and_page(&mut self, limit: i64, skip: i64) {
        self.sql.push_str(" ORDER BY d.seq DESC");
        self.and_limit(limit);
        self.values.push(Box::new(skip));
        self.sql.push_str(&format!(" OFFSET ?{}", self.values.len()));
    }
}

impl DeliveryFilter {
    /// Whether nothing narrows it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.endpoint_id.is_none() && self.status.is_none() && self.is_counted()
    }

    /// Whether totals are kept for it: narrowed by nothing but endpoint and status.
    pub(super) fn is_counted(&self) -> bool {
        self.signature_status.is_none() && self.provider.is_none() && self.event.is_none() && self.text.is_none()
    }

    /// On `deliveries d` alone; what leaves out hidden endpoints is [`VISIBLE`].
    pub(super) fn conditions(&self) -> Conditions {
        let mut conditions = Conditions { sql: " WHERE 1".to_owned(), values: Vec::new() };
        if let Some(endpoint) = self.endpoint_id {
            conditions.and("d.endpoint = (SELECT row FROM endpoints WHERE id = ?)", endpoint.as_bytes().to_vec());
        }
        // Written out, because SQLite uses a partial index only for words that it can see, and only where the index's own
        // condition is repeated: it does not conclude that one word of a list is in the list.
        if let Some(status) = self.status {
            if status != DeliveryStatus::Dispatched {
                conditions.and_constant(UNSETTLED);
            }
            conditions.and_constant(&format!("d.status = '{}'", status.as_str()));
        }
        if let Some(signature) = self.signature_status {
            if matches!(signature, SignatureStatus::Invalid | SignatureStatus::Missing) {
                conditions.and_constant(UNSIGNED);
            }
            conditions.and_constant(&format!("d.signature_status = '{}'", signature.as_str()));
        }
        if let Some(provider) = &self.provider {
            conditions.and("d.provider = ?", provider.clone());
        }
        if let Some(event) = &self.event {
            conditions.and("d.event = ?", event.clone());
        }
        if let Some(text) = &self.text {
            and_text(&mut conditions, text);
        }
        conditions
    }
}

/// Event, path, dedupe key or id hold the text; letters of ASCII match in either case. By `LIKE`, which takes a quarter of
/// the time of lower-casing each value first.
fn and_text(conditions: &mut Conditions, text: &str) {
    if text.contains('\0') {
        // `LIKE` ends at it.
        conditions.and("(instr(d.event, ?) OR instr(coalesce(d.dedupe_key, ''), ?))", text.to_owned());
        return;
    }
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    let mut places =
        String::from("(d.event LIKE ? ESCAPE '\\' OR d.path LIKE ? ESCAPE '\\' OR d.dedupe_key LIKE ? ESCAPE '\\'");
    // Ids are looked at only for a text that can be a part of one.
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    if digits > 0 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        places.push_str(" OR hex(d.id) LIKE replace(?, '-', '')");
    }
    places.push(')');
    conditions.and(&places, pattern);
}

/// A page of the list.
///
/// # Errors
/// When the database cannot be read, or the query takes too long.
pub(super) fn read_page(
    connection: &Connection,
    totals: &Totals,
    filter: &DeliveryFilter,
    bounds: PageBounds,
) -> Result<DeliveryPage, StoreError> {
    let Total { rows: total, is_minimum: total_is_minimum } = totals.read(connection, filter, totals.age())?;
    if total == 0 {
        // Else all would be walked once more to find nothing.
        return Ok(DeliveryPage { deliveries: Vec::new(), next_before: None, total, total_is_minimum, rank: None });
    }
    let entry = approach(connection, filter, Entry { before: bounds.before, skip: i64::from(bounds.skip) })?;
    let mut conditions = filter.conditions();
    conditions.and_constant(VISIBLE);
    if let Some(before) = entry.before {
        conditions.and("d.seq < ?", before);
    }
    if let Some(after) = bounds.after {
        conditions.and("d.seq > ?", after);
    }
    conditions.and_page(bounds.limit as i64 + 1, entry.skip);
    let sql = format!("SELECT {SLIM} FROM deliveries d JOIN endpoints e ON e.row = d.endpoint{}", conditions.sql);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(conditions.values), summary_from_row)?;
    let mut deliveries = rows.collect::<Result<Vec<_>, _>>()?;
    let more = deliveries.len() > bounds.limit;
    deliveries.truncate(bounds.limit);
    let next_before = if more { deliveries.last().map(|last| last.seq) } else { None };
    let rank = match deliveries.first() {
        Some(first) if bounds.ranked => read_newer(connection, filter, first.seq)?,
        _ => None,
    };
    Ok(DeliveryPage { deliveries, next_before, total, total_is_minimum, rank })
}

/// How many deliveries there are, exactly, of an endpoint and in a state.
///
/// # Errors
/// When the database cannot be read.
pub fn read_count(
    connection: &Connection,
    endpoint: Option<EndpointId>,
    status: Option<DeliveryStatus>,
) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(sum(c.n), 0) FROM delivery_counts c JOIN endpoints e ON e.row = c.endpoint
         WHERE e.deleting = 0 AND (?1 IS NULL OR e.id = ?1) AND (?2 IS NULL OR c.status = ?2)",
    )?;
    let endpoint = endpoint.map(|id| id.as_bytes().to_vec());
    Ok(statement.query_row(rusqlite::params![endpoint, status.map(DeliveryStatus::as_str)], |row| row.get(0))?)
}

/// How many deliveries there are of each endpoint in each state; without those that have none.
///
/// # Errors
/// When the database cannot be read.
pub fn read_counts_by_endpoint(connection: &Connection) -> Result<Vec<(EndpointId, DeliveryStatus, i64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT e.id, c.status, c.n FROM delivery_counts c JOIN endpoints e ON e.row = c.endpoint
         WHERE e.deleting = 0 AND c.n > 0 ORDER BY e.row",
    )?;
    let rows = statement.query_map([], |row| {
        Ok((blob_id(row, 0, EndpointId::from_bytes)?, word(row, 1, DeliveryStatus::parse)?, row.get(2)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The number of the newest delivery; 0 when there is none.
///
/// # Errors
/// When the database cannot be read.
pub fn read_newest_seq(connection: &Connection) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT coalesce(max(seq), 0) FROM deliveries")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// The delivery of an endpoint that has this dedupe key and is newer than `after`; looks only at those newer ones.
///
/// # Errors
/// When the database cannot be read.
pub fn read_newer_with_key(
    connection: &Connection,
    endpoint_row: i64,
    dedupe_key: &str,
    after: i64,
) -> Result<Option<DeliveryId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM deliveries WHERE seq > ?1 AND +endpoint = ?2 AND +dedupe_key = ?3 ORDER BY seq LIMIT 1",
    )?;
    let mut rows = statement.query(rusqlite::params![after, endpoint_row, dedupe_key])?;
    Ok(rows.next()?.map(|row| blob_id(row, 0, DeliveryId::from_bytes)).transpose()?)
}

/// Numbers of up to `limit` deliveries that match and are older than `before`, newest first.
///
/// # Errors
/// When the database cannot be read, or the query takes too long.
pub fn read_matching(
    connection: &Connection,
    filter: &DeliveryFilter,
    before: i64,
    limit: usize,
) -> Result<Vec<i64>, StoreError> {
    let mut conditions = filter.conditions();
    conditions.and_constant(VISIBLE);
    conditions.and("d.seq < ?", before);
    let sql = format!(
        "SELECT d.seq FROM deliveries d JOIN endpoints e ON e.row = d.endpoint{} ORDER BY d.seq DESC LIMIT {limit}",
        conditions.sql
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let seqs = statement.query_map(params_from_iter(conditions.values), |row| row.get(0))?;
    Ok(seqs.collect::<Result<_, _>>()?)
}
