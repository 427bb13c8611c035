//! Every limit of the ingress, named, with its unit; and the ones that tests shorten.

use std::time::Duration;

/// Largest request head in bytes, from the method to the empty line: 431 above it.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Most header lines of one request: 431 above it.
pub const HEADERS_MAX: usize = 128;
/// Longest request target in bytes: 414 above it. RFC 9112 section 3 asks for at least 8000.
pub const TARGET_BYTES_MAX: usize = 8 * 1024;
/// Longest method in bytes.
pub const METHOD_BYTES_MAX: usize = 32;
/// Longest request line in bytes, line end included: method, target, `HTTP/1.1`, two spaces and CR LF.
pub const REQUEST_LINE_BYTES_MAX: usize = METHOD_BYTES_MAX + TARGET_BYTES_MAX + 12;
/// Digits of one chunk's size; sixteen hexadecimal digits fill 64 bits.
pub const CHUNK_SIZE_DIGITS_MAX: u32 = 15;
/// Bytes of all chunk extensions of one body. Nothing uses them; without a limit they are a way to make work.
pub const CHUNK_EXTENSION_BYTES_MAX: usize = 4 * 1024;
/// Bytes of the trailer section of one chunked body.
pub const TRAILER_BYTES_MAX: usize = 8 * 1024;
/// Bytes that one read takes from the socket while a head is awaited.
pub const HEAD_READ_BYTES: usize = 16 * 1024;
/// Room for the first bytes of a body that does not come with its head, in bytes. It grows only when it has been filled,
/// so that a sender who sends little holds little.
pub const BODY_FIRST_BYTES: usize = 2 * 1024;
/// Bytes that one read takes from the socket while a body is read, so that its size and the budget are looked at in time.
pub const BODY_READ_BYTES: usize = 64 * 1024;
/// Most bytes that hyper buffers for one connection. It sees nothing of a request but its method.
pub const HYPER_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Steps in which a body takes from the budget of bytes in flight, in bytes.
pub const BUDGET_STEP_BYTES: u64 = 64 * 1024;
/// Flood ceiling: requests a minute of one client address, whatever they ask for.
pub const FLOOD_RATE_PER_MINUTE: u32 = 60_000;
/// Keys that one rate limiter remembers; further ones pass uncounted until the sweep has made room.
pub const RATE_KEYS_MAX: usize = 65_536;
/// What a 503 tells the sender to wait, in seconds.
pub const OVERLOADED_RETRY_AFTER_SECONDS: u64 = 1;
/// Longest path that a refusal keeps, in bytes.
pub const REFUSAL_PATH_BYTES_MAX: usize = 1024;
/// Pause after an accept error such as "too many open files".
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often a full table looks again for a connection that has become idle.
pub const FULL_TABLE_RECHECK: Duration = Duration::from_millis(50);

/// Times and budgets of one listener. The defaults are the product's; tests shorten them.
#[derive(Clone, Debug)]
pub struct IngressLimits {
    /// From a head's first byte to its last.
    pub head: Duration,
    /// How long a connection may stay open between requests. Far above the 90 s for which a tunnel's client keeps its
    /// connections (cloudflared, Go's default transport), so that the tunnel closes first and no post meets a closing
    /// connection.
    pub keep_alive_idle: Duration,
    /// After how long without a request a connection gives back hyper's buffers. It stays open; the gate alone waits for
    /// its next head. Short, because a flood of connections that each send one request is over in a second; a busy
    /// connection never rests.
    pub rest: Duration,
    /// Between two reads of a body.
    pub body_idle: Duration,
    /// For a whole body, and longer for as long as it keeps up `body_bytes_per_second_min`.
    pub body_total: Duration,
    /// Lowest rate of a body that takes longer than `body_total`.
    pub body_bytes_per_second_min: u64,
    /// Between two writes of an answer that the sender does not take.
    pub write: Duration,
    /// How long what a refused sender still sends is read and thrown away, so that it sees the answer: closing with
    /// unread input resets the connection and destroys the answer under way (RFC 9112 section 9.6).
    pub drain: Duration,
    /// How many bytes of it.
    pub drain_bytes: u64,
    /// Open connections.
    pub connections_max: usize,
    /// Bytes of all bodies being read or captured.
    pub bytes_in_flight_max: u64,
    /// What in-flight work is given when the listener stops.
    pub stop: Duration,
}

impl Default for IngressLimits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            keep_alive_idle: Duration::from_secs(180),
            rest: Duration::from_millis(100),
            body_idle: Duration::from_secs(10),
            body_total: Duration::from_secs(60),
            body_bytes_per_second_min: 128 * 1024,
            write: Duration::from_secs(10),
            drain: Duration::from_secs(5),
            drain_bytes: 32 * 1024 * 1024,
            connections_max: 4096,
            bytes_in_flight_max: 256 * 1024 * 1024,
            stop: Duration::from_secs(5),
        }
    }
}
