//! Replays: new deliveries that repeat an older one on purpose, as it was or edited.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::support::{Creel, Endpoint, Gate, Response, Target, hub_signature, text};

const SECRET: &str = "a secret of enough bytes";

fn replay(creel: &Creel, id: &str, body: &Value) -> Response {
    creel.api("POST", &format!("/deliveries/{id}/replay"), Some(body))
}

/// A delivery with everything that a replay repeats.
fn original(creel: &Creel, endpoint: &Endpoint) -> String {
    let post = endpoint.post(b"\xff raw").method("PUT").at("/a%20b?x=1").header("X-Mine", "1").header("x-mine", "2");
    let post = post.header("Idempotency-Key", "k").header("X-Event-Type", "thing.done");
    let answer = creel.send(&post).expect_json(200);
    let id = text(&answer, "delivery_id").to_owned();
    creel.settled(&id);
    id
}

#[test]
fn a_replay_is_a_new_linked_delivery_with_the_same_request() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/app")], json!({}));
    let id = original(&creel, &endpoint);
    let row = replay(&creel, &id, &json!({})).expect_json(201);
    let new_id = text(&row, "id");
    assert_ne!(new_id, id);
    assert_eq!(row["replayed_from_delivery_id"], id.as_str());
    let row = creel.settled(new_id);
    assert_eq!((&row["signature_status"], &row["attempt_count"]), (&json!("not_required"), &json!(1)));
    assert_eq!((&row["dedupe_key"], &row["dedupe_source"]), (&Value::Null, &Value::Null));
    assert_eq!((&row["event"], &row["status"]), (&json!("thing.done"), &json!("dispatched")));
    assert_eq!((&row["method"], &row["path"], &row["query"]), (&json!("PUT"), &json!("/a%20b"), &json!("x=1")));
    assert_eq!(row["response_status"], Value::Null, "nobody was told anything");
    assert_eq!(creel.stored_body(new_id), b"\xff raw");

    let seen = target.wait_for(2);
    let (first, second) = (&seen[0], &seen[1]);
    assert_eq!((&first.method, &first.target, &first.body), (&second.method, &second.target, &second.body));
    assert_eq!((second.header("x-creel-replay"), first.header("x-creel-replay")), (Some(id.as_str()), None));
    assert_eq!(second.header("x-creel-delivery"), Some(new_id));
    let names = |seen: &super::support::target::Seen| -> Vec<(String, String)> {
        let own = |name: &str| name.to_ascii_lowercase().starts_with("x-creel-");
        seen.headers.iter().filter(|(name, _)| !own(name)).cloned().collect()
    };
    assert_eq!(names(first), names(second));
    let original = creel.delivery(&id);
    assert_eq!((&original["relay_attempt_count"], &original["attempt_count"]), (&json!(1), &json!(1)));
}

#[test]
fn a_replay_of_a_replay_links_to_its_immediate_parent() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let id = original(&creel, &endpoint);
    let child = replay(&creel, &id, &json!({})).expect_json(201);
    creel.settled(text(&child, "id"));
    let grandchild = replay(&creel, text(&child, "id"), &json!({})).expect_json(201);
    assert_eq!(grandchild["replayed_from_delivery_id"], child["id"]);
    assert_eq!(target.wait_for(3)[2].header("x-creel-replay"), child["id"].as_str());
}

#[test]
fn replays_neither_collapse_nor_block_a_key() {
    let creel = Creel::start();
    let target = Target::answering(500);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let id = original(&creel, &endpoint);
    for _ in 0..2 {
        let row = replay(&creel, &id, &json!({})).expect_json(201);
        creel.settled(text(&row, "id"));
    }
    assert_eq!(creel.total(""), 3);
    let fresh = creel.send_expecting("accepted", &endpoint.post("{}").header("Idempotency-Key", "k"));
    assert_ne!(fresh["delivery_id"], id.as_str());
}

