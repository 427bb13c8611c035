//! Refusals: requests that never became deliveries.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EndpointId, RefusalId, Timestamp, words};

words! {
    /// Why a request was refused.
    RefusalReason {
        /// The path names no endpoint.
        UnknownToken = "unknown_token",
        /// Body policy `json`, and the body is empty or no JSON object or array.
        InvalidBody = "invalid_body",
        /// Not HTTP/1.1 as RFC 9112 wants it.
        MalformedHttp = "malformed_http",
        /// Head or body did not come in time.
        Timeout = "timeout",
        /// The sender went away before the body was complete.
        Aborted = "aborted",
        /// Larger than the body limit.
        BodyTooLarge = "body_too_large",
        /// A rate limit.
        RateLimited = "rate_limited",
        /// Could not be stored now.
        StoreUnavailable = "store_unavailable",
        /// Too many bytes or connections in flight.
        Overloaded = "overloaded",
    }
}

/// A request that never became a delivery; the newest thousand are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Refusal {
    /// Its name.
    pub id: RefusalId,
    /// When.
    pub at: Timestamp,
    /// The endpoint, when the token was known.
    pub endpoint_id: Option<EndpointId>,
    /// HTTP status that the sender was told.
    pub status: u16,
    /// Why.
    pub reason: RefusalReason,
    /// HTTP method, when the head could be read.
    pub method: Option<String>,
    /// Path with its token masked, when the head could be read.
    pub path: Option<String>,
    /// Bytes of the body as far as announced or read.
    pub body_size: Option<u64>,
    /// Address of the peer.
    pub remote_addr: Option<String>,
}
