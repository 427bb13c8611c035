//! Endpoints: making, reading, changing and removing them, and what is refused.

use serde_json::{Value, json};

use super::support::{Creel, Endpoint, Request, Target, list, text};

const UNKNOWN_ID: &str = "0199a000-0000-7000-8000-000000000000";

fn create(creel: &Creel, fields: &Value) -> super::support::Response {
    creel.api("POST", "/endpoints", Some(fields))
}

#[test]
fn a_new_endpoint_has_every_field_with_its_default() {
    let creel = Creel::start();
    let endpoint = create(&creel, &json!({ "name": "Shop" })).expect_json(201);
    let token = text(&endpoint, "token");
    let random = token.strip_prefix("ep_").expect("prefix");
    assert_eq!(random.len(), 43);
    assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'), "{token}");
    assert_eq!(text(&endpoint, "ingress_path"), format!("/in/{token}"));
    assert_eq!(text(&endpoint, "ingress_url"), format!("http://{}/in/{token}", creel.ingress));
    let defaults = json!({
        "name": "Shop", "provider": "generic", "scheme": null, "provider_options": {}, "body_policy": "any",
        "signature_policy": "enforce", "enabled": true, "duplicate_policy": "collapse", "reply": { "mode": "ack" },
        "event_filters": [], "when_target_down": "fail", "targets": [], "allow_non_loopback": false,
        "public_url_override": null, "public_url": null, "has_signing_secret": false, "signing_secret_hint": null,
        "signing_secrets": [], "warnings": [], "last_delivery_at": null,
    });
    for (field, value) in defaults.as_object().unwrap() {
        assert_eq!(&endpoint[field], value, "{field}: {endpoint}");
    }
    assert_eq!(text(&endpoint, "created_at").len(), "2026-01-01T00:00:00.000Z".len());
    assert_eq!(creel.get(&format!("/endpoints/{}", text(&endpoint, "id"))), endpoint);
    assert_eq!(list(&creel.get("/endpoints"), "endpoints"), [endpoint]);
}

#[test]
fn every_token_is_its_own() {
    let creel = Creel::start();
    let mut tokens: Vec<String> = (0..20).map(|_| creel.endpoint(json!({})).token).collect();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 20);
}

#[test]
fn the_public_url_comes_from_the_flag_and_an_endpoint_can_override_it() {
    let creel = super::support::Launch::new().arg("--public-url").arg("https://hooks.example.test/").start();
    let fields = create(&creel, &json!({ "name": "a" })).expect_json(201);
    let path = text(&fields, "ingress_path");
    assert_eq!(text(&fields, "public_url"), format!("https://hooks.example.test{path}"));
    let endpoint = Endpoint::of(&fields);
    let changed = creel.patch(&endpoint, &json!({ "public_url_override": "https://other.example.test" }));
    assert_eq!(text(&changed, "public_url"), format!("https://other.example.test{path}"));
    let forged = endpoint.post("{}").host("evil.test").header("X-Forwarded-Host", "evil.test");
    let answer = creel.send_expecting("skipped", &forged);
    let row = creel.delivery(text(&answer, "delivery_id"));
    assert!(text(&row, "public_url").starts_with("https://other.example.test/in/"), "as known at arrival: {row}");
}

#[test]
fn patch_keeps_what_is_absent_and_replaces_lists() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let fields = json!({ "name": "before", "event_filters": [{ "event": "a", "actions": ["b"] }],
        "reply": { "mode": "fixed", "status": 201 } });
    let endpoint = creel.relaying(&[&target.url("/1"), &target.url("/2")], fields);
    let before = creel.get(&format!("/endpoints/{}", endpoint.id));
    let same = creel.patch(&endpoint, &json!({}));
    assert_eq!(same, before);
    let renamed = creel.patch(&endpoint, &json!({ "name": "after" }));
    assert_eq!(renamed["name"], "after");
    for field in ["targets", "event_filters", "reply", "token", "created_at"] {
        assert_eq!(renamed[field], before[field], "{field}");
    }
    let kept = json!({ "id": before["targets"][1]["id"], "url": target.url("/2b") });
    let changed = creel.patch(&endpoint, &json!({ "targets": [kept], "event_filters": [] }));
    let targets = list(&changed, "targets");
    assert_eq!((targets.len(), &targets[0]["id"]), (1, &before["targets"][1]["id"]), "a target keeps its id");
    assert_eq!(targets[0]["url"], target.url("/2b"));
    assert_eq!(changed["event_filters"], json!([]));
}

