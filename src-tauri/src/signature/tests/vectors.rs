//! The vectors in `tests/fixtures`: complete requests with the verdict a correct verifier gives.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::{provider, secrets};
use crate::domain::{Headers, SignatureReason, Timestamp};
use crate::signature::{BodyFacts, SignedRequest};

const FIXTURE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/signatures-github.json"));
/// How many vectors the fixture holds; fewer would mean that the test tests nothing.
const VECTORS: usize = 29;

#[derive(Deserialize)]
struct Fixture {
    names_in_the_contract: Names,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Names {
    reason_by_verdict: HashMap<String, Option<String>>,
    reason_by_cause: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    provider: String,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body_base64: String,
    secret: String,
    extra: Value,
    now_unix: i64,
    expect: String,
    also_acceptable: Vec<String>,
    cause: Option<String>,
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    event: Option<String>,
    delivery_id: Option<String>,
}

impl Vector {
    fn body(&self) -> Vec<u8> {
        STANDARD.decode(&self.body_base64).unwrap()
    }

    fn headers(&self) -> Headers {
        Headers::from_pairs(self.headers.iter().map(|(name, value)| (name, value))).unwrap()
    }

    fn reason(&self, slug: &str) -> SignatureReason {
        let (headers, body) = (self.headers(), self.body());
        let request = SignedRequest { method: &self.method, url: Some(&self.url), headers: &headers, body: &body };
        let secrets = secrets(&[&self.secret]);
        let now = Timestamp::from_millis(self.now_unix * 1000);
        let verdict = provider(slug).verify(None, &self.extra, &secrets, &request, now).unwrap();
        let explanation = provider(slug).explain(None, &self.extra, &secrets, &request, now).unwrap();
        assert_eq!((explanation.status, explanation.reason), (verdict.status, verdict.reason), "{}", self.id);
        verdict.reason
    }

    /// The reasons that are right: the preferred verdict's, by cause first, and those of the acceptable ones.
    fn reasons(&self, names: &Names) -> Vec<String> {
        let by_cause = self.cause.as_ref().and_then(|cause| names.reason_by_cause.get(cause)).cloned();
        let by_verdict = |verdict: &String| names.reason_by_verdict[verdict].clone();
        let preferred = by_cause.or_else(|| by_verdict(&self.expect));
        preferred.into_iter().chain(self.also_acceptable.iter().filter_map(by_verdict)).collect()
    }
}

#[test]
fn every_vector_gets_its_verdict_and_reason() {
    let fixture: Fixture = serde_json::from_str(FIXTURE).unwrap();
    assert_eq!(fixture.vectors.len(), VECTORS);
    for vector in &fixture.vectors {
        let right = vector.reasons(&fixture.names_in_the_contract);
        for slug in [vector.provider.as_str(), "generic"] {
            let reason = vector.reason(slug).as_str();
            assert!(right.iter().any(|right| right == reason), "{} as {slug}: {reason}, not {right:?}", vector.id);
        }
    }
}

#[test]
fn every_valid_vector_gives_its_event_and_delivery_id() {
    let fixture: Fixture = serde_json::from_str(FIXTURE).unwrap();
    for vector in fixture.vectors.iter().filter(|vector| vector.expect == "valid") {
        let (headers, facts) = (vector.headers(), BodyFacts::read(&vector.body()));
        let provider = provider(&vector.provider);
        if let Some(event) = &vector.meta.event {
            assert_eq!(provider.event_name(&headers, &facts).name, format!("github.{event}"), "{}", vector.id);
        }
        if let Some(id) = &vector.meta.delivery_id {
            assert_eq!(&provider.dedupe_key(&headers, &facts).unwrap().key, id, "{}", vector.id);
        }
    }
}
