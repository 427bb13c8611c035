//! What senders are told: the JSON bodies of CONTRACT section 3.

use std::fmt::Write as _;

use bytes::Bytes;

use super::inbound::{IngressReply, JSON_HEADERS};
use crate::domain::{AttemptId, DeliveryId, EndpointId, Headers};
use crate::signature::HandshakeReply;

/// Seconds after which a sender should try again what could not be stored.
const RETRY_AFTER_SECONDS: &str = "2";

/// Headers of every JSON answer.
#[must_use]
pub fn json_headers() -> Headers {
    Headers::from_checked_block(Bytes::from_static(JSON_HEADERS))
}

fn json(status: u16, body: String) -> IngressReply {
    IngressReply { status, headers: json_headers(), body: Bytes::from(body), is_bad_credential: false }
}

/// 200: stored, relay under way.
#[must_use]
pub fn accepted(delivery: DeliveryId, endpoint: EndpointId, attempts: &[AttemptId]) -> IngressReply {
    let mut body =
        format!(r#"{{"status":"accepted","delivery_id":"{delivery}","endpoint_id":"{endpoint}","attempt_ids":"#);
    push_ids(&mut body, attempts);
    body.push('}');
    json(200, body)
}

/// 200: stored; nothing to relay to.
#[must_use]
pub fn skipped(delivery: DeliveryId) -> IngressReply {
    json(200, format!(r#"{{"status":"skipped","delivery_id":"{delivery}","reason":"no_target"}}"#))
}

/// 200: stored, not relayed.
#[must_use]
pub fn ignored(delivery: DeliveryId, reason: &str) -> IngressReply {
    json(200, format!(r#"{{"status":"ignored","delivery_id":"{delivery}","reason":"{reason}"}}"#))
}

/// What a provider's handshake asks for. No type is guessed from the body by a browser.
#[must_use]
pub fn handshake(reply: &HandshakeReply) -> IngressReply {
    let nosniff = ("X-Content-Type-Options", "nosniff");
    let pairs = reply.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain([nosniff]);
    IngressReply {
        status: reply.status,
        headers: Headers::from_pairs(pairs).unwrap_or_default(),
        body: Bytes::from(reply.body.clone()),
        is_bad_credential: false,
    }
}

/// 200: collapsed onto a delivery that was there before.
#[must_use]
pub fn duplicate(delivery: DeliveryId, attempts: &[AttemptId]) -> IngressReply {
    let mut body = format!(r#"{{"status":"duplicate","delivery_id":"{delivery}","attempt_ids":"#);
    push_ids(&mut body, attempts);
    body.push('}');
    json(200, body)
}

/// 401: stored as rejected.
#[must_use]
pub fn rejected(delivery: DeliveryId, reason: &str) -> IngressReply {
    let body = format!(r#"{{"status":"rejected","delivery_id":"{delivery}","reason":"{reason}"}}"#);
    IngressReply { is_bad_credential: true, ..json(401, body) }
}

/// 404: the endpoint has been deleted while its request was read. The same as for every unknown token.
#[must_use]
pub fn not_found() -> IngressReply {
    IngressReply {
        status: 404,
        headers: json_headers(),
        body: Bytes::from_static(br#"{"error":"webhook not found"}"#),
        is_bad_credential: true,
    }
}

/// 502 or 504: the passthrough target did not answer.
#[must_use]
pub fn failed(status: u16, delivery: DeliveryId, reason: &str) -> IngressReply {
    let reason = serde_json::Value::from(reason);
    json(status, format!(r#"{{"status":"failed","delivery_id":"{delivery}","reason":{reason}}}"#))
}

/// 400: body policy.
#[must_use]
pub fn invalid_body(detail: &str) -> IngressReply {
    json(400, format!(r#"{{"error":{}}}"#, serde_json::Value::from(detail)))
}

/// 503: could not be stored; the sender is asked to come again.
#[must_use]
pub fn unavailable() -> IngressReply {
    let headers = [("Content-Type", "application/json"), ("Retry-After", RETRY_AFTER_SECONDS)];
    IngressReply {
        status: 503,
        headers: Headers::from_pairs(headers).unwrap_or_default(),
        body: Bytes::from_static(br#"{"error":"the delivery could not be stored now; send it again"}"#),
        is_bad_credential: false,
    }
}

fn push_ids(body: &mut String, ids: &[AttemptId]) {
    body.push('[');
    for (index, id) in ids.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ok = write!(body, r#"{comma}"{id}""#);
    }
    body.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reply_is_json_as_the_contract_writes_it() {
        let (delivery, endpoint, attempt) = (DeliveryId::new(), EndpointId::new(), AttemptId::new());
        let replies = [
            (accepted(delivery, endpoint, &[attempt, attempt]), "accepted"),
            (skipped(delivery), "skipped"),
            (ignored(delivery, "event_filtered"), "ignored"),
            (duplicate(delivery, &[]), "duplicate"),
            (rejected(delivery, "missing_signature"), "rejected"),
            (failed(502, delivery, "a \"quoted\" reason"), "failed"),
        ];
        for (reply, status) in replies {
            let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!(body["status"], status);
            assert_eq!(body["delivery_id"], delivery.to_string());
            assert_eq!(reply.headers.get("content-type"), Some(&b"application/json"[..]));
        }
        let error: serde_json::Value = serde_json::from_slice(&invalid_body("a \"b\"").body).unwrap();
        assert_eq!(error["error"], "a \"b\"");
        assert_eq!(unavailable().headers.get("retry-after"), Some(&b"2"[..]));
    }
}
