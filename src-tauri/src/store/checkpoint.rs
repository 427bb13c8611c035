//! The thread that moves the log into the database, so that no acknowledgement waits for it.
//!
//! A passive checkpoint runs beside the writer. While posts keep coming it never reaches the log's end, and the log could
//! not begin anew; the rest, a few pages, is then the writer's (see `writer`). SQLite syncs the database only in the
//! checkpoint that reaches the end, which is the writer's too: so that it finds little to sync, what has been moved is
//! flushed here.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::Connection;

use super::StoreError;
use super::open::open_checkpointer;
use super::writer::{WriterQueue, checkpoint_passive};

/// Pages in the log from which a checkpoint is worth its syncs: 32 MiB.
const LOG_PAGES_WORTH_A_CHECKPOINT: i64 = 2_048;
/// Pages in the log from which the writer has to help: 96 MiB.
const LOG_PAGES_TOO_MANY: i64 = 6_144;
/// Pages that are left to the writer when it has to help: 1 MiB.
const LOG_PAGES_LEFT_TO_WRITER: i64 = 64;
/// Checkpoints in a row that may try to come that near to the log's end.
const CHECKPOINTS_IN_A_ROW_MAX: u32 = 5;
/// The shortest time between two looks at the log.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// After this long without a commit the rest of the log is moved.
const IDLE: Duration = Duration::from_secs(2);

/// The body of the thread; it ends when the writer has gone and its channel with it.
pub(super) fn checkpointer(
    path: &Path,
    committed: Receiver<()>,
    writer: std::sync::Weak<WriterQueue>,
) -> Result<impl FnOnce() + Send + 'static, StoreError> {
    let connection = open_checkpointer(path)?;
    let database = open_for_flush(path)?;
    Ok(move || {
        // Closing any handle of the file drops SQLite's locks on it (sqlite.org, howtocorrupt section 2.2): this one is
        // closed after the writer has gone and after our own connection.
        let (database, connection) = (database, connection);
        let mut dirty = false;
        loop {
            let wait = if dirty { IDLE } else { Duration::from_secs(3600) };
            match committed.recv_timeout(wait) {
                Ok(()) => {
                    dirty = true;
                    look(&connection, &database, &writer);
                    std::thread::sleep(LOOK_EVERY);
                }
                Err(RecvTimeoutError::Timeout) => {
                    checkpoint_passive(&connection);
                    dirty = false;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    })
}

fn look(connection: &Connection, database: &File, writer: &std::sync::Weak<WriterQueue>) {
    let Some((log, moved)) = log_pages(connection) else { return };
    if log - moved > LOG_PAGES_WORTH_A_CHECKPOINT {
        checkpoint_passive(connection);
        flush(database);
    }
    // All moved: the log begins anew with the next write.
    if log > LOG_PAGES_TOO_MANY
        && moved < log
        && let Some(writer) = writer.upgrade()
    {
        come_near_the_end(connection, database);
        writer.finish_checkpoint();
    }
}

/// Moves and flushes again what was written meanwhile, until little is left.
fn come_near_the_end(connection: &Connection, database: &File) {
    for _ in 0..CHECKPOINTS_IN_A_ROW_MAX {
        match log_pages(connection) {
            Some((log, moved)) if log - moved > LOG_PAGES_LEFT_TO_WRITER => {
                checkpoint_passive(connection);
                flush(database);
            }
            _ => return,
        }
    }
}

fn open_for_flush(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new().read(true).write(true).open(path).map_err(|source| StoreError::Io {
        action: "open",
        path: path.to_owned(),
        source,
    })
}

/// Brings what has been moved to the disk. Nothing depends on it but the time of the sync that SQLite does itself.
fn flush(database: &File) {
    if let Err(error) = database.sync_data() {
        tracing::warn!(%error, "the database could not be flushed");
    }
}

/// Pages in the log, and how many of them have been moved (`NOOP` looks without moving; SQLite 3.51).
fn log_pages(connection: &Connection) -> Option<(i64, i64)> {
    connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| Ok((row.get(1)?, row.get(2)?))).ok()
}
