//! Identifiers: UUIDv7 newtypes, one per noun, so that an endpoint's id cannot be passed for a delivery's.
//!
//! UUIDv7 (RFC 9562 section 5.7) begins with the time in milliseconds, so that new rows land at the end of an index.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[cfg_attr(feature = "types", derive(ts_rs::TS), ts(type = "string"))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id; unique, and later than every id this process made before it.
            #[must_use]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The sixteen bytes, as stored.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id with these sixteen bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// Names an endpoint.
    EndpointId
);
id!(
    /// Names a delivery.
    DeliveryId
);
id!(
    /// Names one relay attempt.
    AttemptId
);
id!(
    /// Names a relay target of an endpoint.
    TargetId
);
id!(
    /// Names one signing secret of an endpoint; never the secret itself.
    SecretId
);
id!(
    /// Names a refusal.
    RefusalId
);
id!(
    /// Names a background job (re-verification, bulk replay).
    JobId
);
