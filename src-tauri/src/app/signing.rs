//! Signing in an endpoint's name: for test events, and for replays that are signed anew.

use super::endpoint_table::EndpointEntry;
use super::error::AppError;
use crate::domain::{Secret, Timestamp};
use crate::signature::{Provider, SignatureError, Signed, SignedRequest};

/// Signs a request with the first of the endpoint's secrets that can; none when it has none, or its provider signs
/// nothing. `field` is what an error is about.
pub(super) fn sign_for(
    entry: &EndpointEntry,
    provider: &Provider,
    request: &SignedRequest<'_>,
    now: Timestamp,
    field: &str,
) -> Result<Option<Signed>, AppError> {
    let endpoint = &entry.endpoint;
    let sign =
        |secret: &Secret| provider.sign(endpoint.scheme.as_deref(), &endpoint.provider_options, secret, request, now);
    let mut failed: Option<SignatureError> = None;
    for secret in readable_secrets(entry)?.iter().filter(|_| provider.signs()) {
        match sign(secret) {
            Ok(signed) => return Ok(Some(signed)),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(None), |error| Err(cannot_sign(&error, field)))
}

/// The endpoint's secrets.
///
/// # Errors
/// When one cannot be read: that is never taken for none.
pub(super) fn readable_secrets(entry: &EndpointEntry) -> Result<&[Secret], AppError> {
    entry.secrets.as_deref().ok_or_else(|| {
        AppError::unavailable(
            "secret_unreadable",
            "The endpoint's signing secret cannot be read from the database",
            "Set it anew.",
        )
    })
}

/// Why a request cannot be signed in the endpoint's name, and what to do.
pub(super) fn cannot_sign(error: &SignatureError, field: &str) -> AppError {
    let help = match error {
        SignatureError::NeedsPrivateKey { .. } => {
            "Make a test key pair for the endpoint (`POST /endpoints/{id}/test-key`) and have your app trust its public \
             half."
        }
        other => other.hint(),
    };
    AppError::refused("cannot_sign", field, error.to_string(), help)
}
