//! What a new or changed endpoint may say, and what of it is refused.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::app::error::AppError;
use crate::domain::limits::{
    ENDPOINT_NAME_CHARS_MAX, EVENT_FILTERS_MAX, REPLY_BODY_BYTES_MAX, REPLY_DELAY_MS_MAX, REPLY_TIMEOUT_MS_MAX,
    TARGETS_MAX,
};
use crate::domain::{
    BodyPolicy, DuplicatePolicy, Endpoint, EndpointId, EventFilter, Headers, Reply, SignaturePolicy, Target, Timestamp,
    Token, WhenTargetDown,
};
use crate::signature::{Catalogue, SignatureError, options_replacing};

/// Provider of an endpoint that names none.
const PROVIDER_DEFAULT: &str = "generic";

/// A new endpoint; what is left out gets its default.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct EndpointDraft {
    /// Name for people.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"\S"))]
    pub name: String,
    /// Slug of the provider.
    #[serde(default)]
    pub provider: Option<String>,
    /// Which of the provider's schemes.
    #[serde(default)]
    pub scheme: Option<String>,
    /// What the scheme needs beyond one secret.
    #[serde(default)]
    #[cfg_attr(feature = "types", ts(type = "Record<string, unknown>"))]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub provider_options: Option<Value>,
    /// Which bodies it takes.
    #[serde(default)]
    pub body_policy: Option<BodyPolicy>,
    /// What a signature that does not hold leads to.
    #[serde(default)]
    pub signature_policy: Option<SignaturePolicy>,
    /// Whether deliveries are relayed at all.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// What a repeated dedupe key leads to.
    #[serde(default)]
    pub duplicate_policy: Option<DuplicatePolicy>,
    /// What the sender is told.
    #[serde(default)]
    pub reply: Option<Reply>,
    /// Which events are relayed.
    #[serde(default)]
    pub event_filters: Option<Vec<EventFilter>>,
    /// What becomes of an attempt whose target does not answer.
    #[serde(default)]
    pub when_target_down: Option<WhenTargetDown>,
    /// Where deliveries are relayed.
    #[serde(default)]
    pub targets: Option<Vec<Target>>,
    /// Whether targets outside this machine are allowed.
    #[serde(default)]
    pub allow_non_loopback: Option<bool>,
    /// Replaces the public base URL.
    #[serde(default)]
    pub public_url_override: Option<String>,
}

/// A change: what is absent stays, lists are replaced.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(optional_fields))]
#[serde(default, deny_unknown_fields)]
pub struct EndpointPatch {
    /// Name for people.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"\S"))]
    pub name: Option<String>,
    /// Slug of the provider.
    pub provider: Option<String>,
    /// Which of the provider's schemes; null: the first.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "types", ts(type = "string | null"))]
    pub scheme: Option<Option<String>>,
    /// What the scheme needs beyond one secret.
    #[cfg_attr(feature = "types", ts(type = "Record<string, unknown>"))]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub provider_options: Option<Value>,
    /// Which bodies it takes.
    pub body_policy: Option<BodyPolicy>,
    /// What a signature that does not hold leads to.
    pub signature_policy: Option<SignaturePolicy>,
    /// Whether deliveries are relayed at all.
    pub enabled: Option<bool>,
    /// What a repeated dedupe key leads to.
    pub duplicate_policy: Option<DuplicatePolicy>,
    /// What the sender is told.
    pub reply: Option<Reply>,
    /// Which events are relayed.
    pub event_filters: Option<Vec<EventFilter>>,
    /// What becomes of an attempt whose target does not answer.
    pub when_target_down: Option<WhenTargetDown>,
    /// Where deliveries are relayed.
    pub targets: Option<Vec<Target>>,
    /// Whether targets outside this machine are allowed.
    pub allow_non_loopback: Option<bool>,
    /// Replaces the public base URL; null: no longer.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "types", ts(type = "string | null"))]
    pub public_url_override: Option<Option<String>>,
}

