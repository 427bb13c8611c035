//! The store over a real database in a directory of its own.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::domain::{
    DeliveryId, DeliveryStatus, DeliverySummary, DeliveryTunnel, DuplicatePolicy, Endpoint, Headers, SignatureReason,
    SignatureStatus, Timestamp,
};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn open(dir: &Path) -> Store {
    Store::open(OwnerLock::take(dir).unwrap(), Box::new(|_changes| {})).unwrap()
}

fn endpoint(name: &str) -> Endpoint {
    serde_json::from_value(json!({
        "id": crate::domain::EndpointId::new(), "name": name, "token": format!("ep_{name}"), "provider": "generic",
        "scheme": null, "provider_options": {}, "body_policy": "any", "signature_policy": "enforce", "enabled": true,
        "duplicate_policy": "collapse", "reply": {"mode": "ack"}, "event_filters": [], "when_target_down": "fail",
        "targets": [], "allow_non_loopback": false, "public_url_override": null, "created_at": NOW,
    }))
    .unwrap()
}

fn delivery(endpoint_row: i64, endpoint: &Endpoint, key: Option<&str>, body: &[u8]) -> NewDelivery {
    let summary = DeliverySummary {
        id: DeliveryId::new(),
        seq: 0,
        endpoint_id: endpoint.id,
        provider: "generic".into(),
        event: "order.created".into(),
        event_source: "body:event".into(),
        dedupe_key: key.map(str::to_owned),
        dedupe_source: key.map(|_| "idempotency-key".to_owned()),
        signature_status: SignatureStatus::NotRequired,
        signature_reason: SignatureReason::NoSecret,
        status: DeliveryStatus::Dispatched,
        reason: None,
        attempt_count: 1,
        relay_attempt_count: 0,
        method: "POST".into(),
        path: String::new(),
        query: None,
        content_type: None,
        body_size: body.len() as u64,
        response_status: Some(200),
        relay_status: None,
        relay_outcome: None,
        relay_duration_ms: None,
        replayed_from_delivery_id: None,
        duplicate_of: None,
        pinned: false,
        error: None,
        received_at: NOW,
        last_attempt_at: NOW,
        created_at: NOW,
    };
    NewDelivery {
        endpoint_row,
        summary: Arc::new(summary),
        payload: Payload {
            http_version: "1.1".into(),
            remote_addr: None,
            client_ip: None,
            client_ip_source: None,
            public_url: None,
            headers: Headers::default(),
            response_headers: None,
            response_body: None,
            body: Bytes::copy_from_slice(body),
        },
        tunnel: None,
        attempts: Vec::new(),
        on_repeat: DuplicatePolicy::Collapse,
        replay_key: None,
    }
}

async fn save(store: &Store, endpoint: &Endpoint) -> i64 {
    let endpoint = endpoint.clone();
    store.write(move |writing| writing.save_endpoint(&endpoint)).await.unwrap()
}

async fn keep(store: &Store, mut new: NewDelivery) -> Stored {
    store.write(move |writing| writing.store_delivery(&mut new)).await.unwrap()
}

async fn seqs(store: &Store) -> Vec<i64> {
    let bounds = PageBounds { limit: 100, ..PageBounds::default() };
    let page = store.read_page(DeliveryFilter::default(), bounds).await.unwrap();
    assert_eq!(page.total, page.deliveries.len() as i64, "the total is what is there");
    page.deliveries.iter().map(|row| row.seq).collect()
}

