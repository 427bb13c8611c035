//! The place of the engine in the window's process: starting, running, or blocked with the reason.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use creel::app::error::ErrorBody;
use creel::engine::{self, EngineConfig, EngineError, Running};
use creel::tunnel::TunnelSpawner;
use serde::Serialize;
use tokio::sync::watch;

/// How the engine stands, as the page sees it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EngineState {
    /// It runs.
    Running,
    /// It could not be started.
    Blocked {
        /// Why, and what to do.
        error: ErrorBody,
    },
}

#[derive(Clone)]
enum Slot {
    Starting,
    Running(Arc<Running>),
    Blocked(ErrorBody),
    Stopped,
}

/// The engine, whatever its state.
pub struct EngineSlot {
    config: EngineConfig,
    /// Known once there is an application.
    tunnel_spawner: OnceLock<Arc<dyn TunnelSpawner>>,
    slot: watch::Sender<Slot>,
    starting: Mutex<Starting>,
}

/// The task that starts the engine; joined before the engine is stopped.
#[derive(Default)]
struct Starting {
    task: Option<tauri::async_runtime::JoinHandle<()>>,
    /// No start any more.
    closed: bool,
}

impl EngineSlot {
    /// An empty place.
    pub fn new(config: EngineConfig) -> Self {
        Self {
            config,
            tunnel_spawner: OnceLock::new(),
            slot: watch::Sender::new(Slot::Starting),
            starting: Mutex::default(),
        }
    }

    /// Has tunnel programs started in this way. Called before the engine is started; a second call changes nothing.
    pub fn start_tunnels_with(&self, spawner: impl TunnelSpawner) {
        let _is_set = self.tunnel_spawner.set(Arc::new(spawner));
    }

    /// Starts the engine in the background.
    pub fn begin_start(self: &Arc<Self>) {
        let mut starting = self.starting();
        if !starting.closed {
            starting.task = Some(self.spawn_start());
        }
    }

    /// Starts it again after it was blocked; otherwise does nothing.
    pub fn retry(self: &Arc<Self>) {
        let mut starting = self.starting();
        if starting.closed || !matches!(*self.slot.borrow(), Slot::Blocked(_)) {
            return;
        }
        self.slot.send_replace(Slot::Starting);
        starting.task = Some(self.spawn_start());
    }

    fn spawn_start(self: &Arc<Self>) -> tauri::async_runtime::JoinHandle<()> {
        let slot = Arc::clone(self);
        tauri::async_runtime::spawn(async move {
            let config = EngineConfig { tunnel_spawner: slot.tunnel_spawner.get().cloned(), ..slot.config.clone() };
            let next = match engine::start(config).await {
                Ok(running) => Slot::Running(Arc::new(running)),
                Err(error) => Slot::Blocked(error_body(&error)),
            };
            slot.slot.send_replace(next);
        })
    }

    fn starting(&self) -> MutexGuard<'_, Starting> {
        self.starting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of each change from now on.
    pub fn changes(&self) -> watch::Receiver<impl Sized + Send + Sync + use<>> {
        self.slot.subscribe()
    }

    /// How it stands, once that is known.
    pub async fn state(&self) -> EngineState {
        match self.settled().await {
            Slot::Running(_) => EngineState::Running,
            Slot::Blocked(error) => EngineState::Blocked { error },
            Slot::Starting | Slot::Stopped => EngineState::Blocked { error: stopped() },
        }
    }

    /// The running engine.
    ///
    /// # Errors
    /// With the reason why there is none.
    pub async fn running(&self) -> Result<Arc<Running>, ErrorBody> {
        match self.settled().await {
            Slot::Running(running) => Ok(running),
            Slot::Blocked(error) => Err(error),
            Slot::Starting | Slot::Stopped => Err(stopped()),
        }
    }

    /// Ends the engine.
    pub async fn stop(&self) {
        let task = {
            let mut starting = self.starting();
            starting.closed = true;
            starting.task.take()
        };
        if let Some(task) = task
            && task.await.is_err()
        {
            tracing::error!("the start of the engine panicked");
        }
        let Slot::Running(running) = self.slot.send_replace(Slot::Stopped) else { return };
        if let Err(error) = running.stop().await {
            tracing::warn!(%error, "the engine did not end cleanly");
        }
    }

    async fn settled(&self) -> Slot {
        let mut slot = self.slot.subscribe();
        // The sender lives as long as `self`, so that waiting cannot fail.
        match slot.wait_for(|slot| !matches!(slot, Slot::Starting)).await {
            Ok(settled) => settled.clone(),
            Err(_) => Slot::Stopped,
        }
    }
}

fn error_body(error: &EngineError) -> ErrorBody {
    ErrorBody { code: error.code().to_owned(), message: error.to_string(), help: error.help(), field: None }
}

fn stopped() -> ErrorBody {
    ErrorBody {
        code: "stopping".to_owned(),
        message: "Creel is stopping".to_owned(),
        help: "Start it again.".to_owned(),
        field: None,
    }
}
