//! The queues of targets: which waiting attempt starts when.
//!
//! The database is the queue. A [`RelayQueues`] holds, for each target with something waiting, one dispatcher task that
//! pages through the ledger by row number, and the attempts in flight. Driven by [`RelayQueues::wake`] after each
//! commit that made attempts (and once per target at start), ended by [`RelayQueues::stop`].
//!
//! Order: attempts to one target start in the order of their rows, at most four in flight. A slot is passed on when
//! an outcome has been handed to the ledger, not when it is committed: the ledger commits in the order of its calls,
//! so the start of the next is never on disk without the end of the one before, and after a crash at most four
//! attempts per target are in doubt.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::address_guard::AddressPolicy;
use super::attempt::{AttemptResult, OutgoingDelivery, TargetClient};
use super::limits::{
    ATTEMPTS_IN_FLIGHT_MAX, ATTEMPTS_IN_FLIGHT_PER_TARGET, LEDGER_RETRY_FIRST, LEDGER_RETRY_MAX, PAGE_ATTEMPTS,
};
use crate::domain::{AttemptId, DeliveryId};

/// Why the ledger could not do what was asked now; it is asked again later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the relay's ledger cannot be used now: {0}")]
pub struct LedgerError(pub String);

/// An attempt that was never started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingAttempt {
    /// Its row number: a later attempt has a greater one.
    pub row: i64,
    /// Its name.
    pub attempt_id: AttemptId,
    /// The delivery it relays.
    pub delivery_id: DeliveryId,
}

