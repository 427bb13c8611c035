//! Keep catching in the tray: a window that was closed is hidden, still catches, comes back, and quits by the tray's menu.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::super::support::status_icons::StatusIcons;
use super::super::support::x11::Display;
use super::super::support::{Endpoint, Home, until};
use super::{BINARY, Desktop, SCREENS, driver};

/// A home whose user wants Creel to go on when the window is closed.
fn keeping_home() -> std::sync::Arc<Home> {
    let home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    let kept = json!({ "settings": { "keep_catching": true, "notify": true } });
    fs::write(home.data().join("window.json"), kept.to_string()).unwrap();
    home
}

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn a_closed_window_goes_on_catching_in_the_tray_comes_back_and_quits_from_there() {
    let Some(driver) = driver() else { return };
    let icons = StatusIcons::begin();
    let home = keeping_home();
    let desktop = Desktop::open(&driver, &home);
    desktop.window.wait_for(SCREENS);
    let item = until("the icon is in the tray", || icons.items().into_iter().next());
    assert!(icons.menu_of(&item).iter().any(|label| label == "Catching"), "{:?}", icons.menu_of(&item));
    let pid = desktop.pid();
    let mut display = Display::open();
    assert!(display.close_windows_of(pid) > 0, "no window can be closed");
    until("the window is hidden", || (display.visible_windows_of(pid) == 0).then_some(()));

    let made = desktop.api("POST", "/endpoints", &json!({ "name": "Behind" })).expect_json(201);
    desktop
        .api(
            "PUT",
            &format!("/endpoints/{}/signing-secret", made["id"].as_str().unwrap()),
            &json!({ "signing_secret": "a-secret-that-the-sender-has-not" }),
        )
        .expect_json(200);
    let forged =
        Endpoint::of(&made).post(r#"{"event":"a"}"#).header("X-Hub-Signature-256", &format!("sha256={:064}", 0));
    desktop.send(&forged).expect_json(401);
    until("the tray says so", || {
        icons.menu_of(&item).iter().any(|label| label.starts_with("1 with an invalid signature")).then_some(())
    });

    let told = until("a notification is shown", || icons.notified().pop());
    assert_eq!(told, "Creel: 1 delivery on Behind with an invalid signature");

    // Whoever starts Creel again gets the window that is there.
    let again = Command::new(BINARY).env("CREEL_DATA_DIR", home.data()).env("GDK_BACKEND", "x11").status().unwrap();
    assert!(again.success(), "{again}");
    until("the window is back", || (display.visible_windows_of(pid) > 0).then_some(()));

    icons.click(&item, "Quit Creel");
    assert_eq!(desktop.exit_code(), "0");
    assert!(!home.run_json().exists(), "run.json is left behind");
}

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn where_nobody_shows_tray_icons_closing_the_window_ends_creel_whatever_was_chosen() {
    let Some(driver) = driver() else { return };
    let home = keeping_home();
    let desktop = Desktop::open(&driver, &home);
    desktop.window.wait_for(SCREENS);
    desktop.api("GET", "/health", &Value::Null).expect_json(200);
    desktop.close();
    assert_eq!(desktop.exit_code(), "0");
}
