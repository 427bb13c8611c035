//! `provider_options`: what a scheme needs beyond one secret (CONTRACT section 7).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SignatureError;
use super::custom::CustomScheme;
use crate::domain::{Secret, words};

/// What the option `trust` says to let certificates be fetched.
pub(super) const FETCH: &str = "fetch";

words! {
    /// The name of an option.
    OptionName {
        /// The URL as the provider was told it, where the receiver sees another.
        PublicUrl = "public_url",
        /// A second key that signs beside the first.
        SecondarySecret = "secondary_secret",
        /// The provider's public key or the public half of a key pair.
        PublicKey = "public_key",
        /// An API key that the provider names in its requests.
        ApiKey = "api_key",
        /// Whom a token must be meant for.
        Audience = "audience",
        /// The certificates whose keys sign, as PEM.
        CertificatePem = "certificate_pem",
        /// Where each of them was found, in the same order, with a space between two.
        CertificateUrl = "certificate_url",
        /// `fetch`: the certificate may be fetched from where a request says, on the hosts of the recipe; else a remark on
        /// why the certificate is trusted.
        Trust = "trust",
        /// The digest that the account is set to.
        Hash = "hash",
        /// The account that a token must be of.
        Email = "email",
        /// A remark on what the secret is.
        SecretIs = "secret_is",
    }
}

impl OptionName {
    /// Whether its value is kept from being read back.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::SecondarySecret | Self::ApiKey)
    }
}

/// The options as they may be read back: a secret one that is set shows as `null`.
#[must_use]
pub fn options_without_secrets(options: &Value) -> Value {
    let mut shown = options.clone();
    for (_, value) in secret_members(&mut shown) {
        *value = Value::Null;
    }
    shown
}

/// The options that replace older ones: a secret one that is left out or `null`, as it is read back, stays what it was;
/// an empty text clears it.
#[must_use]
pub fn options_replacing(mut new: Value, old: &Value) -> Value {
    if let (Some(new), Some(old)) = (new.as_object_mut(), old.as_object()) {
        for (name, value) in old {
            let is_secret = OptionName::parse(name).is_some_and(OptionName::is_secret);
            if is_secret && new.get(name).is_none_or(Value::is_null) {
                new.insert(name.clone(), value.clone());
            }
        }
    }
    let cleared: Vec<String> = secret_members(&mut new)
        .filter(|(_, value)| value.as_str() == Some(""))
        .map(|(name, _)| name.clone())
        .collect();
    if let Some(new) = new.as_object_mut() {
        cleared.iter().for_each(|name| {
            new.shift_remove(name);
        });
    }
    new
}

fn secret_members(options: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    let members = options.as_object_mut().into_iter().flatten();
    members.filter(|(name, _)| OptionName::parse(name).is_some_and(OptionName::is_secret))
}

/// The options of an endpoint or a call, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    texts: BTreeMap<&'static str, Secret>,
    /// A scheme that the user describes.
    pub(super) custom: Option<CustomScheme>,
}

impl Options {
    /// Reads an object; `null` members count as absent.
    pub(super) fn read(options: &Value) -> Result<Self, SignatureError> {
        let members = match options {
            Value::Null => return Ok(Self::default()),
            Value::Object(members) => members,
            _ => return Err(SignatureError::OptionsNotObject),
        };
        let mut read = Self::default();
        for (name, value) in members {
            if name == "custom" && !value.is_null() {
                read.custom = Some(CustomScheme::read(value)?);
                continue;
            }
            match (OptionName::parse(name), value) {
                (_, Value::Null) => {}
                (Some(known), Value::String(text)) => {
                    read.texts.insert(known.as_str(), Secret::new(text.clone()));
                }
                (Some(_), _) => return Err(SignatureError::OptionNotText { option: name.clone() }),
                (None, _) => return Err(SignatureError::UnknownOption { option: name.clone() }),
            }
        }
        Ok(read)
    }

    /// The text of an option.
    pub(super) fn get(&self, name: OptionName) -> Option<&str> {
        self.texts.get(name.as_str()).map(Secret::expose)
    }

    /// Whether certificates may be fetched.
    pub(super) fn allows_fetch(&self) -> bool {
        self.get(OptionName::Trust) == Some(FETCH)
    }

    /// Sets an option to another text.
    pub(super) fn set(&mut self, name: OptionName, text: &str) {
        self.texts.insert(name.as_str(), Secret::new(text.to_owned()));
    }

    /// The options that are set.
    pub(super) fn names(&self) -> impl Iterator<Item = OptionName> {
        self.texts.keys().filter_map(|name| OptionName::parse(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_option_is_never_read_back_and_outlives_a_change_of_the_others() {
        let old = json!({"secondary_secret": "canary", "public_url": "https://a.example/"});
        let shown = options_without_secrets(&old);
        assert_eq!(shown, json!({"secondary_secret": null, "public_url": "https://a.example/"}));
        assert_eq!(options_replacing(shown, &old), old);
        let changed = options_replacing(json!({"public_url": "https://b.example/"}), &old);
        assert_eq!(changed, json!({"public_url": "https://b.example/", "secondary_secret": "canary"}));
        assert_eq!(options_replacing(json!({"secondary_secret": ""}), &old), json!({}));
        assert_eq!(options_replacing(json!({"secondary_secret": "next"}), &old), json!({"secondary_secret": "next"}));
        assert!(!format!("{:?}", Options::read(&old).unwrap()).contains("canary"));
    }

    #[test]
    fn an_option_that_does_not_exist_or_is_no_text_is_refused() {
        assert_eq!(Options::read(&json!({"x": "y"})), Err(SignatureError::UnknownOption { option: "x".into() }));
        assert_eq!(Options::read(&json!({"hash": 1})), Err(SignatureError::OptionNotText { option: "hash".into() }));
        assert_eq!(Options::read(&json!([])), Err(SignatureError::OptionsNotObject));
        assert_eq!(Options::read(&json!({"x": null})), Ok(Options::default()));
        for custom in [
            json!(1),
            json!({}),
            json!({"header": "A", "algorithm": "ed25519"}),
            json!({"header": "A b",
            "algorithm": "hmac-sha256"}),
            json!({"header": "A", "algorithm": "hmac-sha256", "template": "{timestamp}"}),
        ] {
            let read = Options::read(&json!({"custom": custom}));
            assert!(matches!(read, Err(SignatureError::Custom { .. })), "{read:?}");
        }
    }
}
