//! Event names and dedupe keys of `generic` and `github` (CONTRACT section 3).

use super::{headers, provider};
use crate::domain::Headers;
use crate::domain::limits::{DEDUPE_KEY_BYTES_MAX, EVENT_NAME_BYTES_MAX};
use crate::signature::BodyFacts;

fn name(slug: &str, pairs: &[(&str, &str)], body: &str) -> (String, String) {
    let event = provider(slug).event_name(&headers(pairs), &BodyFacts::read(body.as_bytes()), body.as_bytes());
    (event.name, event.source)
}

fn key(slug: &str, pairs: &[(&str, &str)]) -> Option<(String, String)> {
    provider(slug).dedupe_key(&headers(pairs), &BodyFacts::default(), b"").map(|key| (key.key, key.source))
}

fn pair(name: &str, source: &str) -> (String, String) {
    (name.to_owned(), source.to_owned())
}

#[test]
fn the_body_event_wins_over_every_header() {
    let every = [("X-GitHub-Event", "push"), ("X-Gitlab-Event", "Push Hook"), ("X-Event-Type", "x")];
    let body = r#"{"event":"order.paid","type":"t","action":"a"}"#;
    assert_eq!(name("generic", &every, body), pair("order.paid", "body:event"));
}

#[test]
fn a_github_header_gives_the_name_with_the_action() {
    let header = [("X-GitHub-Event", "pull_request")];
    let opened = pair("github.pull_request.opened", "x-github-event");
    for slug in ["generic", "github"] {
        assert_eq!(name(slug, &header, r#"{"action":"opened"}"#), opened);
    }
}

#[test]
fn a_github_header_without_an_action_gives_the_bare_name() {
    for slug in ["generic", "github"] {
        for body in ["{}", r#"{"action":""}"#, r#"{"action":3}"#, "[1]", "no json", ""] {
            assert_eq!(name(slug, &[("x-github-event", "push")], body), pair("github.push", "x-github-event"));
        }
    }
}

#[test]
fn github_takes_its_name_from_its_header_alone() {
    let body = r#"{"event":"e","type":"t","action":"a"}"#;
    assert_eq!(name("github", &[("X-Event-Type", "x")], body), pair("webhook.received", "default"));
    assert_eq!(name("github", &[("X-GitHub-Event", "push")], body), pair("github.push.a", "x-github-event"));
}

#[test]
fn a_gitlab_header_is_taken_verbatim_with_its_spaces() {
    let header = [("X-Gitlab-Event", "Push Hook"), ("X-Event-Type", "x")];
    assert_eq!(name("generic", &header, r#"{"type":"t"}"#), pair("gitlab.Push Hook", "x-gitlab-event"));
}

#[test]
fn an_event_type_header_is_taken_verbatim_before_type_and_action() {
    let body = r#"{"type":"t","action":"a"}"#;
    assert_eq!(name("generic", &[("X-Event-Type", "User.Created")], body), pair("User.Created", "x-event-type"));
    assert_eq!(name("generic", &[], body), pair("t", "body:type"));
    assert_eq!(name("generic", &[], r#"{"action":"a"}"#), pair("a", "body:action"));
}

#[test]
fn without_any_source_the_name_is_webhook_received() {
    for body in ["{}", r#"{"event":"","type":7,"action":null}"#, r#"[{"event":"x"}]"#, r#""text""#, "x", ""] {
        assert_eq!(name("generic", &[("X-Event-Type", "  ")], body), pair("webhook.received", "default"), "{body}");
    }
}

#[test]
fn arrays_use_headers_or_the_default() {
    assert_eq!(name("generic", &[("X-Event-Type", "x")], "[1]"), pair("x", "x-event-type"));
}

#[test]
fn a_byte_order_mark_does_not_hide_the_name() {
    assert_eq!(name("generic", &[], "\u{feff}{\"event\":\"e\"}"), pair("e", "body:event"));
}

#[test]
fn a_candidate_longer_than_the_limit_is_not_taken_for_a_name() {
    let fits = "e".repeat(EVENT_NAME_BYTES_MAX);
    let body = |event: &str| format!(r#"{{"event":"{event}","type":"t"}}"#);
    assert_eq!(name("generic", &[], &body(&fits)), pair(&fits, "body:event"));
    assert_eq!(name("generic", &[], &body(&format!("{fits}e"))), pair("t", "body:type"));
    let action = format!(r#"{{"action":"{}"}}"#, "a".repeat(EVENT_NAME_BYTES_MAX - "github.push.".len()));
    assert_eq!(name("github", &[("X-GitHub-Event", "push")], &action).0.len(), EVENT_NAME_BYTES_MAX);
    assert_eq!(name("github", &[("X-GitHub-Event", "pushX")], &action), pair("webhook.received", "default"));
}

#[test]
fn generic_prefers_the_idempotency_key_and_github_its_delivery_id() {
    let both = [("X-GitHub-Delivery", "d"), ("Idempotency-Key", "i")];
    assert_eq!(key("generic", &both), Some(pair("i", "idempotency-key")));
    assert_eq!(key("github", &both), Some(pair("d", "x-github-delivery")));
    assert_eq!(key("generic", &both[..1]), Some(pair("d", "x-github-delivery")));
    assert_eq!(key("github", &both[1..]), Some(pair("i", "idempotency-key")));
    assert_eq!(key("generic", &[("X-Request-Id", "r")]), None);
}

#[test]
fn a_key_is_trimmed_and_a_blank_one_counts_as_absent() {
    assert_eq!(key("generic", &[("idempotency-key", " a b\t")]), Some(pair("a b", "idempotency-key")));
    let blank = [("Idempotency-Key", " \u{a0} "), ("X-GitHub-Delivery", "d")];
    assert_eq!(key("generic", &blank), Some(pair("d", "x-github-delivery")));
}

#[test]
fn a_value_longer_than_the_limit_or_no_utf8_is_not_taken_for_a_key() {
    let fits = "k".repeat(DEDUPE_KEY_BYTES_MAX);
    assert_eq!(key("generic", &[("Idempotency-Key", &fits)]), Some(pair(&fits, "idempotency-key")));
    let long = format!("{fits}k");
    let both = [("Idempotency-Key", long.as_str()), ("X-GitHub-Delivery", "d")];
    assert_eq!(key("generic", &both), Some(pair("d", "x-github-delivery")));
    let bytes = Headers::from_pairs([("Idempotency-Key", &b"\xff"[..])]).unwrap();
    assert_eq!(provider("generic").dedupe_key(&bytes, &BodyFacts::default(), b""), None);
}
