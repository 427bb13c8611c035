//! A provider as the catalogue knows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event_source::{dedupe_key, event_name};
use super::{
    BodyFacts, DedupeKey, EventName, EventSource, Explanation, Place, Sample, Scheme, SchemeView, SignatureError,
    SignedRequest, Verdict,
};
use crate::domain::{Headers, Secret, SignatureReason, SignatureStatus, Timestamp};

/// How a sender signs, names events, identifies and retries deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name for programs; the name of its file.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Its documentation of webhooks.
    pub docs_url: String,
    /// What stands behind the entry.
    pub evidence: Vec<Evidence>,
    /// Its ways of signing, the usual one first; empty when it signs nothing.
    pub schemes: Vec<Scheme>,
    /// Where an event's name is looked for, in order.
    pub events: Vec<EventSource>,
    /// Where a dedupe key is looked for, in order.
    pub dedupe: Vec<Place>,
    /// What it does when a delivery fails, where known.
    pub retry: Option<Retry>,
    /// Requests that look like its own, to try an endpoint out with; the usual one first.
    pub samples: Vec<Sample>,
    /// Requests with the verdict they get.
    pub examples: Vec<Example>,
}

/// A document behind an entry of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The official document or SDK.
    pub url: String,
    /// What it says, in one line of our own.
    pub says: String,
}

/// What a provider does when a delivery fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Whether it tries again by itself.
    pub automatic: bool,
    /// Whether a repeat carries the dedupe key of the first try; null when not known.
    #[serde(default)]
    pub same_key: Option<bool>,
    /// How long it waits for an answer, in seconds; null when not known.
    #[serde(default)]
    pub timeout_seconds: Option<u32>,
    /// The rest, in one line of our own.
    pub says: String,
    /// The document that says so.
    pub source: String,
}

/// A request and the verdict it gets; checked by a test.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows.
    pub title: String,
    /// The scheme; none: the provider's first.
    #[serde(default)]
    pub scheme: Option<String>,
    /// The secret it is verified with; made up, or printed by the provider.
    pub secret: String,
    /// HTTP method.
    #[serde(default = "post")]
    pub method: String,
    /// The URL as the sender saw it, where it is signed.
    #[serde(default)]
    pub url: Option<String>,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// Body as text.
    pub body: String,
    /// The clock to verify at, in Unix seconds, where time matters.
    #[serde(default)]
    pub now: i64,
    /// The verdict.
    #[serde(default = "valid")]
    pub status: SignatureStatus,
    /// Its reason.
    #[serde(default = "ok")]
    pub reason: SignatureReason,
    /// The event's name.
    pub event: String,
    /// Where the name comes from.
    pub event_source: String,
    /// The dedupe key.
    #[serde(default)]
    pub dedupe_key: Option<String>,
    /// Where the key comes from.
    #[serde(default)]
    pub dedupe_source: Option<String>,
}

fn post() -> String {
    "POST".to_owned()
}

const fn valid() -> SignatureStatus {
    SignatureStatus::Valid
}

const fn ok() -> SignatureReason {
    SignatureReason::Ok
}

/// A provider as `GET /providers` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct ProviderView {
    /// What an endpoint's `provider` names it.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Its documentation of webhooks.
    pub docs_url: String,
    /// Its ways of signing; the first is used unless an endpoint names another. Empty: it signs nothing.
    pub schemes: Vec<SchemeView>,
    /// Where an event's name is looked for, in order.
    pub event_sources: Vec<String>,
    /// Where a dedupe key is looked for, in order.
    pub dedupe_sources: Vec<String>,
    /// What it does when a delivery fails; null when not known.
    pub retry: Option<Retry>,
    /// Events that a test event can be of; the first unless another is asked for.
    pub sample_events: Vec<String>,
}

impl Provider {
    /// The provider as shown.
    #[must_use]
    pub fn view(&self) -> ProviderView {
        ProviderView {
            slug: self.slug.clone(),
            name: self.name.clone(),
            docs_url: self.docs_url.clone(),
            schemes: self.schemes.iter().map(Scheme::view).collect(),
            event_sources: self.events.iter().map(|source| source.place().word().to_owned()).collect(),
            dedupe_sources: self.dedupe.iter().map(|place| place.word().to_owned()).collect(),
            retry: self.retry.clone(),
            sample_events: self.samples.iter().map(|sample| sample.event.clone()).collect(),
        }
    }

