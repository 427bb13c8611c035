//! Creel catches every webhook sent to a developer's machine, keeps it byte for byte, says whether its signature holds
//! and why not, relays it to the developer's app, and replays it with one click.
//!
//! The map, from the nouns up; each module names only those above it in this list:
//!
//! - [`domain`]: endpoints, deliveries, attempts; no I/O, no clock
//! - [`ingress`]: the listener that senders talk to: strict HTTP, limits, and the way to the engine

pub mod app;
pub mod domain;
pub mod ingress;