#[test]
fn rotating_the_token_makes_the_old_url_404_at_once() {
    let creel = Creel::start();
    let old = creel.endpoint(json!({}));
    creel.set_secret(&old, "stays through rotation");
    let sign = |endpoint: &Endpoint| {
        let signature = super::support::hub_signature("stays through rotation", b"{}");
        endpoint.post("{}").header("X-Hub-Signature-256", &signature)
    };
    creel.send_expecting("skipped", &sign(&old));
    let rotated = creel.api("POST", &format!("/endpoints/{}/rotate-token", old.id), None).expect_json(200);
    let new = Endpoint::of(&rotated);
    assert_ne!(new.token, old.token);
    assert_eq!(creel.send(&sign(&old)).expect_json(404), json!({ "error": "webhook not found" }));
    creel.send_expecting("skipped", &sign(&new));
    assert_eq!(creel.total(&format!("endpoint_id={}", new.id)), 2, "history stays");
}

#[test]
fn deleting_an_endpoint_removes_its_deliveries_and_its_url() {
    let creel = Creel::start();
    let (gone, kept) = (creel.endpoint(json!({})), creel.endpoint(json!({})));
    let answer = creel.send_expecting("skipped", &gone.post("{}"));
    creel.send_expecting("skipped", &kept.post("{}"));
    let path = format!("/endpoints/{}", gone.id);
    let deleted = creel.api("DELETE", &path, None);
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    creel.api("GET", &path, None).expect_error(404);
    creel.api("DELETE", &path, None).expect_error(404);
    creel.api("GET", &format!("/deliveries/{}", text(&answer, "delivery_id")), None).expect_error(404);
    assert_eq!(creel.send(&gone.post("{}")).status, 404);
    assert_eq!(creel.total(""), 1);
}

#[test]
fn last_delivery_at_is_set_by_a_delivery() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let answer = creel.send_expecting("skipped", &endpoint.post("{}"));
    let row = creel.delivery(text(&answer, "delivery_id"));
    let shown = creel.get(&format!("/endpoints/{}", endpoint.id));
    assert_eq!(shown["last_delivery_at"], row["received_at"]);
}

#[test]
fn a_refused_value_is_422_names_its_field_and_changes_nothing() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let path = format!("/endpoints/{}", endpoint.id);
    let before = creel.get(&path);
    let bad = [
        json!({ "unknown_field": 1 }),
        json!({ "token": "ep_chosen" }),
        json!({ "name": "" }),
        json!({ "name": "  " }),
        json!({ "name": 17 }),
        json!({ "provider": "nonsense" }),
        json!({ "scheme": "nonsense" }),
        json!({ "body_policy": "xml" }),
        json!({ "signature_policy": "ignore" }),
        json!({ "duplicate_policy": "drop" }),
        json!({ "enabled": "yes" }),
        json!({ "event_filters": [{ "event": "" }] }),
        json!({ "event_filters": [{ "event": "  " }] }),
        json!({ "event_filters": [{ "event": "a", "actions": [""] }] }),
        json!({ "event_filters": [{ "event": "a", "typo": [] }] }),
        json!({ "event_filters": [{}] }),
        json!({ "reply": { "mode": "shout" } }),
        json!({ "reply": { "mode": "fixed" } }),
        json!({ "reply": { "mode": "fixed", "status": 99 } }),
        json!({ "reply": { "mode": "fixed", "status": 1000 } }),
        json!({ "reply": { "mode": "fixed", "status": 200, "delay_ms": 60001 } }),
        json!({ "reply": { "mode": "fixed", "status": 200, "headers": [["a b", "c"]] } }),
        json!({ "reply": { "mode": "fixed", "status": 200, "headers": [["a", "b\r\nc: d"]] } }),
        json!({ "reply": { "mode": "passthrough", "timeout_ms": 0 } }),
        json!({ "targets": [{ "url": "ftp://127.0.0.1/" }] }),
        json!({ "targets": [{ "url": "nonsense" }] }),
        json!({ "targets": [{ "url": "http://" }] }),
        json!({ "targets": [{}] }),
        json!({ "targets": [{ "url": "http://127.0.0.1:9/", "event_filters": [{ "event": " " }] }] }),
    ];
    for fields in &bad {
        let answer = creel.api("PATCH", &path, Some(fields));
        let code = answer.expect_error(422);
        let perhaps_later = fields.get("provider").is_some();
        assert!(perhaps_later || code != "not_available", "{fields}");
        assert_eq!(creel.get(&path), before, "{fields} changed something");
        let mut whole = fields.clone();
        if whole["name"].is_null() {
            whole["name"] = json!("x");
        }
        create(&creel, &whole).expect_error(422);
    }
    create(&creel, &json!({})).expect_error(422);
    assert_eq!(list(&creel.get("/endpoints"), "endpoints").len(), 1);
    let named = creel.api("PATCH", &path, Some(&json!({ "body_policy": "xml" }))).json();
    assert!(named["error"]["field"].as_str().is_some_and(|field| field.contains("body_policy")), "{named}");
}

