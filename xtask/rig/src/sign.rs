//! `X-Hub-Signature-256`, as GitHub and the generic provider sign: hexadecimal HMAC-SHA256 of the raw body.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The header's name.
pub const SIGNATURE_HEADER: &str = "X-Hub-Signature-256";

/// The header's value.
///
/// # Errors
/// Never: HMAC takes keys of any length (RFC 2104 section 3).
pub fn signature(secret: &str, body: &[u8]) -> anyhow::Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(body);
    Ok(format!("sha256={}", hex::encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_the_one_that_githubs_documentation_shows() {
        // docs.github.com, "Validating webhook deliveries", testing the webhook payload validation
        let value = signature("It's a Secret to Everybody", b"Hello, World!").unwrap();
        assert_eq!(value, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    }
}
