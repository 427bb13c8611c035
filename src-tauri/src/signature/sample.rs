//! Samples: requests that look like a provider's own, made anew each time, to try an endpoint or an app out with.
//!
//! They stand in the provider's file, or beside it in `providers/samples`. The places of [`Sample::request`] in header
//! values and bodies are filled in when one is made, so that no sample is taken for a repeat of another. It is signed
//! like any other request.

use serde::Deserialize;

use crate::domain::{HeaderBlockError, Headers, Timestamp};

/// The smallest `{{number}}`: nine digits, and no more than fits 32 bits.
const NUMBER_MIN: u64 = 100_000_000;
/// One more than the largest.
const NUMBER_END: u64 = 1_000_000_000;

/// One sample as its file has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The event's name, as the provider's rules read it from the request; a test says so.
    pub event: String,
    /// Headers, in order.
    headers: Vec<(String, String)>,
    /// Body as text.
    body: String,
}

/// A sample made now.
#[derive(Clone, Debug)]
pub struct SampleRequest {
    /// All headers but the signature.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Sample {
    /// The request. A UUID makes it unlike every other.
    ///
    /// # Errors
    /// When the file's headers are none; a test of the catalogue keeps such a file from being released.
    pub fn request(&self, id: [u8; 16], now: Timestamp) -> Result<SampleRequest, HeaderBlockError> {
        let places = places(id, now);
        let filled =
            |text: &str| places.iter().fold(text.to_owned(), |text, (place, value)| text.replace(place, value));
        let pairs = self.headers.iter().map(|(name, value)| (name.as_str(), filled(value)));
        Ok(SampleRequest { headers: Headers::from_pairs(pairs)?, body: filled(&self.body).into_bytes() })
    }
}

