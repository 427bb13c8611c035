//! A provider as the catalogue knows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::autopsy::{self, SecretMistake};
use super::custom::CUSTOM;
use super::detection::{self, Elsewhere, Here};
use super::event_source::{dedupe_key, event_name};
use super::options::Options;
use super::place::Sources;
use super::settings::{Choice, Settings};
use super::{
    Action, BodyFacts, Confidence, DedupeKey, EventName, EventSource, Explanation, Finding, Handshake, HandshakeReply,
    Mistake, Place, Sample, Scheme, SchemeView, SignatureError, Signed, SignedRequest, Verdict,
};
use crate::domain::{Headers, Secret, SignatureReason, SignatureStatus, Timestamp, words};

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
    /// Requests by which it asks whether an endpoint is there.
    pub handshakes: Vec<Handshake>,
    /// Whether an endpoint may describe a scheme of its own.
    pub takes_custom: bool,
    /// Whether it stands for all who sign as it does, such as Standard Webhooks.
    pub is_family: bool,
    /// What the names of its events begin with where somebody else names them, for example `gitea.`.
    pub event_prefix: Option<String>,
}

/// A document behind an entry of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The official document or SDK.
    pub url: String,
    /// What it says, in one line of our own.
    pub says: String,
    /// How far the entry was checked against it.
    pub basis: Basis,
}

