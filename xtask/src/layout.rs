//! Where things are: the repository's root, the UI, the target directory and what is built into it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::program::Program;

/// The directories every command works in.
pub struct Layout {
    root: PathBuf,
    target: PathBuf,
}

/// Which Cargo profile a binary was built with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    Dev,
    Release,
}

impl Layout {
    /// Asks Cargo, which honours `CARGO_TARGET_DIR` and the user's configuration.
    pub fn of_this_repository() -> Result<Layout> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .context("CARGO_MANIFEST_DIR is not set; start this program as `cargo xtask`")?;
        let root = Path::new(&manifest).parent().context("xtask has no parent directory")?.to_path_buf();
        let metadata = Program::cargo()
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .within(&root)
            .output()
            .context("cargo could not describe the workspace")?;
        let target = target_directory(&metadata).context("cargo metadata names no target_directory")?;
        Ok(Layout { root, target })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }

    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Where `cargo install --root` puts the tools this repository pins, out of the user's own `~/.cargo/bin`.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// A built binary, with the system's file ending.
    pub fn binary(&self, profile: Profile, name: &str) -> PathBuf {
        let folder = match profile {
            Profile::Dev => "debug",
            Profile::Release => "release",
        };
        self.target.join(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

fn target_directory(metadata: &str) -> Option<PathBuf> {
    let metadata: serde_json::Value = serde_json::from_str(metadata).ok()?;
    metadata.get("target_directory")?.as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_directory_is_the_one_cargo_names() {
        let metadata = r#"{"packages":[],"target_directory":"/somewhere/else","version":1}"#;
        assert_eq!(target_directory(metadata), Some(PathBuf::from("/somewhere/else")));
        assert_eq!(target_directory("not json"), None);
        assert_eq!(target_directory("{}"), None);
    }

    #[test]
    fn binaries_are_found_by_profile() {
        let layout = Layout { root: PathBuf::from("/r"), target: PathBuf::from("/t") };
        assert!(layout.binary(Profile::Dev, "creel").starts_with("/t/debug"));
        assert!(layout.binary(Profile::Release, "creel").starts_with("/t/release"));
    }
}
