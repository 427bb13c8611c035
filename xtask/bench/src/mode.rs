//! This program again, as a process of its own: the sender, the bare handler or the developer's app.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::load::{Measured, Plan};

pub const BARE: &str = "__bare";
pub const TARGET: &str = "__target";
pub const LOAD: &str = "__load";

/// A server in a process of its own, ended when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts this program in a serving mode and waits for the address it prints.
    pub fn start(mode: &str) -> Result<Server> {
        let mut child = Command::new(std::env::current_exe()?).arg(mode).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().with_context(|| format!("{mode} printed {line:?} instead of its address"))?;
        Ok(Server { child, address })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to do about either.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends what `plan` says from a process of its own, and waits for what it measured.
pub fn send(plan: &Plan) -> Result<Measured> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(LOAD)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("the sender could not be started")?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    stdin.write_all(&serde_json::to_vec(plan)?)?;
    drop(stdin);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("the sender failed ({})", output.status);
    }
    serde_json::from_slice(&output.stdout).context("the sender printed no measurement")
}
