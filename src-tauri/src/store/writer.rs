//! The one thread that writes.
//!
//! Whatever has queued up while the last commit was reaching the disk goes into the next transaction (group commit);
//! each job is answered after that commit. A job may run twice: when another job of its group fails, the group is rolled
//! back and its jobs run again one by one, so that one bad job never fails its neighbours.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use super::change::{Change, CommitListener};
use super::strata::stratum_of;
use super::totals::Totals;
use crate::domain::{DeliveryStatus, SeededBug};

/// Jobs that may wait for the writer.
pub(super) const JOBS_WAITING_MAX: usize = 8_192;
/// Jobs of one transaction.
const GROUP_JOBS_MAX: usize = 512;
/// How long a job may wait for a place in the queue. Shorter than Slack's deadline of three seconds.
const QUEUE_WAIT: Duration = Duration::from_millis(2_500);

/// A transaction that a job writes in.
pub struct Writing<'c> {
    pub(super) connection: &'c Connection,
    numbers: Numbers,
    /// By stratum, endpoint and status.
    counts: HashMap<(i64, i64, DeliveryStatus), i64>,
    changes: Vec<Change>,
    /// Rows of endpoints that this transaction found to be there; only the writer can delete one.
    pub(super) endpoints_seen: Vec<i64>,
    /// Whether rows that were there are deleted or hidden.
    rows_vanish: bool,
}

/// The numbers handed out so far; they never go back, also when rows are deleted.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    last_seq: i64,
    last_attempt_row: i64,
}

impl Writing<'_> {
    /// The next delivery number.
    pub(super) fn next_seq(&mut self) -> i64 {
        self.numbers.last_seq += 1;
        self.numbers.last_seq
    }

    /// The next attempt row.
    pub(super) fn next_attempt_row(&mut self) -> i64 {
        self.numbers.last_attempt_row += 1;
        self.numbers.last_attempt_row
    }

    /// Notes that an endpoint has so many more (or fewer) deliveries of a status, with a number like this one.
    pub(super) fn count(&mut self, seq: i64, endpoint_row: i64, status: DeliveryStatus, by: i64) {
        *self.counts.entry((stratum_of(seq), endpoint_row, status)).or_default() += by;
    }

    /// Notes a change for the listener; it hears of it after the commit.
    pub(super) fn changed(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Notes that rows which could be counted until now are deleted or hidden.
    pub(super) fn rows_vanish(&mut self) {
        self.rows_vanish = true;
    }

    /// Keeps the numbers handed out so far: called before rows are deleted, because the highest may be among them.
    pub(super) fn keep_numbers(&self) -> Result<(), StoreError> {
        let numbers = [("last_seq", self.numbers.last_seq), ("last_attempt_row", self.numbers.last_attempt_row)];
        for (name, number) in numbers {
            self.connection
                .prepare_cached(
                    "INSERT INTO counters (name, value) VALUES (?1, ?2)
                     ON CONFLICT DO UPDATE SET value = excluded.value",
                )?
                .execute(params![name, number])?;
        }
        Ok(())
    }

    /// Writes what has been counted so far.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        for ((stratum, endpoint, status), by) in self.counts.drain().filter(|(_, by)| *by != 0) {
            self.connection
                .prepare_cached(
                    "INSERT INTO delivery_counts (endpoint, status, n) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET n = n + excluded.n",
                )?
                .execute(params![endpoint, status.as_str(), by])?;
            let left: i64 = self
                .connection
                .prepare_cached(
                    "INSERT INTO delivery_strata (stratum, endpoint, status, n) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET n = n + excluded.n RETURNING n",
                )?
                .query_row(params![stratum, endpoint, status.as_str(), by], |row| row.get(0))?;
            if left == 0 {
                // Else the strata of what retention deleted would pile up.
                self.connection
                    .prepare_cached("DELETE FROM delivery_strata WHERE stratum = ?1 AND endpoint = ?2 AND status = ?3")?
                    .execute(params![stratum, endpoint, status.as_str()])?;
            }
        }
        Ok(())
    }
}

/// A job with its answer still open.
trait PendingJob: Send {
    fn run(&mut self, writing: &mut Writing<'_>) -> Result<(), StoreError>;
    /// Answers, and hands on the neighbours that are still to be answered; gives them back when nobody waits.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>, neighbours: Neighbours) -> Option<Neighbours>;
}

struct Pending<T, F> {
    job: F,
    done: Option<T>,
    reply: Option<oneshot::Sender<Answered<T>>>,
}

/// An answer, with the rest of the group.
struct Answered<T> {
    answer: Result<T, StoreError>,
    neighbours: Neighbours,
}

impl<T: Send, F: FnMut(&mut Writing<'_>) -> Result<T, StoreError> + Send> PendingJob for Pending<T, F> {
    fn run(&mut self, writing: &mut Writing<'_>) -> Result<(), StoreError> {
        self.done = Some((self.job)(writing)?);
        Ok(())
    }

    fn answer(mut self: Box<Self>, outcome: Result<(), StoreError>, neighbours: Neighbours) -> Option<Neighbours> {
        let Some(reply) = self.reply.take() else { return Some(neighbours) };
        let answer = outcome.and_then(|()| self.done.take().ok_or(StoreError::Closed));
        // Nobody waits any more when the asking task was stopped; the commit stands all the same.
        reply.send(Answered { answer, neighbours }).err().map(|unsent| unsent.neighbours)
    }
}

/// Jobs of one group that are to be answered alike.
///
/// The writer wakes one waiting task and hands it the others: waking a task of the same runtime is cheap, waking one from
/// outside costs a system call. Dropped unanswered, they are answered all the same.
struct Neighbours {
    jobs: Vec<Box<dyn PendingJob>>,
    failed: Option<StoreError>,
}

impl Neighbours {
    fn none() -> Self {
        Self { jobs: Vec::new(), failed: None }
    }

