//! The reply table of the ingress, row by row, and the three reply modes.

use std::io::Write;

use serde_json::{Value, json};

use super::support::http;
use super::support::{Answer, Creel, Gate, Launch, Request, Target, closed_port, hub_signature, text, until};

#[test]
fn accepted_names_delivery_endpoint_and_attempts() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/a"), &target.url("/b")], json!({}));
    let answer = creel.send_expecting("accepted", &endpoint.post("{}"));
    assert_eq!(answer["endpoint_id"], endpoint.id.as_str());
    let row = creel.settled(text(&answer, "delivery_id"));
    assert_eq!((&row["status"], &row["response_status"]), (&json!("dispatched"), &json!(200)));
    let attempts: Vec<Value> = creel.attempts(text(&row, "id")).iter().map(|attempt| attempt["id"].clone()).collect();
    assert_eq!(answer["attempt_ids"], Value::Array(attempts));
    assert_eq!(target.wait_for(2).len(), 2);
}

#[test]
fn skipped_when_no_target_is_there_enabled_or_matching() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let url = target.url("/");
    let endpoints = [
        creel.endpoint(json!({})),
        creel.endpoint(json!({ "targets": [{ "url": url, "enabled": false }] })),
        creel.endpoint(json!({ "targets": [{ "url": url, "event_filters": [{ "event": "other" }] }] })),
    ];
    for endpoint in endpoints {
        let answer = creel.send_expecting("skipped", &endpoint.post(r#"{"event":"this"}"#));
        assert_eq!(answer["reason"], "no_target");
        let row = creel.delivery(text(&answer, "delivery_id"));
        assert_eq!((&row["status"], &row["relay_attempt_count"]), (&json!("dispatched"), &json!(0)));
        assert_eq!(row["response_status"], 200);
    }
    assert_eq!(target.count(), 0);
}

#[test]
fn ignored_when_the_endpoint_is_disabled() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({ "enabled": false }));
    let answer = creel.send_expecting("ignored", &endpoint.post("{}"));
    assert_eq!(answer["reason"], "endpoint_disabled");
    let row = creel.delivery(text(&answer, "delivery_id"));
    assert_eq!((&row["status"], &row["reason"]), (&json!("ignored"), &json!("endpoint_disabled")));
    assert_eq!(creel.stored_body(text(&row, "id")), b"{}");

    creel.patch(&endpoint, &json!({ "enabled": true }));
    creel.send_expecting("accepted", &endpoint.post("again"));
    assert_eq!(target.only().body, b"again", "what came while it was disabled is not relayed later");
}

#[test]
fn ignored_when_the_endpoints_filters_do_not_match() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let filters = json!({ "event_filters": [{ "event": "push" }], "provider": "github" });
    let endpoint = creel.relaying(&[&target.url("/")], filters);
    let answer = creel.send_expecting("ignored", &endpoint.post("{}").header("X-GitHub-Event", "issues"));
    assert_eq!(answer["reason"], "event_filtered");
    let row = creel.delivery(text(&answer, "delivery_id"));
    assert_eq!((&row["status"], &row["reason"]), (&json!("ignored"), &json!("event_filtered")));
    creel.send_expecting("accepted", &endpoint.post("{}").header("X-GitHub-Event", "push"));
}

#[test]
fn a_github_ping_is_a_delivery_like_any_other() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({ "provider": "github" }));
    let answer = creel.send_expecting("accepted", &endpoint.post("{}").header("X-GitHub-Event", "ping"));
    assert_eq!(creel.delivery(text(&answer, "delivery_id"))["event"], "github.ping");
}

#[test]
fn duplicate_names_the_original_and_its_attempts() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let post = endpoint.post("{}").header("Idempotency-Key", "k");
    let first = creel.send_expecting("accepted", &post);
    let second = creel.send_expecting("duplicate", &post);
    assert_eq!(second["delivery_id"], first["delivery_id"]);
    assert_eq!(second["attempt_ids"], first["attempt_ids"]);
    assert_eq!(creel.settled(text(&first, "delivery_id"))["attempt_count"], 2);
}

