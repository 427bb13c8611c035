//! The window opens whatever keeps the engine from starting, says what it is, and starts it when that is gone.

use std::fs;
use std::net::TcpListener;

use super::super::support::{Home, Launch};
use super::{Desktop, SCREENS, driver};

const ALERT: &str = "//*[@role='alert']";
const TRY_AGAIN: &str = "//button[normalize-space()='Try again']";

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn a_port_in_use_is_named_and_the_engine_starts_when_it_is_free() {
    let Some(driver) = driver() else { return };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let desktop = Desktop::open_at(&driver, &Home::new(), &address);
    let said = desktop.window.text(ALERT);
    assert!(said.contains(&address), "the address is not named: {said}");
    assert!(!desktop.home.run_json().exists(), "it says that it serves");
    drop(taken);
    desktop.window.click(TRY_AGAIN);
    desktop.window.wait_for(SCREENS);
    assert_eq!(desktop.run()["ingress_url"], format!("http://{address}"));
}

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn a_database_of_a_newer_creel_is_named_and_left_as_it_is() {
    let Some(driver) = driver() else { return };
    let home = Home::new();
    let mut creel = Launch::at(home.clone()).start();
    assert_eq!(creel.stop(), Some(0));
    let mut database = fs::read(home.database()).unwrap();
    // `user_version` in the head (sqlite.org, "Database File Format", 1.3).
    database[60..64].copy_from_slice(&9_999_u32.to_be_bytes());
    fs::write(home.database(), &database).unwrap();

    let desktop = Desktop::open(&driver, &home);
    let said = desktop.window.text(ALERT);
    assert!(said.contains("9999") && said.contains("Update Creel"), "it is not said why and what to do: {said}");
    desktop.window.click(TRY_AGAIN);
    assert!(desktop.window.text(ALERT).contains("9999"), "trying again does not help");
    assert_eq!(fs::read(home.database()).unwrap(), database, "the file was changed");
}
