//! The table of open connections: how many there may be, and which one has to go when there are too many.
//!
//! Who opens thousands of connections and never sends a request must not keep honest senders out. At the cap the oldest
//! connection that has not delivered a head yet is closed; failing that, the one that has been waiting between requests
//! for the longest. A connection with a request under way is never closed for another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::limits::FULL_TABLE_RECHECK;

/// No complete head yet.
const NEW: u8 = 0;
/// Between requests.
const IDLE: u8 = 1;
/// A request is being read or answered.
const BUSY: u8 = 2;
/// Has to close; takes no further request.
const EVICTED: u8 = 3;

/// All open connections of one listener.
#[derive(Debug)]
pub struct Connections {
    max: usize,
    table: Mutex<Table>,
    freed: Notify,
    closing: AtomicBool,
}

#[derive(Debug, Default)]
struct Table {
    next_serial: u64,
    /// By age.
    open: BTreeMap<u64, Arc<Phase>>,
}

/// How one connection stands, and how to wake it.
#[derive(Debug)]
struct Phase {
    phase: AtomicU8,
    waker: AtomicWaker,
}

impl Connections {
    /// A table for at most this many connections.
    #[must_use]
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            max: max.max(1),
            table: Mutex::default(),
            freed: Notify::new(),
            closing: AtomicBool::new(false),
        })
    }

    /// A place for a new connection, made by closing another one if need be; none when `stop` was cancelled meanwhile.
    pub async fn admit(self: &Arc<Self>, stop: &CancellationToken) -> Option<Place> {
        loop {
            if let Some(place) = self.try_admit() {
                return Some(place);
            }
            self.evict_oldest();
            tokio::select! {
                () = stop.cancelled() => return None,
                () = self.freed.notified() => {}
                // Everybody was busy; somebody may have become idle without leaving.
                () = tokio::time::sleep(FULL_TABLE_RECHECK) => {}
            }
        }
    }

    /// Closes the connection that can best be spared; false when every one has a request under way.
    pub fn evict_oldest(&self) -> bool {
        let table = self.lock();
        let idle_or_new = |wanted| table.open.values().find(move |it| it.phase.load(Ordering::Acquire) == wanted);
        // An already evicted one is about to leave: no need for a second victim, yet it does not hurt either.
        idle_or_new(NEW).into_iter().chain(idle_or_new(IDLE)).any(|it| it.evict())
    }

    /// Closes what has no request under way, and lets no connection take another one.
    pub fn close_idle(&self) {
        self.closing.store(true, Ordering::Release);
        for phase in self.lock().open.values() {
            phase.waker.wake();
        }
    }

    /// Whether the listener is stopping.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// How many are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().open.len()
    }

    fn try_admit(self: &Arc<Self>) -> Option<Place> {
        let mut table = self.lock();
        if table.open.len() >= self.max {
            return None;
        }
        let serial = table.next_serial;
        table.next_serial += 1;
        let phase = Arc::new(Phase { phase: AtomicU8::new(NEW), waker: AtomicWaker::new() });
        table.open.insert(serial, Arc::clone(&phase));
        Some(Place { connections: Arc::clone(self), serial, phase })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // No code panics between lock and unlock.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phase {
    fn evict(&self) -> bool {
        let evicted = [NEW, IDLE]
            .into_iter()
            .any(|from| self.phase.compare_exchange(from, EVICTED, Ordering::AcqRel, Ordering::Acquire).is_ok());
        if evicted {
            self.waker.wake();
        }
        evicted
    }
}

/// One connection's place in the table; given back when dropped.
#[derive(Debug)]
pub struct Place {
    connections: Arc<Connections>,
    serial: u64,
    phase: Arc<Phase>,
}

impl Place {
    /// A head is complete. False when the connection was chosen to be closed just before: it must not be answered.
    #[must_use]
    pub fn begin_request(&self) -> bool {
        let phase = &self.phase.phase;
        phase.swap(BUSY, Ordering::AcqRel) != EVICTED || {
            phase.store(EVICTED, Ordering::Release);
            false
        }
    }

    /// The answer is out; the next head is awaited.
    pub fn end_request(&self) {
        let phase = &self.phase.phase;
        if phase.load(Ordering::Relaxed) == BUSY {
            phase.store(IDLE, Ordering::Release);
        }
    }

    /// Asks to be woken when the connection has to close.
    pub fn register(&self, waker: &Waker) {
        self.phase.waker.register(waker);
    }

    /// Whether to close now, when no request is under way.
    #[must_use]
    pub fn has_to_close(&self) -> bool {
        self.phase.phase.load(Ordering::Acquire) == EVICTED || self.connections.is_closing()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().open.remove(&self.serial);
        self.connections.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full_table(size: usize) -> (Arc<Connections>, Vec<Place>) {
        let connections = Connections::new(size);
        let places = (0..size).map(|_| connections.try_admit().unwrap()).collect();
        (connections, places)
    }

    #[test]
    fn the_oldest_connection_without_a_head_goes_first() {
        let (connections, places) = full_table(3);
        assert!(places[0].begin_request());
        assert!(connections.evict_oldest());
        assert!(!places[0].has_to_close() && places[1].has_to_close() && !places[2].has_to_close());
    }

    #[test]
    fn an_idle_connection_goes_only_when_none_is_without_a_head() {
        let (connections, places) = full_table(2);
        assert!(places[0].begin_request());
        places[0].end_request();
        assert!(connections.evict_oldest());
        assert!(!places[0].has_to_close() && places[1].has_to_close());
        assert!(connections.evict_oldest());
        assert!(places[0].has_to_close());
    }

    #[test]
    fn a_connection_with_a_request_under_way_is_never_closed_for_another() {
        let (connections, places) = full_table(1);
        assert!(places[0].begin_request());
        assert!(!connections.evict_oldest());
        assert!(!places[0].has_to_close());
    }

    #[test]
    fn a_connection_that_was_chosen_takes_no_further_request() {
        let (connections, places) = full_table(1);
        assert!(connections.evict_oldest());
        assert!(!places[0].begin_request());
        places[0].end_request();
        assert!(places[0].has_to_close());
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_has_gone() {
        let (connections, mut places) = full_table(2);
        assert!(connections.try_admit().is_none());
        places.pop();
        assert_eq!(connections.count(), 1);
        assert!(connections.try_admit().is_some());
    }
}
