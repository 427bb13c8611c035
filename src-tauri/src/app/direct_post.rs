//! A request to an app without an engine: what `creel send` does.

use bytes::Bytes;

use super::core::read_target_url;
use super::error::AppError;
use crate::domain::Headers;
use crate::relay::{AddressPolicy, AttemptResult, DirectPost, RelayLimits, TargetClient, check_target};

/// Sends one request within the relay's limits: no redirects, no proxy, and only to this machine unless more is allowed.
/// Creel's own ingress may be the target: one request comes of it, and no loop.
///
/// # Errors
/// 422 when the URL is none, does not resolve, or leads elsewhere. What becomes of the request itself is the result.
pub async fn post_directly(
    method: &str,
    url: &str,
    headers: Headers,
    body: Bytes,
    allow_non_loopback: bool,
) -> Result<AttemptResult, AppError> {
    let url = read_target_url(url, "to")?;
    let policy = AddressPolicy { allow_non_loopback, ..AddressPolicy::default() };
    check_target(&url, &policy)
        .await
        .map_err(|error| AppError::refused(error.code(), "to", error.to_string(), error.hint()))?;
    let post = DirectPost { method: method.to_owned(), url, headers, body };
    Ok(TargetClient::new(RelayLimits::default()).post_directly(post, &policy).await)
}
