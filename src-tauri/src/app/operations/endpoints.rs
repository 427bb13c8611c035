//! Endpoints.

use std::sync::Arc;

use super::endpoint_draft::{EndpointDraft, EndpointPatch, checked};
use super::parameters::EndpointPath;
use crate::app::App;
use crate::app::endpoint_table::EndpointEntry;
use crate::app::error::AppError;
use crate::app::events::EventData;
use crate::app::jobs::Job;
use crate::app::operation::{Accepted, Created, Input, Json, NoBody, NoContent, NoParams, NoQuery};
use crate::app::views::{EndpointList, EndpointView};
use crate::domain::limits::ENDPOINTS_MAX;
use crate::domain::{Endpoint, EndpointId, Timestamp, Token};
use crate::store::read_last_delivery_at;

/// `GET /endpoints`
pub async fn list(app: Arc<App>, _input: Input<NoParams, NoQuery, NoBody>) -> Result<Json<EndpointList>, AppError> {
    let entries = app.core.endpoints.all();
    let rows: Vec<i64> = entries.iter().map(|entry| entry.row).collect();
    let last: Vec<Option<Timestamp>> = app
        .core
        .store
        .read(move |connection| rows.into_iter().map(|row| read_last_delivery_at(connection, row)).collect())
        .await?;
    let shown = entries.iter().zip(last).map(|(entry, last)| EndpointView::of(entry, &app.core.addresses, last));
    Ok(Json(EndpointList { endpoints: shown.collect() }))
}

/// `POST /endpoints`
pub async fn create(
    app: Arc<App>,
    input: Input<NoParams, NoQuery, EndpointDraft>,
) -> Result<Created<EndpointView>, AppError> {
    if app.core.endpoints.len() >= ENDPOINTS_MAX {
        return Err(AppError::conflict(
            "too_many_endpoints",
            format!("There are {ENDPOINTS_MAX} endpoints already"),
            "Delete some.",
        ));
    }
    let endpoint = input.body.into_endpoint(fresh_token()?, app.core.clock.now());
    let endpoint = checked(endpoint, &app.core.catalogue)?;
    app.check_targets(&endpoint, None).await?;
    app.save_endpoint(endpoint).await.map(Created)
}

/// `GET /endpoints/{id}`
pub async fn get(app: Arc<App>, input: Input<EndpointPath, NoQuery, NoBody>) -> Result<Json<EndpointView>, AppError> {
    app.endpoint_view(input.params.id).await.map(Json)
}

/// `PATCH /endpoints/{id}`
pub async fn update(
    app: Arc<App>,
    input: Input<EndpointPath, NoQuery, EndpointPatch>,
) -> Result<Json<EndpointView>, AppError> {
    let _one_at_a_time = app.core.endpoint_changes.lock().await;
    let entry = app.entry(input.params.id)?;
    let endpoint = checked(input.body.apply_to((*entry.endpoint).clone()), &app.core.catalogue)?;
    app.check_targets(&endpoint, Some(&entry.endpoint)).await?;
    app.save_changed(&entry, endpoint).await.map(Json)
}

/// `DELETE /endpoints/{id}`
pub async fn delete(app: Arc<App>, input: Input<EndpointPath, NoQuery, NoBody>) -> Result<NoContent, AppError> {
    let id = input.params.id;
    app.entry(id)?;
    {
        let _one_at_a_time = app.core.endpoint_changes.lock().await;
        app.core.store.write(move |writing| writing.hide_endpoint(id)).await?;
        app.core.reload_endpoints().await?;
    }
    app.core.events.publish(EventData::Endpoint(Arc::new(serde_json::json!({ "id": id, "deleted": true }))));
    // Its URL is gone already; its deliveries go before this answers, or with the next round of housekeeping.
    app.delete_hidden_endpoints().await?;
    Ok(NoContent)
}

