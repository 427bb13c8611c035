//! Endpoints: an ingress URL with its provider, policies and targets.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::limits::REPLY_TIMEOUT_MS_DEFAULT;
use super::{EndpointId, TargetId, Timestamp, words};

/// The secret part of an ingress URL: `ep_` and 43 base64url characters that stand for 32 random bytes.
///
/// `Debug` shows no more than its prefix: who knows the token can send.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(type = "string"))]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// What every token begins with.
    pub const PREFIX: &'static str = "ep_";
    /// Random bytes in a token.
    pub const RANDOM_BYTES: usize = 32;

    /// The token of these random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; Self::RANDOM_BYTES]) -> Self {
        Self(format!("{}{}", Self::PREFIX, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A token read back from the database.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The token as it stands in the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(ep_…)")
    }
}

words! {
    /// Which bodies an endpoint takes.
    BodyPolicy {
        /// Every body.
        Any = "any",
        /// A JSON object or array; all else is refused with 400.
        Json = "json",
    }
}

words! {
    /// What a signature that does not hold leads to.
    SignaturePolicy {
        /// Stored as rejected, never relayed, answered 401.
        Enforce = "enforce",
        /// The verdict is stored, and the delivery relayed anyway.
        Observe = "observe",
    }
}

words! {
    /// What a repeated dedupe key leads to.
    DuplicatePolicy {
        /// An arrival of the delivery that has the key.
        Collapse = "collapse",
        /// A delivery of its own, linked to the first, and relayed.
        Relay = "relay",
    }
}

words! {
    /// What becomes of an attempt whose target does not answer.
    WhenTargetDown {
        /// It fails.
        Fail = "fail",
        /// It waits and is sent, in order of arrival, when the target answers again.
        Hold = "hold",
    }
}

/// What the sender is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// The table's answer right after the commit. With braces, because serde lets a variant without them pass with any
    /// other field beside it.
    Ack {},
    /// The first matching target's answer.
    Passthrough {
        /// How long the sender waits for it, in milliseconds.
        #[serde(default = "passthrough_timeout_ms")]
        timeout_ms: u64,
    },
    /// A canned answer in place of every 200 of the table.
    Fixed {
        /// HTTP status, 200 to 599.
        status: u16,
        /// Headers, in order.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Body as text.
        #[serde(default)]
        body: String,
        /// Wait before answering, in milliseconds.
        #[serde(default)]
        delay_ms: u64,
    },
}

impl Default for Reply {
    fn default() -> Self {
        Self::Ack {}
    }
}

fn passthrough_timeout_ms() -> u64 {
    REPLY_TIMEOUT_MS_DEFAULT
}

/// Lets an event through when name and, where given, one of the actions match. Exact case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct EventFilter {
    /// The whole name, the name without its provider prefix, or the first segment after it.
    pub event: String,
    /// The rest of the name, or the body's `action`, `state`, `conclusion` or `status`; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "types", ts(optional))]
    pub actions: Option<Vec<String>>,
}

/// Where an endpoint's deliveries are relayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name; made when absent.
    #[serde(default)]
    pub id: TargetId,
    /// `http` or `https` URL of the developer's app.
    pub url: String,
    /// Whether it is relayed to.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Which events it gets; none: all.
    #[serde(default)]
    pub event_filters: Vec<EventFilter>,
}

fn enabled() -> bool {
    true
}

/// An endpoint as configured; secrets and counters are kept apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its name for programs.
    pub id: EndpointId,
    /// Its name for people.
    pub name: String,
    /// The secret part of its URL.
    pub token: Token,
    /// Slug of its provider.
    pub provider: String,
    /// Which of the provider's schemes; null: the first.
    pub scheme: Option<String>,
    /// What the scheme needs beyond one secret; a JSON object.
    pub provider_options: Value,
    /// Which bodies it takes.
    pub body_policy: BodyPolicy,
    /// What a signature that does not hold leads to.
    pub signature_policy: SignaturePolicy,
    /// Whether deliveries are relayed at all.
    pub enabled: bool,
    /// What a repeated dedupe key leads to.
    pub duplicate_policy: DuplicatePolicy,
    /// What the sender is told.
    pub reply: Reply,
    /// Which events are relayed; none: all.
    pub event_filters: Vec<EventFilter>,
    /// What becomes of an attempt whose target does not answer.
    pub when_target_down: WhenTargetDown,
    /// Where deliveries are relayed.
    pub targets: Vec<Target>,
    /// Whether targets outside this machine are allowed.
    pub allow_non_loopback: bool,
    /// Replaces the public base URL for this endpoint.
    pub public_url_override: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Endpoint {
    /// The path of its ingress URL.
    #[must_use]
    pub fn ingress_path(&self) -> String {
        format!("/in/{}", self.token.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_ep_and_43_characters_that_are_safe_in_a_url() {
        for seed in 0..=255_u8 {
            let token = Token::from_random([seed; Token::RANDOM_BYTES]);
            let random = token.as_str().strip_prefix("ep_").unwrap();
            assert_eq!(random.len(), 43);
            assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        }
    }

    #[test]
    fn a_token_never_appears_in_debug_output() {
        let token = Token::from_random([7; Token::RANDOM_BYTES]);
        assert!(!format!("{token:?}").contains(&token.as_str()[3..]));
    }

    #[test]
    fn reply_modes_read_as_the_contract_writes_them() {
        assert_eq!(serde_json::from_str::<Reply>(r#"{"mode":"ack"}"#).unwrap(), Reply::Ack {});
        assert_eq!(
            serde_json::from_str::<Reply>(r#"{"mode":"passthrough"}"#).unwrap(),
            Reply::Passthrough { timeout_ms: 10_000 }
        );
        assert!(serde_json::from_str::<Reply>(r#"{"mode":"fixed"}"#).is_err());
        assert!(serde_json::from_str::<Reply>(r#"{"mode":"shout"}"#).is_err());
    }
}
