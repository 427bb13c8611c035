//! Whether anything answers at targets: for the person who sets one, before a delivery depends on it.

use std::sync::Arc;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::app::error::AppError;
use crate::app::operation::{Input, Json, NoParams, NoQuery};
use crate::relay::{PROBE_TIME, Probe, probe};

/// Targets of one call.
const PROBES_MAX: usize = 16;

/// What is probed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct ProbeRequest {
    /// URLs of targets; at most 16. Only addresses of this machine's loopback are dialled.
    #[schemars(length(min = 1, max = 16))]
    pub urls: Vec<String>,
    /// Also sends `HEAD /` and says what answers; otherwise only connects, so that no app logs a request.
    #[serde(default)]
    pub ask: Option<bool>,
}

/// What came of one probe.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TargetProbe {
    /// As asked for.
    pub url: String,
    /// Whether something took the connection.
    pub reachable: bool,
    /// Why not, or why it was not tried; null when it was.
    pub reason: Option<String>,
    /// Status of the answer to `HEAD /`; null unless asked for and answered in time.
    pub http_status: Option<u16>,
    /// What the answer says about the software behind it.
    pub server: Option<String>,
    /// Milliseconds to the connection; null without one.
    pub connected_ms: Option<u64>,
}

/// What came of all.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TargetProbeList {
    /// In the order of the call.
    pub probes: Vec<TargetProbe>,
}

/// `POST /targets/probe`
pub async fn probe_all(
    app: Arc<App>,
    input: Input<NoParams, NoQuery, ProbeRequest>,
) -> Result<Json<TargetProbeList>, AppError> {
    let ProbeRequest { urls, ask } = input.body;
    if urls.is_empty() || urls.len() > PROBES_MAX {
        let message = format!("1 to {PROBES_MAX} targets are probed at once, each for {} ms", PROBE_TIME.as_millis());
        return Err(AppError::refused("invalid_value", "urls", message, "Ask for the others in another call."));
    }
    let (ask, policy) = (ask.unwrap_or(false), app.core.address_policy(false));
    let probes = join_all(urls.into_iter().map(async |url| {
        let Probe { reachable, reason, http_status, server, connected_ms } = probe(&url, ask, &policy).await;
        TargetProbe { url, reachable, reason, http_status, server, connected_ms }
    }))
    .await;
    Ok(Json(TargetProbeList { probes }))
}
