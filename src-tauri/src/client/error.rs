//! Why the engine could not be asked, or what it answered instead.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::app::error::ErrorBody;
use crate::run_file::RunFileError;

/// What can come of asking a running engine.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The data directory has no `run.json`.
    #[error("no engine is running on the data directory `{}`", data_dir.display())]
    NotRunning {
        /// The directory that was looked at.
        data_dir: PathBuf,
    },
    /// `run.json` is there, its engine is not.
    #[error("no engine is running: `{}` was left behind by process {pid}", path.display())]
    StaleRunFile {
        /// The file.
        path: PathBuf,
        /// The process that wrote it.
        pid: u32,
    },
    /// `run.json` cannot be read, or does not say what it should.
    #[error(transparent)]
    UnreadableRunFile(#[from] RunFileError),
    /// No connection.
    #[error("the engine at {address} cannot be reached: {source}")]
    Unreachable {
        /// Its admin address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection to the engine broke: {0}")]
    Broken(#[from] hyper::Error),
    /// A time limit ran out.
    #[error("{what} took longer than {seconds} s")]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// More bytes than this client takes.
    #[error("the engine's answer is longer than {bytes} bytes")]
    TooLarge {
        /// The limit.
        bytes: usize,
    },
    /// The answer is not what the API promises.
    #[error("the engine's answer cannot be read: {why}")]
    BadAnswer {
        /// What is wrong with it.
        why: String,
    },
    /// The live events broke off and could not be resumed.
    #[error("the engine went away and did not come back within {seconds} s")]
    Lost {
        /// How long it was waited for.
        seconds: u64,
    },
    /// The engine's own error.
    #[error("{}", error.message)]
    Api {
        /// HTTP status.
        status: u16,
        /// The error object as it came.
        error: ErrorBody,
    },
}

impl ClientError {
    /// Stable snake_case word for programs.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NotRunning { .. } | Self::StaleRunFile { .. } => "engine_not_running",
            Self::UnreadableRunFile(_) => "run_file_unreadable",
            Self::Unreachable { .. } => "engine_unreachable",
            Self::Broken(_) => "engine_connection_broken",
            Self::TimedOut { .. } => "engine_timed_out",
            Self::TooLarge { .. } => "answer_too_large",
            Self::BadAnswer { .. } => "bad_answer",
            Self::Lost { .. } => "engine_lost",
            Self::Api { error, .. } => &error.code,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &str {
        match self {
            Self::NotRunning { .. } | Self::StaleRunFile { .. } | Self::Lost { .. } => {
                "Start it with `creel serve` or open the Creel window, with the same data directory; \
                 `creel listen --to URL` starts one by itself."
            }
            Self::UnreadableRunFile(_) => {
                "Run this as the user who runs the engine; if the file is damaged, restart the engine."
            }
            Self::Unreachable { .. } | Self::Broken(_) | Self::TimedOut { .. } => {
                "Run `creel doctor` to see how the engine and its ports are."
            }
            Self::TooLarge { .. } => "Ask for less: fewer rows, or one delivery at a time.",
            Self::BadAnswer { .. } => "Check that the engine and this program have the same version: `creel doctor`.",
            Self::Api { error, .. } => &error.help,
        }
    }

    /// Whether no engine runs at all, so that one may be started.
    #[must_use]
    pub fn means_not_running(&self) -> bool {
        matches!(self, Self::NotRunning { .. } | Self::StaleRunFile { .. })
    }

    /// Whether the engine did not answer at all; it may be restarting.
    #[must_use]
    pub fn means_engine_out_of_reach(&self) -> bool {
        self.means_not_running() || matches!(self, Self::Unreachable { .. } | Self::Broken(_) | Self::TimedOut { .. })
    }
}
