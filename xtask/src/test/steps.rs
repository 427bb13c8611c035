//! The steps of `cargo xtask test`, in the order in which they are taken.
//!
//! The Rust code is compiled three times and no more: checked with all features by clippy, checked without any for the
//! headless binary, and built once for the tests. Features and profiles are chosen so that the steps share what they
//! compile: a step of its own with other features would compile the dependencies once more.

use std::time::Duration;

use anyhow::{Result, bail};

use super::Context;
use super::requirements::Requirement;
use crate::layout::Profile;
use crate::prerequisites::{self, Purpose, find_browser, find_firefox, is_root};
use crate::program::{Program, find, say};
use crate::{sdks, tools, ui};

/// One step.
pub struct Step {
    pub name: &'static str,
    pub about: &'static str,
    pub run: fn(&Context<'_>) -> Result<Outcome>,
}

/// How a step ended that did not fail.
pub enum Outcome {
    Passed,
    Skipped {
        reason: String,
        /// What the machine would have to offer; demanded by `CREEL_REQUIRE`, its lack is a failure
        lacks: Option<Requirement>,
    },
}

impl Outcome {
    pub fn skipped_for_want_of(lacks: Requirement, reason: &str) -> Outcome {
        Outcome::Skipped { reason: reason.to_owned(), lacks: Some(lacks) }
    }
}

/// How long the advisory database may take to arrive. Where the network drops packets instead of refusing them, the
/// download would otherwise hold everything up for minutes.
const ADVISORY_FETCH_LIMIT: Duration = Duration::from_secs(90);

/// The tests that open the real window, by their module in tests/it. They are `#[ignore]`d, because they need the display
/// that only their own step starts.
const WINDOW_TESTS: &str = "desktop::";

pub const STEPS: &[Step] = &[
    Step { name: "prerequisites", about: "what the machine must bring", run: prepare },
    Step { name: "format", about: "Rust formatting", run: format },
    Step { name: "ui-packages", about: "npm ci", run: ui_packages },
    Step { name: "ui-types", about: "svelte-check and tsc", run: |context| npm(context, "check") },
    Step { name: "ui-lint", about: "eslint", run: |context| npm(context, "lint") },
    Step { name: "ui-unit", about: "vitest", run: |context| npm(context, "test") },
    Step { name: "ui-build", about: "ui/dist, which the binaries embed", run: ui_build },
    Step { name: "headless", about: "what compiles without any feature", run: headless },
    Step { name: "docs", about: "rustdoc without a warning", run: docs },
    Step { name: "clippy", about: "all features, all targets, no warning", run: clippy },
    Step { name: "build", about: "both binaries and every test, all features", run: build },
    Step { name: "rust", about: "unit tests, and the black box tests against the binary", run: rust },
    Step { name: "sdks-npm", about: "official SDKs from npm agree with Creel's signatures", run: sdks_npm },
    Step { name: "sdks-pypi", about: "official SDKs from PyPI agree with Creel's signatures", run: sdks_pypi },
    Step { name: "browser", about: "the UI in a real browser against `creel serve`", run: browser },
    Step { name: "window", about: "the real window on a display without a screen", run: window },
    Step { name: "policy", about: "licences, sources and bans of the dependency graph", run: policy },
    Step { name: "advisories", about: "known faults in the dependency graph", run: advisories },
];

fn prepare(context: &Context<'_>) -> Result<Outcome> {
    for component in ["fmt", "clippy"] {
        if Program::cargo().args([component, "--version"]).output().is_err() {
            bail!("`cargo {component}` is missing; install it with `rustup component add rustfmt clippy`");
        }
    }
    prerequisites::install(context.layout, Purpose::Test)?;
    if !is_root() {
        if context.requirements.demand(Requirement::Root) {
            bail!("CREEL_REQUIRE demands root, and this is not root");
        }
        say("not root: the tests that mount a small file system will say that they skip");
    }
    Ok(Outcome::Passed)
}

fn format(context: &Context<'_>) -> Result<Outcome> {
    cargo(context, &["fmt", "--all", "--check"]).run().map(passed)
}

fn ui_packages(context: &Context<'_>) -> Result<Outcome> {
    ui::install_packages(context.layout).map(passed)
}

fn npm(context: &Context<'_>, script: &str) -> Result<Outcome> {
    ui::npm(context.layout, &["run", script]).map(passed)
}

fn ui_build(context: &Context<'_>) -> Result<Outcome> {
    ui::build(context.layout).map(passed)
}

fn headless(context: &Context<'_>) -> Result<Outcome> {
    cargo(context, &["check", "--locked", "--package", "creel"]).run().map(passed)
}

/// With the features of `headless`, whose work it shares; the library never names Tauri. Private items too: those who
/// read these pages work on the code.
fn docs(context: &Context<'_>) -> Result<Outcome> {
    cargo(context, &["doc", "--locked", "--no-deps", "--document-private-items", "--package", "creel", "--lib"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
        .map(passed)
}

fn clippy(context: &Context<'_>) -> Result<Outcome> {
    cargo(context, &["clippy", "--locked", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])
        .run()
        .map(passed)
}

fn build(context: &Context<'_>) -> Result<Outcome> {
    cargo(context, &WHOLE_TEST).arg("--no-run").run().map(passed)
}

fn rust(context: &Context<'_>) -> Result<Outcome> {
    // The test that needs it says that it skips, or fails where `CREEL_REQUIRE` demands it.
    if let Err(error) = tools::BORE.install(context.layout) {
        say(&format!("bore cannot be had: {error:#}"));
    }
    cargo(context, &WHOLE_TEST).run().map(passed)
}

/// One build for everything that is tested: the unit tests, the integration tests and the binaries these start.
const WHOLE_TEST: [&str; 4] = ["test", "--locked", "--workspace", "--all-features"];

fn sdks_npm(context: &Context<'_>) -> Result<Outcome> {
    sdks(context, &sdks::NPM, Requirement::Npm)
}

fn sdks_pypi(context: &Context<'_>) -> Result<Outcome> {
    sdks(context, &sdks::PYPI, Requirement::Pypi)
}

/// The tests of one language; ignored otherwise, because they need the SDKs that only this step installs.
fn sdks(context: &Context<'_>, language: &sdks::Language, requirement: Requirement) -> Result<Outcome> {
    if let Some(lack) = language.install(context.layout)? {
        return Ok(Outcome::skipped_for_want_of(requirement, &format!("NOT COMPARED with official SDKs: {lack}")));
    }
    let tests = format!("sdk_agreement::{}", language.name);
    let test = || cargo(context, &WHOLE_TEST).args(["--test", "it", "--", "--ignored", &tests]);
    if !test().arg("--list").output()?.lines().any(|line| line.ends_with(": test")) {
        bail!("tests/it has no ignored test in `{tests}`: the SDKs would go unasked");
    }
    test().env("CREEL_SDKS", sdks::folder(context.layout)).run().map(passed)
}

fn browser(context: &Context<'_>) -> Result<Outcome> {
    let Some(browser) = find_browser() else {
        return Ok(Outcome::skipped_for_want_of(Requirement::Chromium, "there is no Chromium"));
    };
    let firefox = find_firefox();
    if firefox.is_none() {
        if context.requirements.demand(Requirement::Firefox) {
            bail!("CREEL_REQUIRE demands Firefox, and there is none");
        }
        say("there is no Firefox: the tests in a second browser will say that they skip");
    }
    let npm = Program::npm()
        .args(["run", "e2e"])
        .env("CREEL_CHROMIUM", browser)
        .env("CREEL_BIN", context.layout.binary(Profile::Dev, "creel"))
        .within(&context.layout.ui());
    firefox.into_iter().fold(npm, |npm, firefox| npm.env("CREEL_FIREFOX", firefox)).run().map(passed)
}

fn window(context: &Context<'_>) -> Result<Outcome> {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::skipped_for_want_of(Requirement::Display, "the window is driven on Linux only"));
    }
    let needed = ["xvfb-run", "xauth", "dbus-run-session", "WebKitWebDriver"];
    if let Some(missing) = needed.iter().find(|name| find(name).is_none()) {
        return Ok(Outcome::skipped_for_want_of(Requirement::Display, &format!("{missing} is missing")));
    }
    let listed =
        cargo(context, &WHOLE_TEST).args(["--test", "it", "--", "--ignored", "--list", WINDOW_TESTS]).output()?;
    if !listed.lines().any(|line| line.ends_with(": test")) {
        bail!("tests/it has no ignored test in `{WINDOW_TESTS}`: the window would go untested");
    }
    tools::TAURI_DRIVER.install(context.layout)?;
    Program::new("xvfb-run")
        .args(["--auto-servernum", "--server-args=-screen 0 1400x900x24", "dbus-run-session", "--", "cargo"])
        .args(WHOLE_TEST)
        .args(["--test", "it", "--", "--ignored", "--test-threads=1", WINDOW_TESTS])
        // WebKitGTK's DMA-BUF renderer needs a graphics card.
        .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        // All that they need was found or is installed now, so none of them has a reason to skip.
        .env("CREEL_REQUIRE", Requirement::Display.to_string())
        .with_tools(&context.layout.tools().join("bin"))?
        .within(context.layout.root())
        .run()
        .map(passed)
}

fn policy(context: &Context<'_>) -> Result<Outcome> {
    tools::CARGO_DENY.install(context.layout)?;
    deny(context, &["check", "bans", "licenses", "sources"])?.run().map(passed)
}

fn advisories(context: &Context<'_>) -> Result<Outcome> {
    tools::CARGO_DENY.install(context.layout)?;
    if let Err(error) = deny(context, &["fetch", "db"])?.run_for_at_most(ADVISORY_FETCH_LIMIT) {
        say(&format!("{error:#}"));
        let reason = "NOT CHECKED: the advisory database (github.com/rustsec/advisory-db) cannot be had from here";
        return Ok(Outcome::Skipped { reason: reason.to_owned(), lacks: None });
    }
    deny(context, &["--offline", "check", "advisories"])?.run().map(passed)
}

fn deny(context: &Context<'_>, arguments: &[&str]) -> Result<Program> {
    let program = cargo(context, &["deny", "--locked", "--workspace", "--all-features"]).args(arguments);
    program.with_tools(&context.layout.tools().join("bin"))
}

fn cargo(context: &Context<'_>, arguments: &[&str]) -> Program {
    Program::cargo().args(arguments).within(context.layout.root())
}

fn passed((): ()) -> Outcome {
    Outcome::Passed
}
