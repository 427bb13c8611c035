//! Signing secrets: write-only.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::parameters::{EndpointPath, SecretPath};
use crate::app::App;
use crate::app::endpoint_table::EndpointEntry;
use crate::app::error::AppError;
use crate::app::operation::{CreatedOrSame, Input, Json, NoBody, NoContent, NoQuery};
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
) -> Result<CreatedOrSame<EndpointView>, AppError> {
    let entry = app.entry(input.params.id)?;
    let Some(secret) = input.body.read()? else {
        return Err(AppError::refused(
            "invalid_value",
            "signing_secret",
            "The secret is empty",
            "Paste the provider's secret.",
        ));
    };
    app.add_secret(&entry, secret).await
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

/// What came of adding a secret.
enum Addition {
    Done,
    /// The endpoint has that very secret.
    Same,
    NoRoom,
    /// The endpoint has been deleted meanwhile.
    NoEndpoint,
}

impl App {
    /// Adds a secret and judges stored deliveries again with it. One that the endpoint has is not added twice.
    pub(super) async fn add_secret(
        self: &Arc<Self>,
        entry: &EndpointEntry,
        secret: Secret,
    ) -> Result<CreatedOrSame<EndpointView>, AppError> {
        let (row, now) = (entry.row, self.core.clock.now());
        let write = self.core.store.write(move |writing| {
            // Looked up where it is written, so that two calls at once cannot both find room.
            if writing.has_secret(row, &secret)? {
                return Ok(Addition::Same);
            }
            if writing.count_secrets(row)? >= SIGNING_SECRETS_MAX {
                return Ok(Addition::NoRoom);
            }
            let is_added = writing.add_secret(row, SecretId::new(), &secret, now)?;
            Ok(if is_added { Addition::Done } else { Addition::NoEndpoint })
        });
        let created = match write.await? {
            Addition::NoRoom => return Err(too_many_secrets()),
            Addition::NoEndpoint => return Err(AppError::not_found("endpoint", entry.endpoint.id)),
            Addition::Same => false,
            Addition::Done => true,
        };
        Ok(CreatedOrSame { created, value: secrets_changed(self, entry, created).await? })
    }

    /// Puts the key to use that a provider handed over with its handshake and that is stored already.
    pub(in crate::app) async fn use_first_secret(self: &Arc<Self>, entry: &EndpointEntry) {
        if let Err(error) = secrets_changed(self, entry, true).await {
            tracing::error!(
                endpoint = %entry.endpoint.id,
                why = error.message,
                "a key that was handed over is stored, and not in use before the next change of an endpoint"
            );
        }
    }

    /// Puts one secret in the place of another; false when that one is there no longer.
    pub(super) async fn correct_secret(
        self: &Arc<Self>,
        entry: &EndpointEntry,
        wrong: SecretId,
        right: Secret,
    ) -> Result<bool, AppError> {
        let row = entry.row;
        let write = self.core.store.write(move |writing| writing.correct_secret(row, wrong, SecretId::new(), &right));
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::test_app::{app, ended, endpoint, secret_texts, secrets};
    use crate::relay::CertificateClient;

    #[tokio::test]
    async fn a_secret_that_is_there_is_not_added_again_and_two_calls_at_once_add_one() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), CertificateClient::default()).await;
        let id = endpoint(&app, "generic", json!({})).await;
        let entry = app.entry(id).unwrap();
        let add = || app.add_secret(&entry, Secret::new("one".to_owned()));
        let (first, second) = tokio::join!(add(), add());
        assert_ne!(first.unwrap().created, second.unwrap().created);
        assert_eq!(secret_texts(&app, id), ["one"]);
        assert!(app.add_secret(&entry, Secret::new("two".to_owned())).await.unwrap().created);
        assert!(!add().await.unwrap().created, "also when there is no room for another");
        let Err(error) = app.add_secret(&entry, Secret::new("three".to_owned())).await else {
            panic!("a third secret")
        };
        assert_eq!(error.code, "too_many_secrets");
        ended(app).await;
    }

    #[tokio::test]
    async fn a_corrected_secret_keeps_its_place_and_is_never_there_twice() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), CertificateClient::default()).await;
        let id = endpoint(&app, "generic", json!({})).await;
        secrets(&app, id, &[" one", "two"]).await;
        let before = app.entry(id).unwrap();
        let wrong = &before.stored_secrets[0];
        assert!(app.correct_secret(&before, wrong.id, Secret::new("one".to_owned())).await.unwrap());
        assert_eq!(secret_texts(&app, id), ["one", "two"]);
        let after = app.entry(id).unwrap();
        assert_eq!(after.stored_secrets[0].created_at, wrong.created_at);
        assert!(!app.correct_secret(&before, wrong.id, Secret::new("uno".to_owned())).await.unwrap(), "it is gone");
        let one = after.stored_secrets[0].id;
        assert!(app.correct_secret(&after, one, Secret::new("two".to_owned())).await.unwrap());
        assert_eq!(secret_texts(&app, id), ["two"]);
        ended(app).await;
    }
}