    fn outcome(&self) -> Result<(), StoreError> {
        self.failed.as_ref().map_or(Ok(()), |error| Err(error.repeated()))
    }

    /// Answers one job and leaves the others to whoever waited for it.
    fn hand_on(mut self) {
        while let Some(job) = self.jobs.pop() {
            let outcome = self.outcome();
            match job.answer(outcome, self) {
                Some(back) => self = back,
                None => return,
            }
        }
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        for job in std::mem::take(&mut self.jobs) {
            // Given back when nobody waits: there is nobody left to tell.
            let _none = job.answer(self.outcome(), Self::none());
        }
    }
}

enum Message {
    Job(Box<dyn PendingJob>),
    /// Carry a checkpoint to its end, so that the log can begin anew.
    FinishCheckpoint,
}

/// The way to the writer.
pub(super) struct WriterQueue {
    sender: mpsc::Sender<Message>,
}

impl WriterQueue {
    /// Runs a job in the next group and answers after its commit.
    pub(super) async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let pending = Message::Job(Box::new(Pending { job, done: None, reply: Some(reply) }));
        let pending = match self.sender.try_send(pending) {
            Ok(()) => None,
            Err(mpsc::error::TrySendError::Full(pending)) => Some(pending),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(StoreError::Closed),
        };
        if let Some(pending) = pending {
            match self.sender.send_timeout(pending, QUEUE_WAIT).await {
                Ok(()) => {}
                Err(mpsc::error::SendTimeoutError::Timeout(_)) => return Err(StoreError::Busy),
                Err(mpsc::error::SendTimeoutError::Closed(_)) => return Err(StoreError::Closed),
            }
        }
        match answer.await {
            Ok(Answered { answer, neighbours }) => {
                drop(neighbours);
                answer
            }
            Err(_) => Err(StoreError::Closed),
        }
    }

