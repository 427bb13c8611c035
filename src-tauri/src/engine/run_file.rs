//! `run.json`: how programs on this machine find a running engine (CONTRACT section 2).

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::EngineError;
use crate::domain::Timestamp;
use crate::store::private_file_options;

/// Name of the file in a data directory.
pub const RUN_FILE: &str = "run.json";

/// A running engine's addresses and token. `Debug` is left out: the token must not reach a log.
#[derive(Clone, Serialize, Deserialize)]
pub struct RunFile {
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// Base URL of the ingress.
    pub ingress_url: String,
    /// Base URL of the admin port.
    pub admin_url: String,
    /// The admin token of this run.
    pub admin_token: String,
}

impl RunFile {
    /// The file of this process.
    #[must_use]
    pub fn new(ingress_url: &str, admin_url: &str, admin_token: &str, started_at: Timestamp) -> Self {
        Self {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at,
            ingress_url: ingress_url.to_owned(),
            admin_url: admin_url.to_owned(),
            admin_token: admin_token.to_owned(),
        }
    }

    /// Writes it under another name and renames, so that a reader sees all of it or nothing.
    pub(super) fn write(&self, path: &Path) -> Result<(), EngineError> {
        let failed = |action| move |source| EngineError::RunFile { action, path: path.to_owned(), source };
        let beside = path.with_extension("json.new");
        let json = serde_json::to_vec(self).map_err(std::io::Error::other).map_err(failed("write"))?;
        // Removed first: an older file keeps the mode that it has.
        RunFile::remove(&beside)?;
        let mut file = private_file_options(OpenOptions::new().write(true).create_new(true))
            .open(&beside)
            .map_err(failed("create"))?;
        file.write_all(&json).map_err(failed("write"))?;
        std::fs::rename(&beside, path).map_err(failed("write"))
    }

    /// Removes it; that it is gone already is no error.
    pub(super) fn remove(path: &Path) -> Result<(), EngineError> {
        match std::fs::remove_file(path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(EngineError::RunFile { action: "remove", path: path.to_owned(), source }),
        }
    }
}
