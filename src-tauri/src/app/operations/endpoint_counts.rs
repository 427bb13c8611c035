//! Counts of each endpoint: kept with every write, so that asking costs nothing at a million deliveries.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::app::error::AppError;
use crate::app::operation::{Input, Json, NoBody, NoParams, NoQuery};
use crate::app::views::StatusCounts;
use crate::domain::{DeliveryStatus, EndpointId};
use crate::store::read_counts_by_endpoint;

/// Deliveries of one endpoint.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct EndpointCounts {
    /// The endpoint.
    pub endpoint_id: EndpointId,
    /// Stored now.
    pub deliveries: i64,
    /// The same by state.
    pub by_status: StatusCounts,
}

/// Deliveries endpoint by endpoint.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct EndpointCountsList {
    /// In the order the endpoints were made; an endpoint without deliveries is left out.
    pub endpoints: Vec<EndpointCounts>,
}

/// `GET /stats/endpoints`
pub async fn list(
    app: Arc<App>,
    _input: Input<NoParams, NoQuery, NoBody>,
) -> Result<Json<EndpointCountsList>, AppError> {
    let counted = app.core.store.read(read_counts_by_endpoint).await?;
    Ok(Json(EndpointCountsList { endpoints: grouped(counted) }))
}

fn grouped(counted: Vec<(EndpointId, DeliveryStatus, i64)>) -> Vec<EndpointCounts> {
    let mut endpoints: Vec<EndpointCounts> = Vec::new();
    for (endpoint_id, status, count) in counted {
        if endpoints.last().is_none_or(|last| last.endpoint_id != endpoint_id) {
            endpoints.push(EndpointCounts { endpoint_id, deliveries: 0, by_status: StatusCounts::default() });
        }
        if let Some(last) = endpoints.last_mut() {
            last.deliveries += count;
            *last.by_status.of_mut(status) += count;
        }
    }
    endpoints
}
