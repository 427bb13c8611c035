//! Puts app and listeners together: what `creel serve`, `creel listen` and the window all start.
//!
//! [`start`] takes the data directory, binds both ports, opens the database, and writes `run.json` when both ports
//! accept. [`Running::stop`] undoes it in reverse: no new requests, what is in flight ends, the database is closed.

mod error;
mod open_files;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use etcetera::BaseStrategy as _;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::error::EngineError;
pub use crate::api::ui_embedded;
pub use crate::app::settings::SettingsOverrides;

use crate::api::{AdminToken, Api, Bound};
use crate::app::operation::Operations;
use crate::app::operations::{checked_public_url, operations};
use crate::app::settings::Settings;
use crate::app::{Addresses, App, AppConfig, AppInbound};
use crate::ingress::{self, Cidr, IngressConfig, IngressSettings};
use crate::run_file::RunFile;
use crate::store::OwnerLock;
use crate::tunnel::{GuardProgram, TokioSpawner, TunnelSpawner};

/// Where the ingress listens, unless told otherwise.
pub const INGRESS_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4100);
/// Where the admin port listens, unless told otherwise.
pub const ADMIN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4101);
/// How long work in flight may take when the engine stops (CONTRACT section 2).
const STOP_TIME: Duration = Duration::from_secs(5);
/// Random bytes in an admin token.
const ADMIN_TOKEN_BYTES: usize = 32;
/// Names the data directory in the environment.
const DATA_DIR_VARIABLE: &str = "CREEL_DATA_DIR";
/// Name of the data directory below the platform's folder.
const DATA_DIR_NAME: &str = "creel";
/// Name of the folder in the data directory where files for tunnel programs go.
const TUNNEL_DIR_NAME: &str = "tunnel";

/// What an engine is started with.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The data directory.
    pub data_dir: PathBuf,
    /// Where the ingress listens; port 0: any free one.
    pub ingress: SocketAddr,
    /// Where the admin port listens; must be loopback.
    pub admin: SocketAddr,
    /// Public base URL, when the user knows it.
    pub public_url: Option<String>,
    /// Proxies whose forwarding headers are believed, as CIDR blocks.
    pub trusted_proxies: Vec<String>,
    /// Settings that this start replaces.
    pub overrides: SettingsOverrides,
    /// Starts tunnel programs; none: as child processes of this program.
    pub tunnel_spawner: Option<Arc<dyn TunnelSpawner>>,
}

impl EngineConfig {
    /// The defaults of CONTRACT section 2.
    #[must_use]
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            ingress: INGRESS_DEFAULT,
            admin: ADMIN_DEFAULT,
            public_url: None,
            trusted_proxies: Vec::new(),
            overrides: SettingsOverrides::default(),
            tunnel_spawner: None,
        }
    }
}

/// `CREEL_DATA_DIR`, or the platform's data directory.
///
/// # Errors
/// When the user has no home directory.
pub fn default_data_dir() -> Result<PathBuf, EngineError> {
    if let Some(dir) = std::env::var_os(DATA_DIR_VARIABLE).filter(|dir| !dir.is_empty()) {
        return Ok(PathBuf::from(dir));
    }
    let strategy = etcetera::choose_base_strategy().map_err(|_| EngineError::NoHome)?;
    Ok(strategy.data_dir().join(DATA_DIR_NAME))
}

/// An engine with both listeners.
pub struct Running {
    /// Base URL of the ingress.
    pub ingress_url: String,
    /// Base URL of the admin port.
    pub admin_url: String,
    /// The admin token of this run.
    pub admin_token: String,
    app: Arc<App>,
    operations: Operations<App>,
    /// Where `run.json` lies.
    data_dir: PathBuf,
    stop: CancellationToken,
    /// Both listeners and the watch on the settings; joined by [`Running::stop`].
    tasks: TaskTracker,
}

