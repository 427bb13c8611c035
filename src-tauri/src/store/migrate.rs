//! Brings a database to the newest schema; refuses one that is newer.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::StoreError;
use crate::domain::SeededBug;

const STEPS: &[M<'static>] = &[
    M::up(include_str!("../../../migrations/0001_initial.sql")),
    M::up(include_str!("../../../migrations/0002_attempt_timings.sql")),
    M::up(include_str!("../../../migrations/0003_strata.sql")),
    M::up(include_str!("../../../migrations/0004_tunnels.sql")),
    M::up(include_str!("../../../migrations/0005_arrival_origins.sql")),
];

/// The newest schema version this program knows.
#[must_use]
pub fn supported_version() -> i64 {
    STEPS.len() as i64
}

/// The schema version of an open database.
pub(super) fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// The schema version of a database that is not open, read from its file's head: opening it as a database could write to it
/// (journal recovery), and may be another process's right alone. What still stands in the log only is not seen. None when
/// there is no file or it is empty. Blocks.
///
/// # Errors
/// When it cannot be read, or is no SQLite database.
pub fn version_in_file(path: &Path) -> io::Result<Option<i64>> {
    const HEAD_BYTES: usize = 100;
    const MAGIC: &[u8] = b"SQLite format 3\0";
    /// Of `user_version`, big-endian (sqlite.org, "Database File Format", 1.3).
    const OFFSET: usize = 60;
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(None);
    }
    if head.len() < HEAD_BYTES || !head.starts_with(MAGIC) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no SQLite database"));
    }
    let bytes = [head[OFFSET], head[OFFSET + 1], head[OFFSET + 2], head[OFFSET + 3]];
    Ok(Some(i64::from(i32::from_be_bytes(bytes))))
}

/// Refuses a newer database without touching it.
pub(super) fn refuse_newer(connection: &Connection) -> Result<(), StoreError> {
    let found = version(connection)?;
    if found > supported_version() && !SeededBug::NoSchemaCheck.is_on() {
        return Err(StoreError::Newer { found, supported: supported_version() });
    }
    Ok(())
}

/// Applies what is missing, each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    Migrations::from_slice(STEPS).to_latest(connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => StoreError::from(err),
        other => StoreError::Unavailable(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_applies_to_an_empty_database_and_only_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), supported_version());
        migrate(&mut connection).unwrap();
    }

    #[test]
    fn the_version_that_sqlite_wrote_is_found_in_the_files_head() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        assert_eq!(version_in_file(&path).unwrap(), None);
        migrate(&mut Connection::open(&path).unwrap()).unwrap();
        assert_eq!(version_in_file(&path).unwrap(), Some(supported_version()));
        std::fs::write(&path, "hello").unwrap();
        assert!(version_in_file(&path).is_err());
    }

    #[test]
    fn a_newer_database_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", supported_version() + 1).unwrap();
        assert!(matches!(refuse_newer(&connection), Err(StoreError::Newer { .. })));
    }
}
