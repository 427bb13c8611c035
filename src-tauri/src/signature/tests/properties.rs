//! Properties over arbitrary bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::{CATALOGUE, NOW, headers, provider, request, secrets, signature, verify};
use crate::domain::limits::{DEDUPE_KEY_BYTES_MAX, EVENT_NAME_BYTES_MAX};
use crate::domain::{EventFilter, Headers, SignatureReason, Timestamp};
use crate::signature::{BodyFacts, Elsewhere, SignedRequest, Template, envelope, matches_filters};

/// Header values that a head can hold, biased to what the parsers look for.
fn header_value() -> impl Strategy<Value = Vec<u8>> {
    let bytes = vec(any::<u8>().prop_filter("no line break or NUL", |byte| !matches!(byte, b'\r' | b'\n' | 0)), 0..100);
    let hex = "(sha256=)?[0-9a-fA-F]{0,70}".prop_map(String::into_bytes);
    prop_oneof![bytes, hex]
}

/// Arbitrary bytes, and JSON-like text with the names that are looked for.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let soup = vec(
        proptest::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\"event\"",
            "\"eventPayload\"",
            "\"type\"",
            "\"action\"",
            "1e9",
            "\\ud800",
            "null",
            " ",
            "\u{feff}",
            "é",
            "\u{0}",
        ]),
        0..40,
    );
    prop_oneof![vec(any::<u8>(), 0..200), soup.prop_map(|pieces| pieces.concat().into_bytes())]
}

