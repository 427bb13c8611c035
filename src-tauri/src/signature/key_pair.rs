//! Key pairs of our own, for schemes whose private half only the provider has: who tests with one signs as the provider
//! would, and gives the public half to the app in place of the provider's.
//!
//! The private half is PEM (PKCS #8, RFC 5958; RSA also PKCS #1) and takes the place of an endpoint's signing secret, so
//! that it is kept as secrets are. [`KeyPair::make`] and ECDSA draw random numbers; all else here gives the same answer
//! to the same input. What `ring` does not do with RSA stands in [`super::rsa_key`].

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::public_key::{WHPK, pem};
use super::rsa_key;
use crate::domain::{Secret, words};

/// What every PEM block with a private key holds in its first line (RFC 7468 section 10).
const PRIVATE: &str = "PRIVATE KEY-----";
/// The label of a PKCS #1 RSA key.
const PKCS1: &str = "BEGIN RSA PRIVATE KEY";
/// Characters of a PEM line (RFC 7468 section 2).
const PEM_LINE_CHARS: usize = 64;
/// What stands before an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410 section 4).
const SPKI_ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What stands before a P-256 point in a SubjectPublicKeyInfo (RFC 5480 section 2).
const SPKI_P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The algorithm of an RSA key in a SubjectPublicKeyInfo (RFC 8017 appendix A.1).
pub(super) const RSA_ALGORITHM: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// What a JSON Web Key of ours is called, in the key and in the tokens that it signs.
pub(super) const KEY_ID: &str = "creel-test-key";

words! {
    /// How a provider writes its public key.
    PublicKeyForm {
        /// The key's bytes in hexadecimal.
        Hex = "hex",
        /// The key's bytes in base64.
        Base64 = "base64",
        /// The same after `whpk_` (Standard Webhooks).
        Whpk = "whpk",
        /// A SubjectPublicKeyInfo in base64.
        Spki = "spki",
        /// A SubjectPublicKeyInfo as PEM.
        Pem = "pem",
        /// A JSON Web Key (RFC 7517).
        Jwk = "jwk",
    }
}

/// A private key with its public half.
pub(super) struct KeyPair(Kind);

enum Kind {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    /// The key as `ring` reads it and, for what `ring` does not sign, in DER.
    Rsa(Box<RsaKeyPair>, Zeroizing<Vec<u8>>),
}

/// Whether a secret is a private key, which signs and stands for its public half.
#[must_use]
pub fn is_private_key(secret: &Secret) -> bool {
    KeyPair::is_private(secret.expose())
}

impl KeyPair {
    /// Whether a text is a private key, of whatever kind.
    pub(super) fn is_private(text: &str) -> bool {
        text.contains(PRIVATE)
    }

    /// Whether Creel signs with an algorithm when it has a private key.
    pub(super) const fn signs(algorithm: Algorithm) -> bool {
        matches!(
            algorithm,
            Algorithm::Ed25519
                | Algorithm::EcdsaP256Sha256
                | Algorithm::JwtEs256
                | Algorithm::JwtRs256
                | Algorithm::RsaSha1
                | Algorithm::RsaSha256
                | Algorithm::RsaPssSha256
        )
    }

    /// Makes a key pair; the private half, as PEM. None for an algorithm without, or when the system gives no randomness.
    /// For RSA that takes a while.
    pub(super) fn make(algorithm: Algorithm) -> Option<Secret> {
        let random = SystemRandom::new();
        let document = match algorithm {
            Algorithm::Ed25519 => Ed25519KeyPair::generate_pkcs8(&random).ok()?.as_ref().to_vec(),
            Algorithm::EcdsaP256Sha256 | Algorithm::JwtEs256 => {
                EcdsaKeyPair::generate_pkcs8(ecdsa(algorithm), &random).ok()?.as_ref().to_vec()
            }
            Algorithm::RsaSha1 | Algorithm::RsaSha256 | Algorithm::RsaPssSha256 | Algorithm::JwtRs256 => {
                rsa_key::make()?
            }
            _ => return None,
        };
        Some(Secret::new(armoured("PRIVATE KEY", &Zeroizing::new(document))))
    }

