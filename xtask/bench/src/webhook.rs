//! The requests that are sent: whole HTTP messages, made and signed before the clock starts.

use anyhow::Result;
use creel_rig::sign::{SIGNATURE_HEADER, signature};

/// What the sender replaces with a number that grows with each request.
pub const SEQUENCE_MARK: &str = "@sequence-number@@@@";
/// What the sender replaces with the moment of sending, in nanoseconds since 1970.
pub const SENT_AT_MARK: &str = "@sent-unix-nanos@@@@";
/// Carries that moment to the target.
pub const SENT_AT_HEADER: &str = "x-bench-sent-at";
/// The endpoint's secret in every benchmark.
pub const SECRET: &str = "a-benchmark-secret-of-some-length";

/// Size of a body, in bytes: what QUALITY's table says.
const BODY_BYTES: usize = 2048;

/// How many different bodies are sent in turn.
const VARIETY: usize = 256;

/// What varies between benchmarks.
#[derive(Clone, Copy, Default)]
pub struct Shape {
    /// Gives each request an `X-GitHub-Delivery` of its own, as GitHub does
    pub dedupe_key: bool,
    /// Tells the target when the request was sent
    pub sent_at: bool,
}

/// Signed requests to `path`, all different.
pub fn requests(host: &str, path: &str, shape: Shape) -> Result<Vec<String>> {
    (0..VARIETY).map(|number| request(host, path, shape, number)).collect()
}

fn request(host: &str, path: &str, shape: Shape, number: usize) -> Result<String> {
    let body = body(number);
    let signature = signature(SECRET, body.as_bytes())?;
    let mut text = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: creel-bench\r\nAccept: */*\r\nContent-Type: application/json\r\n\
         {SIGNATURE_HEADER}: {signature}\r\nContent-Length: {}\r\n",
        body.len()
    );
    if shape.dedupe_key {
        text.push_str(&format!("X-GitHub-Delivery: {SEQUENCE_MARK}\r\n"));
    }
    if shape.sent_at {
        text.push_str(&format!("{SENT_AT_HEADER}: {SENT_AT_MARK}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(&body);
    Ok(text)
}

/// JSON such as providers send: nested, with text, numbers and a list, filled up to [`BODY_BYTES`].
fn body(number: usize) -> String {
    const EVENTS: [&str; 8] = [
        "order.created",
        "order.paid",
        "order.shipped",
        "order.cancelled",
        "invoice.sent",
        "invoice.paid",
        "customer.updated",
        "refund.issued",
    ];
    let head = format!(
        "{{\"id\":\"evt_{number:08}\",\"event\":\"{}\",\"created\":17{number:08},\"livemode\":false,\"data\":{{\"object\":{{\
         \"customer\":\"cus_{number:06}\",\"amount\":{}.50,\"currency\":\"eur\",\"paid\":true,\"lines\":[",
        EVENTS[number % EVENTS.len()],
        100 + number,
    );
    let tail = "],\"note\":\"";
    let end = "\"}}}";
    let mut body = head;
    for line in 0.. {
        let entry = format!("{{\"sku\":\"sku-{number:04}-{line:03}\",\"quantity\":{line},\"price\":12.75}},");
        if body.len() + entry.len() + tail.len() + end.len() > BODY_BYTES - 64 {
            break;
        }
        body.push_str(&entry);
    }
    body.pop();
    body.push_str(tail);
    while body.len() + end.len() < BODY_BYTES {
        body.push(char::from(b'a' + (body.len() % 26) as u8));
    }
    body + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_of_the_stated_size_and_all_different() {
        let bodies: Vec<String> = (0..VARIETY).map(body).collect();
        for body in &bodies {
            assert_eq!(body.len(), BODY_BYTES);
            let json: serde_json::Value = serde_json::from_str(body).unwrap();
            assert!(json["event"].is_string());
        }
        let different: std::collections::BTreeSet<&String> = bodies.iter().collect();
        assert_eq!(different.len(), VARIETY);
    }

    #[test]
    fn a_request_is_signed_over_its_own_body() {
        let text = request("127.0.0.1:1", "/in/ep_x", Shape::default(), 3).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("X-Hub-Signature-256: {}", signature(SECRET, body.as_bytes()).unwrap())));
        assert!(head.contains("Content-Length: 2048"));
    }

    #[test]
    fn marks_stand_where_the_shape_asks_for_them() {
        let plain = request("h", "/", Shape::default(), 0).unwrap();
        assert!(!plain.contains(SEQUENCE_MARK) && !plain.contains(SENT_AT_MARK));
        let marked = request("h", "/", Shape { dedupe_key: true, sent_at: true }, 0).unwrap();
        assert!(marked.contains(SEQUENCE_MARK) && marked.contains(SENT_AT_MARK));
    }
}