#[test]
fn an_idempotency_key_makes_a_double_click_one_replay() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let id = original(&creel, &endpoint);
    let click = |key: &str, body: &Value| {
        let call = creel.call("POST", &format!("/deliveries/{id}/replay")).header("Idempotency-Key", key);
        call.json(body).to(creel.admin)
    };
    let first = click("one", &json!({})).expect_json(201);
    let second = click("one", &json!({})).expect_json(200);
    assert_eq!(first["id"], second["id"]);
    assert_eq!(click("one", &json!({ "force": true })).status, 409, "the same key for something else");
    let third = click("two", &json!({})).expect_json(201);
    assert_ne!(first["id"], third["id"]);
    creel.settled(text(&third, "id"));
    assert_eq!((creel.total(""), target.wait_for(3).len()), (3, 3));
}

#[test]
fn a_rejected_delivery_is_replayed_only_with_force() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    creel.set_secret(&endpoint, SECRET);
    let rejected = creel.send(&endpoint.post("{}")).expect_json(401);
    let id = text(&rejected, "delivery_id");
    assert_eq!(replay(&creel, id, &json!({})).expect_error(409), "not_replayable");
    assert_eq!(replay(&creel, id, &json!({ "force": false })).expect_error(409), "not_replayable");
    assert_eq!((creel.total(""), target.count()), (1, 0));
    let forced = replay(&creel, id, &json!({ "force": true })).expect_json(201);
    assert_eq!(creel.settled(text(&forced, "id"))["status"], "dispatched");
    assert_eq!(target.only().body, b"{}");
    assert_eq!(creel.delivery(id)["status"], "rejected", "the original stays what it is");
}

#[test]
fn a_queued_delivery_cannot_be_replayed_yet() {
    let creel = Creel::start();
    let gate = Gate::default();
    let target = Target::behind(&gate);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let answer = creel.send_expecting("accepted", &endpoint.post("{}"));
    let id = text(&answer, "delivery_id");
    replay(&creel, id, &json!({})).expect_error(409);
    gate.open();
    creel.settled(id);
    replay(&creel, id, &json!({})).expect_json(201);
}

#[test]
fn failed_ignored_and_interrupted_deliveries_can_be_replayed_also_while_the_endpoint_is_disabled() {
    let creel = Creel::start();
    let gate = Gate::default();
    let (hanging, target) = (Target::behind(&gate), Target::answering(200));
    let endpoint = creel.relaying(&["http://127.0.0.1:9/"], json!({}));
    let failed = creel.send_expecting("accepted", &endpoint.post("failed"));
    creel.settled(text(&failed, "delivery_id"));
    creel.patch(&endpoint, &json!({ "targets": [{ "url": hanging.url("/") }] }));
    let interrupted = creel.send_expecting("accepted", &endpoint.post("interrupted"));
    hanging.wait_for(1);
    let creel = creel.kill_and_restart();
    creel.patch(&endpoint, &json!({ "targets": [{ "url": target.url("/") }], "enabled": false }));
    let ignored = creel.send_expecting("ignored", &endpoint.post("ignored"));
    for (answer, body) in [(failed, "failed"), (interrupted, "interrupted"), (ignored, "ignored")] {
        let row = replay(&creel, text(&answer, "delivery_id"), &json!({})).expect_json(201);
        let row = creel.settled(text(&row, "id"));
        assert_eq!(row["status"], "dispatched", "{body}: {row}");
        assert!(target.seen().iter().any(|seen| seen.body == body.as_bytes()), "{body}");
    }
}