#[tokio::test]
async fn a_list_can_be_entered_at_any_place_and_tells_that_place() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (one, two) = (endpoint("a"), endpoint("b"));
    let rows = [save(&store, &one).await, save(&store, &two).await];
    // More than two strata, two endpoints, two states, and gaps.
    let mut new: Vec<NewDelivery> = (0..9_000)
        .map(|n| {
            let (row, owner) = if n % 3 == 0 { (rows[0], &one) } else { (rows[1], &two) };
            let mut new = delivery(row, owner, None, b"");
            if n % 5 == 0 {
                Arc::make_mut(&mut new.summary).status = DeliveryStatus::Failed;
            }
            new
        })
        .collect();
    let stored = move |writing: &mut Writing<'_>| new.iter_mut().try_for_each(|n| writing.store_delivery(n).map(drop));
    store.write(stored).await.unwrap();
    let gaps: Vec<i64> = (1..9_000).filter(|seq| seq % 7 == 0 || (5_000..5_800).contains(seq)).collect();
    store.write(move |writing| writing.delete_deliveries(&gaps)).await.unwrap();

    let filters = [
        DeliveryFilter::default(),
        DeliveryFilter { endpoint_id: Some(one.id), ..DeliveryFilter::default() },
        DeliveryFilter { endpoint_id: Some(two.id), status: Some(DeliveryStatus::Failed), ..Default::default() },
        DeliveryFilter { event: Some("order.created".into()), ..DeliveryFilter::default() },
    ];
    for filter in filters {
        let page = |bounds: PageBounds| store.read_page(filter.clone(), bounds);
        let all = page(PageBounds { limit: 10_000, ..PageBounds::default() }).await.unwrap();
        let seqs: Vec<i64> = all.deliveries.iter().map(|row| row.seq).collect();
        assert_eq!(all.total, seqs.len() as i64);
        for (from, skip) in [(0, 0), (0, 1), (0, 4_100), (3, 4_096), (700, 90), (1, 5_900), (0, 20_000), (40, 4_200)] {
            let before = (from > 0).then(|| seqs.get(from - 1).copied()).flatten();
            let bounds = PageBounds { before, skip, ranked: true, limit: 3, ..PageBounds::default() };
            let found = page(bounds).await.unwrap();
            let at = (from + skip as usize).min(seqs.len());
            let expected = &seqs[at..(at + 3).min(seqs.len())];
            assert_eq!(found.deliveries.iter().map(|row| row.seq).collect::<Vec<_>>(), expected, "{filter:?} {skip}");
            assert_eq!(found.rank, (!expected.is_empty()).then_some(at as i64), "{filter:?} {from} {skip}");
        }
    }
}

#[tokio::test]
async fn strata_of_deleted_deliveries_do_not_pile_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let endpoint = endpoint("a");
    let row = save(&store, &endpoint).await;
    for _ in 0..3 {
        keep(&store, delivery(row, &endpoint, None, b"x")).await;
    }
    store.write(|writing| writing.delete_deliveries(&[1, 2, 3])).await.unwrap();
    let left: i64 = store
        .read(|connection| Ok(connection.query_row("SELECT count(*) FROM delivery_strata", [], |row| row.get(0))?))
        .await
        .unwrap();
    assert_eq!(left, 0);
}

/// Keeps the writer busy, so that what is queued meanwhile goes into one group.
fn hold_up(store: &Store) {
    assert!(store.write_unanswered(|_writing| {
        std::thread::sleep(Duration::from_millis(100));
        Ok(())
    }));
}

#[tokio::test]
async fn one_bad_job_fails_alone_and_its_neighbours_are_committed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let endpoint = endpoint("a");
    let row = save(&store, &endpoint).await;
    let bad_jobs: [fn() -> StoreError; 3] = [
        || StoreError::UnknownValue("x".into()),
        || StoreError::Corrupt("a page of another endpoint".into()),
        || panic!("a fault, on purpose"),
    ];
    for bad in bad_jobs {
        hold_up(&store);
        let (before, bad, after) = tokio::join!(
            keep(&store, delivery(row, &endpoint, None, b"1")),
            store.write(move |_writing| -> Result<(), StoreError> { Err(bad()) }),
            keep(&store, delivery(row, &endpoint, None, b"2"))
        );
        assert_eq!((before, after), (Stored::New, Stored::New));
        assert!(bad.is_err());
    }
    assert_eq!(seqs(&store).await.len(), 6);
    assert!(store.is_writing());
}

/// A group in which the holder of a key, a relayed repeat of it, and a job that fails stand together: the group is rolled
/// back, and when its jobs run again one by one the holder fails too.
#[tokio::test]
async fn a_relayed_repeat_whose_holder_was_rolled_back_takes_the_key_itself() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let endpoint = endpoint("a");
    let row = save(&store, &endpoint).await;
    hold_up(&store);
    let (mut holder, mut runs) = (delivery(row, &endpoint, Some("k"), b"1"), 0);
    let holding = store.write(move |writing| {
        runs += 1;
        if runs == 1 { writing.store_delivery(&mut holder) } else { Err(StoreError::UnknownValue("x".into())) }
    });
    let repeat = NewDelivery { on_repeat: DuplicatePolicy::Relay, ..delivery(row, &endpoint, Some("k"), b"2") };
    let id = repeat.summary.id;
    let bad = store.write(|_writing| -> Result<(), StoreError> { Err(StoreError::UnknownValue("x".into())) });
    let (holding, repeat, bad) = tokio::join!(holding, keep(&store, repeat), bad);
    assert!(holding.is_err() && bad.is_err());
    assert_eq!(repeat, Stored::New);
    let stored = store.read(move |connection| read_summary(connection, id)).await.unwrap().unwrap();
    assert_eq!((stored.dedupe_key.as_deref(), stored.duplicate_of), (Some("k"), None));
    let next = NewDelivery { on_repeat: DuplicatePolicy::Relay, ..delivery(row, &endpoint, Some("k"), b"3") };
    let next_id = next.summary.id;
    assert_eq!(keep(&store, next).await, Stored::New);
    let stored = store.read(move |connection| read_summary(connection, next_id)).await.unwrap().unwrap();
    assert_eq!((stored.dedupe_key, stored.duplicate_of), (None, Some(id)));
}

