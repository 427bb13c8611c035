//! One way of signing, as a recipe, and its interpreter.

use hmac::{Hmac, KeyInit as _, Mac as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::digests::{Digest, Digests};
use super::{SignatureError, SignedRequest, Template, Verdict};
use crate::domain::{Headers, Secret, SignatureReason, SignatureStatus, words};

words! {
    /// What turns key and text into a signature.
    Algorithm {
        /// HMAC (RFC 2104) with SHA-256.
        HmacSha256 = "hmac-sha256",
    }
}

words! {
    /// How a digest is written as text.
    Encoding {
        /// Hexadecimal; either case is read, lower case is written.
        Hex = "hex",
    }
}

words! {
    /// How the configured secret becomes key bytes.
    SecretForm {
        /// The text's own UTF-8 bytes, white space and all.
        Utf8 = "utf8",
    }
}

/// A signature scheme, as a `[[schemes]]` table of a provider's file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Its name within the provider.
    pub name: String,
    /// What turns key and text into a signature.
    pub algorithm: Algorithm,
    /// How the configured secret becomes key bytes.
    pub secret: SecretForm,
    /// What is signed.
    pub content: Template,
    /// Where the signature stands.
    pub signature: SignaturePlace,
}

/// Where a signature stands and how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignaturePlace {
    /// Name of the header.
    pub header: String,
    /// What stands before the digest, in exact case.
    #[serde(default)]
    pub prefix: String,
    /// How the digest is written.
    pub encoding: Encoding,
}

/// A scheme as `GET /providers` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct SchemeView {
    /// What an endpoint's `scheme` names it.
    pub name: String,
    /// What turns key and text into a signature.
    pub algorithm: Algorithm,
    /// How the configured secret becomes key bytes.
    pub secret: SecretForm,
    /// The signed text as a template.
    pub content: String,
    /// Header that carries the signature.
    pub header: String,
    /// What stands before the digest.
    pub prefix: String,
    /// How the digest is written.
    pub encoding: Encoding,
}

impl SignaturePlace {
    /// The digest in a header value, when it is in the documented form: exact prefix, nothing left over.
    pub(super) fn decode(&self, value: &[u8]) -> Option<Digest> {
        let text = value.strip_prefix(self.prefix.as_bytes())?;
        let mut digest = Digest::default();
        match self.encoding {
            Encoding::Hex => hex::decode_to_slice(text, &mut digest).ok()?,
        }
        Some(digest)
    }

    /// The header value that carries a digest.
    pub(super) fn encode(&self, digest: &Digest) -> String {
        match self.encoding {
            Encoding::Hex => format!("{}{}", self.prefix, hex::encode(digest)),
        }
    }
}

impl Scheme {
    /// The scheme as shown.
    #[must_use]
    pub fn view(&self) -> SchemeView {
        SchemeView {
            name: self.name.clone(),
            algorithm: self.algorithm,
            secret: self.secret,
            content: self.content.as_str().to_owned(),
            header: self.signature.header.clone(),
            prefix: self.signature.prefix.clone(),
            encoding: self.signature.encoding,
        }
    }

    /// Judges a request; every secret is tried until one fits. Allocates nothing unless it fails.
    pub(super) fn verify(&self, secrets: &[Secret], request: &SignedRequest<'_>) -> Result<Verdict, SignatureError> {
        let received = match Digests::read(&self.signature, request.headers) {
            Ok(digests) => digests,
            Err(verdict) => return Ok(verdict),
        };
        for (index, secret) in secrets.iter().enumerate() {
            if received.contain(&self.digest(secret, request)?) {
                return Ok(Verdict::valid(index));
            }
        }
        Ok(Verdict::without_match(SignatureStatus::Invalid, SignatureReason::WrongSecretOrBody))
    }

    /// The header that makes a request verify.
    pub(super) fn sign(
        &self,
        secret: &Secret,
        request: &SignedRequest<'_>,
    ) -> Result<(String, String), SignatureError> {
        let digest = self.digest(secret, request)?;
        Ok((self.signature.header.clone(), self.signature.encode(&digest)))
    }

    /// The first value of the signature header that is not blank, as text.
    pub(super) fn received_text(&self, headers: &Headers) -> Option<String> {
        let value = headers.get_all(&self.signature.header).find(|value| !value.is_empty())?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    fn digest(&self, secret: &Secret, request: &SignedRequest<'_>) -> Result<Digest, SignatureError> {
        let key = self.key(secret)?;
        match self.algorithm {
            Algorithm::HmacSha256 => {
                let mut mac = Hmac::<Sha256>::new_from_slice(key)
                    .map_err(|_| SignatureError::UnusableSecret { scheme: self.name.clone() })?;
                for piece in self.content.pieces(request) {
                    mac.update(piece);
                }
                Ok(mac.finalize().into_bytes().into())
            }
        }
    }

    fn key<'a>(&self, secret: &'a Secret) -> Result<&'a [u8], SignatureError> {
        if secret.expose().is_empty() {
            return Err(SignatureError::EmptySecret);
        }
        match self.secret {
            SecretForm::Utf8 => Ok(secret.expose().as_bytes()),
        }
    }
}
