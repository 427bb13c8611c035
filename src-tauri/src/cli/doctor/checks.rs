//! The checks, in the order in which a person would look.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, SystemTime};

use http::Method;
use serde_json::{Value, json};

use super::super::fields;
use crate::client::{Client, ClientError};
use crate::engine::EngineConfig;
use crate::run_file::{RunFile, process_is_alive};
use crate::store::{DATABASE_FILE, OwnerLock, free_bytes, sqlite_version, supported_version, version_in_file};

/// Free space below which storing will soon fail, in bytes.
const FREE_BYTES_FAIL: u64 = 64 * 1024 * 1024;
/// Free space below which it is time to look, in bytes.
const FREE_BYTES_WARN: u64 = 1024 * 1024 * 1024;
/// A clock before 2026-01-01 is wrong: this program is younger. Seconds after the epoch.
const CLOCK_SECONDS_MIN: u64 = 1_767_225_600;
/// How far in the future a file may have been written, in seconds; more means that the clock was set back.
const CLOCK_SLACK_SECONDS: u64 = 120;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Health {
    /// As it should be.
    Ok,
    /// Works, and will not for long or not for all.
    Warn,
    /// Does not work.
    Fail,
}

impl Health {
    /// The word of the output.
    pub(in super::super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One line of the doctor.
#[derive(Debug)]
pub(in super::super) struct Check {
    /// What was looked at.
    pub(in super::super) name: &'static str,
    /// How it came out.
    pub(in super::super) health: Health,
    /// What was found.
    pub(in super::super) message: String,
    /// What to do; none when there is nothing to do.
    pub(in super::super) help: Option<String>,
}

impl Check {
    /// Nothing to do.
    pub(in super::super) fn ok(name: &'static str, message: String) -> Self {
        Self { name, health: Health::Ok, message, help: None }
    }

    fn warn(name: &'static str, message: String, help: String) -> Self {
        Self { name, health: Health::Warn, message, help: Some(help) }
    }

    /// Something to do at once.
    pub(in super::super) fn fail(name: &'static str, message: String, help: String) -> Self {
        Self { name, health: Health::Fail, message, help: Some(help) }
    }

    /// The check for programs.
    pub(in super::super) fn object(&self) -> Value {
        json!({ "name": self.name, "status": self.health.as_str(), "message": self.message, "help": self.help })
    }
}

/// All of them.
pub(in super::super) async fn all(dir: &Path) -> Vec<Check> {
    let mut checks = vec![directory(dir), permissions(dir)];
    let owner = OwnerLock::owner(dir);
    checks.push(owner_check(owner));
    let (engine, running) = engine(dir, owner).await;
    checks.push(engine);
    match running {
        Some(client) => checks.extend(published_ports(&client).await),
        None => checks.extend(default_ports(dir)),
    }
    checks.push(sqlite());
    checks.push(schema(dir));
    checks.push(disk_space(dir));
    checks.push(ui());
    checks.push(clock(dir, SystemTime::now()));
    checks
}

fn directory(dir: &Path) -> Check {
    const NAME: &str = "data directory";
    let shown = dir.display();
    match fs::metadata(dir) {
        Ok(metadata) if !metadata.is_dir() => Check::fail(
            NAME,
            format!("{shown} is no directory"),
            "Move the file away, or name another directory with --data-dir.".to_owned(),
        ),
        Ok(metadata) if !writable(dir, &metadata) => Check::fail(
            NAME,
            format!("{shown} cannot be written by this user"),
            "Give yourself write permission, or name another directory with --data-dir.".to_owned(),
        ),
        Ok(_) => match fs::read_dir(dir) {
            Ok(_) => Check::ok(NAME, shown.to_string()),
            Err(error) => Check::fail(
                NAME,
                format!("{shown} cannot be read: {error}"),
                "Run this as the user who owns it, or name another directory with --data-dir.".to_owned(),
            ),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Check::warn(
            NAME,
            format!("{shown} is not there yet"),
            "Nothing to do: the first start makes it.".to_owned(),
        ),
        Err(error) => Check::fail(
            NAME,
            format!("{shown} cannot be looked at: {error}"),
            "Check the path and the permissions of its parents.".to_owned(),
        ),
    }
}

#[cfg(unix)]
fn writable(dir: &Path, _metadata: &fs::Metadata) -> bool {
    nix::unistd::access(dir, nix::unistd::AccessFlags::W_OK).is_ok()
}

#[cfg(not(unix))]
fn writable(_dir: &Path, metadata: &fs::Metadata) -> bool {
    !metadata.permissions().readonly()
}

#[cfg(unix)]
fn permissions(dir: &Path) -> Check {
    use std::os::unix::fs::PermissionsExt as _;
    const NAME: &str = "permissions";
    if !dir.exists() {
        return Check::ok(NAME, "nothing there yet".to_owned());
    }
    let open_to_others = |path: &Path| {
        fs::symlink_metadata(path).ok().filter(|metadata| metadata.permissions().mode() & 0o077 != 0).map(|metadata| {
            let mode = metadata.permissions().mode() & 0o777;
            format!("{} has mode {mode:04o}", path.display())
        })
    };
    let files = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let wrong: Vec<String> =
        std::iter::once(dir.to_owned()).chain(files).filter_map(|path| open_to_others(&path)).collect();
    if wrong.is_empty() {
        return Check::ok(NAME, "only you can read the data".to_owned());
    }
    Check::warn(
        NAME,
        format!("other users of this machine may read the data: {}", wrong.join(", ")),
        "Run `chmod 700` on the directory and `chmod 600` on its files: secrets are among them.".to_owned(),
    )
}

#[cfg(not(unix))]
fn permissions(_dir: &Path) -> Check {
    Check::ok("permissions", "as the data directory's access list says".to_owned())
}

fn owner_check(owner: Option<u32>) -> Check {
    const NAME: &str = "owner";
    match owner {
        None => Check::ok(NAME, "no process has the data directory open".to_owned()),
        Some(0) => Check::warn(
            NAME,
            "a process has the data directory open and does not say which".to_owned(),
            "If it just started, ask again.".to_owned(),
        ),
        Some(pid) => Check::ok(NAME, format!("process {pid} has the data directory open")),
    }
}

/// Compares `run.json`, the process it names, the owner of the lock, and what the admin port answers.
async fn engine(dir: &Path, owner: Option<u32>) -> (Check, Option<Client>) {
    const NAME: &str = "engine";
    let run = match RunFile::read(dir) {
        Ok(Some(run)) => run,
        Ok(None) => return (no_run_file(owner), None),
        Err(error) => {
            let error = ClientError::from(error);
            return (Check::fail(NAME, error.to_string(), error.help().to_owned()), None);
        }
    };
    let client = match Client::connect(dir).await {
        Ok(client) => client,
        Err(error @ ClientError::StaleRunFile { .. }) if owner.is_none() => {
            let help = "Nothing to do: the next start replaces it.".to_owned();
            return (Check::warn(NAME, error.to_string(), help), None);
        }
        Err(error) => {
            let help = match process_is_alive(run.pid) {
                Some(false) => "Start the engine again; it replaces run.json.".to_owned(),
                _ => format!("Look at process {}; if it hangs, end it and start the engine again.", run.pid),
            };
            return (Check::fail(NAME, error.to_string(), help), None);
        }
    };
    let own = env!("CARGO_PKG_VERSION");
    let check = if owner.is_some_and(|pid| pid != 0 && pid != run.pid) {
        Check::warn(
            NAME,
            format!("run.json names process {}, but process {} owns the directory", run.pid, owner.unwrap_or(0)),
            "Ask again: one engine may just have replaced another.".to_owned(),
        )
    } else if run.version == own {
        Check::ok(NAME, format!("process {} is running since {}", run.pid, run.started_at))
    } else {
        Check::warn(
            NAME,
            format!("the running engine has version {}, this program {own}", run.version),
            "Restart the engine with this version, so that both speak the same.".to_owned(),
        )
    };
    (check, Some(client))
}

fn no_run_file(owner: Option<u32>) -> Check {
    match owner {
        None => Check::ok("engine", "not running; `creel serve` or the window starts it".to_owned()),
        Some(pid) => Check::warn(
            "engine",
            format!("process {pid} owns the data directory and has not published its ports"),
            "If it just started, ask again; else look at its log.".to_owned(),
        ),
    }
}

async fn published_ports(client: &Client) -> Vec<Check> {
    let admin = match client.call(Method::GET, "/stats", &[], None).await {
        Ok(_) => Check::ok("admin port", format!("{} answers", client.admin_url())),
        Err(error) => Check::fail("admin port", error.to_string(), error.help().to_owned()),
    };
    vec![ingress_port(client.ingress_url()).await, admin]
}

/// The ingress answers every path that it does not know with 404: any HTTP answer shows that it is up.
async fn ingress_port(ingress_url: &str) -> Check {
    const NAME: &str = "ingress port";
    let help = "Restart the engine; if it happens again, look at its log.".to_owned();
    let host = url::Url::parse(ingress_url)
        .ok()
        .and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)));
    let Some((host, port)) = host else {
        return Check::fail(NAME, format!("`{ingress_url}` is no URL"), help);
    };
    let connecting = tokio::net::TcpStream::connect((host.trim_matches(['[', ']']).to_owned(), port));
    match tokio::time::timeout(Duration::from_secs(2), connecting).await {
        Ok(Ok(_)) => Check::ok(NAME, format!("{ingress_url} accepts")),
        Ok(Err(error)) => Check::fail(NAME, format!("{ingress_url} does not accept: {error}"), help),
        Err(_) => Check::fail(NAME, format!("{ingress_url} does not accept within 2 s"), help),
    }
}

