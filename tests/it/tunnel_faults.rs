//! What a tunnel's program may do wrong, played by a scripted one: the same suite for `creel serve` and for the window.

use serde_json::{Value, json};

use super::support::tunnel::{
    Admin, custom, fake_tunnel, kill_9, lives, log, number_in_log, parent_of, script, standing, start, state,
    until_gone, until_proved, until_state, until_status, urls_in_log,
};
use super::support::{Creel, text};

/// Every fault, one after another, in one engine.
pub fn suite(engine: &impl Admin) {
    for fault in [
        lines_split_anywhere_with_colours_and_broken_characters,
        a_program_that_crashes_is_started_again,
        an_end_with_code_0_is_a_failure_too,
        five_quick_ends_are_enough,
        a_program_that_takes_no_notice_of_sigterm,
        what_a_program_leaves_behind_when_it_ends,
        ten_megabytes_without_a_line_end,
        words_reach_the_program_as_they_are,
        a_secret_is_in_the_environment_alone,
        a_tunnel_that_carries_nothing_is_degraded,
        a_url_that_changes_while_the_program_runs,
        a_guard_that_is_killed,
        a_guard_that_is_killed_over_a_program_that_writes_without_end,
    ] {
        fault(engine);
        assert_eq!(engine.api("DELETE", "/tunnel", None).status, 204);
        assert_eq!(state(engine)["status"], "stopped");
    }
}

#[test]
fn the_headless_engine_gets_the_better_of_every_fault() {
    suite(&Creel::start());
}

#[test]
fn a_program_that_says_nothing_is_given_up_after_half_a_minute_and_ended() {
    let creel = Creel::start();
    start(&creel, "silent", &[json!({"out": "pid {pid}\n"}), json!("hang")]);
    let pid = number_in_log(&until_state(&creel, "it runs", |state| log(state).len() > 1), "pid");
    let failed = until_status(&creel, "failed");
    assert_eq!(text(&failed, "reason"), "Custom command said no public URL within 30 s");
    assert!(failed["hint"].is_string());
    until_gone(pid);
}

