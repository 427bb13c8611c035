//! When a program that ended is started again, and when it is given up.

use std::time::Duration;

/// Pause before the first restart.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Longest pause between two starts.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// An end within this time of the start is a quick one; so is the end of a run that never stood.
const QUICK: Duration = Duration::from_secs(30);
/// Quick ends in a row after which it is given up.
const QUICK_ENDS_MAX: u32 = 5;

/// Counts ends in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Restarts {
    quick_ends: u32,
    restarts: u32,
}

impl Restarts {
    /// After a run that lasted this long, and whose tunnel stood or never did: how long to wait before the next, or none
    /// when it is given up. `chance` is evenly spread from 0 to 1. Half of the pause is left to it, so that many clients of
    /// a server that comes back do not all come at once; the other half is certain, so that a server gets some time.
    pub(super) fn after(&mut self, lasted: Duration, stood: bool, chance: f64) -> Option<Duration> {
        self.quick_ends = if stood && lasted >= QUICK { 0 } else { self.quick_ends + 1 };
        if self.quick_ends >= QUICK_ENDS_MAX {
            return None;
        }
        self.restarts += 1;
        let doubled = PAUSE_MIN.saturating_mul(1 << self.quick_ends.min(8));
        let half = doubled.min(PAUSE_MAX) / 2;
        Some((half + half.mul_f64(chance.clamp(0.0, 1.0))).max(PAUSE_MIN))
    }

    /// Restarts so far.
    pub(super) fn count(self) -> u32 {
        self.restarts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_quick_ends_in_a_row_are_enough_and_a_long_run_forgives() {
        let mut restarts = Restarts::default();
        let quick = Duration::from_secs(2);
        for _ in 0..4 {
            assert!(restarts.after(quick, true, 1.0).is_some());
        }
        assert!(restarts.after(Duration::from_secs(31), true, 1.0).is_some());
        let pauses: Vec<Option<Duration>> = (0..5).map(|_| restarts.after(quick, false, 1.0)).collect();
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(pauses, [seconds(2), seconds(4), seconds(8), seconds(16), None]);
        assert_eq!(restarts.count(), 9);
    }

    #[test]
    fn a_run_that_never_stood_is_no_long_one_however_long_it_lasted() {
        let mut restarts = Restarts::default();
        let pauses: Vec<bool> = (0..5).map(|_| restarts.after(Duration::from_secs(31), false, 0.5).is_some()).collect();
        assert_eq!(pauses, [true, true, true, true, false]);
    }

    #[test]
    fn half_of_each_pause_is_certain() {
        let mut restarts = Restarts::default();
        let pauses: Vec<u64> =
            std::iter::from_fn(|| restarts.after(Duration::ZERO, false, 0.0)).map(|pause| pause.as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8]);
    }

    #[test]
    fn a_pause_is_never_shorter_than_a_second_nor_longer_than_a_minute() {
        for chance in [0.0, 0.3, 1.0, 7.0, -1.0] {
            let mut restarts = Restarts::default();
            while let Some(pause) = restarts.after(Duration::ZERO, false, chance) {
                assert!((PAUSE_MIN..=PAUSE_MAX).contains(&pause), "{pause:?}");
            }
        }
    }
}
