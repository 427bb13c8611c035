//! Creel catches every webhook sent to a developer's machine, keeps it byte for byte, says whether its signature holds
//! and why not, relays it to the developer's app, and replays it with one click.
//!
//! The map, from the nouns up; each module names only those above it in this list:
//!
//! - [`domain`]: endpoints, deliveries, attempts; no I/O, no clock
//! - [`signature`]: the provider catalogue; verify, explain and sign; event names, dedupe keys, filters
//! - [`client`]: the admin API's client, for the command line
//! - [`cli`]: the command line, one file per command

pub mod app;
pub mod cli;
pub mod client;
pub mod domain;
pub mod signature;
pub mod store;
