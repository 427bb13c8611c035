//! `run.json`: how programs on this machine find a running engine and may talk to it (CONTRACT section 2).
//!
//! The engine writes it when both ports accept and removes it at its end; everybody else reads it. It holds the admin
//! token, so nobody but its owner may read it, and `Debug` leaves the token out.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::domain::Timestamp;
use crate::store::private_file_options;

/// Name of the file in a data directory.
const RUN_FILE: &str = "run.json";
/// Largest `run.json` in bytes; a real one has some 300.
const RUN_FILE_BYTES_MAX: u64 = 64 * 1024;

/// What a running engine says of itself.
#[derive(Clone, Serialize, Deserialize)]
pub struct RunFile {
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// Base of all ingress URLs.
    pub ingress_url: String,
    /// Base of the admin API and the UI.
    pub admin_url: String,
    /// The bearer token of this run.
    pub admin_token: String,
}

/// What could not be done with the file, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct RunFileError {
    /// What was tried.
    pub action: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What the system, or the reader of its JSON, said.
    pub source: io::Error,
}

impl fmt::Debug for RunFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RunFile")
            .field("pid", &self.pid)
            .field("version", &self.version)
            .field("admin_url", &self.admin_url)
            .finish_non_exhaustive()
    }
}

impl RunFile {
    /// The file of this process.
    #[must_use]
    pub fn of_this_process(ingress_url: &str, admin_url: &str, admin_token: &str, started_at: Timestamp) -> Self {
        Self {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at,
            ingress_url: ingress_url.to_owned(),
            admin_url: admin_url.to_owned(),
            admin_token: admin_token.to_owned(),
        }
    }

    /// Where it lies in a data directory.
    #[must_use]
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join(RUN_FILE)
    }

    /// Writes it under another name and renames, so that a reader sees all of it or nothing. Blocks.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn write(&self, data_dir: &Path) -> Result<(), RunFileError> {
        let path = Self::path(data_dir);
        let failed = |action| {
            let path = path.clone();
            move |source| RunFileError { action, path, source }
        };
        let beside = path.with_extension("json.new");
        let json = serde_json::to_vec(self).map_err(io::Error::other).map_err(failed("write"))?;
        // Removed first: an older file keeps the mode that it has.
        remove_file(&beside)?;
        let mut file = private_file_options(OpenOptions::new().write(true).create_new(true))
            .open(&beside)
            .map_err(failed("create"))?;
        file.write_all(&json).map_err(failed("write"))?;
        std::fs::rename(&beside, &path).map_err(failed("write"))
    }

    /// Removes it; that it is gone already is no error. Blocks.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn remove(data_dir: &Path) -> Result<(), RunFileError> {
        remove_file(&Self::path(data_dir))
    }

    /// Reads it; none when there is no such file.
    ///
    /// # Errors
    /// When it is there and cannot be read, or does not say what it should.
    pub fn read(data_dir: &Path) -> Result<Option<Self>, RunFileError> {
        let path = Self::path(data_dir);
        let read = || -> io::Result<Self> {
            let mut text = String::new();
            File::open(&path)?.take(RUN_FILE_BYTES_MAX).read_to_string(&mut text)?;
            Ok(serde_json::from_str(&text)?)
        };
        match read() {
            Ok(run) => Ok(Some(run)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RunFileError { action: "read", path, source }),
        }
    }

    /// The admin port's address. Only a loopback address is taken: the token must not leave this machine, whatever the
    /// file says.
    ///
    /// # Errors
    /// When `admin_url` names none.
    pub fn admin_address(&self, data_dir: &Path) -> Result<SocketAddr, RunFileError> {
        let unusable = |why: &str| RunFileError {
            action: "use",
            path: Self::path(data_dir),
            source: io::Error::new(io::ErrorKind::InvalidData, format!("its admin_url {why}")),
        };
        let url = Url::parse(&self.admin_url).map_err(|error| unusable(&error.to_string()))?;
        if url.scheme() != "http" {
            return Err(unusable("is no http URL"));
        }
        let port = url.port_or_known_default().ok_or_else(|| unusable("names no port"))?;
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => ip.into(),
            Some(Host::Ipv6(ip)) => ip.into(),
            Some(Host::Domain("localhost")) => std::net::Ipv4Addr::LOCALHOST.into(),
            _ => return Err(unusable("names no loopback address")),
        };
        let address = SocketAddr::new(ip, port);
        if address.ip().is_loopback() { Ok(address) } else { Err(unusable("names no loopback address")) }
    }
}

