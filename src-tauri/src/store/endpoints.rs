//! Endpoints and their signing secrets.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::StoreError;
use super::change::Change;
use super::words::blob_id;
use super::writer::Writing;
use crate::domain::{Endpoint, EndpointId, Secret, SecretId, Timestamp};

/// An endpoint as stored.
#[derive(Clone, Debug)]
pub struct StoredEndpoint {
    /// Its row; deliveries refer to it.
    pub row: i64,
    /// What is configured.
    pub endpoint: Endpoint,
    /// Its signing secrets, oldest first.
    pub secrets: Vec<StoredSecret>,
}

/// A signing secret as stored.
#[derive(Clone, Debug)]
pub struct StoredSecret {
    /// Its name.
    pub id: SecretId,
    /// The secret; none when what is stored cannot be read. It is never treated as if none were set.
    pub secret: Option<Secret>,
    /// When it was added.
    pub created_at: Timestamp,
}

impl Writing<'_> {
    /// Inserts an endpoint or replaces its definition; returns its row.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_endpoint(&mut self, endpoint: &Endpoint) -> Result<i64, StoreError> {
        let definition =
            serde_json::to_string(endpoint).map_err(|error| StoreError::UnknownValue(error.to_string()))?;
        let row = self
            .connection
            .prepare_cached(
                "INSERT INTO endpoints (id, token, definition) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET token = excluded.token, definition = excluded.definition
                 RETURNING row",
            )?
            .query_row(params![endpoint.id.as_bytes(), endpoint.token.as_str(), definition], |row| row.get(0))?;
        Ok(row)
    }

    /// Whether an endpoint is still there: what refers to it may have waited while it was deleted.
    pub(super) fn has_endpoint(&mut self, row: i64) -> Result<bool, StoreError> {
        if self.endpoints_seen.contains(&row) {
            return Ok(true);
        }
        let exists =
            self.connection.prepare_cached("SELECT 1 FROM endpoints WHERE row = ?1 AND deleting = 0")?.exists([row])?;
        if exists {
            self.endpoints_seen.push(row);
        }
        Ok(exists)
    }

    /// Replaces all secrets of an endpoint; false when it has been deleted.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn replace_secrets(
        &mut self,
        row: i64,
        secrets: &[(SecretId, Secret)],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if !self.has_endpoint(row)? {
            return Ok(false);
        }
        self.connection.prepare_cached("DELETE FROM signing_secrets WHERE endpoint = ?1")?.execute([row])?;
        for (id, secret) in secrets {
            self.insert_secret(row, *id, secret, now)?;
        }
        Ok(true)
    }

    /// Adds a secret to an endpoint; false when it has been deleted.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_secret(&mut self, row: i64, id: SecretId, secret: &Secret, now: Timestamp) -> Result<bool, StoreError> {
        let is_there = self.has_endpoint(row)?;
        if is_there {
            self.insert_secret(row, id, secret, now)?;
        }
        Ok(is_there)
    }

    /// Adds a secret to an endpoint that has none; false when it has one, or has been deleted.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_first_secret(
        &mut self,
        row: i64,
        id: SecretId,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if self.count_secrets(row)? > 0 { Ok(false) } else { self.add_secret(row, id, secret, now) }
    }

    /// Puts a secret in the place of another one of the endpoint, with its age but a name of its own; where the endpoint
    /// has it already, the other only goes. False when that one is not there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn correct_secret(
        &mut self,
        row: i64,
        wrong: SecretId,
        id: SecretId,
        right: &Secret,
    ) -> Result<bool, StoreError> {
        if self.has_secret(row, right)? {
            return self.remove_secret(row, wrong);
        }
        let changed = self
            .connection
            .prepare_cached("UPDATE signing_secrets SET id = ?3, secret = ?4 WHERE endpoint = ?1 AND id = ?2")?
            .execute(params![row, wrong.as_bytes(), id.as_bytes(), right.expose()])?;
        Ok(changed > 0)
    }

    /// Whether an endpoint has this very secret.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_secret(&self, row: i64, secret: &Secret) -> Result<bool, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT 1 FROM signing_secrets WHERE endpoint = ?1 AND secret = ?2")?;
        Ok(statement.exists(params![row, secret.expose()])?)
    }

    fn insert_secret(&self, row: i64, id: SecretId, secret: &Secret, now: Timestamp) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("INSERT INTO signing_secrets (id, endpoint, secret, created_at) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id.as_bytes(), row, secret.expose(), now.as_millis()])?;
        Ok(())
    }

    /// How many secrets an endpoint has.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_secrets(&self, row: i64) -> Result<usize, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT count(*) FROM signing_secrets WHERE endpoint = ?1")?;
        Ok(statement.query_row([row], |row| row.get(0))?)
    }

    /// Removes one secret. False when the endpoint has no such secret.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn remove_secret(&mut self, row: i64, id: SecretId) -> Result<bool, StoreError> {
        let removed = self
            .connection
            .prepare_cached("DELETE FROM signing_secrets WHERE endpoint = ?1 AND id = ?2")?
            .execute(params![row, id.as_bytes()])?;
        Ok(removed > 0)
    }

    /// Hides an endpoint from everybody, its deliveries with it; they are deleted afterwards in batches.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn hide_endpoint(&mut self, endpoint: EndpointId) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("UPDATE endpoints SET deleting = 1 WHERE id = ?1")?
            .execute([endpoint.as_bytes()])?;
        self.endpoints_seen.clear();
        self.rows_vanish();
        self.changed(Change::Many);
        Ok(())
    }

    /// Deletes up to `limit` deliveries of hidden endpoints, then the endpoints; true when nothing is left to do.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn delete_hidden(&mut self, limit: usize) -> Result<bool, StoreError> {
        let seqs: Vec<i64> = self
            .connection
            .prepare_cached(
                "SELECT d.seq FROM endpoints e JOIN deliveries d ON d.endpoint = e.row WHERE e.deleting = 1 LIMIT ?1",
            )?
            .query_map([limit as i64], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        if !seqs.is_empty() {
            self.delete_deliveries(&seqs)?;
            return Ok(false);
        }
        // What this group has counted so far must not be written behind the deletion.
        self.flush()?;
        for sql in [
            "DELETE FROM signing_secrets WHERE endpoint IN (SELECT row FROM endpoints WHERE deleting = 1)",
            "DELETE FROM delivery_counts WHERE endpoint IN (SELECT row FROM endpoints WHERE deleting = 1)",
            "DELETE FROM delivery_strata WHERE endpoint IN (SELECT row FROM endpoints WHERE deleting = 1)",
            "DELETE FROM endpoints WHERE deleting = 1",
        ] {
            self.connection.prepare_cached(sql)?.execute([])?;
        }
        Ok(true)
    }
}

