//! Samples: requests that look like a provider's own, made anew each time, to try an endpoint out with.
//!
//! They stand in the provider's file. `{{id}}`, `{{time}}` and `{{unix}}` in header values and bodies are filled in when
//! one is made, so that no sample is taken for a repeat of another. It is signed like any other request.

use serde::Deserialize;

use crate::domain::{HeaderBlockError, Headers, Timestamp};

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
    /// The request. `id` makes it unlike every other; it ends up as the dedupe key.
    ///
    /// # Errors
    /// When the file's headers are none; a test of the catalogue keeps such a file from being released.
    pub fn request(&self, id: &str, now: Timestamp) -> Result<SampleRequest, HeaderBlockError> {
        let filled = |text: &str| {
            text.replace("{{id}}", id)
                .replace("{{time}}", &now.to_string())
                .replace("{{unix}}", &now.as_unix_seconds().to_string())
        };
        let pairs = self.headers.iter().map(|(name, value)| (name.as_str(), filled(value)));
        Ok(SampleRequest { headers: Headers::from_pairs(pairs)?, body: filled(&self.body).into_bytes() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::{Secret, SignatureStatus};
    use crate::signature::{BodyFacts, Catalogue, SignedRequest};

    #[test]
    fn every_sample_is_the_event_that_it_says_and_never_a_repeat_and_verifies_once_signed() {
        let now = Timestamp::from_millis(1_767_225_600_123);
        let secret = Secret::new("a secret made up for this test".to_owned());
        let mut seen = 0;
        for provider in Catalogue::embedded().unwrap().iter() {
            for sample in &provider.samples {
                let made = sample.request("0199a000-0000-7000-8000-000000000001", now).unwrap();
                let facts = BodyFacts::read(&made.body);
                assert_eq!(
                    provider.event_name(&made.headers, &facts, &made.body).name,
                    sample.event,
                    "{}",
                    provider.slug
                );
                let key = provider.dedupe_key(&made.headers, &facts, &made.body).expect("a sample has a dedupe key");
                assert_eq!(key.key, "0199a000-0000-7000-8000-000000000001", "{}", sample.event);
                let body: Value = serde_json::from_slice(&made.body).unwrap();
                assert!(body.is_object() && !body.to_string().contains("{{"), "{body}");
                let signed = SignedRequest { method: "POST", url: None, headers: &made.headers, body: &made.body };
                let fresh = provider.sign(None, &Value::Null, &secret, &signed, now).unwrap();
                let all = made.headers.to_text_pairs().into_iter().chain(fresh);
                let headers = Headers::from_pairs(all).unwrap();
                let signed = SignedRequest { headers: &headers, ..signed };
                let secrets = std::slice::from_ref(&secret);
                let verdict = provider.verify(None, &Value::Null, secrets, &signed, now).unwrap();
                assert_eq!(verdict.status, SignatureStatus::Valid, "{}", sample.event);
                seen += 1;
            }
        }
        assert!(seen >= 6, "{seen} samples");
    }

    #[test]
    fn the_places_are_filled_and_nothing_else_is_touched() {
        let sample = Sample {
            event: "a".to_owned(),
            headers: vec![("X-Id".to_owned(), "<{{id}}>".to_owned())],
            body: r#"{"at":"{{time}}","n":{{unix}},"kept":"{{other}} {id}"}"#.to_owned(),
        };
        let made = sample.request("7", Timestamp::from_millis(1_000)).unwrap();
        assert_eq!(made.headers.get_text("x-id"), Some("<7>"));
        let expected = r#"{"at":"1970-01-01T00:00:01.000Z","n":1,"kept":"{{other}} {id}"}"#;
        assert_eq!(String::from_utf8(made.body).unwrap(), expected);
    }
}
