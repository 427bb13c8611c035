//! Trying an endpoint out: test events that take the whole way, probes of targets, counts by endpoint.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::support::target::{Answer, closed_port};
use super::support::{Creel, Endpoint, Target, hub_signature, list, text};

const SECRET: &str = "kept inside the engine 0123456789";

fn test_event(creel: &Creel, endpoint: &Endpoint, body: Option<&Value>) -> Value {
    let answer = creel.api("POST", &format!("/endpoints/{}/test-event", endpoint.id), body);
    assert!(!answer.text().contains(SECRET), "the secret is never answered");
    answer.expect_json(200)
}

#[test]
fn a_test_event_takes_the_whole_way_signed_with_the_endpoints_secret() {
    let creel = Creel::start();
    let app = Target::answering(201);
    let endpoint = creel.relaying(&[&app.url("/hooks")], json!({ "provider": "github" }));
    creel.set_secret(&endpoint, SECRET);
    let sent = test_event(&creel, &endpoint, None);
    assert_eq!(
        (&sent["event"], &sent["signed"], &sent["response_status"]),
        (&json!("github.push"), &json!(true), &json!(200))
    );
    assert_eq!((&sent["response_word"], &sent["reason"]), (&json!("accepted"), &Value::Null));
    let id = text(&sent, "delivery_id");
    let row = creel.settled(id);
    assert_eq!((&row["event"], &row["signature_status"]), (&json!("github.push"), &json!("valid")));
    assert_eq!((&row["status"], &row["relay_status"]), (&json!("dispatched"), &json!(201)));
    assert!(text(&row, "remote_addr").starts_with("127.0.0.1:"), "it came over a socket: {row}");
    let seen = app.only();
    assert_eq!((seen.target.as_str(), seen.delivery_id()), ("/hooks", id));
    let signature = hub_signature(SECRET, &seen.body);
    assert_eq!(seen.header("X-Hub-Signature-256"), Some(signature.as_str()));
    assert_eq!(creel.stored_body(id), seen.body);
}

#[test]
fn two_test_events_are_two_deliveries_and_the_event_can_be_chosen() {
    let creel = Creel::start();
    for provider in ["generic", "github"] {
        let endpoint = creel.endpoint(json!({ "provider": provider }));
        let samples = list(&creel.get(&format!("/providers/{provider}")), "sample_events");
        assert!(samples.len() >= 3, "{samples:?}");
        for sample in samples.iter().chain(&samples) {
            let sent = test_event(&creel, &endpoint, Some(&json!({ "event": sample })));
            assert_eq!((&sent["event"], &sent["signed"]), (sample, &json!(false)), "without a secret: unsigned");
            let row = creel.delivery(text(&sent, "delivery_id"));
            assert_eq!((&row["event"], &row["attempt_count"]), (sample, &json!(1)));
            assert_eq!(row["signature_status"], "not_required");
        }
        let of_endpoint = format!("endpoint_id={}", endpoint.id);
        assert_eq!(creel.total(&of_endpoint), 2 * samples.len() as u64);
    }
}

#[test]
fn a_test_event_says_what_the_ingress_said_whatever_the_endpoints_reply_is() {
    let creel = Creel::start();
    let disabled = creel.endpoint(json!({ "enabled": false }));
    let sent = test_event(&creel, &disabled, None);
    assert_eq!((&sent["response_status"], &sent["response_word"]), (&json!(200), &json!("ignored")));
    let fixed = creel.endpoint(json!({ "reply": { "mode": "fixed", "status": 202, "body": "thanks" } }));
    let sent = test_event(&creel, &fixed, None);
    assert_eq!((&sent["response_status"], &sent["response_word"]), (&json!(202), &Value::Null));
    assert_eq!(creel.delivery(text(&sent, "delivery_id"))["endpoint_id"], json!(fixed.id));
    let down = format!("http://{}/", closed_port());
    let through = creel.relaying(&[&down], json!({ "reply": { "mode": "passthrough" } }));
    let sent = test_event(&creel, &through, None);
    assert_eq!((&sent["response_status"], &sent["response_word"]), (&json!(502), &json!("failed")));
    assert_eq!(creel.settled(text(&sent, "delivery_id"))["status"], "failed");
}

