//! Refusals.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::app::error::AppError;
use crate::app::operation::{Input, Json, NoBody, NoParams, NoQuery};
use crate::domain::Refusal;
use crate::store::read_refusals;

/// The refusals that are kept.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct RefusalList {
    /// Newest first.
    pub refusals: Vec<Refusal>,
}

/// `GET /refusals`
pub async fn list(app: Arc<App>, _input: Input<NoParams, NoQuery, NoBody>) -> Result<Json<RefusalList>, AppError> {
    Ok(Json(RefusalList { refusals: app.core.store.read(read_refusals).await? }))
}
