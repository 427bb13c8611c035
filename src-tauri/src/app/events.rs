//! The live event log: every change, numbered, kept for a while so that a listener can resume.
//!
//! The engine calls [`EventLog::publish`] right after each commit; it locks, appends and wakes, and never waits for a
//! listener or serialises anything. A listener calls [`EventLog::subscribe`] and then [`Subscription::next_batch`] again
//! and again. It holds no queue of its own, only its place in the ring, so a slow one costs nothing: when the ring has
//! moved past its place it gets one `resync` event and goes on from now.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use super::error::AppError;
use crate::domain::{Attempt, DeliverySummary, Refusal, words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Events kept for listeners that resume or lag.
pub const EVENTS_KEPT: usize = 16_384;

words! {
    /// What an event is about: the `event:` line of the stream.
    EventKind {
        /// A delivery was stored or changed.
        Delivery = "delivery",
        /// An attempt was made, started or ended.
        Attempt = "attempt",
        /// An endpoint was made, changed or deleted.
        Endpoint = "endpoint",
        /// A request was refused.
        Refusal = "refusal",
        /// The tunnel's state changed.
        Tunnel = "tunnel",
        /// Events were missed: read everything again.
        Resync = "resync",
    }
}

/// What an event carries. Shared, not copied: publishing costs one reference count.
#[derive(Clone, Debug)]
pub enum EventData {
    /// The slim row as committed.
    Delivery(Arc<DeliverySummary>),
    /// The attempt as committed.
    Attempt(Arc<Attempt>),
    /// The endpoint as the API shows it.
    Endpoint(Arc<Value>),
    /// The refusal.
    Refusal(Arc<Refusal>),
    /// The tunnel as the API shows it.
    Tunnel(Arc<Value>),
    /// Too much changed to say it row by row (retention, bulk deletion), or the listener missed events.
    Resync,
}

impl EventData {
    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Delivery(_) => EventKind::Delivery,
            Self::Attempt(_) => EventKind::Attempt,
            Self::Endpoint(_) => EventKind::Endpoint,
            Self::Refusal(_) => EventKind::Refusal,
            Self::Tunnel(_) => EventKind::Tunnel,
            Self::Resync => EventKind::Resync,
        }
    }
}

impl From<Arc<DeliverySummary>> for EventData {
    fn from(row: Arc<DeliverySummary>) -> Self {
        Self::Delivery(row)
    }
}

impl From<Arc<Attempt>> for EventData {
    fn from(attempt: Arc<Attempt>) -> Self {
        Self::Attempt(attempt)
    }
}

impl From<Arc<Refusal>> for EventData {
    fn from(refusal: Arc<Refusal>) -> Self {
        Self::Refusal(refusal)
    }
}

/// One event as a listener gets it.
#[derive(Clone, Debug)]
pub struct Event {
    /// `<run>-<n>`: names the event within all runs of all engines.
    pub id: String,
    /// What it carries.
    pub data: EventData,
}

impl Event {
    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.data.kind()
    }

    /// The object it carries as one line of JSON; `{}` for `resync`.
    ///
    /// # Errors
    /// When the object cannot be written as JSON, which is our own fault.
    pub fn json(&self) -> Result<String, AppError> {
        let written = match &self.data {
            EventData::Delivery(row) => serde_json::to_string(row),
            EventData::Attempt(attempt) => serde_json::to_string(attempt),
            EventData::Refusal(refusal) => serde_json::to_string(refusal),
            EventData::Endpoint(object) | EventData::Tunnel(object) => serde_json::to_string(object),
            EventData::Resync => Ok("{}".to_owned()),
        };
        written.map_err(|error| AppError::internal(format!("An event could not be written as JSON: {error}")))
    }
}

/// The log of one run of the engine. Cloning shares it.
#[derive(Clone, Debug)]
pub struct EventLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Names this run, so that an id of an earlier run is recognised as unknown.
    run: String,
    capacity: usize,
    ring: Mutex<Ring>,
    /// Changes after each change of the ring. A `watch` and no `Notify`: its version is remembered by the listener, so
    /// that a change between looking at the ring and going to sleep is not missed.
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Ring {
    events: VecDeque<EventData>,
    /// Number of the next event; the first is 1. The oldest kept is `next - events.len()`.
    next: u64,
    closed: bool,
}

impl Ring {
    fn oldest(&self) -> u64 {
        self.next - self.events.len() as u64
    }
}

impl EventLog {
    /// An empty log of this run that keeps `capacity` events.
    #[must_use]
    pub fn new(run: String, capacity: usize) -> Self {
        let ring = Ring { events: VecDeque::with_capacity(capacity.max(1)), next: 1, closed: false };
        let (changed, _) = watch::channel(());
        Self { shared: Arc::new(Shared { run, capacity: capacity.max(1), ring: Mutex::new(ring), changed }) }
    }

    /// Appends one event and wakes the listeners. Never waits for one. After [`EventLog::close`] it does nothing.
    pub fn publish(&self, data: impl Into<EventData>) {
        self.publish_all([data.into()]);
    }

