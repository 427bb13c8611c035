//! The demo as `cargo xtask demo` starts it, without a window and without its pauses.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use creel_rig::admin::Admin;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// How long the story may take when it is told without pauses, on a machine that does much else.
const STORY_LIMIT: Duration = Duration::from_secs(180);
/// How long the demo may take to end.
const END_LIMIT: Duration = Duration::from_secs(20);

/// The headless binary beside the demo's own: `cargo test --workspace` builds both.
fn creel() -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_creel-demo")).with_file_name("creel");
    assert!(beside.is_file(), "{} is missing; build it first: cargo build --bin creel", beside.display());
    beside
}

/// Killed when the test fails, so that nothing stays behind.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = kill(self.pid(), Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

impl Demo {
    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.0.id()).unwrap())
    }

    fn exit_code(&mut self) -> Option<i32> {
        let asked = Instant::now();
        while asked.elapsed() < END_LIMIT {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the demo did not end");
    }
}

fn all_rows(admin: &Admin) -> Vec<Value> {
    let (mut rows, mut before) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("/api/deliveries?limit=500{before}")).unwrap();
        rows.extend(page["deliveries"].as_array().unwrap().iter().cloned());
        match page["next_before"].as_u64() {
            Some(next) => before = format!("&before={next}"),
            None => return rows,
        }
    }
}

#[test]
fn the_demo_shows_all_that_it_promises_and_leaves_nothing_behind() {
    let work = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_creel-demo"))
        .args(["--fast", "--still", "--deliveries", "300", "--creel"])
        .arg(creel())
        .arg("--work")
        .arg(work.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut demo = Demo(child);
    let began = Instant::now();
    let mut admin = None;
    for line in lines {
        let line = line.unwrap();
        if let Some((address, token)) =
            line.strip_prefix("UI:      http://").and_then(|rest| rest.split_once("/#token="))
        {
            admin = Some(Admin { address: address.parse().unwrap(), token: token.to_owned() });
        }
        if line.starts_with("Standing still") {
            break;
        }
        assert!(began.elapsed() < STORY_LIMIT, "the story takes too long");
    }
    let admin = admin.expect("the demo prints where the UI is");

    let rows = all_rows(&admin);
    let count = |field: &str, value: &str| rows.iter().filter(|row| row[field] == value).count();
    let events: BTreeSet<&str> = rows.iter().filter_map(|row| row["event"].as_str()).collect();
    let repeats: u64 = rows.iter().map(|row| row["attempt_count"].as_u64().unwrap() - 1).sum();
    let replays = rows.iter().filter(|row| !row["replayed_from_delivery_id"].is_null()).count();
    assert!(rows.len() >= 300, "{} rows", rows.len());
    assert!(events.len() >= 15, "{events:?}");
    assert!(repeats >= 10, "{repeats} repeats");
    assert!(count("signature_status", "invalid") >= 10);
    assert!(count("signature_status", "missing") >= 5);
    assert!(count("signature_status", "valid") >= 150);
    assert!(count("relay_outcome", "connect_failed") >= 60, "the app was down for a third of the time");
    assert!(rows.iter().filter(|row| row["relay_status"] == 500).count() >= 5, "the app fails now and then");
    assert!(rows.iter().filter(|row| row["relay_duration_ms"].as_u64() >= Some(1_500)).count() >= 3, "and is slow");
    assert!(replays >= 5, "{replays} replays");
    assert_eq!(count("status", "queued"), 0);
    let refusals = admin.get("/api/refusals").unwrap();
    assert!(refusals["refusals"].as_array().unwrap().len() >= 3);

    kill(demo.pid(), Signal::SIGINT).unwrap();
    assert_eq!(demo.exit_code(), Some(0));
    let left: Vec<_> = std::fs::read_dir(work.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(std::net::TcpStream::connect(admin.address).is_err(), "the engine still listens");
}
