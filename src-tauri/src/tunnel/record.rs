//! The record of a running tunnel: by it the next start recognises what an earlier run left behind, and ends it.
//!
//! Written by the guard, which knows both processes, and removed by it at its end. It is needed only when the guard
//! itself was killed.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::private_file;
use super::process_identity::ProcessIdentity;

/// Name of the file in the tunnel's directory.
const RECORD_FILE: &str = "running.json";
/// Largest record in bytes; a real one has some 200.
const RECORD_BYTES_MAX: u64 = 16 * 1024;

/// What runs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) guard: ProcessIdentity,
    /// The tunnel's program, which leads a process group of its own.
    pub(super) program: ProcessIdentity,
}

/// Where the record lies in the tunnel's directory.
#[must_use]
pub fn record_path(dir: &Path) -> PathBuf {
    dir.join(RECORD_FILE)
}

impl Record {
    /// Writes it. Blocks.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("json.new");
        private_file::write(&beside, &serde_json::to_vec(self)?)?;
        std::fs::rename(&beside, path)
    }

    fn read(path: &Path) -> io::Result<Option<Self>> {
        use std::io::Read as _;
        let mut text = String::new();
        match std::fs::File::open(path) {
            Ok(file) => file.take(RECORD_BYTES_MAX).read_to_string(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // One that a crash left half written names nobody.
        Ok(serde_json::from_str(&text).ok())
    }
}

/// Ends what the record names, if it is still that, and removes the record. Says how many processes were ended. Blocks
/// for as long as the guard gives a program to end.
///
/// # Errors
/// When the record cannot be read or removed.
pub fn end_leftovers(dir: &Path) -> io::Result<u32> {
    let path = record_path(dir);
    let mut ended = 0;
    if let Some(record) = Record::read(&path)? {
        for (identity, leads_group) in [(&record.guard, false), (&record.program, true)] {
            if identity.is_alive() {
                super::guard::end_process(identity, leads_group);
                ended += 1;
            }
        }
    }
    private_file::remove(&path)?;
    Ok(ended)
}

/// Removes what programs of an earlier run were given, which may hold secrets: an engine that was killed could not. Says
/// how many files there were. For a time when no program runs. Blocks.
///
/// # Errors
/// When the directory cannot be read, or a file in it cannot be removed.
pub fn remove_leftover_files(dir: &Path) -> io::Result<u32> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            private_file::remove(&entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_is_left_of_an_earlier_run_is_ended_and_a_stranger_with_its_number_is_not() {
        use std::os::unix::process::CommandExt as _;
        let dir = tempfile::tempdir().unwrap();
        let mut left = std::process::Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let mut stranger = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let json = serde_json::json!({
            "guard": { "pid": stranger.id(), "started": "long ago" },
            "program": ProcessIdentity::of(left.id()),
        });
        std::fs::write(record_path(dir.path()), json.to_string()).unwrap();
        assert_eq!(end_leftovers(dir.path()).unwrap(), 1);
        assert!(!left.wait().unwrap().success());
        assert!(stranger.try_wait().unwrap().is_none(), "the stranger lives");
        stranger.kill().unwrap();
        stranger.wait().unwrap();
        assert!(!record_path(dir.path()).exists());
        assert_eq!(end_leftovers(dir.path()).unwrap(), 0);
    }

    #[test]
    fn no_file_of_an_earlier_run_is_left_whatever_its_name() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["ngrok-config.yml", "running.json.new"] {
            std::fs::write(dir.path().join(name), "authtoken: canary").unwrap();
        }
        assert_eq!(remove_leftover_files(dir.path()).unwrap(), 2);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_eq!(remove_leftover_files(&dir.path().join("never-made")).unwrap(), 0);
    }

    #[test]
    fn a_damaged_record_names_nobody_and_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(record_path(dir.path()), "{\"guard\":").unwrap();
        assert_eq!(end_leftovers(dir.path()).unwrap(), 0);
        assert!(!record_path(dir.path()).exists());
    }
}
