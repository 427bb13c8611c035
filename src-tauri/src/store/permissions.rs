//! The data directory is the user's alone: 0700, and every file in it 0600, whatever the umask says.

use std::fs::OpenOptions;
use std::path::Path;

use super::StoreError;
#[cfg(unix)]
use crate::domain::SeededBug;

/// Creates a directory, with its parents, that only its owner may enter; narrows one that is there already.
///
/// # Errors
/// When it cannot be created or narrowed.
pub fn create_dir_private(dir: &Path) -> Result<(), StoreError> {
    let failed = |action| move |source| StoreError::Io { action, path: dir.to_owned(), source };
    std::fs::create_dir_all(dir).map_err(failed("create"))?;
    #[cfg(unix)]
    if !SeededBug::UmaskModes.is_on() {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).map_err(failed("protect"))?;
    }
    Ok(())
}

/// Options that create a file only its owner may read.
pub fn private_file_options(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(if SeededBug::UmaskModes.is_on() { 0o666 } else { 0o600 })
    }
    #[cfg(not(unix))]
    options
}

/// Makes sure that a file exists and that only its owner may read it. SQLite gives its `-wal` and `-shm` files the mode
/// of the database file, so that doing this once before opening covers all three.
///
/// # Errors
/// When it cannot be created or narrowed.
pub fn ensure_file_private(path: &Path) -> Result<(), StoreError> {
    let failed = |action| move |source| StoreError::Io { action, path: path.to_owned(), source };
    private_file_options(OpenOptions::new().write(true).create(true).truncate(false))
        .open(path)
        .map_err(failed("open"))?;
    #[cfg(unix)]
    if !SeededBug::UmaskModes.is_on() {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed("protect"))?;
    }
    Ok(())
}
