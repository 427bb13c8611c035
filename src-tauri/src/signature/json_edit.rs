//! Puts one text into a JSON body and leaves every other byte as it is.
//!
//! Some providers sign inside the body. To write it out anew would change white space, numbers and escapes that the
//! receiving app, or another signature, may look at.

use std::borrow::Cow;

use super::json_fields::{check, first_byte, is_string, without_bom};
use super::json_path::{JsonPath, Step, element, member};

/// How a text is written where nothing stands yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// As a string.
    Text,
    /// As a number.
    Number,
}

impl JsonPath {
    /// The body with a text at the path: in place of what stands there, or added. A number stays a number. None when the
    /// body is no JSON, or has no object to put it into.
    pub(super) fn with(&self, body: &[u8], text: &str, written: Written) -> Option<Vec<u8>> {
        let document = std::str::from_utf8(without_bom(body)).ok()?;
        check(document).ok()?;
        let bom = body.len() - document.len();
        let mut value = document.trim_matches([' ', '\t', '\n', '\r']);
        for (at, step) in self.steps.iter().enumerate() {
            let found = match step {
                Step::Member(name) => member(value, name),
                Step::Element(index) => element(value, *index),
            };
            match found {
                // A null on the way is no object to put anything into; it gives way to one.
                Some(next) if next.get() == "null" && at + 1 < self.steps.len() => {
                    let start = bom + offset(document, next.get());
                    let new = nested(&self.steps[at + 1..], &literal(text, written))?;
                    return Some(spliced(body, start, next.get().len(), &new));
                }
                Some(next) if at + 1 == self.steps.len() => {
                    let written = match (is_string(next), next.get() == "null") {
                        (true, _) => Written::Text,
                        (false, true) => written,
                        (false, false) => Written::Number,
                    };
                    let start = bom + offset(document, next.get());
                    return Some(spliced(body, start, next.get().len(), &literal(text, written)));
                }
                Some(next) => value = next.get(),
                None => {
                    let new = nested(&self.steps[at..], &literal(text, written))?;
                    return added(body, bom + offset(document, value), value, &new);
                }
            }
        }
        None
    }
}

/// Where a part of the document begins; it must be a part of it.
fn offset(document: &str, part: &str) -> usize {
    part.as_ptr() as usize - document.as_ptr() as usize
}

fn literal(text: &str, written: Written) -> Cow<'_, str> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match written {
        Written::Number if is_number => Cow::Borrowed(text),
        _ => Cow::Owned(serde_json::Value::from(text).to_string()),
    }
}

/// The value inside what the steps lead through: a member as `{"name":...}`, a first element as `[...]`.
fn nested(steps: &[Step], value: &str) -> Option<String> {
    steps.iter().rev().try_fold(value.to_owned(), |inner, step| match step {
        Step::Member(name) => Some(format!("{{{}:{inner}}}", serde_json::Value::from(name.as_str()))),
        Step::Element(0) => Some(format!("[{inner}]")),
        Step::Element(_) => None,
    })
}

/// Adds the members of one object at the end of another.
fn added(body: &[u8], start: usize, object: &str, new: &str) -> Option<Vec<u8>> {
    let inner = object.strip_prefix('{')?.strip_suffix('}')?;
    let members = new.strip_prefix('{')?.strip_suffix('}')?;
    let comma = if first_byte(inner).is_some() { "," } else { "" };
    let kept = inner.trim_end_matches([' ', '\t', '\n', '\r']).len();
    Some(spliced(body, start + 1 + kept, 0, &format!("{comma}{members}")))
}

fn spliced(body: &[u8], start: usize, length: usize, new: &str) -> Vec<u8> {
    [&body[..start], new.as_bytes(), &body[start + length..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(path: &str, body: &str, text: &str, written: Written) -> Option<String> {
        let body = JsonPath::parse(path).unwrap().with(body.as_bytes(), text, written)?;
        Some(String::from_utf8(body).unwrap())
    }

    #[test]
    fn only_the_value_at_the_path_changes() {
        let body = "\u{feff} {\"a\" : [ {\"b\":1.50,\"s\":\"\\u00e9\"} ],\r\n\t\"n\":1e400 }\n";
        let text = with("a[0].s", body, "x\"y", Written::Text).unwrap();
        assert_eq!(text, body.replace("\"\\u00e9\"", "\"x\\\"y\""));
        assert_eq!(with("a[0].b", body, "17", Written::Text).unwrap(), body.replace("1.50", "17"));
        assert_eq!(with("a[0].s", body, "17", Written::Number).unwrap(), body.replace("\"\\u00e9\"", "\"17\""));
    }

    #[test]
    fn what_is_not_there_is_added_in_the_nearest_object() {
        let table = [
            ("a", "{}", r#"{"a":"x"}"#),
            ("a", "{ }", r#"{"a":"x" }"#),
            ("a", "{\"b\":1\n}", "{\"b\":1,\"a\":\"x\"\n}"),
            ("a.b.c", r#"{"a":{"d":2}}"#, r#"{"a":{"d":2,"b":{"c":"x"}}}"#),
            ("a[0].b", r#"{"a":[{}]}"#, r#"{"a":[{"b":"x"}]}"#),
            ("a[0].b", "{}", r#"{"a":[{"b":"x"}]}"#),
            ("a.b", r#"{"a":null}"#, r#"{"a":{"b":"x"}}"#),
            ("a", r#"{"a":null}"#, r#"{"a":"x"}"#),
        ];
        for (path, body, expected) in table {
            assert_eq!(with(path, body, "x", Written::Text).as_deref(), Some(expected), "{path} {body}");
        }
        assert_eq!(with("t", "{}", "5", Written::Number).as_deref(), Some(r#"{"t":5}"#));
    }

    #[test]
    fn a_body_with_no_place_for_it_stays_alone() {
        for (path, body) in [
            ("a", ""),
            ("a", "no json"),
            ("a", "[1]"),
            ("a.b", r#"{"a":1}"#),
            ("[1].a", "[{}]"),
            ("a[1].b", "{}"),
            ("a", "{\"a\":1"),
            ("a", "{} {}"),
        ] {
            assert_eq!(with(path, body, "x", Written::Text), None, "{path} {body}");
        }
    }
}