/// All endpoints in the order they were made.
///
/// # Errors
/// When the database cannot be read.
pub fn read_endpoints(connection: &Connection) -> Result<Vec<StoredEndpoint>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT row, definition FROM endpoints WHERE deleting = 0 ORDER BY row")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let mut endpoints = Vec::new();
    for row in rows {
        let (row, definition) = row?;
        let endpoint = serde_json::from_str(&definition)
            .map_err(|error| StoreError::UnknownValue(format!("definition of an endpoint: {error}")))?;
        endpoints.push(StoredEndpoint { row, endpoint, secrets: read_secrets(connection, row)? });
    }
    Ok(endpoints)
}

fn read_secrets(connection: &Connection, endpoint: i64) -> Result<Vec<StoredSecret>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT id, secret, created_at FROM signing_secrets WHERE endpoint = ?1 ORDER BY row")?;
    let secrets = statement.query_map([endpoint], |row| {
        let secret = match row.get_ref(1)? {
            ValueRef::Text(text) => std::str::from_utf8(text).ok().map(|text| Secret::new(text.to_owned())),
            _ => None,
        };
        Ok(StoredSecret {
            id: blob_id(row, 0, SecretId::from_bytes)?,
            secret,
            created_at: Timestamp::from_millis(row.get(2)?),
        })
    })?;
    Ok(secrets.collect::<Result<_, _>>()?)
}

/// When an endpoint last received something.
///
/// # Errors
/// When the database cannot be read.
pub fn read_last_delivery_at(connection: &Connection, row: i64) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT received_at FROM deliveries WHERE endpoint = ?1 ORDER BY seq DESC LIMIT 1")?;
    let at = statement.query_row([row], |row| row.get(0)).optional()?;
    Ok(at.map(Timestamp::from_millis))
}
