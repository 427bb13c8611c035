//! Promises of the provider files and of their format.

use serde_json::{Value, json};

use super::{NOW, headers, provider};
use crate::domain::{Secret, SignatureReason, SignatureStatus, Timestamp};
use crate::signature::{BodyFacts, Catalogue, Elsewhere, Provider, SignatureError, SignedRequest};

const SMALLEST: &str = "name = 'A'\ndocs_url = 'https://a.example/'\n[[evidence]]\nurl = 'https://a.example/x'\nsays = 'b'\nbasis = 'sdk'\n";

fn read(text: &str) -> Result<Catalogue, String> {
    Catalogue::read([("a", text)]).map_err(|error| error.to_string())
}

fn check_examples(provider: &Provider) {
    for example in &provider.examples {
        let label = format!("{}: {}", provider.slug, example.title);
        let headers = crate::domain::Headers::from_pairs(example.headers.iter().map(|(n, v)| (n, v))).unwrap();
        let body = example.body.as_bytes();
        let options = example.options.clone().unwrap_or_default();
        let request = SignedRequest { method: &example.method, url: example.url.as_deref(), headers: &headers, body };
        let secrets = [Secret::new(example.secret.clone())];
        let now = Timestamp::from_millis(example.now * 1000);
        let verdict = provider.verify(example.scheme.as_deref(), &options, &secrets, &request, now).unwrap();
        assert_eq!((verdict.status, verdict.reason), (example.status, example.reason), "{label}");
        let facts = BodyFacts::read(body);
        let event = provider.event_name(&headers, &facts, body);
        assert_eq!((event.name, event.source), (example.event.clone(), example.event_source.clone()), "{label}");
        let key = provider.dedupe_key(&headers, &facts, body).map(|key| (Some(key.key), Some(key.source)));
        assert_eq!(key.unwrap_or_default(), (example.dedupe_key.clone(), example.dedupe_source.clone()), "{label}");
    }
}

#[test]
fn every_provider_file_reads_and_its_examples_get_the_verdict_they_state() {
    let catalogue = Catalogue::embedded().unwrap();
    for provider in catalogue.iter() {
        assert!(!provider.examples.is_empty(), "{} has no example", provider.slug);
        check_examples(provider);
        let shows = |name: &str, at: usize| {
            let named = |scheme: &Option<String>| scheme.as_deref().map_or(at == 0, |scheme| scheme == name);
            let fits = |status| matches!(status, SignatureStatus::Valid | SignatureStatus::NotRequired);
            provider.examples.iter().any(|e| named(&e.scheme) && fits(e.status))
        };
        for (at, scheme) in provider.schemes.iter().enumerate() {
            assert!(shows(&scheme.name, at), "{}: no valid example of {}", provider.slug, scheme.name);
        }
    }
}

#[test]
fn the_catalogue_is_listed_in_the_order_of_its_slugs_and_knows_no_other() {
    let catalogue = Catalogue::embedded().unwrap();
    let slugs: Vec<&str> = catalogue.iter().map(|provider| provider.slug.as_str()).collect();
    assert!(slugs.is_sorted());
    assert!(slugs.contains(&"generic") && slugs.contains(&"github"), "{slugs:?}");
    assert!(catalogue.get("GitHub").is_none());
}

#[test]
fn the_build_embeds_every_file_that_stands_in_the_directory() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("providers");
    let mut files: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".toml")?.to_owned()))
        .collect();
    files.sort();
    let catalogue = Catalogue::embedded().unwrap();
    assert_eq!(catalogue.iter().map(|provider| provider.slug.clone()).collect::<Vec<_>>(), files);
}

