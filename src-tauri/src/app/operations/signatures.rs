//! Signatures of stored deliveries, explained: by the endpoint's settings, or by others that are only tried.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::endpoint_draft::{refused_rules, unknown_provider};
use super::parameters::DeliveryPath;
use super::signing_secrets::read_secret;
use crate::app::App;
use crate::app::endpoint_table::EndpointEntry;
use crate::app::error::AppError;
use crate::app::operation::{Input, Json, NoBody, NoQuery};
use crate::app::stored_request::{Rules, StoredRequest};
use crate::domain::{DeliveryId, Secret};
use crate::signature::{Action, Elsewhere, Explanation, OtherSecret, Provider, SignatureError, options_replacing};
use crate::store::{StoreError, read_payload, read_summary};

/// What to judge a signature by for once. What is left out is as the endpoint has it. Has no output form.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignatureTrial {
    /// A secret, exactly as the provider shows it. It is tried and forgotten.
    #[schemars(with = "Option<String>", length(min = 1))]
    pub secret: Option<Zeroizing<String>>,
    /// Slug of a provider. Another one than the endpoint's begins without scheme and options.
    pub provider: Option<String>,
    /// Name of a scheme.
    pub scheme: Option<String>,
    /// What the scheme needs beyond one secret.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub provider_options: Option<Value>,
}

/// Rules of their own, so that they can go to another thread.
#[derive(Clone)]
pub(super) struct OwnedRules {
    provider: Arc<Provider>,
    scheme: Option<String>,
    options: Value,
    secrets: Vec<Secret>,
    /// Whether the secrets are the endpoint's own.
    kept: bool,
}

/// A stored delivery with its endpoint.
pub(super) struct Subject {
    pub(super) entry: Arc<EndpointEntry>,
    pub(super) stored: StoredRequest,
}

/// `GET /deliveries/{id}/signature`
pub async fn explain(
    app: Arc<App>,
    input: Input<DeliveryPath, NoQuery, NoBody>,
) -> Result<Json<Explanation>, AppError> {
    let (_, explanation) = app.explained(input.params.id, OwnedRules::of).await?;
    Ok(Json(explanation))
}

/// `POST /deliveries/{id}/signature`
pub async fn try_out(
    app: Arc<App>,
    input: Input<DeliveryPath, NoQuery, SignatureTrial>,
) -> Result<Json<Explanation>, AppError> {
    let trial = input.body;
    let secret = match &trial.secret {
        None => None,
        Some(text) => Some(read_secret(text, "secret")?.ok_or_else(|| {
            AppError::refused("invalid_value", "secret", "The secret is empty", "Paste the provider's secret.")
        })?),
    };
    let catalogue = Arc::clone(&app);
    let rules = move |entry: &EndpointEntry| {
        let provider = match &trial.provider {
            Some(slug) => Some(catalogue.core.catalogue.get(slug).cloned().ok_or_else(|| unknown_provider(slug))?),
            None => None,
        };
        OwnedRules::tried(entry, provider, secret, trial.scheme, trial.provider_options)
    };
    let (_, mut explanation) = app.explained(input.params.id, rules).await?;
    // What is tried is not set, so there is nothing to mend in it.
    explanation.findings.iter_mut().for_each(|finding| finding.action = None);
    Ok(Json(explanation))
}

impl OwnedRules {
    /// The endpoint's.
    pub(super) fn of(entry: &EndpointEntry) -> Result<Self, AppError> {
        let rules = Rules::of(entry).ok_or_else(unreadable)?;
        let provider = entry.provider.clone().ok_or_else(unreadable)?;
        let scheme = rules.scheme.map(str::to_owned);
        Ok(Self { provider, scheme, options: rules.options.clone(), secrets: rules.secrets.to_vec(), kept: true })
    }

    /// The endpoint's with something else in their place.
    fn tried(
        entry: &EndpointEntry,
        provider: Option<Arc<Provider>>,
        secret: Option<Secret>,
        scheme: Option<String>,
        options: Option<Value>,
    ) -> Result<Self, AppError> {
        let endpoint = &entry.endpoint;
        let provider = provider.or_else(|| entry.provider.clone()).ok_or_else(unreadable)?;
        let is_own = provider.slug == endpoint.provider;
        let own_options = if is_own { endpoint.provider_options.clone() } else { Value::Null };
        let options = match options {
            // A secret option reads back as null, which means: as it is.
            Some(options) => options_replacing(options, &own_options),
            None => own_options,
        };
        let scheme = scheme.or_else(|| endpoint.scheme.clone().filter(|_| is_own));
        let kept = secret.is_none();
        let secrets = match secret {
            Some(secret) => vec![secret],
            None => entry.secrets.clone().ok_or_else(unreadable)?,
        };
        provider.check_settings(scheme.as_deref(), &options).map_err(|error| refused_rules(&error))?;
        Ok(Self { provider, scheme, options, secrets, kept })
    }

    pub(super) fn as_rules(&self) -> Rules<'_> {
        Rules {
            provider: &self.provider,
            scheme: self.scheme.as_deref(),
            options: &self.options,
            secrets: &self.secrets,
        }
    }
}