#[test]
fn bad_syntax_is_400_and_an_unknown_endpoint_404() {
    let creel = Creel::start();
    for body in ["", "{", "[]x", "\"text\""] {
        let answer =
            creel.call("POST", "/endpoints").header("Content-Type", "application/json").body(body).to(creel.admin);
        assert!([400, 422].contains(&answer.status), "{body:?}: {}", answer.status);
        answer.expect_error(answer.status);
    }
    let truncated = creel.call("POST", "/endpoints").header("Content-Type", "application/json").body("{\"name\":");
    truncated.to(creel.admin).expect_error(400);
    let path = format!("/endpoints/{UNKNOWN_ID}");
    for (method, path, body) in [
        ("GET", path.clone(), None),
        ("PATCH", path.clone(), Some(json!({ "name": "x" }))),
        ("DELETE", path.clone(), None),
        ("POST", format!("{path}/rotate-token"), None),
        ("PUT", format!("{path}/signing-secret"), Some(json!({ "signing_secret": "x" }))),
        ("POST", format!("{path}/signing-secrets"), Some(json!({ "signing_secret": "x" }))),
        ("POST", format!("{path}/reverify"), None),
        ("GET", format!("{path}/deliveries"), None),
    ] {
        assert!(creel.api(method, &path, body.as_ref()).expect_error(404).ends_with("not_found"), "{method} {path}");
    }
}

/// Targets outside this machine. Also run against an engine that does not look.
pub fn a_target_outside_this_machine_is_refused(creel: &Creel) {
    let hosts = [
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "203.0.113.1",
        "0.0.0.0",
        "[::]",
        "[::ffff:203.0.113.1]",
        "[fe80::1]",
        "[2001:db8::1]",
        "3405803777",
        "0xcb.0.113.1",
        "0313.0.113.1",
        "203.0.113.1.",
        "224.0.0.1",
        "255.255.255.255",
        "does-not-resolve.invalid",
    ];
    for host in hosts {
        let fields = json!({ "name": "x", "targets": [{ "url": format!("http://{host}:8080/") }] });
        let answer = create(creel, &fields);
        assert_eq!(answer.status, 422, "a target outside this machine was taken: {host}: {}", answer.text());
    }
}

#[test]
fn a_target_that_is_not_loopback_is_refused_unless_the_endpoint_allows_it() {
    let creel = Creel::start();
    a_target_outside_this_machine_is_refused(&creel);
    assert_eq!(list(&creel.get("/endpoints"), "endpoints").len(), 0);
    let allowed =
        json!({ "name": "x", "allow_non_loopback": true, "targets": [{ "url": "http://203.0.113.1:8080/" }] });
    let endpoint = Endpoint::of(&create(&creel, &allowed).expect_json(201));
    let path = format!("/endpoints/{}", endpoint.id);
    let forbidden = creel.api("PATCH", &path, Some(&json!({ "allow_non_loopback": false })));
    assert_eq!(forbidden.status, 422, "its target would no longer be allowed");
    for host in ["127.0.0.1", "127.1.2.3", "[::1]", "localhost"] {
        let fields = json!({ "name": "x", "targets": [{ "url": format!("http://{host}:8080/") }] });
        create(&creel, &fields).expect_json(201);
    }
}

#[test]
fn creels_own_listeners_and_public_url_are_no_targets() {
    let creel = super::support::Launch::new().arg("--public-url").arg("https://hooks.example.test").start();
    let own = [
        format!("http://{}/in/x", creel.ingress),
        format!("http://{}/", creel.admin),
        format!("http://localhost:{}/", creel.ingress.port()),
        format!("http://127.1:{}/", creel.admin.port()),
        "https://hooks.example.test/in/x".to_owned(),
    ];
    for url in own {
        let fields = json!({ "name": "x", "allow_non_loopback": true, "targets": [{ "url": url }] });
        assert_eq!(create(&creel, &fields).expect_error(409), "relay_loop", "{url}");
    }
}

#[test]
fn what_is_not_built_yet_is_refused_as_not_available() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let path = format!("/endpoints/{}", endpoint.id);
    let hold = json!({ "when_target_down": "hold" });
    assert_eq!(creel.api("PATCH", &path, Some(&hold)).expect_error(422), "not_available");
    let calls = [
        ("POST", "/endpoints", Some(json!({ "name": "x", "when_target_down": "hold" }))),
        ("POST", "/endpoints", Some(json!({ "name": "x", "provider": "no-such-provider" }))),
        ("POST", "/replays", Some(json!({ "filter": { "status": "failed" }, "max": 10 }))),
    ];
    for (method, path, body) in calls {
        let answer = creel.api(method, path, body.as_ref());
        assert_eq!(answer.expect_error(422), "not_available", "{method} {path}");
        assert!(answer.json()["error"]["help"].is_string(), "{method} {path} gives no help");
    }
    assert_eq!(list(&creel.get("/endpoints"), "endpoints").len(), 1);
}

