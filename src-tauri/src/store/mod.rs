//! Everything on disk: one SQLite database in a data directory that one process owns.
//!
//! [`Store::open`] takes the directory, migrates the database and starts two threads: the one that writes (group commit,
//! WAL, synchronous=FULL) and the one that moves the log into the database. Callers hand the writer jobs and are answered
//! after the commit that holds them; queries run on read connections of their own. This is the only module that names
//! rusqlite.

mod arrivals;
mod attempts;
mod ballast;
mod change;
mod checkpoint;
mod deliveries;
mod endpoints;
mod error;
mod list;
mod lock;
mod migrate;
mod open;
mod permissions;
mod reader;
mod recovery;
mod refusals;
mod replay_keys;
mod retention;
mod settings;
mod strata;
#[cfg(test)]
mod tests;
mod totals;
mod tunnels;
mod words;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

pub use arrivals::{read_arrival, read_arrivals, read_public_url};
pub use attempts::{
    AttemptEnd, AttemptResponse, AttemptToSend, NewAttempt, WaitingRow, read_attempt, read_attempt_to_send,
    read_attempts, read_response_body, read_waiting, read_waiting_targets,
};
pub use ballast::{Ballast, free_bytes};
pub use change::{Change, CommitListener};
pub use deliveries::{NewDelivery, Payload, ReplayKey, Stored, read_payload, read_replays, read_summary};
pub use endpoints::{StoredEndpoint, StoredSecret, read_endpoints, read_last_delivery_at};
pub use error::StoreError;
pub use list::{
    DeliveryFilter, DeliveryPage, PageBounds, read_count, read_counts_by_endpoint, read_matching, read_newer_with_key,
    read_newest_seq,
};
pub use lock::{LOCK_FILE, OwnerLock};
pub use migrate::{supported_version, version_in_file};
pub use open::{DATABASE_FILE, sqlite_version};
pub use permissions::{create_dir_private, private_file_options};
pub use refusals::read_refusals;
pub use replay_keys::read_earlier_replay;
pub use retention::{Retention, used_bytes};
pub use rusqlite::Connection;
pub use settings::read_setting;
pub use tunnels::read_tunnel_of;
pub use writer::Writing;

use reader::Readers;
use totals::Totals;
use writer::{WriterParts, WriterQueue};

/// An open data directory.
pub struct Store {
    dir: PathBuf,
    /// Dropped by [`Store::close`], which lets the writer thread end.
    writer: Mutex<Option<Arc<WriterQueue>>>,
    readers: Readers,
    /// Apart, so that slow searches never hold up the relay.
    relay_readers: Readers,
    totals: Arc<Totals>,
    /// The writer and the checkpointer, joined by [`Store::close`].
    threads: Mutex<Vec<JoinHandle<()>>>,
    _lock: OwnerLock,
}

impl Store {
    /// Opens the database of a data directory that has been taken. Blocks.
    ///
    /// # Errors
    /// When the database is newer, damaged, or cannot be used.
    pub fn open(lock: OwnerLock, listener: CommitListener) -> Result<Self, StoreError> {
        let dir = lock.dir().to_owned();
        let path = dir.join(DATABASE_FILE);
        let connection = open::open_writer(&path)?;
        let totals = Arc::<Totals>::default();
        // One place: told while it still looks, the checkpointer will look again anyway.
        let (committed, commits) = std::sync::mpsc::sync_channel(1);
        let (queue, write) =
            writer::writer(WriterParts { connection, listener, committed, totals: Arc::clone(&totals) })?;
        let queue = Arc::new(queue);
        let checkpoint = checkpoint::checkpointer(&path, commits, Arc::downgrade(&queue))?;
        let threads = vec![spawn("creel-writer", write)?, spawn("creel-checkpoint", checkpoint)?];
        Ok(Self {
            dir,
            writer: Mutex::new(Some(queue)),
            readers: Readers::new(path.clone()),
            relay_readers: Readers::new(path),
            totals,
            threads: Mutex::new(threads),
            _lock: lock,
        })
    }

    /// The data directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs a job in the writer's next transaction; answered after its commit. The job may run twice.
    ///
    /// # Errors
    /// When the job fails, the database cannot be written, or the writer is too far behind.
    pub async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let Some(queue) = self.queue() else { return Err(StoreError::Closed) };
        queue.write(job).await
    }

    /// Queues a job and does not wait; false when there is no room.
    pub fn write_unanswered<F>(&self, job: F) -> bool
    where
        F: FnMut(&mut Writing<'_>) -> Result<(), StoreError> + Send + 'static,
    {
        self.queue().is_some_and(|queue| queue.write_unanswered(job))
    }

    /// Runs a query in a read transaction of its own, off the async workers.
    ///
    /// # Errors
    /// When the query fails or takes too long.
    pub async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.readers.read(query).await
    }

    /// A page of the list.
    ///
    /// # Errors
    /// When the database cannot be read, or the query takes too long.
    pub async fn read_page(&self, filter: DeliveryFilter, bounds: PageBounds) -> Result<DeliveryPage, StoreError> {
        let totals = Arc::clone(&self.totals);
        self.read(move |connection| list::read_page(connection, &totals, &filter, bounds)).await
    }

    /// As [`Store::read`], on connections that only the relay uses.
    ///
    /// # Errors
    /// When the query fails or takes too long.
    pub async fn read_for_relay<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.relay_readers.read(query).await
    }

    /// Whether jobs are taken: false when the store has been closed or its writer has died.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.queue().is_some_and(|queue| queue.is_served())
    }

    /// Jobs that the writer has not taken yet.
    #[must_use]
    pub fn queue_depth(&self) -> usize {
        self.queue().map_or(0, |queue| queue.depth())
    }

    /// Bytes of the database file and of its log.
    #[must_use]
    pub fn file_bytes(&self) -> (u64, u64) {
        // Asked of the system: opening the file here would drop SQLite's locks (sqlite.org, howtocorrupt section 2.2).
        let size = |name: &str| std::fs::metadata(self.dir.join(name)).map_or(0, |file| file.len());
        (size(DATABASE_FILE), size(&format!("{DATABASE_FILE}-wal")))
    }

    /// Writes what is queued, moves the log into the database, closes everything. Blocks.
    pub fn close(&self) {
        self.readers.close();
        self.relay_readers.close();
        drop(self.writer.lock().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }

    fn queue(&self) -> Option<Arc<WriterQueue>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| StoreError::Unavailable(format!("no thread: {error}")))
}
