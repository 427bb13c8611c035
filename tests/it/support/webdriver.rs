//! A window under remote control: tauri-driver in front of WebKitWebDriver, spoken to as W3C WebDriver says.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::creel::clean_env;
use super::http::{Request, Response};
use super::ports::free_port;
use super::wait::until;

/// The key under which WebDriver hands out elements (W3C WebDriver, section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Finds a program on PATH or among the tools that `cargo xtask test` installs.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"));
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push(target.join("tools/bin"));
    folders.into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A window with its driver; on drop both end, and whatever they have started.
pub struct Window {
    addr: SocketAddr,
    session: String,
    _group: Group,
}

/// A process that leads a group of its own.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        if let Ok(leader) = i32::try_from(self.0.id()) {
            let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
        }
        let _ = self.0.wait();
    }
}

impl Window {
    /// Opens the application with these arguments and environment.
    pub fn open(driver: &Path, application: &Path, args: &[String], env: &[(&str, &Path)]) -> Self {
        let (port, native_port) = (free_port(), free_port());
        let mut command = Command::new(driver);
        clean_env(&mut command);
        command.args(["--port", &port.to_string(), "--native-port", &native_port.to_string()]);
        command.envs(env.iter().copied()).env("WEBKIT_DISABLE_DMABUF_RENDERER", "1").env("GDK_BACKEND", "x11");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let group = Group(command.process_group(0).spawn().expect("start tauri-driver"));
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        for port in [port, native_port] {
            until("the driver listens", || TcpStream::connect(("127.0.0.1", port)).ok());
        }
        let options = json!({ "application": application, "args": args });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "tauri:options": options } } });
        let answer = Request::post("/session").json(&wanted).to(addr).expect_json(200);
        let session = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {answer}"));
        Self { addr, session: session.to_owned(), _group: group }
    }

    /// What the driver answers; nothing when it closes the connection instead, as it does now and then.
    fn ask(&self, path: &str, body: &Value) -> Option<Response> {
        Request::post(&format!("/session/{}{path}", self.session)).json(body).try_to(self.addr).ok()
    }

    /// The elements that an XPath names now.
    pub fn all(&self, xpath: &str) -> Vec<String> {
        let wanted = json!({ "using": "xpath", "value": xpath });
        let answer = until("the driver answers", || self.ask("/elements", &wanted)).expect_json(200);
        let found = answer["value"].as_array().cloned().unwrap_or_default();
        found.iter().filter_map(|element| element[ELEMENT].as_str().map(str::to_owned)).collect()
    }

    /// The first element that an XPath names, once there is one.
    #[track_caller]
    pub fn wait_for(&self, xpath: &str) -> String {
        until(&format!("the window shows {xpath}"), || self.all(xpath).into_iter().next())
    }

    /// Clicks what an XPath names, once it is there and can be clicked.
    #[track_caller]
    pub fn click(&self, xpath: &str) {
        until(&format!("{xpath} is clicked"), || {
            let element = self.all(xpath).into_iter().next()?;
            let clicked = self.ask(&format!("/element/{element}/click"), &json!({}))?;
            (clicked.status == 200).then_some(())
        });
    }

    /// Types into what an XPath names, once it is there. A text without line ends comes as it is.
    #[track_caller]
    pub fn type_into(&self, xpath: &str, text: &str) {
        let element = self.wait_for(xpath);
        let typed = self.ask(&format!("/element/{element}/value"), &json!({ "text": text }));
        typed.expect("the driver answers").expect_json(200);
    }

    /// What a script in the page returns.
    pub fn run(&self, script: &str) -> Value {
        let asked = json!({ "script": script, "args": [] });
        let answer = until("the driver answers", || self.ask("/execute/sync", &asked)).expect_json(200);
        answer["value"].clone()
    }

    /// The text of what an XPath names, once it is there, the hidden parts of it included: what the driver itself takes
    /// for an element's text leaves out what is cut off by an ellipsis.
    #[track_caller]
    pub fn text(&self, xpath: &str) -> String {
        let script = "const found = document.evaluate(arguments[0], document, null, 9, null).singleNodeValue; \
                      return found ? found.textContent : null;";
        let asked = json!({ "script": script, "args": [xpath] });
        until(&format!("the window shows the text of {xpath}"), || {
            let answer = self.ask("/execute/sync", &asked)?.expect_json(200);
            answer["value"].as_str().map(str::to_owned)
        })
    }
}
