//! What the benchmarks and the demo share: a Creel of their own, its admin API, and webhooks as real senders write them, signed for real.
#![allow(missing_docs, reason = "a package of the repository's own, read as source")]

pub mod admin;
pub mod chance;
pub mod engine;
pub mod post;
pub mod samples;
pub mod sign;