    /// Appends the events of one commit, in order, under one lock and with one wake-up.
    pub fn publish_all(&self, batch: impl IntoIterator<Item = EventData>) {
        let mut expired = Vec::new();
        {
            let mut ring = self.shared.lock();
            if ring.closed {
                return;
            }
            for data in batch {
                if ring.events.len() == self.shared.capacity {
                    expired.extend(ring.events.pop_front());
                }
                ring.events.push_back(data);
                ring.next += 1;
            }
        }
        self.shared.changed.send_replace(());
        // Freed only here: the last owner of a row frees some twenty strings, which is no work to do under the lock.
        drop(expired);
    }

    /// Ends every subscription once it has read what is there.
    pub fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.changed.send_replace(());
    }

    /// A listener's place in the log: behind `last_event_id`, or at its end when there is none. An id that is unknown
    /// (another run, never given out, no id at all) or no longer kept starts with a `resync`.
    #[must_use]
    pub fn subscribe(&self, last_event_id: Option<&str>) -> Subscription {
        let wake = self.shared.changed.subscribe();
        let ring = self.shared.lock();
        let resumed = last_event_id.map(|id| self.shared.number_of(id).map(|n| n + 1));
        let (cursor, resync) = match resumed {
            None => (ring.next, false),
            Some(Some(cursor)) if ring.oldest() <= cursor && cursor <= ring.next => (cursor, false),
            Some(_) => (ring.next, true),
        };
        drop(ring);
        Subscription { shared: Arc::clone(&self.shared), wake, cursor, resync }
    }

    /// Listeners at this moment.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.shared.changed.receiver_count()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Ring> {
        // A panic elsewhere while the lock was held leaves the ring whole: each change is a push and a count.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self, n: u64) -> String {
        format!("{}-{n}", self.run)
    }

    /// The number in an id of this run.
    fn number_of(&self, id: &str) -> Option<u64> {
        let digits = id.strip_prefix(self.run.as_str())?.strip_prefix('-')?;
        let n: u64 = digits.parse().ok()?;
        (n < u64::MAX && n.to_string() == digits).then_some(n)
    }
}

/// One listener's place in the log.
#[derive(Debug)]
pub struct Subscription {
    shared: Arc<Shared>,
    wake: watch::Receiver<()>,
    /// Number of the next event to read.
    cursor: u64,
    /// Whether a `resync` is due before anything else.
    resync: bool,
}

impl Subscription {
    /// The next events, at least one and at most `max` (0 counts as 1), as soon as there are any. Empty: the log was
    /// closed. Dropping the future loses nothing.
    pub async fn next_batch(&mut self, max: usize) -> Vec<Event> {
        loop {
            self.wake.borrow_and_update();
            if let Some(batch) = self.read(max.max(1)) {
                return batch;
            }
            // The sender lives in `shared`, which this subscription keeps alive: it cannot have gone.
            if self.wake.changed().await.is_err() {
                return Vec::new();
            }
        }
    }

