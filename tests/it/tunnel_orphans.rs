//! No tunnel outlives Creel: its public URL would lead to whoever takes the port next.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use super::support::tunnel::{
    gone_within, kill_9, lives, number_in_log, parent_of, standing, start, until_gone, until_status,
};
use super::support::{Creel, Launch};

/// How long a tunnel may outlive a killed engine.
const GONE: Duration = Duration::from_secs(2);
/// Engines killed.
const KILLS: usize = 20;

#[test]
fn a_killed_engine_leaves_no_tunnel_twenty_times_out_of_twenty() {
    for round in 0..KILLS {
        let mut creel = Creel::start();
        // Every other one takes no notice of SIGTERM, and has a child outside its process group.
        let mut steps = Vec::new();
        if round % 2 == 1 {
            steps.extend([json!("ignore_term"), json!({"child": ["setsid", "sleep", "600"]}), json!({"wait": 50})]);
        }
        steps.extend(standing());
        start(&creel, "stand", &steps);
        let state = until_status(&creel, "ready");
        let mut pids = vec![number_in_log(&state, "pid")];
        pids.extend((round % 2 == 1).then(|| number_in_log(&state, "child")));
        let guard = parent_of(pids[0]);
        creel.kill_9();
        for pid in pids {
            assert!(gone_within(pid, GONE), "round {round}: {pid} outlived the engine");
        }
        assert!(gone_within(guard, GONE), "round {round}: the guard is left");
    }
}

#[test]
fn without_the_guards_watch_a_killed_engine_would_leave_its_tunnel() {
    let mut creel = Launch::new().seeded_bug("guard_ignores_end").start();
    start(&creel, "stand", &standing());
    let pid = number_in_log(&until_status(&creel, "ready"), "pid");
    creel.kill_9();
    let left = !gone_within(pid, GONE);
    kill_9(pid);
    assert!(left, "the test above could not fail");
}

#[test]
fn what_even_the_guard_could_not_end_is_ended_at_the_next_start() {
    let mut creel = Creel::start();
    start(&creel, "stand", &standing());
    let pid = number_in_log(&until_status(&creel, "ready"), "pid");
    let record = creel.home().data().join("tunnel/running.json");
    assert!(record.exists());
    // The engine must not see the guard go, nor the guard the engine.
    creel.signal(Signal::SIGSTOP);
    kill_9(parent_of(pid));
    creel.kill_9();
    assert!(lives(pid), "nobody is there to end it");
    let creel = Launch::at(creel.home().clone()).start();
    assert!(!lives(pid), "{pid} is left");
    assert!(!record.exists());
    drop(creel);
}

#[test]
fn an_orderly_stop_ends_the_tunnel_and_leaves_no_file_of_it() {
    let mut creel = Creel::start();
    start(&creel, "stand", &standing());
    let pid = number_in_log(&until_status(&creel, "ready"), "pid");
    assert_eq!(creel.stop(), Some(0));
    until_gone(pid);
    let left: Vec<_> = std::fs::read_dir(creel.home().data().join("tunnel")).unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}