#[test]
fn rejected_is_401_with_a_delivery_and_never_relayed() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    creel.set_secret(&endpoint, "a secret of enough bytes");
    let forged = endpoint.post("{}").header("X-Hub-Signature-256", &hub_signature("another", b"{}"));
    for (request, reason, status) in
        [(forged, "invalid_signature", "invalid"), (endpoint.post("{}"), "missing_signature", "missing")]
    {
        let answer = creel.send(&request).expect_json(401);
        assert_eq!((&answer["status"], &answer["reason"]), (&json!("rejected"), &json!(reason)));
        let row = creel.delivery(text(&answer, "delivery_id"));
        assert_eq!((&row["status"], &row["reason"]), (&json!("rejected"), &json!(reason)));
        assert_eq!((&row["signature_status"], &row["response_status"]), (&json!(status), &json!(401)));
        assert_eq!(row["relay_attempt_count"], 0);
    }
    let good = endpoint.post("good").header("X-Hub-Signature-256", &hub_signature("a secret of enough bytes", b"good"));
    creel.send_expecting("accepted", &good);
    assert_eq!(target.only().body, b"good");
}

#[test]
fn body_policy_json_refuses_what_is_no_object_or_array_with_400_and_no_delivery() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "body_policy": "json" }));
    let bad: [&[u8]; 9] =
        [b"", b"  ", b"nonsense", b"\"text\"", b"17", b"null", b"{\"a\":", b"{} trailing", b"\xef\xbb\xbf"];
    for body in bad {
        let answer = creel.send(&endpoint.post(body)).expect_json(400);
        assert!(answer["error"].as_str().is_some_and(|error| !error.is_empty()), "{answer}");
    }
    assert_eq!(creel.total(""), 0);
    let refusals = creel.refused(bad.len());
    assert!(refusals.iter().all(|refusal| refusal["reason"] == "invalid_body" && refusal["status"] == 400));
    for body in ["{}", "[]", " [1] ", "\u{feff}{\"a\":1}"] {
        creel.send_expecting("skipped", &endpoint.post(body));
    }
}

#[test]
fn an_unknown_token_is_404_and_a_refusal_with_its_token_masked() {
    let creel = Creel::start();
    let token = format!("ep_{}", "Q".repeat(43));
    let answer = creel.send(&Request::post(&format!("/in/{token}/suffix")).body("four"));
    assert_eq!(answer.expect_json(404), json!({ "error": "webhook not found" }));
    let refusals = creel.refused(1);
    let refusal = &refusals[0];
    assert_eq!((&refusal["status"], &refusal["reason"]), (&json!(404), &json!("unknown_token")));
    assert_eq!((&refusal["endpoint_id"], &refusal["method"]), (&Value::Null, &json!("POST")));
    assert!(!refusal.to_string().contains(&token), "the token is in the open: {refusal}");
    assert!(text(refusal, "path").ends_with("/suffix"), "{refusal}");
}

#[test]
fn a_body_that_does_not_come_is_408() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let mut stream = http::connect(creel.ingress).unwrap();
    let head = format!("POST {} HTTP/1.1\r\nHost: {}\r\nContent-Length: 9\r\n\r\nhalf", endpoint.path, creel.ingress);
    stream.write_all(head.as_bytes()).unwrap();
    let answer = http::read_response(&mut std::io::BufReader::new(stream), false).expect("an answer before the close");
    assert!(answer.expect_json(408)["error"].is_string());
    let refusals = creel.refused(1);
    assert_eq!((&refusals[0]["status"], &refusals[0]["reason"]), (&json!(408), &json!("timeout")));
    assert_eq!(creel.total(""), 0);
}

#[test]
fn a_head_that_does_not_come_ends_with_408_or_a_close() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let mut stream = http::connect(creel.ingress).unwrap();
    stream.write_all(format!("POST {} HTTP/1.1\r\nHost: x\r\nX-Slow: ", endpoint.path).as_bytes()).unwrap();
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut answer).expect("the connection is closed in time");
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn more_than_the_endpoints_rate_is_429_with_retry_after() {
    let creel = Launch::new().arg("--rate-limit-endpoint").arg(3).start();
    let (limited, other) = (creel.endpoint(json!({})), creel.endpoint(json!({})));
    for _ in 0..3 {
        creel.send_expecting("skipped", &limited.post("{}"));
    }
    let answer = creel.send(&limited.post("{}"));
    assert!(answer.expect_json(429)["error"].is_string());
    let seconds: u64 = answer.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "a limit of a minute asked for {seconds} s");
    creel.send_expecting("skipped", &other.post("{}"));
    let refusals = creel.refused(1);
    assert_eq!((&refusals[0]["status"], &refusals[0]["reason"]), (&json!(429), &json!("rate_limited")));
    assert_eq!(creel.total(""), 4);
}

