//! Deliveries: storing them, changing them, reading one.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::attempts::insert_attempt;
use super::change::Change;
use super::words::{blob_id, opt_blob_id, opt_word, word};
use super::writer::Writing;
use super::{NewAttempt, StoreError};
use crate::domain::{
    AttemptId, DeliveryId, DeliveryStatus, DuplicatePolicy, Headers, SignatureReason, SignatureStatus, Timestamp,
};
use crate::domain::{AttemptOutcome, DeliverySummary, SeededBug};

/// A delivery to be stored, with its outcome already known.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// Row of its endpoint.
    pub endpoint_row: i64,
    /// The slim row; `seq` is set when it is stored.
    pub summary: Arc<DeliverySummary>,
    /// Head, body, and what the sender is told.
    pub payload: Payload,
    /// Row of the tunnel that it came by; none: by none of ours.
    pub tunnel: Option<i64>,
    /// The attempts it begins with, all pending.
    pub attempts: Vec<NewAttempt>,
    /// What a repeat of its key leads to.
    pub on_repeat: DuplicatePolicy,
    /// Set on a replay that came with an idempotency key.
    pub replay_key: Option<ReplayKey>,
}

impl NewDelivery {
    /// The same without its key, linked to the delivery that has it. This one stays as it is: its job may run again, when
    /// the holder is perhaps not there.
    fn linked_to(&self, holder: DeliveryId) -> Self {
        let mut linked = self.clone();
        let summary = Arc::make_mut(&mut linked.summary);
        summary.duplicate_of = Some(holder);
        summary.dedupe_key = None;
        summary.dedupe_source = None;
        linked
    }
}

/// An idempotency key of a replay.
#[derive(Clone, Debug)]
pub struct ReplayKey {
    /// The replayed delivery.
    pub delivery: DeliveryId,
    /// The key.
    pub key: String,
    /// Hash of what was asked.
    pub request_hash: Vec<u8>,
}

/// Everything of a delivery that its slim row leaves out.
#[derive(Clone, Debug)]
pub struct Payload {
    /// `1.1`
    pub http_version: String,
    /// Address of the peer.
    pub remote_addr: Option<String>,
    /// Address of the true client.
    pub client_ip: Option<String>,
    /// How it became known.
    pub client_ip_source: Option<String>,
    /// The public base URL at arrival.
    pub public_url: Option<String>,
    /// All headers as received.
    pub headers: Headers,
    /// Headers of the answer to the sender.
    pub response_headers: Option<Headers>,
    /// Body of the answer to the sender.
    pub response_body: Option<Bytes>,
    /// The body as received.
    pub body: Bytes,
}

/// What storing a delivery came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It has a row of its own.
    New,
    /// It became an arrival of this delivery, which made these attempts.
    Repeat {
        /// The delivery that has the key.
        delivery_id: DeliveryId,
        /// Its attempts.
        attempt_ids: Vec<AttemptId>,
    },
    /// The replay with this idempotency key was made before.
    SameReplay {
        /// The replay.
        delivery_id: DeliveryId,
    },
    /// The idempotency key was used for another request.
    OtherReplay,
    /// The endpoint has been deleted meanwhile; nothing was stored.
    NoEndpoint,
}

/// Columns of the slim row, for [`summary_from_row`]; needs `deliveries d JOIN endpoints e ON e.row = d.endpoint`.
pub(super) const SLIM: &str = "d.id, d.seq, e.id, d.provider, d.event, d.event_source, d.dedupe_key, d.dedupe_source, \
     d.signature_status, d.signature_reason, d.status, d.reason, d.attempt_count, d.relay_attempt_count, d.method, \
     d.path, d.query, d.content_type, d.body_size, d.response_status, d.relay_status, d.relay_outcome, \
     d.relay_duration_ms, d.replayed_from, d.duplicate_of, d.pinned, d.error, d.received_at, d.last_attempt_at, \
     d.created_at";

const INSERT: &str = "INSERT INTO deliveries (seq, id, endpoint, provider, event, event_source, dedupe_key, \
     dedupe_source, verified, signature_status, signature_reason, status, reason, relay_attempt_count, method, path, \
     query, content_type, body_size, response_status, replayed_from, duplicate_of, error, received_at, \
     last_attempt_at, created_at, tunnel) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, \
     ?23, ?24, ?25, ?26, ?27)";

