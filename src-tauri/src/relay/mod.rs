//! The relay: sends stored deliveries to the developer's app, and says exactly what came of it (CONTRACT section 6).
//!
//! One attempt is [`TargetClient::send`]: address check, one fresh connection, the request as it was received, the
//! answer within its limits. [`RelayQueues`] decides when: a queue per target, fed from the [`RelayLedger`], which is
//! the database. The app implements the ledger, wakes a queue after each commit, and stops the queues at the end.
//!
//! HTTP is spoken here directly on the socket rather than through a client library: a client library re-cases and
//! re-orders headers, normalises the request target and hides which phase failed, and all three are what a webhook
//! inspector must not do. Only what a relay needs is spoken: HTTP/1.1 out, HTTP/1.0 and 1.1 in, one exchange a
//! connection, no redirects, no proxies from the environment, no decoding of content.

mod address_guard;
mod answer;
mod attempt;
mod certificate_fetch;
#[cfg(test)]
mod certificate_provider;
mod connect;
mod direct_post;
mod exchange;
mod fault;
mod ingress_post;
mod limits;
mod outgoing_headers;
mod plain_get;
mod probe;
mod queue;
mod target_url;
#[cfg(test)]
mod tests;

pub use address_guard::{AddressPolicy, TargetError, check_target};
pub use attempt::{AttemptResult, AttemptTiming, OutgoingDelivery, TargetClient, TargetResponse};
pub use certificate_fetch::{CERTIFICATE_BYTES_MAX, CERTIFICATE_TIME, CertificateClient, CertificateError};
#[cfg(test)]
pub(crate) use certificate_provider::{found, provider, provider_of};
pub use direct_post::DirectPost;
pub use ingress_post::{IngressAnswer, IngressPostError, post_to_ingress};
pub use limits::{ATTEMPTS_IN_FLIGHT_MAX, ATTEMPTS_IN_FLIGHT_PER_TARGET, RelayLimits};
pub use plain_get::{PlainAnswer, PlainClient, PlainGetError};
pub use probe::{PROBE_TIME, Probe, probe};
pub use queue::{LedgerError, RelayLedger, RelayQueues, WaitingAttempt};
pub use target_url::{RequestTargetError, TargetUrl, TargetUrlError, has_dot_segment};
