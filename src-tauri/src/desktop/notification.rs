//! One notification of the system's, with plain text in it.

use notify_rust::Notification;
use tauri::{AppHandle, Runtime};

/// Shows a sentence, off the async workers: the system may take its time. That it cannot be shown is only logged, because
/// there is nobody else to tell.
pub fn show<R: Runtime>(app: &AppHandle<R>, sentence: String) {
    let mut notification = Notification::new();
    // The body may hold markup where the server says so (freedesktop.org, Desktop Notifications, 6): an endpoint's name is
    // text.
    notification.appname("Creel").summary("Creel").body(&without_markup(&sentence));
    name_the_program(app, &mut notification);
    tauri::async_runtime::spawn_blocking(move || {
        if let Err(error) = notification.show() {
            tracing::warn!(%error, "a notification cannot be shown");
        }
    });
}

#[cfg(windows)]
fn name_the_program<R: Runtime>(app: &AppHandle<R>, notification: &mut Notification) {
    notification.app_id(&app.config().identifier);
}

#[cfg(target_os = "macos")]
fn name_the_program<R: Runtime>(app: &AppHandle<R>, _notification: &mut Notification) {
    // Refused when it was named before, which is no fault.
    let _named = notify_rust::set_application(&app.config().identifier);
}

#[cfg(not(any(windows, target_os = "macos")))]
fn name_the_program<R: Runtime>(app: &AppHandle<R>, notification: &mut Notification) {
    notification.hint(notify_rust::Hint::DesktopEntry(app.package_info().name.clone()));
}

fn without_markup(text: &str) -> String {
    if cfg!(any(windows, target_os = "macos")) {
        return text.to_owned();
    }
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(any(windows, target_os = "macos")))]
    #[test]
    fn an_endpoints_name_is_shown_as_text() {
        assert_eq!(
            without_markup("1 delivery failed on <b>A & B</b>"),
            "1 delivery failed on &lt;b&gt;A &amp; B&lt;/b&gt;"
        );
    }
}
