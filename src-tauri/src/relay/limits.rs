//! The relay's limits, named, with their units.

use std::time::Duration;

use crate::domain::limits::TARGET_RESPONSE_BYTES_MAX;

/// Attempts in flight to one target.
pub const ATTEMPTS_IN_FLIGHT_PER_TARGET: usize = 4;
/// Attempts in flight to all targets together.
pub const ATTEMPTS_IN_FLIGHT_MAX: usize = 128;
/// Waiting attempts that a queue asks the ledger for at once.
pub(super) const PAGE_ATTEMPTS: usize = 64;
/// Longest URL of a target, in bytes.
pub(super) const TARGET_URL_BYTES_MAX: usize = 2048;
/// How long a name may take to resolve.
pub(super) const RESOLVE_TIME: Duration = Duration::from_secs(2);
/// A body up to this many bytes leaves in one write with its head.
pub(super) const ONE_WRITE_BODY_BYTES_MAX: usize = 16 * 1024;
/// Bytes that one read from a target asks for.
pub(super) const READ_BYTES: usize = 16 * 1024;
/// Longest line that frames a chunk, extensions included, in bytes.
pub(super) const CHUNK_LINE_BYTES_MAX: usize = 4 * 1024;
/// First wait before something the ledger refused is tried again.
pub(super) const LEDGER_RETRY_FIRST: Duration = Duration::from_millis(50);
/// Longest wait before something the ledger refused is tried again.
pub(super) const LEDGER_RETRY_MAX: Duration = Duration::from_secs(2);

/// What one attempt may cost. The default is what CONTRACT section 6 promises; tests inject smaller ones.
#[derive(Clone, Debug)]
pub struct RelayLimits {
    /// From the first packet to a usable connection, TLS included.
    pub connect: Duration,
    /// From the connection to the complete head of the final answer.
    pub head: Duration,
    /// The whole attempt.
    pub total: Duration,
    /// Bytes of an answer's head.
    pub head_bytes: usize,
    /// Headers of an answer.
    pub head_lines: usize,
    /// Interim (1xx) answers before the final one.
    pub interim_answers: u32,
    /// Bytes of an answer's body that are kept.
    pub kept_bytes: usize,
    /// Bytes of an answer that are read at all; what is beyond is cut off.
    pub read_bytes: u64,
}

impl Default for RelayLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            head: Duration::from_secs(30),
            total: Duration::from_secs(60),
            head_bytes: 64 * 1024,
            head_lines: 200,
            interim_answers: 16,
            kept_bytes: TARGET_RESPONSE_BYTES_MAX,
            read_bytes: 32 * 1024 * 1024,
        }
    }
}