#[test]
fn bad_credentials_are_limited_per_client_and_a_client_unknown_behind_loopback_never() {
    let limited = Launch::new().arg("--rate-limit-ip").arg(2).arg("--trusted-proxy").arg("127.0.0.1/32").start();
    let from = |client: &str| Request::post("/in/ep_guess").header("X-Forwarded-For", client).body("{}");
    let statuses =
        ["203.0.113.1", "203.0.113.1", "203.0.113.1", "203.0.113.2"].map(|ip| limited.send(&from(ip)).status);
    assert_eq!(statuses, [404, 404, 429, 404]);
    let secured = limited.endpoint(json!({}));
    limited.set_secret(&secured, "a secret of enough bytes");
    let unsigned = || limited.send(&secured.post("{}").header("X-Forwarded-For", "203.0.113.3")).status;
    assert_eq!([unsigned(), unsigned(), unsigned()], [401, 401, 429], "forged signatures are charged too");

    let local = Launch::new().arg("--rate-limit-ip").arg(2).start();
    for _ in 0..6 {
        assert_eq!(local.send(&Request::post("/in/ep_guess").body("{}")).status, 404);
    }
}

#[test]
fn a_401_of_a_target_or_of_a_fixed_reply_is_no_bad_credential() {
    let limited = Launch::new().arg("--rate-limit-ip").arg(2).arg("--trusted-proxy").arg("127.0.0.1/32").start();
    let target = Target::answering(401);
    let passing = limited.relaying(&[&target.url("/")], json!({ "reply": { "mode": "passthrough" } }));
    let fixed = json!({ "mode": "fixed", "status": 401, "headers": [], "body": "", "delay_ms": 0 });
    let fixed = limited.endpoint(json!({ "reply": fixed }));
    for endpoint in [passing, fixed] {
        let post = endpoint.post("{}").header("X-Forwarded-For", "203.0.113.1");
        assert_eq!([(); 4].map(|()| limited.send(&post).status), [401; 4]);
    }
}

#[test]
fn head_answers_as_the_table_says_without_a_body() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let answer = creel.send(&endpoint.post("").method("HEAD"));
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(creel.all_deliveries()[0]["method"], "HEAD");
    assert_eq!(creel.send(&Request::new("HEAD", "/in/ep_unknown")).status, 404);
}

#[test]
fn ack_never_waits_for_a_target() {
    let creel = Creel::start();
    let gate = Gate::default();
    let target = Target::behind(&gate);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let answer = creel.send_expecting("accepted", &endpoint.post("{}"));
    target.wait_for(1);
    assert_eq!(creel.delivery(text(&answer, "delivery_id"))["status"], "queued");
    gate.open();
    assert_eq!(creel.settled(text(&answer, "delivery_id"))["status"], "dispatched");
}

