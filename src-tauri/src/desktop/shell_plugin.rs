//! tauri-plugin-shell for Rust alone: its state, and nothing that a page could see.
//!
//! The plugin as it comes puts a script into every page and answers commands of the page where a capability allows them.
//! Creel needs neither: tunnels are started from Rust. So only what sets the plugin up is handed on.

use serde_json::Value as JsonValue;
use tauri::plugin::Plugin;
use tauri::{AppHandle, RunEvent, Runtime};

/// The plugin without its page side.
pub struct ShellWithoutPage<R: Runtime>(Box<dyn Plugin<R>>);

impl<R: Runtime> ShellWithoutPage<R> {
    /// Not yet set up.
    pub fn new() -> Self {
        Self(Box::new(tauri_plugin_shell::init()))
    }
}

impl<R: Runtime> Plugin<R> for ShellWithoutPage<R> {
    fn name(&self) -> &'static str {
        "shell"
    }

    fn initialize(&mut self, app: &AppHandle<R>, config: JsonValue) -> Result<(), Box<dyn std::error::Error>> {
        self.0.initialize(app, config)
    }

    fn on_event(&mut self, app: &AppHandle<R>, event: &RunEvent) {
        self.0.on_event(app, event);
    }
}
