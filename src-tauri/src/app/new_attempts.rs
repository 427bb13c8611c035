//! The attempts that a new delivery begins with.

use std::sync::Arc;

use crate::domain::{Attempt, AttemptId, AttemptOutcome, DeliveryId, Endpoint, Target, TargetId, Timestamp};
use crate::signature::{BodyFacts, matches_filters};
use crate::store::NewAttempt;

/// Where an attempt goes.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The endpoint's target; none for a URL that a replay named.
    pub target_id: Option<TargetId>,
    /// The URL.
    pub url: String,
}

/// The endpoint's targets that are switched on and let the event through, in order.
#[must_use]
pub fn matching_targets(endpoint: &Endpoint, event: &str, facts: &BodyFacts) -> Vec<Destination> {
    let lets_through = |target: &&Target| target.enabled && matches_filters(&target.event_filters, event, facts);
    let as_destination = |target: &Target| Destination { target_id: Some(target.id), url: target.url.clone() };
    endpoint.targets.iter().filter(lets_through).map(as_destination).collect()
}

/// One pending attempt to each destination.
#[must_use]
pub fn pending_attempts(
    delivery_id: DeliveryId,
    destinations: &[Destination],
    now: Timestamp,
    force: bool,
) -> Vec<NewAttempt> {
    let numbered = (1_u32..).zip(destinations);
    let pending = numbered.map(|(n, destination)| Attempt {
        id: AttemptId::new(),
        delivery_id,
        n,
        target_id: destination.target_id,
        target_url: destination.url.clone(),
        outcome: AttemptOutcome::Pending,
        reason: None,
        response_status: None,
        response_headers: None,
        response_size: None,
        created_at: now,
        started_at: None,
        finished_at: None,
        duration_ms: None,
        timings: None,
    });
    pending.map(|attempt| NewAttempt { attempt: Arc::new(attempt), force }).collect()
}
