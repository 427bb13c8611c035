//! Follows the engine for somebody who does not look at the window: the tray's state, and notifications.

use std::collections::HashMap;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use creel::app::Clock;
use creel::app::events::{Event, EventData};
use creel::domain::EndpointId;
use creel::engine::Running;
use serde_json::Value;
use tauri::async_runtime::JoinHandle;
use tauri::{AppHandle, Manager as _, Runtime};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::engine_slot::EngineSlot;
use super::notification;
use super::tray::{Tray, endpoints};
use super::tray_state::TrayState;
use super::troubles::Troubles;
use super::window_file::WindowFile;

/// Events fetched at once.
const BATCH_EVENTS: usize = 256;
/// The shortest time between two notifications; what happens meanwhile is told in the next one.
const NOTIFY_EVERY: Duration = Duration::from_secs(10);
/// How long the first trouble waits for others to be told with it.
const NOTIFY_AFTER: Duration = Duration::from_secs(1);

/// The task, and whether the user looks.
#[derive(Default)]
pub struct Watch {
    task: Mutex<Option<JoinHandle<()>>>,
    looks: AtomicBool,
    looked: Notify,
}

impl Watch {
    /// The window has the focus now, or has lost it.
    pub fn set_looks(&self, looks: bool) {
        self.looks.store(looks, Ordering::Relaxed);
        if looks {
            self.looked.notify_one();
        }
    }

    /// Ends the task.
    pub async fn stop(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.abort();
            // Aborted on purpose: how it ended says nothing.
            let _ended = task.await;
        }
    }
}

/// Follows the engine from now on.
pub fn begin<R: Runtime>(app: &AppHandle<R>) {
    let task = tauri::async_runtime::spawn(follow(app.clone()));
    let before = app.state::<Watch>().task.lock().unwrap_or_else(PoisonError::into_inner).replace(task);
    if let Some(before) = before {
        before.abort();
    }
}

async fn follow<R: Runtime>(app: AppHandle<R>) {
    let slot = Arc::clone(app.state::<Arc<EngineSlot>>().inner());
    let mut changes = slot.changes();
    loop {
        match slot.running().await {
            Ok(running) => return Following::new(app).follow(&running).await,
            Err(_) => app.state::<Tray<R>>().show(&app, TrayState::NotCatching),
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// A running engine that is followed.
struct Following<R: Runtime> {
    app: AppHandle<R>,
    troubles: Troubles,
    names: HashMap<EndpointId, String>,
    paused: bool,
    /// When the next notification may be shown
    tell_at: Instant,
}

impl<R: Runtime> Following<R> {
    fn new(app: AppHandle<R>) -> Self {
        Self { app, troubles: Troubles::default(), names: HashMap::new(), paused: false, tell_at: Instant::now() }
    }

    async fn follow(mut self, running: &Running) {
        let mut events = running.app().events().subscribe(None);
        self.read_endpoints().await;
        self.show();
        loop {
            let app = self.app.clone();
            let watch = app.state::<Watch>();
            tokio::select! {
                batch = events.next_batch(BATCH_EVENTS) => {
                    if batch.is_empty() {
                        return;
                    }
                    self.take(&batch).await;
                }
                () = watch.looked.notified() => self.troubles.looked(),
                () = sleep_until(self.tell_at), if self.troubles.is_untold() => self.tell(),
            }
            self.show();
        }
    }

    async fn take(&mut self, batch: &[Event]) {
        let looks = self.app.state::<Watch>().looks.load(Ordering::Relaxed);
        let mut endpoints_changed = false;
        for event in batch {
            match &event.data {
                EventData::Delivery(row) if !looks => {
                    let first = !self.troubles.is_untold();
                    if self.troubles.note(row, Clock.now()) && first {
                        self.tell_at = self.tell_at.max(Instant::now() + NOTIFY_AFTER);
                    }
                }
                EventData::Endpoint(_) | EventData::Resync => endpoints_changed = true,
                _ => {}
            }
        }
        if endpoints_changed {
            self.read_endpoints().await;
        }
    }

    async fn read_endpoints(&mut self) {
        let all = endpoints(&self.app).await.unwrap_or_default();
        let enabled = |endpoint: &Value| endpoint.get("enabled").and_then(Value::as_bool) == Some(true);
        self.paused = !all.is_empty() && !all.iter().any(enabled);
        self.names = all
            .iter()
            .filter_map(|endpoint| {
                let id = EndpointId::from_str(endpoint.get("id")?.as_str()?).ok()?;
                Some((id, endpoint.get("name")?.as_str()?.to_owned()))
            })
            .collect();
    }

    fn show(&self) {
        let state = match self.troubles.since_look() {
            (0, 0) if self.paused => TrayState::Paused,
            (0, 0) => TrayState::Catching,
            (failed, invalid) => TrayState::Trouble { failed, invalid },
        };
        self.app.state::<Tray<R>>().show(&self.app, state);
    }

    /// Told or, when the user wants none, forgotten.
    fn tell(&mut self) {
        self.tell_at = Instant::now() + NOTIFY_EVERY;
        let Some(sentence) = self.troubles.tell(|id| self.names.get(&id).cloned()) else { return };
        if !self.app.state::<WindowFile>().settings().notify {
            return;
        }
        notification::show(&self.app, sentence);
    }
}
