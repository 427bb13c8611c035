//! What makes two requests one delivery, and what never does.

use serde_json::{Value, json};

use super::support::{Creel, Endpoint, Gate, Request, Target, closed_port, hub_signature, list, text, until};

const SECRET: &str = "a secret of enough bytes";

fn keyed(endpoint: &Endpoint, key: &str, body: &str) -> Request {
    endpoint.post(body).header("Idempotency-Key", key)
}

fn signed(endpoint: &Endpoint, key: &str, body: &str) -> Request {
    keyed(endpoint, key, body).header("X-Hub-Signature-256", &hub_signature(SECRET, body.as_bytes()))
}

#[test]
fn the_key_comes_from_the_providers_header_first() {
    let creel = Creel::start();
    let cases = [
        ("generic", vec![("Idempotency-Key", " a "), ("X-GitHub-Delivery", "b")], Some(("a", "idempotency-key"))),
        ("generic", vec![("X-GitHub-Delivery", "b")], Some(("b", "x-github-delivery"))),
        ("generic", vec![("Idempotency-Key", "  "), ("X-GitHub-Delivery", "b")], Some(("b", "x-github-delivery"))),
        ("github", vec![("Idempotency-Key", "a"), ("X-GitHub-Delivery", "b")], Some(("b", "x-github-delivery"))),
        ("github", vec![("Idempotency-Key", "a")], Some(("a", "idempotency-key"))),
        ("generic", vec![("Idempotency-Key", " ")], None),
        ("generic", vec![], None),
    ];
    for (provider, headers, expected) in cases {
        let endpoint = creel.endpoint(json!({ "provider": provider }));
        let request = headers.iter().fold(endpoint.post("{}"), |request, (name, value)| request.header(name, value));
        let answer = creel.send_expecting("skipped", &request);
        let row = creel.delivery(text(&answer, "delivery_id"));
        let (key, source) = expected.map_or((Value::Null, Value::Null), |(key, source)| (json!(key), json!(source)));
        assert_eq!((&row["dedupe_key"], &row["dedupe_source"]), (&key, &source), "{provider} {headers:?}");
    }
}

#[test]
fn requests_without_a_key_never_collapse() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    for _ in 0..3 {
        creel.send_expecting("skipped", &endpoint.post("the same"));
    }
    assert_eq!(creel.total(""), 3);
}

#[test]
fn one_key_on_two_endpoints_is_two_deliveries() {
    let creel = Creel::start();
    let endpoints = [creel.endpoint(json!({})), creel.endpoint(json!({}))];
    for endpoint in &endpoints {
        creel.send_expecting("skipped", &keyed(endpoint, "k", "{}"));
        creel.send_expecting("duplicate", &keyed(endpoint, "k", "{}"));
    }
    assert_eq!(creel.total(""), 2);
}

#[test]
fn the_same_key_with_another_body_keeps_both_bodies() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let first = creel.send_expecting("skipped", &keyed(&endpoint, "k", "first"));
    let id = text(&first, "delivery_id");
    creel.send_expecting("duplicate", &keyed(&endpoint, "k", "first"));
    creel.send_expecting("duplicate", &keyed(&endpoint, "k", "sec\0nd").header("X-Third", "yes"));
    let row = creel.delivery(id);
    assert_eq!(row["attempt_count"], 3);
    let arrivals = list(&row, "arrivals");
    let same: Vec<&Value> = arrivals.iter().map(|arrival| &arrival["same_body"]).collect();
    assert_eq!(same, [&json!(true), &json!(true), &json!(false)]);
    let numbers: Vec<&Value> = arrivals.iter().map(|arrival| &arrival["n"]).collect();
    assert_eq!(numbers, [&json!(1), &json!(2), &json!(3)]);
    assert_eq!(arrivals[2]["body_size"], 6);
    assert!(arrivals[2]["headers"].to_string().contains("X-Third"), "{row}");
    for (n, body) in [(1, &b"first"[..]), (2, b"first"), (3, b"sec\0nd")] {
        let stored = creel.api("GET", &format!("/deliveries/{id}/arrivals/{n}/body"), None);
        assert_eq!((stored.status, stored.body.as_slice()), (200, body), "arrival {n}");
    }
    assert_eq!(creel.stored_body(id), b"first", "the delivery's own bytes never change");
    creel.api("GET", &format!("/deliveries/{id}/arrivals/4/body"), None).expect_error(404);
}

