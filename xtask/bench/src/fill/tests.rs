//! A small filled directory is looked at through the store, as the engine does.

use std::collections::BTreeMap;

use creel::domain::DeliverySummary;
use creel::store::{DeliveryFilter, OwnerLock, PageBounds, Store};

use super::*;

const ROWS: u64 = 3_000;

/// Everything a filter lets through, and the total the store states.
async fn listed(store: &Store, filter: DeliveryFilter) -> Result<(Vec<DeliverySummary>, i64), StoreError> {
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let bounds = PageBounds { limit: 500, before, ..PageBounds::default() };
        let page = store.read_page(filter.clone(), bounds).await?;
        all.extend(page.deliveries);
        before = page.next_before;
        if before.is_none() {
            return Ok((all, page.total));
        }
    }
}

#[test]
fn a_filled_directory_holds_what_real_traffic_would_leave_and_its_counts_are_true() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("filled");
    make(&dir, ROWS).unwrap();
    assert!(make(&dir, ROWS).is_err(), "a directory in use is left alone");

    let store = Store::open(OwnerLock::take(&dir).unwrap(), Box::new(|_| {})).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (all, total) = runtime.block_on(listed(&store, DeliveryFilter::default())).unwrap();
    store.close();

    assert_eq!(all.len() as i64, total, "the total is counted, not guessed");
    let arrivals: u64 = all.iter().map(|row| u64::from(row.attempt_count)).sum();
    let replays = all.iter().filter(|row| row.replayed_from_delivery_id.is_some()).count() as u64;
    assert_eq!(arrivals - replays, ROWS, "every webhook is a row or an arrival");
    assert!(replays > 0);
    assert!(all.iter().filter(|row| row.attempt_count > 1).count() > 20, "repeats collapse");
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &all {
        *kinds.entry(row.status.as_str()).or_default() += 1;
        *kinds.entry(row.signature_status.as_str()).or_default() += 1;
    }
    for kind in ["dispatched", "failed", "rejected", "ignored", "valid", "invalid", "missing", "not_required"] {
        assert!(kinds.get(kind).is_some_and(|count| *count > 5), "{kind}: {kinds:?}");
    }
    assert!(!kinds.contains_key("queued"), "nothing would be relayed by whoever opens it: {kinds:?}");
    let events: std::collections::BTreeSet<&str> = all.iter().map(|row| row.event.as_str()).collect();
    assert!(events.len() >= 25, "{events:?}");
    assert!(all.iter().all(|row| row.relay_attempt_count == 0 || row.relay_outcome.is_some()));
    assert!(all.iter().any(|row| row.pinned));
}
