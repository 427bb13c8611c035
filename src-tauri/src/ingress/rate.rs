//! Rate limits: so many a minute for one key, in constant memory for each key and a bounded number of keys.
//!
//! A minute is cut into twelve slots, and a key counts what fell into the slot under way and the twelve before it. Of
//! each slot the time of its last charge is known too, and a minute after that the slot is forgotten: so no span of sixty
//! seconds ever lets more pass than the limit, and nobody is told to wait longer than that.
//! Refused requests are not charged: who hammers gets its places back as its older requests age out.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::limits::RATE_KEYS_MAX;

/// Length of one slot in milliseconds.
const SLOT_MILLIS: u64 = 5_000;
/// Slots that a key counts: those of a whole minute, and the one under way.
const SLOTS: usize = 13;
/// How long a charge counts, in milliseconds.
const MINUTE_MILLIS: u64 = 60_000;

/// The limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Whole seconds until one more request will pass; 1 to 60.
    pub retry_after_seconds: u64,
}

/// Counts for each key.
#[derive(Debug)]
pub struct RateLimiter<K> {
    began: Instant,
    counts: Mutex<Counts<K>>,
}

#[derive(Debug)]
struct Counts<K> {
    by_key: HashMap<K, Window>,
    swept_in_slot: u64,
}

/// The last thirteen slots of one key.
#[derive(Clone, Debug, Default)]
struct Window {
    newest_slot: u64,
    counts: [u32; SLOTS],
    /// Milliseconds from a slot's beginning to its last charge; 5,000 at most.
    last_charges: [u16; SLOTS],
}