fn default_ports(dir: &Path) -> Vec<Check> {
    let config = EngineConfig::new(dir.to_owned());
    vec![free_port("ingress port", config.ingress, "--ingress"), free_port("admin port", config.admin, "--admin")]
}

fn free_port(name: &'static str, address: SocketAddr, flag: &str) -> Check {
    match TcpListener::bind(address) {
        Ok(_) => Check::ok(name, format!("{address} is free")),
        Err(error) => Check::warn(
            name,
            format!("{address} cannot be used: {error}"),
            format!("End the program that has it, or start with another: `creel serve {flag} 127.0.0.1:PORT`."),
        ),
    }
}

fn sqlite() -> Check {
    Check::ok("SQLite", format!("version {}, built in", sqlite_version()))
}

fn schema(dir: &Path) -> Check {
    const NAME: &str = "database";
    let path = dir.join(DATABASE_FILE);
    let supported = supported_version();
    let log_bytes = fs::metadata(dir.join(format!("{DATABASE_FILE}-wal"))).map_or(0, |metadata| metadata.len());
    match version_in_file(&path) {
        Ok(None) => Check::ok(NAME, "not there yet; the first start makes it".to_owned()),
        Ok(Some(found)) if found > supported => Check::fail(
            NAME,
            format!("schema version {found}; this program knows up to {supported}"),
            "Use the newer Creel that wrote it, or another --data-dir. The file is left as it is.".to_owned(),
        ),
        Ok(Some(0)) if log_bytes > 0 => {
            Check::ok(NAME, format!("new; its first {} are still in the log", fields::bytes(log_bytes)))
        }
        Ok(Some(found)) if found < supported => {
            Check::ok(NAME, format!("schema version {found}; the next start brings it to {supported}"))
        }
        Ok(Some(found)) => Check::ok(NAME, format!("schema version {found}")),
        Err(error) => Check::fail(
            NAME,
            format!("{} cannot be read: {error}", path.display()),
            "Restore it from a backup, or move it away to begin anew.".to_owned(),
        ),
    }
}

