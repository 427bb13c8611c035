//! The real binary under test: started with a data directory of its own, ended on drop, whatever happens.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::{Request, Response};
use super::wait::{exit_of, until};

/// The headless binary that cargo built for this test run.
pub const BINARY: &str = env!("CARGO_BIN_EXE_creel");

/// A data directory and, beside it, what the binary wrote to its streams.
pub struct Home {
    dir: TempDir,
    data: PathBuf,
}

impl Home {
    pub fn new() -> Arc<Self> {
        let dir = TempDir::with_prefix("creel-it-").expect("temporary directory");
        let data = dir.path().join("data");
        Arc::new(Self { dir, data })
    }

    /// The data directory is elsewhere (on a file system of its own); the streams stay here.
    pub fn with_data(data: PathBuf) -> Arc<Self> {
        let dir = TempDir::with_prefix("creel-it-").expect("temporary directory");
        Arc::new(Self { dir, data })
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn database(&self) -> PathBuf {
        self.data().join("creel.db")
    }

    pub fn run_json(&self) -> PathBuf {
        self.data().join("run.json")
    }

    /// A place for files that are not Creel's.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Everything that every run in this home wrote to stdout and stderr.
    pub fn streams(&self) -> String {
        ["stdout", "stderr"].map(|name| read_lossy(&self.scratch(name))).concat()
    }

    fn stream(&self, name: &str) -> Stdio {
        let file = File::options().create(true).append(true).open(self.scratch(name));
        Stdio::from(file.expect("open a stream's file"))
    }
}

fn read_lossy(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// A process that ended by itself.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// How to start `creel serve`.
#[derive(Clone)]
pub struct Launch {
    home: Arc<Home>,
    args: Vec<String>,
    env: Vec<(String, String)>,
    /// What a shell does first.
    shell: Vec<String>,
    ingress: String,
    admin: String,
}

impl Launch {
    pub fn new() -> Self {
        Self::at(Home::new())
    }

    pub fn at(home: Arc<Home>) -> Self {
        let any = "127.0.0.1:0".to_owned();
        Self { home, args: Vec::new(), env: Vec::new(), shell: Vec::new(), ingress: any.clone(), admin: any }
    }

    pub fn arg(mut self, arg: impl ToString) -> Self {
        self.args.push(arg.to_string());
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes the engine misbehave in one known way (debug builds only), to prove that a test would notice.
    pub fn seeded_bug(self, name: &str) -> Self {
        self.env("CREEL_SEEDED_BUG", name)
    }

    pub fn umask(mut self, umask: &str) -> Self {
        self.shell.push(format!("umask {umask}"));
        self
    }

    /// How many files it may have open unless it asks for more.
    pub fn open_files(mut self, soft: u64) -> Self {
        self.shell.push(format!("ulimit -S -n {soft}"));
        self
    }

    pub fn ingress(mut self, addr: impl ToString) -> Self {
        self.ingress = addr.to_string();
        self
    }

    pub fn admin(mut self, addr: impl ToString) -> Self {
        self.admin = addr.to_string();
        self
    }

    pub fn home(&self) -> &Arc<Home> {
        &self.home
    }

    fn command(&self) -> Command {
        let mut command = if self.shell.is_empty() {
            Command::new(BINARY)
        } else {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("{} && exec \"$0\" \"$@\"", self.shell.join(" && ")), BINARY]);
            shell
        };
        command.arg("serve").args(["--ingress", &self.ingress, "--admin", &self.admin]);
        command.arg("--data-dir").arg(self.home.data()).args(&self.args);
        clean_env(&mut command);
        command.envs(self.env.iter().cloned()).stdin(Stdio::null());
        command
    }

    /// Starts it with its streams in the home's files.
    pub fn spawn(&self) -> Child {
        let mut command = self.command();
        command.stdout(self.home.stream("stdout")).stderr(self.home.stream("stderr"));
        command.spawn().expect("start creel")
    }

    /// Starts it and waits until both ports accept.
    #[track_caller]
    pub fn start(&self) -> Creel {
        let mut child = self.spawn();
        let run = until("run.json appears", || {
            if let Some(status) = child.try_wait().expect("wait for creel") {
                panic!("creel ended with {status} instead of serving:\n{}", self.home.streams());
            }
            run_of(&self.home, child.id())
        });
        Creel {
            ingress: addr_in(&run, "ingress_url"),
            admin: addr_in(&run, "admin_url"),
            token: run["admin_token"].as_str().expect("admin_token").to_owned(),
            child,
            run,
            launch: self.clone(),
        }
    }

    /// Starts it when it is expected to end by itself.
    #[track_caller]
    pub fn run_to_end(&self) -> Ended {
        ended(self.command())
    }
}

/// Removes what a developer's shell may bring along: settings of Creel, proxies, colours, log levels.
pub fn clean_env(command: &mut Command) {
    for (name, _) in std::env::vars() {
        let is_proxy = name.to_ascii_lowercase().ends_with("_proxy");
        if is_proxy || name.starts_with("CREEL_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.env("NO_COLOR", "1");
}

/// Runs a command to its end; a command that does not end is killed and fails the test.
#[track_caller]
pub fn ended(mut command: Command) -> Ended {
    let streams = TempDir::with_prefix("creel-it-").expect("temporary directory");
    let (out, err) = (streams.path().join("out"), streams.path().join("err"));
    command.stdout(File::create(&out).expect("stdout file")).stderr(File::create(&err).expect("stderr file"));
    let mut child = Reaped(command.spawn().expect("start a command"));
    let status = exit_of(&mut child.0);
    Ended { code: status.code(), stdout: read_lossy(&out), stderr: read_lossy(&err) }
}

/// A child that does not outlive its test.
pub struct Reaped(pub Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What run.json says, once it is that process's own.
pub fn run_of(home: &Home, pid: u32) -> Option<Value> {
    let run: Value = serde_json::from_slice(&fs::read(home.run_json()).ok()?).ok()?;
    (run["pid"] == json!(pid)).then_some(run)
}

fn addr_in(run: &Value, field: &str) -> SocketAddr {
    let url = run[field].as_str().unwrap_or_else(|| panic!("run.json has no {field}: {run}"));
    let addr = url.strip_prefix("http://").unwrap_or_else(|| panic!("{field} is no http URL: {url}"));
    addr.parse().unwrap_or_else(|error| panic!("{field} names no address ({error}): {url}"))
}

/// A running engine.
pub struct Creel {
    child: Child,
    launch: Launch,
    pub run: Value,
    pub ingress: SocketAddr,
    pub admin: SocketAddr,
    pub token: String,
}

impl Creel {
    #[track_caller]
    pub fn start() -> Self {
        Launch::new().start()
    }

    pub fn home(&self) -> &Arc<Home> {
        &self.launch.home
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a crash would.
    pub fn kill_9(&mut self) {
        self.signal(Signal::SIGKILL);
        self.child.wait().expect("wait for the killed engine");
    }

    /// Ends it as a crash would and starts it again in the same home.
    #[track_caller]
    pub fn kill_and_restart(mut self) -> Self {
        self.kill_9();
        self.launch.start()
    }

    /// Asks it to stop and waits until it has.
    #[track_caller]
    pub fn stop(&mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        exit_of(&mut self.child).code()
    }

    /// Stops it in an orderly way and starts it again in the same home.
    #[track_caller]
    pub fn stop_and_restart(mut self) -> Self {
        assert_eq!(self.stop(), Some(0), "an orderly stop exits with 0");
        self.launch.start()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("pid"));
        kill(pid, signal).expect("signal the engine");
    }

    /// The exit code, once it has ended.
    pub fn exit_code(&mut self) -> Option<i32> {
        exit_of(&mut self.child).code()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("wait for creel").is_none()
    }

    /// A call of the admin API with its token; `path` begins behind `/api`.
    pub fn call(&self, method: &str, path: &str) -> Request {
        Request::new(method, &format!("/api{path}")).header("Authorization", &format!("Bearer {}", self.token))
    }

    pub fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        let request = self.call(method, path);
        body.map_or_else(|| request.clone(), |value| request.clone().json(value)).to(self.admin)
    }

    /// What a GET answers, which must be 200.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.api("GET", path, None).expect_json(200)
    }

    /// Makes an endpoint from these fields; its name is given when absent.
    #[track_caller]
    pub fn endpoint(&self, mut fields: Value) -> Endpoint {
        if fields["name"].is_null() {
            fields["name"] = json!("under test");
        }
        Endpoint::of(&self.api("POST", "/endpoints", Some(&fields)).expect_json(201))
    }

    /// Makes an endpoint that relays to these URLs, with further fields.
    #[track_caller]
    pub fn relaying(&self, urls: &[&str], mut fields: Value) -> Endpoint {
        fields["targets"] = urls.iter().map(|url| json!({ "url": url })).collect();
        self.endpoint(fields)
    }

    #[track_caller]
    pub fn patch(&self, endpoint: &Endpoint, fields: &Value) -> Value {
        self.api("PATCH", &format!("/endpoints/{}", endpoint.id), Some(fields)).expect_json(200)
    }

    #[track_caller]
    pub fn set_secret(&self, endpoint: &Endpoint, secret: &str) -> Value {
        let path = format!("/endpoints/{}/signing-secret", endpoint.id);
        self.api("PUT", &path, Some(&json!({ "signing_secret": secret }))).expect_json(200)
    }

    pub fn send(&self, request: &Request) -> Response {
        request.to(self.ingress)
    }

    /// Sends, expects 200 with this status word, and returns the answer.
    #[track_caller]
    pub fn send_expecting(&self, word: &str, request: &Request) -> Value {
        let answer = self.send(request).expect_json(200);
        assert_eq!(answer["status"], word, "{answer}");
        answer
    }

    #[track_caller]
    pub fn delivery(&self, id: &str) -> Value {
        self.get(&format!("/deliveries/{id}"))
    }

    /// The bytes that were stored.
    #[track_caller]
    pub fn stored_body(&self, id: &str) -> Vec<u8> {
        let answer = self.api("GET", &format!("/deliveries/{id}/body"), None);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.body
    }

    /// The delivery once nothing is under way for it any more.
    #[track_caller]
    pub fn settled(&self, id: &str) -> Value {
        until("the delivery is settled", || Some(self.delivery(id)).filter(|row| row["status"] != "queued"))
    }

    #[track_caller]
    pub fn attempts(&self, id: &str) -> Vec<Value> {
        list(&self.get(&format!("/deliveries/{id}/attempts")), "attempts")
    }

    /// How many deliveries match, as the list itself says.
    #[track_caller]
    pub fn total(&self, query: &str) -> u64 {
        self.get(&format!("/deliveries?limit=1&{query}"))["total"].as_u64().expect("total")
    }

    /// All deliveries, newest first, over all pages.
    #[track_caller]
    pub fn all_deliveries(&self) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/deliveries?limit=500{cursor}"));
            rows.extend(list(&page, "deliveries"));
            match page["next_before"].as_i64() {
                Some(before) => cursor = format!("&before={before}"),
                None => return rows,
            }
        }
    }

