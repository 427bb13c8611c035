//! Attempts: made with their delivery, started before the connection, ended after the answer.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::StoreError;
use super::change::Change;
use super::deliveries::headers_of;
use super::words::{blob_id, opt_blob_id, word};
use super::writer::Writing;
use crate::domain::{
    Attempt, AttemptId, AttemptOutcome, AttemptTimings, DeliveryId, DeliveryStatus, Headers, TargetId, Timestamp,
};

/// An attempt to be stored with its delivery.
#[derive(Clone, Debug)]
pub struct NewAttempt {
    /// The attempt, pending.
    pub attempt: Arc<Attempt>,
    /// Whether a path with dot segments goes out all the same.
    pub force: bool,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub struct AttemptEnd {
    /// The outcome.
    pub outcome: AttemptOutcome,
    /// What exactly happened; none on success.
    pub reason: Option<String>,
    /// The target's answer: status, headers, the kept part of its body, and how much there was.
    pub response: Option<AttemptResponse>,
    /// When it ended.
    pub at: Timestamp,
    /// How the time was spent.
    pub timings: AttemptTimings,
}

/// A target's answer.
#[derive(Clone, Debug)]
pub struct AttemptResponse {
    /// HTTP status.
    pub status: u16,
    /// All headers in order.
    pub headers: Headers,
    /// The body as far as it is kept.
    pub body: Bytes,
    /// Bytes of the body as far as it was read.
    pub size: u64,
}

/// An attempt that waits to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingRow {
    /// Its row; later attempts have higher ones.
    pub row: i64,
    /// Its id.
    pub attempt_id: AttemptId,
    /// The delivery that it relays.
    pub delivery_id: DeliveryId,
}

/// What is needed to send an attempt.
#[derive(Clone, Debug)]
pub struct AttemptToSend {
    /// The delivery's endpoint.
    pub endpoint_id: crate::domain::EndpointId,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// Where to.
    pub target_url: String,
    /// Whether a path with dot segments goes out all the same.
    pub force: bool,
    /// HTTP method.
    pub method: String,
    /// The path behind the token.
    pub path: String,
    /// The query.
    pub query: Option<String>,
    /// The delivery that this one repeats.
    pub replayed_from: Option<DeliveryId>,
    /// Headers as received.
    pub headers: Headers,
    /// Body as received.
    pub body: Bytes,
}

const COLUMNS: &str = "a.id, d.id, a.n, a.target_id, a.target_url, a.outcome, a.reason, a.response_status, \
     a.response_headers, a.response_size, a.created_at, a.started_at, a.finished_at, a.duration_ms, \
     a.connect_ms, a.first_byte_ms, a.total_ms";

/// Inserts an attempt of a delivery that is being stored.
pub(super) fn insert_attempt(writing: &mut Writing<'_>, seq: i64, new: &NewAttempt) -> Result<(), StoreError> {
    let row = writing.next_attempt_row();
    let attempt = &*new.attempt;
    writing
        .connection
        .prepare_cached(
            "INSERT INTO attempts (row, id, delivery, n, target_id, target_url, force, outcome, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            row,
            attempt.id.as_bytes(),
            seq,
            attempt.n,
            attempt.target_id.as_ref().map(TargetId::as_bytes),
            attempt.target_url,
            new.force,
            attempt.outcome.as_str(),
            attempt.created_at.as_millis(),
        ])?;
    writing.changed(Change::Attempt(Arc::clone(&new.attempt)));
    Ok(())
}