impl<K: Eq + Hash> RateLimiter<K> {
    /// Counts from this instant on.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { began: now, counts: Mutex::new(Counts { by_key: HashMap::new(), swept_in_slot: 0 }) }
    }

    /// Charges one request, unless the limit is reached. A limit of 0 is none.
    ///
    /// # Errors
    /// When the key has had `limit` requests within the last minute.
    pub fn charge(&self, key: K, limit: u32, now: Instant) -> Result<(), Limited> {
        if limit == 0 {
            return Ok(());
        }
        let millis = self.millis(now);
        let mut counts = self.lock();
        let Some(window) = counts.window(key, millis / SLOT_MILLIS) else { return Ok(()) };
        window.check(limit, millis)?;
        window.add(millis);
        Ok(())
    }

    /// Whether the limit is reached, without charging.
    ///
    /// # Errors
    /// As [`RateLimiter::charge`].
    pub fn check(&self, key: &K, limit: u32, now: Instant) -> Result<(), Limited> {
        if limit == 0 {
            return Ok(());
        }
        let millis = self.millis(now);
        match self.lock().by_key.get_mut(key) {
            None => Ok(()),
            Some(window) => {
                window.move_to(millis / SLOT_MILLIS);
                window.check(limit, millis)
            }
        }
    }

    /// Charges one request, whatever the limit.
    pub fn record(&self, key: K, now: Instant) {
        let millis = self.millis(now);
        if let Some(window) = self.lock().window(key, millis / SLOT_MILLIS) {
            window.add(millis);
        }
    }

    #[cfg(test)]
    fn keys(&self) -> usize {
        self.lock().by_key.len()
    }

    fn millis(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Counts<K>> {
        // No code panics between lock and unlock.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Counts<K> {
    /// The window of a key, moved on to this slot. None when there is no room for a new key: then it passes uncounted,
    /// because refusing honest senders is the greater harm.
    fn window(&mut self, key: K, slot: u64) -> Option<&mut Window> {
        if slot >= self.swept_in_slot + SLOTS as u64 {
            self.swept_in_slot = slot;
            self.by_key.retain(|_, window| window.newest_slot + SLOTS as u64 > slot);
        }
        if self.by_key.len() >= RATE_KEYS_MAX && !self.by_key.contains_key(&key) {
            return None;
        }
        let window = self.by_key.entry(key).or_insert_with(|| Window { newest_slot: slot, ..Window::default() });
        window.move_to(slot);
        Some(window)
    }
}

impl Window {
    /// Forgets what is older than a minute.
    fn move_to(&mut self, slot: u64) {
        let passed = usize::try_from(slot.saturating_sub(self.newest_slot)).unwrap_or(usize::MAX).min(SLOTS);
        for step in 1..=passed {
            let place = Self::place(self.newest_slot + step as u64);
            (self.counts[place], self.last_charges[place]) = (0, 0);
        }
        self.newest_slot = self.newest_slot.max(slot);
    }

    fn check(&self, limit: u32, millis: u64) -> Result<(), Limited> {
        let mut left: u64 = self.counts.iter().map(|&count| u64::from(count)).sum();
        if left < u64::from(limit) {
            return Ok(());
        }
        // Slots are forgotten one after the other, the oldest first: after which of them is there room again?
        let oldest = self.newest_slot.saturating_sub(SLOTS as u64 - 1);
        let mut wait_millis = 0;
        for slot in oldest..=self.newest_slot {
            left -= u64::from(self.counts[Self::place(slot)]);
            wait_millis = self.forgotten_at(slot).saturating_sub(millis);
            if left < u64::from(limit) {
                break;
            }
        }
        if wait_millis == 0 {
            return Ok(());
        }
        // More only when the clock went back.
        Err(Limited { retry_after_seconds: wait_millis.min(MINUTE_MILLIS).div_ceil(1000) })
    }

    /// When the last charge of a slot no longer counts.
    fn forgotten_at(&self, slot: u64) -> u64 {
        slot * SLOT_MILLIS + u64::from(self.last_charges[Self::place(slot)]) + MINUTE_MILLIS
    }

    fn add(&mut self, millis: u64) {
        let place = Self::place(self.newest_slot);
        let since = millis.saturating_sub(self.newest_slot * SLOT_MILLIS).min(SLOT_MILLIS);
        self.counts[place] = self.counts[place].saturating_add(1);
        // The remainder of a slot fits. A clock that went back must not let a charge be forgotten early.
        self.last_charges[place] = self.last_charges[place].max(since as u16);
    }

    fn place(slot: u64) -> usize {
        // The remainder is below 13.
        (slot % SLOTS as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn as_many_as_the_limit_pass_and_one_more_does_not() {
        let now = Instant::now();
        let limiter = RateLimiter::new(now);
        for _ in 0..3 {
            assert_eq!(limiter.charge("a", 3, now), Ok(()));
        }
        assert!(limiter.charge("a", 3, now).is_err());
    }

    #[test]
    fn no_minute_ever_lets_more_pass_than_the_limit() {
        let start = Instant::now();
        let limiter = RateLimiter::new(start);
        let mut passed = Vec::new();
        for millis in (0..300_000).step_by(700) {
            let now = start + Duration::from_millis(millis);
            if limiter.charge("a", 10, now).is_ok() {
                passed.push(now);
            }
        }
        assert!(passed.len() >= 40, "{} passed", passed.len());
        for window in passed.windows(11) {
            assert!(window[10] - window[0] >= seconds(60));
        }
    }

    #[test]
    fn what_was_charged_is_forgotten_after_a_minute() {
        let start = Instant::now();
        for at in [0, 1, 4, 7, 58] {
            let (limiter, charged) = (RateLimiter::new(start), start + seconds(at));
            assert_eq!(limiter.charge("a", 1, charged), Ok(()));
            let millis = Duration::from_millis;
            assert!(limiter.charge("a", 1, charged + millis(59_999)).is_err());
            assert_eq!(limiter.charge("a", 1, charged + millis(60_000)), Ok(()));
        }
    }

    #[test]
    fn who_waits_as_long_as_it_was_told_passes_and_is_never_told_more_than_a_minute() {
        let start = Instant::now();
        for at in [3, 4, 17, 30, 59] {
            let limiter = RateLimiter::new(start);
            assert_eq!(limiter.charge("a", 2, start), Ok(()));
            assert_eq!(limiter.charge("a", 2, start + seconds(3)), Ok(()));
            let now = start + seconds(at);
            let wait = limiter.charge("a", 2, now).unwrap_err().retry_after_seconds;
            assert!((1..=60).contains(&wait), "{wait}");
            assert!(wait == 1 || limiter.check(&"a", 2, now + seconds(wait - 1)).is_err());
            assert_eq!(limiter.check(&"a", 2, now + seconds(wait)), Ok(()));
        }
        let limiter = RateLimiter::new(start);
        assert_eq!(limiter.charge("a", 1, start + seconds(4)), Ok(()));
        assert_eq!(limiter.charge("a", 1, start + seconds(4)), Err(Limited { retry_after_seconds: 60 }));
    }

    #[test]
    fn refused_requests_are_not_charged() {
        let now = Instant::now();
        let limiter = RateLimiter::new(now);
        assert_eq!(limiter.charge("a", 1, now), Ok(()));
        for second in 1..60 {
            assert!(limiter.charge("a", 1, now + seconds(second)).is_err());
        }
        assert_eq!(limiter.charge("a", 1, now + seconds(60)), Ok(()));
    }

    #[test]
    fn zero_is_no_limit() {
        let now = Instant::now();
        let limiter = RateLimiter::new(now);
        assert!((0..10_000).all(|_| limiter.charge("a", 0, now).is_ok()));
        assert_eq!(limiter.keys(), 0);
    }

    #[test]
    fn keys_are_independent() {
        let now = Instant::now();
        let limiter = RateLimiter::new(now);
        assert_eq!(limiter.charge("a", 1, now), Ok(()));
        assert_eq!(limiter.charge("b", 1, now), Ok(()));
        assert!(limiter.charge("a", 1, now).is_err());
    }

    #[test]
    fn a_check_does_not_charge() {
        let now = Instant::now();
        let limiter = RateLimiter::new(now);
        assert!((0..10).all(|_| limiter.check(&"a", 1, now).is_ok()));
        limiter.record("a", now);
        assert!(limiter.check(&"a", 1, now).is_err());
    }

    #[test]
    fn keys_that_have_been_silent_are_swept() {
        let now = Instant::now();
        let limiter = RateLimiter::new(now);
        for key in 0..1000 {
            assert_eq!(limiter.charge(key, 1, now), Ok(()));
        }
        assert_eq!(limiter.charge(5000, 1, now + seconds(66)), Ok(()));
        assert_eq!(limiter.keys(), 1);
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let now = Instant::now();
        let limiter = RateLimiter::new(now);
        for key in 0..=RATE_KEYS_MAX {
            assert_eq!(limiter.charge(key, 1, now), Ok(()));
        }
        assert_eq!(limiter.keys(), RATE_KEYS_MAX);
        assert!(limiter.charge(0, 1, now).is_err());
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_does_no_harm() {
        let start = Instant::now() + seconds(100);
        let limiter = RateLimiter::new(start);
        assert_eq!(limiter.charge("a", 1, start + seconds(50)), Ok(()));
        assert!(limiter.charge("a", 1, start - seconds(50)).is_err());
    }
}
