//! What the use cases share: the store, the endpoints in memory, the catalogue, settings, events.

use std::net::SocketAddr;
use std::sync::Arc;

use super::attempt_waiters::AttemptWaiters;
use super::clock::Clock;
use super::counters::Counters;
use super::endpoint_table::EndpointTable;
use super::error::AppError;
use super::events::{EventData, EventLog};
use super::inbound::TunnelFront;
use super::nonces::Nonces;
use super::settings::{Settings, SettingsLayers};
use crate::relay::{AddressPolicy, TargetUrl};
use crate::signature::Catalogue;
use crate::store::{Change, Store, StoreError, read_endpoints};

/// The engine's state; owned by [`super::App`], shared with the relay's ledger.
pub struct Core {
    /// Everything on disk.
    pub store: Store,
    /// All endpoints.
    pub endpoints: EndpointTable,
    /// All providers.
    pub catalogue: Catalogue,
    /// Retention and limits in force.
    pub settings: tokio::sync::watch::Sender<Settings>,
    /// What the settings in force are made of; held while they change.
    pub settings_layers: tokio::sync::Mutex<SettingsLayers>,
    /// What listeners hear.
    pub events: EventLog,
    /// Who waits for attempts.
    pub waiters: AttemptWaiters,
    /// Counts since the start.
    pub counters: std::sync::Arc<Counters>,
    /// The clock.
    pub clock: Clock,
    /// Where the engine is reached.
    pub addresses: Addresses,
    /// Nonces of proofs of life that are under way.
    pub nonces: Nonces,
    /// Held while the table of endpoints is read anew.
    pub endpoint_reload: tokio::sync::Mutex<()>,
    /// Held while an endpoint is read, changed and saved, so that no change is lost.
    pub endpoint_changes: tokio::sync::Mutex<()>,
    /// Told when the disk could not be written: room is made for pruning.
    pub disk_trouble: tokio::sync::Notify,
}

/// Where the engine is reached.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Of the ingress.
    pub ingress: SocketAddr,
    /// Of the admin port.
    pub admin: SocketAddr,
    /// Public base URL without a trailing slash, as the user gave it.
    pub public_url: Option<String>,
    /// The tunnel that stands, if one does. Shared: it changes while the engine runs.
    pub tunnel: Arc<arc_swap::ArcSwapOption<TunnelFront>>,
}

impl Addresses {
    /// Public base URL of endpoints that have none of their own: what the user gave, else the tunnel's.
    #[must_use]
    pub fn public_base(&self) -> Option<String> {
        self.public_base_with(self.tunnel.load().as_deref())
    }

    /// As [`Self::public_base`], of a moment when this tunnel stood.
    #[must_use]
    pub fn public_base_with(&self, tunnel: Option<&TunnelFront>) -> Option<String> {
        self.public_url.clone().or_else(|| tunnel.map(|tunnel| tunnel.public_url.clone()))
    }

    /// Base URL of the ingress.
    #[must_use]
    pub fn ingress_url(&self) -> String {
        format!("http://{}", self.ingress)
    }

    /// Base URL of the admin port.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin)
    }
}

impl Core {
    /// What the relay may dial.
    #[must_use]
    pub fn address_policy(&self, allow_non_loopback: bool) -> AddressPolicy {
        let overrides = self.endpoints.all();
        let public_urls = overrides.iter().filter_map(|entry| entry.endpoint.public_url_override.as_deref());
        AddressPolicy {
            allow_non_loopback,
            own_addresses: vec![self.addresses.ingress, self.addresses.admin],
            public_hosts: public_urls
                .chain(self.addresses.public_url.as_deref())
                .chain(self.addresses.tunnel.load().as_ref().map(|tunnel| tunnel.public_url.as_str()))
                .filter_map(host_and_port)
                .collect(),
        }
    }

    /// Reads all endpoints anew after a change.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn reload_endpoints(&self) -> Result<(), StoreError> {
        // Read and replaced in one go: an older state must never take the place of a newer one.
        let _one_at_a_time = self.endpoint_reload.lock().await;
        let stored = self.store.read(read_endpoints).await?;
        self.endpoints.replace(stored, &self.catalogue);
        Ok(())
    }
}

fn host_and_port(url: &str) -> Option<(String, u16)> {
    let url = url::Url::parse(url).ok()?;
    Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
}

/// A target's URL, read.
///
/// # Errors
/// 422 with the reason.
pub fn read_target_url(text: &str, field: &str) -> Result<TargetUrl, AppError> {
    TargetUrl::parse(text).map_err(|error| {
        AppError::refused(
            error.code(),
            field,
            format!("`{text}` is no target: {error}"),
            "Give the full URL of your app, for example http://127.0.0.1:3000/webhooks.",
        )
    })
}

/// Turns what a commit changed into events and counts; runs on the writer's thread.
pub fn commit_listener(
    events: EventLog,
    counters: std::sync::Arc<Counters>,
    clock: Clock,
) -> crate::store::CommitListener {
    Box::new(move |changes| {
        let stored = changes.iter().filter(|change| matches!(change, Change::Stored(_))).count();
        if stored > 0 {
            counters.count_stored(stored as u64, clock.now().as_unix_seconds());
        }
        events.publish_all(changes.into_iter().map(|change| match change {
            Change::Stored(delivery) | Change::Delivery(delivery) => EventData::Delivery(delivery),
            Change::Attempt(attempt) => EventData::Attempt(attempt),
            Change::Refusal(refusal) => EventData::Refusal(refusal),
            Change::Many => EventData::Resync,
        }));
    })
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Full => {
                Self::unavailable("disk_full", message, "Make room on the disk; capture goes on by itself.")
            }
            StoreError::Busy => Self::unavailable("store_busy", message, "Try again in a moment."),
            StoreError::TooSlow => Self::unavailable("query_too_slow", message, "Narrow it down with a filter."),
            StoreError::Closed => Self::unavailable("stopping", message, "Creel is stopping; start it again."),
            StoreError::Corrupt(_) => Self::unavailable(
                "database_damaged",
                message,
                "Run `creel doctor`; keep a copy of the data directory before anything else.",
            ),
            StoreError::Sqlite(_) | StoreError::UnknownValue(_) | StoreError::Fault => Self::internal(message),
            _ => Self::unavailable("store_unavailable", message, "Look at the disk of the data directory."),
        }
    }
}
