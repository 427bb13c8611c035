//! A judgement with its working shown (CONTRACT section 7).

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use super::autopsy::{self, Autopsy};
use super::finding::Finding;
use super::template::{Context, Template};
use super::verification::Verification;
use super::{Verdict, detection, summary};
use crate::domain::{Secret, SecretId, SignatureReason, SignatureStatus};

/// Bytes of the signed text that an explanation shows.
pub(super) const SIGNED_CONTENT_PREVIEW_BYTES: usize = 1024;

/// What stands for the secret in a signed text that is shown.
pub(super) const HIDDEN: &str = "(secret)";

/// Why a signature holds or does not, for the holder of the admin token: it shows the expected signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Explanation {
    /// The verdict.
    pub status: SignatureStatus,
    /// Why.
    pub reason: SignatureReason,
    /// The verdict in a sentence for people.
    pub summary: String,
    /// Slug of the provider whose rules were applied.
    pub provider: String,
    /// The scheme that was applied; null when the provider has none.
    pub scheme: Option<String>,
    /// The header that carries the signature.
    pub header: Option<String>,
    /// Where that header is absent: the one that is there and comes nearest to it.
    pub nearest_header: Option<String>,
    /// The header's value that would verify, made with the secret that fits, else with the first.
    pub expected: Option<String>,
    /// The header's value as received.
    pub received: Option<String>,
    /// The first character, counted from 0, in which `expected` and `received` differ; null where the signature holds or
    /// one of them is not known.
    #[cfg_attr(feature = "types", ts(type = "number | null"))]
    pub first_difference: Option<u64>,
    /// The beginning of the signed text; bytes that are no UTF-8 show as U+FFFD.
    pub signed_content_preview: Option<String>,
    /// Bytes of the whole signed text.
    #[cfg_attr(feature = "types", ts(type = "number | null"))]
    pub signed_content_length: Option<u64>,
    /// Bytes of it that the preview leaves out; 0 when it shows all.
    #[cfg_attr(feature = "types", ts(type = "number | null"))]
    pub signed_content_omitted: Option<u64>,
    /// The timestamp as received; null for schemes without one.
    pub timestamp: Option<String>,
    /// Seconds from the timestamp to now; negative when it lies in the future.
    pub skew_seconds: Option<i64>,
    /// Seconds that a signature stays good; null where the scheme sets no limit.
    pub tolerance_seconds: Option<u32>,
    /// Last characters of the secret behind `expected`.
    pub secret_hint: Option<String>,
    /// The secrets that were tried, oldest first.
    pub secrets_tried: Vec<TriedSecret>,
    /// Mistakes that make the signature match, best first.
    pub findings: Vec<Finding>,
    /// What the search for mistakes left out, in sentences: it is bounded by the bytes that it may hash.
    pub not_tried: Vec<String>,
    /// Slug of the provider that the request looks like, where the endpoint's provider is none in particular; a hint.
    pub suggested_provider: Option<String>,
}

/// A secret that was tried, without the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TriedSecret {
    /// Its id at the endpoint; null when it is not kept there.
    pub id: Option<SecretId>,
    /// Last characters; null when it is short.
    pub hint: Option<String>,
    /// Whether the signature fits it.
    pub matched: bool,
}

impl Explanation {
    /// The explanation where no scheme applies.
    pub(super) fn without_scheme(verdict: Verdict, secrets: &[Secret]) -> Self {
        let tried = |(index, secret): (usize, &Secret)| TriedSecret {
            id: None,
            hint: secret.hint(),
            matched: verdict.matched_secret == Some(index),
        };
        let is_judged = verdict.status != SignatureStatus::NotRequired;
        Self {
            status: verdict.status,
            reason: verdict.reason,
            summary: String::new(),
            provider: String::new(),
            scheme: None,
            header: None,
            nearest_header: None,
            expected: None,
            received: None,
            first_difference: None,
            signed_content_preview: None,
            signed_content_length: None,
            signed_content_omitted: None,
            timestamp: None,
            skew_seconds: None,
            tolerance_seconds: None,
            secret_hint: None,
            secrets_tried: secrets.iter().enumerate().filter(|_| is_judged).map(tried).collect(),
            findings: Vec::new(),
            not_tried: Vec::new(),
            suggested_provider: None,
        }
    }

