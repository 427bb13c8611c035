//! Path and query parameters that several operations share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::error::AppError;
use crate::domain::{AttemptId, DeliveryId, DeliveryStatus, EndpointId, JobId, SecretId, SignatureStatus};
use crate::store::{DeliveryFilter, PageBounds};

/// Rows of a page, unless asked for otherwise.
const PAGE_ROWS_DEFAULT: u32 = 50;
/// Rows of a page at most.
const PAGE_ROWS_MAX: u32 = 500;
/// Characters of the text that deliveries are searched for; longer than any dedupe key or path worth typing.
pub(super) const SEARCH_TEXT_CHARS_MAX: usize = 1_024;

/// Names an endpoint.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub struct EndpointPath {
    /// The endpoint.
    pub id: EndpointId,
}

/// Names a signing secret of an endpoint.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub struct SecretPath {
    /// The endpoint.
    pub id: EndpointId,
    /// The secret.
    pub secret_id: SecretId,
}

/// Names a delivery.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub struct DeliveryPath {
    /// The delivery.
    pub id: DeliveryId,
}

/// Names a delivery of an endpoint.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub struct EndpointDeliveryPath {
    /// The endpoint.
    pub id: EndpointId,
    /// The delivery.
    pub delivery_id: DeliveryId,
}

/// Names an arrival of a delivery.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub struct ArrivalPath {
    /// The delivery.
    pub id: DeliveryId,
    /// The arrival, from 1.
    pub n: u32,
}

/// Names an attempt.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub struct AttemptPath {
    /// The attempt.
    pub id: AttemptId,
}

/// Names a job.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub struct JobPath {
    /// The job.
    pub id: JobId,
}

/// Names a provider.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
pub struct ProviderPath {
    /// The provider's slug.
    pub slug: String,
}

/// Narrows and pages a list of deliveries.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(optional_fields))]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryQuery {
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
    /// With this text in event, path, dedupe key or id; case does not matter.
    #[schemars(length(max = 1_024))]
    pub q: Option<String>,
    /// Rows, 1 to 500; 50 unless given.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// Only deliveries with a smaller `seq`.
    pub before: Option<i64>,
    /// Only deliveries with a greater `seq`.
    pub after: Option<i64>,
    /// Passes over so many that match first, from the newest or from `before` on.
    pub skip: Option<u32>,
    /// Whether to tell the page's place in the list as `rank`.
    pub rank: Option<bool>,
}

/// Narrows and pages the deliveries of one endpoint.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointDeliveryQuery {
    /// In this state.
    pub status: Option<DeliveryStatus>,
    /// With this verdict.
    pub signature_status: Option<SignatureStatus>,
    /// Of this provider.
    pub provider: Option<String>,
    /// With exactly this event name.
    pub event: Option<String>,
    /// With this text in event, path, dedupe key or id; case does not matter.
    #[schemars(length(max = 1_024))]
    pub q: Option<String>,
    /// Rows, 1 to 500; 50 unless given.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// Only deliveries with a smaller `seq`.
    pub before: Option<i64>,
    /// Only deliveries with a greater `seq`.
    pub after: Option<i64>,
    /// Passes over so many that match first, from the newest or from `before` on.
    pub skip: Option<u32>,
    /// Whether to tell the page's place in the list as `rank`.
    pub rank: Option<bool>,
}

impl EndpointDeliveryQuery {
    /// The same as a query over all deliveries.
    pub fn of_endpoint(self, endpoint_id: EndpointId) -> DeliveryQuery {
        DeliveryQuery {
            endpoint_id: Some(endpoint_id),
            status: self.status,
            signature_status: self.signature_status,
            provider: self.provider,
            event: self.event,
            q: self.q,
            limit: self.limit,
            before: self.before,
            after: self.after,
            skip: self.skip,
            rank: self.rank,
        }
    }
}

impl DeliveryQuery {
    /// Filter and bounds.
    ///
    /// # Errors
    /// 400 when the limit is out of range, or the text is too long.
    pub fn read(self) -> Result<(DeliveryFilter, PageBounds), AppError> {
        let limit = self.limit.unwrap_or(PAGE_ROWS_DEFAULT);
        if !(1..=PAGE_ROWS_MAX).contains(&limit) {
            return Err(AppError::bad_query("limit", format!("`limit` is 1 to {PAGE_ROWS_MAX}")));
        }
        if self.q.as_ref().is_some_and(|text| text.chars().count() > SEARCH_TEXT_CHARS_MAX) {
            return Err(AppError::bad_query("q", format!("`q` has {SEARCH_TEXT_CHARS_MAX} characters at most")));
        }
        let bounds = PageBounds {
            before: self.before,
            after: self.after,
            skip: self.skip.unwrap_or(0),
            ranked: self.rank.unwrap_or(false),
            limit: limit as usize,
        };
        let filter = DeliveryFilter {
            endpoint_id: self.endpoint_id,
            status: self.status,
            signature_status: self.signature_status,
            provider: self.provider,
            event: self.event,
            text: self.q.filter(|text| !text.is_empty()),
        };
        Ok((filter, bounds))
    }
}
