//! The nouns of Creel: endpoints, deliveries, arrivals, attempts, refusals, and what they are made of.
//!
//! Plain values: no I/O, no clock, no randomness beyond making ids from a given instant. Everything above depends on
//! this module; it depends on nothing of ours. The serde form of each type is the JSON of the admin API.

mod attempt;
mod delivery;
mod endpoint;
mod headers;
mod ids;
pub mod limits;
mod listener;
mod refusal;
mod secret;
mod seeded_bug;
mod signature;
mod time;
mod tunnel;
mod tunnel_provider;
mod words;

pub use attempt::{Attempt, AttemptOutcome, AttemptTimings};
pub use delivery::{ArrivalSummary, DeliveryStatus, DeliverySummary};
pub use endpoint::{
    BodyPolicy, DuplicatePolicy, Endpoint, EventFilter, Reply, SignaturePolicy, Target, Token, WhenTargetDown,
};
pub use headers::{HeaderBlockError, Headers};
pub use ids::{AttemptId, DeliveryId, EndpointId, JobId, RefusalId, SecretId, TargetId};
pub use listener::reached_at;
pub use refusal::{Refusal, RefusalReason};
pub use secret::Secret;
pub use seeded_bug::SeededBug;
pub use signature::{SignatureReason, SignatureStatus};
pub use time::Timestamp;
pub use tunnel::{
    AffectedEndpoint, DeliveryTunnel, TUNNEL_EXPOSES, TunnelBreak, TunnelDetail, TunnelLogLine, TunnelProbe,
    TunnelStanding, TunnelState, TunnelStatus, TunnelStream, TunnelUrlChange,
};
pub use tunnel_provider::{TunnelEvidence, TunnelOption, TunnelOptionKind, TunnelProviderList, TunnelProviderView};
pub(crate) use words::words;
