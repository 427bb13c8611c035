//! One tunnel from the user's start to the user's stop: runs of its program, one after another, and what is said of them.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::blueprint::Blueprint;
use super::log::TunnelLog;
use super::redaction::Redaction;
use super::restarts::Restarts;
use super::run::{Run, RunEnd};
use super::spawner::TunnelSpawner;
use super::{private_file, record};
use crate::domain::{Timestamp, TunnelLogLine, TunnelProbe, TunnelStanding, TunnelStatus, TunnelStream};

/// Requests of the user that wait.
const REQUESTS_MAX: usize = 8;
/// Said when the URL has no TLS.
const PLAIN_HTTP: &str =
    "The public URL is plain http: most providers require https, and anyone on the way can read what is sent.";

/// What is promised for later.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What an address on this machine answers: status and the beginning of the body; or why it does not.
pub type LocalAnswer = Result<(u16, Vec<u8>), String>;

/// What a supervision asks of the world outside its program.
pub trait Outside: Send + Sync + 'static {
    /// Asks an address on this machine, the program's own.
    fn get(&self, url: String) -> Later<LocalAnswer>;

    /// Sends a request through a public URL and says what came of it.
    fn prove(&self, public_url: String) -> Later<TunnelProbe>;

    /// Now.
    fn now(&self) -> Timestamp;

    /// Evenly spread from 0 to 1.
    fn chance(&self) -> f64;
}

/// Hears of every change, in order, before anything else happens.
pub trait TunnelObserver: Send + Sync + 'static {
    /// How it stands now.
    fn changed(&self, standing: &TunnelStanding);
}

/// What a supervision is made of.
pub struct SupervisionParts {
    /// What is started.
    pub blueprint: Arc<Blueprint>,
    /// How.
    pub spawner: Arc<dyn TunnelSpawner>,
    /// The world outside.
    pub outside: Arc<dyn Outside>,
    /// Who hears of changes.
    pub observer: Arc<dyn TunnelObserver>,
    /// Where files for the program and the guard's record go; the user's alone.
    pub dir: PathBuf,
}

/// A tunnel under supervision. [`Supervision::ask_to_stop`] ends it.
pub struct Supervision {
    handle: SupervisionHandle,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl fmt::Debug for Supervision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Supervision").finish_non_exhaustive()
    }
}

/// What may be asked of a supervision at any time, also while it ends.
#[derive(Clone, Debug)]
pub struct SupervisionHandle {
    shared: Arc<Shared>,
    requests: mpsc::Sender<Request>,
}

impl SupervisionHandle {
    /// The end of the log, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<TunnelLogLine> {
        self.shared.log().lines()
    }

    /// Asks for a proof of life now. The answer comes as a change.
    pub fn probe(&self) {
        // Full: one is about to be made. Closed: it has ended.
        let _ignored = self.requests.try_send(Request::Probe);
    }
}

/// What the user asks for while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// A proof of life, now.
    Probe,
}

/// The log, which is read from outside.
#[derive(Debug, Default)]
struct Shared {
    log: Mutex<TunnelLog>,
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, TunnelLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Supervision {
    /// Starts the program and watches it from now on; needs the runtime.
    ///
    /// # Errors
    /// When a pattern of ours cannot be compiled, which is our own fault.
    pub fn begin(parts: SupervisionParts) -> Result<Self, regex::Error> {
        let redaction = Redaction::new(parts.blueprint.secrets())?;
        let (requests, requested) = mpsc::channel(REQUESTS_MAX);
        let (shared, stop) = (Arc::<Shared>::default(), CancellationToken::new());
        let watch = Watch {
            standing: TunnelStanding::of(TunnelStatus::Starting),
            parts,
            shared: Arc::clone(&shared),
            redaction,
            restarts: Restarts::default(),
            was_ready: false,
            stands: false,
        };
        let task = tokio::spawn(watch.supervise(requested, stop.clone()));
        Ok(Self { handle: SupervisionHandle { shared, requests }, stop, task })
    }

    /// What may be asked of it.
    #[must_use]
    pub fn handle(&self) -> SupervisionHandle {
        self.handle.clone()
    }

    /// Asks for the end; [`Supervision::ended`] waits for it.
    pub fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Waits until the program and everything below it is gone.
    pub async fn ended(self) {
        if self.task.await.is_err_and(|error| error.is_panic()) {
            tracing::error!("the supervision of the tunnel panicked");
        }
    }
}

/// The supervision's own state: what the runs have in common.
pub(super) struct Watch {
    pub(super) parts: SupervisionParts,
    pub(super) standing: TunnelStanding,
    /// Whether the tunnel stood once since the user started it.
    pub(super) was_ready: bool,
    /// Whether it stood in this run.
    pub(super) stands: bool,
    shared: Arc<Shared>,
    redaction: Redaction,
    restarts: Restarts,
}

impl Watch {
    async fn supervise(mut self, mut requested: mpsc::Receiver<Request>, stop: CancellationToken) {
        self.end_leftovers().await;
        loop {
            let began = Instant::now();
            let end = Run::of(&mut self, &mut requested, &stop).await;
            let (reason, hint) = match end {
                RunEnd::Stopped => break self.set(TunnelStatus::Stopped, None, None),
                RunEnd::GivenUp { reason, hint } => break self.fail(reason, hint),
                RunEnd::Ended { reason, hint } => (reason, hint),
            };
            self.end_leftovers().await;
            let Some(pause) = self.restarts.after(began.elapsed(), self.stands, self.parts.outside.chance()) else {
                break self.fail(format!("It failed again and again: {reason}"), hint);
            };
            if !self.wait_to_restart(pause, reason, hint, &stop).await {
                break self.set(TunnelStatus::Stopped, None, None);
            }
        }
        self.remove_files().await;
    }

