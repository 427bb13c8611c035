//! Why a signature does not hold: a bounded search over the mistakes that people make, until undoing one makes it match.
//!
//! What can be read off the request (an absent header, a digest in another encoding) is said at once. For a signature
//! that reads well and does not fit, [`Search`] tries one mistake after the other, the likely ones first. No clock bounds
//! it but the bytes that it may hash, so that the same request always gets the same answer.

mod bodies;
mod charsets;
mod checks;
mod forms;
mod json_layout;
mod json_values;
mod rewritings;
mod search;
mod secrets;
mod tokens;
mod unread;
mod urls;
mod wrappings;

use super::Verdict;
use super::action::Action;
use super::algorithm::Kind;
use super::finding::{Confidence, Finding, Mistake};
use super::timestamp_place::TimeUnit;
use super::verification::Verification;
use crate::domain::{Secret, SignatureReason, SignatureStatus, Timestamp};
use search::Search;

pub(super) use search::bytes_to_hash;
pub(super) use secrets::SecretMistake;

/// Milliseconds around now in which a timestamp read in another unit counts as meant so.
const MEANT_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// What came of a search.
#[derive(Debug, Default)]
pub(super) struct Autopsy {
    /// The mistakes behind the verdict, best first.
    pub(super) findings: Vec<Finding>,
    /// What was not tried, in sentences.
    pub(super) not_tried: Vec<String>,
}

impl From<Vec<Finding>> for Autopsy {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, not_tried: Vec::new() }
    }
}

/// The mistakes behind a verdict. `local_url` is the request's URL on this machine: its path is right where the host is
/// not known.
pub(super) fn autopsy(
    verification: &Verification<'_>,
    verdict: Verdict,
    secrets: &[Secret],
    local_url: Option<&str>,
) -> Autopsy {
    let certain = |mistake: Mistake| Autopsy::from(vec![mistake.certain()]);
    match (verdict.status, verdict.reason) {
        (SignatureStatus::Missing, _) => certain(unread::missing(verification)),
        // Without its certificate a scheme can say nothing about the signature, nor about its version.
        (_, SignatureReason::UnsupportedScheme) if verification.lacks_certificate() => {
            certain(Mistake::CertificateMissing)
        }
        (_, SignatureReason::UnsupportedScheme) => certain(Mistake::UnsupportedVersion),
        (_, SignatureReason::MalformedHeader) => certain(unread::malformed(verification)),
        (_, reason @ (SignatureReason::StaleTimestamp | SignatureReason::FutureTimestamp)) => {
            certain(untimely(verification, reason))
        }
        (_, SignatureReason::WrongSecretOrBody) if !secrets.is_empty() || !verification.scheme.needs_secret() => {
            if verification.scheme.algorithm.kind() == Kind::Jwt {
                tokens::findings(verification, secrets).into()
            } else {
                searched(verification, secrets, local_url)
            }
        }
        _ => Autopsy::default(),
    }
}

/// The secret as it should be kept, where the mistake with it can be undone.
pub(super) fn corrected(verification: &Verification<'_>, secret: &Secret) -> Option<SecretMistake> {
    if verification.scheme.algorithm.kind() == Kind::Jwt {
        return tokens::mistaken(verification, &verification.token().ok()?, secret);
    }
    let received = verification.received().ok()?;
    secrets::mistaken(&Search::new(verification, &received), secret)
}

fn correction(index: usize) -> Action {
    // An endpoint has two secrets at most.
    Action::CorrectSecret { secret_index: u32::try_from(index).unwrap_or(u32::MAX) }
}

/// What is wrong with the time of a signature that fits.
fn untimely(verification: &Verification<'_>, reason: SignatureReason) -> Mistake {
    if verification.scheme.algorithm.kind() == Kind::Jwt {
        return tokens::untimely(verification, reason);
    }
    let time =
        verification.received().ok().and_then(|received| received.signatures.into_iter().find_map(|(_, time)| time));
    let unit = verification.scheme.timestamp.as_ref().map(|place| place.unit);
    let is_meant = |read: Option<Timestamp>| {
        read.is_some_and(|at| at.as_millis().abs_diff(verification.now.as_millis()) < MEANT_MILLIS)
    };
    match (unit, time) {
        (Some(TimeUnit::Seconds), Some((text, _))) if is_meant(TimeUnit::Milliseconds.read(&text)) => {
            Mistake::TimestampUnitMs
        }
        (Some(TimeUnit::Milliseconds), Some((text, _))) if is_meant(TimeUnit::Seconds.read(&text)) => {
            Mistake::TimestampUnitS
        }
        _ if reason == SignatureReason::StaleTimestamp => Mistake::TimestampTooOld,
        _ => Mistake::TimestampInFuture,
    }
}

