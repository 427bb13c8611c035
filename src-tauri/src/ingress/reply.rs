//! Answers: the engine's as HTTP, and those that the ingress gives by itself.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::Full;

use crate::app::inbound::{IngressReply, JSON_HEADERS};

/// What hyper sends.
pub type HttpReply = Response<Full<Bytes>>;

/// Headers that belong to the connection or are computed for each answer; no engine sets them.
const NOT_FROM_ENGINE: [&str; 8] =
    ["connection", "content-length", "date", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// `{"error":"..."}` with this status. `message` is JSON text without anything to escape.
#[must_use]
pub fn error(status: StatusCode, message: &str) -> HttpReply {
    debug_assert!(!message.contains(['"', '\\']), "the message would have to be escaped");
    json(status, Bytes::from(format!("{{\"error\":\"{message}\"}}")))
}

/// The one answer to everything unknown, always the same, so that no token can be probed.
#[must_use]
pub fn not_found() -> HttpReply {
    json(StatusCode::NOT_FOUND, Bytes::from_static(br#"{"error":"webhook not found"}"#))
}

/// A tunnel's proof of life.
#[must_use]
pub fn alive() -> HttpReply {
    json(StatusCode::OK, Bytes::from_static(br#"{"creel":"alive"}"#))
}

/// Adds `Retry-After`.
#[must_use]
pub fn retry_after(mut reply: HttpReply, seconds: u64) -> HttpReply {
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    reply
}

/// Says that the connection closes after this answer.
#[must_use]
pub fn closing(mut reply: HttpReply) -> HttpReply {
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

/// The engine's answer. Its length is added by hyper, which also leaves the body out for HEAD, 204 and 304.
#[must_use]
pub fn from_engine(answer: IngressReply) -> HttpReply {
    let status = StatusCode::from_u16(answer.status).ok().filter(|status| !status.is_informational());
    let Some(status) = status else {
        tracing::error!(status = answer.status, "the engine's answer has a status that cannot be sent");
        return error(StatusCode::INTERNAL_SERVER_ERROR, "internal error");
    };
    if &answer.headers.as_block()[..] == JSON_HEADERS {
        return json(status, answer.body);
    }
    let mut reply = Response::new(Full::new(answer.body));
    *reply.status_mut() = status;
    for (name, value) in answer.headers.iter() {
        if NOT_FROM_ENGINE.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
            continue;
        }
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            (Ok(name), Ok(value)) => {
                reply.headers_mut().append(name, value);
            }
            _ => tracing::warn!(name, "a header of the engine's answer cannot be sent and is left out"),
        }
    }
    reply
}

fn json(status: StatusCode, body: Bytes) -> HttpReply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}
