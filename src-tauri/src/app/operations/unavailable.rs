//! What the contract names and this version does not do yet: refused as such, never accepted silently.

use std::sync::Arc;

use serde_json::Value;

use super::parameters::JobPath;
use crate::app::App;
use crate::app::error::AppError;
use crate::app::operation::{Input, Json, NoBody, NoParams, NoQuery};

/// `POST /replays`
pub async fn bulk_replay(_app: Arc<App>, _input: Input<NoParams, NoQuery, NoBody>) -> Result<Json<Value>, AppError> {
    Err(AppError::not_available("Bulk replay"))
}

/// `GET /replays/{id}`, `DELETE /replays/{id}`
pub async fn one_bulk_replay(_app: Arc<App>, _input: Input<JobPath, NoQuery, NoBody>) -> Result<Json<Value>, AppError> {
    Err(AppError::not_available("Bulk replay"))
}