/// The dedupe rule of CONTRACT section 4 as one statement: the row that has the key counts the arrival.
const ON_REPEAT: &str = " ON CONFLICT (endpoint, verified, dedupe_key) \
     WHERE dedupe_key IS NOT NULL AND status NOT IN ('rejected', 'failed', 'ignored', 'interrupted') \
     DO UPDATE SET attempt_count = attempt_count + 1, last_attempt_at = excluded.last_attempt_at \
     RETURNING seq, attempt_count";

impl Writing<'_> {
    /// Stores a delivery, or counts it as an arrival of the one that has its key.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn store_delivery(&mut self, new: &mut NewDelivery) -> Result<Stored, StoreError> {
        if !self.has_endpoint(new.endpoint_row)? {
            return Ok(Stored::NoEndpoint);
        }
        if let Some(earlier) = self.earlier_replay(new)? {
            return Ok(earlier);
        }
        if let Some(holder) = self.holder_of_relayed_repeat(new)? {
            return self.insert_delivery(&mut new.linked_to(holder));
        }
        self.insert_delivery(new)
    }

    fn insert_delivery(&mut self, new: &mut NewDelivery) -> Result<Stored, StoreError> {
        let seq = self.next_seq();
        let holder = self.upsert_delivery(seq, new)?;
        if let Some((holder_seq, arrival_n)) = holder {
            return self.store_arrival(holder_seq, arrival_n, new);
        }
        self.insert_payload(seq, &new.payload)?;
        let summary = Arc::make_mut(&mut new.summary);
        summary.seq = seq;
        self.count(seq, new.endpoint_row, new.summary.status, 1);
        self.changed(Change::Stored(Arc::clone(&new.summary)));
        for attempt in &new.attempts {
            insert_attempt(self, seq, attempt)?;
        }
        self.keep_replay_key(new)?;
        Ok(Stored::New)
    }

    /// Inserts the slim row; the number and arrival count of the row that has its key, when there is one.
    fn upsert_delivery(&self, seq: i64, new: &NewDelivery) -> Result<Option<(i64, u32)>, StoreError> {
        let delivery = &*new.summary;
        let values = params![
            seq,
            delivery.id.as_bytes(),
            new.endpoint_row,
            delivery.provider,
            delivery.event,
            delivery.event_source,
            delivery.dedupe_key,
            delivery.dedupe_source,
            delivery.signature_status == SignatureStatus::Valid && !SeededBug::DedupeBeforeSignature.is_on(),
            delivery.signature_status.as_str(),
            delivery.signature_reason.as_str(),
            delivery.status.as_str(),
            delivery.reason,
            delivery.relay_attempt_count,
            delivery.method,
            delivery.path,
            delivery.query,
            delivery.content_type,
            delivery.body_size,
            delivery.response_status,
            delivery.replayed_from_delivery_id.as_ref().map(DeliveryId::as_bytes),
            delivery.duplicate_of.as_ref().map(DeliveryId::as_bytes),
            delivery.error,
            delivery.received_at.as_millis(),
            delivery.last_attempt_at.as_millis(),
            delivery.created_at.as_millis(),
            new.tunnel,
        ];
        if delivery.dedupe_key.is_none() {
            self.connection.prepare_cached(INSERT)?.execute(values)?;
            return Ok(None);
        }
        let (holder, arrivals): (i64, u32) = self
            .connection
            .prepare_cached(&[INSERT, ON_REPEAT].concat())?
            .query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((holder != seq).then_some((holder, arrivals)))
    }

    fn insert_payload(&self, seq: i64, payload: &Payload) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO payloads (seq, http_version, remote_addr, client_ip, client_ip_source, public_url, headers,
                 response_headers, response_body, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                seq,
                payload.http_version,
                payload.remote_addr,
                payload.client_ip,
                payload.client_ip_source,
                payload.public_url,
                &payload.headers.as_block()[..],
                payload.response_headers.as_ref().map(|headers| &headers.as_block()[..]),
                payload.response_body.as_deref(),
                &payload.body[..],
            ])?;
        Ok(())
    }

    /// Under `duplicate_policy: relay` a repeat is a delivery of its own: the one that has its key.
    fn holder_of_relayed_repeat(&self, new: &NewDelivery) -> Result<Option<DeliveryId>, StoreError> {
        let Some(key) = &new.summary.dedupe_key else { return Ok(None) };
        let is_stored_without_slot = matches!(new.summary.status, DeliveryStatus::Rejected | DeliveryStatus::Ignored);
        if new.on_repeat != DuplicatePolicy::Relay || is_stored_without_slot {
            return Ok(None);
        }
        let holder = self
            .connection
            .prepare_cached(
                "SELECT id FROM deliveries WHERE endpoint = ?1 AND verified = ?2 AND dedupe_key = ?3
                 AND dedupe_key IS NOT NULL AND status NOT IN ('rejected', 'failed', 'ignored', 'interrupted')",
            )?
            .query_row(params![new.endpoint_row, new.summary.signature_status == SignatureStatus::Valid, key], |row| {
                blob_id(row, 0, DeliveryId::from_bytes)
            })
            .optional()?;
        Ok(holder)
    }

    /// Reads a delivery back and tells the listener of it.
    pub(super) fn announce_delivery(&mut self, seq: i64) -> Result<Arc<DeliverySummary>, StoreError> {
        let sql = format!("SELECT {SLIM} FROM deliveries d JOIN endpoints e ON e.row = d.endpoint WHERE d.seq = ?1");
        let summary = self.connection.prepare_cached(&sql)?.query_row([seq], summary_from_row)?;
        let summary = Arc::new(summary);
        self.changed(Change::Delivery(Arc::clone(&summary)));
        Ok(summary)
    }

    /// Notes what the sender was told, when that was not known at the insert. False when the delivery is gone.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn set_response(
        &mut self,
        id: DeliveryId,
        status: u16,
        headers: &Headers,
        body: &[u8],
    ) -> Result<bool, StoreError> {
        let Some(seq) = delivery_seq(self.connection, id)? else { return Ok(false) };
        self.connection
            .prepare_cached("UPDATE deliveries SET response_status = ?2 WHERE seq = ?1")?
            .execute(params![seq, status])?;
        self.connection
            .prepare_cached("UPDATE payloads SET response_headers = ?2, response_body = ?3 WHERE seq = ?1")?
            .execute(params![seq, &headers.as_block()[..], body])?;
        self.announce_delivery(seq)?;
        Ok(true)
    }

    /// Keeps a delivery from retention, or no longer. False when it is gone.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn set_pinned(&mut self, id: DeliveryId, pinned: bool) -> Result<bool, StoreError> {
        let Some(seq) = delivery_seq(self.connection, id)? else { return Ok(false) };
        self.connection
            .prepare_cached("UPDATE deliveries SET pinned = ?2 WHERE seq = ?1")?
            .execute(params![seq, pinned])?;
        self.announce_delivery(seq)?;
        Ok(true)
    }

    /// Changes the shown verdict after a re-verification. What the sender was told, and which class the dedupe key
    /// counts in, stay as they were at arrival.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn set_verdict(
        &mut self,
        id: DeliveryId,
        status: SignatureStatus,
        reason: SignatureReason,
    ) -> Result<bool, StoreError> {
        let Some(seq) = delivery_seq(self.connection, id)? else { return Ok(false) };
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE deliveries SET signature_status = ?2, signature_reason = ?3
                 WHERE seq = ?1 AND (signature_status <> ?2 OR signature_reason <> ?3)",
            )?
            .execute(params![seq, status.as_str(), reason.as_str()])?;
        if changed > 0 {
            self.announce_delivery(seq)?;
        }
        Ok(changed > 0)
    }

    /// Deletes deliveries with all that belongs to them; returns how many there were.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn delete_deliveries(&mut self, seqs: &[i64]) -> Result<u64, StoreError> {
        self.keep_numbers()?;
        let mut deleted = 0;
        for &seq in seqs {
            let row = self
                .connection
                .prepare_cached("DELETE FROM deliveries WHERE seq = ?1 RETURNING endpoint, status")?
                .query_row([seq], |row| Ok((row.get::<_, i64>(0)?, word(row, 1, DeliveryStatus::parse)?)))
                .optional()?;
            let Some((endpoint, status)) = row else { continue };
            for sql in [
                "DELETE FROM payloads WHERE seq = ?1",
                "DELETE FROM arrivals WHERE delivery = ?1",
                "DELETE FROM attempts WHERE delivery = ?1",
            ] {
                self.connection.prepare_cached(sql)?.execute([seq])?;
            }
            self.count(seq, endpoint, status, -1);
            deleted += 1;
        }
        if deleted > 0 {
            self.rows_vanish();
            self.changed(Change::Many);
        }
        Ok(deleted)
    }
}

