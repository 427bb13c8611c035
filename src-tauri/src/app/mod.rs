//! The use cases: capture, relay, replay, and the operations that REST and the desktop both expose.
//!
//! [`App::start`] opens the data directory, puts right what a crash left behind, and begins to relay and to keep house.
//! The ingress hands it requests through [`inbound::Inbound`]; REST, desktop and command line call its
//! [`operations`]. Every task is the app's: [`App::stop_relay`] and [`App::close`] end and join them.

mod attempt_waiters;
mod body_lines;
mod capture;
mod certificates;
mod clock;
mod core;
mod counters;
mod direct_post;
mod endpoint_table;
pub mod error;
pub mod events;
mod housekeeping;
pub mod inbound;
pub mod jobs;
mod judgement;
mod ledger;
mod new_attempts;
mod nonces;
pub mod operation;
pub mod operations;
mod passthrough;
mod replay;
mod replies;
mod reverify;
pub mod settings;
mod signing;
mod stored_request;
#[cfg(test)]
mod test_app;
mod tunnel;
#[cfg(all(test, feature = "types"))]
mod typescript_types;
pub mod views;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::clock::Clock;
pub use self::core::{Addresses, Core};
pub use self::direct_post::post_directly;
pub use self::replay::ReplayRequest;

use self::body_lines::LineIndexes;
use self::core::commit_listener;
use self::counters::Counters;
use self::endpoint_table::EndpointTable;
use self::events::{EVENTS_KEPT, EventLog};
use self::inbound::{Inbound, InboundRequest, IngressReply, RefusedRequest, TunnelFront};
use self::jobs::Jobs;
use self::ledger::Ledger;
use self::nonces::Nonces;
use self::settings::{SETTINGS_NAME, Settings, SettingsLayers, SettingsOverrides};
use self::tunnel::Tunnels;
use crate::domain::{Endpoint, JobId, Refusal, RefusalId, SeededBug, Timestamp};
use crate::relay::{CertificateClient, RelayLimits, RelayQueues, TargetClient};
use crate::signature::{Catalogue, CatalogueError};
use crate::store::{OwnerLock, Store, StoreError, read_setting, read_waiting_targets};
use crate::tunnel::{TunnelCatalogueError, TunnelSpawner};

/// What an engine is started with.
#[derive(Debug)]
pub struct AppConfig {
    /// The data directory, taken.
    pub lock: OwnerLock,
    /// Where it is reached.
    pub addresses: Addresses,
    /// Settings that this start replaces.
    pub overrides: SettingsOverrides,
    /// Starts tunnel programs.
    pub spawner: Arc<dyn TunnelSpawner>,
    /// Where files for tunnel programs go.
    pub tunnel_dir: PathBuf,
}

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The embedded catalogue is wrong.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The embedded list of tunnel providers is wrong.
    #[error(transparent)]
    Tunnels(#[from] TunnelCatalogueError),
}

/// A running engine without its listeners.
pub struct App {
    core: Arc<Core>,
    relay: RelayQueues<Ledger>,
    jobs: Jobs,
    tunnels: Tunnels,
    /// Of large bodies that are looked at.
    line_indexes: Arc<LineIndexes>,
    /// Who may judge a large body now; see [`judgement`].
    large_bodies: Semaphore,
    certificates: certificates::Certificates,
    /// Held while a page of stored deliveries is judged again; see [`reverify`].
    reverify_turn: tokio::sync::Mutex<()>,
    /// Housekeeping, jobs, and judging large bodies; joined by [`App::close`].
    tasks: TaskTracker,
    stop: CancellationToken,
    started_at: Timestamp,
}

impl App {
    /// Opens the data directory and begins to work.
    ///
    /// # Errors
    /// When the directory is owned by another process, or its database is newer or cannot be used.
    pub async fn start(config: AppConfig) -> Result<Arc<Self>, StartError> {
        Self::start_with(config, CertificateClient::default()).await
    }

