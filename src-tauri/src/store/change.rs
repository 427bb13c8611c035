//! What a commit changed: handed to the listener after the commit, in order.

use std::sync::Arc;

use crate::domain::{Attempt, DeliverySummary, Refusal};

/// One change that has been committed.
#[derive(Clone, Debug)]
pub enum Change {
    /// A delivery was stored.
    Stored(Arc<DeliverySummary>),
    /// A delivery changed.
    Delivery(Arc<DeliverySummary>),
    /// An attempt was made, started or ended.
    Attempt(Arc<Attempt>),
    /// A request was refused.
    Refusal(Arc<Refusal>),
    /// So much was deleted that listeners should read their lists again.
    Many,
}

/// Gets what each commit changed. Called on the writer's thread: must not wait.
pub type CommitListener = Box<dyn Fn(Vec<Change>) + Send>;