#[test]
fn event_filters_match_the_name_its_parts_and_the_bodys_action() {
    let creel = Creel::start();
    let cases = [
        (json!([{ "event": "github.workflow_run.requested" }]), true),
        (json!([{ "event": "workflow_run.requested" }]), true),
        (json!([{ "event": "workflow_run" }]), true),
        (json!([{ "event": "Workflow_run" }]), false),
        (json!([{ "event": "workflow" }]), false),
        (json!([{ "event": "github" }]), false),
        (json!([{ "event": "workflow_run", "actions": ["requested"] }]), true),
        (json!([{ "event": "workflow_run", "actions": ["other", "success"] }]), true),
        (json!([{ "event": "workflow_run", "actions": ["queued"] }]), true),
        (json!([{ "event": "workflow_run", "actions": ["open"] }]), true),
        (json!([{ "event": "workflow_run", "actions": ["Requested"] }]), false),
        (json!([{ "event": "workflow_run", "actions": ["nested"] }]), false),
        (json!([{ "event": "push" }, { "event": "workflow_run" }]), true),
        (
            json!([{ "event": "workflow_run", "actions": ["no"] }, { "event": "workflow_run", "actions": ["requested"] }]),
            true,
        ),
        (json!([{ "event": "push" }]), false),
        (json!([]), true),
    ];
    let body = json!({ "action": "requested", "conclusion": "success", "status": "queued", "state": "open",
        "workflow_run": { "status": "nested" } });
    for (filters, matches) in cases {
        let endpoint = creel.endpoint(json!({ "provider": "github", "event_filters": filters }));
        let request = Request::post(&endpoint.path).json(&body).header("X-GitHub-Event", "workflow_run");
        creel.send_expecting(if matches { "skipped" } else { "ignored" }, &request);
    }
}

/// Headers by name.
type Named = &'static [(&'static str, &'static str)];

#[test]
fn the_event_name_comes_from_the_first_source_that_has_one() {
    let creel = Creel::start();
    let generic = creel.endpoint(json!({}));
    let github = creel.endpoint(json!({ "provider": "github" }));
    let none: Named = &[];
    let cases: [(&Endpoint, &str, Named, &str, &str); 14] = [
        (&generic, r#"{"event":"order.paid","type":"t"}"#, &[("X-GitHub-Event", "push")], "order.paid", "body:event"),
        (&generic, "\u{feff}{\"event\":\"marked\"}", none, "marked", "body:event"),
        (
            &generic,
            r#"{"event":17,"action":"opened"}"#,
            &[("X-GitHub-Event", "issues")],
            "github.issues.opened",
            "x-github-event",
        ),
        (&generic, "{}", &[("X-GitHub-Event", "push")], "github.push", "x-github-event"),
        (&generic, "{}", &[("X-Gitlab-Event", "Push Hook")], "gitlab.Push Hook", "x-gitlab-event"),
        (&generic, r#"{"type":"t"}"#, &[("X-Event-Type", "Thing.Done")], "Thing.Done", "x-event-type"),
        (&generic, r#"{"type":"t","action":"a"}"#, none, "t", "body:type"),
        (&generic, r#"{"type":"","action":"a"}"#, none, "a", "body:action"),
        (&generic, "[1]", none, "webhook.received", "default"),
        (&generic, "no JSON", none, "webhook.received", "default"),
        (&generic, "", none, "webhook.received", "default"),
        (
            &github,
            r#"{"event":"mine","action":"opened"}"#,
            &[("X-GitHub-Event", "pull_request")],
            "github.pull_request.opened",
            "x-github-event",
        ),
        (&github, "[]", &[("X-GitHub-Event", "push")], "github.push", "x-github-event"),
        (&github, r#"{"action":""}"#, &[("X-GitHub-Event", "push")], "github.push", "x-github-event"),
    ];
    for (endpoint, body, headers, event, source) in cases {
        let request = headers.iter().fold(endpoint.post(body), |request, (name, value)| request.header(name, value));
        let answer = creel.send_expecting("skipped", &request);
        let row = creel.delivery(text(&answer, "delivery_id"));
        assert_eq!((text(&row, "event"), text(&row, "event_source")), (event, source), "{body} {headers:?}");
    }
}
