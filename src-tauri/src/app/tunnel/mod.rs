//! The tunnel of this engine: started and stopped by the user alone, shown, proved, and known to everything that needs
//! the public URL.

mod board;
mod outside;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use futures_util::future::join_all;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use self::board::Board;
use self::outside::EngineSide;
use super::StartError;
use super::core::Core;
use super::error::AppError;
use crate::domain::{DeliveryTunnel, TUNNEL_EXPOSES, TunnelDetail, TunnelProviderList, TunnelProviderView, reached_at};
use crate::tunnel::{
    Blueprint, OptionError, Supervision, SupervisionHandle, SupervisionParts, TunnelCatalogue, TunnelProvider,
    TunnelSpawner, find_program, record, version_of,
};

/// All that the engine knows of tunnels.
pub struct Tunnels {
    core: Arc<Core>,
    catalogue: TunnelCatalogue,
    spawner: Arc<dyn TunnelSpawner>,
    dir: PathBuf,
    board: Arc<Board>,
    /// Held from the beginning of a start or stop to its end.
    current: Mutex<Current>,
    /// What is asked of the supervision while another start or stop is under way: nobody waits for that.
    handle: ArcSwapOption<SupervisionHandle>,
}

/// What runs now.
#[derive(Default)]
struct Current {
    supervision: Option<Supervision>,
    /// The engine ends: nothing may be started any more, for nobody would end it.
    is_closed: bool,
}

impl Tunnels {
    /// Reads the providers, ends what an earlier run has left behind, and starts nothing.
    ///
    /// # Errors
    /// When a provider's file is wrong or the database cannot be read.
    pub async fn open(core: Arc<Core>, spawner: Arc<dyn TunnelSpawner>, dir: PathBuf) -> Result<Self, StartError> {
        let catalogue = TunnelCatalogue::embedded()?;
        let (leftovers, files) = (dir.clone(), dir.clone());
        match tokio::task::spawn_blocking(move || record::end_leftovers(&leftovers)).await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(ended)) => tracing::warn!(ended, "processes of a tunnel that an earlier run left behind were ended"),
            Ok(Err(error)) => tracing::warn!(%error, "the record of an earlier tunnel cannot be read"),
        }
        match tokio::task::spawn_blocking(move || record::remove_leftover_files(&files)).await {
            Ok(Ok(_)) | Err(_) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a file of an earlier tunnel cannot be removed"),
        }
        let board = Arc::new(Board::read(Arc::clone(&core)).await?);
        Ok(Self { core, catalogue, spawner, dir, board, current: Mutex::default(), handle: ArcSwapOption::empty() })
    }

    /// How it stands, with the end of its log.
    pub fn detail(&self) -> TunnelDetail {
        let log = self.handle.load().as_ref().map(|handle| handle.log()).unwrap_or_default();
        TunnelDetail { state: self.board.state(), log }
    }

    /// What could be started here.
    pub async fn providers(&self) -> TunnelProviderList {
        let ingress = reached_at(self.core.addresses.ingress);
        let providers = join_all(self.catalogue.iter().map(|provider| view(provider, ingress))).await;
        TunnelProviderList { providers, exposes: TUNNEL_EXPOSES.to_owned() }
    }

    /// Starts one; returns when its program is being started.
    ///
    /// # Errors
    /// When one runs already, the provider is unknown, its program is missing, or an option will not do.
    pub async fn start(&self, slug: &str, options: &Map<String, Value>) -> Result<(), AppError> {
        let Some(provider) = self.catalogue.get(slug) else {
            let message = format!("There is no tunnel provider `{slug}`");
            return Err(AppError::refused(
                "unknown_tunnel_provider",
                "provider",
                message,
                "`creel tunnel providers` lists them.",
            ));
        };
        let mut current = self.current.lock().await;
        if current.is_closed {
            return Err(AppError::unavailable("stopping", "Creel is stopping", "Start Creel again first."));
        }
        if self.board.runs() {
            let (message, help) = ("A tunnel runs already", "Stop it, then start the other one.");
            return Err(AppError::conflict("tunnel_running", message, help));
        }
        if let Some(earlier) = current.supervision.take() {
            earlier.ended().await;
        }
        let blueprint = Blueprint::new(Arc::clone(provider), options, self.core.addresses.ingress).map_err(refused)?;
        let blueprint = Arc::new(blueprint);
        let shown = DeliveryTunnel {
            provider: provider.slug.clone(),
            name: provider.name.clone(),
            adds_headers: provider.adds_headers.clone(),
        };
        let row = self.core.store.write(move |writing| writing.save_tunnel(&shown)).await?;
        self.board.begin(&blueprint, row, self.core.clock.now());
        let parts = SupervisionParts {
            blueprint,
            spawner: Arc::clone(&self.spawner),
            outside: Arc::new(EngineSide::new(Arc::clone(&self.core))),
            observer: Arc::<Board>::clone(&self.board),
            dir: self.dir.clone(),
        };
        match Supervision::begin(parts) {
            Ok(begun) => {
                self.handle.store(Some(Arc::new(begun.handle())));
                current.supervision = Some(begun);
                Ok(())
            }
            Err(error) => {
                self.board.clear();
                Err(AppError::internal(error.to_string()))
            }
        }
    }

    /// Ends it; returns when its program and everything below is gone. Without a tunnel it does nothing.
    pub async fn stop(&self) {
        let mut current = self.current.lock().await;
        if let Some(supervision) = current.supervision.take() {
            supervision.ask_to_stop();
            supervision.ended().await;
        }
        self.handle.store(None);
        self.board.clear();
    }

    /// Ends it with the engine; none can be started afterwards.
    pub async fn close(&self) {
        let mut current = self.current.lock().await;
        current.is_closed = true;
        if let Some(supervision) = current.supervision.take() {
            supervision.ask_to_stop();
            supervision.ended().await;
        }
    }

    /// Asks for a proof of life; its result comes as an event.
    ///
    /// # Errors
    /// When there is no tunnel.
    pub fn probe(&self) -> Result<(), AppError> {
        match &*self.handle.load() {
            Some(handle) if self.board.runs() => {
                handle.probe();
                Ok(())
            }
            _ => Err(AppError::conflict("no_tunnel", "No tunnel runs", "Start one first.")),
        }
    }

    /// Notes that the providers have the new URL.
    pub fn acknowledge(&self) {
        self.board.acknowledge();
    }
}

