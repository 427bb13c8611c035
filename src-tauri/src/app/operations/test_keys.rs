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
use crate::app::endpoint_table::EndpointEntry;
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
    // Made before the lock is taken, and on a thread of its own: an RSA key takes a good part of a second.
    let signing = Signing::of(&*app.entry(input.params.id)?)?;
    let making = app.tasks.spawn_blocking(move || signing.test_key());
    let made = making.await.unwrap_or_else(|_| Err(AppError::internal("the key could not be made")))?;
    let Some(secret) = made.secret else {
        return Ok(Json(TestKey { public_key: made.public_key, made: false }));
    };
    // Two calls at once make one key: the second finds the first one's.
    let _one_at_a_time = app.core.endpoint_changes.lock().await;
    let entry = app.entry(input.params.id)?;
    let signing = Signing::of(&entry)?;
    if let Some(public_key) = signing.present_public_key() {
        return Ok(Json(TestKey { public_key, made: false }));
    }
    if signing.public_key_of(&secret).as_ref() != Some(&made.public_key) {
        let message = "The endpoint's provider or scheme was changed while its key was made.";
        return Err(AppError::conflict("no_test_key", message, "Ask for the key again."));
    }
    app.add_secret(&entry, secret).await?;
    Ok(Json(TestKey { public_key: made.public_key, made: true }))
}

/// A key pair of an endpoint.
struct KeyPair {
    /// The private half, when it has just been made.
    secret: Option<Secret>,
    public_key: String,
}

/// How an endpoint's requests are signed, as of now.
struct Signing {
    provider: Arc<Provider>,
    endpoint: Arc<Endpoint>,
    secrets: Vec<Secret>,
}

impl Signing {
    fn of(entry: &EndpointEntry) -> Result<Self, AppError> {
        let Some(provider) = entry.provider.clone() else {
            return Err(AppError::internal("the catalogue does not know the endpoint's provider"));
        };
        let (endpoint, secrets) = (Arc::clone(&entry.endpoint), readable_secrets(entry)?.to_vec());
        Ok(Self { provider, endpoint, secrets })
    }

    /// The public half of a secret that is a private key.
    fn public_key_of(&self, secret: &Secret) -> Option<String> {
        let Endpoint { scheme, provider_options, .. } = &*self.endpoint;
        self.provider.public_key_of(scheme.as_deref(), provider_options, secret)
    }

    /// Of the key pair that the endpoint has already.
    fn present_public_key(&self) -> Option<String> {
        self.secrets.iter().find_map(|secret| self.public_key_of(secret))
    }

    /// The endpoint's key pair, made when it has none.
    fn test_key(&self) -> Result<KeyPair, AppError> {
        if let Some(public_key) = self.present_public_key() {
            return Ok(KeyPair { secret: None, public_key });
        }
        let none = Headers::default();
        let request = SignedRequest { method: "POST", url: None, headers: &none, body: b"" };
        let Endpoint { scheme, provider_options, .. } = &*self.endpoint;
        let secret = self.provider.test_secret(scheme.as_deref(), provider_options, &request);
        let secret = secret.map_err(|error| match error {
            SignatureError::SigningUnsupported { .. } => cannot_sign(&error, "id"),
            other => AppError::conflict("no_test_key", other.to_string(), other.hint()),
        })?;
        let public_key = self.public_key_of(&secret).ok_or_else(|| {
            let name = &self.provider.name;
            let message = format!("{name} signs with a secret that both sides know, so there is no key pair to make");
            AppError::conflict("no_test_key", message, "Set any signing secret, and give the same to your app.")
        })?;
        Ok(KeyPair { secret: Some(secret), public_key })
    }
}
