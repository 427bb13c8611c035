//! `cargo xtask build [--release]`: both programs with the UI inside.

use anyhow::Result;
use clap::Args;

use crate::layout::{Layout, Profile};
use crate::prerequisites::{self, Purpose};
use crate::program::{Program, say};
use crate::ui;

#[derive(Args)]
pub struct Options {
    /// Optimised, as it is handed out
    #[arg(long)]
    release: bool,
}

pub fn build(layout: &Layout, options: Options) -> Result<()> {
    let profile = if options.release { Profile::Release } else { Profile::Dev };
    prerequisites::install(layout, Purpose::Window)?;
    ui::install_packages(layout)?;
    ui::build(layout)?;
    compile(layout, profile, Face::Window)?;
    for name in ["creel", "creel-desktop"] {
        say(&format!("built {}", layout.binary(profile, name).display()));
    }
    Ok(())
}

/// Which programs to compile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// `creel` alone, which needs no webview library
    Headless,
    /// `creel` and `creel-desktop`
    Window,
}

/// Compiles the programs; `ui/dist` must have been built.
pub fn compile(layout: &Layout, profile: Profile, face: Face) -> Result<()> {
    let mut cargo = Program::cargo().args(["build", "--locked", "--bins"]);
    if profile == Profile::Release {
        cargo = cargo.arg("--release");
    }
    if face == Face::Window {
        cargo = cargo.args(["--features", "desktop"]);
    }
    cargo.within(layout.root()).run()
}
