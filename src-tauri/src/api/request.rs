//! From an HTTP request to the call of an operation.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::response::ApiError;
use crate::app::error::AppError;
use crate::app::operation::{Call, Operation};

/// Time for a whole body to arrive.
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads what the operation takes.
pub(super) async fn call<E: Send + Sync + 'static>(
    operation: &Operation<E>,
    params: Map<String, Value>,
    head: &Parts,
    body: Body,
) -> Result<Call, ApiError> {
    let query = query(head.uri.query().unwrap_or_default());
    let idempotency_key = idempotency_key(&head.headers)?;
    let body =
        if operation.takes_body { parse(&read(&head.headers, body, operation.body_bytes_max).await?)? } else { None };
    Ok(Call { params, query, body, idempotency_key })
}

/// Parameters by name; one that is given several times becomes a list, which only a parameter that is a list takes.
fn query(query: &str) -> Map<String, Value> {
    let mut parameters = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let value = Value::String(value.into_owned());
        match parameters.get_mut(name.as_ref()) {
            None => {
                parameters.insert(name.into_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    parameters
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    match key.to_str() {
        Ok(key) if keys.next().is_none() => Ok(Some(key.to_owned())),
        _ => Err(AppError::bad_request("The Idempotency-Key cannot be read", "Send one, of visible ASCII characters.")
            .about("Idempotency-Key")
            .into()),
    }
}

async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limit as u64) {
        return Err(too_large(limit));
    }
    let collected = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(error)) => Err(AppError::bad_request(
            format!("The body could not be read: {error}"),
            "Send it whole, with the length that was announced.",
        )
        .into()),
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            format!("The body did not arrive within {} s", BODY_TIMEOUT.as_secs()),
            "Send it faster.",
        )),
    }
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        format!("The body is larger than the {limit} bytes that this call takes"),
        "Send less.",
    )
}

fn parse(body: &[u8]) -> Result<Option<Value>, ApiError> {
    if body.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(body).map(Some).map_err(|error| {
        AppError::bad_request(format!("The body is no JSON: {error}"), "Send a JSON object in UTF-8.").into()
    })
}
