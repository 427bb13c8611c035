//! `cargo xtask bench [name]...`: builds the release binary and the `creel-bench` package, then lets that measure; what
//! needs a browser is measured by Playwright.

mod window;

use anyhow::Result;
use clap::Args;

use crate::layout::{Layout, Profile};
use crate::program::Program;

#[derive(Args)]
pub struct Options {
    /// ingest, relay, list, autopsy or window (the first three without a name); fill makes a directory with a million
    /// deliveries
    names: Vec<String>,
    /// Arguments for the benchmark, after `--` (see `cargo xtask bench NAME -- --help`)
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// What is measured without a name.
const ALL: [&str; 3] = ["ingest", "relay", "list"];

/// What is measured in a browser.
const WINDOW: &str = "window";

pub fn bench(layout: &Layout, options: Options) -> Result<()> {
    if options.names.iter().any(|name| name == WINDOW) {
        window::prepare(layout)?;
    }
    Program::cargo()
        .args(["build", "--locked", "--release", "--package", "creel", "--package", "creel-bench", "--bins"])
        .within(layout.root())
        .run()?;
    let names = if options.names.is_empty() { ALL.map(str::to_owned).to_vec() } else { options.names };
    let work = layout.target().join("bench");
    for name in names {
        if name == WINDOW {
            window::window(layout, &work, &options.arguments)?;
            continue;
        }
        Program::new(layout.binary(Profile::Release, "creel-bench"))
            .arg(name)
            .arg("--creel")
            .arg(layout.binary(Profile::Release, "creel"))
            .arg("--work")
            .arg(&work)
            .args(&options.arguments)
            .within(layout.root())
            .run()?;
    }
    Ok(())
}
