//! The use cases: capture, relay, replay, and the operations that REST and the desktop both expose.

pub mod error;
pub mod inbound;
