//! One process owns a data directory: a lock on `creel.lock`, which the system releases however the owner ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::StoreError;
use super::permissions::{create_dir_private, private_file_options};
use crate::domain::SeededBug;

/// Name of the lock file in a data directory.
pub const LOCK_FILE: &str = "creel.lock";

/// The right to use a data directory; given up when dropped.
#[derive(Debug)]
pub struct OwnerLock {
    dir: PathBuf,
    _file: File,
}

impl OwnerLock {
    /// Creates the directory where needed and takes the lock.
    ///
    /// # Errors
    /// [`StoreError::Owned`] with the owner's process id when another process has it.
    pub fn take(dir: &Path) -> Result<Self, StoreError> {
        create_dir_private(dir)?;
        let path = dir.join(LOCK_FILE);
        let mut file = private_file_options(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(&path)
            .map_err(|source| StoreError::Io { action: "open", path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if SeededBug::NoOwnerLock.is_on() => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Owned { dir: dir.to_owned(), pid: read_pid(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(StoreError::Io { action: "lock", path, source }),
        }
        write_pid(&mut file).map_err(|source| StoreError::Io { action: "write", path, source })?;
        Ok(Self { dir: dir.to_owned(), _file: file })
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The process that owns the directory now, if any does. Takes nothing and changes nothing.
    #[must_use]
    pub fn owner(dir: &Path) -> Option<u32> {
        let mut file = File::open(dir.join(LOCK_FILE)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(read_pid(&mut file)),
            _ => None,
        }
    }
}

fn read_pid(file: &mut File) -> u32 {
    let mut text = String::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut text));
    read.ok().and_then(|_| text.trim().parse().ok()).unwrap_or(0)
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_owner_and_the_second_learns_its_pid() {
        let dir = tempfile::tempdir().unwrap();
        let lock = OwnerLock::take(dir.path()).unwrap();
        match OwnerLock::take(dir.path()) {
            Err(StoreError::Owned { pid, .. }) => assert_eq!(pid, std::process::id()),
            other => panic!("{other:?}"),
        }
        assert_eq!(OwnerLock::owner(dir.path()), Some(std::process::id()));
        drop(lock);
        assert_eq!(OwnerLock::owner(dir.path()), None);
        OwnerLock::take(dir.path()).unwrap();
    }
}
