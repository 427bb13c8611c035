//! Waiting without guessing how long: look again until it is so, and give up loudly.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// How long a condition may take: a bound for a broken engine, not a promise about a working one.
pub const BOUND: Duration = Duration::from_secs(60);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until there is something to return.
#[track_caller]
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(BOUND, look).unwrap_or_else(|| panic!("waited {} s in vain until {what}", BOUND.as_secs()))
}

/// Looks until the bound is over.
pub fn within<T>(bound: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + bound;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() > end {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Waits for a process to end by itself.
#[track_caller]
pub fn exit_of(child: &mut Child) -> ExitStatus {
    until("the process ends", || child.try_wait().expect("wait for a child"))
}