/// Pieces of signature headers, lists, tokens, times, forms and keys in any order.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "v1,",
        "v1=",
        "v1a,",
        "t=",
        "ts=",
        "sha256=",
        "sha1=",
        "Bearer ",
        "Basic ",
        "=",
        ",",
        ";",
        " ",
        "&",
        "|",
        ".",
        "{",
        "}",
        "1767225600",
        "1767225600000",
        "2026-01-01T00:00:00Z",
        "Thu, 01 Jan 2026 00:00:00 GMT",
        "9223372036854775807",
        "-1",
        "eyJhbGciOiJIUzI1NiJ9",
        "e30",
        "MEUCIQ",
        "0011223344556677",
        "signature=",
        "--x\u{e9}",
        "%2",
        "é",
        "[",
        "\"",
        "https://sns.a.amazonaws.com/",
        "payload=",
        "content-type",
    ];
    vec(proptest::sample::select(pieces.to_vec()), 0..14).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn what_sign_makes_verify_accepts(secret in "\\PC{1,80}", body in vec(any::<u8>(), 0..2000)) {
        let headers = headers(&[("X-Hub-Signature-256", &signature(&secret, &body))]);
        for slug in ["generic", "github"] {
            let verdict = verify(slug, &["another secret", &secret], &headers, &body).unwrap();
            prop_assert_eq!(verdict.reason, SignatureReason::Ok);
        }
    }

    #[test]
    fn one_changed_byte_in_the_body_is_refused(
        mut body in vec(any::<u8>(), 1..500), at in any::<prop::sample::Index>(), flip in 1..=255_u8,
    ) {
        let headers = headers(&[("X-Hub-Signature-256", &signature("a secret", &body))]);
        let at = at.index(body.len());
        body[at] ^= flip;
        let verdict = verify("github", &["a secret"], &headers, &body).unwrap();
        prop_assert_eq!(verdict.reason, SignatureReason::WrongSecretOrBody);
    }

    #[test]
    fn one_changed_character_in_the_secret_is_refused(
        secret in "[ -~]{1,80}", at in any::<prop::sample::Index>(), shift in 1..95_u8,
    ) {
        let headers = headers(&[("X-Hub-Signature-256", &signature(&secret, b"body"))]);
        let mut changed = secret.into_bytes();
        let at = at.index(changed.len());
        changed[at] = b' ' + (changed[at] - b' ' + shift) % 95;
        let changed = String::from_utf8(changed).unwrap();
        let verdict = verify("github", &[&changed], &headers, b"body").unwrap();
        prop_assert_eq!(verdict.reason, SignatureReason::WrongSecretOrBody);
    }

    #[test]
    fn one_changed_byte_in_the_header_is_refused(at in any::<prop::sample::Index>(), byte in 0x21..=0xff_u8) {
        let mut value = signature("a secret", b"body").into_bytes();
        let at = at.index(value.len());
        prop_assume!(!value[at].eq_ignore_ascii_case(&byte));
        value[at] = byte;
        let headers = Headers::from_pairs([("X-Hub-Signature-256", value)]).unwrap();
        let verdict = verify("github", &["a secret"], &headers, b"body").unwrap();
        prop_assert!(verdict.matched_secret.is_none());
        prop_assert_ne!(verdict.reason, SignatureReason::Ok);
    }

    #[test]
    fn no_header_or_body_makes_a_parser_panic_or_break_a_limit(
        values in vec(header_value(), 0..20), body in body(), filter in "\\PC{0,20}",
    ) {
        let names = ["X-Hub-Signature-256", "X-GitHub-Event", "Idempotency-Key", "X-GitHub-Delivery"];
        let pairs = values.iter().enumerate().map(|(at, value)| (names[at % names.len()], value));
        let headers = Headers::from_pairs(pairs).unwrap();
        let facts = BodyFacts::read(&body);
        prop_assert_eq!(facts.json.is_none(), facts.error.is_some());
        for slug in ["generic", "github"] {
            let provider = provider(slug);
            let event = provider.event_name(&headers, &facts, &body);
            prop_assert!(!event.name.is_empty() && event.name.len() <= EVENT_NAME_BYTES_MAX);
            if let Some(key) = provider.dedupe_key(&headers, &facts, &body) {
                prop_assert!(!key.key.is_empty() && key.key.len() <= DEDUPE_KEY_BYTES_MAX);
            }
            let explained = provider.explain(None, &Value::Null, &secrets(&["s"]), &request(&headers, &body), NOW, Elsewhere::default());
            prop_assert_ne!(explained.unwrap().reason, SignatureReason::Ok);
            let filters = [EventFilter { event: filter.clone(), actions: Some(vec![filter.clone()]) }];
            prop_assert!(!filter.is_empty() || !matches_filters(&filters, &event.name, &facts));
        }
        prop_assert!(envelope("e", &body, NOW, None).is_none() || facts.json.is_some());
    }

    #[test]
    fn body_facts_agree_with_a_full_parser_on_what_json_is(body in body()) {
        let bytes = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&body);
        if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
            let facts = BodyFacts::read(&body);
            prop_assert!(facts.json.is_some());
            prop_assert_eq!(facts.event.as_deref(), value.get("event").and_then(Value::as_str));
            let envelope = envelope("e", &body, NOW, None).unwrap();
            prop_assert!(serde_json::from_str::<Value>(envelope.get()).is_ok());
        }
    }

    #[test]
    fn no_text_makes_the_template_parser_panic(text in "[{}a-z]{0,12}|\\PC{0,40}") {
        if let Ok(template) = Template::parse(&text) {
            prop_assert_eq!(template.as_str(), text);
        }
    }

    #[test]
    fn no_request_makes_a_parser_of_any_provider_panic_or_passes_for_signed(
        values in vec(soup(), 4), body in prop_oneof![body(), soup()], now in any::<i32>(), secret in "\\PC{1,40}",
    ) {
        let now = Timestamp::from_millis(i64::from(now) * 1000);
        for provider in CATALOGUE.iter() {
            for scheme in provider.schemes.iter().filter(|scheme| scheme.signs()) {
                let mut names: Vec<&str> = scheme.places.iter().filter_map(|place| place.place.header_name()).collect();
                names.extend(["X-Slack-Request-Timestamp", "webhook-id", "webhook-timestamp", "BOX-DELIVERY-TIMESTAMP"]);
                names.extend(["x-contentful-signed-headers", "PAYPAL-CERT-URL", "Klaviyo-Timestamp"]);
                let pairs = names.iter().enumerate().map(|(at, name)| (*name, values[at % values.len()].as_slice()));
                let headers = Headers::from_pairs(pairs).unwrap();
                let request = SignedRequest { method: "POST", url: Some("https://h/?a=%zz&&"), headers: &headers, body: &body };
                let secrets = secrets(&[&secret]);
                let explained = provider.explain(
                    Some(&scheme.name), &Value::Null, &secrets, &request, now, Elsewhere::default(),
                );
                let holds = explained.is_ok_and(|explanation| explanation.reason == SignatureReason::Ok);
                // A secret that is sent as it is may be among the values by chance.
                prop_assert!(!holds || scheme.algorithm == crate::signature::Algorithm::Token, "{}", scheme.name);
            }
            let (headers, facts) = (Headers::default(), BodyFacts::read(&body));
            let _ = (provider.event_name(&headers, &facts, &body), provider.dedupe_key(&headers, &facts, &body));
        }
    }
}