    /// Queues a job without waiting for it; false when there is no room.
    pub(super) fn write_unanswered<F>(&self, job: F) -> bool
    where
        F: FnMut(&mut Writing<'_>) -> Result<(), StoreError> + Send + 'static,
    {
        self.sender.try_send(Message::Job(Box::new(Pending { job, done: None, reply: None }))).is_ok()
    }

    /// Jobs that the writer has not taken yet.
    pub(super) fn depth(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    /// Whether the writer's thread is there to take jobs.
    pub(super) fn is_served(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Asks for the end of a checkpoint.
    pub(super) fn finish_checkpoint(&self) {
        // Asked again at the next round when there is no room now.
        let _full = self.sender.try_send(Message::FinishCheckpoint);
    }
}

/// What the thread needs beyond its queue.
pub(super) struct WriterParts {
    pub(super) connection: Connection,
    pub(super) listener: CommitListener,
    /// Told after each commit; never waited for.
    pub(super) committed: SyncSender<()>,
    /// Told of rows that vanish.
    pub(super) totals: Arc<Totals>,
}

/// Makes the queue and the body of its thread; the thread ends when the last queue handle is gone.
pub(super) fn writer(parts: WriterParts) -> Result<(WriterQueue, impl FnOnce() + Send + 'static), StoreError> {
    let numbers = read_numbers(&parts.connection)?;
    let (sender, receiver) = mpsc::channel(JOBS_WAITING_MAX);
    let queue = WriterQueue { sender };
    Ok((queue, move || WriterThread { parts, numbers }.run(receiver)))
}

struct WriterThread {
    parts: WriterParts,
    numbers: Numbers,
}

impl WriterThread {
    fn run(mut self, mut receiver: mpsc::Receiver<Message>) {
        let mut group: Vec<Box<dyn PendingJob>> = Vec::with_capacity(GROUP_JOBS_MAX);
        while let Some(first) = receiver.blocking_recv() {
            let mut finish_checkpoint = false;
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Job(job) => group.push(job),
                    Message::FinishCheckpoint => finish_checkpoint = true,
                }
                next = if group.len() < GROUP_JOBS_MAX { next_message(&mut receiver) } else { None };
            }
            let changes = self.parts.connection.total_changes();
            self.commit_group(&mut group);
            if finish_checkpoint {
                checkpoint_passive(&self.parts.connection);
            }
            if self.parts.connection.total_changes() != changes {
                // The checkpointer has been told already when its place is taken.
                let _told = self.parts.committed.try_send(());
            }
        }
        truncate_log(&self.parts.connection);
    }

    fn commit_group(&mut self, group: &mut Vec<Box<dyn PendingJob>>) {
        match self.transact(group) {
            Ok(changes) => {
                if !changes.is_empty() {
                    (self.parts.listener)(changes);
                }
                answer(group, None);
            }
            Err(_) if SeededBug::AckWhenFull.is_on() => answer(group, None),
            Err(error) if group.len() == 1 || error.is_of_the_disk() => {
                tracing::warn!(%error, jobs = group.len(), "a group of writes failed");
                answer(group, Some(error));
            }
            Err(_) => {
                for job in std::mem::take(group) {
                    self.commit_group(&mut vec![job]);
                }
            }
        }
    }

    /// All jobs in one transaction: committed, or nothing of it.
    fn transact(&mut self, group: &mut Vec<Box<dyn PendingJob>>) -> Result<Vec<Change>, StoreError> {
        if group.is_empty() {
            return Ok(Vec::new());
        }
        self.parts.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut writing = Writing {
            connection: &self.parts.connection,
            numbers: self.numbers,
            counts: HashMap::new(),
            changes: Vec::with_capacity(group.len()),
            endpoints_seen: Vec::new(),
            rows_vanish: false,
        };
        let written = group.iter_mut().try_for_each(|job| run(job, &mut writing)).and_then(|()| writing.flush());
        if SeededBug::AckBeforeCommit.is_on() && written.is_ok() {
            answer(group, None);
            std::thread::sleep(Duration::from_millis(300));
        }
        let rows_vanish = writing.rows_vanish;
        if rows_vanish {
            self.parts.totals.forget();
        }
        let written = written.and_then(|()| Ok(writing.connection.prepare_cached("COMMIT")?.execute([])?));
        let Writing { numbers, changes, .. } = writing;
        if rows_vanish {
            // Again: what was counted while the commit was under way may not have seen it.
            self.parts.totals.forget();
        }
        match written {
            Ok(_) => {
                self.numbers = numbers;
                Ok(changes)
            }
            Err(error) => {
                if !self.parts.connection.is_autocommit()
                    && let Err(rollback) = self.parts.connection.execute_batch("ROLLBACK")
                {
                    tracing::error!(%rollback, "a failed group could not be rolled back");
                }
                Err(error)
            }
        }
    }
}

/// Runs a job; its panic is an error of this job alone, and the writer goes on.
fn run(job: &mut Box<dyn PendingJob>, writing: &mut Writing<'_>) -> Result<(), StoreError> {
    // Nothing half-done survives: the transaction is rolled back, and `writing` is dropped with it.
    catch_unwind(AssertUnwindSafe(|| job.run(writing))).unwrap_or(Err(StoreError::Fault))
}

/// The next message that is there, or comes while those run who could send one. A commit writes whole pages whatever it
/// holds, so that fewer and larger groups cost less; where nobody else wants to run, giving way takes no time.
fn next_message(receiver: &mut mpsc::Receiver<Message>) -> Option<Message> {
    receiver.try_recv().ok().or_else(|| {
        std::thread::yield_now();
        receiver.try_recv().ok()
    })
}

/// Answers all jobs of a group alike.
fn answer(group: &mut Vec<Box<dyn PendingJob>>, failed: Option<StoreError>) {
    Neighbours { jobs: std::mem::take(group), failed }.hand_on();
}

/// What was handed out so far: the highest numbers there are, or that there were when rows were last deleted.
fn read_numbers(connection: &Connection) -> Result<Numbers, StoreError> {
    let read = |sql: &str| -> Result<i64, StoreError> {
        Ok(connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).optional()?.flatten().unwrap_or(0))
    };
    let kept = |name: &str| read(&format!("SELECT value FROM counters WHERE name = '{name}'"));
    Ok(Numbers {
        last_seq: read("SELECT max(seq) FROM deliveries")?.max(kept("last_seq")?),
        last_attempt_row: read("SELECT max(row) FROM attempts")?.max(kept("last_attempt_row")?),
    })
}

/// Copies what the log holds into the database as far as no reader is in the way.
pub(super) fn checkpoint_passive(connection: &Connection) {
    let done = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = done {
        tracing::warn!(%error, "a checkpoint failed");
    }
}

fn truncate_log(connection: &Connection) {
    let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    match done {
        Ok(0) => {}
        Ok(_) => tracing::debug!("the log was not truncated: somebody reads"),
        Err(error) => tracing::warn!(%error, "the last checkpoint failed"),
    }
}

impl StoreError {
    /// The same error for another job of the group.
    fn repeated(&self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::Busy => Self::Busy,
            Self::Closed => Self::Closed,
            Self::TooSlow => Self::TooSlow,
            Self::Fault => Self::Fault,
            Self::Corrupt(detail) => Self::Corrupt(detail.clone()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}
