//! What the benchmarks and the demo share: webhooks as real senders write them, signed for real.
#![allow(missing_docs, reason = "a package of the repository's own, read as source")]

pub mod chance;
pub mod samples;
pub mod sign;
