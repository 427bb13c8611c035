//! Brings a database to the newest schema; refuses one that is newer.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::StoreError;
use crate::domain::SeededBug;

const STEPS: &[M<'static>] = &[
    M::up(include_str!("../../../migrations/0001_initial.sql")),
    M::up(include_str!("../../../migrations/0002_attempt_timings.sql")),
    M::up(include_str!("../../../migrations/0003_strata.sql")),
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
    fn a_newer_database_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", supported_version() + 1).unwrap();
        assert!(matches!(refuse_newer(&connection), Err(StoreError::Newer { .. })));
    }
}
