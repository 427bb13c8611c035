//! Endpoints as shown: never a secret, only its hint.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::core::Addresses;
use crate::app::endpoint_table::EndpointEntry;
use crate::domain::limits::SHORT_SECRET_BYTES;
use crate::domain::{
    BodyPolicy, DuplicatePolicy, EndpointId, EventFilter, Reply, Secret, SecretId, SignaturePolicy, Target, Timestamp,
    Token, WhenTargetDown,
};
use crate::signature::{is_private_key, options_without_secrets};

/// An endpoint.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct EndpointView {
    /// Its name for programs.
    pub id: EndpointId,
    /// Its name for people.
    pub name: String,
    /// The secret part of its URL.
    pub token: Token,
    /// Path of its ingress URL.
    pub ingress_path: String,
    /// Where a sender on this machine posts.
    pub ingress_url: String,
    /// Where a provider posts; null without a public address.
    pub public_url: Option<String>,
    /// Slug of its provider.
    pub provider: String,
    /// Which of the provider's schemes; null: the first.
    pub scheme: Option<String>,
    /// What the scheme needs beyond one secret.
    #[cfg_attr(feature = "types", ts(type = "Record<string, unknown>"))]
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
    /// Whether a signing secret is set.
    pub has_signing_secret: bool,
    /// Last four characters of the first secret; null when it has fewer than twelve.
    pub signing_secret_hint: Option<String>,
    /// All signing secrets, oldest first.
    pub signing_secrets: Vec<SecretView>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
    /// When it last received something.
    pub last_delivery_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A signing secret, without the secret.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct SecretView {
    /// Its name.
    pub id: SecretId,
    /// Last four characters; null when it has fewer than twelve.
    pub hint: Option<String>,
    /// Whether it is a private key, such as a test key's: it signs what Creel sends, and stands for its public half.
    pub is_private_key: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

/// Something the user should know about an endpoint.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Warning {
    /// Stable word.
    pub code: &'static str,
    /// What it is.
    pub message: String,
}

/// All endpoints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct EndpointList {
    /// In the order they were made.
    pub endpoints: Vec<EndpointView>,
}

impl EndpointView {
    /// An endpoint as shown.
    #[must_use]
    pub fn of(entry: &EndpointEntry, addresses: &Addresses, last_delivery_at: Option<Timestamp>) -> Self {
        let endpoint = (*entry.endpoint).clone();
        let ingress_path = endpoint.ingress_path();
        let public_base = endpoint.public_url_override.clone().or_else(|| addresses.public_base());
        let secrets = entry.stored_secrets.iter();
        let signing_secrets: Vec<SecretView> = secrets
            .map(|stored| SecretView {
                id: stored.id,
                hint: stored.secret.as_ref().and_then(Secret::hint),
                is_private_key: stored.secret.as_ref().is_some_and(is_private_key),
                created_at: stored.created_at,
            })
            .collect();
        Self {
            ingress_url: format!("{}{ingress_path}", addresses.ingress_url()),
            public_url: public_base.map(|base| format!("{base}{ingress_path}")),
            ingress_path,
            has_signing_secret: !signing_secrets.is_empty(),
            signing_secret_hint: signing_secrets.first().and_then(|secret| secret.hint.clone()),
            signing_secrets,
            warnings: warnings(entry),
            last_delivery_at,
            id: endpoint.id,
            name: endpoint.name,
            token: endpoint.token,
            provider: endpoint.provider,
            scheme: endpoint.scheme,
            provider_options: options_without_secrets(&endpoint.provider_options),
            body_policy: endpoint.body_policy,
            signature_policy: endpoint.signature_policy,
            enabled: endpoint.enabled,
            duplicate_policy: endpoint.duplicate_policy,
            reply: endpoint.reply,
            event_filters: endpoint.event_filters,
            when_target_down: endpoint.when_target_down,
            targets: endpoint.targets,
            allow_non_loopback: endpoint.allow_non_loopback,
            public_url_override: endpoint.public_url_override,
            created_at: endpoint.created_at,
        }
    }
}

fn warnings(entry: &EndpointEntry) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let secrets = entry.stored_secrets.iter();
    if secrets.clone().any(|stored| stored.secret.as_ref().is_some_and(Secret::is_short)) {
        warnings.push(Warning {
            code: "short_secret",
            message: format!("A signing secret is shorter than {SHORT_SECRET_BYTES} bytes and easy to guess."),
        });
    }
    // White space means nothing around a PEM block.
    let has_edge_space = |secret: &Secret| secret.expose().trim() != secret.expose() && !is_private_key(secret);
    if secrets.clone().any(|stored| stored.secret.as_ref().is_some_and(has_edge_space)) {
        warnings.push(Warning {
            code: "secret_whitespace",
            message: "A signing secret begins or ends with white space; it is used as it is.".to_owned(),
        });
    }
    if secrets.clone().any(|stored| stored.secret.is_none()) {
        warnings.push(Warning {
            code: "secret_unreadable",
            message: "A signing secret cannot be read from the database; deliveries are refused until it is set anew."
                .to_owned(),
        });
    }
    if entry.endpoint.allow_non_loopback {
        warnings.push(Warning {
            code: "non_loopback_allowed",
            message: "Deliveries may be relayed to addresses outside this machine.".to_owned(),
        });
    }
    warnings
}
