//! Guards as children of tauri-plugin-shell: for the window.
//!
//! Called from Rust, the plugin needs no permission and no scope; the page has none and cannot reach it.
//!
//! The plugin says that a process has ended when nobody can write to its pipes any more. The program under a guard that
//! was killed still can: so the guard itself is looked at, too.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use creel::domain::TunnelStream;
use creel::tunnel::guard::STOP_WORD;
use creel::tunnel::{
    DRAIN_TIME, GuardProgram, GuardedCommand, NextEvent, ProcessEvent, SpawnError, TunnelProcess, TunnelSpawner,
    process_exists, until,
};
use tauri::async_runtime::Receiver;
use tauri::{AppHandle, Runtime};
use tauri_plugin_shell::ShellExt as _;
use tauri_plugin_shell::process::{CommandChild, CommandEvent};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

/// Between two looks whether the guard is there.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Starts guards with the plugin.
pub struct ShellSpawner<R: Runtime> {
    app: AppHandle<R>,
    guard: GuardProgram,
}

impl<R: Runtime> ShellSpawner<R> {
    /// With this program as the guard.
    pub fn new(app: AppHandle<R>, guard: GuardProgram) -> Self {
        Self { app, guard }
    }
}

impl<R: Runtime> fmt::Debug for ShellSpawner<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ShellSpawner").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl<R: Runtime> TunnelSpawner for ShellSpawner<R> {
    fn spawn(&self, command: &GuardedCommand) -> Result<Box<dyn TunnelProcess>, SpawnError> {
        let guard = self.app.shell().command(&self.guard.path);
        let (events, child) = guard
            .args(command.guard_args())
            .envs(command.env.iter().cloned())
            .set_raw_out(true)
            .set_process_group(true)
            .spawn()
            .map_err(|error| SpawnError(error.to_string()))?;
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Box::new(ShellProcess { pid: child.pid(), events, child: Some(child), looks, gone_at: None }))
    }
}

struct ShellProcess {
    pid: u32,
    events: Receiver<CommandEvent>,
    child: Option<CommandChild>,
    looks: Interval,
    /// When the guard was first seen to be gone.
    gone_at: Option<Instant>,
}

impl ShellProcess {
    async fn next_event(&mut self) -> ProcessEvent {
        loop {
            let drain_end = self.gone_at.map(|at| at + DRAIN_TIME);
            let event = tokio::select! {
                // The end comes before the output: that of a process which writes without end would hide it.
                biased;
                () = until(drain_end) => return ProcessEvent::Ended { code: None },
                _ = self.looks.tick(), if self.gone_at.is_none() => {
                    self.gone_at = (!process_exists(self.pid)).then(Instant::now);
                    continue;
                }
                event = self.events.recv() => event,
            };
            match event {
                Some(CommandEvent::Stdout(bytes)) => {
                    return ProcessEvent::Output { stream: TunnelStream::Stdout, bytes };
                }
                Some(CommandEvent::Stderr(bytes)) => {
                    return ProcessEvent::Output { stream: TunnelStream::Stderr, bytes };
                }
                // The last event since 2.4.1.
                Some(CommandEvent::Terminated(end)) => return ProcessEvent::Ended { code: end.code },
                Some(CommandEvent::Error(error)) => tracing::debug!(error, "the tunnel's output cannot be read"),
                Some(_) => {}
                None => return ProcessEvent::Ended { code: None },
            }
        }
    }
}

impl TunnelProcess for ShellProcess {
    fn next(&mut self) -> NextEvent<'_> {
        Box::pin(self.next_event())
    }

    fn ask_to_stop(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        // A few bytes into an empty pipe: this does not wait.
        if let Some(child) = &mut self.child {
            let _ended_already = child.write(format!("{STOP_WORD}\n").as_bytes());
        }
        Box::pin(std::future::ready(()))
    }

    fn kill(&mut self) {
        if let Some(child) = self.child.take() {
            // Sends the signal and waits until the guard is gone, which takes no time.
            let _ended_already = child.kill();
        }
    }
}