#[test]
fn a_program_whose_line_says_that_it_cannot_go_on_is_not_started_again() {
    let creel = Creel::start();
    let steps = [json!({"err": "ssh: connect to host h port 22: Connection refused\n"}), json!({"exit": 255})];
    // A provider with a table of its own; its program comes first on PATH.
    let path = script(creel.home(), "refused", &steps);
    let ssh = creel.home().scratch("ssh");
    std::fs::write(&ssh, format!("#!/bin/sh\nexec '{}' '{}'\n", fake_tunnel().display(), path.display())).unwrap();
    std::fs::set_permissions(&ssh, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let home = creel.home().clone();
    drop(creel);
    let search = format!("{}:{}", ssh.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let creel = super::support::Launch::at(home).env("PATH", &search).start();
    let options = json!({ "destination": "h", "public_url": "http://h:1" });
    creel.api("POST", "/tunnel", Some(&json!({ "provider": "ssh", "options": options }))).expect_json(200);
    let failed = until_status(&creel, "failed");
    assert_eq!((text(&failed, "reason"), &failed["restarts"]), ("the ssh server does not answer", &json!(0)));
}

fn lines_split_anywhere_with_colours_and_broken_characters(engine: &impl Admin) {
    let mut steps = vec![json!("listen"), json!({"bytes": [255, 254, 10]})];
    for piece in ["\u{1b}[32mIN", "FO\u{1b}[0m ur", "l htt", "p://127.0.0.1:{port}\u{1b}[K\r\n"] {
        steps.extend([json!({ "out": piece }), json!({"wait": 20})]);
    }
    steps.push(json!("hang"));
    start(engine, "split", &steps);
    let state = until_proved(engine);
    assert!(text(&state, "public_url").starts_with("http://127.0.0.1:"), "{state}");
    let lines = log(&state);
    assert!(lines.iter().any(|line| line.starts_with("INFO url http://127.0.0.1:")), "{lines:?}");
    assert!(lines.iter().any(|line| line == "\u{fffd}\u{fffd}"), "{lines:?}");
}

fn a_program_that_crashes_is_started_again(engine: &impl Admin) {
    let mut steps = vec![json!({"out": "about to crash\n"}), json!("crash"), json!("next_start")];
    steps.extend(standing());
    start(engine, "crash", &steps);
    let state = until_proved(engine);
    assert_eq!(state["restarts"], 1);
    assert!(log(&state).iter().any(|line| line.contains("exit code 134")), "{:?}", log(&state));
}

fn an_end_with_code_0_is_a_failure_too(engine: &impl Admin) {
    let mut steps = vec![
        json!("listen"),
        json!({"out": "url http://127.0.0.1:{port}\n"}),
        json!({"wait": 300}),
        json!({"exit": 0}),
    ];
    steps.push(json!("next_start"));
    steps.extend(standing());
    start(engine, "quiet-end", &steps);
    let state = until_state(engine, "it stands again", |state| state["restarts"] == 1 && state["status"] == "ready");
    assert!(log(&state).iter().any(|line| line == "the program ended with exit code 0"), "{:?}", log(&state));
}

fn five_quick_ends_are_enough(engine: &impl Admin) {
    start(engine, "quick", &[json!({"err": "no such account\n"}), json!({"exit": 3})]);
    let failed = until_status(engine, "failed");
    assert_eq!(failed["restarts"], 4, "five starts");
    let reason = "It failed again and again: Custom command ended with exit code 3: no such account";
    assert_eq!((text(&failed, "reason"), &failed["restart_at"]), (reason, &Value::Null));
}

fn a_program_that_takes_no_notice_of_sigterm(engine: &impl Admin) {
    let mut steps = vec![json!("ignore_term")];
    steps.extend(standing());
    start(engine, "stubborn", &steps);
    let pid = number_in_log(&until_status(engine, "ready"), "pid");
    assert_eq!(engine.api("DELETE", "/tunnel", None).status, 204);
    assert!(!lives(pid), "it is gone when stopping answers");
}

fn what_a_program_leaves_behind_when_it_ends(engine: &impl Admin) {
    // Out of its process group, with our streams open, and its parent about to end.
    let mut steps = vec![json!({"child": ["setsid", "sleep", "600"]}), json!({"wait": 200})];
    steps.extend(standing());
    start(engine, "grandchild", &steps);
    let state = until_status(engine, "ready");
    let (child, pid) = (number_in_log(&state, "child"), number_in_log(&state, "pid"));
    assert_eq!(engine.api("DELETE", "/tunnel", None).status, 204);
    assert!(!lives(pid) && !lives(child), "{child} is left");
}

fn ten_megabytes_without_a_line_end(engine: &impl Admin) {
    let mut steps = vec![json!({"flood": 10_000_000}), json!({"out": "\n"})];
    steps.extend(standing());
    start(engine, "flood", &steps);
    let state = until_proved(engine);
    let longest = log(&state).iter().map(String::len).max();
    assert_eq!(longest, Some(8 * 1024));
}

fn words_reach_the_program_as_they_are(engine: &impl Admin) {
    let mut steps = vec![json!("args")];
    steps.extend(standing());
    let script = script(engine.home(), "words", &steps);
    let mut body = custom(&script);
    let odd = ["a b", "\"q\"", "'s'", "; rm -rf /", "$(id)", "", "*", "--", "ü"];
    body["options"]["command"].as_array_mut().unwrap().extend(odd.map(Value::from));
    engine.api("POST", "/tunnel", Some(&body)).expect_json(200);
    let state = until_proved(engine);
    let line = log(&state).into_iter().find(|line| line.starts_with('[')).expect("the arguments");
    let words: Vec<String> = serde_json::from_str(&line).expect("a list");
    assert_eq!(words[2..], odd, "without a shell");
    assert_eq!(words[1], engine.ingress().to_string());
}

pub fn a_secret_is_in_the_environment_alone(engine: &impl Admin) {
    let mut steps = vec![
        json!({"env": "TUNNEL_SECRET"}),
        json!({"out": "token=canary-5f1e and CREEL:\n"}),
        json!({"env": "CREEL_DATA_DIR"}),
    ];
    steps.extend(standing());
    let script = script(engine.home(), "secret", &steps);
    let mut body = custom(&script);
    body["options"]["secret"] = json!("canary-5f1e-secret");
    engine.api("POST", "/tunnel", Some(&body)).expect_json(200);
    let state = until_proved(engine);
    assert!(!state.to_string().contains("canary"), "a tunnel's secret is shown: {state}");
    let lines = log(&state);
    assert!(lines.iter().any(|line| line == "•••") && lines.iter().any(|line| line == "absent"), "{lines:?}");
    let pid = number_in_log(&state, "pid");
    let commands = [pid, parent_of(pid)].map(|pid| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap());
    assert!(commands[1].contains("tunnel-guard") && !commands.concat().contains("canary"), "{commands:?}");
}

fn a_tunnel_that_carries_nothing_is_degraded(engine: &impl Admin) {
    // It leads to a port where nobody listens.
    let script = script(engine.home(), "deaf", &standing());
    let mut body = custom(&script);
    body["options"]["command"][2] = json!("127.0.0.1:1");
    engine.api("POST", "/tunnel", Some(&body)).expect_json(200);
    let state = until_status(engine, "degraded");
    assert_eq!((&state["last_probe"]["ok"], text(&state["last_probe"], "broke_at")), (&json!(false), "tunnel"));
    assert_eq!(state["reason"], state["last_probe"]["message"]);
    assert!(state["hint"].is_string() && state["public_url"].is_string(), "{state}");
}

fn a_url_that_changes_while_the_program_runs(engine: &impl Admin) {
    let mut steps = standing();
    steps.pop();
    steps.extend([
        json!({"wait": 700}),
        json!("listen"),
        json!({"out": "url http://127.0.0.1:{port}\n"}),
        json!("hang"),
    ]);
    start(engine, "moving", &steps);
    let moved = until_state(engine, "it has moved", |state| {
        let said = urls_in_log(state);
        said.len() == 2 && state["public_url"] == json!(said[1]) && state["status"] == "ready"
    });
    assert_ne!(urls_in_log(&moved)[0], urls_in_log(&moved)[1]);
    assert_eq!(moved["url_changed"]["to"], moved["public_url"]);
    assert_eq!(moved["restarts"], 0);
}

fn a_guard_that_is_killed(engine: &impl Admin) {
    start(engine, "guarded", &standing());
    let first = number_in_log(&until_status(engine, "ready"), "pid");
    kill_9(parent_of(first));
    let again =
        until_state(engine, "it is started again", |state| state["restarts"] == 1 && state["status"] == "ready");
    assert!(!lives(first), "the first one is left beside the second");
    assert!(again["public_url"].is_string());
}

fn a_guard_that_is_killed_over_a_program_that_writes_without_end(engine: &impl Admin) {
    // Its number goes into a file: the log keeps the newest lines only.
    let pid_file = engine.home().scratch("chatty-pid");
    let note = format!("echo $$ >'{}'; exec \"$@\"", pid_file.display());
    let mut steps =
        vec![json!("listen"), json!({"out": "url http://127.0.0.1:{port}\n"}), json!({"repeat": "chatter\n"})];
    steps.push(json!("next_start"));
    steps.extend(standing());
    let script = script(engine.home(), "chatty", &steps);
    let mut body = custom(&script);
    let words = body["options"]["command"].as_array().unwrap().clone();
    body["options"]["command"] = json!([["sh", "-c", &note, "sh"].map(Value::from).as_slice(), &words].concat());
    engine.api("POST", "/tunnel", Some(&body)).expect_json(200);
    until_status(engine, "ready");
    let first: u32 = std::fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    kill_9(parent_of(first));
    until_state(engine, "it is started again", |state| state["restarts"] == 1 && state["status"] == "ready");
    assert!(!lives(first), "the first one is left beside the second");
}