/// The number of a delivery.
pub(super) fn delivery_seq(connection: &Connection, id: DeliveryId) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT d.seq FROM deliveries d JOIN endpoints e ON e.row = d.endpoint WHERE d.id = ?1 AND e.deleting = 0",
    )?;
    Ok(statement.query_row([id.as_bytes()], |row| row.get(0)).optional()?)
}

/// A slim row.
pub(super) fn summary_from_row(row: &Row<'_>) -> rusqlite::Result<DeliverySummary> {
    Ok(DeliverySummary {
        id: blob_id(row, 0, DeliveryId::from_bytes)?,
        seq: row.get(1)?,
        endpoint_id: blob_id(row, 2, crate::domain::EndpointId::from_bytes)?,
        provider: row.get(3)?,
        event: row.get(4)?,
        event_source: row.get(5)?,
        dedupe_key: row.get(6)?,
        dedupe_source: row.get(7)?,
        signature_status: word(row, 8, SignatureStatus::parse)?,
        signature_reason: word(row, 9, SignatureReason::parse)?,
        status: word(row, 10, DeliveryStatus::parse)?,
        reason: row.get(11)?,
        attempt_count: row.get(12)?,
        relay_attempt_count: row.get(13)?,
        method: row.get(14)?,
        path: row.get(15)?,
        query: row.get(16)?,
        content_type: row.get(17)?,
        body_size: row.get(18)?,
        response_status: row.get(19)?,
        relay_status: row.get(20)?,
        relay_outcome: opt_word(row, 21, AttemptOutcome::parse)?,
        relay_duration_ms: row.get(22)?,
        replayed_from_delivery_id: opt_blob_id(row, 23, DeliveryId::from_bytes)?,
        duplicate_of: opt_blob_id(row, 24, DeliveryId::from_bytes)?,
        pinned: row.get(25)?,
        error: row.get(26)?,
        received_at: Timestamp::from_millis(row.get(27)?),
        last_attempt_at: Timestamp::from_millis(row.get(28)?),
        created_at: Timestamp::from_millis(row.get(29)?),
    })
}

