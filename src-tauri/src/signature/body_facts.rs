//! What the engine needs to know about a body: whether it is JSON, and six of its fields.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::json_fields::{check, first_byte, members, string, without_bom};
use crate::domain::words;

/// Kinds of JSON documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    /// `{...}`
    Object,
    /// `[...]`
    Array,
    /// A bare string, number, boolean or null.
    Scalar,
}

words! {
    /// A top-level field of a JSON object that names, keys and filters may use.
    BodyField {
        /// `event`
        Event = "event",
        /// `type`
        Kind = "type",
        /// `action`
        Action = "action",
        /// `state`
        State = "state",
        /// `conclusion`
        Conclusion = "conclusion",
        /// `status`
        Status = "status",
    }
}

/// What one pass over a body finds out. A field that is absent or no string is none; of a repeated one the last counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyFacts {
    /// What kind of JSON it is; none: it is no JSON.
    pub json: Option<JsonKind>,
    /// `event`
    pub event: Option<String>,
    /// `type`
    pub kind: Option<String>,
    /// `action`
    pub action: Option<String>,
    /// `state`
    pub state: Option<String>,
    /// `conclusion`
    pub conclusion: Option<String>,
    /// `status`
    pub status: Option<String>,
    /// Why it is no JSON, with the offset in bytes, for people.
    pub error: Option<String>,
}

impl BodyFacts {
    /// Reads a body, one UTF-8 byte order mark skipped. Depth-safe; keeps nothing but the six fields.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let bytes = without_bom(body);
        let skipped = body.len() - bytes.len();
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = skipped + error.valid_up_to();
                return Self::not_json(format!("the body is not UTF-8 at byte {at}, so it is no JSON (RFC 8259)"));
            }
        };
        let read = match first_byte(text) {
            None => return Self::not_json(empty_text(body).to_owned()),
            Some(b'{') => Self::of_object(text),
            Some(b'[') => check(text).map(|()| Self::of_kind(JsonKind::Array)),
            Some(_) => check(text).map(|()| Self::of_kind(JsonKind::Scalar)),
        };
        read.unwrap_or_else(|error| {
            let at = skipped + offset(text, &error);
            Self::not_json(format!("the body is no JSON: {error} (byte {at})"))
        })
    }

    /// The text of a field.
    #[must_use]
    pub fn field(&self, field: BodyField) -> Option<&str> {
        match field {
            BodyField::Event => &self.event,
            BodyField::Kind => &self.kind,
            BodyField::Action => &self.action,
            BodyField::State => &self.state,
            BodyField::Conclusion => &self.conclusion,
            BodyField::Status => &self.status,
        }
        .as_deref()
    }

    fn of_object(text: &str) -> serde_json::Result<Self> {
        let names = ["event", "type", "action", "state", "conclusion", "status"];
        let [event, kind, action, state, conclusion, status] =
            members(text, &names)?.map(|value| value.and_then(string));
        Ok(Self { json: Some(JsonKind::Object), event, kind, action, state, conclusion, status, error: None })
    }

    fn of_kind(kind: JsonKind) -> Self {
        Self { json: Some(kind), ..Self::default() }
    }

    fn not_json(error: String) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

fn empty_text(body: &[u8]) -> &'static str {
    if body.is_empty() { "the body is empty" } else { "the body is no JSON: it holds only white space" }
}