fn refused(error: OptionError) -> AppError {
    let message = error.to_string();
    match error {
        OptionError::Unknown { name } => AppError::refused(
            "unknown_field",
            &format!("options.{name}"),
            message,
            "`creel tunnel providers` lists what may be set.",
        ),
        OptionError::Missing { name } => {
            AppError::refused("missing_value", &format!("options.{name}"), message, "Give it.")
        }
        OptionError::Invalid { name, .. } => {
            AppError::refused("invalid_value", &format!("options.{name}"), message, "Correct it.")
        }
        OptionError::LoopbackOnly { ingress, .. } => {
            let port = ingress.port();
            let help = format!("Start Creel with `--ingress 127.0.0.1:{port}`, or take another tunnel.");
            AppError::refused("tunnel_loopback_only", "provider", message, help)
        }
        OptionError::NoProgram { install, .. } => {
            let help = install.map_or_else(|| "Give its full path.".to_owned(), |line| format!("Install it: {line}"));
            AppError::refused("tunnel_program_missing", "provider", message, help)
        }
    }
}

async fn view(provider: &TunnelProvider, ingress: SocketAddr) -> TunnelProviderView {
    let path = provider.program.as_deref().and_then(find_program);
    let version = match &path {
        Some(path) => version_of(path, &provider.version_args).await,
        None => None,
    };
    let installed = path.is_some() || provider.program.is_none();
    TunnelProviderView {
        slug: provider.slug.clone(),
        name: provider.name.clone(),
        summary: provider.summary.clone(),
        docs_url: provider.docs_url.clone(),
        program: provider.program.clone(),
        installed,
        path: path.map(|path| path.display().to_string()),
        version,
        install: provider.install.here().filter(|_| !installed).map(str::to_owned),
        evidence: provider.evidence,
        supported: provider.is_supported(),
        account: provider.account,
        https: provider.https,
        stable_url: provider.stable_url,
        notes: provider.notes.iter().map(|note| note.replace("{ingress}", &ingress.to_string())).collect(),
        adds_headers: provider.adds_headers.clone(),
        options: provider.options.clone(),
    }
}
