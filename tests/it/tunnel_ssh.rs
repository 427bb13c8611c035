//! `ssh -R` to a real sshd on loopback: ports, keys, and a server that goes and comes back.

use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use super::support::ports::free_port;
use super::support::sshd::{Sshd, sshd};
use super::support::tunnel::{log, post_public, until_proved, until_state, until_status};
use super::support::{Creel, Launch, text, until};

/// The user that runs the tests: the only one whom a private sshd lets in.
fn user() -> String {
    let asked = std::process::Command::new("id").arg("-un").output().expect("id");
    String::from_utf8_lossy(&asked.stdout).trim().to_owned()
}

fn options(server: &Sshd) -> Value {
    json!({
        "destination": format!("{}@127.0.0.1", user()),
        "ssh_port": server.port,
        "identity": server.file("user_key"),
        "known_hosts": server.file("known_hosts"),
        "public_url": "http://127.0.0.1:{port}",
    })
}

#[track_caller]
fn start(creel: &Creel, options: &Value) {
    creel.api("POST", "/tunnel", Some(&json!({ "provider": "ssh", "options": options }))).expect_json(200);
}

#[track_caller]
fn stored_exactly(creel: &Creel, state: &Value) {
    let endpoint = creel.endpoint(json!({}));
    let body: Vec<u8> = (0..=255).rev().cycle().take(300_000).collect();
    let answer = post_public(state, &format!("{}/x?y", endpoint.path), &body).expect_json(200);
    let id = text(&answer, "delivery_id");
    assert_eq!(creel.stored_body(id), body);
    let public = format!("{}{}/x?y", text(state, "public_url"), endpoint.path);
    assert_eq!(text(&creel.delivery(id), "public_url"), public);
}

#[test]
fn the_server_gives_a_port_and_what_is_posted_there_is_stored_byte_exact() {
    let Some(program) = sshd() else { return };
    let (server, creel) = (Sshd::start(&program), Creel::start());
    start(&creel, &options(&server));
    let state = until_proved(&creel);
    assert!(log(&state).iter().any(|line| line.starts_with("Allocated port ")), "{:?}", log(&state));
    assert!(log(&state).iter().all(|line| !line.starts_with("debug1")), "{:?}", log(&state));
    stored_exactly(&creel, &state);
}

#[test]
fn a_connection_that_the_users_configuration_would_share_is_not_shared() {
    let Some(program) = sshd() else { return };
    let server = Sshd::start(&program);
    let home = Creel::start().home().clone();
    let (config, control, ssh) = (server.file("shared.conf"), server.file("control"), home.scratch("ssh"));
    let settings =
        format!("ControlMaster auto\nControlPersist yes\nControlPath {}\nForwardAgent yes\n", control.display());
    std::fs::write(&config, settings).unwrap();
    // ssh finds the user's own configuration by the password file, not by HOME.
    let real = find_ssh();
    std::fs::write(&ssh, format!("#!/bin/sh\nexec '{}' -F '{}' \"$@\"\n", real.display(), config.display())).unwrap();
    std::fs::set_permissions(&ssh, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let search = format!("{}:{}", ssh.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let creel = Launch::at(home).env("PATH", &search).start();
    start(&creel, &options(&server));
    let state = until_proved(&creel);
    assert!(!control.exists(), "others could join this connection, and it would outlive the tunnel");
    stored_exactly(&creel, &state);
    assert_eq!(creel.api("DELETE", "/tunnel", None).status, 204);
    // The server closes its side when the connection's end reaches it.
    let address = text(&state, "public_url").trim_start_matches("http://").to_owned();
    until("the public port is closed", || TcpStream::connect(&address).is_err().then_some(()));
}

fn find_ssh() -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|dir| dir.join("ssh")).find(|ssh| ssh.is_file()).expect("ssh")
}

#[test]
fn a_fixed_port_stays_over_the_death_of_the_server_and_its_return() {
    let Some(program) = sshd() else { return };
    let (mut server, creel) = (Sshd::start(&program), Creel::start());
    let port = free_port();
    let mut fixed = options(&server);
    fixed["remote_port"] = json!(port);
    start(&creel, &fixed);
    let state = until_proved(&creel);
    assert_eq!(text(&state, "public_url"), format!("http://127.0.0.1:{port}"));
    server.kill();
    let down = until_state(&creel, "the loss is seen", |state| state["status"] == "restarting");
    assert!(down["reason"].is_string() && down["restart_at"].is_string(), "{down}");
    server.run();
    let back = until_state(&creel, "it is back", |state| {
        state["status"] == "ready" && state["restarts"].as_u64() > Some(0) && state["last_probe"]["ok"] == true
    });
    assert_eq!(back["url_changed"], Value::Null, "the URL is the same");
    stored_exactly(&creel, &back);
}

#[test]
fn a_busy_port_a_bad_key_and_a_bad_host_key_are_named_with_what_to_do() {
    let Some(program) = sshd() else { return };
    let (server, creel) = (Sshd::start(&program), Creel::start());
    let failing = |change: &dyn Fn(&mut Value), reason: &str| {
        let mut changed = options(&server);
        change(&mut changed);
        start(&creel, &changed);
        let failed = until_status(&creel, "failed");
        assert_eq!((text(&failed, "reason"), &failed["restarts"]), (reason, &json!(0)), "{:?}", log(&failed));
        assert!(failed["hint"].is_string(), "{failed}");
    };
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    failing(
        &|options| {
            options["remote_port"] = json!(port);
            options["bind"] = json!("127.0.0.1");
        },
        "the server does not give this port: it is in use, or not allowed",
    );
    failing(&|options| options["identity"] = json!(server.file("other_key")), "the server does not accept this login");
    failing(&|options| options["ssh_port"] = json!(free_port()), "the ssh server does not answer");
    let key = std::fs::read_to_string(server.file("other_key.pub")).unwrap();
    let known = server.file("wrong_hosts");
    std::fs::write(&known, format!("[127.0.0.1]:{} {key}", server.port)).unwrap();
    failing(&|options| options["known_hosts"] = json!(known), "the server's host key is not the one that is known");
}
