//! A running Creel on a data directory of its own: `creel serve`, or the window over the same engine.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::admin::Admin;

/// How long it may take to serve.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to end when it is asked to.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Limits and retention off: one sender never stops, and the rows must stay to be counted.
pub const UNLIMITED: [&str; 10] =
    ["--rate-limit-endpoint", "0", "--rate-limit-ip", "0", "--keep-rows", "0", "--keep-bytes", "0", "--keep-days", "0"];

/// Which face of Creel runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Face {
    /// `creel serve`
    Headless,
    /// `creel-desktop`
    Window,
}

/// The running program, ended and its data removed when dropped.
pub struct Engine {
    child: Child,
    data: TempDir,
    pub admin: Admin,
    /// `http://127.0.0.1:PORT`, where senders post
    pub ingress_url: String,
    /// `http://127.0.0.1:PORT`, where the API and the UI are
    pub admin_url: String,
    /// From starting the process to `run.json`, which says that both ports accept
    pub started_in: Duration,
}

/// An endpoint as it was made.
pub struct MadeEndpoint {
    pub id: String,
    /// `127.0.0.1:PORT`
    pub host: String,
    /// `/in/ep_…`
    pub path: String,
}

impl Engine {
    /// Starts `program` on `data`, on free ports, and waits until it serves.
    ///
    /// # Errors
    /// When it cannot be started, ends at once, or does not serve in time; what it logged is in the error.
    pub fn start(program: &Path, face: Face, data: TempDir, flags: &[&str]) -> Result<Engine> {
        let log = File::create(data.path().join("engine.log"))?;
        let started = Instant::now();
        let mut command = Command::new(program);
        if face == Face::Headless {
            command.arg("serve");
        }
        let mut child = command
            .args(["--ingress", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir"])
            .arg(data.path())
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} could not be started", program.display()))?;
        match wait_for_run_file(&mut child, data.path()).and_then(|run| Published::read(&run)) {
            Ok(Published { admin, ingress_url, admin_url }) => {
                Ok(Engine { child, data, admin, ingress_url, admin_url, started_in: started.elapsed() })
            }
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Makes an endpoint as `wanted` says, with a signing secret when one is given.
    ///
    /// # Errors
    /// When the API refuses it.
    pub fn endpoint(&self, wanted: &Value, secret: Option<&str>) -> Result<MadeEndpoint> {
        let made = self.admin.send("POST", "/api/endpoints", wanted)?;
        let id = text(&made, "id")?.to_owned();
        if let Some(secret) = secret {
            let secret = json!({ "signing_secret": secret });
            self.admin.send("PUT", &format!("/api/endpoints/{id}/signing-secret"), &secret)?;
        }
        let host = host_of(text(&made, "ingress_url")?)?.to_owned();
        Ok(MadeEndpoint { id, host, path: text(&made, "ingress_path")?.to_owned() })
    }

    /// How many deliveries match a list query.
    ///
    /// # Errors
    /// When the API does not answer.
    pub fn total(&self, query: &str) -> Result<u64> {
        let page = self.admin.get(&format!("/api/deliveries?limit=1&{query}"))?;
        page.get("total").and_then(Value::as_u64).context("the list has no total")
    }

    /// The link that opens the UI in a browser.
    #[must_use]
    pub fn link(&self) -> String {
        format!("{}/#token={}", self.admin_url, self.admin.token)
    }

    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.data.path()
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Bytes of the database and its journal.
    #[must_use]
    pub fn database_bytes(&self) -> u64 {
        let size = |name: &str| self.data.path().join(name).metadata().map_or(0, |metadata| metadata.len());
        size("creel.db") + size("creel.db-wal")
    }

    /// Asks it to end as Ctrl+C does, and waits; then its data is removed.
    ///
    /// # Errors
    /// When it does not end in time, or not with success.
    pub fn stop(mut self) -> Result<()> {
        // On other systems than Unix there is no such request; dropping ends it.
        if cfg!(unix) && self.child.try_wait()?.is_none() {
            Command::new("kill").args(["-INT", &self.pid().to_string()]).status().context("kill")?;
            let asked = Instant::now();
            while self.child.try_wait()?.is_none() {
                if asked.elapsed() > STOP_LIMIT {
                    bail!("Creel did not end within {} s", STOP_LIMIT.as_secs());
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Its data goes with it, so it need not stop cleanly.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `run.json` says.
struct Published {
    admin: Admin,
    ingress_url: String,
    admin_url: String,
}

impl Published {
    fn read(run: &Value) -> Result<Published> {
        let admin_url = text(run, "admin_url")?.to_owned();
        let address = host_of(&admin_url)?.parse().context("admin_url has no address")?;
        let admin = Admin { address, token: text(run, "admin_token")?.to_owned() };
        Ok(Published { admin, ingress_url: text(run, "ingress_url")?.to_owned(), admin_url })
    }
}

fn wait_for_run_file(child: &mut Child, data: &Path) -> Result<Value> {
    let started = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(data.join("run.json")) {
            return serde_json::from_str(&text).context("run.json is no JSON");
        }
        let log = || std::fs::read_to_string(data.join("engine.log")).unwrap_or_default();
        if let Some(status) = child.try_wait()? {
            bail!("Creel ended ({status}):\n{}", log());
        }
        if started.elapsed() > START_LIMIT {
            bail!("Creel wrote no run.json within {} s:\n{}", START_LIMIT.as_secs(), log());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A field that must be text.
///
/// # Errors
/// When it is not.
pub fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value.get(field).and_then(Value::as_str).with_context(|| format!("no `{field}` in {value}"))
}

/// `http://127.0.0.1:4100/in/x` → `127.0.0.1:4100`
fn host_of(url: &str) -> Result<&str> {
    let rest = url.strip_prefix("http://").with_context(|| format!("{url} is not http"))?;
    Ok(rest.split('/').next().unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_what_stands_between_the_scheme_and_the_path() {
        assert_eq!(host_of("http://127.0.0.1:4100/in/ep_x").unwrap(), "127.0.0.1:4100");
        assert_eq!(host_of("http://127.0.0.1:4101").unwrap(), "127.0.0.1:4101");
        assert!(host_of("https://example.com").is_err());
    }
}
