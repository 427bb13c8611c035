//! The end: window closed or signal received, the engine first, then the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tauri::{AppHandle, Manager as _, Runtime};

use super::engine_slot::EngineSlot;
use super::live::LiveStream;
use super::watch::Watch;
use super::window;

/// How far the end is.
#[derive(Default)]
pub struct Stop {
    begun: AtomicBool,
    complete: AtomicBool,
}

impl Stop {
    /// Whether the engine has ended, so that the process may.
    pub fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }
}

/// Ends the engine and then the process; a second call does nothing.
pub fn begin<R: Runtime>(app: AppHandle<R>) {
    if app.state::<Stop>().begun.swap(true, Ordering::AcqRel) {
        return;
    }
    // A start from now on is a new one: it finds the directory owned and says so, instead of waking a closing window.
    tauri_plugin_single_instance::destroy(&app);
    window::remember(&app);
    tauri::async_runtime::spawn(async move {
        app.state::<LiveStream>().stop().await;
        app.state::<Watch>().stop().await;
        app.state::<Arc<EngineSlot>>().stop().await;
        app.state::<Stop>().complete.store(true, Ordering::Release);
        app.exit(0);
    });
}

/// SIGTERM and Ctrl-C, caught from here on: Tauri handles no signals.
pub struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Needs the runtime.
    #[cfg(unix)]
    pub fn register() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Elsewhere they are caught when first waited for.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "fails on Unix")]
    pub fn register() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn received(mut self) -> std::io::Result<()> {
        tokio::select! {
            _ = self.terminate.recv() => Ok(()),
            _ = self.interrupt.recv() => Ok(()),
        }
    }

    #[cfg(not(unix))]
    async fn received(self) -> std::io::Result<()> {
        tokio::signal::ctrl_c().await
    }
}

/// A signal ends the window as closing it does.
pub fn follow<R: Runtime>(signals: Signals, app: AppHandle<R>) {
    tauri::async_runtime::spawn(async move {
        match signals.received().await {
            Ok(()) => begin(app),
            Err(error) => tracing::warn!(%error, "signals cannot be followed"),
        }
    });
}
