//! Counts since the start that no table holds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Seconds over which rates are averaged.
const RATE_SECONDS: usize = 10;

/// Counts and rates of a running engine.
#[derive(Debug, Default)]
pub struct Counters {
    dropped: AtomicU64,
    refused: AtomicU64,
    stored: AtomicU64,
    recent: Mutex<Recent>,
}

/// Deliveries of each of the last seconds.
#[derive(Debug, Default)]
struct Recent {
    /// The second (since 1970) that the last slot stands for.
    newest: i64,
    slots: [u64; RATE_SECONDS],
}

impl Counters {
    /// Notes a request that could not be stored.
    pub fn count_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a refusal.
    pub fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes deliveries that have been stored at this second.
    pub fn count_stored(&self, by: u64, unix_second: i64) {
        self.stored.fetch_add(by, Ordering::Relaxed);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.advance(unix_second);
        recent.slots[RATE_SECONDS - 1] += by;
    }

    /// Requests that could not be stored.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Refusals.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Deliveries stored.
    #[must_use]
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// Deliveries a second, averaged over the last ten.
    #[must_use]
    pub fn per_second(&self, unix_second: i64) -> f64 {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.advance(unix_second);
        recent.slots.iter().sum::<u64>() as f64 / RATE_SECONDS as f64
    }
}

impl Recent {
    fn advance(&mut self, unix_second: i64) {
        // A clock that went back counts into the newest second.
        let steps = usize::try_from(unix_second.saturating_sub(self.newest)).unwrap_or(0);
        if steps >= RATE_SECONDS {
            self.slots = [0; RATE_SECONDS];
        } else {
            self.slots.rotate_left(steps);
            self.slots[RATE_SECONDS - steps..].fill(0);
        }
        self.newest = self.newest.max(unix_second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_forgets_what_is_older_than_ten_seconds() {
        let counters = Counters::default();
        counters.count_stored(50, 1_000);
        counters.count_stored(50, 1_009);
        assert!((counters.per_second(1_009) - 10.0).abs() < 1e-9);
        assert!((counters.per_second(1_010) - 5.0).abs() < 1e-9);
        assert!(counters.per_second(1_019).abs() < 1e-9);
        assert_eq!(counters.stored(), 100);
    }

    #[test]
    fn a_clock_that_goes_back_loses_nothing() {
        let counters = Counters::default();
        counters.count_stored(10, 1_000);
        counters.count_stored(10, 500);
        assert!((counters.per_second(1_000) - 2.0).abs() < 1e-9);
    }
}