#[test]
fn a_replay_of_another_arrival_sends_that_arrivals_body() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.endpoint(json!({}));
    let first = creel.send_expecting("skipped", &keyed(&endpoint, "k", "first"));
    creel.send_expecting("duplicate", &keyed(&endpoint, "k", "second"));
    let path = format!("/deliveries/{}/replay", text(&first, "delivery_id"));
    creel.api("POST", &path, Some(&json!({ "arrival": 2, "target_url": target.url("/") }))).expect_json(201);
    assert_eq!(target.only().body, b"second");
}

#[test]
fn a_rejected_delivery_frees_its_key() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    creel.set_secret(&endpoint, SECRET);
    creel.send(&keyed(&endpoint, "k", "{}")).expect_json(401);
    creel.send(&keyed(&endpoint, "k", "{}")).expect_json(401);
    creel.send_expecting("accepted", &signed(&endpoint, "k", "{}"));
    creel.send_expecting("duplicate", &signed(&endpoint, "k", "{}"));
    assert_eq!((creel.total(""), target.wait_for(1).len()), (3, 1));
}

#[test]
fn a_failed_delivery_frees_its_key() {
    let creel = Creel::start();
    let endpoint = creel.relaying(&[&format!("http://{}/", closed_port())], json!({}));
    let first = creel.send_expecting("accepted", &keyed(&endpoint, "k", "{}"));
    assert_eq!(creel.settled(text(&first, "delivery_id"))["status"], "failed");
    let second = creel.send_expecting("accepted", &keyed(&endpoint, "k", "{}"));
    assert_ne!(first["delivery_id"], second["delivery_id"]);
}

#[test]
fn an_ignored_delivery_frees_its_key() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({ "enabled": false }));
    creel.send_expecting("ignored", &keyed(&endpoint, "k", "{}"));
    creel.send_expecting("ignored", &keyed(&endpoint, "k", "{}"));
    creel.patch(&endpoint, &json!({ "enabled": true }));
    creel.send_expecting("accepted", &keyed(&endpoint, "k", "{}"));
    target.only();
}

#[test]
fn an_interrupted_delivery_frees_its_key() {
    let creel = Creel::start();
    let gate = Gate::default();
    let target = Target::behind(&gate);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let first = creel.send_expecting("accepted", &keyed(&endpoint, "k", "{}"));
    target.wait_for(1);
    let creel = creel.kill_and_restart();
    assert_eq!(creel.settled(text(&first, "delivery_id"))["status"], "interrupted");
    gate.open();
    let second = creel.send_expecting("accepted", &keyed(&endpoint, "k", "{}"));
    assert_eq!(creel.settled(text(&second, "delivery_id"))["status"], "dispatched");
}

#[test]
fn a_queued_delivery_and_one_without_a_target_hold_their_keys() {
    let creel = Creel::start();
    let gate = Gate::default();
    let target = Target::behind(&gate);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    creel.send_expecting("accepted", &keyed(&endpoint, "k", "{}"));
    creel.send_expecting("duplicate", &keyed(&endpoint, "k", "{}"));
    gate.open();
    let idle = creel.endpoint(json!({}));
    creel.send_expecting("skipped", &keyed(&idle, "k", "{}"));
    creel.send_expecting("duplicate", &keyed(&idle, "k", "{}"));
}