    /// As [`App::start`], with another way to certificates.
    async fn start_with(config: AppConfig, certificates: CertificateClient) -> Result<Arc<Self>, StartError> {
        let clock = Clock;
        let started_at = clock.now();
        let catalogue = Catalogue::embedded()?;
        let run = JobId::new().to_string().replace('-', "");
        let events = EventLog::new(run, EVENTS_KEPT);
        let counters = Arc::new(Counters::default());
        let listener = commit_listener(events.clone(), Arc::clone(&counters), clock);
        let lock = config.lock;
        let store = tokio::task::spawn_blocking(move || Store::open(lock, listener))
            .await
            .unwrap_or(Err(StoreError::Closed))?;
        let saved = store.read(|connection| read_setting(connection, SETTINGS_NAME)).await?;
        let saved = saved.map_or(Ok(Settings::default()), |json| {
            serde_json::from_str(&json).map_err(|error| StoreError::UnknownValue(error.to_string()))
        })?;
        let layers = SettingsLayers { saved, overrides: config.overrides };
        let core = Arc::new(Core {
            store,
            endpoints: EndpointTable::default(),
            catalogue,
            settings: watch::Sender::new(layers.in_force()),
            settings_layers: tokio::sync::Mutex::new(layers),
            events,
            waiters: attempt_waiters::AttemptWaiters::default(),
            counters,
            clock,
            addresses: config.addresses,
            nonces: Nonces::default(),
            endpoint_reload: tokio::sync::Mutex::default(),
            endpoint_changes: tokio::sync::Mutex::default(),
            disk_trouble: Notify::new(),
        });
        core.reload_endpoints().await?;
        let in_doubt = if SeededBug::NoRecovery.is_on() {
            0
        } else {
            core.store.write(move |writing| writing.recover(started_at)).await?
        };
        if in_doubt > 0 {
            tracing::warn!(
                in_doubt,
                "attempts were under way when the last run ended; their deliveries are interrupted"
            );
        }
        let relay =
            RelayQueues::new(Arc::new(Ledger::new(Arc::clone(&core))), TargetClient::new(RelayLimits::default()));
        let tunnels = Tunnels::open(Arc::clone(&core), config.spawner, config.tunnel_dir).await?;
        let tasks = TaskTracker::new();
        let app = Arc::new(Self {
            core,
            relay,
            jobs: Jobs::default(),
            tunnels,
            line_indexes: Arc::default(),
            large_bodies: Semaphore::new(judgement::LARGE_BODIES_JUDGED_MAX),
            certificates: certificates::Certificates::new(certificates),
            reverify_turn: tokio::sync::Mutex::default(),
            tasks,
            stop: CancellationToken::new(),
            started_at,
        });
        let waiting = app.core.store.read(read_waiting_targets).await?;
        for target_url in waiting.into_iter().filter(|_| !SeededBug::NoRecovery.is_on()) {
            app.relay.wake(&target_url);
        }
        app.tasks.spawn(Arc::clone(&app).keep_house());
        Ok(app)
    }

    /// Begins nothing more, and gives the attempts in flight until the deadline. Called while the listeners end.
    pub async fn stop_relay(&self, deadline: Instant) {
        self.stop.cancel();
        self.relay.stop(deadline).await;
    }

    /// Ends the tunnel, if there is one. Called while the listeners end.
    pub async fn stop_tunnel(&self) {
        self.tunnels.close().await;
    }

    /// Ends the rest, moves the log into the database and gives up the lock. Called when the listeners have ended.
    pub async fn close(&self, deadline: Instant) {
        self.tasks.close();
        if tokio::time::timeout_at(deadline, self.tasks.wait()).await.is_err() {
            tracing::warn!("some work did not end in time");
        }
        self.core.events.close();
        let core = Arc::clone(&self.core);
        if tokio::task::spawn_blocking(move || core.store.close()).await.is_err() {
            tracing::error!("the store could not be closed");
        }
    }

    /// When it started.
    #[must_use]
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// The live events.
    #[must_use]
    pub fn events(&self) -> &EventLog {
        &self.core.events
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Settings {
        *self.core.settings.borrow()
    }

    /// The settings as they change.
    #[must_use]
    pub fn watch_settings(&self) -> watch::Receiver<Settings> {
        self.core.settings.subscribe()
    }

    /// Keeps a refusal; dropped, but counted, when the writer is too far behind.
    fn keep_refusal(&self, refused: RefusedRequest) {
        self.core.counters.count_refused();
        let refusal = Arc::new(Refusal {
            id: RefusalId::new(),
            at: refused.at,
            endpoint_id: refused.endpoint_id,
            status: refused.status,
            reason: refused.reason,
            method: refused.method,
            path: refused.path,
            body_size: refused.body_size,
            remote_addr: Some(refused.remote_addr.to_string()),
        });
        if !self.core.store.write_unanswered(move |writing| writing.store_refusal(&refusal)) {
            tracing::debug!("a refusal was counted but not kept");
        }
    }
}

/// The engine as the ingress holds it.
#[derive(Clone)]
pub struct AppInbound(pub Arc<App>);

impl Inbound for AppInbound {
    fn endpoint_by_token(&self, token: &str) -> Option<Arc<Endpoint>> {
        self.0.core.endpoints.by_token(token).map(|entry| Arc::clone(&entry.endpoint))
    }

    async fn capture<H: Send + 'static>(
        &self,
        endpoint: Arc<Endpoint>,
        request: InboundRequest,
        held: H,
    ) -> IngressReply {
        self.0.capture_request(endpoint.id, request, held).await
    }

    fn refuse(&self, refused: RefusedRequest) {
        self.0.keep_refusal(refused);
    }

    fn issued_nonce(&self, nonce: &str) -> bool {
        self.0.core.nonces.arrived(nonce)
    }

    fn tunnel(&self) -> Option<Arc<TunnelFront>> {
        self.0.core.addresses.tunnel.load_full()
    }

    fn public_base(&self, tunnel: Option<&TunnelFront>) -> Option<String> {
        self.0.core.addresses.public_base_with(tunnel)
    }

    fn now(&self) -> Timestamp {
        self.0.core.clock.now()
    }
}
