//! Those who wait for an attempt's end: the senders of `passthrough` endpoints.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::domain::AttemptId;
use crate::relay::AttemptResult;

/// Open waits, by attempt. An entry lives until the attempt ends or its waiter gives up.
#[derive(Debug, Default)]
pub struct AttemptWaiters {
    waiting: Mutex<HashMap<AttemptId, oneshot::Sender<AttemptResult>>>,
}

impl AttemptWaiters {
    /// Begins to wait; must be called before the attempt is committed, so that its end cannot be missed.
    pub fn expect(&self, attempt: AttemptId) -> oneshot::Receiver<AttemptResult> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(attempt, sender);
        receiver
    }

    /// Gives up.
    pub fn forget(&self, attempt: AttemptId) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&attempt);
    }

    /// Tells whoever waits for this attempt.
    pub fn tell(&self, attempt: AttemptId, result: &AttemptResult) {
        let waiter = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&attempt);
        if let Some(waiter) = waiter {
            // The sender's time limit may have run out just now.
            let _gone = waiter.send(result.clone());
        }
    }
}
