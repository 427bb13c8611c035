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

/// A mistake with a secret, and the secret as it should be kept where that can be said.
pub(in crate::signature) struct SecretMistake {
    /// What is wrong.
    pub(in crate::signature) mistake: Mistake,
    /// The secret without the mistake.
    pub(in crate::signature) corrected: Option<Secret>,
}

impl SecretMistake {
    fn without_correction(mistake: Mistake) -> Self {
        Self { mistake, corrected: None }
    }

    fn of_text(mistake: Mistake, text: &str) -> Self {
        Self { mistake, corrected: Some(Secret::new(text.to_owned())) }
    }

    fn of_key(mistake: Mistake, form: SecretForm, key: &[u8]) -> Self {
        Self { mistake, corrected: form.text(key).map(Secret::new) }
    }
}

/// Whether a secret looks like another kind of credential.
pub(super) fn is_another_kind(secret: &str) -> bool {
    OTHER_KINDS.iter().any(|prefix| secret.starts_with(prefix))
}

/// The texts that a secret may have been meant to be, each with the mistake that made it what it is.
pub(super) fn meant(text: &str) -> Vec<(Mistake, &str)> {
    let trimmed = text.trim();
    let mut meant = Vec::new();
    if trimmed != text {
        meant.push((Mistake::SecretWhitespace, trimmed));
    }
    meant.extend(unquoted(trimmed).map(|plain| (Mistake::SecretQuoted, plain)));
    meant.extend(trimmed.strip_prefix(V1).map(|rest| (Mistake::SecretPrefix, rest)));
    meant
}

/// The mistake with a secret whose undoing makes the signature match.
pub(super) fn mistaken(search: &Search<'_>, secret: &Secret) -> Option<SecretMistake> {
    let text = secret.expose();
    let fits_text = |text: &str| {
        let key = search.verification.key(text);
        key.is_some_and(|key| search.fits(&Trial::with_key(&key, text)))
    };
    if let Some((mistake, meant)) = meant(text).into_iter().find(|(_, meant)| fits_text(meant)) {
        return Some(SecretMistake::of_text(mistake, meant));
    }
    if are_swapped(search, text) {
        return Some(SecretMistake::without_correction(Mistake::KeysSwapped));
    }
    let form = search.verification.scheme.secret;
    let (mistake, keys) = other_keys(form, text);
    let fitting = keys.iter().find(|key| search.fits(&Trial::with_key(key, text)));
    match (mistake, fitting) {
        // The signer's mistake: a secret that makes up for it here would fail with the provider itself.
        (Some(Mistake::SecretNotDecoded), Some(_)) => {
            return Some(SecretMistake::without_correction(Mistake::SecretNotDecoded));
        }
        (Some(mistake), Some(key)) => return Some(SecretMistake::of_key(mistake, form, key)),
        _ => {}
    }
    if form == SecretForm::Utf8 || form == SecretForm::Nfkd || form == SecretForm::Html {
        let decoded = decoded(text);
        let fitting = decoded.iter().find(|key| search.fits(&Trial::with_key(key, text)));
        return fitting.map(|key| SecretMistake::of_key(Mistake::SecretDecoded, form, key));
    }
    None
}

/// The keys that a signer may have made of a secret of this form without reading it as the form wants.
fn other_keys(form: SecretForm, text: &str) -> (Option<Mistake>, Vec<Vec<u8>>) {
    let bytes = |text: &str| text.as_bytes().to_vec();
    match form {
        SecretForm::Hex | SecretForm::Base64 | SecretForm::Whsec | SecretForm::V1Whsec | SecretForm::Sha1 => {
            let bare = text.strip_prefix(V1).unwrap_or(text);
            let texts = [text, bare, bare.strip_prefix(WHSEC).unwrap_or(bare)];
            (Some(Mistake::SecretNotDecoded), texts.into_iter().map(bytes).collect())
        }
        SecretForm::Utf8 | SecretForm::Nfkd | SecretForm::Html => {
            (Some(Mistake::SecretPrefixStripped), tails(text).into_iter().map(bytes).collect())
        }
        SecretForm::Basic | SecretForm::PublicKey | SecretForm::Certificate => (None, Vec::new()),
    }
}

/// What stands behind each underscore.
fn tails(text: &str) -> Vec<&str> {
    text.match_indices('_').map(|(at, _)| &text[at + 1..]).collect()
}

/// What a secret and its tails decode to.
fn decoded(text: &str) -> Vec<Vec<u8>> {
    let encodings = [Encoding::Base64, Encoding::Base64url, Encoding::Hex];
    let texts = std::iter::once(text).chain(tails(text));
    let decode = |text: &str| encodings.map(|encoding| encoding.decode(text.as_bytes()));
    texts.flat_map(decode).flatten().filter(|key| !key.is_empty()).collect()
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
