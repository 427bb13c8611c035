//! Tunnels: programs that make the ingress reachable from outside, described as data, supervised, and gone when Creel is.
//!
//! [`TunnelCatalogue`] reads `tunnels/*.toml`: command line, secrets, what the output means. A provider with checked
//! options is a [`Blueprint`]; [`Supervision`] runs it: it starts the program through a [`TunnelSpawner`], reads what
//! it writes, restarts it, proves through [`Outside`] that requests arrive, and tells a [`TunnelObserver`] of each
//! change. Every program stands under a guard ([`guard`]) that ends it when this process is gone, however it went; what
//! even the guard could not end is found by its record at the next start ([`record`]).

mod blueprint;
mod catalogue;
pub mod guard;
mod lines;
mod log;
mod output_rules;
mod private_file;
mod process_identity;
mod program;
mod provider;
pub mod record;
mod redaction;
mod restarts;
mod run;
mod spawner;
mod supervision;
#[cfg(test)]
mod supervision_tests;
mod template;
mod tokio_spawner;
#[cfg(test)]
mod transcript_tests;

pub use blueprint::{Blueprint, OptionError};
pub use catalogue::{TunnelCatalogue, TunnelCatalogueError};
pub use process_identity::process_exists;
pub use program::{find_program, version_of};
pub use provider::{ClientIpRule, TunnelProvider};
pub use spawner::{
    DRAIN_TIME, GuardProgram, GuardedCommand, NextEvent, ProcessEvent, SpawnError, TunnelProcess, TunnelSpawner, until,
};
pub use supervision::{Later, LocalAnswer, Outside, Supervision, SupervisionHandle, SupervisionParts, TunnelObserver};
pub use tokio_spawner::TokioSpawner;
