//! The live stream: every change comes as an event, a listener that comes back misses nothing or is told to look again.

use std::io::Read as _;

use serde_json::{Value, json};

use super::support::events::Event;
use super::support::{Creel, Events, Request, Target, http, text, until};

#[test]
fn every_change_of_a_delivery_is_an_event_with_its_slim_row() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let events = Events::open(&creel);
    let post = endpoint.post("{}").header("Idempotency-Key", "k");
    let accepted = creel.send_expecting("accepted", &post);
    let id = text(&accepted, "delivery_id");
    let first = events.wait_for("delivery", |row| row["id"] == id);
    assert_eq!(first.data["status"], "queued");
    assert!(first.data.get("raw_body").is_none() && first.data.get("headers").is_none(), "{}", first.data);
    events.wait_for("delivery", |row| row["id"] == id && row["status"] == "dispatched");
    let attempt =
        events.wait_for("attempt", |attempt| attempt["delivery_id"] == id && attempt["outcome"] == "succeeded");
    assert_eq!(attempt.data["response_status"], 200);
    creel.send_expecting("duplicate", &post);
    events.wait_for("delivery", |row| row["id"] == id && row["attempt_count"] == 2);
    creel.api("POST", &format!("/deliveries/{id}/pin"), None).expect_json(200);
    events.wait_for("delivery", |row| row["id"] == id && row["pinned"] == true);
    let replay = creel.api("POST", &format!("/deliveries/{id}/replay"), None).expect_json(201);
    events.wait_for("delivery", |row| row["id"] == replay["id"] && row["replayed_from_delivery_id"] == id);
}

#[test]
fn rejected_ignored_and_skipped_deliveries_and_refusals_are_events_too() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let events = Events::open(&creel);
    creel.send_expecting("skipped", &endpoint.post("{}"));
    events.wait_for("delivery", |row| row["status"] == "dispatched");
    creel.patch(&endpoint, &json!({ "enabled": false }));
    events.wait_for("endpoint", |shown| shown["id"] == endpoint.id.as_str() && shown["enabled"] == false);
    creel.send_expecting("ignored", &endpoint.post("{}"));
    events.wait_for("delivery", |row| row["status"] == "ignored");
    creel.set_secret(&endpoint, "a secret of enough bytes");
    events.wait_for("endpoint", |shown| shown["has_signing_secret"] == true);
    creel.send(&endpoint.post("{}")).expect_json(401);
    events.wait_for("delivery", |row| row["status"] == "rejected");
    creel.send(&Request::post("/in/ep_unknown").body("{}"));
    events.wait_for("refusal", |refusal| refusal["status"] == 404);
    let other = creel.endpoint(json!({ "name": "made later" }));
    events.wait_for("endpoint", |shown| shown["name"] == "made later");
    creel.api("DELETE", &format!("/endpoints/{}", other.id), None);
    until("its removal comes", || {
        let seen = events.seen();
        let about = |event: &&Event| event.name == "endpoint" && event.data["id"] == other.id.as_str();
        (seen.iter().filter(about).count() >= 2 || seen.iter().any(|event| event.name == "resync")).then_some(())
    });
}

#[test]
fn a_listener_that_comes_back_gets_exactly_what_it_missed() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let all = Events::open(&creel);
    let dropped = Events::open(&creel);
    creel.send_expecting("skipped", &endpoint.post("seen"));
    let last_seen = dropped.wait_for("delivery", |_| true);
    drop(dropped);
    for n in 0..20 {
        creel.send_expecting("skipped", &endpoint.post(format!("missed {n}")));
    }
    until("all have come", || (all.seen().iter().filter(|event| event.name == "delivery").count() >= 21).then_some(()));
    let missed: Vec<String> = ids_behind(&all.seen(), &last_seen.id);
    let back = Events::resume(&creel, &last_seen.id);
    let again = until("what was missed comes", || Some(back.seen()).filter(|seen| seen.len() >= missed.len()));
    let ids: Vec<String> = again.iter().map(|event| event.id.clone()).collect();
    assert_eq!(ids, missed);
    assert!(again.iter().all(|event| event.name != "resync"));
}

