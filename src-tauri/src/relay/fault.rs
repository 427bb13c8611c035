//! Everything that can go wrong between opening a connection and the end of an answer, as sentences for people.

use std::io;
use std::time::Duration;

use super::TargetError;
use super::target_url::{RequestTargetError, TargetUrlError};
use crate::domain::AttemptOutcome;

/// Why an attempt did not end with a complete final answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    TargetUrl(#[from] TargetUrlError),
    #[error(transparent)]
    NotAllowed(#[from] TargetError),
    #[error(transparent)]
    RequestTarget(#[from] RequestTargetError),
    #[error("the method {0:?} cannot be sent")]
    Method(String),
    #[error("nothing answers on {0} (connection refused)")]
    Refused(String),
    #[error("no connection to {authority}: {}", worded(.error))]
    Unreachable { authority: String, error: io::Error },
    #[error("no connection to {authority} within {}", shown(*.limit))]
    ConnectTime { authority: String, limit: Duration },
    #[error("no TLS with {authority}: {detail}")]
    Tls { authority: String, detail: String },
    #[error("no answer within {}", shown(*.0))]
    HeadTime(Duration),
    #[error("the answer was not complete within {}", shown(*.0))]
    TotalTime(Duration),
    #[error("the target closed the connection without an answer")]
    ClosedWithoutAnswer,
    #[error("the target closed the connection in the middle of the answer's head")]
    ClosedInHead,
    #[error("the target closed the connection in the middle of the answer's body, after {0} bytes")]
    ClosedInBody(u64),
    #[error("the connection broke before an answer came: {}", worded(.0))]
    BrokenBeforeAnswer(io::Error),
    #[error("the connection broke in the middle of the answer's head: {}", worded(.0))]
    BrokenInHead(io::Error),
    #[error("the connection broke in the middle of the answer's body, after {read} bytes: {}", worded(.error))]
    BrokenInBody { read: u64, error: io::Error },
    #[error("the answer is not HTTP/1: it begins with {0}")]
    NotHttp(String),
    #[error("the answer's head is malformed: {0}")]
    BadHead(&'static str),
    #[error("the answer's head is larger than {} KiB", .0 / 1024)]
    HeadTooLarge(usize),
    #[error("the answer has more than {0} headers")]
    TooManyHeaders(usize),
    #[error("the target sent more than {0} interim (1xx) answers")]
    TooManyInterim(u32),
    #[error("the target wants to switch protocols (101), which a relay does not do")]
    SwitchingProtocols,
    #[error("the answer's body is badly chunked: {0}")]
    BadChunk(&'static str),
}

impl Fault {
    /// The word for it in the contract.
    pub(super) const fn outcome(&self) -> AttemptOutcome {
        match self {
            Self::TargetUrl(_)
            | Self::NotAllowed(_)
            | Self::RequestTarget(_)
            | Self::Method(_)
            | Self::Refused(_)
            | Self::Unreachable { .. }
            | Self::Tls { .. } => AttemptOutcome::ConnectFailed,
            Self::ConnectTime { .. } | Self::HeadTime(_) | Self::TotalTime(_) => AttemptOutcome::TimedOut,
            Self::SwitchingProtocols => AttemptOutcome::HttpError,
            Self::ClosedWithoutAnswer
            | Self::ClosedInHead
            | Self::ClosedInBody(_)
            | Self::BrokenBeforeAnswer(_)
            | Self::BrokenInHead(_)
            | Self::BrokenInBody { .. }
            | Self::NotHttp(_)
            | Self::BadHead(_)
            | Self::HeadTooLarge(_)
            | Self::TooManyHeaders(_)
            | Self::TooManyInterim(_)
            | Self::BadChunk(_) => AttemptOutcome::Reset,
        }
    }
}

fn shown(limit: Duration) -> String {
    if limit.subsec_millis() == 0 { format!("{} s", limit.as_secs()) } else { format!("{} ms", limit.as_millis()) }
}

/// The usual ways for a connection to break, without the system's numbers.
fn worded(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            "reset by the target".to_owned()
        }
        io::ErrorKind::HostUnreachable => "no route to the host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "no route to the network".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no address or port left to connect from".to_owned(),
        _ => error.to_string(),
    }
}