#[tokio::test]
async fn a_waiter_that_gives_up_leaves_none_of_its_neighbours_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(dir.path()));
    let endpoint = endpoint("a");
    let row = save(&store, &endpoint).await;
    hold_up(&store);
    let jobs: Vec<_> = (0..20)
        .map(|_| {
            let (store, new) = (Arc::clone(&store), delivery(row, &endpoint, None, b"x"));
            tokio::spawn(async move { keep(&store, new).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let (gone, waiting): (Vec<_>, Vec<_>) = jobs.into_iter().enumerate().partition(|(index, _)| index % 3 != 1);
    gone.iter().for_each(|(_, job)| job.abort());
    for (_, job) in waiting {
        let answered = tokio::time::timeout(Duration::from_secs(10), job).await.expect("answered");
        assert_eq!(answered.unwrap(), Stored::New);
    }
}

#[tokio::test]
async fn a_number_is_never_given_twice_also_after_the_newest_was_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = endpoint("a");
    let store = open(dir.path());
    let row = save(&store, &endpoint).await;
    for _ in 0..3 {
        keep(&store, delivery(row, &endpoint, None, b"x")).await;
    }
    let newest = seqs(&store).await[0];
    store.write(move |writing| writing.delete_deliveries(&[newest])).await.unwrap();
    drop(store);
    let store = open(dir.path());
    keep(&store, delivery(row, &endpoint, None, b"x")).await;
    assert!(seqs(&store).await[0] > newest);
}

#[tokio::test]
async fn a_repeated_key_is_an_arrival_and_another_body_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let endpoint = endpoint("a");
    let row = save(&store, &endpoint).await;
    assert_eq!(keep(&store, delivery(row, &endpoint, Some("k"), b"one")).await, Stored::New);
    for body in [&b"one"[..], b"two"] {
        let repeat = keep(&store, delivery(row, &endpoint, Some("k"), body)).await;
        assert!(matches!(repeat, Stored::Repeat { .. }), "{repeat:?}");
    }
    let only = seqs(&store).await;
    let seq = only[0];
    assert_eq!(only.len(), 1);
    let arrivals = store.read(move |connection| read_arrivals(connection, seq)).await.unwrap();
    assert_eq!(
        arrivals.iter().map(|arrival| (arrival.n, arrival.same_body)).collect::<Vec<_>>(),
        [(2, true), (3, false)]
    );
    let third = store.read(move |connection| read_arrival(connection, seq, 3)).await.unwrap().unwrap();
    assert_eq!(&third.1[..], b"two");
}

#[tokio::test]
async fn nothing_is_stored_for_an_endpoint_that_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let endpoint = endpoint("a");
    let row = save(&store, &endpoint).await;
    keep(&store, delivery(row, &endpoint, None, b"x")).await;
    let id = endpoint.id;
    // In one group: what the first post found out does not outlive the endpoint.
    hold_up(&store);
    let (before, hidden, after) = tokio::join!(
        keep(&store, delivery(row, &endpoint, None, b"x")),
        store.write(move |writing| writing.hide_endpoint(id)),
        keep(&store, delivery(row, &endpoint, None, b"x"))
    );
    hidden.unwrap();
    assert_eq!((before, after), (Stored::New, Stored::NoEndpoint));
    // Both rounds in one group: the second must not write counts behind the first's deletion.
    hold_up(&store);
    let (first, second) = tokio::join!(
        store.write(|writing| writing.delete_hidden(10)),
        store.write(|writing| writing.delete_hidden(10))
    );
    assert_eq!((first.unwrap(), second.unwrap()), (false, true));
    let left: i64 = store
        .read(|connection| Ok(connection.query_row("SELECT count(*) FROM delivery_counts", [], |row| row.get(0))?))
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn retention_takes_the_oldest_and_neither_pinned_nor_too_much() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let endpoint = endpoint("a");
    let row = save(&store, &endpoint).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let new = delivery(row, &endpoint, None, b"x");
        ids.push(new.summary.id);
        keep(&store, new).await;
    }
    let oldest = ids[0];
    assert!(store.write(move |writing| writing.set_pinned(oldest, true)).await.unwrap());
    let all = seqs(&store).await;
    let retention = Retention { rows: 2, bytes: 0, days: 0 };
    while store.write(move |writing| writing.prune(retention, NOW)).await.unwrap() {}
    // The two newest of those that count, and the pinned one.
    assert_eq!(seqs(&store).await, [all[0], all[1], all[4]]);
}