/// Starts an engine; returns when both ports accept and `run.json` is written.
///
/// # Errors
/// With the exit code of CONTRACT section 2.
pub async fn start(config: EngineConfig) -> Result<Running, EngineError> {
    open_files::allow();
    let trusted_proxies = config
        .trusted_proxies
        .iter()
        .map(|text| text.parse::<Cidr>().map_err(|error| EngineError::Usage(format!("`{text}`: {error}"))))
        .collect::<Result<Vec<_>, _>>()?;
    let public_url =
        config.public_url.map(checked_public_url).transpose().map_err(|error| EngineError::Usage(error.message))?;
    if !config.admin.ip().is_loopback() {
        return Err(EngineError::Usage(format!("the admin address {} is not a loopback address", config.admin)));
    }
    let spawner = match config.tunnel_spawner {
        Some(spawner) => spawner,
        None => Arc::new(TokioSpawner::new(GuardProgram::this_program().map_err(EngineError::OwnProgram)?)),
    };
    let dir = config.data_dir.clone();
    let lock = tokio::task::spawn_blocking(move || OwnerLock::take(&dir)).await.map_err(|_| EngineError::Stopped)??;
    let ingress = bind(config.ingress).await?;
    let admin = bind(config.admin).await?;
    let address = |listener: &TcpListener| listener.local_addr().map_err(EngineError::Listener);
    let addresses =
        Addresses { ingress: address(&ingress)?, admin: address(&admin)?, public_url, tunnel: Arc::default() };
    let (ingress_url, admin_url) = (addresses.ingress_url(), addresses.admin_url());
    let admin_token = fresh_admin_token()?;
    let app = App::start(AppConfig {
        lock,
        addresses,
        overrides: config.overrides,
        spawner,
        tunnel_dir: config.data_dir.join(TUNNEL_DIR_NAME),
    })
    .await?;
    let running = Running {
        ingress_url,
        admin_url,
        admin_token,
        operations: operations(),
        data_dir: config.data_dir,
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
        app,
    };
    match running.serve(ingress, admin, trusted_proxies).await {
        Ok(()) => Ok(running),
        Err(error) => {
            running.stop().await?;
            Err(error)
        }
    }
}

impl Running {
    /// The use cases.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// What can be asked of it.
    #[must_use]
    pub fn operations(&self) -> &Operations<App> {
        &self.operations
    }

    /// The UI's address with its token.
    #[must_use]
    pub fn ui_url(&self) -> String {
        format!("{}/#token={}", self.admin_url, self.admin_token)
    }

    async fn serve(
        &self,
        ingress: TcpListener,
        admin: TcpListener,
        trusted_proxies: Vec<Cidr>,
    ) -> Result<(), EngineError> {
        let bound = Bound::new(admin).map_err(|error| EngineError::Usage(error.to_string()))?;
        let config = Arc::new(IngressConfig::new(ingress_settings(self.app.settings()), trusted_proxies));
        let inbound = Arc::new(AppInbound(Arc::clone(&self.app)));
        self.tasks.spawn(ingress::serve(ingress, inbound, Arc::clone(&config), self.stop.clone()));
        self.tasks.spawn(crate::api::serve(bound, self.api(), self.stop.clone()));
        self.tasks.spawn(follow_settings(Arc::clone(&self.app), config, self.stop.clone()));
        let run =
            RunFile::of_this_process(&self.ingress_url, &self.admin_url, &self.admin_token, self.app.started_at());
        let dir = self.data_dir.clone();
        tokio::task::spawn_blocking(move || run.write(&dir)).await.map_err(|_| EngineError::Stopped)??;
        Ok(())
    }

    fn api(&self) -> Api<App> {
        Api {
            engine: Arc::clone(&self.app),
            operations: self.operations.clone(),
            events: self.app.events().clone(),
            token: AdminToken::new(self.admin_token.clone()),
        }
    }

    /// Ends everything within a few seconds and removes `run.json`.
    ///
    /// # Errors
    /// When `run.json` cannot be removed.
    pub async fn stop(&self) -> Result<(), EngineError> {
        let deadline = Instant::now() + STOP_TIME;
        self.stop.cancel();
        self.tasks.close();
        tokio::join!(self.tasks.wait(), self.app.stop_relay(deadline), self.app.stop_tunnel());
        self.app.close(deadline).await;
        let dir = self.data_dir.clone();
        tokio::task::spawn_blocking(move || RunFile::remove(&dir)).await.map_err(|_| EngineError::Stopped)??;
        Ok(())
    }
}

/// Hands changed limits to the ingress.
async fn follow_settings(app: Arc<App>, config: Arc<IngressConfig>, stop: CancellationToken) {
    let mut settings = app.watch_settings();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = settings.changed() => if changed.is_err() { return },
        }
        let now = *settings.borrow_and_update();
        config.set(ingress_settings(now));
    }
}

fn ingress_settings(settings: Settings) -> IngressSettings {
    IngressSettings {
        max_body_bytes: settings.max_body_bytes,
        endpoint_rate_per_minute: settings.rate_limit_endpoint,
        failure_rate_per_minute: settings.rate_limit_ip,
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, EngineError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => EngineError::AddressInUse(address),
        _ => EngineError::Bind { address, source },
    })
}

fn fresh_admin_token() -> Result<String, EngineError> {
    let mut random = [0; ADMIN_TOKEN_BYTES];
    getrandom::fill(&mut random).map_err(|error| EngineError::NoRandomness(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(random))
}
