//! Starting a tunnel's program under its guard: the one thing that the window and the headless binary do differently.

use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::guard::GUARD_COMMAND;
use crate::domain::TunnelStream;

/// How long output is still read when the guard has ended: a process that escaped it may hold a pipe open for ever, or
/// write without end.
pub const DRAIN_TIME: Duration = Duration::from_millis(500);

/// Waits for an instant; for ever when there is none.
pub async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// The program that becomes the guard.
#[derive(Clone, Debug)]
pub struct GuardProgram {
    /// Its file.
    pub path: PathBuf,
}

impl GuardProgram {
    /// This very program.
    ///
    /// # Errors
    /// When the system does not say where it is.
    pub fn this_program() -> std::io::Result<Self> {
        Ok(Self { path: std::env::current_exe()? })
    }
}

/// A program with everything that its start takes.
pub struct GuardedCommand {
    /// Where the guard notes what it started.
    pub record: PathBuf,
    /// The program.
    pub program: PathBuf,
    /// Its arguments: never a secret.
    pub args: Vec<String>,
    /// Its variables beyond ours: secrets may be among them.
    pub env: Vec<(String, String)>,
}

impl GuardedCommand {
    /// The guard's own arguments.
    #[must_use]
    pub fn guard_args(&self) -> Vec<OsString> {
        let own = [GUARD_COMMAND.into(), "--record".into(), self.record.clone().into_os_string(), "--".into()];
        let program = std::iter::once(self.program.clone().into_os_string());
        own.into_iter().chain(program).chain(self.args.iter().map(OsString::from)).collect()
    }
}

impl fmt::Debug for GuardedCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GuardedCommand").field("program", &self.program).finish_non_exhaustive()
    }
}

/// What a process does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessEvent {
    /// It wrote something.
    Output {
        /// Where.
        stream: TunnelStream,
        /// As it came.
        bytes: Vec<u8>,
    },
    /// It ended; nothing comes behind this. The code is null when the system does not say.
    Ended {
        /// Exit code.
        code: Option<i32>,
    },
}

/// Why no process was started.
#[derive(Debug, thiserror::Error)]
#[error("the tunnel's guard cannot be started: {0}")]
pub struct SpawnError(pub String);

/// What a process does next; may be dropped and asked for again without loss.
pub type NextEvent<'a> = Pin<Box<dyn Future<Output = ProcessEvent> + Send + 'a>>;

/// A guard with its program. Dropping it ends both.
pub trait TunnelProcess: Send {
    /// Waits for what it does next.
    fn next(&mut self) -> NextEvent<'_>;

    /// Asks for the end in good order; does not wait for it.
    fn ask_to_stop(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Ends the guard at once. Its program may stay behind: see [`super::record::end_leftovers`].
    fn kill(&mut self);
}

/// Starts guards.
pub trait TunnelSpawner: fmt::Debug + Send + Sync + 'static {
    /// Starts one; needs the runtime.
    ///
    /// # Errors
    /// When the system does not start it.
    fn spawn(&self, command: &GuardedCommand) -> Result<Box<dyn TunnelProcess>, SpawnError>;
}
