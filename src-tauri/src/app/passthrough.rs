//! Passthrough: the sender gets the first target's answer.

use std::sync::Arc;

use super::App;
use super::capture::TargetWait;
use super::inbound::IngressReply;
use super::replies;
use crate::domain::{AttemptOutcome, DeliveryId, Headers};
use crate::relay::{AttemptResult, TargetResponse};

/// Headers of a target's answer that concern one connection only (RFC 9110 section 7.6.1), or that we make ourselves.
const NOT_PASSED: [&str; 9] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl App {
    /// Waits for an attempt's end, notes what the sender is told, and returns it. The time limit ends the wait, not the
    /// attempt.
    pub(super) async fn pass_through(self: &Arc<Self>, wait: TargetWait) -> IngressReply {
        let TargetWait { delivery: id, attempt, ended, limit } = wait;
        let reply = match tokio::time::timeout(limit, ended).await {
            Ok(Ok(result)) => reply_of(id, result),
            Ok(Err(_)) => replies::failed(502, id, "Creel is stopping"),
            Err(_) => {
                self.core.waiters.forget(attempt);
                replies::failed(504, id, &format!("the target did not answer within {} ms", limit.as_millis()))
            }
        };
        let (status, headers, body) = (reply.status, reply.headers.clone(), reply.body.clone());
        let noted = self.core.store.write(move |writing| writing.set_response(id, status, &headers, &body)).await;
        if let Err(error) = noted {
            tracing::warn!(%error, delivery = %id, "what the sender was told could not be noted");
        }
        reply
    }
}

fn reply_of(id: DeliveryId, result: AttemptResult) -> IngressReply {
    let answered = matches!(result.outcome, AttemptOutcome::Succeeded | AttemptOutcome::HttpError);
    match result.response {
        Some(response) if answered && response.status >= 200 && !response.truncated => passed(response),
        Some(response) if answered && response.status >= 200 => {
            let reason =
                format!("the target's answer is too large to be passed on ({} bytes and more)", response.body_size);
            replies::failed(502, id, &reason)
        }
        _ => {
            let status = if result.outcome == AttemptOutcome::TimedOut { 504 } else { 502 };
            replies::failed(status, id, result.reason.as_deref().unwrap_or("the target did not answer"))
        }
    }
}

fn passed(response: TargetResponse) -> IngressReply {
    let passes = |(name, _): &(&str, &[u8])| !NOT_PASSED.iter().any(|dropped| name.eq_ignore_ascii_case(dropped));
    IngressReply {
        status: response.status,
        headers: Headers::from_pairs(response.headers.iter().filter(passes)).unwrap_or_default(),
        body: response.body,
        is_bad_credential: false,
    }
}
