//! What the tests stand on: the binary under test, a sender, a target, a listener, and patience.

pub mod creel;
pub mod events;
pub mod http;
pub mod ports;
pub mod requires;
pub mod sign;
pub mod sshd;
#[cfg(feature = "desktop")]
pub mod status_icons;
pub mod target;
pub mod tunnel;
pub mod wait;
#[cfg(feature = "desktop")]
pub mod webdriver;
#[cfg(feature = "desktop")]
pub mod x11;

pub use creel::{Creel, Ended, Endpoint, Home, Launch, cli, list, text};
pub use events::Events;
pub use http::{Request, Response};
pub use sign::hub_signature;
pub use target::{Answer, Gate, Target, closed_port};
pub use wait::until;
