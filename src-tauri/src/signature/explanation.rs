//! A judgement with its working shown (CONTRACT section 7).

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use super::finding::Finding;
use super::template::Context;
use super::verification::Verification;
use super::{Verdict, autopsy};
use crate::domain::{Secret, SignatureReason, SignatureStatus};

/// Bytes of the signed text that an explanation shows.
pub(super) const SIGNED_CONTENT_PREVIEW_BYTES: usize = 1024;

/// What stands for the secret in a signed text that is shown.
const HIDDEN: &str = "(secret)";

/// Why a signature holds or does not, for the holder of the admin token: it shows the expected signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Explanation {
    /// The verdict.
    pub status: SignatureStatus,
    /// Why.
    pub reason: SignatureReason,
    /// The scheme that was applied; null when the provider has none.
    pub scheme: Option<String>,
    /// The header that carries the signature.
    pub header: Option<String>,
    /// The header's value that would verify, made with the secret that fits, else with the first.
    pub expected: Option<String>,
    /// The header's value as received.
    pub received: Option<String>,
    /// The beginning of the signed text; bytes that are no UTF-8 show as U+FFFD.
    pub signed_content_preview: Option<String>,
    /// The timestamp as received; null for schemes without one.
    pub timestamp: Option<String>,
    /// Seconds from the timestamp to now; negative when it lies in the future.
    pub skew_seconds: Option<i64>,
    /// Last characters of the secret behind `expected`.
    pub secret_hint: Option<String>,
    /// Mistakes that make the signature match, best first.
    pub findings: Vec<Finding>,
    /// Slug of the provider that the request looks like, where the endpoint's provider is none in particular; a hint.
    pub suggested_provider: Option<String>,
}

impl Explanation {
    /// The explanation where no scheme applies.
    pub(super) fn without_scheme(verdict: Verdict) -> Self {
        Self {
            status: verdict.status,
            reason: verdict.reason,
            scheme: None,
            header: None,
            expected: None,
            received: None,
            signed_content_preview: None,
            timestamp: None,
            skew_seconds: None,
            secret_hint: None,
            findings: Vec::new(),
            suggested_provider: None,
        }
    }

    /// Shows how a scheme came to its verdict.
    pub(super) fn of_scheme(verification: &Verification<'_>, verdict: Verdict, secrets: &[Secret]) -> Self {
        let scheme = verification.scheme;
        let secret = secrets.get(verdict.matched_secret.unwrap_or(0));
        let received = verification.received().ok();
        let time = received.as_ref().and_then(|received| received.signatures.first()?.1.clone());
        let time = time.or_else(|| verification.lone_timestamp());
        let id = received.and_then(|received| received.id);
        let timestamp = time.as_ref().map(|(text, _)| text.as_str());
        let expected = secret
            .filter(|_| scheme.can_sign() && scheme.token_age.is_none() && scheme.shows_expected())
            .and_then(|secret| verification.value(secret, timestamp, id.as_deref()).ok());
        let sources = verification.sources();
        let place = scheme.places.first();
        let values = place.map(|place| place.values(&sources)).unwrap_or_default();
        let context = Context {
            request: verification.request,
            options: verification.options,
            secret: HIDDEN,
            timestamp,
            id: id.as_deref(),
        };
        let skew = time.as_ref().map(|(_, at)| verification.now.as_unix_seconds().saturating_sub(at.as_unix_seconds()));
        Self {
            scheme: Some(scheme.name.clone()),
            header: place.map(|place| place.name().to_owned()),
            expected,
            received: values.first().map(|value| String::from_utf8_lossy(value).into_owned()),
            signed_content_preview: scheme.content().and_then(|content| content.pieces(&context).ok()).map(preview),
            timestamp: time.as_ref().map(|(text, _)| text.clone()),
            skew_seconds: skew,
            secret_hint: secret.and_then(Secret::hint),
            findings: autopsy::findings(verification, verdict, secrets),
            ..Self::without_scheme(verdict)
        }
    }
}

fn preview(pieces: Vec<Cow<'_, [u8]>>) -> String {
    let mut bytes = Vec::with_capacity(SIGNED_CONTENT_PREVIEW_BYTES);
    for piece in pieces {
        let room = SIGNED_CONTENT_PREVIEW_BYTES - bytes.len();
        bytes.extend_from_slice(&piece[..piece.len().min(room)]);
    }
    // The cut may go through a character; the stump is left out rather than shown as a replacement.
    match std::str::from_utf8(&bytes) {
        Err(error) if error.error_len().is_none() => bytes.truncate(error.valid_up_to()),
        _ => {}
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