    /// False: the user stopped it meanwhile.
    async fn wait_to_restart(
        &mut self,
        pause: Duration,
        reason: String,
        hint: Option<String>,
        stop: &CancellationToken,
    ) -> bool {
        let now = self.parts.outside.now().as_millis();
        let at = now.saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
        self.standing.restart_at = Some(Timestamp::from_millis(at));
        self.standing.restarts = self.restarts.count();
        // What was proved of the run before says nothing about the next.
        self.standing.last_probe = None;
        self.set(TunnelStatus::Restarting, Some(reason), hint);
        let stopped = tokio::select! {
            () = stop.cancelled() => true,
            () = tokio::time::sleep(pause) => false,
        };
        self.standing.restart_at = None;
        if !stopped {
            let (reason, hint) = (self.standing.reason.take(), self.standing.hint.take());
            self.set(TunnelStatus::Starting, reason, hint);
        }
        !stopped
    }

    fn fail(&mut self, reason: String, hint: Option<String>) {
        self.note(format!("given up: {reason}"));
        self.set(TunnelStatus::Failed, Some(reason), hint);
    }

    /// Changes what is said, and says it.
    pub(super) fn set(&mut self, status: TunnelStatus, reason: Option<String>, hint: Option<String>) {
        if matches!(status, TunnelStatus::Stopped | TunnelStatus::Failed) {
            self.standing.public_url = None;
            self.standing.notes.clear();
        }
        (self.standing.status, self.standing.reason, self.standing.hint) = (status, reason, hint);
        self.publish();
    }

    /// Says how it stands.
    pub(super) fn publish(&mut self) {
        self.standing.log_lines = self.shared.log().count();
        self.parts.observer.changed(&self.standing);
    }

    /// Whether the log has grown since it was last said.
    pub(super) fn has_news(&self) -> bool {
        self.shared.log().count() != self.standing.log_lines
    }

    /// Takes the public URL; true when it is another one than before.
    pub(super) fn set_url(&mut self, url: String) -> bool {
        self.standing.notes = if url.starts_with("http://") { vec![PLAIN_HTTP.to_owned()] } else { Vec::new() };
        let is_new = self.standing.public_url.as_ref() != Some(&url);
        self.standing.public_url = Some(url);
        is_new
    }

    /// Keeps a line of the program's.
    pub(super) fn keep(&mut self, stream: TunnelStream, line: &str) {
        let text = self.shown(line);
        let now = self.parts.outside.now();
        self.shared.log().push(now, stream, text);
    }

    /// Keeps a line of our own.
    pub(super) fn note(&mut self, line: String) {
        self.keep(TunnelStream::Creel, &line);
    }

    /// A line as it may be seen.
    pub(super) fn shown(&self, line: &str) -> String {
        self.redaction.apply(line)
    }

    /// What the program wrote last, as it may be seen.
    pub(super) fn last_words(&self) -> Option<String> {
        self.shared.log().last_words().map(str::to_owned)
    }

    /// Ends what a guard that was killed has left behind.
    async fn end_leftovers(&self) {
        let dir = self.parts.dir.clone();
        match tokio::task::spawn_blocking(move || record::end_leftovers(&dir)).await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(ended)) => tracing::info!(ended, "processes that an earlier tunnel left behind were ended"),
            Ok(Err(error)) => tracing::warn!(%error, "the record of an earlier tunnel cannot be read"),
        }
    }

    /// Writes the program's files, which may hold secrets.
    pub(super) async fn write_files(&self, files: Vec<(PathBuf, String)>) -> Result<(), String> {
        let dir = self.parts.dir.clone();
        let write = move || {
            private_file::create_dir(&dir)?;
            files.iter().try_for_each(|(path, text)| private_file::write(path, text.as_bytes()))
        };
        let written = tokio::task::spawn_blocking(write).await.map_err(|error| error.to_string())?;
        written.map_err(|error| format!("the tunnel's files cannot be written: {error}"))
    }

    async fn remove_files(&mut self) {
        self.end_leftovers().await;
        let files = self.parts.blueprint.launch(0, &self.parts.dir).files;
        let remove = move || files.iter().try_for_each(|(path, _)| private_file::remove(path));
        if let Ok(Err(error)) = tokio::task::spawn_blocking(remove).await {
            tracing::warn!(%error, "a file of the tunnel cannot be removed");
        }
    }
}
