//! The wall clock, read in one place.

use crate::domain::Timestamp;

/// Tells the time; tests bring one of their own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

impl Clock {
    /// Now, to the millisecond.
    #[must_use]
    pub fn now(self) -> Timestamp {
        Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
    }
}