words! {
    /// What stands behind a document of the catalogue.
    Basis {
        /// An official library accepts and refuses the test vectors as the entry does.
        Sdk = "sdk",
        /// Read in the code that sends.
        SenderSource = "sender-source",
        /// Read in the provider's documentation or official library, or its worked example fits.
        Documentation = "documentation",
        /// Independent implementations agree; the provider's own words were not checked.
        Secondary = "secondary",
        /// Written from memory of the document named, and not checked again: treat with care.
        Recalled = "recalled",
    }
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
    /// The `provider_options`.
    #[serde(default)]
    pub options: Option<Value>,
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
        self.settings(scheme, options).map(|_| ())
    }

    /// Judges a request. Without secrets nothing is required; with several, any that fits will do.
    ///
    /// # Errors
    /// When no judgement is possible: the settings do not fit the provider, or a secret cannot be used.
    pub fn verify(
        &self,
        scheme: Option<&str>,
        options: &Value,
        secrets: &[Secret],
        request: &SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<Verdict, SignatureError> {
        let settings = self.settings(scheme, options)?;
        settings.verdict(settings.choose(request), secrets, request, now)
    }

    /// Judges a request and shows how; what does not hold here is also tried [`Elsewhere`].
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
        elsewhere: Elsewhere<'_>,
    ) -> Result<Explanation, SignatureError> {
        let mut explanation = self.explained(scheme, options, secrets, request, now, elsewhere.local_url)?;
        if matches!(explanation.status, SignatureStatus::Invalid | SignatureStatus::Missing) {
            let holds = |provider: &Self, scheme: Option<&str>, secrets: &[Secret]| {
                let options = if provider.slug == self.slug { options } else { &Value::Null };
                let verdict = provider.verify(scheme, options, secrets, request, now);
                verdict.is_ok_and(|verdict| verdict.status == SignatureStatus::Valid)
            };
            // Where a mistake is certain, that another scheme would hold says nothing: some senders sign in several ways.
            let first = explanation.findings.first();
            let may_be_another = first.is_none_or(|first| {
                let absent = [Mistake::SignatureHeaderMissing, Mistake::UnsupportedVersion].map(Mistake::as_str);
                first.confidence != Confidence::Certain || absent.contains(&first.code.as_str())
            });
            let here = Here { provider: self, insists_on: scheme.filter(|_| may_be_another), scheme, secrets, request };
            let found = elsewhere.mistake(&here, &mut explanation.not_tried, holds);
            // A slip in the endpoint's own secret is nearer than another endpoint that has it without the slip.
            let is_slip = |finding: &Finding| matches!(finding.action, Some(Action::CorrectSecret { .. }));
            let at = usize::from(explanation.findings.first().is_some_and(is_slip));
            explanation.findings.splice(at..at, found);
        }
        if explanation.findings.iter().any(|finding| finding.confidence == Confidence::Certain) {
            // What explains it makes the rest of the search needless.
            explanation.not_tried.clear();
        }
        if self.takes_custom && explanation.status != SignatureStatus::Valid {
            let looks = elsewhere.catalogue.and_then(|catalogue| detection::looks_like(catalogue, request));
            explanation.suggested_provider = looks.map(|provider| provider.slug.clone());
        }
        Ok(explanation.summed_up(self))
    }

    fn explained(
        &self,
        scheme: Option<&str>,
        options: &Value,
        secrets: &[Secret],
        request: &SignedRequest<'_>,
        now: Timestamp,
        local_url: Option<&str>,
    ) -> Result<Explanation, SignatureError> {
        let settings = self.settings(scheme, options)?;
        let choice = settings.choose(request);
        let verdict = settings.verdict(choice, secrets, request, now)?;
        Ok(match settings.verification(choice, request, now) {
            None => Explanation::without_scheme(verdict, secrets),
            Some(verification) => Explanation::of_scheme(&verification, verdict, secrets, local_url),
        })
    }

    /// The secret as it should be kept, where a mistake with it explains why the signature does not hold.
    ///
    /// # Errors
    /// As [`Provider::verify`].
    pub fn corrected_secret(
        &self,
        scheme: Option<&str>,
        options: &Value,
        secret: &Secret,
        request: &SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<Option<(Mistake, Secret)>, SignatureError> {
        let settings = self.settings(scheme, options)?;
        let verification = settings.verification(settings.choose(request), request, now);
        let found = verification.and_then(|verification| autopsy::corrected(&verification, secret));
        Ok(found.and_then(|SecretMistake { mistake, corrected }| Some((mistake, corrected?))))
    }

    /// What the provider wants to hear, when the request is one of its handshakes. `query` is the request's own, without
    /// the question mark; `holds` says whether its signature fits, or none is asked for.
    #[must_use]
    pub fn handshake(
        &self,
        options: &Value,
        secrets: &[Secret],
        request: &SignedRequest<'_>,
        query: Option<&str>,
        holds: bool,
    ) -> Option<HandshakeReply> {
        if self.handshakes.is_empty() {
            return None;
        }
        let options = Options::read(options).ok()?;
        let url = format!("/?{}", query.unwrap_or_default());
        let sources = Sources { headers: request.headers, body: request.body, facts: None, url: Some(&url) };
        let mut handshakes = self.handshakes.iter();
        handshakes.find_map(|handshake| handshake.reply(request.method, &sources, &options, secrets, holds))
    }

    /// Where the certificate is that a request was signed with, when it is needed, not there, and may be fetched.
    #[must_use]
    pub fn certificate_to_fetch(
        &self,
        scheme: Option<&str>,
        options: &Value,
        request: &SignedRequest<'_>,
    ) -> Option<String> {
        self.fetchable_certificate(scheme, options, request, true)
    }

    /// Where the certificate was found that a request was signed with, when it was fetched.
    #[must_use]
    pub fn certificate_in_use(
        &self,
        scheme: Option<&str>,
        options: &Value,
        request: &SignedRequest<'_>,
    ) -> Option<String> {
        self.fetchable_certificate(scheme, options, request, false)
    }

    fn fetchable_certificate(
        &self,
        scheme: Option<&str>,
        options: &Value,
        request: &SignedRequest<'_>,
        is_lacking: bool,
    ) -> Option<String> {
        if self.schemes.iter().all(|scheme| scheme.certificate.is_none()) {
            return None;
        }
        let settings = self.settings(scheme, options).ok()?;
        let choice = settings.choose(request);
        // No time is judged here; a version that is not known is not judged at all.
        let verification = settings.verification(choice, request, Timestamp::from_millis(0));
        let verification = verification.filter(|_| matches!(choice, Choice::Scheme(_)))?;
        let is_meant = settings.options.allows_fetch() && verification.lacks_certificate() == is_lacking;
        verification.scheme.certificate.as_ref().filter(|_| is_meant)?.fetchable(&verification.sources())
    }

    /// What makes a request verify. A scheme that is signed with a private key takes one, as PEM, for the secret.
    ///
    /// # Errors
    /// When the provider signs nothing, the settings do not fit it, or the secret is not enough to sign with.
    pub fn sign(
        &self,
        scheme: Option<&str>,
        options: &Value,
        secret: &Secret,
        request: &SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<Signed, SignatureError> {
        let settings = self.settings(scheme, options)?;
        let choice = settings.choose_to_sign(Some(secret), request);
        let verification = settings.verification(choice, request, now);
        verification.ok_or_else(|| SignatureError::NotSigned { provider: self.slug.clone() })?.sign(secret)
    }

    /// Makes up a secret of the form that the scheme of a request wants, or a private key as PEM. For tests: nobody else
    /// knows it.
    ///
    /// # Errors
    /// When the provider signs nothing, the settings do not fit it, or Creel makes no keys for the scheme.
    pub fn test_secret(
        &self,
        scheme: Option<&str>,
        options: &Value,
        request: &SignedRequest<'_>,
    ) -> Result<Secret, SignatureError> {
        let settings = self.settings(scheme, options)?;
        match settings.choose_to_sign(None, request) {
            Choice::Scheme(scheme) | Choice::OtherVersion(scheme) if scheme.signs() => scheme.test_secret(),
            _ => Err(SignatureError::NotSigned { provider: self.slug.clone() }),
        }
    }

    /// The public half of a private key that takes the place of a secret; none when the secret is no such key.
    #[must_use]
    pub fn public_key_of(&self, scheme: Option<&str>, options: &Value, secret: &Secret) -> Option<String> {
        let settings = self.settings(scheme, options).ok()?;
        settings.schemes.iter().find_map(|scheme| scheme.public_key_of(secret))
    }

    /// Whether requests are signed at all.
    #[must_use]
    pub fn signs(&self) -> bool {
        self.schemes.iter().any(Scheme::signs)
    }

    /// Whether a signature may be judged though the endpoint has no secret.
    #[must_use]
    pub fn judges_without_secret(&self) -> bool {
        self.schemes.iter().any(|scheme| scheme.signs() && !scheme.needs_secret())
    }

    /// The event's name; `webhook.received` when the request gives none.
    #[must_use]
    pub fn event_name(&self, headers: &Headers, facts: &BodyFacts, body: &[u8]) -> EventName {
        event_name(&self.events, &Sources { headers, body, facts: Some(facts), url: None })
    }

    /// What makes a repeat of the request recognisable.
    #[must_use]
    pub fn dedupe_key(&self, headers: &Headers, facts: &BodyFacts, body: &[u8]) -> Option<DedupeKey> {
        dedupe_key(&self.dedupe, &Sources { headers, body, facts: Some(facts), url: None })
    }

    /// The schemes and options that apply: all schemes unless one is named.
    fn settings(&self, name: Option<&str>, options: &Value) -> Result<Settings<'_>, SignatureError> {
        let options = Options::read(options)?;
        let custom = match &options.custom {
            Some(custom) if self.takes_custom => Some(custom.scheme()?),
            Some(_) => return Err(self.not_taken(name, CUSTOM)),
            None => None,
        };
        let schemes: Vec<&Scheme> = match name {
            None => self.schemes.iter().collect(),
            Some(CUSTOM) if custom.is_some() => Vec::new(),
            Some(name) => {
                vec![self.schemes.iter().find(|scheme| scheme.name == name).ok_or_else(|| self.unknown_scheme(name))?]
            }
        };
        let is_taken =
            |option: &_| schemes.iter().copied().chain(&custom).any(|scheme| scheme.options().contains(option));
        let not_taken = options.names().find(|option| !is_taken(option));
        match not_taken {
            Some(option) => Err(self.not_taken(name, option.as_str())),
            None => Ok(Settings { schemes, is_named: name.is_some(), options, custom }),
        }
    }

    fn not_taken(&self, scheme: Option<&str>, option: &str) -> SignatureError {
        let first = scheme.or(self.schemes.first().map(|scheme| scheme.name.as_str()));
        SignatureError::OptionNotTaken {
            provider: self.slug.clone(),
            scheme: first.unwrap_or("none").to_owned(),
            option: option.to_owned(),
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
