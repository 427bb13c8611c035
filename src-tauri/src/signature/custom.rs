//! A scheme that the user describes, for a sender that the catalogue does not know.

use serde::Deserialize;
use serde_json::Value;

use super::algorithm::{Algorithm, Kind};
use super::encoding::Encoding;
use super::scheme::Scheme;
use super::secret_form::SecretForm;
use super::{SignatureError, SignaturePlace, Template};

/// Name of the scheme in views and verdicts.
pub(super) const CUSTOM: &str = "custom";

/// The option `custom` of CONTRACT section 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CustomScheme {
    header: String,
    algorithm: Algorithm,
    encoding: Encoding,
    prefix: String,
    template: Template,
    /// How the secret becomes the key; its own bytes unless said otherwise.
    secret: SecretForm,
}

/// The members as text. Each is read on its own, so that an error names the member that it is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    #[serde(default)]
    header: String,
    #[serde(default)]
    algorithm: String,
    #[serde(default)]
    encoding: Option<String>,
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    template: Option<String>,
    #[serde(default)]
    secret: Option<String>,
}

/// The forms of secrets that a custom scheme can have.
const SECRET_FORMS: [SecretForm; 4] = [SecretForm::Utf8, SecretForm::Hex, SecretForm::Base64, SecretForm::Whsec];

fn refused(member: &'static str, why: impl Into<String>) -> SignatureError {
    SignatureError::Custom { member: Some(member), why: why.into() }
}

impl CustomScheme {
    pub(super) fn read(value: &Value) -> Result<Self, SignatureError> {
        let members = Members::deserialize(value)
            .map_err(|error| SignatureError::Custom { member: None, why: error.to_string() })?;
        let algorithm = Algorithm::parse(&members.algorithm)
            .filter(|algorithm| matches!(algorithm.kind(), Kind::Digest | Kind::Token))
            .ok_or_else(|| refused("algorithm", "the algorithm is one of the hmac ones, sha1, sha256, md5 or token"))?;
        let encoding = match &members.encoding {
            None => Encoding::Hex,
            Some(word) => Encoding::parse(word)
                .ok_or_else(|| refused("encoding", "the encoding is hex, base64, base64url or text"))?,
        };
        let template = match &members.template {
            None => Template::body(),
            Some(text) => Template::parse(text).map_err(|error| refused("template", error.to_string()))?,
        };
        let secret = match &members.secret {
            None => SecretForm::Utf8,
            Some(word) => SecretForm::parse(word)
                .filter(|form| SECRET_FORMS.contains(form))
                .ok_or_else(|| refused("secret", "the secret is read as utf8, hex, base64 or whsec"))?,
        };
        let prefix = members.prefix.unwrap_or_default();
        let custom = Self { header: members.header, algorithm, encoding, prefix, template, secret };
        custom.scheme().map(|_| custom)
    }

    /// The scheme, as if it stood in a provider's file.
    pub(super) fn scheme(&self) -> Result<Scheme, SignatureError> {
        let signature = SignaturePlace::of_header(&self.header, &self.prefix, self.encoding)
            .ok_or_else(|| refused("header", format!("{:?} is no header name", self.header)))?;
        Scheme::of_header(CUSTOM, self.algorithm, self.secret, self.template.clone(), signature)
            .map_err(|why| refused("template", why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_error_names_the_member_that_it_is_about() {
        let member = |custom: Value| match CustomScheme::read(&custom) {
            Err(SignatureError::Custom { member, .. }) => member,
            other => panic!("{custom}: {other:?}"),
        };
        let with = |name: &str, value: &str| {
            let mut custom = json!({"header": "X-Sig", "algorithm": "hmac-sha256"});
            custom[name] = value.into();
            member(custom)
        };
        for (name, value) in [
            ("header", "a b"),
            ("header", ""),
            ("algorithm", "hmac"),
            ("algorithm", "ed25519"),
            ("encoding", "binary"),
            ("template", "{bdoy}"),
            ("template", ""),
            ("template", "{timestamp}"),
            ("secret", "public-key"),
        ] {
            assert_eq!(with(name, value), Some(name), "{value}");
        }
        assert_eq!(with("unknown", "x"), None);
        assert_eq!(member(json!(7)), None);
    }

    #[test]
    fn a_secret_may_be_read_as_encoded_bytes() {
        let custom = json!({"header": "X-Sig", "algorithm": "hmac-sha256", "secret": "whsec"});
        assert_eq!(CustomScheme::read(&custom).unwrap().scheme().unwrap().secret, SecretForm::Whsec);
    }
}
