//! Attempts of a delivery.

use std::sync::Arc;

use super::deliveries::AttemptList;
use super::parameters::{AttemptPath, DeliveryPath};
use crate::app::App;
use crate::app::error::AppError;
use crate::app::operation::{Input, Json, NoBody, NoQuery, RawBytes};
use crate::store::{read_attempts, read_response_body, read_summary};

/// `GET /deliveries/{id}/attempts`
pub async fn list(app: Arc<App>, input: Input<DeliveryPath, NoQuery, NoBody>) -> Result<Json<AttemptList>, AppError> {
    let id = input.params.id;
    let attempts = app
        .core
        .store
        .read(move |connection| {
            let Some(summary) = read_summary(connection, id)? else { return Ok(None) };
            read_attempts(connection, summary.seq).map(Some)
        })
        .await?;
    let attempts = attempts.ok_or_else(|| AppError::not_found("delivery", id))?;
    Ok(Json(AttemptList { attempts }))
}

/// `GET /attempts/{id}/response-body`
pub async fn response_body(app: Arc<App>, input: Input<AttemptPath, NoQuery, NoBody>) -> Result<RawBytes, AppError> {
    let id = input.params.id;
    let body = app.core.store.read(move |connection| read_response_body(connection, id)).await?;
    let bytes = body.ok_or_else(|| AppError::not_found("attempt with an answer", id))?;
    Ok(RawBytes { bytes, filename: format!("attempt-{id}.bin") })
}
