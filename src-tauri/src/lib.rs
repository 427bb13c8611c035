//! Creel catches every webhook sent to a developer's machine, keeps it byte for byte, says whether its signature holds
//! and why not, relays it to the developer's app, and replays it with one click.
//!
//! The map, from the nouns up; each module names only those above it in this list, and those of the last line never
//! each other:
//!
//! - [`domain`]: endpoints, deliveries, attempts; no I/O, no clock
//! - [`signature`]: the provider catalogue; verify, explain and sign; event names, dedupe keys, filters
//! - [`store`]: everything on disk; the only place that names SQLite
//! - [`relay`]: attempts to targets, and the queues of targets
//! - [`tunnel`]: programs that make the ingress reachable from outside, supervised
//! - [`run_file`]: how a running engine is found
//! - [`app`]: the use cases, and the operations that REST and the desktop both expose
//! - [`ingress`], [`api`]: the two listeners; [`client`]: the admin API's client
//! - [`engine`]: puts app and listeners together, for every main
//! - [`cli`]: the commands of `creel`; the desktop window stands beside this library, in `desktop_main.rs`

pub mod api;
pub mod app;
pub mod cli;
pub mod client;
pub mod domain;
pub mod engine;
pub mod ingress;
pub mod relay;
pub mod run_file;
pub mod signature;
pub mod store;
pub mod tunnel;
