//! The real window, driven as its user would: from nothing to a replayed delivery, and how it begins and ends.
//!
//! Ignored unless asked for, because they need a display; `cargo xtask test` starts one and runs them.
#![cfg(feature = "desktop")]

mod blocked;
mod files;
mod tray;
mod tunnels;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::support::requires::have;
use super::support::webdriver::{Window, find_program};
use super::support::x11::Display;
use super::support::{Creel, Endpoint, Home, Launch, Request, Response, Target, list, until};

const BINARY: &str = env!("CARGO_BIN_EXE_creel-desktop");

/// What only a running engine's window shows.
const SCREENS: &str = "//nav[@aria-label='Screens']";

/// The driver, when this machine has all that a window needs.
fn driver() -> Option<PathBuf> {
    let driver = find_program("tauri-driver");
    let missing = if std::env::var_os("DISPLAY").is_none() {
        Some("there is no display")
    } else if driver.is_none() {
        Some("tauri-driver is missing")
    } else {
        find_program("WebKitWebDriver").is_none().then_some("WebKitWebDriver is missing")
    };
    if have("display", missing.map(str::to_owned)) { driver } else { None }
}

/// What an empty Creel shows: the window is up, and has its first endpoint.
const FIRST_STEPS: &str = "//h2[normalize-space()='Waiting for the first delivery']";

/// The application in a home; it ends with its window's driver.
struct Desktop {
    window: Window,
    home: Arc<Home>,
}

impl Desktop {
    fn open(driver: &Path, home: &Arc<Home>) -> Self {
        Self::open_at(driver, home, "127.0.0.1:0")
    }

    fn open_at(driver: &Path, home: &Arc<Home>, ingress: &str) -> Self {
        Self::open_with(driver, home, ingress, &std::env::var("PATH").unwrap_or_default())
    }

    /// With programs to be found in these folders.
    fn open_with(driver: &Path, home: &Arc<Home>, ingress: &str, search: &str) -> Self {
        let script = home.scratch("creel-desktop.sh");
        let exit_code = home.scratch("exit-code");
        // The driver starts the application and keeps its exit code to itself.
        let lines = format!(
            "#!/bin/sh\nPATH='{search}' '{BINARY}' \"$@\" 2>>'{}'\necho $? >'{}'\n",
            home.scratch("stderr").display(),
            exit_code.display()
        );
        fs::write(&script, lines).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
        let args = ["--ingress", ingress, "--admin", "127.0.0.1:0"].map(str::to_owned);
        let user_home = home.scratch("user");
        fs::create_dir_all(&user_home).unwrap();
        let window = Window::open(driver, &script, &args, &[("CREEL_DATA_DIR", home.data()), ("HOME", &user_home)]);
        Self { window, home: home.clone() }
    }

    /// Where the window's user keeps files: without a download folder they are saved here.
    fn user_home(&self) -> PathBuf {
        self.home.scratch("user")
    }

    fn pid(&self) -> u32 {
        self.run()["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("pid")
    }

    /// Presses the close button and waits for the end.
    fn close(&self) {
        assert!(Display::open().close_windows_of(self.pid()) > 0, "no window of the application can be closed");
        self.exit_code();
    }

    fn run(&self) -> Value {
        until("the window's engine serves", || serde_json::from_slice(&fs::read(self.home.run_json()).ok()?).ok())
    }

    /// Asks the window's engine over its admin port, as any program may.
    fn api(&self, method: &str, path: &str, body: &Value) -> Response {
        let run = self.run();
        let token = format!("Bearer {}", run["admin_token"].as_str().unwrap());
        let admin = run["admin_url"].as_str().unwrap().trim_start_matches("http://").parse().unwrap();
        let request = Request::new(method, &format!("/api{path}")).header("Authorization", &token);
        if body.is_null() { request.to(admin) } else { request.json(body).to(admin) }
    }

    fn send(&self, request: &Request) -> Response {
        let run = self.run();
        request.to(run["ingress_url"].as_str().unwrap().trim_start_matches("http://").parse().unwrap())
    }

    fn exit_code(&self) -> String {
        let path = self.home.scratch("exit-code");
        let code =
            until("the application has ended", || fs::read_to_string(&path).ok().filter(|code| code.ends_with('\n')));
        code.trim().to_owned()
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.home.streams());
        }
    }
}

fn row_of(event: &str) -> String {
    format!("//*[@role='row'][.//*[normalize-space(text())='{event}']]")
}

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn the_window_takes_its_user_from_nothing_to_a_replayed_delivery() {
    let Some(driver) = driver() else { return };
    let target = Target::answering(202);
    let desktop = Desktop::open(&driver, &Home::new());
    let window = &desktop.window;
    window.wait_for(FIRST_STEPS);
    let made = until("an empty Creel has an endpoint", || {
        list(&desktop.api("GET", "/endpoints", &Value::Null).expect_json(200), "endpoints").pop()
    });
    let endpoint = Endpoint::of(&made);
    let targets = json!({ "targets": [{ "url": target.url("/app") }] });
    desktop.api("PATCH", &format!("/endpoints/{}", endpoint.id), &targets).expect_json(200);
    let answer = desktop.send(&endpoint.post(r#"{"event":"order.paid"}"#)).expect_json(200);
    assert_eq!(answer["status"], "accepted", "{answer}");

    window.click(&row_of("order.paid"));
    assert_eq!(target.only().target, "/app");
    until("the row says what the app answered", || window.text(&row_of("order.paid")).contains("202").then_some(()));
    assert_eq!(window.all(&row_of("order.paid")).len(), 1);
    window.click("//button[normalize-space()='Replay']");
    until("the replay is a second row", || (window.all(&row_of("order.paid")).len() == 2).then_some(()));
    let seen = target.wait_for(2);
    assert_eq!(seen[1].header("x-creel-replay"), answer["delivery_id"].as_str());
}

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn closing_the_window_exits_0_and_leaves_the_data_directory_to_others() {
    let Some(driver) = driver() else { return };
    let home = Home::new();
    let desktop = Desktop::open(&driver, &home);
    desktop.window.wait_for(FIRST_STEPS);
    desktop.close();
    assert_eq!(desktop.exit_code(), "0");
    assert!(!home.run_json().exists(), "run.json is left behind");
    let creel = Launch::at(home.clone()).start();
    creel.get("/health");
}

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn the_window_opens_and_says_so_when_creel_serve_owns_the_data_directory() {
    let Some(driver) = driver() else { return };
    let mut creel = Creel::start();
    let desktop = Desktop::open(&driver, creel.home());
    let said = desktop.window.text("//*[@role='alert']");
    assert!(said.contains(&creel.pid().to_string()), "the owner is not named: {said}");
    assert!(creel.is_running(), "the window disturbed the owner");
    creel.get("/health");
    assert_eq!(creel.stop(), Some(0));
    desktop.window.click("//button[normalize-space()='Try again']");
    desktop.window.wait_for(FIRST_STEPS);
}
