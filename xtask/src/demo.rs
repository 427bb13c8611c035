//! `cargo xtask demo`: a Creel that is alive, in its window or, without a display, in a browser.

use anyhow::Result;
use clap::Args;

use crate::build::{Face, compile};
use crate::layout::{Layout, Profile};
use crate::prerequisites::{self, Purpose};
use crate::program::Program;
use crate::run::has_display;
use crate::ui;

#[derive(Args)]
pub struct Options {
    /// Print the UI's address even where a window could be opened
    #[arg(long)]
    no_open: bool,
    /// Optimised, as it is handed out
    #[arg(long)]
    release: bool,
    /// Arguments for the demo, after `--`: --fast, --once, --still, --deliveries N
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub fn demo(layout: &Layout, options: Options) -> Result<()> {
    let profile = if options.release { Profile::Release } else { Profile::Dev };
    let headless = options.no_open || !has_display(|name| std::env::var_os(name));
    let (face, purpose) = if headless { (Face::Headless, Purpose::Headless) } else { (Face::Window, Purpose::Window) };
    prerequisites::install(layout, purpose)?;
    ui::install_packages(layout)?;
    ui::build(layout)?;
    compile(layout, profile, face)?;
    build(layout, profile)?;
    let program =
        Program::new(layout.binary(profile, "creel-demo")).arg("--creel").arg(layout.binary(profile, "creel"));
    let program = match face {
        Face::Headless => program,
        Face::Window => program.arg("--window").arg(layout.binary(profile, "creel-desktop")),
    };
    program.args(options.arguments).within(layout.root()).become_it()
}

/// Compiles the demo itself.
pub fn build(layout: &Layout, profile: Profile) -> Result<()> {
    let cargo = Program::cargo().args(["build", "--locked", "--package", "creel-demo"]);
    let cargo = if profile == Profile::Release { cargo.arg("--release") } else { cargo };
    cargo.within(layout.root()).run()
}
