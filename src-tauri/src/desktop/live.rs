//! Live events to the page, through one IPC channel at a time.

use std::sync::{Mutex, PoisonError};

use creel::app::events::Subscription;
use serde::Serialize;
use serde_json::value::RawValue;
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;

/// Events fetched at once.
const BATCH_EVENTS: usize = 256;

/// One event as the page reads it.
#[derive(Clone, Debug, Serialize)]
pub struct LiveEvent {
    id: String,
    event: &'static str,
    data: Box<RawValue>,
}

/// The task that feeds the page; a page that subscribes again (after a reload) takes its place.
#[derive(Default)]
pub struct LiveStream {
    task: Mutex<Option<JoinHandle<()>>>,
}

impl LiveStream {
    /// Feeds this channel from now on, and no other.
    pub fn feed(&self, mut subscription: Subscription, channel: Channel<LiveEvent>) {
        let task = tauri::async_runtime::spawn(async move {
            loop {
                let batch = subscription.next_batch(BATCH_EVENTS).await;
                if batch.is_empty() {
                    return;
                }
                for event in batch {
                    let Some(event) = live_event(&event) else { continue };
                    if channel.send(event).is_err() {
                        return;
                    }
                }
            }
        });
        let before = self.task.lock().unwrap_or_else(PoisonError::into_inner).replace(task);
        if let Some(before) = before {
            before.abort();
        }
    }

    /// Ends the feed.
    pub async fn stop(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.abort();
            // Aborted on purpose: how it ended says nothing.
            let _ended = task.await;
        }
    }
}

fn live_event(event: &creel::app::events::Event) -> Option<LiveEvent> {
    let data = event.json().ok().and_then(|json| RawValue::from_string(json).ok());
    if data.is_none() {
        tracing::error!(id = event.id, "an event could not be written as JSON");
    }
    Some(LiveEvent { id: event.id.clone(), event: event.kind().as_str(), data: data? })
}
