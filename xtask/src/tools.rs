//! The Cargo tools that the tests use, at pinned versions, inside the target directory.

use anyhow::Result;

use crate::layout::Layout;
use crate::program::{Program, find, say};

/// A program from crates.io.
pub struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Judges licences, sources, bans and advisories of the dependency graph by `deny.toml`.
pub const CARGO_DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
/// Speaks WebDriver to the window.
pub const TAURI_DRIVER: Tool = Tool { name: "tauri-driver", version: "2.1.0" };

/// Client and server of a tunnel, for its end-to-end tests; its crate is not named as its program is.
pub const BORE: Tool = Tool { name: "bore-cli", version: "0.6.0" };

impl Tool {
    /// The program that the crate brings.
    fn program(&self) -> &'static str {
        self.name.strip_suffix("-cli").unwrap_or(self.name)
    }

    /// Installs it, unless this version is in the target directory already or any is on PATH.
    pub fn install(&self, layout: &Layout) -> Result<()> {
        let folder = layout.tools();
        let own = folder.join("bin").join(format!("{}{}", self.program(), std::env::consts::EXE_SUFFIX));
        let record = std::fs::read_to_string(folder.join(".crates.toml")).unwrap_or_default();
        if own.is_file() && records(&record, self) {
            return Ok(());
        }
        if let Some(path) = find(self.program()) {
            say(&format!("using {} from PATH", path.display()));
            return Ok(());
        }
        // Not optimised: it runs for seconds, and an optimised build of cargo-deny takes minutes.
        Program::cargo()
            .args(["install", "--locked", "--debug", "--version", self.version, "--root"])
            .arg(&folder)
            .arg(self.name)
            .within(layout.root())
            .run()
    }
}

/// Whether Cargo's record of what it installed holds this version.
fn records(record: &str, tool: &Tool) -> bool {
    record.lines().any(|line| line.starts_with(&format!("\"{} {} ", tool.name, tool.version)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_not_taken_for_the_pinned_one() {
        let record =
            "[v1]\n\"cargo-deny 0.20.2 (registry+https://github.com/rust-lang/crates.io-index)\" = [\"cargo-deny\"]\n";
        assert!(records(record, &CARGO_DENY));
        assert!(!records(record, &TAURI_DRIVER));
        assert!(!records(&record.replace("0.20.2", "0.20.21"), &CARGO_DENY));
        assert!(!records("", &CARGO_DENY));
    }
}