/// Tells `null` from absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl EndpointDraft {
    /// The endpoint, not yet checked.
    #[must_use]
    pub fn into_endpoint(self, token: Token, now: Timestamp) -> Endpoint {
        Endpoint {
            id: EndpointId::new(),
            name: self.name,
            token,
            provider: self.provider.unwrap_or_else(|| PROVIDER_DEFAULT.to_owned()),
            scheme: self.scheme,
            provider_options: self.provider_options.unwrap_or_else(|| Value::Object(Map::new())),
            body_policy: self.body_policy.unwrap_or(BodyPolicy::Any),
            signature_policy: self.signature_policy.unwrap_or(SignaturePolicy::Enforce),
            enabled: self.enabled.unwrap_or(true),
            duplicate_policy: self.duplicate_policy.unwrap_or(DuplicatePolicy::Collapse),
            reply: self.reply.unwrap_or_default(),
            event_filters: self.event_filters.unwrap_or_default(),
            when_target_down: self.when_target_down.unwrap_or(WhenTargetDown::Fail),
            targets: self.targets.unwrap_or_default(),
            allow_non_loopback: self.allow_non_loopback.unwrap_or(false),
            public_url_override: self.public_url_override,
            created_at: now,
        }
    }
}

impl EndpointPatch {
    /// The endpoint with the change, not yet checked.
    #[must_use]
    pub fn apply_to(self, endpoint: Endpoint) -> Endpoint {
        let provider_changes = self.provider.as_ref().is_some_and(|provider| *provider != endpoint.provider);
        // A scheme belongs to a provider: another provider begins with its first.
        let scheme = if provider_changes { None } else { endpoint.scheme };
        Endpoint {
            name: self.name.unwrap_or(endpoint.name),
            provider: self.provider.unwrap_or(endpoint.provider),
            scheme: self.scheme.unwrap_or(scheme),
            provider_options: match self.provider_options {
                Some(options) if provider_changes => options,
                Some(options) => options_replacing(options, &endpoint.provider_options),
                None => endpoint.provider_options,
            },
            body_policy: self.body_policy.unwrap_or(endpoint.body_policy),
            signature_policy: self.signature_policy.unwrap_or(endpoint.signature_policy),
            enabled: self.enabled.unwrap_or(endpoint.enabled),
            duplicate_policy: self.duplicate_policy.unwrap_or(endpoint.duplicate_policy),
            reply: self.reply.unwrap_or(endpoint.reply),
            event_filters: self.event_filters.unwrap_or(endpoint.event_filters),
            when_target_down: self.when_target_down.unwrap_or(endpoint.when_target_down),
            targets: self.targets.unwrap_or(endpoint.targets),
            allow_non_loopback: self.allow_non_loopback.unwrap_or(endpoint.allow_non_loopback),
            public_url_override: self.public_url_override.unwrap_or(endpoint.public_url_override),
            ..endpoint
        }
    }
}

/// Checks all of an endpoint that needs no network; trims its name and the slash behind its public URL.
///
/// # Errors
/// 422 with the field.
pub fn checked(mut endpoint: Endpoint, catalogue: &Catalogue) -> Result<Endpoint, AppError> {
    endpoint.name = endpoint.name.trim().to_owned();
    if endpoint.name.is_empty() || endpoint.name.chars().count() > ENDPOINT_NAME_CHARS_MAX {
        let message = format!("A name has 1 to {ENDPOINT_NAME_CHARS_MAX} characters");
        return Err(AppError::refused("invalid_value", "name", message, "Name it after the app that receives."));
    }
    check_signing(&endpoint, catalogue)?;
    if endpoint.when_target_down == WhenTargetDown::Hold {
        return Err(AppError::not_available("Holding deliveries while a target is down").about("when_target_down"));
    }
    check_filters(&endpoint.event_filters, "event_filters")?;
    if endpoint.targets.len() > TARGETS_MAX {
        let message = format!("An endpoint has at most {TARGETS_MAX} targets");
        return Err(AppError::refused("too_many_targets", "targets", message, "Make a second endpoint."));
    }
    for (index, target) in endpoint.targets.iter().enumerate() {
        check_filters(&target.event_filters, &format!("targets[{index}].event_filters"))?;
    }
    check_reply(&endpoint.reply)?;
    endpoint.public_url_override = endpoint.public_url_override.map(checked_public_url).transpose()?;
    Ok(endpoint)
}