/// Bytes read up to a fault; serde_json says line and column (in bytes), both from 1.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let lines_before = error.line().saturating_sub(1);
    let line_start: usize = text.split_inclusive('\n').take(lines_before).map(str::len).sum();
    line_start + error.column().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_six_fields_are_read_and_all_else_is_skipped() {
        let facts = BodyFacts::read(
            br#"{"x":{"event":"inner"},"event":"a","type":"b","action":"c","state":"d","conclusion":"e","status":"f"}"#,
        );
        let fields: Vec<_> = BodyField::ALL.iter().map(|field| facts.field(*field).unwrap()).collect();
        assert_eq!(fields, ["a", "b", "c", "d", "e", "f"]);
        assert_eq!((facts.json, facts.error), (Some(JsonKind::Object), None));
    }

    #[test]
    fn a_field_of_another_type_counts_as_absent_and_of_repeated_ones_the_last_counts() {
        let facts = BodyFacts::read(br#"{"event":["x"],"type":null,"action":{"a":1},"state":1e999,"status":true}"#);
        assert_eq!(facts, BodyFacts::of_kind(JsonKind::Object));
        assert_eq!(BodyFacts::read(br#"{"event":"a","event":"b"}"#).event.as_deref(), Some("b"));
        assert_eq!(BodyFacts::read(br#"{"event":"a","event":1}"#).event, None);
        assert_eq!(BodyFacts::read(br#"{"\u0065vent":"\u00e9\n"}"#).event.as_deref(), Some("é\n"));
    }

    #[test]
    fn arrays_and_scalars_are_json_without_fields() {
        assert_eq!(BodyFacts::read(b" [1, {\"event\":\"x\"}] "), BodyFacts::of_kind(JsonKind::Array));
        for scalar in ["\"x\"", "1e999", "-0", "true", "null", "123456789012345678901234567890"] {
            assert_eq!(BodyFacts::read(scalar.as_bytes()), BodyFacts::of_kind(JsonKind::Scalar), "{scalar}");
        }
    }

    #[test]
    fn one_byte_order_mark_is_skipped_and_a_second_is_no_json() {
        assert_eq!(BodyFacts::read(b"\xef\xbb\xbf{\"event\":\"a\"}").event.as_deref(), Some("a"));
        assert_eq!(BodyFacts::read(b"\xef\xbb\xbf\xef\xbb\xbf{}").json, None);
    }

    #[test]
    fn what_is_no_json_says_why_and_where() {
        let error = |body: &[u8]| BodyFacts::read(body).error.unwrap();
        assert_eq!(error(b""), "the body is empty");
        assert_eq!(error(b" \n"), "the body is no JSON: it holds only white space");
        assert_eq!(error(b"\xef\xbb\xbf"), "the body is no JSON: it holds only white space");
        assert!(error(b"{\"a\":1,}").ends_with("(byte 7)"), "{}", error(b"{\"a\":1,}"));
        assert!(error(b"{\n\"a\":x}").ends_with("(byte 6)"), "{}", error(b"{\n\"a\":x}"));
        assert!(error(b"a=1&b=2").ends_with("(byte 0)"), "{}", error(b"a=1&b=2"));
        assert_eq!(error(b"{\"a\":\"\xff\"}"), "the body is not UTF-8 at byte 6, so it is no JSON (RFC 8259)");
        assert!(error(b"{} {}").starts_with("the body is no JSON: trailing characters"));
    }

    #[test]
    fn a_million_levels_of_nesting_are_read_without_a_million_stack_frames() {
        let depth = 1_000_000;
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(BodyFacts::read(nested.as_bytes()).json, Some(JsonKind::Array));
        for field in ["event", "other"] {
            let body = format!("{{\"{field}\":{nested},\"type\":\"t\"}}");
            let facts = BodyFacts::read(body.as_bytes());
            assert_eq!((facts.event, facts.kind.as_deref()), (None, Some("t")));
        }
        let objects = format!("{}1{}", "{\"event\":".repeat(depth), "}".repeat(depth));
        assert_eq!(BodyFacts::read(objects.as_bytes()).json, Some(JsonKind::Object));
        assert!(BodyFacts::read("[".repeat(depth).as_bytes()).error.is_some());
    }

    #[test]
    fn a_lone_surrogate_spoils_only_the_field_it_stands_in() {
        let facts = BodyFacts::read(br#"{"\ud800":1,"x":"\ud800","event":"\ud800","type":"t"}"#);
        assert_eq!((facts.json, facts.event, facts.kind.as_deref()), (Some(JsonKind::Object), None, Some("t")));
    }
}
