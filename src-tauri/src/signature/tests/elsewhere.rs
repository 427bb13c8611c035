//! Other endpoints' secrets, other providers, schemes of the user's own, and what a request looks like.

use serde_json::{Value, json};

use super::{CATALOGUE, NOW, provider, secrets};
use crate::domain::{EndpointId, Headers, Secret, SignatureStatus, Timestamp};
use crate::signature::{Action, Confidence, Elsewhere, Explanation, OtherSecret, SignedRequest};

/// Providers whose requests are recognised among those of the catalogue that sign in a header of their own.
const RECOGNISED_MIN: usize = 80;

fn signed(slug: &str, options: &Value, secret: &str, body: &[u8]) -> Headers {
    let none = Headers::default();
    let request = SignedRequest { method: "POST", url: Some("https://h.example/in"), headers: &none, body };
    let made = provider(slug).sign(None, options, &Secret::new(secret.to_owned()), &request, NOW).unwrap();
    Headers::from_pairs(made.headers.iter().map(|(name, value)| (name, value))).unwrap()
}

fn explained(slug: &str, secret: &str, others: &[&str], headers: &Headers, body: &[u8]) -> Explanation {
    let request = SignedRequest { method: "POST", url: Some("https://h.example/in"), headers, body };
    let other = |secret| OtherSecret { endpoint: EndpointId::new(), name: "Other".to_owned(), secret };
    let others: Vec<OtherSecret> = secrets(others).into_iter().map(other).collect();
    let elsewhere = Elsewhere { other_secrets: &others, catalogue: Some(&CATALOGUE), local_url: None };
    provider(slug).explain(None, &Value::Null, &secrets(&[secret]), &request, NOW, elsewhere).unwrap()
}

#[test]
fn a_secret_of_another_endpoint_is_the_first_finding_when_it_fits() {
    let headers = signed("stripe", &Value::Null, "whsec_b", b"{}");
    let explanation = explained("stripe", "whsec_a", &["whsec_c", "whsec_b"], &headers, b"{}");
    assert_eq!(explanation.status, SignatureStatus::Invalid);
    assert_eq!(explanation.findings[0].code, "other_endpoint_secret");
    let without = explained("stripe", "whsec_a", &["whsec_c"], &headers, b"{}");
    assert_eq!(without.findings[0].code, "wrong_secret");
}

#[test]
fn what_is_secret_in_a_signed_text_is_hidden_and_its_length_is_that_of_the_real_text() {
    let options = json!({
        "secondary_secret": "canary-second-key",
        "api_key": "canary-api-key",
        "custom": {
            "header": "X-Signature",
            "algorithm": "hmac-sha256",
            "template": "{option:secondary_secret}|{option:api_key}|{secret}|{body}",
        },
    });
    let headers = Headers::from_pairs([("X-Signature", "00")]).unwrap();
    let request = SignedRequest { method: "POST", url: None, headers: &headers, body: b"{}" };
    let keys = secrets(&["canary-first-key"]);
    let explanation = provider("generic").explain(None, &options, &keys, &request, NOW, Elsewhere::default()).unwrap();
    assert_eq!(explanation.signed_content_preview.as_deref(), Some("(secret)|(secret)|(secret)|{}"));
    let length = "canary-second-key|canary-api-key|canary-first-key|{}".len() as u64;
    assert_eq!((explanation.signed_content_length, explanation.signed_content_omitted), (Some(length), Some(0)));
    assert!(!format!("{explanation:?}").contains("canary"), "{explanation:?}");
}

#[test]
fn a_signature_that_holds_for_another_provider_names_it() {
    let headers = signed("stripe", &Value::Null, "whsec_b", b"{}");
    for slug in ["github", "slack", "svix"] {
        let explanation = explained(slug, "whsec_b", &[], &headers, b"{}");
        assert_eq!(explanation.findings[0].code, "wrong_provider", "{slug}");
        assert!(explanation.findings[0].explanation.contains("`stripe`"), "{slug}");
        assert_eq!(explanation.suggested_provider, None, "{slug} is a provider in particular");
    }
}

#[test]
fn another_scheme_of_the_same_provider_is_named_where_the_endpoint_insists_on_one() {
    let several = CATALOGUE.iter().filter(|provider| !provider.takes_custom).filter_map(|provider| {
        let digests: Vec<_> = provider.schemes.iter().filter(|s| s.can_sign() && s.shows_expected()).collect();
        let (first, last) = (*digests.first()?, *digests.last()?);
        (first.name != last.name).then_some((provider, first, last))
    });
    let mut named = 0;
    for (provider, first, last) in several {
        let none = Headers::default();
        let url = Some("https://h.example/in");
        let blank = SignedRequest { method: "POST", url, headers: &none, body: b"{}" };
        let secret = secrets(&["c2l4dGVlbiBieXRlcyBvciBtb3Jl"]);
        let Ok(made) = provider.sign(Some(&last.name), &Value::Null, &secret[0], &blank, NOW) else { continue };
        let headers = Headers::from_pairs(made.headers.iter().map(|(name, value)| (name, value))).unwrap();
        let request = SignedRequest { headers: &headers, ..blank };
        let explained = provider.explain(Some(&first.name), &Value::Null, &secret, &request, NOW, Elsewhere::default());
        let explanation = explained.unwrap();
        if explanation.status == SignatureStatus::Valid {
            continue;
        }
        let found = &explanation.findings[0];
        if found.code != "wrong_scheme" {
            // What can be read off the header itself says more.
            assert_eq!(found.confidence, Confidence::Certain, "{}: {}", provider.slug, first.name);
            continue;
        }
        assert!(matches!(found.action, Some(Action::SetScheme { .. })));
        named += 1;
    }
    assert!(named > 0, "no provider of the catalogue has two such schemes");
}

