//! How the targets of a filled directory answered: mostly well, sometimes slowly, sometimes not at all.

use anyhow::Result;
use bytes::Bytes;
use creel::domain::{AttemptOutcome, AttemptTimings, Headers, Timestamp};
use creel::store::{AttemptEnd, AttemptResponse};
use creel_rig::chance::drawn;

/// When an attempt started and how it ended.
pub struct Relayed {
    pub started_at: Timestamp,
    pub end: AttemptEnd,
}

/// What the target at `127.0.0.1:3000` said to a delivery.
pub fn relayed(number: u64, target: u64, received_at: Timestamp) -> Result<Relayed> {
    let chance = drawn(number * 4 + target);
    let started_at = Timestamp::from_millis(received_at.as_millis() + 1);
    let (outcome, status, took_ms, reason) = match chance % 200 {
        0..3 => (AttemptOutcome::HttpError, Some(500), 20 + chance % 300, Some("the target answered 500")),
        3..5 => (AttemptOutcome::HttpError, Some(422), 5 + chance % 20, Some("the target answered 422")),
        5..9 => {
            (AttemptOutcome::ConnectFailed, None, 1, Some("nothing answers on 127.0.0.1:3000 (connection refused)"))
        }
        9 => (AttemptOutcome::TimedOut, None, 30_000, Some("the target sent no answer within 30 s")),
        10 => (AttemptOutcome::Reset, None, 40, Some("the target closed the connection before it answered")),
        11..20 => (AttemptOutcome::Succeeded, Some(202), 400 + chance % 2_600, None),
        _ => (AttemptOutcome::Succeeded, Some(200), 2 + chance % 90, None),
    };
    let at = Timestamp::from_millis(started_at.as_millis() + i64::try_from(took_ms)?);
    let response = status.map(|status| response(status, number)).transpose()?;
    let connected = outcome != AttemptOutcome::ConnectFailed;
    let timings = AttemptTimings {
        connect_ms: connected.then_some(took_ms.min(1)),
        first_byte_ms: response.is_some().then(|| took_ms.saturating_sub(1)),
        total_ms: took_ms,
    };
    Ok(Relayed { started_at, end: AttemptEnd { outcome, reason: reason.map(str::to_owned), response, at, timings } })
}

fn response(status: u16, number: u64) -> Result<AttemptResponse> {
    let body = match status {
        500 => {
            format!(r#"{{"error":"unhandled","trace":"order {number}: note is null\n  at handlers/order.ts:88:17"}}"#)
        }
        422 => r#"{"error":"unknown event"}"#.to_owned(),
        _ => format!(r#"{{"ok":true,"job":{number}}}"#),
    };
    let headers = Headers::from_pairs([
        ("Content-Type", "application/json".to_owned()),
        ("Content-Length", body.len().to_string()),
        ("X-Request-Id", creel_rig::chance::uuid(number ^ 0xbeef)),
    ])?;
    Ok(AttemptResponse { status, headers, size: body.len() as u64, body: Bytes::from(body) })
}