/// `POST /endpoints/{id}/rotate-token`
pub async fn rotate_token(
    app: Arc<App>,
    input: Input<EndpointPath, NoQuery, NoBody>,
) -> Result<Json<EndpointView>, AppError> {
    let _one_at_a_time = app.core.endpoint_changes.lock().await;
    let entry = app.entry(input.params.id)?;
    let endpoint = Endpoint { token: fresh_token()?, ..(*entry.endpoint).clone() };
    app.save_endpoint(endpoint).await.map(Json)
}

/// `POST /endpoints/{id}/reverify`
pub async fn reverify(app: Arc<App>, input: Input<EndpointPath, NoQuery, NoBody>) -> Result<Accepted<Job>, AppError> {
    let entry = app.entry(input.params.id)?;
    Ok(Accepted(app.begin_reverify(entry.endpoint.id)))
}

fn fresh_token() -> Result<Token, AppError> {
    let mut random = [0; Token::RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(|error| AppError::internal(format!("no randomness: {error}")))?;
    Ok(Token::from_random(random))
}

impl App {
    /// An endpoint in memory.
    pub(super) fn entry(&self, id: EndpointId) -> Result<Arc<EndpointEntry>, AppError> {
        self.core.endpoints.by_id(id).ok_or_else(|| AppError::not_found("endpoint", id))
    }

    /// Checks targets that are new. One that was saved before may have become unresolvable; that must not keep its
    /// endpoint from being switched off. Each is checked again when it is dialled.
    async fn check_targets(&self, endpoint: &Endpoint, before: Option<&Endpoint>) -> Result<(), AppError> {
        let known = |url: &str| {
            before.is_some_and(|before| {
                before.allow_non_loopback == endpoint.allow_non_loopback
                    && before.targets.iter().any(|target| target.url == url)
            })
        };
        let new = endpoint.targets.iter().enumerate().filter(|(_, target)| !known(&target.url));
        for (index, target) in new {
            let field = format!("targets[{index}].url");
            self.check_target_url(&target.url, &field, endpoint.allow_non_loopback).await?;
        }
        Ok(())
    }

    /// Saves a changed endpoint; where another verdict may follow, its stored deliveries are judged again.
    pub(in crate::app) async fn save_changed(
        self: &Arc<Self>,
        entry: &EndpointEntry,
        endpoint: Endpoint,
    ) -> Result<EndpointView, AppError> {
        let rules = |endpoint: &Endpoint| {
            let Endpoint { provider, scheme, provider_options, public_url_override, .. } = endpoint.clone();
            (provider, scheme, provider_options, public_url_override)
        };
        // Amazon SNS has a certificate in its options and no secret.
        let judges = !entry.stored_secrets.is_empty()
            || self.core.catalogue.get(&endpoint.provider).is_some_and(|provider| provider.judges_without_secret());
        let judge_again = judges && rules(&entry.endpoint) != rules(&endpoint);
        let view = self.save_endpoint(endpoint).await?;
        if judge_again {
            self.begin_reverify(view.id);
        }
        Ok(view)
    }

    async fn save_endpoint(&self, endpoint: Endpoint) -> Result<EndpointView, AppError> {
        let id = endpoint.id;
        self.core.store.write(move |writing| writing.save_endpoint(&endpoint)).await?;
        self.core.reload_endpoints().await?;
        self.announce_endpoint(id).await
    }

    /// Tells listeners of an endpoint as it is now.
    pub(in crate::app) async fn announce_endpoint(&self, id: EndpointId) -> Result<EndpointView, AppError> {
        let view = self.endpoint_view(id).await?;
        let json = serde_json::to_value(&view).map_err(|error| AppError::internal(error.to_string()))?;
        self.core.events.publish(EventData::Endpoint(Arc::new(json)));
        Ok(view)
    }

    async fn endpoint_view(&self, id: EndpointId) -> Result<EndpointView, AppError> {
        let entry = self.entry(id)?;
        let row = entry.row;
        let last = self.core.store.read(move |connection| read_last_delivery_at(connection, row)).await?;
        Ok(EndpointView::of(&entry, &self.core.addresses, last))
    }
}
