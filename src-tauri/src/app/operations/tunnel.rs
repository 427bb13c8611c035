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
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct TunnelStart {
    /// Slug of a tunnel provider.
    pub provider: String,
    /// Its options by name: strings, numbers, lists of strings. Secrets are handed to the program and not kept.
    #[serde(default)]
    #[cfg_attr(feature = "types", ts(type = "Record<string, string | number | string[]>", optional))]
    pub options: Option<Map<String, Value>>,
}

impl std::fmt::Debug for TunnelStart {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Options may hold secrets.
        formatter.debug_struct("TunnelStart").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// `GET /tunnel`
pub async fn get(app: Arc<App>, _input: Input<NoParams, NoQuery, NoBody>) -> Result<Json<TunnelDetail>, AppError> {
    Ok(Json(app.tunnels.detail()))
}

/// `GET /tunnel/providers`
pub async fn providers(
    app: Arc<App>,
    _input: Input<NoParams, NoQuery, NoBody>,
) -> Result<Json<TunnelProviderList>, AppError> {
    Ok(Json(app.tunnels.providers().await))
}

/// `POST /tunnel`
pub async fn start(
    app: Arc<App>,
    input: Input<NoParams, NoQuery, TunnelStart>,
) -> Result<Json<TunnelDetail>, AppError> {
    let TunnelStart { provider, options } = input.body;
    // As with its end: a start half done by a client that went away would leave a state that nobody keeps.
    let (starting, options) = (Arc::clone(&app), options.unwrap_or_default());
    let started = app.tasks.spawn(async move { starting.tunnels.start(&provider, &options).await }).await;
    started.map_err(|error| AppError::internal(format!("The tunnel could not be started: {error}")))??;
    Ok(Json(app.tunnels.detail()))
}

/// `DELETE /tunnel`
pub async fn stop(app: Arc<App>, _input: Input<NoParams, NoQuery, NoBody>) -> Result<NoContent, AppError> {
    // Carried to its end whoever waits for it: a program half stopped would belong to nobody.
    let stopping = Arc::clone(&app);
    let stopped = app.tasks.spawn(async move { stopping.tunnels.stop().await }).await;
    stopped.map_err(|error| AppError::internal(format!("The tunnel could not be stopped: {error}")))?;
    Ok(NoContent)
}

/// `POST /tunnel/acknowledge`
pub async fn acknowledge(
    app: Arc<App>,
    _input: Input<NoParams, NoQuery, NoBody>,
) -> Result<Json<TunnelDetail>, AppError> {
    app.tunnels.acknowledge();
    Ok(Json(app.tunnels.detail()))
}

/// `POST /tunnel/probe`
pub async fn probe(app: Arc<App>, _input: Input<NoParams, NoQuery, NoBody>) -> Result<Json<TunnelDetail>, AppError> {
    app.tunnels.probe()?;
    Ok(Json(app.tunnels.detail()))
}
