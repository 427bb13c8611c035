//! Deliveries: lists, one in full, replay, pin, delete.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parameters::{
    DeliveryPath, DeliveryQuery, EndpointDeliveryPath, EndpointDeliveryQuery, EndpointPath, SEARCH_TEXT_CHARS_MAX,
};
use crate::app::App;
use crate::app::ReplayRequest;
use crate::app::error::AppError;
use crate::app::operation::{CreatedOrSame, Input, Json, NoBody, NoContent, NoParams, NoQuery, Optional};
use crate::app::views::{DeliveryDetail, DeliveryList};
use crate::domain::{Attempt, DeliveryId, DeliveryStatus, DeliverySummary, EndpointId, SignatureStatus};
use crate::store::{
    DeliveryFilter, StoreError, read_arrivals, read_matching, read_payload, read_replays, read_summary, read_tunnel_of,
};

/// Deliveries that are deleted in one transaction.
const DELETE_BATCH_ROWS: usize = 200;
/// Ids that one call may name.
const DELETE_LISTED_MAX: usize = 500;

/// The attempts of a delivery.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct AttemptList {
    /// In the order they were made.
    pub attempts: Vec<Attempt>,
}

/// Which deliveries are deleted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct DeleteRequest {
    /// The parameters of a list; every one given must match.
    #[serde(default)]
    #[cfg_attr(feature = "types", ts(optional, as = "Option<_>"))]
    pub filter: DeliveryFilterInput,
    /// Instead of a filter: exactly these, 500 at most. One that is not there is no error.
    #[serde(default)]
    #[cfg_attr(feature = "types", ts(optional))]
    #[schemars(length(max = 500))]
    pub ids: Option<Vec<DeliveryId>>,
    /// All deliveries; needed when the filter is empty. May also stand in the filter.
    #[serde(default)]
    #[cfg_attr(feature = "types", ts(optional))]
    pub all: Option<bool>,
}

/// The parameters of a list that narrow it, and `all` to say that nothing does.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(optional_fields))]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryFilterInput {
    /// Of this endpoint.
    pub endpoint_id: Option<EndpointId>,
    /// In this state.
    pub status: Option<DeliveryStatus>,
    /// With this verdict.
    pub signature_status: Option<SignatureStatus>,
    /// Of this provider.
    pub provider: Option<String>,
    /// With exactly this event name.
    pub event: Option<String>,
    /// With this text in event, path, dedupe key or id.
    #[schemars(length(max = 1_024))]
    pub q: Option<String>,
    /// All deliveries; needed when nothing narrows it.
    pub all: Option<bool>,
}

/// `GET /deliveries`
pub async fn list(
    app: Arc<App>,
    input: Input<NoParams, DeliveryQuery, NoBody>,
) -> Result<Json<DeliveryList>, AppError> {
    app.list_deliveries(input.query).await.map(Json)
}

/// `GET /endpoints/{id}/deliveries`
pub async fn list_of_endpoint(
    app: Arc<App>,
    input: Input<EndpointPath, EndpointDeliveryQuery, NoBody>,
) -> Result<Json<DeliveryList>, AppError> {
    let id = input.params.id;
    app.core.endpoints.by_id(id).ok_or_else(|| AppError::not_found("endpoint", id))?;
    app.list_deliveries(input.query.of_endpoint(id)).await.map(Json)
}

/// `GET /deliveries/{id}`
pub async fn get(app: Arc<App>, input: Input<DeliveryPath, NoQuery, NoBody>) -> Result<Json<DeliveryDetail>, AppError> {
    app.delivery_detail(input.params.id).await.map(Json)
}

/// `GET /endpoints/{id}/deliveries/{delivery_id}`
pub async fn get_of_endpoint(
    app: Arc<App>,
    input: Input<EndpointDeliveryPath, NoQuery, NoBody>,
) -> Result<Json<DeliveryDetail>, AppError> {
    let EndpointDeliveryPath { id, delivery_id } = input.params;
    let detail = app.delivery_detail(delivery_id).await?;
    if detail.summary.endpoint_id != id {
        return Err(AppError::not_found("delivery", delivery_id));
    }
    Ok(Json(detail))
}

/// `POST /deliveries/{id}/replay`
pub async fn replay(
    app: Arc<App>,
    input: Input<DeliveryPath, NoQuery, Optional<ReplayRequest>>,
) -> Result<CreatedOrSame<DeliveryDetail>, AppError> {
    let (created, id) = app.replay(input.params.id, input.body.0, input.idempotency_key).await?;
    Ok(CreatedOrSame { created, value: app.delivery_detail(id).await? })
}

/// `POST /deliveries/{id}/pin`
pub async fn pin(
    app: Arc<App>,
    input: Input<DeliveryPath, NoQuery, NoBody>,
) -> Result<Json<DeliverySummary>, AppError> {
    let id = input.params.id;
    app.set_pinned(id, true).await?;
    let summary = app.core.store.read(move |connection| read_summary(connection, id)).await?;
    summary.map(Json).ok_or_else(|| AppError::not_found("delivery", id))
}

