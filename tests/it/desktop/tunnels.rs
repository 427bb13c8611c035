//! Tunnels of the window: the same faults as for the headless engine, on programs that tauri-plugin-shell has started.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::{Desktop, FIRST_STEPS, SCREENS, driver, row_of};
use crate::support::tunnel::{
    Admin, fake_tunnel, gone_within, number_in_log, post_public, script, standing, start, state, until_gone,
    until_proved, until_status,
};
use crate::support::{Home, Response, list, text};
use crate::tunnel_faults::suite;
use crate::tunnel_transcripts::{self, Programs};

impl Admin for Desktop {
    fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        Self::api(self, method, path, body.unwrap_or(&Value::Null))
    }

    fn home(&self) -> &Arc<Home> {
        &self.home
    }

    fn ingress(&self) -> SocketAddr {
        self.run()["ingress_url"].as_str().unwrap().trim_start_matches("http://").parse().unwrap()
    }
}

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn the_window_gets_the_better_of_every_fault_of_a_tunnel() {
    let Some(driver) = driver() else { return };
    let desktop = Desktop::open(&driver, &Home::new());
    desktop.window.wait_for(FIRST_STEPS);
    suite(&desktop);
}

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn in_the_window_every_providers_transcript_makes_a_tunnel_that_stands_and_comes_back() {
    let Some(driver) = driver() else { return };
    let home = Home::new();
    let programs = Programs::in_home(&home);
    let desktop = Desktop::open_with(&driver, &home, "127.0.0.1:0", &programs.search());
    desktop.window.wait_for(FIRST_STEPS);
    tunnel_transcripts::suite(&desktop, &programs);
}

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn the_windows_user_opens_a_tunnel_gets_a_delivery_by_it_and_closes_it() {
    let Some(driver) = driver() else { return };
    let desktop = Desktop::open(&driver, &Home::new());
    let window = &desktop.window;
    window.wait_for(FIRST_STEPS);
    let made = list(&desktop.api("GET", "/endpoints", &Value::Null).expect_json(200), "endpoints").remove(0);
    // One program without words of its own, as a user would name it.
    let played = script(desktop.home(), "typed", &standing());
    let program = desktop.home().scratch("my-tunnel");
    let (fake, ingress) = (fake_tunnel().display(), desktop.ingress());
    std::fs::write(&program, format!("#!/bin/sh\nexec '{fake}' '{}' {ingress}\n", played.display())).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();

    window.click(&format!("{SCREENS}//button[starts-with(normalize-space(),'Tunnel')]"));
    window.click("//label[contains(.,'Custom command')]/input");
    window.type_into(&field("Command"), program.to_str().unwrap());
    window.type_into(&field("URL pattern (optional)"), r"url (?P<url>\S+)");
    window.click("//button[normalize-space()='Start tunnel']");
    let question = "//dialog[.//*[normalize-space()='Open your endpoints to the internet?']]";
    assert!(window.text(question).contains("stay private"), "what becomes reachable is said first");
    assert_eq!(state(&desktop)["status"], "stopped", "nothing starts unasked");
    window.click(&format!("{question}//button[normalize-space()='Start tunnel']"));
    window.wait_for("//*[@role='status'][@aria-label='State of the tunnel'][contains(.,'reachable, ')]");

    let proved = until_proved(&desktop);
    let pid = number_in_log(&proved, "pid");
    post_public(&proved, text(&made, "ingress_path"), br#"{"event":"order.paid"}"#).expect_json(200);
    window.click(&format!("{SCREENS}//button[starts-with(normalize-space(),'Deliveries')]"));
    window.click(&row_of("order.paid"));
    window.wait_for("//*[@role='tabpanel'][contains(.,'Custom command')]");
    window.click(&format!("{SCREENS}//button[starts-with(normalize-space(),'Tunnel')]"));
    window.click("//button[normalize-space()='Stop tunnel']");
    window.wait_for("//*[@role='status'][@aria-label='State of the tunnel'][contains(.,'Stopped')]");
    until_gone(pid);
}

/// What is labelled so.
fn field(label: &str) -> String {
    format!("//*[@id=//label[normalize-space()='{label}']/@for]")
}

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn neither_a_closed_nor_a_killed_window_leaves_a_tunnel() {
    let Some(driver) = driver() else { return };
    let closed = Desktop::open(&driver, &Home::new());
    closed.window.wait_for(FIRST_STEPS);
    start(&closed, "stand", &standing());
    let pid = number_in_log(&until_status(&closed, "ready"), "pid");
    closed.close();
    until_gone(pid);
    drop(closed);

    let killed = Desktop::open(&driver, &Home::new());
    killed.window.wait_for(FIRST_STEPS);
    start(&killed, "stand", &standing());
    let pid = number_in_log(&until_status(&killed, "ready"), "pid");
    kill(Pid::from_raw(killed.pid().try_into().unwrap()), Signal::SIGKILL).unwrap();
    assert!(gone_within(pid, Duration::from_secs(2)), "{pid} outlived the window");
}
