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
    let program = program(layout, profile)?;
    let program = match face {
        Face::Headless => program,
        Face::Window => program.arg("--window").arg(layout.binary(profile, "creel-desktop")),
    };
    program.args(options.arguments).within(layout.root()).become_it()
}

/// The demo itself, built; the headless binary must be there.
pub fn program(layout: &Layout, profile: Profile) -> Result<Program> {
    let mut cargo = Program::cargo().args(["build", "--locked", "--package", "creel-demo"]);
    if profile == Profile::Release {
        cargo = cargo.arg("--release");
    }
    cargo.within(layout.root()).run()?;
    Ok(Program::new(layout.binary(profile, "creel-demo")).arg("--creel").arg(layout.binary(profile, "creel")))
}
