//! Connections: each one that is opened anywhere is set up here.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::StoreError;
use super::migrate::{migrate, refuse_newer};
use super::permissions::ensure_file_private;

/// Name of the database in a data directory.
pub const DATABASE_FILE: &str = "creel.db";

/// Oldest SQLite that is safe with several connections on one WAL: 3.51.3 mends the WAL-reset corruption
/// (sqlite.org, "The WAL-Reset Bug").
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// Page size in bytes. Bigger than the default of 4096: fewer pages per group, and so less work per commit.
const PAGE_BYTES: i64 = 16 * 1024;
/// How long a connection waits for a lock that another program holds, in milliseconds.
const LOCK_WAIT_MS: u64 = 2_000;
/// Page cache of the writer in KiB.
const WRITER_CACHE_KIB: i64 = 8 * 1024;
/// Page cache of each reader in KiB.
const READER_CACHE_KIB: i64 = 2 * 1024;

/// The SQLite that is linked, for example `3.53.2`.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Opens the database for writing, makes or migrates it.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(StoreError::Unavailable(format!("SQLite {} is too old", rusqlite::version())));
    }
    if path.exists() {
        refuse_newer_unopened(path)?;
    }
    ensure_file_private(path)?;
    let damaged = |error: StoreError| match error {
        StoreError::Unavailable(detail) | StoreError::Corrupt(detail) => {
            StoreError::Damaged { path: path.to_owned(), detail }
        }
        other => other,
    };
    let mut connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))
        .map_err(|error| damaged(error.into()))?;
    set_up(&connection, WRITER_CACHE_KIB)?;
    // Only has an effect on an empty database.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    journal_in_wal(&connection).map_err(damaged)?;
    // Checkpoints are the checkpointer's, off the path of an acknowledgement.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Without it macOS does not wait for the platter.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Opens the database for reading only.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    set_up(&connection, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Opens the database for checkpoints.
pub(super) fn open_checkpointer(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
    set_up(&connection, READER_CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    Ok(connection)
}

fn flags(access: OpenFlags) -> OpenFlags {
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE
}

fn set_up(connection: &Connection, cache_kib: i64) -> Result<(), StoreError> {
    connection.busy_timeout(Duration::from_millis(LOCK_WAIT_MS))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn journal_in_wal(connection: &Connection) -> Result<(), StoreError> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode.eq_ignore_ascii_case("wal") {
        return Ok(());
    }
    Err(StoreError::Unavailable(format!("this file system does not allow a write-ahead log (mode `{mode}`)")))
}

/// Looks at the version through a read-only connection, so that a newer file is left as it is.
fn refuse_newer_unopened(path: &Path) -> Result<(), StoreError> {
    if std::fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        return Ok(());
    }
    let damaged = |error: rusqlite::Error| StoreError::Damaged { path: path.to_owned(), detail: error.to_string() };
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY)).map_err(damaged)?;
    connection.busy_timeout(Duration::from_millis(LOCK_WAIT_MS))?;
    refuse_newer(&connection).map_err(|error| match error {
        StoreError::Unavailable(detail) | StoreError::Corrupt(detail) => {
            StoreError::Damaged { path: path.to_owned(), detail }
        }
        other => other,
    })
}
