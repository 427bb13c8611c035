//! Reads the engine's JSON.
//!
//! An object of the API may hold a sender's JSON as it was sent (`envelope`), and that may be JSON which no parser with
//! ordinary numbers and strings can hold: `1e999` (RFC 8259 section 6), half of a surrogate pair (section 8.2). One such
//! member must not make all the others unreadable.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The value; a member of an object that cannot be held is null, as the engine has it for JSON that nests too deeply.
pub(super) fn read(bytes: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(bytes).or_else(|error| {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let members = reader.deserialize_map(Members).map_err(|_| error)?;
        reader.end().map(|()| Value::Object(members))
    })
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            members.insert(name, serde_json::from_str(value.get()).unwrap_or_default());
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_that_cannot_be_held_is_null_and_the_others_are_read_in_order() {
        for payload in ["1e999", r#""\ud800""#] {
            let answer = format!(r#"{{"id":"a","envelope":{{"eventPayload":{payload}}},"size":5}}"#);
            let read = read(answer.as_bytes()).unwrap();
            assert_eq!(read, json!({"id": "a", "envelope": null, "size": 5}), "{payload}");
            assert_eq!(read.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "envelope", "size"]);
        }
        assert_eq!(read(br#"{"a":[1,"b"]}"#).unwrap(), json!({"a": [1, "b"]}));
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        for bytes in ["", "{", r#"{"a":1}x"#, "[1e999]", r#"{"a":}"#] {
            assert!(read(bytes.as_bytes()).is_err(), "{bytes}");
        }
    }
}
