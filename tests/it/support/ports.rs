//! Ports for programs that must be told one.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// The system gives no port below its own range to whoever asks for any (ip(7), `ip_local_port_range`: 32768 and above), so
/// nobody else comes by these by chance between their choice and their use.
const FIRST: u16 = 15_000;
/// How many there are.
const COUNT: u16 = 15_000;

/// A port that is free now, and that this run of the tests gives to nobody else.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Two runs at once begin at different places.
    let begin = (std::process::id() % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (begin + step) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("none of {COUNT} ports is free");
}
