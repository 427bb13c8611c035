//! The official SDKs that `tests/it/sdk_agreement.rs` compares signatures with: pinned in `tests/sdks`, installed into the
//! target directory, never into the tree or the user's own Python.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::program::{Program, say};

/// Written when an installation has come to its end: the lock file that it was of.
const STAMP: &str = "installed-lock";

/// The SDKs of one language, which come from one registry.
pub struct Language {
    /// Its folder under tests/sdks, and the beginning of its test's name
    pub name: &'static str,
    /// What pins the packages
    lock: &'static str,
    /// What else the installation and the tests need beside them
    files: &'static [&'static str],
    install: fn(&Path) -> Program,
    /// Asks the registry for one small thing, to tell a registry that cannot be reached from a lock file that is wrong
    reach: fn() -> Program,
    /// What must be there to install anything
    client: fn() -> Program,
}

pub const NPM: Language = Language {
    name: "npm",
    lock: "package-lock.json",
    files: &["package.json", "driver.mjs", "clock.mjs"],
    // No package's own script runs: none of these needs one.
    install: |folder| Program::npm().args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).within(folder),
    reach: || Program::npm().args(["view", "standardwebhooks", "version"]),
    client: || Program::npm().arg("--version"),
};

pub const PYPI: Language = Language {
    name: "pypi",
    lock: "requirements.txt",
    files: &["driver.py"],
    // Into a folder, not a virtual environment: Debian's Python comes without the module for those.
    install: |folder| {
        pip()
            .args(["install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"])
            .args(["--target", "site", "--requirement", "requirements.txt"])
            .within(folder)
    },
    reach: || pip().args(["index", "versions", "standardwebhooks"]),
    client: || pip().arg("--version"),
};

fn pip() -> Program {
    Program::new("python3").args(["-m", "pip", "--disable-pip-version-check", "--no-input"])
}

/// Where all languages are installed.
pub fn folder(layout: &Layout) -> PathBuf {
    layout.target().join("sdks")
}

impl Language {
    /// Installs what is not there yet, or says why that cannot be done here.
    pub fn install(&self, layout: &Layout) -> Result<Option<String>> {
        let (from, to) = (layout.root().join("tests/sdks").join(self.name), folder(layout).join(self.name));
        let lock = std::fs::read_to_string(from.join(self.lock)).context("the lock file of the SDKs")?;
        if is_installed(&to, &lock) {
            say(&format!("{} is up to date", to.display()));
        } else {
            if !(self.client)().succeeds() {
                return Ok(Some(format!("`{}` does not work here", (self.client)().shown())));
            }
            if to.exists() {
                std::fs::remove_dir_all(&to).context("the SDKs of another lock file")?;
            }
        }
        std::fs::create_dir_all(&to)?;
        for file in self.files.iter().chain([&self.lock]) {
            std::fs::copy(from.join(file), to.join(file)).with_context(|| format!("{file} of the SDKs"))?;
        }
        if is_installed(&to, &lock) {
            return Ok(None);
        }
        if let Err(error) = (self.install)(&to).run() {
            say(&format!("{error:#}"));
            let reached = (self.reach)().succeeds();
            return if reached { Err(error) } else { Ok(Some("their registry cannot be reached".to_owned())) };
        }
        std::fs::write(to.join(STAMP), lock)?;
        Ok(None)
    }
}

/// Whether an installation of this lock file has come to its end.
fn is_installed(folder: &Path, lock: &str) -> bool {
    std::fs::read_to_string(folder.join(STAMP)).is_ok_and(|installed| installed == lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_installed_by_another_lock_file_or_not_to_the_end_is_installed_again() {
        let folder = std::env::temp_dir().join(format!("creel-sdks-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        assert!(!is_installed(&folder, "a"));
        std::fs::write(folder.join(STAMP), "a").unwrap();
        assert!(is_installed(&folder, "a"));
        assert!(!is_installed(&folder, "b"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn python_packages_are_taken_only_with_the_hashes_of_the_lock_file() {
        let shown = (PYPI.install)(Path::new("/t")).shown().to_owned();
        assert!(shown.contains("--require-hashes") && shown.contains("--target"), "{shown}");
    }
}
