//! Second and later receipts of a delivery; the first is the delivery itself.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::StoreError;
use super::deliveries::{NewDelivery, Stored, headers_of};
use super::tunnels::tunnel_from_row;
use super::words::{blob_id, word};
use super::writer::Writing;
use crate::domain::limits::ARRIVALS_KEPT_MAX;
use crate::domain::{ArrivalSummary, AttemptId, Headers, SignatureStatus, Timestamp};

impl Writing<'_> {
    /// Notes that a delivery came again, and keeps what came.
    pub(super) fn store_arrival(&mut self, holder: i64, n: u32, new: &NewDelivery) -> Result<Stored, StoreError> {
        let same_body: bool = self
            .connection
            .prepare_cached("SELECT body = ?2 FROM payloads WHERE seq = ?1")?
            .query_row(params![holder, &new.payload.body[..]], |row| row.get(0))?;
        // Bytes that are not kept yet are kept, however many came before: a 2xx promises it.
        if n <= ARRIVALS_KEPT_MAX || !same_body {
            self.connection
                .prepare_cached(
                    "INSERT INTO arrivals (delivery, n, received_at, remote_addr, client_ip, headers, signature_status,
                     body_size, body, public_url, tunnel) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?
                .execute(params![
                    holder,
                    n,
                    new.summary.received_at.as_millis(),
                    new.payload.remote_addr,
                    new.payload.client_ip,
                    &new.payload.headers.as_block()[..],
                    new.summary.signature_status.as_str(),
                    new.summary.body_size,
                    (!same_body).then_some(&new.payload.body[..]),
                    new.payload.public_url,
                    new.tunnel,
                ])?;
        }
        let summary = self.announce_delivery(holder)?;
        let mut statement =
            self.connection.prepare_cached("SELECT id FROM attempts WHERE delivery = ?1 ORDER BY row")?;
        let ids = statement.query_map([holder], |row| blob_id(row, 0, AttemptId::from_bytes))?;
        Ok(Stored::Repeat { delivery_id: summary.id, attempt_ids: ids.collect::<Result<_, _>>()? })
    }
}

/// Arrivals of one delivery that are told at once; a sender may repeat itself without end.
pub const ARRIVALS_TOLD_MAX: usize = 1_000;

/// The newest arrivals of a delivery beyond the first, in their order; at most [`ARRIVALS_TOLD_MAX`].
pub fn read_arrivals(connection: &Connection, seq: i64) -> Result<Vec<ArrivalSummary>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.n, a.received_at, a.remote_addr, a.client_ip, a.headers, a.signature_status, a.body_size,
         a.body IS NULL, a.public_url, t.provider, t.name, t.adds_headers
         FROM arrivals a LEFT JOIN tunnels t ON t.row = a.tunnel WHERE a.delivery = ?1 ORDER BY a.n DESC LIMIT ?2",
    )?;
    let arrivals = statement.query_map(params![seq, ARRIVALS_TOLD_MAX as i64], |row| {
        Ok(ArrivalSummary {
            n: row.get(0)?,
            received_at: Timestamp::from_millis(row.get(1)?),
            remote_addr: row.get(2)?,
            client_ip: row.get(3)?,
            headers: headers_of(row.get(4)?).to_text_pairs(),
            signature_status: word(row, 5, SignatureStatus::parse)?,
            body_size: row.get(6)?,
            same_body: row.get(7)?,
            public_url: row.get(8)?,
            tunnel: tunnel_from_row(row, 9)?,
        })
    })?;
    let mut arrivals = arrivals.collect::<Result<Vec<_>, _>>()?;
    arrivals.reverse();
    Ok(arrivals)
}

/// Head and body of one arrival; the delivery's own for the first, and its body where an arrival's is the same.
pub fn read_arrival(connection: &Connection, seq: i64, n: u32) -> Result<Option<(Headers, Bytes)>, StoreError> {
    let sql = if n == 1 {
        "SELECT headers, body FROM payloads WHERE seq = ?1 AND ?2 = 1"
    } else {
        "SELECT a.headers, coalesce(a.body, p.body) FROM arrivals a JOIN payloads p ON p.seq = a.delivery
         WHERE a.delivery = ?1 AND a.n = ?2"
    };
    let found = connection
        .prepare_cached(sql)?
        .query_row(params![seq, n], |row| Ok((headers_of(row.get(0)?), Bytes::from(row.get::<_, Vec<u8>>(1)?))))
        .optional()?;
    Ok(found)
}

/// The URL as the sender of one arrival saw it; the delivery's own for the first.
///
/// # Errors
/// When the database cannot be read.
pub fn read_public_url(connection: &Connection, seq: i64, n: u32) -> Result<Option<String>, StoreError> {
    let sql = if n == 1 {
        "SELECT public_url FROM payloads WHERE seq = ?1 AND ?2 = 1"
    } else {
        // One that came past the tunnel has none, nor has one of before this was kept; the delivery's is the likeliest.
        "SELECT coalesce(a.public_url, p.public_url) FROM arrivals a JOIN payloads p ON p.seq = a.delivery
         WHERE a.delivery = ?1 AND a.n = ?2"
    };
    let found: Option<Option<String>> =
        connection.prepare_cached(sql)?.query_row(params![seq, n], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}
