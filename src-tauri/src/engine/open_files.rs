//! Room for as many open files as the engine's own limits promise connections.
//!
//! Systems allow a program few open files unless it asks (1,024 on most Linux, 256 on macOS): long before
//! [`IngressLimits::connections_max`](crate::ingress::IngressLimits::connections_max) the ingress would have to end
//! connections.

/// Open files that the engine wants: its connections, those to targets, the admin port, the database, with room to spare.
/// Not all that are allowed: some programs, tunnels among them, close every number up to the limit that they inherit.
#[cfg(unix)]
const OPEN_FILES_WANTED: u64 = 8_192;

/// Raises what this process may open to what it wants, as far as the system lets it.
#[cfg(unix)]
pub(super) fn allow() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let allowed = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        if soft >= OPEN_FILES_WANTED {
            return Ok(());
        }
        setrlimit(Resource::RLIMIT_NOFILE, OPEN_FILES_WANTED.min(hard).max(soft), hard)
    });
    if let Err(error) = allowed {
        tracing::warn!(%error, "the number of open files could not be raised; fewer connections are possible");
    }
}

/// Windows sets no such limit for sockets.
#[cfg(not(unix))]
pub(super) fn allow() {}
