//! `run.json`: how another process finds the running engine and may talk to it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::{Host, Url};

use super::ClientError;
use crate::domain::Timestamp;

/// Largest `run.json` in bytes; a real one has some 300.
const RUN_FILE_BYTES_MAX: u64 = 64 * 1024;

/// What the running engine says of itself (CONTRACT section 2).
#[derive(Clone, Deserialize)]
pub struct RunFile {
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// When both ports accepted.
    pub started_at: Timestamp,
    /// Base of all ingress URLs.
    pub ingress_url: String,
    /// Base of the admin API and the UI.
    pub admin_url: String,
    /// The bearer token of this run.
    pub admin_token: String,
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
    /// Where it lies in a data directory.
    #[must_use]
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("run.json")
    }

    /// Reads it; none when there is no such file.
    ///
    /// # Errors
    /// [`ClientError::UnreadableRunFile`].
    pub fn read(data_dir: &Path) -> Result<Option<Self>, ClientError> {
        let path = Self::path(data_dir);
        let unreadable = |why: String| ClientError::UnreadableRunFile { path: path.clone(), why };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let mut text = String::new();
        file.take(RUN_FILE_BYTES_MAX).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
        serde_json::from_str(&text).map(Some).map_err(|error| unreadable(error.to_string()))
    }

    /// The admin port's address and the `Host` to name it by. Only a loopback address is taken: the token must not
    /// leave this machine, whatever the file says.
    ///
    /// # Errors
    /// [`ClientError::UnreadableRunFile`].
    pub fn admin_address(&self, data_dir: &Path) -> Result<(SocketAddr, String), ClientError> {
        let unusable = |why: &str| ClientError::UnreadableRunFile {
            path: Self::path(data_dir),
            why: format!("its admin_url {why}"),
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
        if !address.ip().is_loopback() {
            return Err(unusable("names no loopback address"));
        }
        Ok((address, address.to_string()))
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
            let (address, _) = run_file(url).admin_address(dir).unwrap();
            assert!(address.ip().is_loopback(), "{url}");
            assert_eq!(address.port(), 4101);
        }
        for url in ["http://10.0.0.1:4101", "https://127.0.0.1:4101", "http://example.com:80", "ftp://127.0.0.1", ""] {
            assert!(run_file(url).admin_address(dir).is_err(), "{url}");
        }
    }

    #[test]
    fn the_host_of_an_ipv6_engine_is_in_brackets() {
        let (_, host) = run_file("http://[::1]:4101").admin_address(Path::new("/d")).unwrap();
        assert_eq!(host, "[::1]:4101");
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
        assert!(matches!(RunFile::read(dir.path()), Err(ClientError::UnreadableRunFile { .. })));
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
