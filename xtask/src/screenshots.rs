//! `cargo xtask screenshots`: every screen and state, in both themes and three sizes, into docs/screenshots.
//!
//! Chromium is driven by Playwright over the demo's data (ui/screenshots). Only the few pictures that .gitignore names
//! are kept in the repository; the others are for looking at.

use anyhow::{Result, bail};
use clap::Args;

use crate::build::{Face, compile};
use crate::demo;
use crate::layout::{Layout, Profile};
use crate::prerequisites::{self, Purpose, find_browser};
use crate::program::{Program, say};
use crate::ui;

#[derive(Args)]
pub struct Options {
    /// Only this theme and size, for example dark.1440x900
    #[arg(long)]
    only: Option<String>,
}

pub fn screenshots(layout: &Layout, options: &Options) -> Result<()> {
    prerequisites::install(layout, Purpose::Test)?;
    let Some(browser) = find_browser() else { bail!("there is no Chromium") };
    ui::install_packages(layout)?;
    ui::build(layout)?;
    compile(layout, Profile::Dev, Face::Headless)?;
    demo::build(layout, Profile::Dev)?;
    let playwright = Program::npm()
        .args(["exec", "--offline", "playwright", "test", "--", "--config", "screenshots/playwright.config.ts"])
        .env("CREEL_CHROMIUM", browser)
        .env("CREEL_BIN", layout.binary(Profile::Dev, "creel"))
        .env("CREEL_DEMO", layout.binary(Profile::Dev, "creel-demo"))
        .within(&layout.ui());
    options.only.iter().fold(playwright, |program, only| program.arg("--project").arg(only)).run()?;
    say(&format!("the pictures are in {}", layout.root().join("docs/screenshots").display()));
    Ok(())
}
