//! Mistakes with JSON Web Tokens.

use super::super::finding::{Confidence, Finding, Mistake};
use super::super::jwt::Token;
use super::super::verification::Verification;
use super::secrets::{self, SecretMistake};
use super::{checks, correction};
use crate::domain::{Secret, SignatureReason};

/// Bytes of the shortest token that is looked for inside another text.
const TOKEN_BYTES_MIN: usize = 4;

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
        return vec![checks::unmet(verification, Some(&token))];
    }
    if !token.names(algorithm) {
        return vec![Mistake::WrongAlgorithm.found(Confidence::Certain)];
    }
    if !token.could_be_signed(algorithm) {
        return vec![Mistake::SignatureMalformed.certain()];
    }
    let mut numbered = secrets.iter().enumerate();
    let found = numbered.find_map(|(index, secret)| Some((index, mistaken(verification, &token, secret)?)));
    if let Some((index, SecretMistake { mistake, .. })) = found {
        return vec![mistake.certain().with_action(Some(correction(index)))];
    }
    vec![wrong(secrets)]
}

/// The mistake with a secret by whose undoing the token turns out to be signed.
pub(super) fn mistaken(verification: &Verification<'_>, token: &Token, secret: &Secret) -> Option<SecretMistake> {
    let is_signed =
        |text: &str| verification.key(text).is_some_and(|key| token.is_signed(verification.scheme.algorithm, &key));
    let meant = secrets::meant(secret.expose(), verification.scheme.secret);
    let stripped = secrets::tails(secret.expose()).into_iter();
    let whole = secrets::without_prefix(verification, secret.expose());
    let stripped = stripped.map(str::to_owned).chain(whole).map(|text| (Mistake::SecretPrefixStripped, text));
    let (mistake, text) = meant.into_iter().chain(stripped).find(|(_, text)| is_signed(text)).or_else(|| {
        let decoded = secrets::decoded(secret.expose()).into_iter();
        let mut texts = decoded.filter_map(|key| String::from_utf8(key).ok());
        texts.find(|text| is_signed(text)).map(|text| (Mistake::SecretDecoded, text))
    })?;
    Some(SecretMistake { mistake, corrected: Some(Secret::new(text)) })
}

/// What is left to say of a shared token that is not the one expected.
pub(super) fn left_of_plain(verification: &Verification<'_>, secrets: &[Secret]) -> Finding {
    let received = verification.received().map(|received| received.signatures).unwrap_or_default();
    let stands_in = |secret: &Secret| {
        let Some(key) = verification.key(secret.expose()) else { return false };
        let long_enough = key.len() >= TOKEN_BYTES_MIN;
        long_enough && received.iter().any(|(found, _)| memchr::memmem::find(&found.bytes, &key).is_some())
    };
    if secrets.iter().any(stands_in) {
        // In quotes, behind a word, twice.
        return Mistake::SignatureMalformed.certain();
    }
    wrong(secrets)
}

/// Another secret, or another kind of one.
fn wrong(secrets: &[Secret]) -> Finding {
    let is_another_kind = secrets.iter().any(|secret| secrets::is_another_kind(secret.expose()));
    let mistake = if is_another_kind { Mistake::WrongSecretKind } else { Mistake::WrongSecret };
    mistake.found(Confidence::Likely)
}
