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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomScheme {
    header: String,
    algorithm: Algorithm,
    #[serde(default = "hex")]
    encoding: Encoding,
    #[serde(default)]
    prefix: String,
    #[serde(default = "body")]
    template: Template,
}

const fn hex() -> Encoding {
    Encoding::Hex
}

fn body() -> Template {
    Template::body()
}

impl CustomScheme {
    pub(super) fn read(value: &Value) -> Result<Self, SignatureError> {
        let custom = Self::deserialize(value).map_err(|error| SignatureError::Custom { why: error.to_string() })?;
        custom.scheme().map(|_| custom)
    }

    /// The scheme, as if it stood in a provider's file.
    pub(super) fn scheme(&self) -> Result<Scheme, SignatureError> {
        if !matches!(self.algorithm.kind(), Kind::Digest | Kind::Token) {
            let why = format!("the algorithm {} needs more than a custom scheme can say", self.algorithm);
            return Err(SignatureError::Custom { why });
        }
        let signature = SignaturePlace::of_header(&self.header, &self.prefix, self.encoding)
            .ok_or_else(|| SignatureError::Custom { why: format!("{:?} is no header name", self.header) })?;
        Scheme::of_header(CUSTOM, self.algorithm, SecretForm::Utf8, self.template.clone(), signature)
            .map_err(|why| SignatureError::Custom { why })
    }
}
