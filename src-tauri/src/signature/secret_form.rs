//! How the configured secret becomes key bytes.

use std::borrow::Cow;

use ring::rand::{SecureRandom as _, SystemRandom};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::algorithm::sha1;
use super::encoding::Encoding;
use crate::domain::{Secret, words};

/// Prefix of Standard Webhooks' secrets.
pub(super) const WHSEC: &str = "whsec_";
/// What Supabase puts before it.
pub(super) const V1: &str = "v1,";
/// What stands before the credentials of Basic authentication (RFC 7617).
const BASIC: &str = "Basic ";

words! {
    /// How the configured secret becomes key bytes.
    SecretForm {
        /// The text's own UTF-8 bytes, white space and all.
        Utf8 = "utf8",
        /// Decoded from hexadecimal.
        Hex = "hex",
        /// Decoded from base64.
        Base64 = "base64",
        /// Decoded from base64, after `whsec_` when it begins so (Standard Webhooks).
        Whsec = "whsec",
        /// As `whsec`, after `v1,` when it begins so (Supabase).
        V1Whsec = "v1-whsec",
        /// The SHA-1 digest of the text (Braintree).
        Sha1 = "sha1",
        /// The text in Unicode normal form NFKD (EasyPost).
        Nfkd = "nfkd",
        /// The text with the HTML entities of quotes, `<`, `>` and `&` resolved (WordPress).
        Html = "html",
        /// `user:password`, or the whole `Basic ...` header.
        Basic = "basic",
        /// A public key: hex or base64 bytes, SubjectPublicKeyInfo, PEM, JWK or JWK set.
        PublicKey = "public-key",
        /// The key of the certificate in the option `certificate_pem`; the secret is not the key.
        Certificate = "certificate",
    }
}

/// Random bytes of a secret that is made up.
const MADE_UP_BYTES: usize = 24;

impl SecretForm {
    /// A secret of this form that nobody knows; none when the system gives no random numbers.
    pub(super) fn made_up(self) -> Option<Secret> {
        let mut random = [0; MADE_UP_BYTES];
        SystemRandom::new().fill(&mut random).ok()?;
        let text = match self {
            Self::Hex => hex::encode(random),
            Self::Base64 => Encoding::Base64.encode(&random),
            Self::Whsec => format!("{WHSEC}{}", Encoding::Base64.encode(&random)),
            Self::V1Whsec => format!("{V1}{WHSEC}{}", Encoding::Base64.encode(&random)),
            Self::Basic => format!("creel:{}", hex::encode(random)),
            Self::Utf8 | Self::Sha1 | Self::Nfkd | Self::Html | Self::PublicKey | Self::Certificate => {
                format!("test_{}", hex::encode(random))
            }
        };
        Some(Secret::new(text))
    }

    /// The key; none when the text is not of the form.
    pub(super) fn key(self, text: &str) -> Option<Cow<'_, [u8]>> {
        let decoded = |encoding: Encoding, text: &str| {
            encoding.decode(text.as_bytes()).filter(|key| !key.is_empty()).map(Cow::Owned)
        };
        match self {
            Self::Utf8 | Self::PublicKey | Self::Certificate => Some(Cow::Borrowed(text.as_bytes())),
            Self::Hex => decoded(Encoding::Hex, text),
            Self::Base64 => decoded(Encoding::Base64, text),
            Self::Whsec => decoded(Encoding::Base64, text.strip_prefix(WHSEC).unwrap_or(text)),
            Self::V1Whsec => Self::Whsec.key(text.strip_prefix(V1).unwrap_or(text)),
            Self::Sha1 => Some(Cow::Owned(sha1(text.as_bytes()).to_vec())),
            Self::Nfkd => Some(Cow::Owned(text.nfkd().collect::<String>().into_bytes())),
            Self::Html => Some(Cow::Owned(unescaped(text).into_bytes())),
            Self::Basic if text.starts_with(BASIC) => Some(Cow::Borrowed(text.as_bytes())),
            Self::Basic => {
                Some(Cow::Owned(format!("{BASIC}{}", Encoding::Base64.encode(text.as_bytes())).into_bytes()))
            }
        }
    }
}

impl SecretForm {
    /// The text that makes this key; none where no text does, or no text that can be kept.
    pub(super) fn text(self, key: &[u8]) -> Option<String> {
        let text = match self {
            Self::Utf8 | Self::PublicKey => std::str::from_utf8(key).ok()?.to_owned(),
            Self::Hex => Encoding::Hex.encode(key),
            Self::Base64 => Encoding::Base64.encode(key),
            Self::Whsec => format!("{WHSEC}{}", Encoding::Base64.encode(key)),
            Self::V1Whsec => format!("{V1}{WHSEC}{}", Encoding::Base64.encode(key)),
            Self::Sha1 | Self::Nfkd | Self::Html | Self::Basic | Self::Certificate => return None,
        };
        (self.key(&text).as_deref() == Some(key)).then_some(text)
    }
}

/// WordPress' `wp_specialchars_decode` with `ENT_QUOTES`: `&` last, so that nothing is resolved twice.
fn unescaped(text: &str) -> String {
    let quotes = text.replace("&quot;", "\"").replace("&#034;", "\"").replace("&#039;", "'").replace("&#39;", "'");
    quotes.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("&#038;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_makes_its_key() {
        let key = |form: SecretForm, text: &str| form.key(text).map(Cow::into_owned);
        assert_eq!(key(SecretForm::Utf8, " a\n"), Some(b" a\n".to_vec()));
        assert_eq!(key(SecretForm::Hex, "0aFF"), Some(vec![0x0a, 0xff]));
        for text in ["whsec_YWJj", "YWJj"] {
            assert_eq!(key(SecretForm::Whsec, text), Some(b"abc".to_vec()));
        }
        assert_eq!(key(SecretForm::V1Whsec, "v1,whsec_YWJj"), Some(b"abc".to_vec()));
        assert_eq!(key(SecretForm::Whsec, "v1,whsec_YWJj"), None);
        assert_eq!(key(SecretForm::Nfkd, "\u{fb01}").as_deref(), Some(b"fi".as_slice()));
        assert_eq!(key(SecretForm::Html, "a&amp;quot;&quot;").as_deref(), Some(b"a&quot;\"".as_slice()));
        assert_eq!(key(SecretForm::Basic, "a:b"), key(SecretForm::Basic, "Basic YTpi"));
        for form in [SecretForm::Utf8, SecretForm::Hex, SecretForm::Base64, SecretForm::Whsec, SecretForm::V1Whsec] {
            let text = form.text(b"a key").unwrap();
            assert_eq!(key(form, &text).as_deref(), Some(b"a key".as_slice()), "{form}");
        }
        assert_eq!(SecretForm::Utf8.text(b"\xff"), None);
        for (form, text) in [(SecretForm::Hex, "0"), (SecretForm::Base64, "!"), (SecretForm::Whsec, "whsec_")] {
            assert_eq!(key(form, text), None);
        }
    }
}