fn remove_file(path: &Path) -> Result<(), RunFileError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(RunFileError { action: "remove", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Whether a process of this id exists; none where this system cannot be asked.
#[must_use]
pub fn process_is_alive(pid: u32) -> Option<bool> {
    #[cfg(unix)]
    {
        use nix::errno::Errno;
        use nix::sys::signal::kill;
        use nix::unistd::Pid;
        // 0 and negative ids address process groups (kill(2)), never one process.
        let Some(pid) = i32::try_from(pid).ok().filter(|&pid| pid > 0) else { return Some(false) };
        match kill(Pid::from_raw(pid), None) {
            Ok(()) | Err(Errno::EPERM) => Some(true),
            Err(Errno::ESRCH) => Some(false),
            Err(_) => None,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = pid;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_file(admin_url: &str) -> RunFile {
        RunFile {
            pid: 1,
            version: "0.0.0".into(),
            started_at: Timestamp::from_millis(0),
            ingress_url: "http://127.0.0.1:1".into(),
            admin_url: admin_url.into(),
            admin_token: "canary-token".into(),
        }
    }

    #[test]
    fn the_token_is_only_ever_sent_to_a_loopback_address() {
        let dir = Path::new("/d");
        for url in ["http://127.0.0.1:4101", "http://[::1]:4101/", "http://localhost:4101"] {
            let address = run_file(url).admin_address(dir).unwrap();
            assert!(address.ip().is_loopback(), "{url}");
            assert_eq!(address.port(), 4101);
        }
        for url in ["http://10.0.0.1:4101", "https://127.0.0.1:4101", "http://example.com:80", "ftp://127.0.0.1", ""] {
            assert!(run_file(url).admin_address(dir).is_err(), "{url}");
        }
    }

    #[test]
    fn what_one_process_writes_another_reads_until_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let written = RunFile::of_this_process("http://a:1", "http://b:2", "token", Timestamp::from_millis(5));
        written.write(dir.path()).unwrap();
        written.write(dir.path()).unwrap();
        let read = RunFile::read(dir.path()).unwrap().unwrap();
        assert_eq!((read.pid, read.version.as_str()), (std::process::id(), env!("CARGO_PKG_VERSION")));
        assert_eq!((read.ingress_url, read.admin_url), (written.ingress_url, written.admin_url));
        assert_eq!((read.admin_token, read.started_at), (written.admin_token, written.started_at));
        RunFile::remove(dir.path()).unwrap();
        RunFile::remove(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left beside it");
    }

    #[test]
    fn the_token_never_appears_in_debug_output() {
        assert!(!format!("{:?}", run_file("http://127.0.0.1:1")).contains("canary"));
    }

    #[test]
    fn a_data_directory_without_run_file_is_told_from_one_with_a_damaged_file() {
        let dir = tempfile::tempdir().unwrap();
        assert!(RunFile::read(dir.path()).unwrap().is_none());
        std::fs::write(RunFile::path(dir.path()), "{\"pid\":").unwrap();
        assert!(RunFile::read(dir.path()).unwrap_err().to_string().contains("run.json"));
    }

    #[cfg(unix)]
    #[test]
    fn this_process_is_alive_and_a_reaped_child_is_not() {
        assert_eq!(process_is_alive(std::process::id()), Some(true));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        assert_eq!(process_is_alive(pid), Some(false));
    }

    #[cfg(unix)]
    #[test]
    fn an_id_that_would_address_a_process_group_is_no_process() {
        assert_eq!(process_is_alive(0), Some(false));
        assert_eq!(process_is_alive(u32::MAX), Some(false));
    }
}