#[test]
fn a_large_body_bounds_the_search_and_what_was_left_out_is_said() {
    let body = vec![b'x'; 1_200 * 1024];
    let headers = signed("github", &Value::Null, "the right secret", &body);
    let others: Vec<String> = (0..20).map(|n| format!("the secret of endpoint {n}")).collect();
    let mut others: Vec<&str> = others.iter().map(String::as_str).collect();
    let explanation = explained("github", "a wrong secret", &others, &headers, &body);
    assert!(explanation.not_tried.iter().any(|text| text.contains("secrets of other endpoints")), "{explanation:?}");
    others.insert(0, "the right secret");
    let explanation = explained("github", "a wrong secret", &others, &headers, &body);
    assert_eq!(explanation.findings[0].code, "other_endpoint_secret");
    assert_eq!(explanation.not_tried, Vec::<String>::new(), "what explains it makes the rest needless");
}

#[test]
fn a_url_that_is_not_known_is_guessed_from_the_path_here_and_the_host_in_the_headers() {
    let url = "https://hooks.example.com/in/token/a?b=1";
    let none = Headers::default();
    let blank = SignedRequest { method: "POST", url: Some(url), headers: &none, body: b"{}" };
    let made = provider("square").sign(None, &Value::Null, &secrets(&["key"])[0], &blank, NOW).unwrap();
    let pairs = made.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers = Headers::from_pairs(pairs.chain([("Host", "hooks.example.com")])).unwrap();
    let request = SignedRequest { method: "POST", url: None, headers: &headers, body: b"{}" };
    let elsewhere = Elsewhere { local_url: Some("http://127.0.0.1:4100/in/token/a?b=1"), ..Elsewhere::default() };
    let explanation =
        provider("square").explain(None, &Value::Null, &secrets(&["key"]), &request, NOW, elsewhere).unwrap();
    let found = &explanation.findings[0];
    assert_eq!((found.code.as_str(), &found.action), ("url_mismatch", &Some(Action::SetSignedUrl { url: url.into() })));
}

#[test]
fn a_generic_endpoint_is_told_whose_requests_it_gets() {
    let mut recognised = 0;
    let mut others = Vec::new();
    for known in CATALOGUE.iter().filter(|provider| !provider.takes_custom) {
        let Some(example) = known.examples.iter().find(|example| example.status == SignatureStatus::Valid) else {
            continue;
        };
        let headers = Headers::from_pairs(example.headers.iter().map(|(name, value)| (name, value))).unwrap();
        let explanation = explained("generic", "a secret that fits nothing", &[], &headers, example.body.as_bytes());
        match explanation.suggested_provider {
            Some(slug) if slug == known.slug => recognised += 1,
            other => others.push((known.slug.clone(), other)),
        }
    }
    assert!(recognised >= RECOGNISED_MIN, "{recognised}; not: {others:?}");
    let none = explained("generic", "s", &[], &Headers::default(), b"{}");
    assert_eq!(none.suggested_provider, None);
}

#[test]
fn a_scheme_of_the_users_own_signs_and_verifies_where_a_provider_takes_one() {
    let body = b"{\"a\":1}";
    for (custom, name) in [
        (json!({"header": "X-Sig", "algorithm": "hmac-sha256", "encoding": "base64", "prefix": "v1="}), "custom"),
        (json!({"header": "X-Sig", "algorithm": "hmac-sha512", "template": "{method}.{body}"}), "custom"),
        (json!({"header": "X-Token", "algorithm": "token", "encoding": "text"}), "custom"),
    ] {
        let options = json!({ "custom": custom });
        let headers = signed("generic", &options, "our secret", body);
        let request = SignedRequest { method: "POST", url: None, headers: &headers, body };
        let judged = |secret: &str, scheme: Option<&str>| {
            provider("generic").verify(scheme, &options, &secrets(&[secret]), &request, NOW).unwrap().status
        };
        assert_eq!(judged("our secret", None), SignatureStatus::Valid, "{custom}");
        assert_eq!(judged("our secret", Some(name)), SignatureStatus::Valid, "{custom}");
        assert_eq!(judged("another", None), SignatureStatus::Invalid, "{custom}");
        let error = provider("stripe").check_settings(None, &options).unwrap_err();
        assert!(error.to_string().contains("does not take the option \"custom\""), "{error}");
    }
}

#[test]
fn a_token_is_never_shown_as_what_was_expected() {
    let headers = Headers::from_pairs([("X-Telegram-Bot-Api-Secret-Token", "wrong")]).unwrap();
    let request = SignedRequest { method: "POST", url: None, headers: &headers, body: b"{}" };
    let now = Timestamp::from_millis(0);
    let explanation = provider("telegram")
        .explain(None, &Value::Null, &secrets(&["the canary of this test"]), &request, now, Elsewhere::default())
        .unwrap();
    assert!(!serde_json::to_string(&explanation).unwrap().contains("canary"));
}
