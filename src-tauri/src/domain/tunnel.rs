//! The tunnel: which program makes the ingress reachable from outside, how it stands, and what proves it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EndpointId, Timestamp, words};

/// What becomes reachable when a tunnel starts; shown before the first start, and with every state.
pub const TUNNEL_EXPOSES: &str = "Anyone who knows an endpoint's URL can send to it from the internet; the list of \
     deliveries, the admin API and everything else on this machine stay private.";

words! {
    /// How the tunnel stands.
    TunnelStatus {
        /// Nothing runs.
        Stopped = "stopped",
        /// The program was started and has not said its URL.
        Starting = "starting",
        /// The URL is known; the program does not say yet that it is connected.
        UrlKnown = "url_known",
        /// The program says that it is connected.
        Ready = "ready",
        /// The program runs, but the tunnel does not carry requests.
        Degraded = "degraded",
        /// The program ended and is started again at `restart_at`.
        Restarting = "restarting",
        /// It was given up; `reason` and `hint` say why and what to do.
        Failed = "failed",
    }
}

words! {
    /// Where a proof of life broke.
    TunnelBreak {
        /// The name of the public URL is not known.
        Dns = "dns",
        /// Nobody, or somebody else, answers at the public URL.
        Tunnel = "tunnel",
        /// The tunnel answers, but says that it does not reach Creel.
        Ingress = "ingress",
    }
}

words! {
    /// Where a line of the tunnel's log came from.
    TunnelStream {
        /// The program's standard output.
        Stdout = "stdout",
        /// The program's standard error.
        Stderr = "stderr",
        /// Creel itself: starts, ends, restarts.
        Creel = "creel",
    }
}

/// What came of one request through the public URL to Creel's own ingress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TunnelProbe {
    /// When it began.
    pub at: Timestamp,
    /// Whether it arrived and was answered.
    pub ok: bool,
    /// Milliseconds until the answer, or until giving up.
    pub ms: u64,
    /// Where it broke; null when it arrived.
    pub broke_at: Option<TunnelBreak>,
    /// A sentence: `reachable, 84 ms`, or what went wrong.
    pub message: String,
    /// Whether somebody took the connection: for a machine without a network nobody does. Told to nobody.
    #[serde(skip)]
    #[cfg_attr(feature = "types", ts(skip))]
    pub connected: bool,
}

/// The tunnel that a delivery came by, as it was known at arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct DeliveryTunnel {
    /// Slug of its provider.
    pub provider: String,
    /// That provider's name for people.
    pub name: String,
    /// Lower-case names of headers that it adds; a request need not have all of them.
    pub adds_headers: Vec<String>,
}

/// The public URL is another one than providers were told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TunnelUrlChange {
    /// The public base URL that providers may still have.
    pub from: String,
    /// The one that holds now.
    pub to: String,
    /// When it changed.
    pub at: Timestamp,
    /// Whether the user has said that the providers know.
    pub acknowledged: bool,
}

/// An endpoint whose provider may still have the old URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct AffectedEndpoint {
    /// The endpoint.
    pub id: EndpointId,
    /// Its name.
    pub name: String,
    /// Slug of its provider.
    pub provider: String,
    /// What the provider may still have.
    pub old_url: String,
    /// What it should have.
    pub new_url: String,
}

/// One line that the tunnel's program wrote: no control sequences, no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TunnelLogLine {
    /// Its number since the engine started; the first is 1.
    pub n: u64,
    /// When it came.
    pub at: Timestamp,
    /// Where it came from.
    pub stream: TunnelStream,
    /// The line.
    pub text: String,
}

/// How a tunnel stands, as far as its program and its proofs of life say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TunnelStanding {
    /// In one word.
    pub status: TunnelStatus,
    /// Public base URL without a trailing slash; null while none is known.
    pub public_url: Option<String>,
    /// Why it is degraded, restarting or failed, in one sentence.
    pub reason: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// What the user should know though all is well, such as a URL without TLS.
    pub notes: Vec<String>,
    /// The newest proof of life; null before the first.
    pub last_probe: Option<TunnelProbe>,
    /// Starts of the program beyond the first, since the user started the tunnel.
    pub restarts: u32,
    /// When the program is started again; null unless it waits for that.
    pub restart_at: Option<Timestamp>,
    /// Lines of the log so far: when it grows there is something new to read with `GET /tunnel`.
    pub log_lines: u64,
}

impl TunnelStanding {
    /// Nothing but this is known yet.
    #[must_use]
    pub fn of(status: TunnelStatus) -> Self {
        Self {
            status,
            public_url: None,
            reason: None,
            hint: None,
            notes: Vec::new(),
            last_probe: None,
            restarts: 0,
            restart_at: None,
            log_lines: 0,
        }
    }

    /// Whether a program runs, or is about to.
    #[must_use]
    pub fn runs(&self) -> bool {
        !matches!(self.status, TunnelStatus::Stopped | TunnelStatus::Failed)
    }
}

/// The tunnel of this engine: what the event `tunnel` carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TunnelState {
    /// How it stands.
    #[serde(flatten)]
    #[cfg_attr(feature = "types", ts(flatten))]
    pub standing: TunnelStanding,
    /// Slug of the tunnel provider that runs, or ran last; null before the first start.
    pub provider: Option<String>,
    /// That provider's name for people.
    pub provider_name: Option<String>,
    /// The newest change of the public URL; null when there was none.
    pub url_changed: Option<TunnelUrlChange>,
    /// Endpoints whose provider may still have the old URL; empty once acknowledged.
    pub endpoints_affected: Vec<AffectedEndpoint>,
    /// When the user started it; null when it is stopped.
    pub started_at: Option<Timestamp>,
    /// What is reachable from outside while it runs, in one sentence.
    pub exposes: String,
}

/// The tunnel with the end of its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TunnelDetail {
    /// How it stands.
    #[serde(flatten)]
    #[cfg_attr(feature = "types", ts(flatten))]
    pub state: TunnelState,
    /// The newest lines of its log, oldest first; at most 200.
    pub log: Vec<TunnelLogLine>,
}
