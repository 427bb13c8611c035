//! Health, counts, the catalogue, settings, jobs.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::parameters::{JobPath, ProviderPath};
use crate::app::App;
use crate::app::error::AppError;
use crate::app::jobs::Job;
use crate::app::operation::{Input, Json, NoBody, NoParams, NoQuery};
use crate::app::settings::{SETTINGS_NAME, Settings, SettingsOverrides};
use crate::app::views::{Health, Stats, StatusCounts};
use crate::domain::DeliveryStatus;
use crate::signature::ProviderView;
use crate::store::{StoreError, read_count};

/// Version of the engine.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The catalogue.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct ProviderList {
    /// By slug.
    pub providers: Vec<ProviderView>,
}

/// `GET /health`
pub async fn health(app: Arc<App>, _input: Input<NoParams, NoQuery, NoBody>) -> Result<Json<Health>, AppError> {
    if !app.core.store.is_writing() {
        return Err(StoreError::Closed.into());
    }
    Ok(Json(Health { status: "ok", version: VERSION }))
}

/// `GET /stats`
pub async fn stats(app: Arc<App>, _input: Input<NoParams, NoQuery, NoBody>) -> Result<Json<Stats>, AppError> {
    let core = &app.core;
    let counts = core
        .store
        .read(|connection| {
            let count = |status| read_count(connection, None, Some(status));
            Ok(StatusCounts {
                queued: count(DeliveryStatus::Queued)?,
                dispatched: count(DeliveryStatus::Dispatched)?,
                rejected: count(DeliveryStatus::Rejected)?,
                ignored: count(DeliveryStatus::Ignored)?,
                failed: count(DeliveryStatus::Failed)?,
                interrupted: count(DeliveryStatus::Interrupted)?,
            })
        })
        .await?;
    let deliveries =
        counts.queued + counts.dispatched + counts.rejected + counts.ignored + counts.failed + counts.interrupted;
    let (database_bytes, wal_bytes) = core.store.file_bytes();
    Ok(Json(Stats {
        version: VERSION,
        started_at: app.started_at,
        endpoints: core.endpoints.len() as u64,
        deliveries,
        deliveries_by_status: counts,
        received: core.counters.stored(),
        received_per_second: core.counters.per_second(core.clock.now().as_unix_seconds()),
        refused: core.counters.refused(),
        dropped: core.counters.dropped(),
        database_bytes,
        wal_bytes,
        writer_queue_depth: core.store.queue_depth() as u64,
        public_url: core.addresses.public_base(),
        ingress_url: core.addresses.ingress_url(),
    }))
}

/// `GET /providers`
pub async fn list_providers(
    app: Arc<App>,
    _input: Input<NoParams, NoQuery, NoBody>,
) -> Result<Json<ProviderList>, AppError> {
    Ok(Json(ProviderList { providers: app.core.catalogue.iter().map(|provider| provider.view()).collect() }))
}

/// `GET /providers/{slug}`
pub async fn get_provider(
    app: Arc<App>,
    input: Input<ProviderPath, NoQuery, NoBody>,
) -> Result<Json<ProviderView>, AppError> {
    let slug = input.params.slug;
    app.core
        .catalogue
        .get(&slug)
        .map(|provider| Json(provider.view()))
        .ok_or_else(|| AppError::not_found("provider", slug))
}

/// `GET /settings`
pub async fn settings(app: Arc<App>, _input: Input<NoParams, NoQuery, NoBody>) -> Result<Json<Settings>, AppError> {
    Ok(Json(app.settings()))
}

/// `PATCH /settings`
pub async fn update_settings(
    app: Arc<App>,
    input: Input<NoParams, NoQuery, SettingsOverrides>,
) -> Result<Json<Settings>, AppError> {
    let mut layers = app.core.settings_layers.lock().await;
    let changed = layers.changed(input.body);
    let json = serde_json::to_string(&changed.saved).map_err(|error| AppError::internal(error.to_string()))?;
    app.core.store.write(move |writing| writing.save_setting(SETTINGS_NAME, &json)).await?;
    *layers = changed;
    app.core.settings.send_replace(changed.in_force());
    Ok(Json(changed.in_force()))
}

/// `GET /jobs/{id}`
pub async fn job(app: Arc<App>, input: Input<JobPath, NoQuery, NoBody>) -> Result<Json<Job>, AppError> {
    let id = input.params.id;
    app.jobs.get(id).map(Json).ok_or_else(|| AppError::not_found("job", id))
}
