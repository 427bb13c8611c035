//! Reading the API's objects for people: every text that comes out is safe for a terminal.

use serde_json::Value;

use super::console::{Console, Tone};
use super::escape;

/// What stands for null.
const NOTHING: &str = "-";

/// The value as it is; null when it is absent.
pub(super) fn get<'a>(object: &'a Value, field: &str) -> &'a Value {
    object.get(field).unwrap_or(&Value::Null)
}

/// A field as one line of text: strings bare, other values as JSON, null as `-`.
pub(super) fn text(object: &Value, field: &str) -> String {
    shown(get(object, field))
}

/// A value as one line of text, as [`text`].
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::String(text) => escape::line(text).into_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => escape::line(&other.to_string()).into_owned(),
    }
}

/// The elements of an array; none when it is none.
pub(super) fn items<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    get(object, field).as_array().map_or(&[], Vec::as_slice)
}

/// A time to the second, for tables: `2026-01-31 09:15:02Z`.
pub(super) fn time(object: &Value, field: &str) -> String {
    let text = text(object, field);
    match (text.get(..10), text.get(11..19)) {
        (Some(date), Some(time)) if text.ends_with('Z') => format!("{date} {time}Z"),
        _ => text,
    }
}

/// A number of bytes for people: exact below 1 KiB, else with one decimal.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    // Tenths in integers: floats would round 1023.96 KiB to 1024.0 KiB.
    let mut unit = 0;
    let mut divisor: u128 = 1024;
    while unit + 1 < UNITS.len() && u128::from(count) >= divisor * 1024 {
        divisor *= 1024;
        unit += 1;
    }
    let tenths = u128::from(count) * 10 / divisor;
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// A field with a number of bytes.
pub(super) fn size(object: &Value, field: &str) -> String {
    get(object, field).as_u64().map_or_else(|| NOTHING.to_owned(), bytes)
}

/// How the newest attempt of a slim row stands: `200 in 12 ms`, `connect_failed`, `-`.
pub(super) fn relay(row: &Value) -> String {
    let outcome = text(row, "relay_outcome");
    let answered = match get(row, "relay_status").as_u64() {
        Some(status) => status.to_string(),
        None => outcome,
    };
    match get(row, "relay_duration_ms").as_u64() {
        Some(millis) => format!("{answered} in {millis} ms"),
        None => answered,
    }
}

/// Method, suffix and query as the sender wrote them.
pub(super) fn request_line(row: &Value) -> String {
    let path = get(row, "path").as_str().unwrap_or_default();
    let path = if path.is_empty() { "/" } else { path };
    let query = get(row, "query").as_str().map(|query| format!("?{query}")).unwrap_or_default();
    escape::line(&format!("{} {path}{query}", get(row, "method").as_str().unwrap_or_default())).into_owned()
}

/// Lines `Label  value`, the values in one column.
pub(super) fn pairs(pairs: &[(&str, String)]) -> Vec<String> {
    let width = pairs.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    pairs.iter().map(|(label, value)| format!("{label:<width$}  {value}")).collect()
}

/// A status word of a delivery, an attempt or a signature, tinted.
pub(super) fn status_word(console: &Console, word: &str, padded: &str) -> String {
    let tone = match word {
        "valid" | "dispatched" | "succeeded" | "ok" => Tone::Good,
        "invalid" | "missing" | "rejected" | "failed" | "http_error" | "connect_failed" | "timed_out" | "reset"
        | "fail" => Tone::Bad,
        "interrupted" | "in_doubt" | "ignored" | "warn" => Tone::Doubtful,
        _ => return padded.to_owned(),
    };
    console.tint(padded, tone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sizes_are_shown_without_rounding_up_to_the_next_unit() {
        let table = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1024 * 1024 - 1, "1023.9 KiB"),
            (1024 * 1024, "1.0 MiB"),
            (27_262_976, "26.0 MiB"),
            (u64::MAX, "16777215.9 TiB"),
        ];
        for (count, shown) in table {
            assert_eq!(bytes(count), shown);
        }
    }

    #[test]
    fn a_field_from_outside_cannot_carry_an_escape_sequence() {
        let row = json!({"event": "a\u{1b}[2J\n", "path": "/x\u{202e}", "query": null, "method": "POST"});
        assert_eq!(text(&row, "event"), "a\\x1b[2J\\x0a");
        assert_eq!(request_line(&row), "POST /x\\u{202e}");
        assert_eq!(text(&json!({"list": ["\u{9b}"]}), "list"), "[\"\\x9b\"]");
    }

    #[test]
    fn absent_and_null_are_both_shown_as_nothing() {
        assert_eq!(text(&json!({"a": null}), "a"), "-");
        assert_eq!(text(&json!({}), "a"), "-");
        assert_eq!(size(&json!({}), "a"), "-");
        assert!(items(&json!({"a": 1}), "a").is_empty());
    }

    #[test]
    fn a_time_loses_its_milliseconds_and_keeps_its_zone() {
        assert_eq!(time(&json!({"at": "2026-01-31T09:15:02.123Z"}), "at"), "2026-01-31 09:15:02Z");
        assert_eq!(time(&json!({"at": "soon"}), "at"), "soon");
        assert_eq!(time(&json!({"at": null}), "at"), "-");
    }

    #[test]
    fn the_relay_column_says_status_or_outcome_and_how_long_it_took() {
        let row = |status: Value, outcome: &str, millis: Value| {
            let mut row = json!({ "relay_outcome": outcome });
            row["relay_status"] = status;
            row["relay_duration_ms"] = millis;
            row
        };
        assert_eq!(relay(&row(json!(200), "succeeded", json!(12))), "200 in 12 ms");
        assert_eq!(relay(&row(Value::Null, "connect_failed", json!(3))), "connect_failed in 3 ms");
        assert_eq!(relay(&row(Value::Null, "pending", Value::Null)), "pending");
        assert_eq!(relay(&json!({})), "-");
    }

    #[test]
    fn the_request_line_is_what_came_behind_the_token() {
        assert_eq!(request_line(&json!({"method": "PUT", "path": "", "query": "a=1"})), "PUT /?a=1");
    }
}
