//! Bodies that are too large to be shown whole: cut into lines, of which a window asks for those it shows.
//!
//! [`layout`] cuts, as the bytes came or as indented JSON; [`index`] remembers where every few hundredth line begins, so
//! that a line far down is found without cutting all before it again; [`LineIndexes`] keeps the indexes of the bodies
//! that were looked at last. Everything here is pure work over bytes in memory and runs on a thread that may block.

mod index;
mod layout;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::domain::DeliveryId;

pub use index::{Line, LineIndex, find};
pub use layout::{LINE_BYTES_MAX, Layout};

/// Indexes that are remembered: the body in view in both layouts, and the one before it.
const INDEXES_MAX: usize = 4;
/// Large bodies in memory at once, in answers of this module. Each may be as long as the largest delivery.
const BODIES_AT_ONCE: usize = 1;

/// Which body, in which layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyKey {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The arrival, from 1.
    pub arrival: u32,
    /// How it is cut.
    pub layout: Layout,
}

/// The indexes of the bodies that were looked at last. Bodies never change, so that none is ever stale.
#[derive(Debug)]
pub struct LineIndexes {
    kept: Mutex<VecDeque<(BodyKey, Arc<LineIndex>)>>,
    /// Taken while a body is in memory.
    pub turns: Semaphore,
}

impl Default for LineIndexes {
    fn default() -> Self {
        Self { kept: Mutex::default(), turns: Semaphore::new(BODIES_AT_ONCE) }
    }
}

impl LineIndexes {
    /// The index of this body, made now when it is not remembered. Blocks.
    pub fn of(&self, key: BodyKey, body: &[u8]) -> Arc<LineIndex> {
        let known = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let at = kept.iter().position(|(other, _)| *other == key);
            at.and_then(|at| kept.remove(at)).inspect(|found| kept.push_front(found.clone()))
        };
        if let Some((_, index)) = known {
            return index;
        }
        let index = Arc::new(LineIndex::of(body, key.layout));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front((key, Arc::clone(&index)));
        kept.truncate(INDEXES_MAX);
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_indexes_are_remembered() {
        let indexes = LineIndexes::default();
        let keys: Vec<BodyKey> = (0..=INDEXES_MAX)
            .map(|_| BodyKey { delivery: DeliveryId::new(), arrival: 1, layout: Layout::AsReceived })
            .collect();
        let first = indexes.of(keys[0], b"a");
        assert!(Arc::ptr_eq(&first, &indexes.of(keys[0], b"a")));
        for key in &keys[1..] {
            indexes.of(*key, b"b");
        }
        assert_eq!(indexes.kept.lock().unwrap().len(), INDEXES_MAX);
        assert!(!Arc::ptr_eq(&first, &indexes.of(keys[0], b"a")));
    }
}
