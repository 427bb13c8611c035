//! The one window.

use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Manager as _, Runtime, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};
use url::Url;

use super::geometry::Geometry;
use super::tray::Tray;
use super::watch::Watch;
use super::window_file::WindowFile;

/// Its label; the capability in `tauri.conf.json` names it.
const LABEL: &str = "main";
/// Its size at first, in logical pixels.
const SIZE: (f64, f64) = (1280.0, 820.0);
/// Its smallest size, in logical pixels.
const SIZE_MIN: (f64, f64) = (720.0, 480.0);

/// Opens it where it was when it was last closed.
pub fn open<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Creel")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(SIZE_MIN.0, SIZE_MIN.1)
        // The page never leaves itself and never opens another: payloads are hostile.
        .on_navigation(is_our_page)
        .on_new_window(|_url, _features| NewWindowResponse::Deny)
        .build()?;
    if let Some(geometry) = app.state::<WindowFile>().geometry()
        && let Err(error) = geometry.give_to(&window)
    {
        tracing::warn!(%error, "the window could not be put where it was");
    }
    let app = app.clone();
    window.on_window_event(move |event| match event {
        WindowEvent::CloseRequested { api, .. } => {
            remember(&app);
            if hides_instead(&app) {
                api.prevent_close();
                hide(&app);
            }
        }
        WindowEvent::Focused(focused) => app.state::<Watch>().set_looks(*focused),
        _ => {}
    });
    Ok(())
}

/// Whether closing it only hides it: when its user wants that, and could find it again.
fn hides_instead<R: Runtime>(app: &AppHandle<R>) -> bool {
    app.state::<WindowFile>().settings().keep_catching && app.state::<Tray<R>>().can_be_seen()
}

fn hide<R: Runtime>(app: &AppHandle<R>) {
    app.state::<Watch>().set_looks(false);
    let Some(window) = app.get_webview_window(LABEL) else { return };
    if let Err(error) = window.hide() {
        tracing::warn!(%error, "the window could not be hidden");
    }
}

/// Keeps where it is for the next start.
pub fn remember<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let file = app.state::<WindowFile>();
    match visible_geometry(&window, file.geometry()) {
        Ok(Some(geometry)) => file.set_geometry(geometry),
        Ok(None) => {}
        Err(error) => tracing::debug!(%error, "where the window is cannot be told"),
    }
}

/// None while it is hidden or minimised: then the system tells a place that nobody chose.
fn visible_geometry<R: Runtime>(
    window: &WebviewWindow<R>,
    before: Option<Geometry>,
) -> tauri::Result<Option<Geometry>> {
    if !window.is_visible()? || window.is_minimized()? {
        return Ok(None);
    }
    Geometry::of(window, before).map(Some)
}

/// Shows it again and gives it the focus.
pub fn bring_to_front<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    for shown in [window.unminimize(), window.show(), window.set_focus()] {
        if let Err(error) = shown {
            tracing::warn!(%error, "the window could not be brought to the front");
        }
    }
}

/// `tauri://localhost`, or `http://tauri.localhost` where the webview knows no schemes of its own (Windows, Android).
fn is_our_page(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => url.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_shows_no_page_but_our_own() {
        let page = |text: &str| is_our_page(&Url::parse(text).unwrap());
        assert!(page("tauri://localhost/"));
        assert!(page("tauri://localhost/index.html#/deliveries"));
        assert!(page("http://tauri.localhost/"));
        for foreign in [
            "https://example.com/",
            "http://localhost/",
            "http://127.0.0.1:4101/",
            "file:///etc/passwd",
            "data:text/html,x",
            "about:blank",
            "javascript:alert(1)",
            "tauri://evil/",
            "http://tauri.localhost.example.com/",
        ] {
            assert!(!page(foreign), "{foreign}");
        }
    }
}
