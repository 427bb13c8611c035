//! JSON Web Tokens in compact form (RFC 7515 section 7.1) that sign by a claim over the body, or only say who calls.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::algorithm::Algorithm;
use super::key_pair::{KEY_ID, KeyPair};
use super::public_key::PublicKey;

/// Bytes of the longest token that is read.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// A token, read but not verified.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    header: Value,
    pub(super) claims: Value,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Token {
    /// Reads a token; none when it is not of the form.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= TOKEN_BYTES_MAX)?;
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object)
        };
        Some(Self {
            header: object(header)?,
            claims: object(claims)?,
            signed: signed.as_bytes().to_vec(),
            signature: URL_SAFE_NO_PAD.decode(signature.trim_end_matches('=')).ok()?,
        })
    }

    /// The algorithm that it names.
    fn algorithm(&self) -> Option<&str> {
        self.header.get("alg")?.as_str()
    }

    /// Whether it names an algorithm that the scheme allows.
    pub(super) fn names(&self, algorithm: Algorithm) -> bool {
        self.digest_for(algorithm).is_some()
    }

    /// A claim in whole seconds.
    pub(super) fn seconds(&self, claim: &str) -> Option<i64> {
        let value = self.claims.get(claim)?;
        // RFC 7519 section 2 allows fractions of a second.
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    }

    /// Whether its signature is as long as one of the algorithm that it names: RFC 7518 sections 3.2 to 3.4; RSA keys have
    /// 2048, 3072 or 4096 bits.
    pub(super) fn could_be_signed(&self, algorithm: Algorithm) -> bool {
        let lengths: &[usize] = match (algorithm, self.algorithm()) {
            (Algorithm::JwtRs256, _) => &[256, 384, 512],
            (Algorithm::JwtEs256, _) | (_, Some("HS512")) => &[64],
            (_, Some("HS384")) => &[48],
            _ => &[32],
        };
        lengths.contains(&self.signature.len())
    }

    /// Whether it is signed with that key by the algorithm that the scheme allows, and by no other: the token's own word
    /// for it is never enough (RFC 8725 section 3.1).
    pub(super) fn is_signed(&self, algorithm: Algorithm, key: &[u8]) -> bool {
        let Some(digest) = self.digest_for(algorithm) else { return false };
        if let Some(keyed) = digest {
            let expected = keyed.digest(key, std::iter::once(&self.signed[..])).unwrap_or_default();
            return expected.ct_eq(&self.signature).into();
        }
        let Ok(text) = std::str::from_utf8(key) else { return false };
        let kid = self.header.get("kid").and_then(Value::as_str);
        PublicKey::read(text, algorithm, kid).iter().any(|key| key.verifies(algorithm, &self.signed, &self.signature))
    }

    /// The keyed digest, or none within for a public key; nothing when the token names another algorithm.
    fn digest_for(&self, algorithm: Algorithm) -> Option<Option<Algorithm>> {
        match (algorithm, self.algorithm()?) {
            (Algorithm::JwtHs256 | Algorithm::JwtHs, "HS256") => Some(Some(Algorithm::HmacSha256)),
            (Algorithm::JwtHs, "HS384") => Some(Some(Algorithm::HmacSha384)),
            (Algorithm::JwtHs, "HS512") => Some(Some(Algorithm::HmacSha512)),
            (Algorithm::JwtRs256, "RS256") | (Algorithm::JwtEs256, "ES256") => Some(None),
            _ => None,
        }
    }

    /// Makes a token with a keyed digest or, where the algorithm wants one, a private key as PEM.
    pub(super) fn sign(claims: &Value, algorithm: Algorithm, key: &[u8]) -> Option<String> {
        let (name, kid) = match algorithm {
            Algorithm::JwtHs256 | Algorithm::JwtHs => ("HS256", None),
            Algorithm::JwtEs256 => ("ES256", Some(KEY_ID)),
            Algorithm::JwtRs256 => ("RS256", Some(KEY_ID)),
            _ => return None,
        };
        let kid = kid.map(|kid| format!(",\"kid\":\"{kid}\"")).unwrap_or_default();
        let header = URL_SAFE_NO_PAD.encode(format!("{{\"alg\":\"{name}\",\"typ\":\"JWT\"{kid}}}"));
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = match name {
            "HS256" => Algorithm::HmacSha256.digest(key, std::iter::once(signed.as_bytes()))?,
            _ => KeyPair::read(std::str::from_utf8(key).ok()?, algorithm)?.sign(algorithm, signed.as_bytes())?,
        };
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_token_is_read_and_only_the_allowed_algorithm_verifies() {
        // RFC 7515 appendix A.1.
        let text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                    cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let token = Token::read(text.as_bytes()).unwrap();
        assert!(token.is_signed(Algorithm::JwtHs256, &key) && token.is_signed(Algorithm::JwtHs, &key));
        assert!(!token.is_signed(Algorithm::JwtHs256, b"another"));
        assert!(!token.is_signed(Algorithm::JwtEs256, &key));
        assert_eq!(token.seconds("exp"), Some(1_300_819_380));
    }

    #[test]
    fn what_is_signed_verifies_and_a_token_without_an_algorithm_never_does() {
        let text = Token::sign(&json!({"a": 1}), Algorithm::JwtHs256, b"k").unwrap();
        assert!(Token::read(text.as_bytes()).unwrap().is_signed(Algorithm::JwtHs256, b"k"));
        let none = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode("{}"));
        assert!(!Token::read(none.as_bytes()).unwrap().is_signed(Algorithm::JwtHs, b""));
        for text in ["", ".", "..", "a.b.c", "e30.e30"] {
            assert!(Token::read(text.as_bytes()).is_none(), "{text}");
        }
    }
}