impl Writing<'_> {
    /// Notes that an attempt is about to connect. False when it does not wait any more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn start_attempt(&mut self, id: AttemptId, at: Timestamp) -> Result<bool, StoreError> {
        let started = self
            .connection
            .prepare_cached(
                "UPDATE attempts SET started_at = ?2 WHERE id = ?1 AND outcome = 'pending' AND started_at IS NULL",
            )?
            .execute(params![id.as_bytes(), at.as_millis()])?;
        if started == 1 {
            self.announce_attempt(id)?;
        }
        Ok(started == 1)
    }

    /// Notes how an attempt ended and what that makes of its delivery. False when it is gone or had ended before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn end_attempt(&mut self, id: AttemptId, end: &AttemptEnd) -> Result<bool, StoreError> {
        let ended: Option<(i64, Option<u64>)> = self
            .connection
            .prepare_cached(
                "UPDATE attempts SET outcome = ?2, reason = ?3, response_status = ?4, response_size = ?5,
                 finished_at = ?6, duration_ms = ?11, response_headers = ?7, response_body = ?8,
                 connect_ms = ?9, first_byte_ms = ?10, total_ms = ?11
                 WHERE id = ?1 AND outcome = 'pending' RETURNING delivery, duration_ms",
            )?
            .query_row(
                params![
                    id.as_bytes(),
                    end.outcome.as_str(),
                    end.reason,
                    end.response.as_ref().map(|response| response.status),
                    end.response.as_ref().map(|response| response.size),
                    end.at.as_millis(),
                    end.response.as_ref().map(|response| &response.headers.as_block()[..]),
                    end.response.as_ref().map(|response| &response.body[..]),
                    end.timings.connect_ms,
                    end.timings.first_byte_ms,
                    end.timings.total_ms,
                ],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let Some((delivery, duration_ms)) = ended else { return Ok(false) };
        self.connection
            .prepare_cached(
                "UPDATE deliveries SET relay_status = ?2, relay_outcome = ?3, relay_duration_ms = ?4,
                 last_attempt_at = ?5 WHERE seq = ?1",
            )?
            .execute(params![
                delivery,
                end.response.as_ref().map(|response| response.status),
                end.outcome.as_str(),
                duration_ms,
                end.at.as_millis(),
            ])?;
        self.settle_delivery(delivery)?;
        self.announce_delivery(delivery)?;
        self.announce_attempt(id)?;
        Ok(true)
    }

    /// Derives a delivery's status from its attempts (CONTRACT section 4).
    pub(super) fn settle_delivery(&mut self, delivery: i64) -> Result<(), StoreError> {
        let status = self.status_from_attempts(delivery)?;
        let before: Option<(i64, DeliveryStatus)> = self
            .connection
            .prepare_cached("SELECT endpoint, status FROM deliveries WHERE seq = ?1")?
            .query_row([delivery], |row| Ok((row.get(0)?, word(row, 1, DeliveryStatus::parse)?)))
            .optional()?;
        let Some((endpoint, before)) = before else { return Ok(()) };
        if before == status {
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "UPDATE deliveries SET status = ?2, error = CASE WHEN ?2 IN ('failed', 'interrupted') THEN
                 (SELECT reason FROM attempts WHERE delivery = ?1 AND reason IS NOT NULL ORDER BY row DESC LIMIT 1) END
                 WHERE seq = ?1",
            )?
            .execute(params![delivery, status.as_str()])?;
        self.count(delivery, endpoint, before, -1);
        self.count(delivery, endpoint, status, 1);
        Ok(())
    }

    fn status_from_attempts(&self, delivery: i64) -> Result<DeliveryStatus, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT outcome FROM attempts WHERE delivery = ?1")?;
        let outcomes: Vec<AttemptOutcome> =
            statement.query_map([delivery], |row| word(row, 0, AttemptOutcome::parse))?.collect::<Result<_, _>>()?;
        let any = |wanted: &[AttemptOutcome]| outcomes.iter().any(|outcome| wanted.contains(outcome));
        // Queued until the last has ended: until then its key stays taken and retention leaves it alone.
        Ok(if any(&[AttemptOutcome::Pending, AttemptOutcome::Held]) {
            DeliveryStatus::Queued
        } else if any(&[AttemptOutcome::InDoubt]) {
            DeliveryStatus::Interrupted
        } else if any(&[AttemptOutcome::Succeeded]) {
            DeliveryStatus::Dispatched
        } else {
            DeliveryStatus::Failed
        })
    }

    pub(super) fn announce_attempt(&mut self, id: AttemptId) -> Result<(), StoreError> {
        if let Some(attempt) = read_attempt(self.connection, id)? {
            self.changed(Change::Attempt(Arc::new(attempt)));
        }
        Ok(())
    }
}

