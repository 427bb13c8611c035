//! Public keys as users paste them, and what they verify.
//!
//! One key comes in many clothes: raw bytes as hex or base64, a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) as base64
//! or PEM, an X.509 certificate as PEM, several such PEM blocks, a JWK or a JWK set (RFC 7517), Standard Webhooks'
//! `whpk_`. All are tried. A private key of the user's own stands for its public half.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;

use super::algorithm::Algorithm;
use super::encoding::Encoding;
use super::key_pair::KeyPair;

/// DER tag of a SEQUENCE (X.690 section 8.9).
pub(super) const SEQUENCE: u8 = 0x30;
/// DER tag of an INTEGER (X.690 section 8.3).
pub(super) const INTEGER: u8 = 0x02;
/// DER tag of a BIT STRING (X.690 section 8.6).
const BIT_STRING: u8 = 0x03;
/// DER tag of the explicit version of a certificate (RFC 5280 section 4.1).
const VERSION: u8 = 0xa0;
/// Standard Webhooks' prefix of a public key.
pub(super) const WHPK: &str = "whpk_";
/// Bytes of an Ed25519 public key (RFC 8032 section 5.1.5).
const ED25519_BYTES: usize = 32;
/// Keys of a set, or of several PEM blocks, that are tried.
const SET_KEYS_MAX: usize = 32;

/// A key that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// An Ed25519 key, an uncompressed P-256 point, or an RSAPublicKey (RFC 8017 appendix A.1.1).
    Bytes(Vec<u8>),
    /// Modulus and exponent, big-endian.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl PublicKey {
    /// The keys in a text, those of the id first when a set names ids. Empty: it holds none for that algorithm.
    pub(super) fn read(text: &str, algorithm: Algorithm, kid: Option<&str>) -> Vec<Self> {
        let text = text.trim();
        if text.starts_with('{') {
            return jwks(text, kid);
        }
        if KeyPair::is_private(text) {
            let pair = KeyPair::read(text, algorithm);
            return pair.map(|pair| Self::Bytes(pair.public_bytes())).into_iter().collect();
        }
        let mut packed: Vec<Vec<u8>> = pems(text).take(SET_KEYS_MAX).collect();
        if packed.is_empty() {
            let text = text.strip_prefix(WHPK).unwrap_or(text);
            let bytes = Encoding::Hex.decode(text.as_bytes()).or_else(|| Encoding::Base64.decode(text.as_bytes()));
            packed.extend(bytes);
        }
        let key = |bytes: Vec<u8>| {
            let inner = certificate_key(&bytes).or_else(|| subject_key(&bytes)).map(<[u8]>::to_vec);
            let key = inner.unwrap_or(bytes);
            fits(algorithm, &key).then_some(Self::Bytes(key))
        };
        packed.into_iter().filter_map(key).collect()
    }

    /// Whether the signature is this key's over the message.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Bytes(key) => {
                let verification: &dyn signature::VerificationAlgorithm = match algorithm {
                    Algorithm::Ed25519 => &signature::ED25519,
                    Algorithm::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
                    Algorithm::JwtEs256 => &signature::ECDSA_P256_SHA256_FIXED,
                    Algorithm::RsaSha1 => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
                    Algorithm::RsaSha256 | Algorithm::JwtRs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::RsaPssSha256 => &signature::RSA_PSS_2048_8192_SHA256,
                    _ => return false,
                };
                UnparsedPublicKey::new(verification, key).verify(message, signature).is_ok()
            }
            Self::Rsa { n, e } => {
                let parameters = match algorithm {
                    Algorithm::RsaSha1 => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
                    Algorithm::RsaSha256 | Algorithm::JwtRs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::RsaPssSha256 => &signature::RSA_PSS_2048_8192_SHA256,
                    _ => return false,
                };
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }
        }
    }
}

fn fits(algorithm: Algorithm, key: &[u8]) -> bool {
    match algorithm {
        Algorithm::Ed25519 => key.len() == ED25519_BYTES,
        // An uncompressed point (SEC 1 section 2.3.3).
        Algorithm::EcdsaP256Sha256 | Algorithm::JwtEs256 => key.len() == 65 && key[0] == 4,
        _ => key.first() == Some(&SEQUENCE),
    }
}

/// The bytes of the first PEM block (RFC 7468).
pub(super) fn pem(text: &str) -> Option<Vec<u8>> {
    pems(text).next()
}

/// The bytes of all PEM blocks.
fn pems(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, behind) = rest.split_once("-----BEGIN ")?;
        let (_, behind) = behind.split_once("-----")?;
        let (content, behind) = behind.split_once("-----END ")?;
        rest = behind;
        let packed: Vec<u8> = content.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        Encoding::Base64.decode(&packed)
    })
}

/// One DER value: tag, content and what follows it.
pub(super) fn value(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 || rest.len() < count {
            return None;
        }
        length = rest[..count].iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
        rest = &rest[count..];
    }
    (rest.len() >= length).then(|| (tag, &rest[..length], &rest[length..]))
}

/// The key's bits in a SubjectPublicKeyInfo.
fn subject_key(der: &[u8]) -> Option<&[u8]> {
    let (SEQUENCE, content, []) = value(der)? else { return None };
    let (SEQUENCE, _, rest) = value(content)? else { return None };
    let (BIT_STRING, bits, []) = value(rest)? else { return None };
    let (0, key) = bits.split_first().map(|(unused, key)| (*unused, key))? else { return None };
    Some(key)
}

/// The key's bits in a certificate: the seventh field of its to-be-signed part, the version not counted.
fn certificate_key(der: &[u8]) -> Option<&[u8]> {
    let (SEQUENCE, content, _) = value(der)? else { return None };
    let (SEQUENCE, mut fields, _) = value(content)? else { return None };
    if let (VERSION, _, rest) = value(fields)? {
        fields = rest;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for _ in 0..5 {
        fields = value(fields)?.2;
    }
    let (_, _, rest) = value(fields)?;
    subject_key(&fields[..fields.len() - rest.len()])
}

fn jwks(text: &str, kid: Option<&str>) -> Vec<PublicKey> {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let one = std::slice::from_ref(&value);
    let keys = value.get("keys").and_then(Value::as_array).map_or(one, Vec::as_slice);
    let is_named = |key: &&Value| key.get("kid").and_then(Value::as_str) == kid && kid.is_some();
    let named: Vec<PublicKey> = keys.iter().filter(is_named).filter_map(jwk).collect();
    if !named.is_empty() {
        return named;
    }
    keys.iter().take(SET_KEYS_MAX).filter_map(jwk).collect()
}

fn jwk(key: &Value) -> Option<PublicKey> {
    let part = |name: &str| URL_SAFE_NO_PAD.decode(key.get(name)?.as_str()?).ok();
    match key.get("kty")?.as_str()? {
        "RSA" => Some(PublicKey::Rsa { n: part("n")?, e: part("e")? }),
        "EC" => Some(PublicKey::Bytes([&[4], &part("x")?[..], &part("y")?[..]].concat())),
        "OKP" => Some(PublicKey::Bytes(part("x")?)),
        _ => None,
    }
}
