//! Mistakes with the secret itself.

use super::super::encoding::Encoding;
use super::super::finding::Mistake;
use super::super::options::OptionName;
use super::super::secret_form::{SecretForm, V1, WHSEC};
use super::search::{Search, Trial};
use crate::domain::Secret;

/// What other credentials begin with; none of them signs webhooks (Stripe's keys and endpoint ids, Shopify's and Slack's
/// access tokens).
const OTHER_KINDS: [&str; 9] = ["sk_", "rk_", "pk_", "we_", "shpat_", "shpss_at_", "xoxb-", "xoxp-", "Bearer "];

/// Whether a secret looks like another kind of credential.
pub(super) fn is_another_kind(secret: &str) -> bool {
    OTHER_KINDS.iter().any(|prefix| secret.starts_with(prefix))
}

/// The mistake with a secret whose undoing makes the signature match.
pub(super) fn mistaken(search: &Search<'_>, secret: &Secret) -> Option<Mistake> {
    let text = secret.expose();
    let fits_text = |text: &str| {
        let key = search.verification.key(text);
        key.is_some_and(|key| search.fits(&Trial::with_key(&key, text)))
    };
    let trimmed = text.trim();
    if trimmed != text && fits_text(trimmed) {
        return Some(Mistake::SecretWhitespace);
    }
    if let Some(plain) = unquoted(trimmed)
        && fits_text(plain)
    {
        return Some(Mistake::SecretQuoted);
    }
    if trimmed.strip_prefix(V1).is_some_and(fits_text) {
        return Some(Mistake::SecretPrefix);
    }
    if are_swapped(search, text) {
        return Some(Mistake::KeysSwapped);
    }
    let fits_key = |key: &[u8]| search.fits(&Trial::with_key(key, text));
    match search.verification.scheme.secret {
        SecretForm::Hex | SecretForm::Base64 | SecretForm::Whsec | SecretForm::V1Whsec | SecretForm::Sha1 => {
            let bare = text.strip_prefix(V1).unwrap_or(text);
            let texts = [text, bare, bare.strip_prefix(WHSEC).unwrap_or(bare)];
            texts.iter().any(|text| fits_key(text.as_bytes())).then_some(Mistake::SecretNotDecoded)
        }
        SecretForm::Utf8 | SecretForm::Nfkd | SecretForm::Html => {
            let tails: Vec<&str> = text.match_indices('_').map(|(at, _)| &text[at + 1..]).collect();
            if tails.iter().any(|tail| fits_key(tail.as_bytes())) {
                return Some(Mistake::SecretPrefixStripped);
            }
            let decoded = |text: &&str| {
                [Encoding::Base64, Encoding::Base64url, Encoding::Hex]
                    .iter()
                    .any(|encoding| encoding.decode(text.as_bytes()).is_some_and(|key| fits_key(&key)))
            };
            std::iter::once(&text).chain(&tails).any(decoded).then_some(Mistake::SecretDecoded)
        }
        SecretForm::Basic | SecretForm::PublicKey | SecretForm::Certificate => None,
    }
}

/// The text without a pair of quotes around it.
fn unquoted(text: &str) -> Option<&str> {
    ['"', '\'', '`'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
}

/// Whether a signature fits the key of another place: primary and secondary key exchanged.
fn are_swapped(search: &Search<'_>, secret: &str) -> bool {
    let verification = search.verification;
    let options: Vec<OptionName> = verification.scheme.places.iter().filter_map(|place| place.key).collect();
    let fits = |key: &str| search.fits(&Trial::with_key(key.as_bytes(), key));
    !options.is_empty()
        && (fits(secret) || options.iter().any(|option| verification.options.get(*option).is_some_and(fits)))
}
