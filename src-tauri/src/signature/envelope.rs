//! The envelope: a delivery as agents and scripts like to read it (DESIGN section 5).

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::json_fields::{check, first_byte, is_string, members, without_bom};
use crate::domain::Timestamp;

/// Deepest payload that is spliced into the envelope, in levels of nesting. The envelope is part of a larger document,
/// and common JSON parsers refuse that document as a whole at 128 levels; the raw body stays readable beside it.
pub(super) const ENVELOPE_DEPTH_MAX: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    event: &'a str,
    event_payload: &'a RawValue,
    request: RequestPart<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestPart<'a> {
    received_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
}

/// `{event, eventPayload, request:{receivedAt, contentType}}`; none when the body is no JSON, or nests too deeply.
///
/// `eventPayload` is the body's own `eventPayload` when it brings one beside a string `event`, else the whole body. It
/// is the body's text, not a re-encoding: numbers, key order, repeats and escapes stay as sent.
#[must_use]
pub fn envelope(event: &str, body: &[u8], received_at: Timestamp, content_type: Option<&str>) -> Option<Box<RawValue>> {
    let text = std::str::from_utf8(without_bom(body)).ok()?;
    let payload = payload(text)?;
    let content_type = content_type.filter(|text| !text.is_empty());
    let request = RequestPart { received_at, content_type };
    // Writing text, an instant and a checked value to memory cannot fail.
    to_raw_value(&Envelope { event, event_payload: payload, request }).ok()
}

fn payload(text: &str) -> Option<&RawValue> {
    let own = match first_byte(text)? {
        b'{' => match members(text, &["event", "eventPayload"]).ok()? {
            [Some(event), Some(payload)] if is_string(event) => Some(payload),
            _ => None,
        },
        _ => check(text).ok().map(|()| None)?,
    };
    let payload = match own {
        Some(payload) => payload,
        None => serde_json::from_str(text).ok()?,
    };
    (depth(payload.get()) <= ENVELOPE_DEPTH_MAX).then_some(payload)
}

/// Levels of nesting of a valid JSON text.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_700_000_000_123);

    fn text(event: &str, body: &str) -> String {
        envelope(event, body.as_bytes(), AT, Some("application/json")).unwrap().get().to_owned()
    }

    fn expected(event: &str, payload: &str) -> String {
        format!(
            r#"{{"event":"{event}","eventPayload":{payload},"request":{}}}"#,
            r#"{"receivedAt":"2023-11-14T22:13:20.123Z","contentType":"application/json"}"#
        )
    }

    #[test]
    fn a_payload_that_the_caller_provides_beside_an_event_is_kept() {
        assert_eq!(text("a.b", r#"{"event":"a.b","eventPayload":{"x": 1}}"#), expected("a.b", r#"{"x": 1}"#));
        assert_eq!(text("a.b", r#"{"eventPayload":null,"event":"a.b"}"#), expected("a.b", "null"));
    }

    #[test]
    fn without_a_string_event_beside_it_the_whole_body_is_the_payload() {
        for body in [r#"{"event":1,"eventPayload":{}}"#, r#"{"eventPayload":{}}"#, r#"{"event":"e"}"#, "[1,2]", "7"] {
            assert_eq!(text("e", body), expected("e", body));
        }
    }

    #[test]
    fn numbers_order_repeats_and_escapes_are_never_re_encoded() {
        let body = r#"{"z":12345678901234567890123,"a":1.0,"b":1e3,"c":-0.0,"d":1e999,"z":"\u00e9\/","s":"<&>"}"#;
        assert_eq!(text("e", body), expected("e", body));
    }

    #[test]
    fn a_byte_order_mark_and_white_space_around_the_body_are_left_out() {
        assert_eq!(text("e", "\u{feff} {\"a\":1}\n"), expected("e", r#"{"a":1}"#));
    }

    #[test]
    fn a_body_that_is_no_json_has_no_envelope() {
        for body in [&b""[..], b" ", b"a=1", b"{", b"{} x", b"[1] 2", b"\"\xff\""] {
            assert!(envelope("e", body, AT, None).is_none(), "{body:?}");
        }
    }

    #[test]
    fn an_absent_content_type_is_left_out_and_the_event_is_escaped() {
        for content_type in [None, Some("")] {
            let text = envelope("a\"b", b"{}", AT, content_type).unwrap().get().to_owned();
            assert_eq!(
                text,
                r#"{"event":"a\"b","eventPayload":{},"request":{"receivedAt":"2023-11-14T22:13:20.123Z"}}"#
            );
        }
    }

    #[test]
    fn a_body_that_nests_too_deeply_for_common_parsers_has_no_envelope() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(envelope("e", nested(ENVELOPE_DEPTH_MAX).as_bytes(), AT, None).is_some());
        assert!(envelope("e", nested(ENVELOPE_DEPTH_MAX + 1).as_bytes(), AT, None).is_none());
        assert!(envelope("e", nested(1_000_000).as_bytes(), AT, None).is_none());
        assert_eq!(depth(r#"{"a":"[[\"[[","b":[{}],"c\\":[]}"#), 3);
        let readable = envelope("e", nested(ENVELOPE_DEPTH_MAX).as_bytes(), AT, None).unwrap();
        let inside = format!("{{\"deliveries\":[{{\"envelope\":{readable}}}]}}");
        assert!(serde_json::from_str::<serde_json::Value>(&inside).is_ok());
    }
}