#[tokio::test]
async fn a_filtered_total_counts_what_the_list_shows_also_while_an_endpoint_is_being_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (staying, going) = (endpoint("a"), endpoint("b"));
    let rows = (save(&store, &staying).await, save(&store, &going).await);
    for _ in 0..3 {
        keep(&store, delivery(rows.0, &staying, None, b"x")).await;
        keep(&store, delivery(rows.1, &going, None, b"x")).await;
    }
    let filter = DeliveryFilter { event: Some("order.created".into()), ..DeliveryFilter::default() };
    let total = async |filter: DeliveryFilter| {
        let bounds = PageBounds { limit: 100, ..PageBounds::default() };
        let page = store.read_page(filter, bounds).await.unwrap();
        assert_eq!(page.total, page.deliveries.len() as i64);
        page.total
    };
    assert_eq!(total(filter.clone()).await, 6);
    let id = going.id;
    store.write(move |writing| writing.hide_endpoint(id)).await.unwrap();
    assert_eq!(total(filter).await, 3);
}

fn of_event() -> DeliveryFilter {
    DeliveryFilter { event: Some("order.created".into()), ..DeliveryFilter::default() }
}

async fn total_of_event(store: &Store) -> (i64, bool) {
    let page = store.read_page(of_event(), PageBounds { limit: 1, ..PageBounds::default() }).await.unwrap();
    (page.total, page.total_is_minimum)
}

async fn keep_many(store: &Store, row: i64, endpoint: &Endpoint, count: usize) {
    let mut new: Vec<NewDelivery> = (0..count).map(|_| delivery(row, endpoint, None, b"")).collect();
    let stored = move |writing: &mut Writing<'_>| new.iter_mut().try_for_each(|n| writing.store_delivery(n).map(drop));
    store.write(stored).await.unwrap();
}

#[tokio::test]
async fn a_remembered_total_follows_what_is_stored_deleted_and_hidden() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (staying, going) = (endpoint("a"), endpoint("b"));
    let rows = (save(&store, &staying).await, save(&store, &going).await);
    assert_eq!(total_of_event(&store).await, (0, false));
    keep_many(&store, rows.0, &staying, 9_000).await;
    assert_eq!(total_of_event(&store).await, (9_000, false));
    keep_many(&store, rows.1, &going, 1_500).await;
    assert_eq!(total_of_event(&store).await, (10_000, true), "a minimum from here on");
    keep_many(&store, rows.1, &going, 10).await;
    assert_eq!(total_of_event(&store).await, (10_000, true));
    store.write(|writing| writing.delete_deliveries(&(1..=8_000).collect::<Vec<_>>())).await.unwrap();
    assert_eq!(total_of_event(&store).await, (2_510, false));
    let id = going.id;
    store.write(move |writing| writing.hide_endpoint(id)).await.unwrap();
    assert_eq!(total_of_event(&store).await, (1_000, false));
    store.write(|writing| writing.delete_deliveries(&(8_001..=9_000).collect::<Vec<_>>())).await.unwrap();
    assert_eq!(total_of_event(&store).await, (0, false));
    keep_many(&store, rows.0, &staying, 2).await;
    assert_eq!(total_of_event(&store).await, (2, false));
}

