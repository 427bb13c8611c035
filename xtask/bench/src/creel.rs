//! A real `creel serve` on a data directory of its own.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Setting;
use crate::admin::Admin;
use crate::webhook::{self, SECRET, Shape};

/// How long it may take to serve.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Limits and retention off: a benchmark is one sender that never stops, and the rows must stay to be counted.
const UNLIMITED: [&str; 10] =
    ["--rate-limit-endpoint", "0", "--rate-limit-ip", "0", "--keep-rows", "0", "--keep-bytes", "0", "--keep-days", "0"];

/// The running program, ended and its data removed when dropped.
pub struct Creel {
    child: Child,
    data: TempDir,
    pub admin: Admin,
    /// From starting the process to `run.json`, which says that both ports accept
    pub started_in: Duration,
}

/// An endpoint of it that checks signatures.
pub struct Endpoint {
    pub id: String,
    /// `127.0.0.1:PORT` and the path behind it
    pub host: String,
    pub path: String,
}

impl Creel {
    pub fn start(setting: &Setting) -> Result<Creel> {
        std::fs::create_dir_all(&setting.work)?;
        let data = tempfile::Builder::new().prefix("creel-").tempdir_in(&setting.work)?;
        let log = File::create(data.path().join("bench.log"))?;
        let started = Instant::now();
        let mut child = Command::new(&setting.creel)
            .args(["serve", "--ingress", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir"])
            .arg(data.path())
            .args(UNLIMITED)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} could not be started", setting.creel.display()))?;
        match wait_for_run_file(&mut child, data.path()) {
            Ok(run) => {
                let admin = Admin {
                    address: host_of(text(&run, "admin_url")?)?.parse().context("admin_url has no address")?,
                    token: text(&run, "admin_token")?.to_owned(),
                };
                Ok(Creel { child, data, admin, started_in: started.elapsed() })
            }
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Makes an endpoint with a signing secret and these targets.
    pub fn endpoint(&self, name: &str, targets: &[String]) -> Result<Endpoint> {
        let targets: Vec<Value> = targets.iter().map(|url| json!({ "url": url })).collect();
        let wanted = json!({ "name": name, "provider": "generic", "targets": targets });
        let made = self.admin.send("POST", "/api/endpoints", &wanted)?;
        let id = text(&made, "id")?.to_owned();
        self.admin.send("PUT", &format!("/api/endpoints/{id}/signing-secret"), &json!({ "signing_secret": SECRET }))?;
        let url = text(&made, "ingress_url")?;
        Ok(Endpoint { host: host_of(url)?.to_owned(), path: text(&made, "ingress_path")?.to_owned(), id })
    }

    /// How many deliveries match a list query.
    pub fn total(&self, query: &str) -> Result<u64> {
        let page = self.admin.get(&format!("/api/deliveries?limit=1&{query}"))?;
        page.get("total").and_then(Value::as_u64).context("the list has no total")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Bytes of the database and its journal.
    pub fn database_bytes(&self) -> u64 {
        let size = |name: &str| self.data.path().join(name).metadata().map_or(0, |metadata| metadata.len());
        size("creel.db") + size("creel.db-wal")
    }
}

impl Endpoint {
    pub fn requests(&self, shape: Shape) -> Result<Vec<String>> {
        webhook::requests(&self.host, &self.path, shape)
    }
}

impl Drop for Creel {
    fn drop(&mut self) {
        // Its data goes with it, so it need not stop cleanly.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_for_run_file(child: &mut Child, data: &Path) -> Result<Value> {
    let started = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(data.join("run.json")) {
            return serde_json::from_str(&text).context("run.json is no JSON");
        }
        let log = || std::fs::read_to_string(data.join("bench.log")).unwrap_or_default();
        if let Some(status) = child.try_wait()? {
            bail!("creel serve ended ({status}):\n{}", log());
        }
        if started.elapsed() > START_LIMIT {
            bail!("creel serve wrote no run.json within {} s:\n{}", START_LIMIT.as_secs(), log());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
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