    /// Shows how a scheme came to its verdict.
    pub(super) fn of_scheme(
        verification: &Verification<'_>,
        verdict: Verdict,
        secrets: &[Secret],
        local_url: Option<&str>,
    ) -> Self {
        let scheme = verification.scheme;
        let secret = secrets.get(verdict.matched_secret.unwrap_or(0));
        let received = verification.received().ok();
        let time = received.as_ref().and_then(|received| received.signatures.first()?.1.clone());
        let time = time.or_else(|| verification.lone_timestamp());
        let id = received.and_then(|received| received.id);
        let timestamp = time.as_ref().map(|(text, _)| text.as_str());
        let expected = secret
            .filter(|_| scheme.can_sign() && scheme.token_age.is_none() && scheme.shows_expected())
            .zip(scheme.places.first())
            .and_then(|(secret, place)| verification.value(place, secret, timestamp, id.as_deref()).ok());
        let sources = verification.sources();
        let place = scheme.places.first();
        let values = place.map(|place| place.values(&sources)).unwrap_or_default();
        let received = values.first().map(|value| String::from_utf8_lossy(value).into_owned());
        let first_difference = match (&expected, &received) {
            (Some(expected), Some(received)) if verdict.status != SignatureStatus::Valid => {
                first_difference(expected, received)
            }
            _ => None,
        };
        let context = Context {
            request: verification.request,
            options: verification.options,
            secret: secret.map_or("", Secret::expose),
            timestamp,
            id: id.as_deref(),
        };
        let signed = scheme.content().and_then(|content| SignedContent::of_template(content, &context));
        let skew = time.as_ref().map(|(_, at)| verification.now.as_unix_seconds().saturating_sub(at.as_unix_seconds()));
        let header = place.map(|place| place.name().to_owned());
        let Autopsy { findings, not_tried } = autopsy::autopsy(verification, verdict, secrets, local_url);
        Self {
            scheme: Some(scheme.name.clone()),
            nearest_header: header
                .as_deref()
                .filter(|_| received.is_none())
                .and_then(|wanted| detection::nearest_header(sources.headers, wanted)),
            header,
            expected,
            received,
            first_difference,
            signed_content_length: signed.as_ref().map(|signed| signed.length),
            signed_content_omitted: signed.as_ref().map(|signed| signed.omitted),
            signed_content_preview: signed.map(|signed| signed.preview),
            timestamp: time.as_ref().map(|(text, _)| text.clone()),
            skew_seconds: skew,
            tolerance_seconds: scheme.tolerance(),
            secret_hint: secret.and_then(Secret::hint),
            findings,
            not_tried,
            ..Self::without_scheme(verdict, secrets)
        }
    }

    /// Puts the verdict into words, now that all else is known.
    pub(super) fn summed_up(mut self, provider: &super::Provider) -> Self {
        provider.slug.clone_into(&mut self.provider);
        self.summary = summary::of(&self, provider);
        self
    }
}

/// The signed text as it is shown.
struct SignedContent {
    preview: String,
    length: u64,
    omitted: u64,
}

impl SignedContent {
    /// Shows what a template yields with all that is secret hidden; its length is that of the text that is signed.
    fn of_template(template: &Template, context: &Context<'_>) -> Option<Self> {
        let length: usize = template.pieces(context).ok()?.iter().map(|piece| piece.len()).sum();
        let mut options = context.options.clone();
        for name in context.options.names().filter(|name| name.is_secret()) {
            options.set(name, HIDDEN);
        }
        let hidden = Context { options: &options, secret: HIDDEN, ..*context };
        let shown = Self::of(template.pieces(&hidden).ok()?);
        Some(Self { length: length as u64, ..shown })
    }

    fn of(pieces: Vec<Cow<'_, [u8]>>) -> Self {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        let mut bytes = Vec::with_capacity(SIGNED_CONTENT_PREVIEW_BYTES);
        for piece in pieces {
            let room = SIGNED_CONTENT_PREVIEW_BYTES - bytes.len();
            bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        // The cut may go through a character; the stump is left out rather than shown as a replacement.
        match std::str::from_utf8(&bytes) {
            Err(error) if error.error_len().is_none() && bytes.len() < length => bytes.truncate(error.valid_up_to()),
            _ => {}
        }
        let omitted = (length - bytes.len()) as u64;
        Self { preview: String::from_utf8_lossy(&bytes).into_owned(), length: length as u64, omitted }
    }
}

/// The first character in which two texts differ; none when they are equal.
fn first_difference(one: &str, other: &str) -> Option<u64> {
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    (one != other).then_some(same as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_counted_in_characters() {
        assert_eq!(first_difference("aéb", "aéc"), Some(2));
        assert_eq!(first_difference("ab", "abc"), Some(2));
        assert_eq!(first_difference("a", "a"), None);
    }

    #[test]
    fn the_preview_says_how_many_bytes_it_leaves_out_and_cuts_no_character() {
        let body = "é".repeat(SIGNED_CONTENT_PREVIEW_BYTES);
        let signed = SignedContent::of(vec![Cow::Borrowed(b"t."), Cow::Borrowed(body.as_bytes())]);
        assert_eq!((signed.length, signed.preview.len()), (2050, SIGNED_CONTENT_PREVIEW_BYTES));
        assert_eq!(signed.omitted, 2050 - 1024);
        let odd = SignedContent::of(vec![Cow::Borrowed(b"x"), Cow::Borrowed(body.as_bytes())]);
        assert_eq!((odd.preview.len(), odd.omitted), (1023, 2049 - 1023));
        let binary = SignedContent::of(vec![Cow::Borrowed(b"a\xff\xc3")]);
        assert_eq!((binary.preview.as_str(), binary.omitted), ("a\u{fffd}\u{fffd}", 0));
    }
}