/// A forger who guesses a key first must not swallow the real event. Also run against an engine that forgets the verdict.
pub fn an_unverified_request_never_suppresses_a_verified_one(creel: &Creel) {
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({ "signature_policy": "observe" }));
    creel.set_secret(&endpoint, SECRET);
    creel.send_expecting("accepted", &keyed(&endpoint, "k", "forged"));
    let good = creel.send(&signed(&endpoint, "k", "genuine")).expect_json(200);
    assert_eq!(good["status"], "accepted", "the verified one was suppressed: {good}");
    creel.send_expecting("duplicate", &signed(&endpoint, "k", "genuine"));
    creel.send_expecting("duplicate", &keyed(&endpoint, "k", "forged"));
    assert_eq!(target.wait_for(2).len(), 2);
    assert_eq!(creel.total(""), 2);
}

#[test]
fn a_forged_key_does_not_take_the_genuine_ones_place() {
    an_unverified_request_never_suppresses_a_verified_one(&Creel::start());
}

#[test]
fn a_key_used_before_there_was_a_secret_does_not_suppress_a_verified_delivery() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    creel.send_expecting("skipped", &keyed(&endpoint, "k", "{}"));
    creel.set_secret(&endpoint, SECRET);
    creel.send_expecting("skipped", &signed(&endpoint, "k", "{}"));
    creel.send(&keyed(&endpoint, "k", "{}")).expect_json(401);
}

#[test]
fn an_unsigned_request_never_learns_of_a_key_that_is_taken() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    creel.set_secret(&endpoint, SECRET);
    let good = creel.send_expecting("skipped", &signed(&endpoint, "k", "{}"));
    let answer = creel.send(&keyed(&endpoint, "k", "{}")).expect_json(401);
    assert_ne!(answer["delivery_id"], good["delivery_id"]);
    assert_eq!(creel.delivery(text(&good, "delivery_id"))["attempt_count"], 1);
}

#[test]
fn duplicate_policy_relay_stores_and_relays_each_receipt_and_links_it() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({ "duplicate_policy": "relay", "provider": "github" }));
    let post = endpoint.post("{}").header("X-GitHub-Delivery", "redelivered");
    let first = creel.send_expecting("accepted", &post);
    let second = creel.send_expecting("accepted", &post);
    let third = creel.send_expecting("accepted", &post);
    assert_eq!(target.wait_for(3).len(), 3);
    for answer in [second, third] {
        let row = creel.settled(text(&answer, "delivery_id"));
        assert_eq!(row["duplicate_of"], first["delivery_id"]);
        assert_eq!((&row["attempt_count"], &row["status"]), (&json!(1), &json!("dispatched")));
    }
    let first = creel.settled(text(&first, "delivery_id"));
    assert_eq!((&first["attempt_count"], &first["duplicate_of"]), (&json!(1), &Value::Null));
}

#[test]
fn a_key_is_remembered_over_a_restart() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let first = creel.send_expecting("skipped", &keyed(&endpoint, "k", "{}"));
    let creel = creel.stop_and_restart();
    let again = creel.send_expecting("duplicate", &keyed(&endpoint, "k", "{}"));
    assert_eq!(first["delivery_id"], again["delivery_id"]);
}

#[test]
fn attempt_count_is_never_changed_by_relay_or_replay() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/a"), &target.url("/b")], json!({}));
    let answer = creel.send_expecting("accepted", &keyed(&endpoint, "k", "{}"));
    let id = text(&answer, "delivery_id");
    creel.settled(id);
    let replayed = creel.api("POST", &format!("/deliveries/{id}/replay"), None).expect_json(201);
    creel.settled(text(&replayed, "id"));
    let row = creel.delivery(id);
    assert_eq!((&row["attempt_count"], &row["relay_attempt_count"]), (&json!(1), &json!(2)));
    creel.send_expecting("duplicate", &keyed(&endpoint, "k", "{}"));
    until("the arrival is counted", || (creel.delivery(id)["attempt_count"] == 2).then_some(()));
}
