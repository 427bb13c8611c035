//! Mistakes with the secret itself.

use super::super::encoding::Encoding;
use super::super::finding::Mistake;
use super::super::options::OptionName;
use super::super::secret_form::{SecretForm, V1, WHSEC};
use super::super::verification::Verification;
use super::search::{SMALL_BODY_BYTES_MAX, Search, Trial};
use crate::domain::Secret;

/// What other credentials begin with; none of them signs webhooks (Stripe's keys and endpoint ids, Shopify's and Slack's
/// access tokens).
const OTHER_KINDS: [&str; 9] = ["sk_", "rk_", "pk_", "we_", "shpat_", "shpss_at_", "xoxb-", "xoxp-", "Bearer "];

/// Quotes that settings files, shells and word processors put around a text.
const QUOTES: [(char, char); 8] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{201c}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{201e}', '\u{201c}'),
    ('\u{ab}', '\u{bb}'),
    ('<', '>'),
];
/// Prefixes that are part of the key and that people leave out: Stripe's, Linear's, Notion's, Persona's, ElevenLabs',
/// Polar's.
const PREFIXES: [&str; 6] = [WHSEC, "lin_wh_", "secret_", "wbhsec_", "wsec_", "polar_whs_"];
/// What stands before a token in a header (RFC 6750 section 2.1).
const BEARER: &str = "Bearer ";
/// What a key as PEM begins with; its line ends are part of it (RFC 7468).
const PEM: &str = "-----BEGIN";

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
pub(super) fn meant(text: &str, form: SecretForm) -> Vec<(Mistake, String)> {
    let clean = text.trim_matches(is_unseen);
    let mut meant = Vec::new();
    let mut add = |mistake, text: &str| meant.push((mistake, text.to_owned()));
    if clean != text {
        add(Mistake::SecretWhitespace, clean);
    }
    if clean.contains(is_unseen) && !clean.contains(PEM) {
        add(Mistake::SecretWhitespace, &clean.replace(is_unseen, ""));
    }
    if let Some(plain) = unquoted(clean) {
        add(Mistake::SecretQuoted, plain);
        add(Mistake::SecretQuoted, plain.trim_matches(is_unseen));
    }
    if clean.contains("\\n") {
        add(Mistake::SecretEscaped, &unquoted(clean).unwrap_or(clean).replace("\\r", "").replace("\\n", "\n"));
    }
    // Where the text is the key, a prefix may well be a part of it: then the sender is wrong, not the receiver.
    let is_text = matches!(form, SecretForm::Utf8 | SecretForm::Nfkd | SecretForm::Html);
    let prefixes = [Some(V1), Some(BEARER), (!is_text).then_some(WHSEC)];
    let bare = prefixes.into_iter().flatten().filter_map(|prefix| clean.strip_prefix(prefix));
    for bare in bare.chain(assigned(clean)) {
        let bare = bare.trim_matches(is_unseen);
        add(Mistake::SecretPrefix, bare);
        if let Some(plain) = unquoted(bare) {
            add(Mistake::SecretPrefix, plain);
        }
    }
    meant
}

/// The secrets that this one may be without its prefix.
pub(super) fn without_prefix(verification: &Verification<'_>, text: &str) -> Vec<String> {
    let clean = text.trim_matches(is_unseen);
    // Each costs hashing the body once; with a large one only the most common is worth that.
    let is_small = verification.request.body.len() <= SMALL_BODY_BYTES_MAX;
    let prefixes = if is_small { &PREFIXES[..] } else { &PREFIXES[..1] };
    let may_lack = verification.scheme.secret == SecretForm::Utf8 && !clean.starts_with(PREFIXES[0]);
    prefixes.iter().filter(|_| may_lack).map(|prefix| format!("{prefix}{clean}")).collect()
}

/// The value of a line `NAME=value`, as settings files have them.
fn assigned(text: &str) -> Option<&str> {
    let (name, value) = text.strip_prefix("export ").unwrap_or(text).split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    (is_name && !value.is_empty()).then_some(value)
}

/// White space, and what is copied along without being seen: zero-width characters, byte order marks.
fn is_unseen(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\0')
}

