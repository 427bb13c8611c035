//! What turns key and text into a signature: keyed and plain digests here, public keys in [`super::public_key`].

use hmac::Hmac;
use md5::Md5;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::domain::words;

words! {
    /// What turns key and text into a signature.
    Algorithm {
        /// HMAC (RFC 2104) with MD5.
        HmacMd5 = "hmac-md5",
        /// HMAC with SHA-1.
        HmacSha1 = "hmac-sha1",
        /// HMAC with SHA-256.
        HmacSha256 = "hmac-sha256",
        /// HMAC with SHA-384.
        HmacSha384 = "hmac-sha384",
        /// HMAC with SHA-512.
        HmacSha512 = "hmac-sha512",
        /// A plain MD5 digest; the secret stands in the signed text.
        Md5 = "md5",
        /// A plain SHA-1 digest; the secret stands in the signed text.
        Sha1 = "sha1",
        /// A plain SHA-256 digest; the secret stands in the signed text.
        Sha256 = "sha256",
        /// Ed25519 (RFC 8032).
        Ed25519 = "ed25519",
        /// ECDSA over P-256 with SHA-256, the signature in DER.
        EcdsaP256Sha256 = "ecdsa-p256-sha256",
        /// RSA PKCS #1 v1.5 with SHA-1.
        RsaSha1 = "rsa-pkcs1-sha1",
        /// RSA PKCS #1 v1.5 with SHA-256.
        RsaSha256 = "rsa-pkcs1-sha256",
        /// RSA PSS with SHA-256.
        RsaPssSha256 = "rsa-pss-sha256",
        /// A JSON Web Token (RFC 7519) signed with HS256.
        JwtHs256 = "jwt-hs256",
        /// A JSON Web Token signed with HS256, HS384 or HS512.
        JwtHs = "jwt-hs",
        /// A JSON Web Token signed with RS256.
        JwtRs256 = "jwt-rs256",
        /// A JSON Web Token signed with ES256.
        JwtEs256 = "jwt-es256",
        /// The secret itself is sent.
        Token = "token",
        /// Nothing is signed.
        None = "none",
    }
}

/// How an algorithm is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Both sides compute the same digest.
    Digest,
    /// The receiver holds a public key.
    PublicKey,
    /// The signature is a token that brings its own text.
    Jwt,
    /// The secret is compared.
    Token,
    /// There is nothing to compare.
    Nothing,
}

impl Algorithm {
    /// How it is carried out.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::HmacMd5
            | Self::HmacSha1
            | Self::HmacSha256
            | Self::HmacSha384
            | Self::HmacSha512
            | Self::Md5
            | Self::Sha1
            | Self::Sha256 => Kind::Digest,
            Self::Ed25519 | Self::EcdsaP256Sha256 | Self::RsaSha1 | Self::RsaSha256 | Self::RsaPssSha256 => {
                Kind::PublicKey
            }
            Self::JwtHs256 | Self::JwtHs | Self::JwtRs256 | Self::JwtEs256 => Kind::Jwt,
            Self::Token => Kind::Token,
            Self::None => Kind::Nothing,
        }
    }

    /// Whether bytes can be a signature of this algorithm at all, by their length or outer form.
    pub(super) fn could_be(self, signature: &[u8]) -> bool {
        match self {
            Self::HmacMd5 | Self::Md5 => signature.len() == 16,
            Self::HmacSha1 | Self::Sha1 => signature.len() == 20,
            Self::HmacSha256 | Self::Sha256 => signature.len() == 32,
            Self::HmacSha384 => signature.len() == 48,
            Self::HmacSha512 | Self::Ed25519 => signature.len() == 64,
            // A DER sequence (X.690 section 8.9) of two integers is 8 to 72 bytes long.
            Self::EcdsaP256Sha256 => {
                matches!(signature, [0x30, length, rest @ ..] if rest.len() == usize::from(*length) && rest.len() <= 70)
            }
            _ => !signature.is_empty(),
        }
    }

    /// The digest of the pieces; nothing for an algorithm that is no digest. A plain digest leaves the key to the text.
    pub(super) fn digest<'a>(self, key: &[u8], pieces: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
        match self {
            Self::HmacMd5 => hmac::<Hmac<Md5>>(key, pieces),
            Self::HmacSha1 => hmac::<Hmac<Sha1>>(key, pieces),
            Self::HmacSha256 => hmac::<Hmac<Sha256>>(key, pieces),
            Self::HmacSha384 => hmac::<Hmac<Sha384>>(key, pieces),
            Self::HmacSha512 => hmac::<Hmac<Sha512>>(key, pieces),
            Self::Md5 => Some(plain::<Md5>(pieces)),
            Self::Sha1 => Some(plain::<Sha1>(pieces)),
            Self::Sha256 => Some(plain::<Sha256>(pieces)),
            _ => None,
        }
    }
}

fn hmac<'a, M: hmac::Mac + hmac::KeyInit>(key: &[u8], pieces: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut mac = <M as hmac::KeyInit>::new_from_slice(key).ok()?;
    pieces.for_each(|piece| mac.update(piece));
    Some(mac.finalize().into_bytes().to_vec())
}

fn plain<'a, D: sha2::Digest>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut digest = D::new();
    pieces.for_each(|piece| digest.update(piece));
    digest.finalize().to_vec()
}

/// SHA-256 of some bytes.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-1 of some bytes.
pub(super) fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}