#[test]
fn a_file_with_an_unknown_word_is_refused_and_named() {
    assert!(read(SMALLEST).is_ok());
    for (faulty, says) in [
        ("colour = 'red'\n", "unknown field `colour`"),
        ("[retry]\nautomatic = true\nsays = 'b'\nsource = 'https://a.example/'\nlater = 1\n", "unknown field `later`"),
        ("[[event]]\nheader = 'A'\nsuffix = 'a..b'\n", "`body` is no path"),
        ("[[event]]\nheader = 'A'\nbody = 'event'\n", "a place names one of"),
        ("[[event]]\nprefix = 'a.'\n", "a place names one of"),
        ("[[dedupe]]\nheader = 'A B'\n", "`header` is no header name"),
        ("[[dedupe]]\nheader = 'A'\nprefix = 'a'\n", "unknown field `prefix`"),
    ] {
        let text = if faulty.starts_with('[') { format!("{SMALLEST}{faulty}") } else { format!("{faulty}{SMALLEST}") };
        let error = read(&text).unwrap_err();
        assert!(error.starts_with("providers/a.toml cannot be read: "), "{error}");
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_file_that_says_something_impossible_is_refused_and_named() {
    let scheme = |name: &str, header: &str| {
        format!(
            "[[schemes]]\nname = '{name}'\nalgorithm = 'hmac-sha256'\nsecret = 'utf8'\ncontent = '{{body}}'\n\
             [schemes.signature]\nheader = '{header}'\nencoding = 'hex'\n"
        )
    };
    for (text, says) in [
        (SMALLEST.replace("'A'", "' '"), "name is blank"),
        (SMALLEST.replace("https://a.example/'", "http://a.example/'"), "docs_url must be an https URL"),
        ("name = 'A'\ndocs_url = 'https://a.example/'\nevidence = []\n".to_owned(), "an entry needs evidence"),
        (format!("{SMALLEST}{}", scheme("A b", "X")), "lower-case letters"),
        (format!("{SMALLEST}{}", scheme("a", "X Y")), "`header` is no header name"),
        (format!("{SMALLEST}{}{}", scheme("a", "X"), scheme("a", "Y")), "two schemes are named"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.starts_with("providers/a.toml") && error.contains(says), "{error}");
    }
    let unknown_placeholder = format!("{SMALLEST}{}", scheme("a", "X")).replace("{body}", "{nody}");
    assert!(read(&unknown_placeholder).unwrap_err().contains("unknown placeholder {nody}"));
    assert!(Catalogue::read([("Bad Slug", SMALLEST)]).is_err());
}

#[test]
fn a_provider_without_schemes_is_not_signed_and_cannot_be_signed_for() {
    let catalogue = read(SMALLEST).unwrap();
    let provider = catalogue.get("a").unwrap();
    let headers = headers(&[("X-Hub-Signature-256", "sha256=00")]);
    let request = super::request(&headers, b"{}");
    let secret = Secret::new("s".into());
    let verdict = provider.verify(None, &Value::Null, std::slice::from_ref(&secret), &request, NOW).unwrap();
    assert_eq!((verdict.status, verdict.reason), (SignatureStatus::NotRequired, SignatureReason::NotSigned));
    let explanation = provider
        .explain(None, &Value::Null, std::slice::from_ref(&secret), &request, NOW, Elsewhere::default())
        .unwrap();
    assert_eq!((explanation.reason, explanation.scheme), (SignatureReason::NotSigned, None));
    assert_eq!(
        provider.sign(None, &Value::Null, &secret, &request, NOW),
        Err(SignatureError::NotSigned { provider: "a".into() })
    );
}

#[test]
fn the_view_says_what_an_endpoint_may_choose() {
    let view = serde_json::to_value(provider("github").view()).unwrap();
    assert_eq!(view["slug"], "github");
    assert_eq!(view["schemes"][0]["name"], "hub-signature-256");
    assert_eq!(view["schemes"][0]["header"], "X-Hub-Signature-256");
    assert_eq!(view["dedupe_sources"], json!(["x-github-delivery", "idempotency-key"]));
    assert_eq!(view["event_sources"], json!(["x-github-event"]));
    assert_eq!(view["retry"]["automatic"], false);
    let generic = serde_json::to_value(provider("generic").view()).unwrap();
    assert_eq!(generic["dedupe_sources"], json!(["idempotency-key", "x-github-delivery"]));
    assert_eq!(
        generic["event_sources"],
        json!(["body:event", "x-github-event", "x-gitlab-event", "x-event-type", "body:type", "body:action"])
    );
}