fn check_signing(endpoint: &Endpoint, catalogue: &Catalogue) -> Result<(), AppError> {
    let Some(provider) = catalogue.get(&endpoint.provider) else {
        return Err(unknown_provider(&endpoint.provider));
    };
    provider
        .check_settings(endpoint.scheme.as_deref(), &endpoint.provider_options)
        .map_err(|error| refused_rules(&error))
}

/// A provider that the catalogue does not have.
pub(super) fn unknown_provider(slug: &str) -> AppError {
    AppError::not_available(&format!("The provider `{slug}`")).about("provider")
}

/// A scheme or options that do not fit the provider, with the field that is wrong.
pub(super) fn refused_rules(error: &SignatureError) -> AppError {
    let field = match error {
        SignatureError::UnknownScheme { .. } => "scheme".to_owned(),
        SignatureError::Custom { member: Some(member), .. } => format!("provider_options.custom.{member}"),
        SignatureError::Custom { member: None, .. } => "provider_options.custom".to_owned(),
        _ => "provider_options".to_owned(),
    };
    AppError::refused("invalid_value", &field, error.to_string(), "`creel providers show` says what it takes.")
}

fn check_filters(filters: &[EventFilter], field: &str) -> Result<(), AppError> {
    if filters.len() > EVENT_FILTERS_MAX {
        let message = format!("There are at most {EVENT_FILTERS_MAX} filters");
        return Err(AppError::refused("too_many_filters", field, message, "Leave the list empty to let all through."));
    }
    let blank = |text: &String| text.trim().is_empty();
    let any_blank = filters
        .iter()
        .any(|filter| blank(&filter.event) || filter.actions.as_ref().is_some_and(|actions| actions.iter().any(blank)));
    if any_blank {
        return Err(AppError::refused(
            "blank_filter",
            field,
            "A filter has a blank name",
            "Name the event, or remove it.",
        ));
    }
    Ok(())
}

fn check_reply(reply: &Reply) -> Result<(), AppError> {
    let refused = |message: String| Err(AppError::refused("invalid_value", "reply", message, "Correct the reply."));
    match reply {
        Reply::Ack {} => Ok(()),
        Reply::Passthrough { timeout_ms } => {
            if !(1..=REPLY_TIMEOUT_MS_MAX).contains(timeout_ms) {
                return refused(format!("`timeout_ms` is 1 to {REPLY_TIMEOUT_MS_MAX}"));
            }
            Ok(())
        }
        Reply::Fixed { status, headers, body, delay_ms } => {
            if !(200..=599).contains(status) {
                return refused("`status` is 200 to 599".to_owned());
            }
            if *delay_ms > REPLY_DELAY_MS_MAX {
                return refused(format!("`delay_ms` is at most {REPLY_DELAY_MS_MAX}"));
            }
            if body.len() > REPLY_BODY_BYTES_MAX {
                return refused(format!("The body has at most {REPLY_BODY_BYTES_MAX} bytes"));
            }
            let ours = ["connection", "content-length", "transfer-encoding", "date", "upgrade"];
            if let Some((name, _)) = headers.iter().find(|(name, _)| ours.contains(&name.to_ascii_lowercase().as_str()))
            {
                return refused(format!("The header `{name}` is made by Creel itself"));
            }
            match Headers::from_pairs(headers.iter().map(|(name, value)| (name, value))) {
                Ok(_) => Ok(()),
                Err(error) => refused(error.to_string()),
            }
        }
    }
}

/// A base URL as senders see it: scheme and host, perhaps a path; neither query nor fragment.
///
/// # Errors
/// 422 with what is wrong.
pub fn checked_public_url(text: String) -> Result<String, AppError> {
    let parsed = url::Url::parse(&text).ok();
    let fits = parsed.is_some_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    if !fits {
        let message = format!("`{text}` is no public base URL");
        return Err(AppError::refused(
            "invalid_value",
            "public_url_override",
            message,
            "Give it like https://hooks.example.com.",
        ));
    }
    Ok(text.trim_end_matches('/').to_owned())
}