/// Where attempts are kept: the database, as the queues see it.
///
/// Calls of [`RelayLedger::start`] and [`RelayLedger::finish`] take effect in the order in which their futures are
/// first polled.
pub trait RelayLedger: Send + Sync + 'static {
    /// Attempts to a target that were never started and whose row is greater than `after`, in order, at most `limit`.
    fn waiting(
        &self,
        target_url: &str,
        after: i64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<WaitingAttempt>, LedgerError>> + Send;

    /// Everything needed to send an attempt; none when it is gone.
    fn load(&self, attempt_id: AttemptId)
    -> impl Future<Output = Result<Option<OutgoingDelivery>, LedgerError>> + Send;

    /// Commits that an attempt starts now; false when it is no longer waiting (deleted, cancelled).
    fn start(&self, attempt_id: AttemptId) -> impl Future<Output = Result<bool, LedgerError>> + Send;

    /// Commits an attempt's outcome.
    fn finish(
        &self,
        attempt_id: AttemptId,
        result: AttemptResult,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send;

    /// What may be dialled at this moment.
    fn policy(&self, allow_non_loopback: bool) -> AddressPolicy;
}

/// The queues of all targets.
pub struct RelayQueues<L> {
    shared: Arc<Shared<L>>,
}

struct Shared<L> {
    ledger: Arc<L>,
    client: TargetClient,
    /// The dispatchers that are alive, by target.
    dispatchers: Mutex<HashMap<String, Arc<Wakeup>>>,
    /// One for each attempt from before its start until its outcome is committed.
    attempts: Arc<Semaphore>,
    /// Nothing new is begun.
    stopping: CancellationToken,
    /// What is still under way is dropped.
    abandoned: CancellationToken,
    tasks: TaskTracker,
}

/// Tells a dispatcher that there may be more. A stored permit stands for any number of calls, and stays until taken.
type Wakeup = Notify;

impl<L: RelayLedger> RelayQueues<L> {
    /// Queues that do nothing until woken.
    #[must_use]
    pub fn new(ledger: Arc<L>, client: TargetClient) -> Self {
        let shared = Shared {
            ledger,
            client,
            dispatchers: Mutex::default(),
            attempts: Arc::new(Semaphore::new(ATTEMPTS_IN_FLIGHT_MAX)),
            stopping: CancellationToken::new(),
            abandoned: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Says that attempts to a target have been committed. Never waits; needs the runtime.
    pub fn wake(&self, target_url: &str) {
        let mut dispatchers = self.shared.dispatchers();
        if self.shared.stopping.is_cancelled() {
            return;
        }
        if let Some(wakeup) = dispatchers.get(target_url) {
            wakeup.notify_one();
            return;
        }
        let wakeup = Arc::new(Wakeup::new());
        dispatchers.insert(target_url.to_owned(), Arc::clone(&wakeup));
        let shared = Arc::clone(&self.shared);
        let target_url = target_url.to_owned();
        self.shared.tasks.spawn(async move { Dispatcher::new(shared, target_url, wakeup).run().await });
    }

    /// Starts nothing more, gives what is in flight until the deadline, drops what is left, and waits until every task
    /// has ended. What was dropped stays started in the ledger: it is in doubt.
    pub async fn stop(&self, deadline: Instant) {
        {
            // Under the lock, so that no `wake` can spawn after this.
            let _dispatchers = self.shared.dispatchers();
            self.shared.stopping.cancel();
            self.shared.tasks.close();
        }
        if timeout_at(deadline, self.shared.tasks.wait()).await.is_err() {
            tracing::warn!("the time to stop is over; attempts in flight are dropped and will be in doubt");
            self.shared.abandoned.cancel();
            self.shared.tasks.wait().await;
        }
    }
}

impl<L: RelayLedger> Shared<L> {
    fn dispatchers(&self) -> MutexGuard<'_, HashMap<String, Arc<Wakeup>>> {
        // The map is whole between any two statements, so a panic elsewhere does not spoil it.
        self.dispatchers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the ledger until it can; none when `end` comes first.
    async fn persist<T, F>(&self, end: &CancellationToken, what: &'static str, mut ask: impl FnMut() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, LedgerError>> + Send,
    {
        let mut pause = LEDGER_RETRY_FIRST;
        loop {
            match end.run_until_cancelled(ask()).await? {
                Ok(value) => return Some(value),
                Err(error) => retry_pause(end, what, &error, &mut pause).await?,
            }
        }
    }

    /// Sends, and records what came of it.
    async fn attempt(
        self: Arc<Self>,
        delivery: OutgoingDelivery,
        first_start: Begun<bool>,
        slot: OwnedSemaphorePermit,
        permit: OwnedSemaphorePermit,
    ) {
        let attempt_id = delivery.attempt_id;
        if self.started(attempt_id, first_start).await == Some(true) {
            let policy = self.ledger.policy(delivery.allow_non_loopback);
            let sent = self.abandoned.run_until_cancelled(self.client.send(delivery, &policy)).await;
            if let Some(result) = sent {
                self.record(attempt_id, result, slot).await;
            }
        }
        drop(permit);
    }

    async fn started(&self, attempt_id: AttemptId, first_start: Begun<bool>) -> Option<bool> {
        match self.abandoned.run_until_cancelled(first_start).await? {
            Ok(is_waiting) => Some(is_waiting),
            Err(error) => {
                retry_pause(&self.stopping, "start an attempt", &error, &mut { LEDGER_RETRY_FIRST }).await?;
                self.persist(&self.stopping, "start an attempt", || self.ledger.start(attempt_id)).await
            }
        }
    }

    async fn record(&self, attempt_id: AttemptId, result: AttemptResult, slot: OwnedSemaphorePermit) {
        let mut first = Box::pin(self.ledger.finish(attempt_id, result.clone()));
        // Hands the outcome to the ledger; from here on the slot's next attempt may start (see the module's head).
        let polled = futures_util::poll!(first.as_mut());
        drop(slot);
        let end = &self.abandoned;
        let first = match polled {
            std::task::Poll::Ready(result) => Some(result),
            std::task::Poll::Pending => end.run_until_cancelled(first).await,
        };
        if let Some(Err(error)) = first {
            let what = "record an outcome";
            if retry_pause(end, what, &error, &mut { LEDGER_RETRY_FIRST }).await.is_some() {
                self.persist(end, what, || self.ledger.finish(attempt_id, result.clone())).await;
            }
        }
    }
}

async fn retry_pause(end: &CancellationToken, what: &str, error: &LedgerError, pause: &mut Duration) -> Option<()> {
    tracing::warn!(%error, "cannot {what}; trying again in {} ms", pause.as_millis());
    end.run_until_cancelled(tokio::time::sleep(*pause)).await?;
    *pause = (*pause * 2).min(LEDGER_RETRY_MAX);
    Some(())
}

/// A call of the ledger that has been polled once, so that its place in the ledger's order is taken.
type Begun<T> = Pin<Box<dyn Future<Output = Result<T, LedgerError>> + Send>>;

/// The task that feeds one target.
struct Dispatcher<L> {
    shared: Arc<Shared<L>>,
    target_url: String,
    wakeup: Arc<Wakeup>,
    slots: Arc<Semaphore>,
    /// The last row that was fetched, so that each is fetched once.
    cursor: i64,
}

impl<L: RelayLedger> Dispatcher<L> {
    fn new(shared: Arc<Shared<L>>, target_url: String, wakeup: Arc<Wakeup>) -> Self {
        let slots = Arc::new(Semaphore::new(ATTEMPTS_IN_FLIGHT_PER_TARGET));
        Self { shared, target_url, wakeup, slots, cursor: 0 }
    }

    async fn run(mut self) {
        while let Some(page) = self.page().await {
            if page.is_empty() {
                if !self.wait_for_more().await {
                    break;
                }
                continue;
            }
            for waiting in page {
                self.cursor = waiting.row;
                if self.dispatch(waiting).await.is_none() {
                    return;
                }
            }
        }
    }

    async fn page(&self) -> Option<Vec<WaitingAttempt>> {
        let (shared, cursor) = (&self.shared, self.cursor);
        let ask = || shared.ledger.waiting(&self.target_url, cursor, PAGE_ATTEMPTS);
        shared.persist(&shared.stopping, "read waiting attempts", ask).await
    }

    /// False when the dispatcher has nothing to do and has signed off.
    ///
    /// Attempts in flight keep it alive: their slots are its own, and a successor would count from none.
    async fn wait_for_more(&self) -> bool {
        let all = u32::try_from(ATTEMPTS_IN_FLIGHT_PER_TARGET).unwrap_or(u32::MAX);
        tokio::select! {
            biased;
            () = self.shared.stopping.cancelled() => return false,
            () = self.wakeup.notified() => return true,
            _all = self.slots.acquire_many(all) => {}
        }
        !self.sign_off()
    }

    /// Takes this dispatcher off the list, unless it has been woken again.
    ///
    /// `wake` finds it and leaves a notice, or finds none and spawns one; the lock admits no third case.
    fn sign_off(&self) -> bool {
        let mut dispatchers = self.shared.dispatchers();
        let mut notified = std::pin::pin!(self.wakeup.notified());
        if notified.as_mut().enable() {
            return false;
        }
        dispatchers.remove(&self.target_url);
        true
    }

    /// Starts one attempt as soon as there is room; none when stopped.
    async fn dispatch(&self, waiting: WaitingAttempt) -> Option<()> {
        let shared = &self.shared;
        let stopping = &shared.stopping;
        let load = || shared.ledger.load(waiting.attempt_id);
        // Before the slot is free, so that no slot idles while the ledger is read.
        let Some(delivery) = shared.persist(stopping, "load an attempt", load).await? else {
            return Some(());
        };
        let slot = stopping.run_until_cancelled(Arc::clone(&self.slots).acquire_owned()).await?.ok()?;
        let permit = stopping.run_until_cancelled(Arc::clone(&shared.attempts).acquire_owned()).await?.ok()?;
        if stopping.is_cancelled() {
            return None;
        }
        let ledger = Arc::clone(&shared.ledger);
        let mut start: Begun<bool> = Box::pin(async move { ledger.start(waiting.attempt_id).await });
        // Takes its place in the ledger's order here, where attempts are in order; spawned tasks run in any.
        if let std::task::Poll::Ready(ready) = futures_util::poll!(start.as_mut()) {
            start = Box::pin(std::future::ready(ready));
        }
        shared.tasks.spawn(Arc::clone(shared).attempt(delivery, start, slot, permit));
        Some(())
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