/// `DELETE /deliveries/{id}/pin`
pub async fn unpin(app: Arc<App>, input: Input<DeliveryPath, NoQuery, NoBody>) -> Result<NoContent, AppError> {
    app.set_pinned(input.params.id, false).await.map(|()| NoContent)
}

/// `DELETE /deliveries/{id}`
pub async fn delete(app: Arc<App>, input: Input<DeliveryPath, NoQuery, NoBody>) -> Result<NoContent, AppError> {
    let id = input.params.id;
    let summary = app.core.store.read(move |connection| read_summary(connection, id)).await?;
    let seq = summary.ok_or_else(|| AppError::not_found("delivery", id))?.seq;
    app.core.store.write(move |writing| writing.delete_deliveries(&[seq])).await?;
    Ok(NoContent)
}

/// `DELETE /deliveries`
pub async fn delete_matching(
    app: Arc<App>,
    input: Input<NoParams, NoQuery, DeleteRequest>,
) -> Result<NoContent, AppError> {
    let given = input.body.filter;
    if given.q.as_ref().is_some_and(|text| text.chars().count() > SEARCH_TEXT_CHARS_MAX) {
        return Err(AppError::refused(
            "invalid_value",
            "filter.q",
            format!("The text has more than {SEARCH_TEXT_CHARS_MAX} characters"),
            "Search for a part of it.",
        ));
    }
    let filter = DeliveryFilter {
        endpoint_id: given.endpoint_id,
        status: given.status,
        signature_status: given.signature_status,
        provider: given.provider,
        event: given.event,
        text: given.q.filter(|text| !text.is_empty()),
    };
    let all = given.all.or(input.body.all);
    if let Some(ids) = input.body.ids {
        return app.delete_listed(ids, filter.is_empty() && all.is_none()).await.map(|()| NoContent);
    }
    if filter.is_empty() && all != Some(true) {
        return Err(AppError::refused(
            "empty_filter",
            "filter",
            "An empty filter would delete every delivery",
            "Narrow it, or say `\"all\":true`.",
        ));
    }
    let mut before = i64::MAX;
    loop {
        let batch = filter.clone();
        // Searched for beside the writer, so that no post waits for a long search.
        let seqs =
            app.core.store.read(move |connection| read_matching(connection, &batch, before, DELETE_BATCH_ROWS)).await?;
        let Some(&last) = seqs.last() else { return Ok(NoContent) };
        app.core.store.write(move |writing| writing.delete_deliveries(&seqs)).await?;
        before = last;
    }
}

impl App {
    async fn delete_listed(&self, ids: Vec<DeliveryId>, alone: bool) -> Result<(), AppError> {
        if !alone {
            return Err(AppError::refused(
                "ids_and_filter",
                "ids",
                "Ids and a filter were given together",
                "Give the ids alone, or a filter.",
            ));
        }
        if ids.len() > DELETE_LISTED_MAX {
            return Err(AppError::refused(
                "too_many_ids",
                "ids",
                format!("{} ids are more than {DELETE_LISTED_MAX}", ids.len()),
                "Delete them in several calls, or by a filter.",
            ));
        }
        let seqs = self
            .core
            .store
            .read(move |connection| {
                let found = ids.iter().map(|id| Ok(read_summary(connection, *id)?.map(|row| row.seq)));
                Ok(found.collect::<Result<Vec<_>, StoreError>>()?.into_iter().flatten().collect::<Vec<_>>())
            })
            .await?;
        for batch in seqs.chunks(DELETE_BATCH_ROWS) {
            let batch = batch.to_vec();
            self.core.store.write(move |writing| writing.delete_deliveries(&batch)).await?;
        }
        Ok(())
    }

    async fn list_deliveries(&self, query: DeliveryQuery) -> Result<DeliveryList, AppError> {
        let (filter, bounds) = query.read()?;
        let page = self.core.store.read_page(filter, bounds).await?;
        Ok(page.into())
    }

    async fn delivery_detail(&self, id: DeliveryId) -> Result<DeliveryDetail, AppError> {
        let found = self
            .core
            .store
            .read(move |connection| {
                let Some(summary) = read_summary(connection, id)? else { return Ok(None) };
                let Some(payload) = read_payload(connection, summary.seq)? else { return Ok(None) };
                let tunnel = read_tunnel_of(connection, summary.seq)?;
                let arrivals = read_arrivals(connection, summary.seq)?;
                let replays = read_replays(connection, id)?;
                Ok(Some(DeliveryDetail::of(summary, payload, tunnel, arrivals, replays)))
            })
            .await?;
        found.ok_or_else(|| AppError::not_found("delivery", id))
    }

    async fn set_pinned(&self, id: DeliveryId, pinned: bool) -> Result<(), AppError> {
        let found = self.core.store.write(move |writing| writing.set_pinned(id, pinned)).await?;
        if found { Ok(()) } else { Err(AppError::not_found("delivery", id)) }
    }
}
