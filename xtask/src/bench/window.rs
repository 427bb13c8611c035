//! `cargo xtask bench window`: what the window takes, in Chromium over a real engine (ui/bench).
//!
//! A row's way to the screen, a storm, a long history under the wheel, the first screen of a large body. The history is
//! made once by `fill` and stays in the target directory.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Result, bail};
use clap::Parser;

use crate::layout::{Layout, Profile};
use crate::prerequisites::find_browser;
use crate::program::{Program, say};
use crate::ui;

#[derive(Parser)]
#[command(name = "cargo xtask bench window --", no_binary_name = true)]
struct Options {
    /// Deliveries of the history that is scrolled through
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Only what has this in its title, such as storm
    #[arg(long)]
    only: Option<String>,
}

/// Measures with the release binaries, which are built.
pub fn window(layout: &Layout, work: &Path, arguments: &[String]) -> Result<()> {
    let options = Options::try_parse_from(arguments)?;
    let Some(browser) = find_browser() else { bail!("there is no Chromium; `cargo xtask test` installs it") };
    let filled = work.join(format!("window-{}", options.rows));
    if !filled.join("creel.db").is_file() {
        say(&format!("making a history of {} deliveries, once", options.rows));
        Program::new(layout.binary(Profile::Release, "creel-bench"))
            .args(["fill", "--work"])
            .arg(work)
            .arg("--dir")
            .arg(&filled)
            .args([OsString::from("--rows"), options.rows.to_string().into()])
            .run()?;
    }
    let playwright = Program::npm()
        .args(["exec", "--offline", "playwright", "test", "--", "--config", "bench/playwright.config.ts"])
        .env("CREEL_CHROMIUM", browser)
        .env("CREEL_BIN", layout.binary(Profile::Release, "creel"))
        .env("CREEL_FILLED", &filled)
        .within(&layout.ui());
    options.only.iter().fold(playwright, |program, only| program.arg("--grep").arg(only)).run()
}

/// The UI is inside the binary: it has to be there before that is built.
pub fn prepare(layout: &Layout) -> Result<()> {
    ui::install_packages(layout)?;
    ui::build(layout)
}
