//! Test keys: a key pair of the endpoint's own, where only the provider has the key that signs.
//!
//! The private half is kept as one of the endpoint's signing secrets, beside the provider's public key: what the provider
//! signs verifies as before, and what Creel signs (test events, replays signed anew) verifies too. It is never shown; the
//! public half is what the developer's app is given in place of the provider's key.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::parameters::EndpointPath;
use crate::app::App;
use crate::app::error::AppError;
use crate::app::operation::{Input, Json, NoBody, NoQuery};
use crate::app::signing::{cannot_sign, readable_secrets};
use crate::domain::{Endpoint, Headers, Secret};
use crate::signature::{Provider, SignatureError, SignedRequest};

/// The public half of an endpoint's test key.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TestKey {
    /// The public half, written as the provider writes its own.
    pub public_key: String,
    /// Whether it was made now; false: the endpoint had it already.
    pub made: bool,
}

/// `POST /endpoints/{id}/test-key`
pub async fn make(app: Arc<App>, input: Input<EndpointPath, NoQuery, NoBody>) -> Result<Json<TestKey>, AppError> {
    // Two calls at once make one key.
    let _one_at_a_time = app.core.endpoint_changes.lock().await;
    let entry = app.entry(input.params.id)?;
    let Some(provider) = entry.provider.clone() else {
        return Err(AppError::internal("the catalogue does not know the endpoint's provider"));
    };
    let (endpoint, secrets) = (Arc::clone(&entry.endpoint), readable_secrets(&entry)?.to_vec());
    // An RSA key takes a good part of a second to make.
    let making = app.tasks.spawn_blocking(move || test_key(&provider, &endpoint, &secrets));
    let made = making.await.unwrap_or_else(|_| Err(AppError::internal("the key could not be made")))?;
    let (secret, public_key) = made;
    let made = secret.is_some();
    if let Some(secret) = secret {
        app.add_secret(&entry, secret).await?;
    }
    Ok(Json(TestKey { public_key, made }))
}

/// The private half, when it has to be made, and the public one.
fn test_key(
    provider: &Provider,
    endpoint: &Endpoint,
    secrets: &[Secret],
) -> Result<(Option<Secret>, String), AppError> {
    let (scheme, options) = (endpoint.scheme.as_deref(), &endpoint.provider_options);
    let public = |secret: &_| provider.public_key_of(scheme, options, secret);
    if let Some(public_key) = secrets.iter().find_map(public) {
        return Ok((None, public_key));
    }
    let none = Headers::default();
    let request = SignedRequest { method: "POST", url: None, headers: &none, body: b"" };
    let secret = provider.test_secret(scheme, options, &request).map_err(|error| match error {
        SignatureError::SigningUnsupported { .. } => cannot_sign(&error, "id"),
        other => AppError::conflict("no_test_key", other.to_string(), other.hint()),
    })?;
    let public_key = public(&secret).ok_or_else(|| {
        let message =
            format!("{} signs with a secret that both sides know, so there is no key pair to make", provider.name);
        AppError::conflict("no_test_key", message, "Set any signing secret, and give the same to your app.")
    })?;
    Ok((Some(secret), public_key))
}