    /// What there is now; none: wait.
    fn read(&mut self, max: usize) -> Option<Vec<Event>> {
        let ring = self.shared.lock();
        let oldest = ring.oldest();
        if self.resync || self.cursor < oldest {
            self.resync = false;
            self.cursor = ring.next;
            // The id of the newest event, so that resuming from here misses nothing.
            return Some(vec![Event { id: self.shared.id(ring.next - 1), data: EventData::Resync }]);
        }
        let skip = usize::try_from(self.cursor - oldest).unwrap_or(usize::MAX);
        let found: Vec<EventData> = ring.events.iter().skip(skip).take(max).cloned().collect();
        let closed = ring.closed;
        drop(ring);
        if found.is_empty() {
            return closed.then(Vec::new);
        }
        let first = self.cursor;
        self.cursor += found.len() as u64;
        let numbered = (first..).zip(found);
        Some(numbered.map(|(n, data)| Event { id: self.shared.id(n), data }).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use serde_json::json;

    use super::*;

    fn log(capacity: usize) -> EventLog {
        EventLog::new("run".to_owned(), capacity)
    }

    fn numbered(n: u64) -> EventData {
        EventData::Endpoint(Arc::new(json!({ "n": n })))
    }

    fn number(event: &Event) -> u64 {
        match &event.data {
            EventData::Endpoint(value) => value["n"].as_u64().unwrap(),
            other => panic!("{other:?} is no numbered event"),
        }
    }

    #[tokio::test]
    async fn a_new_listener_gets_what_is_published_after_it_came_and_nothing_older() {
        let log = log(8);
        log.publish(numbered(1));
        let mut listener = log.subscribe(None);
        assert!(listener.next_batch(10).now_or_never().is_none());
        log.publish(numbered(2));
        let batch = listener.next_batch(10).await;
        assert_eq!(batch.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["run-2"]);
        assert_eq!(batch[0].json().unwrap(), r#"{"n":2}"#);
    }

    #[tokio::test]
    async fn a_listener_that_resumes_misses_nothing_and_sees_nothing_twice() {
        let log = log(8);
        log.publish_all((1..=5).map(numbered));
        let mut listener = log.subscribe(Some("run-2"));
        let batch = listener.next_batch(2).await;
        assert_eq!(batch.iter().map(number).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(listener.next_batch(2).await.iter().map(number).collect::<Vec<_>>(), [5]);
        assert!(log.subscribe(Some("run-5")).next_batch(1).now_or_never().is_none());
        let all = log.subscribe(Some("run-0")).next_batch(10).await;
        assert_eq!(all.len(), 5, "nothing has expired yet, so the beginning can still be resumed from");
    }

    #[tokio::test]
    async fn an_unknown_or_expired_id_gets_exactly_one_resync_and_then_what_is_new() {
        let log = log(4);
        log.publish_all((1..=10).map(numbered));
        let unknown =
            ["other-3", "run-", "run-11", "run--1", "run-+8", "run-08", "run-18446744073709551615", "", "run"];
        for id in unknown.into_iter().chain(["run-0", "run-5"]) {
            let mut listener = log.subscribe(Some(id));
            let batch = listener.next_batch(10).await;
            assert_eq!(batch.len(), 1, "{id}");
            assert_eq!(batch[0].kind(), EventKind::Resync, "{id}");
            assert_eq!((batch[0].id.as_str(), batch[0].json().unwrap().as_str()), ("run-10", "{}"));
            assert!(listener.next_batch(10).now_or_never().is_none(), "{id}: only one resync");
        }
        let kept = log.subscribe(Some("run-6")).next_batch(10).await;
        assert_eq!(kept.iter().map(number).collect::<Vec<_>>(), [7, 8, 9, 10]);
    }

    #[tokio::test]
    async fn a_listener_that_fell_behind_gets_one_resync_and_continues_from_now() {
        let log = log(4);
        let mut listener = log.subscribe(None);
        log.publish_all((1..=5).map(numbered));
        let batch = listener.next_batch(10).await;
        assert_eq!(batch.iter().map(Event::kind).collect::<Vec<_>>(), [EventKind::Resync]);
        log.publish(numbered(6));
        assert_eq!(listener.next_batch(10).await.iter().map(number).collect::<Vec<_>>(), [6]);
    }

    #[tokio::test]
    async fn what_is_kept_never_exceeds_the_capacity() {
        let log = log(3);
        log.publish_all((1..=1000).map(numbered));
        assert_eq!(log.shared.lock().events.len(), 3);
    }

    #[tokio::test]
    async fn closing_ends_a_waiting_listener_after_it_has_read_everything() {
        let log = log(8);
        let mut listener = log.subscribe(None);
        let waiting = tokio::spawn(async move {
            let mut seen = 0;
            loop {
                let batch = listener.next_batch(1).await;
                if batch.is_empty() {
                    return seen;
                }
                seen += batch.len();
            }
        });
        log.publish_all((1..=3).map(numbered));
        log.close();
        log.publish(numbered(4));
        let seen = tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
        assert_eq!(seen, 3);
    }

    #[tokio::test]
    async fn a_batch_that_is_given_up_loses_no_event() {
        let log = log(8);
        let mut listener = log.subscribe(None);
        assert!(listener.next_batch(1).now_or_never().is_none());
        log.publish(numbered(1));
        assert_eq!(number(&listener.next_batch(1).await[0]), 1);
    }

    #[test]
    fn a_listener_that_went_away_is_no_longer_counted() {
        let log = log(2);
        let listener = log.subscribe(None);
        assert_eq!(log.listeners(), 1);
        drop(listener);
        assert_eq!(log.listeners(), 0);
    }

    /// Publishers in plain threads, as the writer is one, and listeners that go to sleep whenever they have caught up:
    /// a lost wake-up would leave one asleep with events unread, and the time limit would end the test.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_wake_up_is_lost_between_many_publishers_and_many_listeners() {
        const PUBLISHERS: u64 = 4;
        const EACH: u64 = 5_000;
        let log = log(usize::try_from(PUBLISHERS * EACH).unwrap());
        let listeners: Vec<_> = (0..4)
            .map(|index| {
                let mut listener = log.subscribe(None);
                tokio::spawn(async move {
                    let mut ids = Vec::new();
                    while ids.len() < usize::try_from(PUBLISHERS * EACH).unwrap() {
                        ids.extend(listener.next_batch(1 + index * 7).await.into_iter().map(|event| event.id));
                    }
                    ids
                })
            })
            .collect();
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|_| {
                let log = log.clone();
                std::thread::spawn(move || {
                    for n in 0..EACH {
                        log.publish(numbered(n));
                        if n % 97 == 0 {
                            std::thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        let expected: Vec<String> = (1..=PUBLISHERS * EACH).map(|n| format!("run-{n}")).collect();
        for listener in listeners {
            let ids = tokio::time::timeout(Duration::from_secs(60), listener).await.unwrap().unwrap();
            assert!(ids == expected, "every id, once, in order");
        }
        for publisher in publishers {
            publisher.join().unwrap();
        }
    }
}