    /// Checks what an endpoint says about signing, so that nothing is accepted silently: the scheme must exist and the
    /// options must be ones that it takes.
    ///
    /// # Errors
    /// When there is no such scheme, or it has no use for an option.
    pub fn check_settings(&self, scheme: Option<&str>, options: &Value) -> Result<(), SignatureError> {
        self.scheme(scheme, options).map(|_| ())
    }

    /// Judges a request. Without secrets nothing is required; with several, any that fits will do.
    ///
    /// `_now` is for schemes that sign a timestamp; no scheme of the catalogue does yet.
    ///
    /// # Errors
    /// When no judgement is possible: the settings do not fit the provider, or a secret cannot be used.
    pub fn verify(
        &self,
        scheme: Option<&str>,
        options: &Value,
        secrets: &[Secret],
        request: &SignedRequest<'_>,
        _now: Timestamp,
    ) -> Result<Verdict, SignatureError> {
        match self.scheme(scheme, options)? {
            None => Ok(Verdict::without_match(SignatureStatus::NotRequired, SignatureReason::NotSigned)),
            Some(_) if secrets.is_empty() => {
                Ok(Verdict::without_match(SignatureStatus::NotRequired, SignatureReason::NoSecret))
            }
            Some(scheme) => scheme.verify(secrets, request),
        }
    }

    /// Judges a request and shows how.
    ///
    /// # Errors
    /// As [`Provider::verify`].
    pub fn explain(
        &self,
        scheme: Option<&str>,
        options: &Value,
        secrets: &[Secret],
        request: &SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<Explanation, SignatureError> {
        let verdict = self.verify(scheme, options, secrets, request, now)?;
        match self.scheme(scheme, options)? {
            None => Ok(Explanation::without_scheme(verdict)),
            Some(scheme) => Explanation::of_scheme(scheme, verdict, secrets, request),
        }
    }

    /// The headers that make a request verify; each replaces those of the same name.
    ///
    /// `_now` as in [`Provider::verify`].
    ///
    /// # Errors
    /// When the provider signs nothing, the settings do not fit it, or the secret cannot be used.
    pub fn sign(
        &self,
        scheme: Option<&str>,
        options: &Value,
        secret: &Secret,
        request: &SignedRequest<'_>,
        _now: Timestamp,
    ) -> Result<Vec<(String, String)>, SignatureError> {
        let scheme =
            self.scheme(scheme, options)?.ok_or_else(|| SignatureError::NotSigned { provider: self.slug.clone() })?;
        Ok(vec![scheme.sign(secret, request)?])
    }

    /// The event's name; `webhook.received` when the request gives none.
    #[must_use]
    pub fn event_name(&self, headers: &Headers, facts: &BodyFacts) -> EventName {
        event_name(&self.events, headers, facts)
    }

    /// What makes a repeat of the request recognisable.
    #[must_use]
    pub fn dedupe_key(&self, headers: &Headers, facts: &BodyFacts) -> Option<DedupeKey> {
        dedupe_key(&self.dedupe, headers, facts)
    }

    /// The scheme of that name, or the first; none when the provider signs nothing.
    fn scheme(&self, name: Option<&str>, options: &Value) -> Result<Option<&Scheme>, SignatureError> {
        let scheme = match name {
            None => self.schemes.first(),
            Some(name) => {
                Some(self.schemes.iter().find(|scheme| scheme.name == name).ok_or_else(|| self.unknown_scheme(name))?)
            }
        };
        self.check_options(scheme, options)?;
        Ok(scheme)
    }

    fn check_options(&self, scheme: Option<&Scheme>, options: &Value) -> Result<(), SignatureError> {
        let option = match options {
            Value::Null => None,
            Value::Object(options) => options.keys().next(),
            _ => return Err(SignatureError::OptionsNotObject),
        };
        match option {
            None => Ok(()),
            Some(option) => Err(SignatureError::OptionNotTaken {
                provider: self.slug.clone(),
                scheme: scheme.map_or_else(|| "none".to_owned(), |scheme| scheme.name.clone()),
                option: option.clone(),
            }),
        }
    }

    fn unknown_scheme(&self, name: &str) -> SignatureError {
        let known: Vec<&str> = self.schemes.iter().map(|scheme| scheme.name.as_str()).collect();
        SignatureError::UnknownScheme {
            provider: self.slug.clone(),
            scheme: name.to_owned(),
            known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
        }
    }
}