/// What stands for what.
fn places(id: [u8; 16], now: Timestamp) -> [(&'static str, String); 6] {
    let hexadecimal = hex::encode(id);
    let (a, b, c, d, e) =
        (&hexadecimal[..8], &hexadecimal[8..12], &hexadecimal[12..16], &hexadecimal[16..20], &hexadecimal[20..]);
    // The last half of a UUID of version 7 is random.
    let random = u64::from_be_bytes([id[8], id[9], id[10], id[11], id[12], id[13], id[14], id[15]]);
    [
        ("{{id}}", format!("{a}-{b}-{c}-{d}-{e}")),
        ("{{number}}", (NUMBER_MIN + random % (NUMBER_END - NUMBER_MIN)).to_string()),
        ("{{time}}", now.to_string()),
        ("{{unix}}", now.as_unix_seconds().to_string()),
        ("{{millis}}", now.as_millis().to_string()),
        ("{{hex}}", hexadecimal),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::domain::SignatureStatus;
    use crate::signature::{BodyFacts, Catalogue, Provider, SignedRequest, form};

    const ID: [u8; 16] = [0x01, 0x99, 0xa0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1];
    const OTHER_ID: [u8; 16] = [0x01, 0x99, 0xa0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 2];
    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_123);
    const URL: &str = "https://hooks.example.com/in";

    fn of_all(check: impl Fn(&Provider, &Sample, SampleRequest)) -> (usize, usize) {
        let (mut samples, mut providers) = (0, 0);
        for provider in Catalogue::embedded().unwrap().iter().filter(|provider| !provider.samples.is_empty()) {
            providers += 1;
            let events: BTreeSet<&str> = provider.samples.iter().map(|sample| sample.event.as_str()).collect();
            assert_eq!(events.len(), provider.samples.len(), "{}: an event twice", provider.slug);
            for sample in &provider.samples {
                samples += 1;
                check(provider, sample, sample.request(ID, NOW).unwrap());
            }
        }
        (samples, providers)
    }

    fn key(provider: &Provider, made: &SampleRequest) -> Option<String> {
        provider.dedupe_key(&made.headers, &BodyFacts::read(&made.body), &made.body).map(|key| key.key)
    }

    #[test]
    fn there_are_sixty_samples_of_twenty_five_providers_and_each_is_the_event_that_it_says() {
        let (samples, providers) = of_all(|provider, sample, made| {
            let label = format!("{} {}", provider.slug, sample.event);
            let facts = BodyFacts::read(&made.body);
            assert_eq!(provider.event_name(&made.headers, &facts, &made.body).name, sample.event, "{label}");
            let text = std::str::from_utf8(&made.body).unwrap();
            assert!(!text.contains("{{") && !made.headers.as_block().windows(2).any(|two| two == b"{{"), "{label}");
            match made.headers.get_text("content-type").unwrap_or_default() {
                kind if kind.contains("json") => {
                    assert!(serde_json::from_str::<Value>(text).is_ok_and(|body| !body.is_null()), "{label}: {text}");
                }
                kind if kind.starts_with("application/x-www-form-urlencoded") || kind.starts_with("multipart/") => {
                    assert!(!form::fields(&made.body).is_empty(), "{label}: {text}");
                }
                other => panic!("{label} is of {other:?}"),
            }
        });
        assert!(samples >= 60 && providers >= 25, "{samples} samples of {providers} providers");
    }

    #[test]
    fn a_sample_has_the_providers_dedupe_key_where_it_sends_one_and_is_never_a_repeat() {
        of_all(|provider, sample, made| {
            let other = sample.request(OTHER_ID, NOW).unwrap();
            let (key, other) = (key(provider, &made), key(provider, &other));
            // `Idempotency-Key` is looked for everywhere and sent by few.
            let sends_one = provider.dedupe.len() > 1 || provider.slug == "gitlab";
            // Its key is the signature.
            let is_made_by_signing = provider.slug == "dropbox-sign";
            if sends_one && !is_made_by_signing && !KEYLESS.contains(&(provider.slug.as_str(), sample.event.as_str())) {
                assert!(key.is_some(), "{} {} has no dedupe key", provider.slug, sample.event);
            }
            assert!(key.is_none() || key != other || is_made_by_signing, "{} {}", provider.slug, sample.event);
        });
    }

    /// Events that their provider sends without what makes others recognisable.
    const KEYLESS: [(&str, &str); 3] = [("slack", "/deploy"), ("meta", "page"), ("discord", "APPLICATION_AUTHORIZED")];

    #[test]
    fn every_sample_verifies_once_signed_and_stays_the_event_that_it_is() {
        of_all(|provider, sample, made| {
            if !provider.schemes.iter().any(super::super::Scheme::can_sign) {
                return;
            }
            let label = format!("{} {}", provider.slug, sample.event);
            let request = SignedRequest { method: "POST", url: Some(URL), headers: &made.headers, body: &made.body };
            let secret = provider.test_secret(None, &Value::Null, &request).unwrap();
            let signed = provider.sign(None, &Value::Null, &secret, &request, NOW).unwrap();
            let headers = signed.headers_in(&made.headers).unwrap();
            let body = signed.body.as_deref().unwrap_or(&made.body);
            let request = SignedRequest { headers: &headers, body, ..request };
            let verdict = provider.verify(None, &Value::Null, &[secret], &request, NOW).unwrap();
            assert_eq!(verdict.status, SignatureStatus::Valid, "{label}");
            let facts = BodyFacts::read(body);
            assert_eq!(provider.event_name(&headers, &facts, body).name, sample.event, "{label}");
        });
    }

    #[test]
    fn the_places_are_filled_and_nothing_else_is_touched() {
        let sample = Sample {
            event: "a".to_owned(),
            headers: vec![("X-Id".to_owned(), "<{{id}}>".to_owned())],
            body:
                r#"{"at":"{{time}}","n":{{unix}},"m":{{millis}},"h":"{{hex}}","i":{{number}},"kept":"{{other}} {id}"}"#
                    .to_owned(),
        };
        let made = sample.request(ID, Timestamp::from_millis(1_000)).unwrap();
        assert_eq!(made.headers.get_text("x-id"), Some("<0199a000-0000-7000-8000-000000000001>"));
        let expected = r#"{"at":"1970-01-01T00:00:01.000Z","n":1,"m":1000,"h":"0199a000000070008000000000000001","i":154775809,"kept":"{{other}} {id}"}"#;
        assert_eq!(String::from_utf8(made.body).unwrap(), expected);
    }
}
