//! The tunnel: what could be started, how it stands, start, stop, proof.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::app::App;
use crate::app::error::AppError;
use crate::app::operation::{Input, Json, NoBody, NoContent, NoParams, NoQuery};
use crate::domain::{TunnelDetail, TunnelProviderList};

/// What is started.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct TunnelStart {
    /// Slug of a tunnel provider.
    pub provider: String,
    /// Its options by name: strings, numbers, lists of strings.
    #[serde(default)]
    #[cfg_attr(feature = "types", ts(type = "Record<string, string | number | string[]>", optional))]
    pub options: Option<Map<String, Value>>,
}

/// `GET /tunnel`
pub async fn get(_app: Arc<App>, _input: Input<NoParams, NoQuery, NoBody>) -> Result<Json<TunnelDetail>, AppError> {
    Err(AppError::not_available("The tunnel"))
}

/// `GET /tunnel/providers`
pub async fn providers(
    _app: Arc<App>,
    _input: Input<NoParams, NoQuery, NoBody>,
) -> Result<Json<TunnelProviderList>, AppError> {
    Err(AppError::not_available("The tunnel"))
}

/// `POST /tunnel`
pub async fn start(
    _app: Arc<App>,
    _input: Input<NoParams, NoQuery, TunnelStart>,
) -> Result<Json<TunnelDetail>, AppError> {
    Err(AppError::not_available("The tunnel"))
}

/// `DELETE /tunnel`
pub async fn stop(_app: Arc<App>, _input: Input<NoParams, NoQuery, NoBody>) -> Result<NoContent, AppError> {
    Err(AppError::not_available("The tunnel"))
}

/// `POST /tunnel/acknowledge`
pub async fn acknowledge(
    _app: Arc<App>,
    _input: Input<NoParams, NoQuery, NoBody>,
) -> Result<Json<TunnelDetail>, AppError> {
    Err(AppError::not_available("The tunnel"))
}

/// `POST /tunnel/probe`
pub async fn probe(_app: Arc<App>, _input: Input<NoParams, NoQuery, NoBody>) -> Result<Json<TunnelDetail>, AppError> {
    Err(AppError::not_available("The tunnel"))
}
