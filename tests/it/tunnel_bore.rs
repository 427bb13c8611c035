//! The bore client to a real bore server on loopback. The server's control port is fixed, so all stands in one test.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;

use super::support::creel::{BINARY, Reaped};
use super::support::ports::free_port;
use super::support::requires::have;
use super::support::tunnel::{log, post_public, until_proved, until_state, until_status};
use super::support::{Creel, Launch, text, until};

/// The version that `cargo xtask test` installs.
const VERSION: &str = "0.6.0";
/// bore's control port; it takes no other.
const CONTROL_PORT: u16 = 7835;

/// The program, built once into the target directory.
#[track_caller]
fn bore() -> Option<PathBuf> {
    let target = PathBuf::from(BINARY).parent()?.parent()?.to_owned();
    let root = target.join("tools");
    let program = root.join("bin/bore");
    if !program.is_file() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
        // As `cargo xtask test` does beforehand.
        let built = Command::new(cargo)
            .args(["install", "--quiet", "--locked", "--debug", "--version", VERSION, "bore-cli", "--root"])
            .arg(&root)
            .status();
        let why = match built {
            Ok(status) if status.success() => None,
            Ok(status) => Some(format!("bore-cli cannot be built: {status}")),
            Err(error) => Some(format!("bore-cli cannot be built: {error}")),
        };
        if !have("bore", why) {
            return None;
        }
    }
    let is_taken = std::net::TcpStream::connect(("127.0.0.1", CONTROL_PORT)).is_ok();
    let taken = is_taken.then(|| format!("something else listens on bore's port {CONTROL_PORT}"));
    if have("bore", taken) { Some(program) } else { None }
}

fn serve(program: &PathBuf, port: u16) -> Reaped {
    let mut server = Command::new(program);
    server
        .args(["server", "--bind-addr", "127.0.0.1", "--min-port", &port.to_string(), "--max-port", &port.to_string()])
        .env("BORE_SECRET", "canary-bore-secret")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let server = Reaped(server.spawn().expect("start bore"));
    until("bore listens", || std::net::TcpStream::connect(("127.0.0.1", CONTROL_PORT)).ok());
    server
}

#[test]
fn bore_carries_a_delivery_byte_exact_comes_back_after_its_server_and_says_when_its_secret_is_wrong() {
    let Some(program) = bore() else { return };
    let port = free_port();
    let server = serve(&program, port);
    let search = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let creel: Creel = Launch::new().env("PATH", &search).start();
    let start = |secret: &str| {
        let options = json!({ "server": "127.0.0.1", "secret": secret });
        creel.api("POST", "/tunnel", Some(&json!({ "provider": "bore", "options": options }))).expect_json(200)
    };
    start("canary-wrong");
    let failed = until_status(&creel, "failed");
    assert_eq!(
        (text(&failed, "reason"), &failed["restarts"]),
        ("the bore server does not accept the secret", &json!(0))
    );

    start("canary-bore-secret");
    let state = until_proved(&creel);
    assert_eq!(text(&state, "public_url"), format!("http://127.0.0.1:{port}"));
    assert!(!state.to_string().contains("canary"), "{state}");
    let endpoint = creel.endpoint(json!({}));
    let body: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let answer = post_public(&state, &endpoint.path, &body).expect_json(200);
    let id = text(&answer, "delivery_id");
    assert_eq!(creel.stored_body(id), body);
    assert_eq!(text(&creel.delivery(id), "public_url"), format!("http://127.0.0.1:{port}{}", endpoint.path));

    drop(server);
    let down = until_state(&creel, "the loss is seen", |state| state["status"] == "restarting");
    assert!(down["reason"].is_string(), "bore itself ends with code 0: {:?}", log(&down));
    let _server = serve(&program, port);
    let back = until_state(&creel, "it is back", |state| {
        state["status"] == "ready" && state["restarts"].as_u64() > Some(0) && state["last_probe"]["ok"] == true
    });
    assert_eq!(post_public(&back, &endpoint.path, b"{}").status, 200);
}
