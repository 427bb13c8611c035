//! A file that does nothing but take up room: released when the disk is full, so that there is room to delete.
//!
//! SQLite needs space also for deleting: on a full disk neither `DELETE` nor a checkpoint goes through.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::permissions::private_file_options;

/// Size in bytes.
const BALLAST_BYTES: u64 = 32 * 1024 * 1024;
/// Taken only where at least this many times its size is free.
const FREE_TIMES_MIN: u64 = 4;
/// Bytes written at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// The file `ballast` of a data directory.
#[derive(Clone, Debug)]
pub struct Ballast {
    path: PathBuf,
}

impl Ballast {
    /// The ballast of a data directory; nothing is written yet.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        Self { path: dir.join("ballast") }
    }

    /// Takes the room when it is not taken and there is plenty. Blocks.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take(&self) -> std::io::Result<()> {
        if self.is_taken() || !self.path.parent().is_some_and(has_plenty) {
            return Ok(());
        }
        let mut file =
            private_file_options(OpenOptions::new().write(true).create(true).truncate(true)).open(&self.path)?;
        let written = fill(&mut file);
        if written.is_err() {
            self.release()?;
        }
        written
    }

    /// Gives the room back; true when there was some. Blocks.
    ///
    /// # Errors
    /// When the file is there and cannot be removed.
    pub fn release(&self) -> std::io::Result<bool> {
        match std::fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn is_taken(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|file| file.len() == BALLAST_BYTES)
    }
}

fn fill(file: &mut File) -> std::io::Result<()> {
    // Not zeros: a file system that compresses would keep nothing of them.
    let chunk: Vec<u8> = (0..CHUNK_BYTES).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for _ in 0..BALLAST_BYTES / CHUNK_BYTES as u64 {
        file.write_all(&chunk)?;
    }
    file.sync_all()
}

/// Bytes that are free for us on the file system of a path; none where the system does not say.
#[must_use]
pub fn free_bytes(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let stat = nix::sys::statvfs::statvfs(path).ok()?;
        #[allow(clippy::useless_conversion, reason = "the fields' types differ between systems")]
        Some(u64::from(stat.blocks_available()).saturating_mul(u64::from(stat.fragment_size())))
    }
    #[cfg(not(unix))]
    {
        let _unknown = path;
        None
    }
}

fn has_plenty(dir: &Path) -> bool {
    free_bytes(dir).is_some_and(|free| free >= FREE_TIMES_MIN * BALLAST_BYTES)
}
