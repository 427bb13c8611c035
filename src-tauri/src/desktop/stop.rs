//! The end: window closed or signal received, the engine first, then the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tauri::{AppHandle, Manager as _, Runtime};

use super::engine_slot::EngineSlot;
use super::live::LiveStream;

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
    tauri::async_runtime::spawn(async move {
        app.state::<LiveStream>().stop().await;
        app.state::<Arc<EngineSlot>>().stop().await;
        app.state::<Stop>().complete.store(true, Ordering::Release);
        app.exit(0);
    });
}

/// Tauri handles no signals: SIGTERM and Ctrl-C end the window as closing it does.
pub fn follow_signals<R: Runtime>(app: AppHandle<R>) {
    tauri::async_runtime::spawn(async move {
        match signal().await {
            Ok(()) => begin(app),
            Err(error) => tracing::warn!(%error, "signals cannot be followed"),
        }
    });
}

#[cfg(unix)]
async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

#[cfg(not(unix))]
async fn signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