    /// Reads a private key; none when the text is none for that algorithm.
    pub(super) fn read(text: &str, algorithm: Algorithm) -> Option<Self> {
        if !Self::is_private(text) {
            return None;
        }
        let bytes = Zeroizing::new(pem(text.trim())?);
        let kind = match algorithm {
            // Others write the older form without the public half (RFC 5208), which is computed then.
            Algorithm::Ed25519 => Kind::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes).ok()?),
            Algorithm::EcdsaP256Sha256 | Algorithm::JwtEs256 => {
                Kind::P256(EcdsaKeyPair::from_pkcs8(ecdsa(algorithm), &bytes, &SystemRandom::new()).ok()?)
            }
            Algorithm::RsaSha1 | Algorithm::RsaSha256 | Algorithm::RsaPssSha256 | Algorithm::JwtRs256 => {
                let read = if text.contains(PKCS1) { RsaKeyPair::from_der } else { RsaKeyPair::from_pkcs8 };
                Kind::Rsa(Box::new(read(&bytes).ok()?), bytes)
            }
            _ => return None,
        };
        Some(Self(kind))
    }

    /// The signature over a message, as the algorithm writes it.
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.0 {
            Kind::Ed25519(key) => Some(key.sign(message).as_ref().to_vec()),
            Kind::P256(key) => Some(key.sign(&random, message).ok()?.as_ref().to_vec()),
            Kind::Rsa(_, private) if algorithm == Algorithm::RsaSha1 => rsa_key::sign_sha1(private, message),
            Kind::Rsa(key, _) => {
                let padding: &dyn RsaEncoding = match algorithm {
                    Algorithm::RsaSha256 | Algorithm::JwtRs256 => &RSA_PKCS1_SHA256,
                    Algorithm::RsaPssSha256 => &RSA_PSS_SHA256,
                    _ => return None,
                };
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(padding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }

    /// The public half: an Ed25519 key, an uncompressed P-256 point, or an RSAPublicKey (RFC 8017 appendix A.1.1).
    pub(super) fn public_bytes(&self) -> Vec<u8> {
        match &self.0 {
            Kind::Ed25519(key) => key.public_key().as_ref().to_vec(),
            Kind::P256(key) => key.public_key().as_ref().to_vec(),
            Kind::Rsa(key, _) => key.public_key().as_ref().to_vec(),
        }
    }

    /// The public half as a provider writes its own.
    pub(super) fn public_text(&self, form: PublicKeyForm) -> String {
        match form {
            PublicKeyForm::Hex => hex::encode(self.public_bytes()),
            PublicKeyForm::Base64 => STANDARD.encode(self.public_bytes()),
            PublicKeyForm::Whpk => format!("{WHPK}{}", STANDARD.encode(self.public_bytes())),
            PublicKeyForm::Spki => STANDARD.encode(self.subject_public_key_info()),
            PublicKeyForm::Pem => armoured("PUBLIC KEY", &self.subject_public_key_info()),
            PublicKeyForm::Jwk => self.jwk(),
        }
    }

    fn subject_public_key_info(&self) -> Vec<u8> {
        let key = self.public_bytes();
        match &self.0 {
            Kind::Ed25519(_) => [&SPKI_ED25519[..], &key].concat(),
            Kind::P256(_) => [&SPKI_P256[..], &key].concat(),
            Kind::Rsa(..) => {
                let bits = der(0x03, &[&[0], &key[..]].concat());
                der(0x30, &[&RSA_ALGORITHM[..], &bits].concat())
            }
        }
    }

    fn jwk(&self) -> String {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key = self.public_bytes();
        let jwk = match &self.0 {
            Kind::Ed25519(_) => json!({"kty": "OKP", "crv": "Ed25519", "x": part(&key)}),
            // An uncompressed point is 04, x and y (SEC 1 section 2.3.3).
            Kind::P256(_) => json!({"kty": "EC", "crv": "P-256", "x": part(&key[1..33]), "y": part(&key[33..]),
                "alg": "ES256", "use": "sig", "kid": KEY_ID}),
            Kind::Rsa(pair, _) => {
                let rsa::PublicKeyComponents { n, e } = rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "n": part(&n), "e": part(&e), "alg": "RS256", "use": "sig", "kid": KEY_ID})
            }
        };
        jwk.to_string()
    }
}

fn ecdsa(algorithm: Algorithm) -> &'static EcdsaSigningAlgorithm {
    // RFC 7518 section 3.4: tokens carry the two numbers side by side, not in DER.
    if algorithm == Algorithm::JwtEs256 { &ECDSA_P256_SHA256_FIXED_SIGNING } else { &ECDSA_P256_SHA256_ASN1_SIGNING }
}

/// A PEM block (RFC 7468).
fn armoured(label: &str, bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(PEM_LINE_CHARS));
        text.push_str(line);
        text.push('\n');
        rest = behind;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// A DER value (X.690 section 8.1) of less than 64 KiB, as every key is.
pub(super) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    let head = match (high, low) {
        (0, 0..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content.to_vec()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::public_key::PublicKey;

    /// Made with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048` for this test; it guards nothing.
    const RSA: &str = include_str!("tests/rsa_test_key.pem");

    #[test]
    fn what_a_made_pair_signs_its_public_half_verifies_in_every_form() {
        let keys = [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256, Algorithm::JwtEs256]
            .map(|algorithm| (algorithm, KeyPair::make(algorithm).unwrap().expose().to_owned()));
        let rsa = [Algorithm::RsaSha1, Algorithm::RsaSha256, Algorithm::RsaPssSha256, Algorithm::JwtRs256];
        for (algorithm, text) in keys.into_iter().chain(rsa.map(|algorithm| (algorithm, RSA.to_owned()))) {
            let pair = KeyPair::read(&text, algorithm).unwrap();
            let signature = pair.sign(algorithm, b"message").unwrap();
            let forms = PublicKeyForm::ALL.iter().map(|form| pair.public_text(*form));
            // The private half stands for its public one too.
            for key in forms.chain([text]) {
                let [public] = &PublicKey::read(&key, algorithm, None)[..] else { panic!("{algorithm}: {key}") };
                assert!(public.verifies(algorithm, b"message", &signature), "{algorithm} {key}");
                assert!(!public.verifies(algorithm, b"another", &signature), "{algorithm} {key}");
            }
        }
    }

    #[test]
    fn a_key_of_another_kind_or_none_at_all_is_not_read() {
        let ed25519 = KeyPair::make(Algorithm::Ed25519).unwrap();
        assert!(KeyPair::read(ed25519.expose(), Algorithm::JwtEs256).is_none());
        assert!(KeyPair::read(RSA, Algorithm::Ed25519).is_none());
        for text in ["", "secret", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"] {
            assert!(KeyPair::read(text, Algorithm::Ed25519).is_none(), "{text}");
            assert!(PublicKey::read(text, Algorithm::Ed25519, None).is_empty(), "{text}");
        }
        assert!(KeyPair::make(Algorithm::HmacSha1).is_none());
        let made = KeyPair::make(Algorithm::JwtRs256).unwrap();
        assert!(KeyPair::read(made.expose(), Algorithm::RsaSha1).is_some(), "an RSA key is one for every algorithm");
        assert!(KeyPair::read(made.expose(), Algorithm::Ed25519).is_none());
    }
}
