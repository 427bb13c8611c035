//! `cargo xtask run`: from a fresh clone to the open window.
//!
//! Without a display it serves instead, and `creel serve` prints the address of the UI with its token.

use anyhow::Result;
use clap::Args;

use crate::build::{Face, compile};
use crate::layout::{Layout, Profile};
use crate::prerequisites::{self, Purpose};
use crate::program::{Program, say};
use crate::ui;

#[derive(Args)]
pub struct Options {
    /// Optimised, as it is handed out
    #[arg(long)]
    release: bool,
    /// Serve the UI to a browser even where a window could be opened
    #[arg(long)]
    headless: bool,
    /// Arguments for the program itself, after `--`
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub fn run(layout: &Layout, options: Options) -> Result<()> {
    let profile = if options.release { Profile::Release } else { Profile::Dev };
    let face =
        if options.headless || !has_display(|name| std::env::var_os(name)) { Face::Headless } else { Face::Window };
    let purpose = if face == Face::Window { Purpose::Window } else { Purpose::Headless };
    prerequisites::install(layout, purpose)?;
    ui::install_packages(layout)?;
    ui::build(layout)?;
    compile(layout, profile, face)?;
    let program = match face {
        Face::Window => Program::new(layout.binary(profile, "creel-desktop")),
        Face::Headless => {
            if !options.headless {
                say("There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set): serving the UI to a browser.");
            }
            Program::new(layout.binary(profile, "creel")).arg("serve")
        }
    };
    program.args(options.arguments).become_it()
}

/// Whether a window can be opened: always on macOS and Windows, where a session has one.
pub fn has_display(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> bool {
    let set = |name| variable(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn either_kind_of_display_opens_the_window_and_an_empty_name_is_none() {
        let with = |set: &'static str, value: &'static str| {
            has_display(move |name| (name == set).then(|| OsString::from(value)))
        };
        assert!(with("DISPLAY", ":0"));
        assert!(with("WAYLAND_DISPLAY", "wayland-0"));
        assert!(!with("DISPLAY", ""));
        assert!(!with("SOMETHING_ELSE", ":0"));
    }
}
