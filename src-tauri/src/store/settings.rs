//! Settings: one JSON value per name.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::StoreError;
use super::writer::Writing;

impl Writing<'_> {
    /// Keeps a value under a name.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_setting(&self, name: &str, json: &str) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
            )?
            .execute(params![name, json])?;
        Ok(())
    }
}

/// The value of a name.
///
/// # Errors
/// When the database cannot be read.
pub fn read_setting(connection: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM settings WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}
