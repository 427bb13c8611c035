//! Tests of the module as a whole, through its public face.

mod catalogue;
mod elsewhere;
mod mistakes;
mod names_and_keys;
mod properties;
mod round_trips;
mod vectors;
mod verdicts;
mod wycheproof;

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::{Catalogue, Provider, SignatureError, SignedRequest, Verdict};
use crate::domain::{Headers, Secret, Timestamp};

/// No scheme of the catalogue looks at the clock yet.
const NOW: Timestamp = Timestamp::from_millis(1_759_316_734_000);

/// Read once: it is large, and properties ask for it thousands of times.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().unwrap());

fn provider(slug: &str) -> Arc<Provider> {
    Arc::clone(CATALOGUE.get(slug).unwrap())
}

fn headers(pairs: &[(&str, &str)]) -> Headers {
    Headers::from_pairs(pairs.iter().copied()).unwrap()
}

fn secrets(texts: &[&str]) -> Vec<Secret> {
    texts.iter().map(|&text| Secret::new(text.to_owned())).collect()
}

fn request<'a>(headers: &'a Headers, body: &'a [u8]) -> SignedRequest<'a> {
    SignedRequest { method: "POST", url: None, headers, body }
}

fn verify(slug: &str, secret_texts: &[&str], headers: &Headers, body: &[u8]) -> Result<Verdict, SignatureError> {
    provider(slug).verify(None, &Value::Null, &secrets(secret_texts), &request(headers, body), NOW)
}

/// The header value that a secret makes for a body.
fn signature(secret: &str, body: &[u8]) -> String {
    let none = Headers::default();
    let signed =
        provider("generic").sign(None, &Value::Null, &Secret::new(secret.to_owned()), &request(&none, body), NOW);
    let [(name, value)] = <[_; 1]>::try_from(signed.unwrap().headers).unwrap();
    assert_eq!(name, "X-Hub-Signature-256");
    value
}
