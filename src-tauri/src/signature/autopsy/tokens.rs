//! Mistakes with JSON Web Tokens.

use super::super::SignedRequest;
use super::super::finding::{Confidence, Finding, Mistake};
use super::super::jwt::Token;
use super::super::verification::Verification;
use super::secrets::{self, SecretMistake};
use super::{bodies, correction};
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
    let mut numbered = secrets.iter().enumerate();
    let found = numbered.find_map(|(index, secret)| Some((index, mistaken(verification, &token, secret)?)));
    if let Some((index, SecretMistake { mistake, .. })) = found {
        return vec![mistake.certain().with_action(Some(correction(index)))];
    }
    vec![Mistake::WrongSecret.found(Confidence::Likely)]
}

/// The mistake with a secret by whose undoing the token turns out to be signed.
pub(super) fn mistaken(verification: &Verification<'_>, token: &Token, secret: &Secret) -> Option<SecretMistake> {
    let is_signed =
        |text: &str| verification.key(text).is_some_and(|key| token.is_signed(verification.scheme.algorithm, &key));
    let (mistake, text) = secrets::meant(secret.expose()).into_iter().find(|(_, text)| is_signed(text))?;
    Some(SecretMistake { mistake, corrected: Some(Secret::new(text.to_owned())) })
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