#[test]
fn a_replay_can_be_edited_without_touching_the_original() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/app?t=1")], json!({}));
    let id = original(&creel, &endpoint);
    let before = creel.delivery(&id);
    let edits = json!({
        "method": "PATCH", "path": "/other/%2Fpath", "query": "y=2",
        "headers": [["X-Edited", "a"], ["X-Edited", "b"], ["Content-Type", "text/plain"]],
        "body_base64": STANDARD.encode(b"edited\0\xfe"),
    });
    let row = replay(&creel, &id, &edits).expect_json(201);
    let row = creel.settled(text(&row, "id"));
    assert_eq!(
        (&row["method"], &row["path"], &row["query"]),
        (&json!("PATCH"), &json!("/other/%2Fpath"), &json!("y=2"))
    );
    let seen = target.wait_for(2).remove(1);
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("PATCH", "/app/other/%2Fpath?t=1&y=2"));
    assert_eq!(seen.body, b"edited\0\xfe");
    assert_eq!(super::support::http::header_all(&seen.headers, "x-edited"), ["a", "b"]);
    assert_eq!((seen.header("content-type"), seen.header("x-mine")), (Some("text/plain"), None));
    assert_eq!(creel.stored_body(text(&row, "id")), b"edited\0\xfe");
    let (mut before, mut after) = (before, creel.delivery(&id));
    for row in [&mut before, &mut after] {
        row.as_object_mut().unwrap().remove("replay_ids");
    }
    assert_eq!(after, before);
    assert_eq!(creel.stored_body(&id), b"\xff raw");
}

#[test]
fn an_edit_that_makes_no_request_is_refused_and_makes_no_delivery() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let id = original(&creel, &endpoint);
    let bad = [
        json!({ "method": "" }),
        json!({ "method": "GE T" }),
        json!({ "method": "CONNECT" }),
        json!({ "path": "no-slash" }),
        json!({ "path": "/a b" }),
        json!({ "path": "/a\r\nX: y" }),
        json!({ "path": "/a?b" }),
        json!({ "query": "a b" }),
        json!({ "query": "a#b" }),
        json!({ "headers": [["X", "a\r\nY: b"]] }),
        json!({ "headers": [["X:", "a"]] }),
        json!({ "headers": [["", "a"]] }),
        json!({ "body_base64": "not base64!" }),
        json!({ "arrival": 2 }),
        json!({ "arrival": 0 }),
        json!({ "unknown": 1 }),
        json!({ "force": "yes" }),
        json!({ "target_url": "ftp://127.0.0.1/" }),
        json!({ "target_url": "nonsense" }),
    ];
    for body in bad {
        let answer = replay(&creel, &id, &body);
        assert!([404, 422].contains(&answer.status), "{body}: {} {}", answer.status, answer.text());
        answer.expect_error(answer.status);
    }
    assert_eq!(creel.call("POST", &format!("/deliveries/{id}/replay")).body("{").to(creel.admin).status, 400);
    assert_eq!(creel.total(""), 1);
}

#[test]
fn a_replay_can_go_to_another_target() {
    let creel = Creel::start();
    let (usual, other) = (Target::answering(200), Target::answering(200));
    let endpoint = creel.relaying(&[&usual.url("/")], json!({}));
    let id = original(&creel, &endpoint);
    let row = replay(&creel, &id, &json!({ "target_url": other.url("/debug") })).expect_json(201);
    creel.settled(text(&row, "id"));
    assert_eq!(other.only().target, "/debug/a%20b?x=1");
    assert_eq!(usual.count(), 1);
    let attempts = creel.attempts(text(&row, "id"));
    assert_eq!((attempts.len(), &attempts[0]["target_id"]), (1, &Value::Null));
    assert_eq!(attempts[0]["target_url"], other.url("/debug"));
}

#[test]
fn a_replay_to_a_forbidden_target_is_refused() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let id = original(&creel, &endpoint);
    let away = replay(&creel, &id, &json!({ "target_url": "http://203.0.113.1/" }));
    away.expect_error(422);
    for own in [creel.ingress, creel.admin] {
        let answer = replay(&creel, &id, &json!({ "target_url": format!("http://{own}{}", endpoint.path) }));
        assert_eq!(answer.expect_error(409), "relay_loop");
    }
    assert_eq!(creel.total(""), 1);
}

