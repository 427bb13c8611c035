//! What the head gate and the answering side of one connection share.
//!
//! The gate stands under hyper and sees every byte; the answering side stands above it and sees requests. What hyper
//! does not carry between them goes through here: each head in full, and why a body broke off.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::head::Head;
use super::malformed::Malformed;

/// A head that the gate passed, or why it did not.
#[derive(Debug)]
pub enum Arrived {
    /// To be answered by the engine.
    Head {
        /// The head.
        head: Head,
        /// Its body, when it came with the head; hyper then announces none.
        whole_body: Option<Bytes>,
    },
    /// To be refused; the connection ends with the answer.
    Refused(RefusedHead),
}

/// A head that the gate did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedHead {
    /// Why.
    pub cause: Broken,
    /// Its method, if it could be read.
    pub method: Option<String>,
    /// Its target, if it could be read.
    pub target: Option<String>,
}

/// Why a head or a body did not arrive whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is not HTTP/1.1.
    Malformed(Malformed),
    /// It came too slowly.
    Timeout,
    /// The sender went away.
    Aborted,
}

/// The shared state of one connection.
#[derive(Debug, Default)]
pub struct Exchange {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// hyper asks for a head only after it has answered the one before, so there is hardly ever more than one.
    arrived: VecDeque<Arrived>,
    broken_body: Option<Broken>,
}

impl Exchange {
    /// Hands over what hyper is about to announce.
    pub fn push(&self, arrived: Arrived) {
        self.lock().arrived.push_back(arrived);
    }

    /// Takes what belongs to the request that hyper has announced.
    #[must_use]
    pub fn take(&self) -> Option<Arrived> {
        self.lock().arrived.pop_front()
    }

    /// Says why the body under way will not be complete.
    pub fn break_body(&self, cause: Broken) {
        self.lock().broken_body = Some(cause);
    }

    /// Why it was not.
    #[must_use]
    pub fn broken_body(&self) -> Option<Broken> {
        self.lock().broken_body
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics between lock and unlock, and the state would be whole even then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
