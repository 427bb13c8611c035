//! The thread that moves the log into the database, so that no acknowledgement waits for it.
//!
//! A passive checkpoint runs beside the writer. While posts keep coming it never reaches the log's end, and the log could
//! not begin anew; the rest, a few pages, is then the writer's (see `writer`).

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
    Ok(move || {
        let mut dirty = false;
        loop {
            let wait = if dirty { IDLE } else { Duration::from_secs(3600) };
            match committed.recv_timeout(wait) {
                Ok(()) => {
                    dirty = true;
                    look(&connection, &writer);
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

fn look(connection: &Connection, writer: &std::sync::Weak<WriterQueue>) {
    let Some((log, moved)) = log_pages(connection) else { return };
    if log - moved > LOG_PAGES_WORTH_A_CHECKPOINT {
        checkpoint_passive(connection);
    }
    // All moved: the log begins anew with the next write.
    if log > LOG_PAGES_TOO_MANY
        && moved < log
        && let Some(writer) = writer.upgrade()
    {
        writer.finish_checkpoint();
    }
}

/// Pages in the log, and how many of them have been moved (`NOOP` looks without moving; SQLite 3.51).
fn log_pages(connection: &Connection) -> Option<(i64, i64)> {
    connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| Ok((row.get(1)?, row.get(2)?))).ok()
}
