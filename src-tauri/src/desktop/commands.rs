//! What the page may ask: the operations of the admin API by name, the live events, the clipboard, the engine's state.

use std::sync::Arc;

use creel::app::error::ErrorBody;
use creel::app::operation::{Answer, Call};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tauri::ipc::{Channel, Response};
use tauri::{AppHandle, Manager as _, State};
use tauri_plugin_clipboard_manager::ClipboardExt as _;

use super::engine_slot::{EngineSlot, EngineState};
use super::live::{LiveEvent, LiveStream};
use super::tray::Tray;
use super::window_file::{WindowFile, WindowSettings};

type Engine<'a> = State<'a, Arc<EngineSlot>>;

/// A call as the page writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CallInput {
    params: Map<String, Value>,
    query: Map<String, Value>,
    body: Option<Value>,
    idempotency_key: Option<String>,
}

/// One operation: JSON, raw bytes, or null for nothing.
#[tauri::command]
pub async fn call(engine: Engine<'_>, operation: String, input: CallInput) -> Result<Response, ErrorBody> {
    let running = engine.running().await?;
    let call =
        Call { params: input.params, query: input.query, body: input.body, idempotency_key: input.idempotency_key };
    match running.operations().call(running.app(), &operation, call).await {
        Ok(Answer::Json { json, .. }) => Ok(Response::new(json)),
        Ok(Answer::Bytes { bytes, .. }) => Ok(Response::new(Vec::from(bytes))),
        Ok(Answer::Empty) => Ok(Response::new("null".to_owned())),
        Err(error) => Err(error.body()),
    }
}

/// The live events from the given one on.
#[tauri::command]
pub async fn subscribe(
    engine: Engine<'_>,
    live: State<'_, LiveStream>,
    last_event_id: Option<String>,
    channel: Channel<LiveEvent>,
) -> Result<(), ErrorBody> {
    let running = engine.running().await?;
    live.feed(running.app().events().subscribe(last_event_id.as_deref()), channel);
    Ok(())
}

/// Puts text on the clipboard.
#[tauri::command]
pub fn copy_text(app: AppHandle, text: String) -> Result<(), ErrorBody> {
    app.clipboard().write_text(text).map_err(|error| ErrorBody {
        code: "clipboard".to_owned(),
        message: format!("The clipboard cannot be used: {error}"),
        help: "Select the text and copy it with the keyboard.".to_owned(),
        field: None,
    })
}

/// How the engine stands, once that is known.
#[tauri::command]
pub async fn engine_state(engine: Engine<'_>) -> Result<EngineState, ErrorBody> {
    Ok(engine.state().await)
}

/// Starts a blocked engine again.
#[tauri::command]
pub async fn retry_start(engine: Engine<'_>) -> Result<EngineState, ErrorBody> {
    engine.retry();
    Ok(engine.state().await)
}

/// The window's settings, and what of them can have an effect here.
#[derive(Debug, Serialize)]
pub struct WindowSettingsView {
    #[serde(flatten)]
    settings: WindowSettings,
    /// Whether there is a tray to hide the window in
    tray: bool,
}

/// What the user chose for the window.
#[tauri::command]
pub async fn window_settings(app: AppHandle) -> WindowSettingsView {
    let settings = app.state::<WindowFile>().settings();
    let asked = tauri::async_runtime::spawn_blocking(move || app.state::<Tray<tauri::Wry>>().can_be_seen());
    WindowSettingsView { settings, tray: asked.await.unwrap_or(false) }
}

/// Keeps what the user chose for the window.
#[tauri::command]
pub async fn set_window_settings(app: AppHandle, settings: WindowSettings) -> Result<WindowSettingsView, ErrorBody> {
    app.state::<WindowFile>().set_settings(settings).map_err(|error| ErrorBody {
        code: "not_saved".to_owned(),
        message: format!("The window's settings were not kept: {error}"),
        help: "They hold until Creel ends. Check that its data directory can be written.".to_owned(),
        field: None,
    })?;
    Ok(window_settings(app).await)
}