fn disk_space(dir: &Path) -> Check {
    const NAME: &str = "disk space";
    // The directory itself may not be there yet.
    let existing = dir.ancestors().find(|path| path.exists()).unwrap_or(dir);
    let Some(free) = free_bytes(existing) else {
        return Check::ok(NAME, "not known on this system".to_owned());
    };
    let message = format!("{} free", fields::bytes(free));
    let help = "Make room, or keep less: `creel serve --keep-bytes N`, `--keep-days N`.".to_owned();
    if free < FREE_BYTES_FAIL {
        Check::fail(NAME, message, help)
    } else if free < FREE_BYTES_WARN {
        Check::warn(NAME, message, help)
    } else {
        Check::ok(NAME, message)
    }
}

fn ui() -> Check {
    if crate::engine::ui_embedded() {
        return Check::ok("UI", "built in".to_owned());
    }
    Check::warn(
        "UI",
        "this program was built without it; API and command line work".to_owned(),
        "Build with `cargo xtask build --release`.".to_owned(),
    )
}

/// Signatures with timestamps are judged by this clock.
fn clock(dir: &Path, now: SystemTime) -> Check {
    const NAME: &str = "clock";
    let help = || "Set the system's clock (`timedatectl`): timestamps in signatures are judged by it.".to_owned();
    let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    if since_epoch < Duration::from_secs(CLOCK_SECONDS_MIN) {
        return Check::fail(NAME, format!("it says {} s after 1970, which is past", since_epoch.as_secs()), help());
    }
    let written = fs::metadata(dir.join(DATABASE_FILE)).and_then(|metadata| metadata.modified()).ok();
    let ahead = written.and_then(|written| written.duration_since(now).ok()).unwrap_or_default();
    if ahead > Duration::from_secs(CLOCK_SLACK_SECONDS) {
        let message = format!("the database was written {} s in the future: the clock was set back", ahead.as_secs());
        return Check::warn(NAME, message, help());
    }
    Check::ok(NAME, "plausible".to_owned())
}

#[cfg(test)]
mod tests;
