//! Every limit of the domain, named, with its unit. Limits of one adapter stand beside it.

/// Largest body of a delivery in bytes, unless set otherwise: 26 MiB, above GitHub's cap of 25 MB.
pub const BODY_BYTES_MAX_DEFAULT: u64 = 27_262_976;
/// Bodies up to this many bytes are inlined in the full row.
pub const BODY_INLINE_BYTES_MAX: u64 = 1024 * 1024;
/// Longest event name in bytes; a longer candidate is not taken for a name.
pub const EVENT_NAME_BYTES_MAX: usize = 512;
/// Longest dedupe key in bytes; a longer value is not taken for a key.
pub const DEDUPE_KEY_BYTES_MAX: usize = 1024;
/// Signing secrets of one endpoint.
pub const SIGNING_SECRETS_MAX: usize = 2;
/// Longest signing secret in bytes.
pub const SIGNING_SECRET_BYTES_MAX: usize = 4096;
/// A secret below this many bytes is warned about.
pub const SHORT_SECRET_BYTES: usize = 16;
/// A secret shows its hint only from this many characters on.
pub const SECRET_HINT_BYTES_MIN: usize = 12;
/// Characters of a secret's hint.
pub const SECRET_HINT_CHARS: usize = 4;
/// Targets of one endpoint.
pub const TARGETS_MAX: usize = 16;
/// Event filters of one endpoint or target.
pub const EVENT_FILTERS_MAX: usize = 100;
/// Longest name of an endpoint in characters.
pub const ENDPOINT_NAME_CHARS_MAX: usize = 200;
/// Endpoints of one data directory.
pub const ENDPOINTS_MAX: usize = 10_000;
/// Longest delay of a fixed reply in milliseconds.
pub const REPLY_DELAY_MS_MAX: u64 = 60_000;
/// Longest wait of a passthrough reply in milliseconds.
pub const REPLY_TIMEOUT_MS_MAX: u64 = 60_000;
/// Wait of a passthrough reply in milliseconds, unless set otherwise.
pub const REPLY_TIMEOUT_MS_DEFAULT: u64 = 10_000;
/// Largest body of a fixed reply in bytes.
pub const REPLY_BODY_BYTES_MAX: usize = 256 * 1024;
/// Stored arrivals of one delivery; further ones with the same body are counted without being kept.
pub const ARRIVALS_KEPT_MAX: u32 = 1_000;
/// Refusals kept.
pub const REFUSALS_KEPT: usize = 1_000;
/// Bytes of a target's answer that are kept.
pub const TARGET_RESPONSE_BYTES_MAX: usize = 1024 * 1024;