/// Looks for the mistake whose undoing makes the signature match; without one, says what is left.
fn searched(verification: &Verification<'_>, secrets: &[Secret], local_url: Option<&str>) -> Autopsy {
    let certain = |mistake: Mistake| Autopsy::from(vec![mistake.certain()]);
    let sources = verification.sources();
    if verification.scheme.certificate.as_ref().and_then(|place| place.is_trusted(&sources)) == Some(false) {
        return certain(Mistake::CertUrlUntrusted);
    }
    let Ok(received) = verification.received() else { return Autopsy::default() };
    let search = Search::new(verification, &received);
    let none = [Secret::new(String::new())];
    let secrets = if secrets.is_empty() { &none } else { secrets };
    let mut numbered = secrets.iter().enumerate();
    let found = numbered.find_map(|(index, secret)| Some((index, secrets::mistaken(&search, secret)?)));
    if let Some((index, SecretMistake { mistake, corrected })) = found {
        return vec![mistake.certain().with_action(corrected.map(|_| correction(index)))].into();
    }
    if !secrets.iter().any(|secret| search.is_usable(secret.expose())) {
        return certain(Mistake::SecretMalformed);
    }
    if verification.scheme.algorithm.kind() == Kind::Token {
        return vec![tokens::left_of_plain(verification, secrets)].into();
    }
    let is_signed = |secret: &Secret| search.fits_unchanged(secret.expose());
    if !verification.checks_hold(None) && secrets.iter().any(is_signed) {
        return vec![checks::unmet(verification, None)].into();
    }
    let url = |secret: &Secret| {
        let url = urls::mistaken(&search, secret.expose(), local_url)?;
        Some(Mistake::UrlMismatch.certain().with_action(Some(Action::SetSignedUrl { url })))
    };
    let found = secrets
        .iter()
        .find_map(|secret| Some(request_mistake(&search, secret.expose())?.certain()))
        .or_else(|| secrets.iter().find_map(url))
        .or_else(|| secrets.iter().find_map(|secret| late_finding(&search, secret.expose())))
        .or_else(|| {
            let mistyped = secrets.iter().find_map(|secret| urls::mistyped(&search, secret.expose()))?;
            Some(Mistake::UrlMismatch.certain().with_action(Some(Action::SetSignedUrl { url: mistyped })))
        });
    match found {
        Some(finding) => vec![finding].into(),
        None => Autopsy { findings: left(verification, secrets), not_tried: search.not_tried().into_iter().collect() },
    }
}

/// What is tried first: it costs little, or is likely.
fn request_mistake(search: &Search<'_>, secret: &str) -> Option<Mistake> {
    bodies::plain_mistake(search, secret)
        .or_else(|| search.encoding_mistake(secret))
        .or_else(|| search.algorithm_mistake(secret))
}

/// What is tried when all that costs less has failed.
fn late_finding(search: &Search<'_>, secret: &str) -> Option<Finding> {
    let other = || {
        let content = search.content_mistake(secret).or_else(|| search.moved_timestamp(secret));
        Some(content.or_else(|| search.arrangement_mistake(secret))?.certain())
    };
    rewritings::written_again(search, secret).map(rewritings::Way::found).or_else(other)
}

/// What is left when no mistake makes the signature match.
fn left(verification: &Verification<'_>, secrets: &[Secret]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if urls::is_local(verification) {
        findings.push(Mistake::UrlMismatch.found(Confidence::Likely));
    }
    if secrets.iter().any(|secret| secrets::is_another_kind(secret.expose())) {
        findings.push(Mistake::WrongSecretKind.found(Confidence::Likely));
    }
    let covers_body = verification.scheme.contents.iter().any(|content| content.has_body());
    let sign = if covers_body { bodies::sign_of_change(verification.request) } else { None };
    findings.extend(sign.map(|mistake| mistake.found(Confidence::Likely)));
    findings.push(Mistake::WrongSecret.found(Confidence::Possible));
    if covers_body {
        findings.push(Mistake::BodyTampered.found(Confidence::Possible));
    }
    if verification.scheme.contents.iter().any(|content| content.has_headers()) {
        findings.push(Mistake::SignedHeaderChanged.found(Confidence::Possible));
    }
    findings
}
