//! Why an engine does not start, with the exit code of CONTRACT section 2.

use std::net::SocketAddr;

use crate::app::StartError;
use crate::run_file::RunFileError;
use crate::store::StoreError;

/// An error of starting or stopping an engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The data directory or its database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The embedded catalogue is wrong.
    #[error(transparent)]
    Catalogue(#[from] crate::signature::CatalogueError),
    /// The embedded list of tunnel providers is wrong.
    #[error(transparent)]
    Tunnels(#[from] crate::tunnel::TunnelCatalogueError),
    /// This program does not know where it is.
    #[error("this program's own file is not known: {0}")]
    OwnProgram(std::io::Error),
    /// An address is taken.
    #[error("{0} is in use by another program")]
    AddressInUse(SocketAddr),
    /// An address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A listener does not tell its address.
    #[error("a listener has no address: {0}")]
    Listener(std::io::Error),
    /// A flag's value is not acceptable.
    #[error("{0}")]
    Usage(String),
    /// `run.json` cannot be written or removed.
    #[error(transparent)]
    RunFile(#[from] RunFileError),
    /// The user has no home directory.
    #[error("there is no home directory to keep data in")]
    NoHome,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    NoRandomness(String),
    /// The runtime is ending.
    #[error("the engine is being stopped")]
    Stopped,
}

impl From<StartError> for EngineError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => Self::Store(error),
            StartError::Catalogue(error) => Self::Catalogue(error),
            StartError::Tunnels(error) => Self::Tunnels(error),
        }
    }
}

impl EngineError {
    /// The exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Store(StoreError::Owned { .. }) => 3,
            Self::Store(StoreError::Newer { .. }) => 4,
            Self::AddressInUse(_) => 5,
            _ => 1,
        }
    }

    /// A stable word.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Store(StoreError::Owned { .. }) => "data_dir_owned",
            Self::Store(StoreError::Newer { .. }) => "database_newer",
            Self::Store(StoreError::Damaged { .. }) => "database_damaged",
            Self::Store(_) => "store_unavailable",
            Self::AddressInUse(_) => "address_in_use",
            Self::Bind { .. } | Self::Listener(_) => "cannot_listen",
            Self::RunFile(_) => "run_file",
            Self::NoHome => "no_home",
            Self::Catalogue(_) | Self::Tunnels(_) | Self::OwnProgram(_) | Self::NoRandomness(_) | Self::Stopped => {
                "internal"
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Usage(_) => "`creel serve --help` says what it takes.".to_owned(),
            Self::Store(StoreError::Owned { .. }) => {
                "Use that one, end it, or give this one a directory of its own with --data-dir.".to_owned()
            }
            Self::Store(StoreError::Newer { .. }) => {
                "Update Creel, or give it another directory with --data-dir; the file was left as it is.".to_owned()
            }
            Self::Store(StoreError::Damaged { path, .. }) => {
                format!("Move {} with its -wal and -shm files away; Creel then begins anew.", path.display())
            }
            Self::Store(_) => "Check the data directory: is it there, is it yours, has its disk room?".to_owned(),
            Self::AddressInUse(_) => {
                "End the program that has it, or choose another with --ingress or --admin (port 0: any free one)."
                    .to_owned()
            }
            Self::Bind { .. } | Self::Listener(_) => "Choose another address with --ingress or --admin.".to_owned(),
            Self::RunFile(_) => "Check the data directory's owner and its disk.".to_owned(),
            Self::NoHome => "Name a directory with --data-dir or CREEL_DATA_DIR.".to_owned(),
            Self::Catalogue(_) | Self::Tunnels(_) | Self::OwnProgram(_) | Self::NoRandomness(_) | Self::Stopped => {
                "This is a fault of Creel; please report it.".to_owned()
            }
        }
    }
}
