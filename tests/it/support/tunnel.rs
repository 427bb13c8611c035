//! Tunnels under test: a scripted program, and patience for their states.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};

use super::creel::{BINARY, Home};
use super::http::{Request, Response};
use super::wait::{BOUND, until, within};

/// Whatever answers the admin API: `creel serve` or the window.
pub trait Admin {
    fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Response;

    fn home(&self) -> &Arc<Home>;

    fn ingress(&self) -> std::net::SocketAddr;
}

impl Admin for super::Creel {
    fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        super::Creel::api(self, method, path, body)
    }

    fn home(&self) -> &Arc<Home> {
        super::Creel::home(self)
    }

    fn ingress(&self) -> std::net::SocketAddr {
        self.ingress
    }
}

/// The scripted tunnel program, built once for this run of the tests.
pub fn fake_tunnel() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let debug = Path::new(BINARY).parent().expect("a folder");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
        let target = debug.parent().expect("the target directory");
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--locked", "--package", "fake-tunnel", "--target-dir"])
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.expect("cargo").success(), "fake-tunnel cannot be built");
        debug.join(format!("fake-tunnel{}", std::env::consts::EXE_SUFFIX))
    })
}

/// A script beside the data directory.
pub fn script(home: &Home, name: &str, steps: &[Value]) -> PathBuf {
    let path = home.scratch(&format!("{name}.jsonl"));
    let lines: Vec<String> = steps.iter().map(Value::to_string).collect();
    std::fs::write(&path, lines.join("\n")).expect("write a script");
    path
}

/// The steps of a tunnel that stands: a public port that leads to the ingress, its URL, and no end.
pub fn standing() -> Vec<Value> {
    vec![json!("listen"), json!({"out": "pid {pid}\n"}), json!({"out": "url http://127.0.0.1:{port}\n"}), json!("hang")]
}

/// The command of a custom tunnel that plays a script.
pub fn custom(script: &Path) -> Value {
    json!({
        "provider": "custom",
        "options": {
            "command": [fake_tunnel().to_str().expect("a path"), script.to_str().expect("a path"), "{ingress}"],
            "url_pattern": "url (?P<url>\\S+)",
        },
    })
}

/// Starts a custom tunnel with these steps.
#[track_caller]
pub fn start(engine: &impl Admin, name: &str, steps: &[Value]) -> Value {
    let script = script(engine.home(), name, steps);
    engine.api("POST", "/tunnel", Some(&custom(&script))).expect_json(200)
}

/// How it stands now.
#[track_caller]
pub fn state(engine: &impl Admin) -> Value {
    engine.api("GET", "/tunnel", None).expect_json(200)
}

/// The state once it is so; a state that cannot become so any more is shown at once.
#[track_caller]
pub fn until_state(engine: &impl Admin, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let found = within(BOUND, || {
        last = state(engine);
        is_so(&last).then(|| last.clone())
    });
    found.unwrap_or_else(|| panic!("waited in vain until {what}: {last:#}"))
}

/// The state once it has this word.
#[track_caller]
pub fn until_status(engine: &impl Admin, word: &str) -> Value {
    until_state(engine, word, |state| state["status"] == word)
}

/// The state once a proof of life came back good.
#[track_caller]
pub fn until_proved(engine: &impl Admin) -> Value {
    until_state(engine, "a proof of life came back", |state| state["last_probe"]["ok"] == true)
}

/// All lines of the log.
pub fn log(state: &Value) -> Vec<String> {
    let lines = state["log"].as_array().into_iter().flatten();
    lines.map(|line| line["text"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The URLs that a scripted program said, in order.
pub fn urls_in_log(state: &Value) -> Vec<String> {
    log(state).iter().filter_map(|line| line.strip_prefix("url ").map(str::to_owned)).collect()
}

/// The number behind a word in the log.
#[track_caller]
pub fn number_in_log(state: &Value, word: &str) -> u32 {
    let lines = log(state);
    let found = lines.iter().find_map(|line| line.strip_prefix(word)?.trim().parse().ok());
    found.unwrap_or_else(|| panic!("no `{word}` in {lines:#?}"))
}

/// Whether a process of this number exists and is no mere entry of a dead one.
pub fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Ends a process at once.
pub fn kill_9(pid: u32) {
    let pid = nix::unistd::Pid::from_raw(pid.try_into().expect("a process number"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("kill");
}

/// Who started a process: of a tunnel's program, its guard.
pub fn parent_of(pid: u32) -> u32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a living process");
    stat.rsplit_once(") ").expect("proc(5)").1.split(' ').nth(1).expect("its parent").parse().expect("a number")
}

/// Waits until a process is gone; false when it is still there after this long.
pub fn gone_within(pid: u32, bound: Duration) -> bool {
    within(bound, || (!lives(pid)).then_some(())).is_some()
}

/// Waits until a process is gone.
#[track_caller]
pub fn until_gone(pid: u32) {
    until("the process is gone", || (!lives(pid)).then_some(()));
}

/// Posts to the public side of a tunnel.
#[track_caller]
pub fn post_public(state: &Value, path: &str, body: &[u8]) -> Response {
    send_public(state, Request::post(path).body(body))
}

/// Sends a request to the public side.
#[track_caller]
pub fn send_public(state: &Value, request: Request) -> Response {
    let url = state["public_url"].as_str().expect("a public URL");
    let authority = url.strip_prefix("http://").expect("plain http");
    request.host(authority).to(authority.parse().expect("an address"))
}