#[test]
fn a_removed_delivery_is_an_event_or_the_word_to_look_again() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let answer = creel.send_expecting("skipped", &endpoint.post("{}"));
    let events = Events::open(&creel);
    let remove = |path: &str, body: Option<&Value>| {
        let before = events.seen().len();
        assert_eq!(creel.api("DELETE", path, body).status, 204);
        until("its removal comes", || (events.seen().len() > before).then_some(()));
    };
    remove(&format!("/deliveries/{}", text(&answer, "delivery_id")), None);
    creel.send_expecting("skipped", &endpoint.post("{}"));
    events.wait_for("delivery", |row| row["id"] != answer["delivery_id"]);
    remove("/deliveries", Some(&json!({ "filter": { "endpoint_id": endpoint.id } })));
}

fn ids_behind(events: &[Event], id: &str) -> Vec<String> {
    events.iter().skip_while(|event| event.id != id).skip(1).map(|event| event.id.clone()).collect()
}

#[test]
fn event_ids_name_the_run_and_count_up() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let events = Events::open(&creel);
    for _ in 0..5 {
        creel.send_expecting("skipped", &endpoint.post("{}"));
    }
    let seen = until("five have come", || Some(events.seen()).filter(|seen| seen.len() >= 5));
    let split: Vec<(String, u64)> = seen
        .iter()
        .map(|event| {
            let (run, n) = event.id.rsplit_once('-').unwrap_or_else(|| panic!("{}", event.id));
            (run.to_owned(), n.parse().unwrap())
        })
        .collect();
    assert!(split.windows(2).all(|pair| pair[0].0 == pair[1].0 && pair[0].1 < pair[1].1), "{split:?}");
}

#[test]
fn an_unknown_an_odd_and_a_former_runs_id_get_resync() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let events = Events::open(&creel);
    creel.send_expecting("skipped", &endpoint.post("{}"));
    let former = events.wait_for("delivery", |_| true).id;
    drop(events);
    let creel = creel.stop_and_restart();
    for id in [former.as_str(), "nonsense", "x-1", "-", "99999999999999999999-99999999999999999999"] {
        let events = Events::resume(&creel, id);
        events.wait_for("resync", |_| true);
        creel.send_expecting("skipped", &endpoint.post("goes on"));
        events.wait_for("delivery", |_| true);
    }
}

#[test]
fn a_listener_that_does_not_read_holds_up_nobody() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let mut stalled = http::connect(creel.admin).unwrap();
    let open = creel.call("GET", "/events").header("Connection", "keep-alive").head(creel.admin);
    std::io::Write::write_all(&mut stalled, &open).unwrap();
    let events = Events::open(&creel);
    let suffix = format!("/{}", "x".repeat(3_000));
    for _ in 0..1_500 {
        creel.send_expecting("skipped", &endpoint.post("{}").at(&suffix));
    }
    let last = creel.send_expecting("skipped", &endpoint.post("last"));
    events.wait_for("delivery", |row: &Value| row["id"] == last["delivery_id"]);
    assert_eq!(creel.total(""), 1_501);
    // It reads at last: events, and then either all of them or the word to look again.
    let mut some = [0; 4096];
    assert!(stalled.read(&mut some).unwrap() > 0);
}

#[test]
fn a_quiet_stream_says_now_and_then_that_it_lives() {
    let creel = Creel::start();
    let mut stream = http::connect(creel.admin).unwrap();
    let open = creel.call("GET", "/events").header("Connection", "keep-alive").head(creel.admin);
    std::io::Write::write_all(&mut stream, &open).unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stream));
    // One may greet; the next comes because time passes. A read times out, and the test fails, long after 15 s.
    for _ in 0..2 {
        assert!(lines.any(|line| line.expect("a sign of life in time").starts_with(':')));
    }
}

#[test]
fn the_stream_takes_no_token_from_the_query() {
    let creel = Creel::start();
    for query in ["token", "admin_token", "access_token"] {
        let request = Request::new("GET", &format!("/api/events?{query}={}", creel.token));
        assert_eq!(request.to(creel.admin).status, 401, "{query}");
    }
}
