//! Tunnels that deliveries and their repeats came by. Each names one by its row, so that telling it costs an insert one
//! number.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::StoreError;
use super::writer::Writing;
use crate::domain::DeliveryTunnel;

impl Writing<'_> {
    /// The row of a tunnel; made when there is none like it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_tunnel(&self, tunnel: &DeliveryTunnel) -> Result<i64, StoreError> {
        let adds =
            serde_json::to_string(&tunnel.adds_headers).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let values = params![tunnel.provider, tunnel.name, adds];
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO tunnels (provider, name, adds_headers) VALUES (?1, ?2, ?3)")?
            .execute(values)?;
        let row = self
            .connection
            .prepare_cached("SELECT row FROM tunnels WHERE provider = ?1 AND name = ?2 AND adds_headers = ?3")?
            .query_row(values, |row| row.get(0))?;
        Ok(row)
    }
}

/// The tunnel that a delivery came by, if it was one.
///
/// # Errors
/// When the database cannot be read.
pub fn read_tunnel_of(connection: &Connection, seq: i64) -> Result<Option<DeliveryTunnel>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT t.provider, t.name, t.adds_headers FROM deliveries d JOIN tunnels t ON t.row = d.tunnel
         WHERE d.seq = ?1",
    )?;
    let tunnel = statement.query_row([seq], |row| tunnel_from_row(row, 0)).optional()?;
    Ok(tunnel.flatten())
}

/// The tunnel in the columns `provider`, `name` and `adds_headers` from this one on; none where they are null.
pub(super) fn tunnel_from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<DeliveryTunnel>> {
    let Some(provider) = row.get(first)? else { return Ok(None) };
    let adds: String = row.get(first + 2)?;
    Ok(Some(DeliveryTunnel {
        provider,
        name: row.get(first + 1)?,
        // A damaged list shows as empty rather than failing the whole row.
        adds_headers: serde_json::from_str(&adds).unwrap_or_default(),
    }))
}
