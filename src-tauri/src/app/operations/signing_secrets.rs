//! Signing secrets: write-only.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::parameters::{EndpointPath, SecretPath};
use crate::app::App;
use crate::app::endpoint_table::EndpointEntry;
use crate::app::error::AppError;
use crate::app::operation::{Created, Input, Json, NoBody, NoContent, NoQuery};
use crate::app::views::EndpointView;
use crate::domain::limits::{SIGNING_SECRET_BYTES_MAX, SIGNING_SECRETS_MAX};
use crate::domain::{Secret, SecretId, SeededBug};

/// A signing secret to be kept. Has no output form.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SigningSecretInput {
    /// The secret, exactly as the provider shows it; nothing is trimmed.
    #[schemars(with = "String")]
    pub signing_secret: Zeroizing<String>,
}

impl SigningSecretInput {
    /// The secret; none when it is empty.
    fn read(self) -> Result<Option<Secret>, AppError> {
        read_secret(&self.signing_secret, "signing_secret")
    }
}

/// A secret as it was given; none when it is empty.
pub(super) fn read_secret(text: &str, field: &str) -> Result<Option<Secret>, AppError> {
    if SeededBug::LogSecrets.is_on() {
        tracing::warn!(secret = text, "seeded bug");
    }
    if text.len() > SIGNING_SECRET_BYTES_MAX {
        let message = format!("A signing secret has at most {SIGNING_SECRET_BYTES_MAX} bytes");
        return Err(AppError::refused("secret_too_long", field, message, "Check what was pasted."));
    }
    Ok((!text.is_empty()).then(|| Secret::new(text.to_owned())))
}

/// An endpoint that cannot take one more.
fn too_many_secrets() -> AppError {
    AppError::conflict(
        "too_many_secrets",
        format!("The endpoint has {SIGNING_SECRETS_MAX} signing secrets already"),
        "Remove the one that is no longer used.",
    )
}

/// `PUT /endpoints/{id}/signing-secret`
pub async fn replace(
    app: Arc<App>,
    input: Input<EndpointPath, NoQuery, SigningSecretInput>,
) -> Result<Json<EndpointView>, AppError> {
    let entry = app.entry(input.params.id)?;
    let secrets: Vec<_> = input.body.read()?.into_iter().map(|secret| (SecretId::new(), secret)).collect();
    let given = !secrets.is_empty();
    let (row, now) = (entry.row, app.core.clock.now());
    if !app.core.store.write(move |writing| writing.replace_secrets(row, &secrets, now)).await? {
        return Err(AppError::not_found("endpoint", entry.endpoint.id));
    }
    secrets_changed(&app, &entry, given).await.map(Json)
}

/// `POST /endpoints/{id}/signing-secrets`
pub async fn add(
    app: Arc<App>,
    input: Input<EndpointPath, NoQuery, SigningSecretInput>,
) -> Result<Created<EndpointView>, AppError> {
    let entry = app.entry(input.params.id)?;
    let Some(secret) = input.body.read()? else {
        return Err(AppError::refused(
            "invalid_value",
            "signing_secret",
            "The secret is empty",
            "Paste the provider's secret.",
        ));
    };
    app.add_secret(&entry, secret).await.map(Created)
}

/// `DELETE /endpoints/{id}/signing-secrets/{secret_id}`
pub async fn remove(app: Arc<App>, input: Input<SecretPath, NoQuery, NoBody>) -> Result<NoContent, AppError> {
    let entry = app.entry(input.params.id)?;
    let (row, id) = (entry.row, input.params.secret_id);
    if !app.core.store.write(move |writing| writing.remove_secret(row, id)).await? {
        return Err(AppError::not_found("signing secret", id));
    }
    secrets_changed(&app, &entry, false).await.map(|_| NoContent)
}

impl App {
    /// Adds a secret and judges stored deliveries again with it.
    pub(super) async fn add_secret(
        self: &Arc<Self>,
        entry: &EndpointEntry,
        secret: Secret,
    ) -> Result<EndpointView, AppError> {
        let (row, now) = (entry.row, self.core.clock.now());
        let write = self.core.store.write(move |writing| {
            // Counted where it is written, so that two calls at once cannot both find room.
            if writing.count_secrets(row)? >= SIGNING_SECRETS_MAX {
                return Ok(false);
            }
            writing.add_secret(row, SecretId::new(), &secret, now).map(|()| true)
        });
        if !write.await? {
            return Err(too_many_secrets());
        }
        secrets_changed(self, entry, true).await
    }

    /// Puts one secret in the place of another; false when that one is there no longer.
    pub(super) async fn correct_secret(
        self: &Arc<Self>,
        entry: &EndpointEntry,
        wrong: SecretId,
        right: Secret,
    ) -> Result<bool, AppError> {
        let (row, now) = (entry.row, self.core.clock.now());
        let write = self.core.store.write(move |writing| {
            if !writing.remove_secret(row, wrong)? {
                return Ok(false);
            }
            writing.add_secret(row, SecretId::new(), &right, now).map(|()| true)
        });
        let corrected = write.await?;
        if corrected {
            secrets_changed(self, entry, true).await?;
        }
        Ok(corrected)
    }
}

/// Puts changed secrets to use; with a new one, stored deliveries are judged again.
async fn secrets_changed(app: &Arc<App>, entry: &EndpointEntry, judge_again: bool) -> Result<EndpointView, AppError> {
    app.core.reload_endpoints().await?;
    let id = entry.endpoint.id;
    if judge_again {
        app.begin_reverify(id);
    }
    app.announce_endpoint(id).await
}
