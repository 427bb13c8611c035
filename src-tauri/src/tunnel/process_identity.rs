//! Which process a number meant: process numbers are used again, start times with them are not.

use serde::{Deserialize, Serialize};

/// Whether a process has this number now: enough where it was a child of ours a moment ago. On Windows always yes: what
/// stands there under a guard ends with it, and its output with that.
#[must_use]
pub fn process_exists(pid: u32) -> bool {
    #[cfg(unix)]
    {
        let pid = i32::try_from(pid).ok().filter(|&pid| pid > 0).map(nix::unistd::Pid::from_raw);
        pid.is_some_and(|pid| nix::sys::signal::kill(pid, None).is_ok())
    }
    #[cfg(not(unix))]
    {
        let _asked_nobody = pid;
        true
    }
}

/// A process, as it can be recognised later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProcessIdentity {
    /// Its number.
    pub(super) pid: u32,
    /// When it began, in this system's own words; null where that cannot be learned.
    started: Option<String>,
}

impl ProcessIdentity {
    /// The process that has this number now.
    pub(super) fn of(pid: u32) -> Self {
        Self { pid, started: started(pid) }
    }

    /// Whether that very process is still there. Where start times cannot be learned the answer is no: nothing is ended
    /// on the strength of a number alone.
    pub(super) fn is_alive(&self) -> bool {
        self.started.is_some() && started(self.pid) == self.started
    }
}

/// Field 22 of proc(5)'s `stat`, in clock ticks since boot, with the boot's own id.
#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<String> {
    let (state, fields) = stat(pid)?;
    if state == 'Z' {
        return None;
    }
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(format!("{} {}", boot.trim(), fields.get(18)?))
}

/// State, and the fields behind it, of which the first is the parent's number. The name in front of them may hold
/// anything, spaces and brackets included.
#[cfg(target_os = "linux")]
pub(super) fn stat(pid: u32) -> Option<(char, Vec<String>)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.map(str::to_owned).collect()))
}

/// ps(1) is on every other Unix, and reading its process table otherwise takes unsafe code.
#[cfg(all(unix, not(target_os = "linux")))]
fn started(pid: u32) -> Option<String> {
    let asked = std::process::Command::new("ps")
        .args(["-o", "lstart=", "-p", &pid.to_string()])
        .env("LC_ALL", "C")
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    (asked.status.success() && !text.is_empty()).then_some(text)
}

/// On Windows a job object ends everything below the guard with it: nothing is left to be recognised.
#[cfg(not(unix))]
fn started(_pid: u32) -> Option<String> {
    None
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_recognised_while_it_lives_and_no_longer() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let identity = ProcessIdentity::of(child.id());
        assert!(identity.is_alive());
        let other = ProcessIdentity { started: Some("another time".to_owned()), ..identity.clone() };
        assert!(!other.is_alive(), "the same number at another time is another process");
        assert!(process_exists(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!identity.is_alive() && !process_exists(child.id()));
        assert!(!ProcessIdentity::of(u32::MAX).is_alive());
    }
}
