//! What one press of a button, or one call, can do about a mistake.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::EndpointId;

/// A change of the endpoint's settings that undoes a mistake. It never holds a secret: where one has to be corrected or
/// copied, that is done where it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Put a secret of the endpoint in order: without its white space, quotes or prefix, or written in the form that the
    /// scheme reads.
    CorrectSecret {
        /// Which of the endpoint's secrets, counted from 0, oldest first.
        secret_index: u32,
    },
    /// Accept the secret of another endpoint here as well.
    CopySecret {
        /// The endpoint that has it.
        from_endpoint_id: EndpointId,
    },
    /// Read the endpoint's deliveries as another provider's.
    SetProvider {
        /// Its slug.
        provider: String,
    },
    /// Judge by another scheme of the same provider.
    SetScheme {
        /// Its name.
        scheme: String,
    },
    /// Say where senders reach the endpoint: its `public_url_override`.
    SetPublicUrl {
        /// The base URL.
        url: String,
    },
    /// Say which URL the provider signs: the option `public_url`.
    SetSignedUrl {
        /// The whole URL.
        url: String,
    },
}