fn attempt_from_row(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let time = |column: usize| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
    };
    Ok(Attempt {
        id: blob_id(row, 0, AttemptId::from_bytes)?,
        delivery_id: blob_id(row, 1, DeliveryId::from_bytes)?,
        n: row.get(2)?,
        target_id: opt_blob_id(row, 3, TargetId::from_bytes)?,
        target_url: row.get(4)?,
        outcome: word(row, 5, AttemptOutcome::parse)?,
        reason: row.get(6)?,
        response_status: row.get(7)?,
        response_headers: row.get::<_, Option<Vec<u8>>>(8)?.map(|block| headers_of(block).to_text_pairs()),
        response_size: row.get(9)?,
        created_at: Timestamp::from_millis(row.get(10)?),
        started_at: time(11)?,
        finished_at: time(12)?,
        duration_ms: row.get(13)?,
        timings: timings_from_row(row)?,
    })
}

fn timings_from_row(row: &Row<'_>) -> rusqlite::Result<Option<AttemptTimings>> {
    let (connect_ms, first_byte_ms) = (row.get(14)?, row.get(15)?);
    let total_ms: Option<u64> = row.get(16)?;
    Ok(total_ms.map(|total_ms| AttemptTimings { connect_ms, first_byte_ms, total_ms }))
}

/// One attempt.
pub fn read_attempt(connection: &Connection, id: AttemptId) -> Result<Option<Attempt>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM attempts a JOIN deliveries d ON d.seq = a.delivery WHERE a.id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id.as_bytes()], attempt_from_row).optional()?)
}

/// All attempts of a delivery in the order they were made.
pub fn read_attempts(connection: &Connection, seq: i64) -> Result<Vec<Attempt>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM attempts a JOIN deliveries d ON d.seq = a.delivery WHERE a.delivery = ?1 ORDER BY a.row"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let attempts = statement.query_map([seq], attempt_from_row)?;
    Ok(attempts.collect::<Result<_, _>>()?)
}

/// The kept part of a target's answer; none when there is no such attempt, or it got no answer.
pub fn read_response_body(connection: &Connection, id: AttemptId) -> Result<Option<Bytes>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT response_body FROM attempts WHERE id = ?1")?;
    let body: Option<Option<Vec<u8>>> = statement.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
    Ok(body.flatten().map(Bytes::from))
}

/// Attempts to a target that were never started, behind a row, in order.
pub fn read_waiting(
    connection: &Connection,
    target_url: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<WaitingRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.row, a.id, d.id FROM attempts a JOIN deliveries d ON d.seq = a.delivery
         WHERE a.target_url = ?1 AND a.row > ?2 AND a.outcome = 'pending' AND a.started_at IS NULL
         ORDER BY a.row LIMIT ?3",
    )?;
    let rows = statement.query_map(params![target_url, after, limit as i64], |row| {
        Ok(WaitingRow {
            row: row.get(0)?,
            attempt_id: blob_id(row, 1, AttemptId::from_bytes)?,
            delivery_id: blob_id(row, 2, DeliveryId::from_bytes)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Targets that have attempts waiting.
pub fn read_waiting_targets(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection
        .prepare("SELECT DISTINCT target_url FROM attempts WHERE outcome = 'pending' AND started_at IS NULL")?;
    let urls = statement.query_map([], |row| row.get(0))?;
    Ok(urls.collect::<Result<_, _>>()?)
}

/// Everything that is needed to send an attempt; none when it is gone.
pub fn read_attempt_to_send(connection: &Connection, id: AttemptId) -> Result<Option<AttemptToSend>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT e.id, d.id, a.target_url, a.force, d.method, d.path, d.query, d.replayed_from, p.headers, p.body
         FROM attempts a JOIN deliveries d ON d.seq = a.delivery JOIN endpoints e ON e.row = d.endpoint
         JOIN payloads p ON p.seq = a.delivery WHERE a.id = ?1",
    )?;
    let found = statement
        .query_row([id.as_bytes()], |row| {
            Ok(AttemptToSend {
                endpoint_id: blob_id(row, 0, crate::domain::EndpointId::from_bytes)?,
                delivery_id: blob_id(row, 1, DeliveryId::from_bytes)?,
                target_url: row.get(2)?,
                force: row.get(3)?,
                method: row.get(4)?,
                path: row.get(5)?,
                query: row.get(6)?,
                replayed_from: opt_blob_id(row, 7, DeliveryId::from_bytes)?,
                headers: headers_of(row.get(8)?),
                body: Bytes::from(row.get::<_, Vec<u8>>(9)?),
            })
        })
        .optional()?;
    Ok(found)
}
