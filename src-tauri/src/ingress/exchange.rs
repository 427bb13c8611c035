//! What the head gate and the answering side of one connection share.
//!
//! The gate stands under hyper and sees every byte; the answering side stands above it and sees requests. hyper is told
//! of a request only when all of it is there, and carries none of it: it goes through here.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::head::Head;
use super::malformed::Malformed;
use super::reception::Received;
use super::reply::HttpReply;

/// What there is to answer.
#[derive(Debug)]
pub enum Arrived {
    /// A request that came in one piece, to be judged and answered by the engine.
    Request {
        /// Its head.
        head: Head,
        /// Its body; empty when it has none.
        body: Bytes,
    },
    /// A request that was let in before its body came.
    Received(Box<Received>),
    /// A request that was not, or whose body did not come whole; the connection ends with the answer.
    Answered(Box<HttpReply>),
    /// A head to be refused; the connection ends with the answer.
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
    /// hyper asks for a head only after it has answered the one before, so there is hardly ever more than one.
    arrived: Mutex<VecDeque<Arrived>>,
}

impl Exchange {
    /// Hands over what hyper is about to announce.
    pub fn push(&self, arrived: Arrived) {
        self.lock().push_back(arrived);
    }

    /// Takes what belongs to the request that hyper has announced.
    #[must_use]
    pub fn take(&self) -> Option<Arrived> {
        self.lock().pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arrived>> {
        // No code panics between lock and unlock, and the queue would be whole even then.
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