/// The slim row of a delivery.
pub fn read_summary(connection: &Connection, id: DeliveryId) -> Result<Option<DeliverySummary>, StoreError> {
    let sql = format!(
        "SELECT {SLIM} FROM deliveries d JOIN endpoints e ON e.row = d.endpoint WHERE d.id = ?1 AND e.deleting = 0"
    );
    Ok(connection.prepare_cached(&sql)?.query_row([id.as_bytes()], summary_from_row).optional()?)
}

/// Head, body and answer of a delivery.
pub fn read_payload(connection: &Connection, seq: i64) -> Result<Option<Payload>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT http_version, remote_addr, client_ip, client_ip_source, public_url, headers, response_headers,
         response_body, body FROM payloads WHERE seq = ?1",
    )?;
    let payload = statement
        .query_row([seq], |row| {
            Ok(Payload {
                http_version: row.get(0)?,
                remote_addr: row.get(1)?,
                client_ip: row.get(2)?,
                client_ip_source: row.get(3)?,
                public_url: row.get(4)?,
                headers: headers_of(row.get(5)?),
                response_headers: row.get::<_, Option<Vec<u8>>>(6)?.map(headers_of),
                response_body: row.get::<_, Option<Vec<u8>>>(7)?.map(Bytes::from),
                body: Bytes::from(row.get::<_, Vec<u8>>(8)?),
            })
        })
        .optional()?;
    Ok(payload)
}

/// Deliveries that repeat this one.
pub fn read_replays(connection: &Connection, id: DeliveryId) -> Result<Vec<DeliveryId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM deliveries WHERE replayed_from = ?1 AND replayed_from IS NOT NULL ORDER BY seq",
    )?;
    let ids = statement.query_map([id.as_bytes()], |row| blob_id(row, 0, DeliveryId::from_bytes))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// A stored block was valid when it was stored; a damaged one shows as empty rather than failing the whole row.
pub(super) fn headers_of(block: Vec<u8>) -> Headers {
    Headers::from_block(Bytes::from(block)).unwrap_or_default()
}
