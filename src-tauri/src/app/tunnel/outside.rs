//! What a tunnel's supervision needs of the engine: a request through the public URL that must arrive at our own ingress.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::app::core::Core;
use crate::domain::{Timestamp, TunnelBreak, TunnelProbe};
use crate::relay::{PlainAnswer, PlainClient, PlainGetError};
use crate::tunnel::{Later, LocalAnswer, Outside};

/// How long a proof of life may take.
const PROOF_TIME: Duration = Duration::from_secs(10);
/// How long a program's own address may take to answer.
const LOCAL_TIME: Duration = Duration::from_secs(2);
/// Before the nonce; the ingress answers it.
const PROOF_PATH: &str = "/.well-known/creel/";
/// Pages that some tunnels show to browsers in between are skipped with these.
const PROOF_HEADERS: [(&str, &str); 5] = [
    ("User-Agent", "creel-proof-of-life"),
    ("Accept", "application/json"),
    ("ngrok-skip-browser-warning", "1"),
    ("bypass-tunnel-reminder", "1"),
    ("X-Pinggy-No-Screen", "1"),
];

/// The engine, as a supervision sees it.
pub(super) struct EngineSide {
    core: Arc<Core>,
    client: Arc<PlainClient>,
}

impl EngineSide {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core, client: Arc::default() }
    }
}

impl Outside for EngineSide {
    fn get(&self, url: String) -> Later<LocalAnswer> {
        let client = Arc::clone(&self.client);
        Box::pin(async move {
            let parsed = url::Url::parse(&url).map_err(|error| error.to_string())?;
            let base = parsed.origin().ascii_serialization();
            let answer = client.get(&base, parsed.path(), &[], LOCAL_TIME).await.map_err(|error| error.to_string())?;
            Ok((answer.status, answer.body.to_vec()))
        })
    }

    fn prove(&self, public_url: String) -> Later<TunnelProbe> {
        Box::pin(prove(Arc::clone(&self.core), Arc::clone(&self.client), public_url))
    }

    fn now(&self) -> Timestamp {
        self.core.clock.now()
    }

    fn chance(&self) -> f64 {
        let mut bytes = [0; 4];
        // Without randomness the longest pause is as good as any.
        match getrandom::fill(&mut bytes) {
            Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
            Err(_) => 1.0,
        }
    }
}

async fn prove(core: Arc<Core>, client: Arc<PlainClient>, public_url: String) -> TunnelProbe {
    let (at, began) = (core.clock.now(), Instant::now());
    let (connected, (broke_at, message)) = match core.nonces.issue() {
        Err(error) => (false, (Some(TunnelBreak::Ingress), format!("this system has no randomness: {error}"))),
        Ok(nonce) => {
            let path = format!("{PROOF_PATH}{}", nonce.as_str());
            let answer = client.get(&public_url, &path, &PROOF_HEADERS, PROOF_TIME).await;
            let connected = !matches!(answer, Err(PlainGetError::Name { .. } | PlainGetError::Connection(_)));
            (connected, judged(nonce.has_arrived(), answer))
        }
    };
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let message = if broke_at.is_none() { format!("reachable, {ms} ms") } else { message };
    TunnelProbe { at, ok: broke_at.is_none(), ms, broke_at, message, connected }
}

/// Where it broke, if it did.
fn judged(arrived: bool, answer: Result<PlainAnswer, PlainGetError>) -> (Option<TunnelBreak>, String) {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error @ PlainGetError::Name { .. }) => return (Some(TunnelBreak::Dns), error.to_string()),
        Err(PlainGetError::Exchange(why)) if arrived => {
            return (
                Some(TunnelBreak::Tunnel),
                format!("the request arrived, but its answer did not come back: {why}"),
            );
        }
        Err(error) => return (Some(TunnelBreak::Tunnel), error.to_string()),
    };
    let status = answer.status;
    match (arrived, status) {
        (true, 200) => (None, String::new()),
        (true, _) => {
            (Some(TunnelBreak::Tunnel), format!("the request arrived, but the tunnel answered {status} in its place"))
        }
        (false, 500..) => {
            (Some(TunnelBreak::Ingress), format!("the tunnel answered {status}: it does not reach Creel's ingress"))
        }
        (false, _) => (Some(TunnelBreak::Tunnel), format!("something else answers at the public URL, with {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(arrived: bool, status: u16) -> Option<TunnelBreak> {
        judged(arrived, Ok(PlainAnswer { status, body: bytes::Bytes::new() })).0
    }

    #[test]
    fn a_proof_says_where_it_broke() {
        assert_eq!(answered(true, 200), None);
        assert_eq!(answered(true, 502), Some(TunnelBreak::Tunnel));
        assert_eq!(answered(false, 200), Some(TunnelBreak::Tunnel), "somebody else's 200 proves nothing");
        assert_eq!(answered(false, 404), Some(TunnelBreak::Tunnel));
        assert_eq!(answered(false, 530), Some(TunnelBreak::Ingress));
        let unknown = PlainGetError::Name { host: "h".into(), why: "w".into() };
        assert_eq!(judged(false, Err(unknown)).0, Some(TunnelBreak::Dns));
        let silent = || PlainGetError::Exchange("no answer".into());
        assert_eq!(judged(false, Err(silent())).0, Some(TunnelBreak::Tunnel));
        assert_eq!(judged(true, Err(silent())).0, Some(TunnelBreak::Tunnel));
    }
}
