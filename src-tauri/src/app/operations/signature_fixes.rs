//! Fixes: what a finding of an explanation offers, done where secrets and settings are kept.
//!
//! The mistake is looked for anew, so that nothing is changed on the word of an explanation that has become old. Only
//! the endpoint's settings change; what the sender was told is history.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::endpoint_draft::checked;
use super::parameters::DeliveryPath;
use super::signatures::{OwnedRules, Subject, unjudged};
use crate::app::App;
use crate::app::error::AppError;
use crate::app::operation::{Input, Json, NoQuery};
use crate::domain::{Endpoint, EndpointId, Secret, SecretId};
use crate::signature::{Action, Explanation};

/// Which finding's offer is taken.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureFix {
    /// The finding's code.
    pub code: String,
}

/// `POST /deliveries/{id}/signature/fix`
pub async fn fix(
    app: Arc<App>,
    input: Input<DeliveryPath, NoQuery, SignatureFix>,
) -> Result<Json<Explanation>, AppError> {
    let (id, code) = (input.params.id, input.body.code);
    let (subject, explanation) = app.explained(id, OwnedRules::of).await?;
    let found = explanation.findings.into_iter().find(|finding| finding.code == code);
    let action = found.and_then(|finding| finding.action).ok_or_else(nothing_to_fix)?;
    app.carry_out(&subject, &action).await?;
    let (_, explanation) = app.explained(id, OwnedRules::of).await?;
    Ok(Json(explanation))
}

fn nothing_to_fix() -> AppError {
    AppError::conflict(
        "nothing_to_fix",
        "The explanation offers no fix of that name",
        "Read the explanation again: it may have changed meanwhile.",
    )
}

impl App {
    async fn carry_out(self: &Arc<Self>, subject: &Arc<Subject>, action: &Action) -> Result<(), AppError> {
        match action {
            Action::CorrectSecret { secret_index } => {
                let _one_at_a_time = self.core.endpoint_changes.lock().await;
                let (wrong, right) = self.corrected(subject, *secret_index).await?;
                let done = self.correct_secret(&subject.entry, wrong, right).await?;
                if done { Ok(()) } else { Err(nothing_to_fix()) }
            }
            Action::CopySecret { from_endpoint_id } => {
                let _one_at_a_time = self.core.endpoint_changes.lock().await;
                let secret = self.fitting(subject, *from_endpoint_id).await?;
                self.add_secret(&subject.entry, secret).await.map(|_| ())
            }
            Action::SetProvider { provider } => {
                let provider = provider.clone();
                // Scheme and options are those of the old provider; the new one knows nothing of them.
                let change = |endpoint| Endpoint {
                    provider,
                    scheme: None,
                    provider_options: Value::Object(Map::new()),
                    ..endpoint
                };
                self.change_endpoint(subject, change).await
            }
            Action::SetScheme { scheme } => {
                let scheme = Some(scheme.clone());
                self.change_endpoint(subject, |endpoint| Endpoint { scheme, ..endpoint }).await
            }
            Action::SetPublicUrl { url } => {
                let public_url_override = Some(url.clone());
                self.change_endpoint(subject, |endpoint| Endpoint { public_url_override, ..endpoint }).await
            }
            Action::SetSignedUrl { url } => {
                let url = url.clone();
                let change = |mut endpoint: Endpoint| {
                    if !endpoint.provider_options.is_object() {
                        endpoint.provider_options = Value::Object(Map::new());
                    }
                    endpoint.provider_options["public_url"] = url.into();
                    endpoint
                };
                self.change_endpoint(subject, change).await
            }
        }
    }

    async fn change_endpoint(
        self: &Arc<Self>,
        subject: &Subject,
        change: impl FnOnce(Endpoint) -> Endpoint,
    ) -> Result<(), AppError> {
        let _one_at_a_time = self.core.endpoint_changes.lock().await;
        let entry = self.entry(subject.entry.endpoint.id)?;
        // What the finding was judged by is no longer so: what somebody saved meanwhile is not thrown away.
        if entry.endpoint != subject.entry.endpoint {
            return Err(nothing_to_fix());
        }
        let endpoint = checked(change((*entry.endpoint).clone()), &self.core.catalogue)?;
        self.save_changed(&entry, endpoint).await.map(|_| ())
    }

    /// The secret of that index with its mistake undone, and what it takes the place of.
    async fn corrected(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        secret_index: u32,
    ) -> Result<(SecretId, Secret), AppError> {
        let stored = usize::try_from(secret_index).ok().and_then(|index| subject.entry.stored_secrets.get(index));
        let (wrong, secret) =
            stored.and_then(|stored| Some((stored.id, stored.secret.clone()?))).ok_or_else(nothing_to_fix)?;
        let found = self
            .with_rules(subject, move |subject, rules| {
                let (rules, now) = (rules.as_rules(), subject.stored.summary.received_at);
                let request = subject.stored.as_judged(&rules, now)?;
                rules.provider.corrected_secret(rules.scheme, rules.options, &secret, &request, now)
            })
            .await?;
        found.map(|(_, right)| (wrong, right)).ok_or_else(nothing_to_fix)
    }

    /// The secret of another endpoint that the delivery's signature fits.
    async fn fitting(self: &Arc<Self>, subject: &Arc<Subject>, from: EndpointId) -> Result<Secret, AppError> {
        let candidates = self.entry(from)?.secrets.clone().unwrap_or_default();
        let found = self
            .with_rules(subject, move |subject, rules| {
                for secret in candidates {
                    let secrets = std::slice::from_ref(&secret);
                    let verdict = subject.stored.judge(
                        &crate::app::stored_request::Rules { secrets, ..rules.as_rules() },
                        subject.stored.summary.received_at,
                    )?;
                    if verdict.matched_secret.is_some() {
                        return Ok(Some(secret));
                    }
                }
                Ok(None)
            })
            .await?;
        found.ok_or_else(nothing_to_fix)
    }

    /// Hashes bodies where nothing else waits, in turn with those who do the same.
    async fn with_rules<T: Send + 'static>(
        &self,
        subject: &Arc<Subject>,
        work: impl FnOnce(&Subject, &OwnedRules) -> Result<T, crate::signature::SignatureError> + Send + 'static,
    ) -> Result<T, AppError> {
        let _turn = self.large_bodies.acquire().await.map_err(|_| crate::store::StoreError::Closed)?;
        let rules = OwnedRules::of(&subject.entry)?;
        let subject = Arc::clone(subject);
        let working = self.tasks.spawn_blocking(move || work(&subject, &rules));
        let done = working.await.map_err(|_| unjudged("The signature could not be judged"))?;
        done.map_err(|error| unjudged(error.to_string()))
    }
}