#[tokio::test]
async fn what_a_reader_counted_before_a_deletion_is_not_remembered_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let endpoint = endpoint("a");
    let row = save(&store, &endpoint).await;
    keep_many(&store, row, &endpoint, 5).await;
    let reader = open::open_reader(&dir.path().join(DATABASE_FILE)).unwrap();
    let snapshot = reader.unchecked_transaction().unwrap();
    let age = store.totals.age();
    assert_eq!(list::read_newest_seq(&snapshot).unwrap(), 5);
    store.write(|writing| writing.delete_deliveries(&[1, 2])).await.unwrap();
    let counted = store.totals.read(&snapshot, &of_event(), age).unwrap();
    assert_eq!(counted, totals::Total { rows: 5, is_minimum: false }, "it still sees them");
    assert_eq!(total_of_event(&store).await, (3, false));
}

#[tokio::test]
async fn rare_states_and_verdicts_are_found_by_their_index() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let plan = async |filter: DeliveryFilter| {
        let plan = move |connection: &rusqlite::Connection| {
            let conditions = filter.conditions();
            let sql = format!("EXPLAIN QUERY PLAN SELECT 1 FROM deliveries d{} ORDER BY d.seq DESC", conditions.sql);
            let mut statement = connection.prepare(&sql)?;
            let rows = statement.query_map(rusqlite::params_from_iter(conditions.values), |row| row.get(3))?;
            Ok(rows.collect::<Result<Vec<String>, _>>()?.join("; "))
        };
        store.read(plan).await.unwrap()
    };
    for status in [DeliveryStatus::Queued, DeliveryStatus::Failed, DeliveryStatus::Rejected, DeliveryStatus::Ignored] {
        let plan = plan(DeliveryFilter { status: Some(status), ..DeliveryFilter::default() }).await;
        assert!(plan.contains("INDEX deliveries_unsettled"), "{status:?}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{status:?}: {plan}");
    }
    for verdict in [SignatureStatus::Invalid, SignatureStatus::Missing] {
        let plan = plan(DeliveryFilter { signature_status: Some(verdict), ..DeliveryFilter::default() }).await;
        assert!(plan.contains("INDEX deliveries_unsigned"), "{verdict:?}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{verdict:?}: {plan}");
    }
}

#[tokio::test]
async fn a_delivery_keeps_the_tunnel_that_it_came_by_as_it_was_then() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let endpoint = endpoint("a");
    let row = save(&store, &endpoint).await;
    let tunnel = |adds: &[&str]| DeliveryTunnel {
        provider: "bore".into(),
        name: "bore".into(),
        adds_headers: adds.iter().map(|name| (*name).to_owned()).collect(),
    };
    let known = |adds: &[&str]| {
        let tunnel = tunnel(adds);
        store.write(move |writing| writing.save_tunnel(&tunnel))
    };
    let then = known(&["x-a"]).await.unwrap();
    assert_eq!(known(&["x-a"]).await.unwrap(), then, "the same is one");
    assert_ne!(known(&["x-a", "x-b"]).await.unwrap(), then);
    keep(&store, NewDelivery { tunnel: Some(then), ..delivery(row, &endpoint, None, b"1") }).await;
    keep(&store, delivery(row, &endpoint, None, b"2")).await;
    let seqs = seqs(&store).await;
    let told = |seq| store.read(move |connection| read_tunnel_of(connection, seq));
    assert_eq!(told(seqs[1]).await.unwrap(), Some(tunnel(&["x-a"])));
    assert_eq!(told(seqs[0]).await.unwrap(), None);

    let by = |tunnel, url: Option<&str>| {
        let mut new = NewDelivery { tunnel, ..delivery(row, &endpoint, Some("k"), b"3") };
        new.payload.public_url = url.map(str::to_owned);
        new
    };
    for new in [by(Some(then), Some("https://first/")), by(None, None), by(Some(then), Some("https://third/"))] {
        keep(&store, new).await;
    }
    let seq = store.read(read_newest_seq).await.unwrap();
    let arrivals = store.read(move |connection| read_arrivals(connection, seq)).await.unwrap();
    let came: Vec<_> = arrivals.into_iter().map(|arrival| (arrival.n, arrival.tunnel, arrival.public_url)).collect();
    assert_eq!(came, [(2, None, None), (3, Some(tunnel(&["x-a"])), Some("https://third/".to_owned()))]);
    for (n, expected) in
        [(1, Some("https://first/")), (2, Some("https://first/")), (3, Some("https://third/")), (4, None)]
    {
        let url = store.read(move |connection| read_public_url(connection, seq, n)).await.unwrap();
        assert_eq!(url.as_deref(), expected, "{n}");
    }
}