#[test]
fn a_test_event_that_cannot_be_made_is_refused_and_nothing_is_stored() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let path = format!("/endpoints/{}/test-event", endpoint.id);
    let unknown = creel.api("POST", &path, Some(&json!({ "event": "github.push" })));
    assert_eq!(unknown.expect_error(422), "unknown_sample");
    assert_eq!(unknown.json()["error"]["field"], "event");
    assert!(unknown.text().contains("order.created"), "it names what there is: {}", unknown.text());
    let surplus = creel.api("POST", &path, Some(&json!({ "to": "http://192.0.2.1/" })));
    surplus.expect_error(422);
    let nobody = creel.api("POST", "/endpoints/0199a000-0000-7000-8000-000000000000/test-event", None);
    assert_eq!(nobody.expect_error(404), "endpoint_not_found");
    assert_eq!(creel.total(""), 0);
}

fn probe(creel: &Creel, body: &Value) -> Vec<Value> {
    list(&creel.api("POST", "/targets/probe", Some(body)).expect_json(200), "probes")
}

#[test]
fn a_probe_says_whether_something_answers_and_only_asks_when_told_to() {
    let creel = Creel::start();
    let app = Target::with(|_| Answer::new(404).header("Server", "a dev server"));
    let port = app.addr().port();
    let down = format!("http://{}/", closed_port());
    let urls = [format!("http://localhost:{port}/hooks"), down.clone(), "no url".to_owned()];
    let dialled = probe(&creel, &json!({ "urls": urls }));
    let reachable: Vec<_> = dialled.iter().map(|probe| probe["reachable"].clone()).collect();
    assert_eq!(reachable, [json!(true), json!(false), json!(false)]);
    assert_eq!(dialled[0]["http_status"], Value::Null);
    assert!(text(&dialled[1], "reason").contains("nothing answers"), "{dialled:?}");
    assert!(text(&dialled[2], "reason").contains("http://"), "{dialled:?}");
    assert_eq!(app.count(), 0, "a connection alone is no request");
    let asked = probe(&creel, &json!({ "urls": [urls[0]], "ask": true }));
    assert_eq!((&asked[0]["http_status"], &asked[0]["server"]), (&json!(404), &json!("a dev server")));
    let seen = app.only();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("HEAD", "/"));
}

#[test]
fn a_probe_never_leaves_this_machine_and_never_dials_creel_itself() {
    let creel = Creel::start();
    let own = [creel.ingress, creel.admin].map(|address| format!("http://localhost:{}/", address.port()));
    let everywhere = TcpListener::bind("0.0.0.0:0").expect("a listener on all addresses");
    let port = everywhere.local_addr().expect("its address").port();
    let mut urls = own.to_vec();
    for host in ["0.0.0.0", "192.0.2.1", "169.254.169.254", "[::ffff:10.0.0.1]", "[fe80::1]"] {
        urls.push(format!("http://{host}:{port}/"));
    }
    for probe in probe(&creel, &json!({ "urls": urls, "ask": true })) {
        assert_eq!(probe["reachable"], false, "{probe}");
        let reason = text(&probe, "reason");
        assert!(reason.contains("Creel itself") || reason.contains("not a loopback address"), "{probe}");
    }
    for count in [0, 17] {
        let body = json!({ "urls": vec!["http://localhost:3000/"; count] });
        let refused = creel.api("POST", "/targets/probe", Some(&body));
        assert_eq!(refused.expect_error(422), "invalid_value");
        assert_eq!(refused.json()["error"]["field"], "urls");
    }
}

#[test]
fn counts_by_endpoint_are_those_of_the_lists() {
    let creel = Creel::start();
    assert_eq!(creel.get("/stats/endpoints"), json!({ "endpoints": [] }));
    let app = Target::answering(500);
    let failing = creel.relaying(&[&app.url("/")], json!({}));
    let strict = creel.endpoint(json!({}));
    creel.endpoint(json!({}));
    creel.set_secret(&strict, SECRET);
    creel.settled(text(&creel.send_expecting("accepted", &failing.post("{}")), "delivery_id"));
    creel.send(&strict.post("{}"));
    test_event(&creel, &strict, None);
    let counts = list(&creel.get("/stats/endpoints"), "endpoints");
    let shown: Vec<_> = counts.iter().map(|of| (of["endpoint_id"].clone(), of["deliveries"].clone())).collect();
    assert_eq!(
        shown,
        [(json!(failing.id), json!(1)), (json!(strict.id), json!(2))],
        "one without deliveries is left out"
    );
    assert_eq!(counts[0]["by_status"]["failed"], 1);
    assert_eq!((&counts[1]["by_status"]["rejected"], &counts[1]["by_status"]["dispatched"]), (&json!(1), &json!(1)));
    creel.api("DELETE", &format!("/endpoints/{}", strict.id), None);
    assert_eq!(list(&creel.get("/stats/endpoints"), "endpoints").len(), 1);
}
