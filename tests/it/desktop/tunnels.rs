//! Tunnels of the window: the same faults as for the headless engine, on programs that tauri-plugin-shell has started.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::{Desktop, FIRST_STEPS, driver};
use crate::support::tunnel::{Admin, gone_within, number_in_log, standing, start, until_gone, until_status};
use crate::support::{Home, Response};
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
