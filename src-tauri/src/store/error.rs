//! Why the store cannot do what it was asked.

use std::path::PathBuf;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process owns the data directory.
    #[error("{} is in use by another Creel (process {pid})", dir.display())]
    Owned {
        /// The directory.
        dir: PathBuf,
        /// The owner's process id; 0 when it could not be read.
        pid: u32,
    },
    /// The database was written by a newer Creel.
    #[error("the database has schema version {found}; this Creel knows up to {supported}")]
    Newer {
        /// The database's version.
        found: i64,
        /// The newest version this program knows.
        supported: i64,
    },
    /// The file is not one of ours, or is damaged.
    #[error("{} is not a Creel database, or it is damaged: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// A file or directory could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The disk failed, or the file is locked by another program.
    #[error("the database cannot be written now: {0}")]
    Unavailable(String),
    /// The part of the database that was to be read or written is damaged; other parts may be whole.
    #[error("the database is damaged here: {0}")]
    Corrupt(String),
    /// A job of the writer panicked: a fault of ours.
    #[error("a fault in Creel stopped this write; it is in the log")]
    Fault,
    /// More work is queued than the writer may hold, or it did not get to it in time.
    #[error("the writer is too far behind")]
    Busy,
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// A query ran longer than it may.
    #[error("the query took too long")]
    TooSlow,
    /// A stored value is none of the vocabulary.
    #[error("the database holds a value that this Creel does not know: {0}")]
    UnknownValue(String),
    /// Anything else SQLite refuses; a fault of ours.
    #[error("the database refused: {0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => Self::Full,
            Some(
                Code::SystemIoFailure
                | Code::DatabaseBusy
                | Code::DatabaseLocked
                | Code::ReadOnly
                | Code::CannotOpen
                | Code::NotADatabase,
            ) => Self::Unavailable(error.to_string()),
            Some(Code::DatabaseCorrupt) => Self::Corrupt(error.to_string()),
            Some(Code::OperationInterrupted) => Self::TooSlow,
            _ => Self::Sqlite(error),
        }
    }
}

impl StoreError {
    /// Whether it is the disk's fault rather than the statement's: the whole group fails, and nothing is tried again.
    pub(super) fn is_of_the_disk(&self) -> bool {
        matches!(self, Self::Full | Self::Unavailable(_))
    }
}