    #[track_caller]
    pub fn refusals(&self) -> Vec<Value> {
        list(&self.get("/refusals"), "refusals")
    }

    /// The refusals once there are this many: they are recorded beside the answer, not before it.
    #[track_caller]
    pub fn refused(&self, count: usize) -> Vec<Value> {
        let refusals = until("the refusals are listed", || Some(self.refusals()).filter(|list| list.len() >= count));
        assert_eq!(refusals.len(), count, "{refusals:?}");
        refusals
    }

    /// Runs another command of the binary against this engine.
    #[track_caller]
    pub fn cli(&self, args: &[&str]) -> Ended {
        cli(self.home().data(), args)
    }
}

/// Runs a command of the binary against whatever owns the data directory.
#[track_caller]
pub fn cli(data: &Path, args: &[&str]) -> Ended {
    let mut command = Command::new(BINARY);
    clean_env(&mut command);
    command.args(args).env("CREEL_DATA_DIR", data).stdin(Stdio::null());
    ended(command)
}

impl Drop for Creel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let streams = self.home().streams();
            let tail: Vec<&str> = streams.lines().rev().take(20).collect();
            eprintln!("-- the engine's last lines, newest first --\n{}", tail.join("\n"));
        }
    }
}

/// The list under a collection's plural.
#[track_caller]
pub fn list(collection: &Value, plural: &str) -> Vec<Value> {
    collection[plural].as_array().unwrap_or_else(|| panic!("no {plural}: {collection}")).clone()
}

/// An endpoint as far as a sender and the admin API need it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub id: String,
    pub token: String,
    pub path: String,
}

impl Endpoint {
    #[track_caller]
    pub fn of(json: &Value) -> Self {
        let text = |field: &str| json[field].as_str().unwrap_or_else(|| panic!("no {field}: {json}")).to_owned();
        Self { id: text("id"), token: text("token"), path: text("ingress_path") }
    }

    pub fn post(&self, body: impl AsRef<[u8]>) -> Request {
        Request::post(&self.path).body(body)
    }
}

/// A string field.
#[track_caller]
pub fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    json[field].as_str().unwrap_or_else(|| panic!("no {field}: {json}"))
}