/// The mistake with a secret whose undoing makes the signature match.
pub(super) fn mistaken(search: &Search<'_>, secret: &Secret) -> Option<SecretMistake> {
    let text = secret.expose();
    let fits_text = |text: &str| {
        let key = search.verification.key(text);
        key.is_some_and(|key| search.fits(&Trial::with_key(&key, text)))
    };
    let form = search.verification.scheme.secret;
    if let Some((mistake, meant)) = meant(text, form).into_iter().find(|(_, meant)| fits_text(meant)) {
        return Some(SecretMistake::of_text(mistake, &meant));
    }
    if are_swapped(search, text) {
        return Some(SecretMistake::without_correction(Mistake::KeysSwapped));
    }
    // Where the secret itself is a part of what is signed, that part changes with it.
    let fits_key = |key: &&Vec<u8>| {
        let secret = std::str::from_utf8(key).unwrap_or(text);
        let made = if form == SecretForm::Basic { search.verification.key(secret) } else { None };
        search.fits(&Trial::with_key(made.as_deref().unwrap_or(key), secret))
    };
    let (mistake, keys) = other_keys(form, text);
    let fitting = keys.iter().find(fits_key);
    match (mistake, fitting) {
        // The signer's mistake: a secret that makes up for it here would fail with the provider itself.
        (Some(Mistake::SecretNotDecoded), Some(_)) => {
            return Some(SecretMistake::without_correction(Mistake::SecretNotDecoded));
        }
        (Some(mistake), Some(key)) => return Some(SecretMistake::of_key(mistake, form, key)),
        _ => {}
    }
    if let Some(whole) = without_prefix(search.verification, text).into_iter().find(|whole| fits_text(whole)) {
        return Some(SecretMistake::of_text(Mistake::SecretPrefixStripped, &whole));
    }
    let decoded = decoded(text);
    let (mistake, fitting) = match form {
        SecretForm::Utf8 | SecretForm::Nfkd | SecretForm::Html => {
            (Mistake::SecretDecoded, decoded.iter().find(fits_key))
        }
        SecretForm::Sha1 | SecretForm::Basic => {
            let texts = decoded.iter().filter_map(|key| std::str::from_utf8(key).ok());
            let mut fitting = texts.filter(|text| fits_text(text));
            return fitting.next().map(|text| SecretMistake::of_text(Mistake::SecretDecoded, text));
        }
        SecretForm::Hex | SecretForm::Base64 | SecretForm::Whsec | SecretForm::V1Whsec => {
            let twice = decoded.iter().filter_map(|key| std::str::from_utf8(key).ok()).flat_map(self::decoded);
            let keys: Vec<Vec<u8>> = decoded.iter().cloned().chain(twice).collect();
            let fitting = keys.iter().find(fits_key)?;
            return Some(SecretMistake::of_key(Mistake::SecretEncoding, form, fitting));
        }
        SecretForm::PublicKey | SecretForm::Certificate => return None,
    };
    fitting.map(|key| SecretMistake::of_key(mistake, form, key))
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
pub(super) fn tails(text: &str) -> Vec<&str> {
    text.match_indices('_').map(|(at, _)| &text[at + 1..]).collect()
}

/// What a secret and its tails decode to.
pub(super) fn decoded(text: &str) -> Vec<Vec<u8>> {
    let encodings = [Encoding::Base64, Encoding::Base64url, Encoding::Hex];
    let texts = std::iter::once(text).chain(tails(text));
    let decode = |text: &str| encodings.map(|encoding| encoding.decode(text.as_bytes()));
    texts.flat_map(decode).flatten().filter(|key| !key.is_empty()).collect()
}

/// The text without a pair of quotes around it.
fn unquoted(text: &str) -> Option<&str> {
    QUOTES.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close))
}

/// Whether a signature fits the key of another place: primary and secondary key exchanged.
fn are_swapped(search: &Search<'_>, secret: &str) -> bool {
    let verification = search.verification;
    let options: Vec<OptionName> = verification.scheme.places.iter().filter_map(|place| place.key).collect();
    let fits = |key: &str| search.fits(&Trial::with_key(key.as_bytes(), key));
    !options.is_empty()
        && (fits(secret) || options.iter().any(|option| verification.options.get(*option).is_some_and(fits)))
}
