//! The use cases: capture, relay, replay, and the operations that REST and the desktop both expose.

pub mod error;
pub mod events;
pub mod inbound;
pub mod operation;