impl App {
    /// Explains a delivery's signature by the rules that are made for its endpoint.
    pub(super) async fn explained(
        self: &Arc<Self>,
        id: DeliveryId,
        rules: impl FnOnce(&EndpointEntry) -> Result<OwnedRules, AppError>,
    ) -> Result<(Arc<Subject>, Explanation), AppError> {
        // It reads a whole body and hashes it many times: it takes its turn with those who judge large bodies.
        let _turn = self.large_bodies.acquire().await.map_err(|_| StoreError::Closed)?;
        let subject = Arc::new(self.subject(id).await?);
        let rules = rules(&subject.entry)?;
        let others = self.other_secrets(&subject.entry, &rules.provider);
        let (app, asked) = (Arc::clone(self), Arc::clone(&subject));
        let explaining = self.tasks.spawn_blocking(move || app.explanation(&asked, &rules, &others));
        let explanation = explaining.await.unwrap_or_else(|_| Err(unjudged("The signature could not be judged")))?;
        Ok((subject, explanation))
    }

    async fn subject(&self, id: DeliveryId) -> Result<Subject, AppError> {
        let found = self
            .core
            .store
            .read(move |connection| {
                let Some(summary) = read_summary(connection, id)? else { return Ok(None) };
                let payload = read_payload(connection, summary.seq)?;
                Ok(payload.map(|payload| (summary, payload)))
            })
            .await?;
        let (summary, payload) = found.ok_or_else(|| AppError::not_found("delivery", id))?;
        let entry = self.core.endpoints.by_id(summary.endpoint_id);
        let entry = entry.ok_or_else(|| AppError::not_found("delivery", id))?;
        let base = self.public_base_of(&entry.endpoint);
        let stored = StoredRequest::new(summary, payload, &entry.endpoint, base.as_deref());
        Ok(Subject { entry: Arc::clone(&entry), stored })
    }

    fn other_secrets(&self, entry: &EndpointEntry, provider: &Provider) -> Vec<OtherSecret> {
        let all = self.core.endpoints.all();
        let others = all
            .iter()
            .filter(|other| other.endpoint.id != entry.endpoint.id && other.endpoint.provider == provider.slug);
        others
            .flat_map(|other| {
                other.secrets.clone().unwrap_or_default().into_iter().map(|secret| OtherSecret {
                    endpoint: other.endpoint.id,
                    name: other.endpoint.name.clone(),
                    secret,
                })
            })
            .collect()
    }

    fn explanation(
        &self,
        subject: &Subject,
        owned: &OwnedRules,
        other_secrets: &[OtherSecret],
    ) -> Result<Explanation, AppError> {
        let Subject { entry, stored } = subject;
        let (rules, received_at) = (owned.as_rules(), stored.summary.received_at);
        let path = stored.path_and_query(&entry.endpoint);
        let local_url = format!("{}{path}", self.core.addresses.ingress_url());
        let elsewhere = Elsewhere { other_secrets, catalogue: Some(&self.core.catalogue), local_url: Some(&local_url) };
        let explained = stored.as_judged(&rules, received_at).and_then(|request| {
            rules.provider.explain(rules.scheme, rules.options, rules.secrets, &request, received_at, elsewhere)
        });
        let mut explanation = explained.map_err(|error: SignatureError| unjudged(error.to_string()))?;
        if owned.kept {
            for (tried, kept) in explanation.secrets_tried.iter_mut().zip(&entry.stored_secrets) {
                tried.id = Some(kept.id);
            }
        }
        let is_bare = stored.summary.path.is_empty() && stored.summary.query.is_none();
        for finding in &mut explanation.findings {
            finding.action = finding.action.take().and_then(|action| for_all_deliveries(action, &path, is_bare));
        }
        Ok(explanation)
    }
}

/// What is offered where a setting of the endpoint would follow from one delivery's URL: nothing that is right for this
/// delivery alone. `path` is what senders post to; `is_bare` says that it is the endpoint's own URL, with nothing behind.
fn for_all_deliveries(action: Action, path: &str, is_bare: bool) -> Option<Action> {
    let Action::SetSignedUrl { url } = action else { return Some(action) };
    // A URL that is right but for its beginning is right for all deliveries with that beginning.
    match url.strip_suffix(path).filter(|base| base.contains("://")) {
        Some(base) => Some(Action::SetPublicUrl { url: base.to_owned() }),
        None => is_bare.then_some(Action::SetSignedUrl { url }),
    }
}

fn unreadable() -> AppError {
    AppError::unavailable("secret_unreadable", "The endpoint's signing secret cannot be read", "Set it anew.")
}

pub(super) fn unjudged(why: impl Into<String>) -> AppError {
    AppError::unavailable("signature_unjudged", why, "Correct the endpoint's settings, or ask again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_one_delivery_is_offered_as_the_endpoints_only_where_nothing_stands_behind_it() {
        let signed = |url: &str| Action::SetSignedUrl { url: url.to_owned() };
        let other = "https://a.example/hook?shop=1";
        assert_eq!(for_all_deliveries(signed(other), "/in/t/square?shop=1", false), None);
        assert_eq!(for_all_deliveries(signed(other), "/in/t", true), Some(signed(other)));
        let base = Action::SetPublicUrl { url: "https://a.example".to_owned() };
        assert_eq!(for_all_deliveries(signed("https://a.example/in/t/x?y=1"), "/in/t/x?y=1", false), Some(base));
        let scheme = Action::SetScheme { scheme: "v1".to_owned() };
        assert_eq!(for_all_deliveries(scheme.clone(), "/in/t/x", false), Some(scheme));
    }
}
