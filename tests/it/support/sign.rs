//! Signatures made apart from the engine's own code, so that neither side can be wrong in the same way unseen.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The value of `X-Hub-Signature-256` over these bytes.
pub fn hub_signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key length will do");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// What identifies bytes in a ledger.
pub fn fingerprint(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
