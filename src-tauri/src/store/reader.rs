//! Read connections: a few, opened when first needed, each query in a transaction of its own that ends with it.
//!
//! Short on purpose: an open read transaction keeps the log from beginning anew.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::StoreError;
use super::open::open_reader;

/// Queries at once.
const READERS_MAX: usize = 4;
/// How long a query may run.
const QUERY_TIME_MAX: Duration = Duration::from_secs(5);
/// Virtual-machine steps between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// The read side of the store.
#[derive(Clone)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Arc::default(), permits: Arc::new(Semaphore::new(READERS_MAX)) }
    }

    /// Runs a query on a thread that may block.
    pub(super) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let readers = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let connection = readers.take()?;
            let answer = in_transaction(&connection, query);
            readers.give_back(connection);
            answer
        });
        task.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Refuses further queries and closes what is idle.
    pub(super) fn close(&self) {
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| open_reader(&self.path), Ok)
    }

    fn give_back(&self, connection: Connection) {
        if !self.permits.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

fn in_transaction<T>(
    connection: &Connection,
    query: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let deadline = Instant::now() + QUERY_TIME_MAX;
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || Instant::now() > deadline))?;
    let transaction = connection.unchecked_transaction()?;
    let answer = query(&transaction);
    transaction.finish()?;
    answer
}
