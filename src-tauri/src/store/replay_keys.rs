//! Idempotency keys of replays: a double click makes one replay.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::StoreError;
use super::deliveries::{NewDelivery, ReplayKey, Stored};
use super::words::blob_id;
use super::writer::Writing;
use crate::domain::{DeliveryId, Timestamp};

/// How long a key is remembered, in milliseconds: a day.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

impl Writing<'_> {
    /// What became of an earlier replay with the same key.
    pub(super) fn earlier_replay(&self, new: &NewDelivery) -> Result<Option<Stored>, StoreError> {
        let Some(key) = &new.replay_key else { return Ok(None) };
        read_earlier_replay(self.connection, key, new.summary.created_at)
    }

    /// Remembers the key of a replay that has been stored.
    pub(super) fn keep_replay_key(&self, new: &NewDelivery) -> Result<(), StoreError> {
        let Some(key) = &new.replay_key else { return Ok(()) };
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO replay_keys (delivery, key, request_hash, replay, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                key.delivery.as_bytes(),
                key.key,
                key.request_hash,
                new.summary.id.as_bytes(),
                new.summary.created_at.as_millis(),
            ])?;
        Ok(())
    }

    /// Forgets keys that are a day old.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_old_replay_keys(&self, now: Timestamp) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM replay_keys WHERE created_at <= ?1")?
            .execute([now.as_millis() - KEPT_MS])?;
        Ok(())
    }
}

/// What became of an earlier replay with the same key, if there was one within a day.
///
/// # Errors
/// When the database cannot be read.
pub fn read_earlier_replay(
    connection: &Connection,
    key: &ReplayKey,
    now: Timestamp,
) -> Result<Option<Stored>, StoreError> {
    let oldest = now.as_millis() - KEPT_MS;
    let mut statement = connection.prepare_cached(
        "SELECT request_hash, replay FROM replay_keys WHERE delivery = ?1 AND key = ?2 AND created_at > ?3",
    )?;
    let earlier: Option<(Vec<u8>, DeliveryId)> = statement
        .query_row(params![key.delivery.as_bytes(), key.key, oldest], |row| {
            Ok((row.get(0)?, blob_id(row, 1, DeliveryId::from_bytes)?))
        })
        .optional()?;
    Ok(earlier.map(
        |(hash, delivery_id)| {
            if hash == key.request_hash { Stored::SameReplay { delivery_id } } else { Stored::OtherReplay }
        },
    ))
}
