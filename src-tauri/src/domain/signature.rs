//! The words for a signature's state; how they come about is `crate::signature`'s.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words;

words! {
    /// What is known about a delivery's signature.
    SignatureStatus {
        /// No secret is set, or the provider signs nothing.
        NotRequired = "not_required",
        /// The signature holds.
        Valid = "valid",
        /// The signature is there and does not hold, or cannot be read.
        Invalid = "invalid",
        /// A header or field that the scheme requires is absent.
        Missing = "missing",
    }
}

words! {
    /// Why the status is what it is (CONTRACT section 7).
    SignatureReason {
        /// It holds.
        Ok = "ok",
        /// The endpoint has no secret.
        NoSecret = "no_secret",
        /// The provider does not sign.
        NotSigned = "not_signed",
        /// A required header or field is absent.
        MissingHeader = "missing_header",
        /// The header is there but not in the documented form.
        MalformedHeader = "malformed_header",
        /// Well formed, but made with another secret or over other bytes.
        WrongSecretOrBody = "wrong_secret_or_body",
        /// It holds, but its timestamp is older than the tolerance.
        StaleTimestamp = "stale_timestamp",
        /// It holds, but its timestamp lies in the future beyond the tolerance.
        FutureTimestamp = "future_timestamp",
        /// A version or algorithm that the scheme does not know.
        UnsupportedScheme = "unsupported_scheme",
    }
}
