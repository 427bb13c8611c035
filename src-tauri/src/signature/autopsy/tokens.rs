//! Mistakes with JSON Web Tokens.

use super::super::SignedRequest;
use super::super::finding::{Confidence, Finding, Mistake};
use super::super::jwt::Token;
use super::super::verification::Verification;
use super::bodies;
use crate::domain::{Secret, SignatureReason};

/// What is wrong with the time of a token that is genuine.
pub(super) fn untimely(verification: &Verification<'_>, reason: SignatureReason) -> Mistake {
    let now = verification.now.as_unix_seconds();
    let end = verification.token().ok().and_then(|token| token.seconds("exp"));
    match reason {
        SignatureReason::StaleTimestamp if end.is_some_and(|end| now > end) => Mistake::TokenExpired,
        SignatureReason::StaleTimestamp => Mistake::TimestampTooOld,
        _ => Mistake::TimestampInFuture,
    }
}

/// Why a token that reads well does not verify.
pub(super) fn findings(verification: &Verification<'_>, secrets: &[Secret]) -> Vec<Finding> {
    let Ok(token) = verification.token() else { return Vec::new() };
    let algorithm = verification.scheme.algorithm;
    let is_signed = |text: &str| verification.key(text).is_some_and(|key| token.is_signed(algorithm, &key));
    if secrets.iter().any(|secret| is_signed(secret.expose())) {
        return vec![unmet(verification, &token).found(Confidence::Certain)];
    }
    if !token.names(algorithm) {
        return vec![Mistake::WrongAlgorithm.found(Confidence::Certain)];
    }
    for secret in secrets {
        let (text, trimmed) = (secret.expose(), secret.expose().trim());
        if trimmed != text && is_signed(trimmed) {
            return vec![Mistake::SecretWhitespace.found(Confidence::Certain)];
        }
        let quotes: &[char] = &['"', '\'', '`'];
        if trimmed.starts_with(quotes) && is_signed(trimmed.trim_matches(quotes)) {
            return vec![Mistake::SecretQuoted.found(Confidence::Certain)];
        }
    }
    vec![Mistake::WrongSecret.found(Confidence::Likely)]
}

/// The check that a genuine token does not meet, and the mistake behind it.
fn unmet(verification: &Verification<'_>, token: &Token) -> Mistake {
    let sources = verification.sources();
    let unmet =
        verification.scheme.checks.iter().find(|check| !check.holds(Some(token), verification.options, &sources));
    match unmet {
        Some(check) if check.is_of_body() => {
            let body = verification.request.body;
            let holds = |body: &[u8]| {
                let request = SignedRequest { body, ..*verification.request };
                let other = Verification { request: &request, ..*verification };
                check.holds(Some(token), verification.options, &other.sources())
            };
            if let Some((mistake, _)) = bodies::formers(body).find(|(_, body)| holds(body)) {
                return mistake;
            }
            if bodies::rewritings(body).any(|body| holds(&body)) {
                return Mistake::BodyReserialised;
            }
            Mistake::BodyTampered
        }
        Some(check) if check.is_of_url() => Mistake::UrlMismatch,
        _ => Mistake::ClaimMismatch,
    }
}