#[test]
fn resign_signs_the_edited_body_freshly() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({ "provider": "github" }));
    creel.set_secret(&endpoint, SECRET);
    let signed = endpoint.post("before").header("X-Hub-Signature-256", &hub_signature(SECRET, b"before"));
    let answer = creel.send_expecting("accepted", &signed);
    let id = text(&answer, "delivery_id");
    creel.settled(id);
    let edits = json!({ "body_base64": STANDARD.encode("after") });
    let stale = replay(&creel, id, &edits).expect_json(201);
    creel.settled(text(&stale, "id"));
    let edits = json!({ "body_base64": STANDARD.encode("after"), "resign": true });
    let fresh = replay(&creel, id, &edits).expect_json(201);
    creel.settled(text(&fresh, "id"));
    let seen = target.wait_for(3);
    assert_eq!(seen[1].header("x-hub-signature-256"), Some(hub_signature(SECRET, b"before").as_str()));
    let signatures = super::support::http::header_all(&seen[2].headers, "x-hub-signature-256");
    assert_eq!(signatures, [hub_signature(SECRET, b"after")], "the target would refuse this one");
}

/// Whether a request that a target saw carries Twilio's signature for a URL.
fn verifies_as_twilio(creel: &Creel, seen: &super::support::target::Seen, url: &str) -> bool {
    let (secret, body) = (creel.home().scratch("secret"), creel.home().scratch("body"));
    std::fs::write(&secret, SECRET).unwrap();
    std::fs::write(&body, &seen.body).unwrap();
    let header = |name: &str| format!("{name}: {}", seen.header(name).unwrap());
    let (signature, media_type) = (header("X-Twilio-Signature"), header("Content-Type"));
    let (secret, body) = (secret.to_str().unwrap(), body.to_str().unwrap());
    let verify = ["verify", "--provider", "twilio", "--secret-file", secret, "--body-file", body, "--url", url];
    creel.cli(&[&verify[..], &["--header", &signature, "--header", &media_type]].concat()).code == Some(0)
}

#[test]
fn resign_signs_the_url_that_goes_out_whatever_was_edited_or_known_of_it_when_the_delivery_came() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let settings = json!({ "provider": "twilio", "signature_policy": "observe" });
    let endpoint = creel.relaying(&[&target.url("/")], settings);
    creel.set_secret(&endpoint, SECRET);
    let arrived = |at: &str| {
        let post = endpoint.post("Body=hello&From=1").at(at);
        let post = post.header("Content-Type", "application/x-www-form-urlencoded");
        let post = post.header("X-Twilio-Signature", "bm90IHRoZSByaWdodCBzaWduYXR1cmU=");
        let id = text(&creel.send_expecting("accepted", &post), "delivery_id").to_owned();
        creel.settled(&id);
        id
    };
    let early = arrived("/early?a=1");
    creel.patch(&endpoint, &json!({ "public_url_override": "https://hooks.example.com" }));
    let known = arrived("/known?a=1");
    creel.patch(&endpoint, &json!({ "public_url_override": "https://moved.example.com" }));
    let mut sent = 2;
    let mut resigned = |of: &str, mut edits: Value, url: &str| {
        edits["resign"] = json!(true);
        let id = text(&replay(&creel, of, &edits).expect_json(201), "id").to_owned();
        creel.settled(&id);
        sent += 1;
        let (host, suffix) = url.split_once('/').unwrap();
        let url = format!("https://{host}{}/{suffix}", endpoint.path);
        assert!(verifies_as_twilio(&creel, &target.wait_for(sent)[sent - 1], &url), "{edits} {url}");
        id
    };
    resigned(&known, json!({}), "hooks.example.com/known?a=1");
    let child = resigned(&known, json!({ "query": "a=2" }), "hooks.example.com/known?a=2");
    resigned(&known, json!({ "path": "/other", "query": "" }), "hooks.example.com/other");
    resigned(&child, json!({}), "moved.example.com/known?a=2");
    resigned(&early, json!({}), "moved.example.com/early?a=1");
}

#[test]
fn resign_without_a_secret_is_refused() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let id = original(&creel, &endpoint);
    let answer = replay(&creel, &id, &json!({ "resign": true }));
    assert!([409, 422].contains(&answer.status), "{}", answer.text());
    assert_eq!(creel.total(""), 1);
}

#[test]
fn a_replay_of_nothing_is_404() {
    let creel = Creel::start();
    let answer = replay(&creel, "0199a000-0000-7000-8000-000000000000", &json!({}));
    assert!(answer.expect_error(404).ends_with("not_found"));
}
