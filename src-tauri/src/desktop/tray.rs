//! The icon in the system's tray: its state, its menu, and whether anybody shows it.
//!
//! On Linux both a library (libayatana-appindicator) and somebody who shows such icons are needed, and neither is a
//! matter of course. Without them there is no tray, and closing the window ends Creel as it always did.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use creel::app::operation::{Answer, Call};
use serde_json::Value;
use tauri::image::Image;
use tauri::menu::{Menu, MenuBuilder, MenuItem, MenuItemBuilder};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager as _, Runtime};
use tauri_plugin_clipboard_manager::ClipboardExt as _;

use super::engine_slot::EngineSlot;
use super::tray_state::{TrayState, with_badge};
use super::{stop, window};

#[cfg(target_os = "linux")]
/// How long the session bus may take to answer, in milliseconds; it is asked when the window is closed, too.
const BUS_ANSWER_MS_MAX: u64 = 500;
const OPEN: &str = "open";
const COPY: &str = "copy";
const QUIT: &str = "quit";

/// The tray icon, when there is one.
pub struct Tray<R: Runtime> {
    shown: Mutex<Option<Shown<R>>>,
}

/// What changes with the state.
struct Shown<R: Runtime> {
    icon: TrayIcon<R>,
    line: MenuItem<R>,
    state: TrayState,
}

impl<R: Runtime> Default for Tray<R> {
    fn default() -> Self {
        Self { shown: Mutex::new(None) }
    }
}

impl<R: Runtime> Tray<R> {
    /// Whether the icon is there and somebody shows it, so that a hidden window can be found again. Asks the session bus:
    /// blocks for as long as that takes, at most [`BUS_ANSWER_MS_MAX`].
    pub fn can_be_seen(&self) -> bool {
        self.shown().is_some() && somebody_shows_icons()
    }

    /// Shows a state; does nothing without an icon, or when it is shown already.
    pub fn show(&self, app: &AppHandle<R>, state: TrayState) {
        let (icon_shown, line) = match &mut *self.shown() {
            Some(shown) if shown.state != state => {
                shown.state = state.clone();
                // Cloned, so that the lock is not held while the main thread does the work.
                (shown.icon.clone(), shown.line.clone())
            }
            _ => return,
        };
        let changed = icon_shown
            .set_icon(icon(app, &state))
            .and_then(|()| icon_shown.set_tooltip(Some(format!("Creel: {}", state.line()))))
            .and_then(|()| line.set_text(state.line()));
        if let Err(error) = changed {
            tracing::warn!(%error, "the tray icon cannot be changed");
        }
    }

    fn shown(&self) -> MutexGuard<'_, Option<Shown<R>>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, shown: Shown<R>) {
        *self.shown() = Some(shown);
    }
}

/// Makes the icon when it can be shown; asks for that off the main thread and makes it on it.
pub fn begin<R: Runtime>(app: &AppHandle<R>) {
    let app = app.clone();
    tauri::async_runtime::spawn_blocking(move || {
        if !somebody_shows_icons() {
            tracing::info!("nobody shows tray icons here: closing the window ends Creel");
            return;
        }
        let on_main = app.clone();
        if let Err(error) = app.run_on_main_thread(move || make(&on_main)) {
            tracing::warn!(%error, "the tray icon cannot be made");
        }
    });
}

fn make<R: Runtime>(app: &AppHandle<R>) {
    // The library that draws it on Linux is loaded when it is first used, and the binding panics where there is none
    // (libappindicator-sys 0.9, `LIB`).
    let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| build(app)));
    match built {
        Ok(Ok(shown)) => app.state::<Tray<R>>().set(shown),
        Ok(Err(error)) => tracing::warn!(%error, "the tray icon cannot be made"),
        Err(_) => tracing::warn!("there is no library for tray icons (libayatana-appindicator3)"),
    }
}

fn build<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<Shown<R>> {
    let state = TrayState::Catching;
    let line = MenuItemBuilder::new(state.line()).enabled(false).build(app)?;
    let menu: Menu<R> = MenuBuilder::new(app)
        .item(&line)
        .separator()
        .text(OPEN, "Open Creel")
        .text(COPY, "Copy the first endpoint’s URL")
        .separator()
        .text(QUIT, "Quit Creel")
        .build()?;
    let mut builder = TrayIconBuilder::new().menu(&menu).tooltip(format!("Creel: {}", state.line()));
    if let Some(icon) = icon(app, &state) {
        builder = builder.icon(icon);
    }
    let icon = builder
        .on_menu_event(|app, event| match event.id().as_ref() {
            OPEN => window::bring_to_front(app),
            COPY => copy_first_url(app),
            QUIT => stop::begin(app.clone()),
            _ => {}
        })
        .build(app)?;
    Ok(Shown { icon, line, state })
}

fn icon<R: Runtime>(app: &AppHandle<R>, state: &TrayState) -> Option<Image<'static>> {
    let base = app.default_window_icon()?;
    Some(Image::new_owned(with_badge(base.rgba(), base.width(), state), base.width(), base.height()))
}

fn copy_first_url<R: Runtime>(app: &AppHandle<R>) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let Some(url) = first_url(&app).await else {
            // There is nothing to copy: the window says what to do.
            window::bring_to_front(&app);
            return;
        };
        if let Err(error) = app.clipboard().write_text(url) {
            tracing::warn!(%error, "the clipboard cannot be used");
        }
    });
}

/// The public URL where there is one, else the one of this machine.
async fn first_url<R: Runtime>(app: &AppHandle<R>) -> Option<String> {
    let endpoints = endpoints(app).await?;
    let first = endpoints.first()?;
    let url = ["public_url", "ingress_url"].iter().find_map(|field| first.get(*field)?.as_str());
    url.map(str::to_owned)
}

/// The endpoints as the API shows them; none while the engine does not run.
pub async fn endpoints<R: Runtime>(app: &AppHandle<R>) -> Option<Vec<Value>> {
    let slot = Arc::clone(app.state::<Arc<EngineSlot>>().inner());
    let running = slot.running().await.ok()?;
    let answer = running.operations().call(running.app(), "endpoints.list", Call::default()).await;
    let Ok(Answer::Json { json, .. }) = answer else { return None };
    let list: Value = serde_json::from_str(&json).ok()?;
    list.get("endpoints")?.as_array().cloned()
}

/// Whether a desktop shows StatusNotifierItems: the name that its tray owns on the session bus (freedesktop.org,
/// StatusNotifierItem specification).
#[cfg(target_os = "linux")]
fn somebody_shows_icons() -> bool {
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";
    let asked = || -> zbus::Result<bool> {
        let connection = zbus::blocking::connection::Builder::session()?
            .method_timeout(std::time::Duration::from_millis(BUS_ANSWER_MS_MAX))
            .build()?;
        let bus = zbus::blocking::fdo::DBusProxy::new(&connection)?;
        Ok(bus.name_has_owner(WATCHER.try_into()?)?)
    };
    asked().unwrap_or_else(|error| {
        tracing::debug!(%error, "the session bus does not say who shows tray icons");
        false
    })
}

/// Windows and macOS always do.
#[cfg(not(target_os = "linux"))]
fn somebody_shows_icons() -> bool {
    true
}
