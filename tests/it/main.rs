//! The black-box suite. (Index follows.)
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, missing_docs)]

mod api;
mod cli;
mod dedupe;
mod disk_full;
mod endpoints;
mod events;
mod guard;
mod hostile_heads;
mod hostile_targets;
mod ingress;
mod kill;
mod lifecycle;
mod linkage;
mod lists;
mod negative_controls;
mod relay;
mod replay;
mod replies;
mod retention;
mod secrets;
mod signatures;
mod support;
mod tidy;
