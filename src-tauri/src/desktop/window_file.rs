//! What the window remembers between two starts: where it was, and what its user chose for it.
//!
//! One small file in the data directory, because each data directory has a window of its own. Losing it costs nothing but
//! the memory, so that a file that cannot be read counts as none, and one that cannot be written is said in the log.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::geometry::Geometry;

/// Its name in the data directory.
const WINDOW_FILE: &str = "window.json";

/// What the user chose for the window; all of it off at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowSettings {
    /// Closing the window hides it in the tray, and Creel goes on catching.
    pub keep_catching: bool,
    /// Say by a notification that deliveries failed or came with an invalid signature.
    pub notify: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    settings: WindowSettings,
    geometry: Option<Geometry>,
}

/// The file and what stands in it.
pub struct WindowFile {
    path: PathBuf,
    kept: Mutex<Kept>,
}

impl WindowFile {
    /// Reads the file of a data directory.
    pub fn read(data_dir: &Path) -> Self {
        let path = data_dir.join(WINDOW_FILE);
        let kept = match std::fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json).unwrap_or_else(|error| {
                tracing::warn!(%error, path = %path.display(), "what the window remembered cannot be read");
                Kept::default()
            }),
            // Nothing is remembered yet.
            Err(_) => Kept::default(),
        };
        Self { path, kept: Mutex::new(kept) }
    }

    /// The user's choices.
    pub fn settings(&self) -> WindowSettings {
        self.kept().settings
    }

    /// Where the window was.
    pub fn geometry(&self) -> Option<Geometry> {
        self.kept().geometry
    }

    /// Keeps the user's choices.
    ///
    /// # Errors
    /// When the file cannot be written; the choices hold for this run all the same.
    pub fn set_settings(&self, settings: WindowSettings) -> io::Result<()> {
        let mut kept = self.kept();
        kept.settings = settings;
        // Also when nothing changed: the write before may have failed, and this is the user trying again.
        write(&self.path, &kept)
    }

    /// Keeps where the window is.
    pub fn set_geometry(&self, geometry: Geometry) {
        let mut kept = self.kept();
        if kept.geometry.replace(geometry) == Some(geometry) {
            return;
        }
        if let Err(error) = write(&self.path, &kept) {
            tracing::debug!(%error, "where the window is was not kept");
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Written beside and moved over, so that the file is never half a file.
fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    let beside = path.with_extension("json.new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    serde_json::to_writer_pretty(options.open(&beside)?, kept)?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_there_at_the_next_start_and_is_the_users_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = WindowFile::read(dir.path());
        assert_eq!(file.settings(), WindowSettings::default());
        let chosen = WindowSettings { keep_catching: true, notify: true };
        let geometry = Geometry { x: 10, y: 20, width: 900, height: 700, maximized: false };
        file.set_settings(chosen).unwrap();
        file.set_geometry(geometry);
        let again = WindowFile::read(dir.path());
        assert_eq!((again.settings(), again.geometry()), (chosen, Some(geometry)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(dir.path().join(WINDOW_FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_counts_as_none_and_a_missing_directory_is_not_made() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(WINDOW_FILE), "{ no json").unwrap();
        assert_eq!(WindowFile::read(dir.path()).settings(), WindowSettings::default());
        let nowhere = dir.path().join("nowhere");
        assert!(
            WindowFile::read(&nowhere).set_settings(WindowSettings { notify: true, ..Default::default() }).is_err()
        );
        assert!(!nowhere.exists());
    }

    #[test]
    fn a_choice_that_could_not_be_written_is_written_when_it_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let later = dir.path().join("later");
        let file = WindowFile::read(&later);
        let chosen = WindowSettings { keep_catching: true, notify: false };
        assert!(file.set_settings(chosen).is_err());
        assert_eq!(file.settings(), chosen, "it holds for this run all the same");
        std::fs::create_dir(&later).unwrap();
        file.set_settings(chosen).unwrap();
        assert_eq!(WindowFile::read(&later).settings(), chosen);
    }
}
