//! A judgement with its working shown (CONTRACT section 7).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Scheme, SignatureError, SignedRequest, Verdict};
use crate::domain::{Secret, SignatureReason, SignatureStatus, words};

/// Bytes of the signed text that an explanation shows.
pub(super) const SIGNED_CONTENT_PREVIEW_BYTES: usize = 1024;

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
}

/// A mistake that explains why a signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Finding {
    /// Its stable word, for example `secret_whitespace`.
    pub code: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// What is wrong, in one sentence.
    pub explanation: String,
    /// What to do about it.
    pub fix: String,
}

words! {
    /// How sure a finding is.
    Confidence {
        /// With the mistake undone the signature holds.
        Certain = "certain",
        /// The request shows signs of it.
        Likely = "likely",
    }
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
        }
    }

    /// Shows how a scheme came to its verdict.
    pub(super) fn of_scheme(
        scheme: &Scheme,
        verdict: Verdict,
        secrets: &[Secret],
        request: &SignedRequest<'_>,
    ) -> Result<Self, SignatureError> {
        let secret = secrets.get(verdict.matched_secret.unwrap_or(0));
        let expected = secret.map(|secret| scheme.sign(secret, request)).transpose()?;
        Ok(Self {
            scheme: Some(scheme.name.clone()),
            header: Some(scheme.signature.header.clone()),
            expected: expected.map(|(_, value)| value),
            received: scheme.received_text(request.headers),
            signed_content_preview: Some(preview(scheme, request)),
            secret_hint: secret.and_then(Secret::hint),
            ..Self::without_scheme(verdict)
        })
    }
}

fn preview(scheme: &Scheme, request: &SignedRequest<'_>) -> String {
    let mut bytes = Vec::with_capacity(SIGNED_CONTENT_PREVIEW_BYTES);
    for piece in scheme.content.pieces(request) {
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