#[test]
fn passthrough_answers_what_the_first_matching_target_answers() {
    let creel = Creel::start();
    let first =
        Target::with(|_| Answer::new(418).header("Content-Type", "text/tea").header("X-App", "yes").body("short"));
    let second = Target::answering(200);
    let fields = json!({
        "reply": { "mode": "passthrough" },
        "targets": [
            { "url": second.url("/"), "event_filters": [{ "event": "never" }] },
            { "url": first.url("/") },
            { "url": second.url("/") },
        ],
    });
    let endpoint = creel.endpoint(fields);
    let answer = creel.send(&endpoint.post(r#"{"event":"tea"}"#).header("Idempotency-Key", "k"));
    assert_eq!((answer.status, answer.text().as_str()), (418, "short"));
    assert_eq!((answer.header("content-type"), answer.header("x-app")), (Some("text/tea"), Some("yes")));
    let row = until("what the sender was told is recorded", || {
        creel.all_deliveries().first().cloned().filter(|row| row["response_status"] == 418)
    });
    assert_eq!(creel.delivery(text(&row, "id"))["response_body"], "short");
    // The table applies when this request makes no attempt.
    creel.send_expecting("duplicate", &endpoint.post(r#"{"event":"tea"}"#).header("Idempotency-Key", "k"));
    creel.patch(&endpoint, &json!({ "targets": [] }));
    creel.send_expecting("skipped", &endpoint.post("{}"));
    creel.patch(&endpoint, &json!({ "enabled": false }));
    creel.send_expecting("ignored", &endpoint.post("{}"));
}

#[test]
fn passthrough_is_502_when_the_target_cannot_be_reached() {
    let creel = Creel::start();
    let fields = json!({ "reply": { "mode": "passthrough", "timeout_ms": 9000 } });
    let endpoint = creel.relaying(&[&format!("http://{}/", closed_port())], fields);
    let answer = creel.send(&endpoint.post("{}")).expect_json(502);
    assert_eq!(answer["status"], "failed");
    assert!(answer["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{answer}");
    let row = creel.settled(text(&answer, "delivery_id"));
    assert_eq!((&row["status"], &row["relay_outcome"]), (&json!("failed"), &json!("connect_failed")));
    until("the sender's answer is recorded", || {
        (creel.delivery(text(&row, "id"))["response_status"] == 502).then_some(())
    });
}

#[test]
fn passthrough_is_504_on_its_time_limit_and_the_attempt_goes_on() {
    let creel = Creel::start();
    let gate = Gate::default();
    let target = Target::behind(&gate);
    let fields = json!({ "reply": { "mode": "passthrough", "timeout_ms": 300 } });
    let endpoint = creel.relaying(&[&target.url("/")], fields);
    let answer = creel.send(&endpoint.post("{}")).expect_json(504);
    let id = text(&answer, "delivery_id").to_owned();
    assert_eq!(creel.delivery(&id)["status"], "queued", "the limit ends the answer, not the attempt");
    gate.open();
    let row = creel.settled(&id);
    assert_eq!((&row["status"], &row["relay_status"]), (&json!("dispatched"), &json!(200)));
    assert_eq!(target.count(), 1);
}

/// Ten of the largest posts are more than may be in flight at a time; each waits for a target that never reads. Also run
/// against an engine that counts them until they are answered.
pub fn what_waits_for_its_answer_is_no_longer_in_flight(creel: &Creel) {
    const POSTS: u64 = 10;
    const BODY_BYTES_MAX: usize = 27_262_976;
    let hung = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let fields = json!({ "reply": { "mode": "passthrough", "timeout_ms": 60_000 } });
    let endpoint = creel.relaying(&[&format!("http://{}/", hung.local_addr().unwrap())], fields);
    let post = endpoint.post(vec![b'x'; BODY_BYTES_MAX]).bytes(creel.ingress);
    let mut waiting = Vec::new();
    for n in 1..=POSTS {
        let mut stream = http::connect(creel.ingress).unwrap();
        stream.write_all(&post).unwrap();
        waiting.push(stream);
        until("it is stored or refused", || (creel.total("") + creel.refusals().len() as u64 >= n).then_some(()));
    }
    let refusals = creel.refusals();
    assert!(refusals.is_empty(), "turned away though nothing was in flight: {refusals:?}");
    creel.send_expecting("skipped", &creel.endpoint(json!({})).post(&post[post.len() - BODY_BYTES_MAX..]));
    assert_eq!(creel.total("status=queued"), POSTS);
}

#[test]
fn a_passthrough_that_waits_for_its_target_takes_no_room_from_other_posts() {
    what_waits_for_its_answer_is_no_longer_in_flight(&Creel::start());
}

#[test]
fn a_fixed_reply_stands_for_every_200_and_never_for_a_4xx() {
    let creel = Creel::start();
    let reply = json!({ "mode": "fixed", "status": 202, "headers": [["X-Fixed", "1"], ["Content-Type", "text/plain"]],
        "body": "thanks", "delay_ms": 20 });
    let endpoint = creel.endpoint(json!({ "reply": reply }));
    let check = |what: &str, request: &Request| {
        let answer = creel.send(request);
        assert_eq!((answer.status, answer.text().as_str()), (202, "thanks"), "{what}");
        assert_eq!(
            (answer.header("x-fixed"), answer.header("content-type")),
            (Some("1"), Some("text/plain")),
            "{what}"
        );
    };
    let keyed = endpoint.post("{}").header("Idempotency-Key", "k");
    check("skipped", &keyed);
    check("duplicate", &keyed);
    let row = creel.delivery(text(&creel.all_deliveries()[0], "id"));
    assert_eq!((&row["response_status"], &row["attempt_count"]), (&json!(202), &json!(2)));
    assert_eq!(row["response_body"], "thanks");
    let target = Target::answering(500);
    creel.patch(&endpoint, &json!({ "targets": [{ "url": target.url("/") }] }));
    check("accepted", &endpoint.post("{}"));
    creel.patch(&endpoint, &json!({ "enabled": false }));
    check("ignored", &endpoint.post("{}"));
    creel.patch(&endpoint, &json!({ "enabled": true }));
    creel.set_secret(&endpoint, "a secret of enough bytes");
    creel.send(&endpoint.post("{}")).expect_json(401);
    creel.patch(&endpoint, &json!({ "body_policy": "json" }));
    creel.send(&endpoint.post("no JSON")).expect_json(400);
}
