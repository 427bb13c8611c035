//! What the ingress is configured with.

use arc_swap::ArcSwap;

use super::cidr::Cidr;
use super::limits::IngressLimits;
use crate::domain::limits::BODY_BYTES_MAX_DEFAULT;

/// Endpoint rate limit a minute, unless set otherwise.
pub const ENDPOINT_RATE_PER_MINUTE_DEFAULT: u32 = 30_000;
/// Bad-credential ceiling a minute, unless set otherwise.
pub const FAILURE_RATE_PER_MINUTE_DEFAULT: u32 = 600;

/// What may change while the listener runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IngressSettings {
    /// Largest body in bytes; 0: no limit but the budget of bytes in flight.
    pub max_body_bytes: u64,
    /// Requests a minute of one endpoint; 0: no limit.
    pub endpoint_rate_per_minute: u32,
    /// Answers 404 and 401 a minute of one client address (`--rate-limit-ip`); 0: no limit.
    pub failure_rate_per_minute: u32,
}

impl Default for IngressSettings {
    fn default() -> Self {
        Self {
            max_body_bytes: BODY_BYTES_MAX_DEFAULT,
            endpoint_rate_per_minute: ENDPOINT_RATE_PER_MINUTE_DEFAULT,
            failure_rate_per_minute: FAILURE_RATE_PER_MINUTE_DEFAULT,
        }
    }
}

/// The configuration of one listener.
#[derive(Debug)]
pub struct IngressConfig {
    settings: ArcSwap<IngressSettings>,
    /// Proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<Cidr>,
    /// Times and budgets.
    pub limits: IngressLimits,
}

impl IngressConfig {
    /// With the product's times and budgets.
    #[must_use]
    pub fn new(settings: IngressSettings, trusted_proxies: Vec<Cidr>) -> Self {
        Self::with_limits(settings, trusted_proxies, IngressLimits::default())
    }

    /// With times and budgets of its own.
    #[must_use]
    pub fn with_limits(settings: IngressSettings, trusted_proxies: Vec<Cidr>, limits: IngressLimits) -> Self {
        Self { settings: ArcSwap::from_pointee(settings), trusted_proxies, limits }
    }

    /// What holds for the next request.
    #[must_use]
    pub fn settings(&self) -> IngressSettings {
        **self.settings.load()
    }

    /// Changes what holds from the next request on.
    pub fn set(&self, settings: IngressSettings) {
        self.settings.store(settings.into());
    }

    /// Largest body in bytes; always a number, because no body may exceed the budget.
    #[must_use]
    pub fn body_bytes_max(&self) -> u64 {
        match self.settings().max_body_bytes {
            0 => self.limits.bytes_in_flight_max,
            max => max.min(self.limits.bytes_in_flight_max),
        }
    }
}
