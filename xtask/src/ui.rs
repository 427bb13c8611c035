//! The UI's packages and its build.

use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;

use crate::layout::Layout;
use crate::program::{Program, say};

/// `npm ci`, when what is installed is older than the lock file.
pub fn install_packages(layout: &Layout) -> Result<()> {
    let ui = layout.ui();
    // npm writes this hidden copy of the lock file as the last act of an install.
    let installed = modified(&ui.join("node_modules/.package-lock.json"));
    if is_current(installed, modified(&ui.join("package-lock.json"))) {
        say("ui/node_modules is up to date");
        return Ok(());
    }
    npm(layout, &["ci", "--no-audit", "--no-fund"])
}

/// Leaves the UI in `ui/dist`, where the binaries embed it from.
pub fn build(layout: &Layout) -> Result<()> {
    npm(layout, &["run", "build"])
}

/// Runs npm inside `ui/`.
pub fn npm(layout: &Layout, arguments: &[&str]) -> Result<()> {
    Program::npm().args(arguments).within(&layout.ui()).run()
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

fn is_current(installed: Option<SystemTime>, locked: Option<SystemTime>) -> bool {
    matches!((installed, locked), (Some(installed), Some(locked)) if installed >= locked)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn packages_are_installed_again_when_the_lock_file_is_newer_or_nothing_is_there() {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let later = then + Duration::from_secs(1);
        assert!(is_current(Some(later), Some(then)));
        assert!(is_current(Some(then), Some(then)));
        assert!(!is_current(Some(then), Some(later)));
        assert!(!is_current(None, Some(then)));
        assert!(!is_current(Some(then), None));
    }
}
