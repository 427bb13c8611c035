//! A path to one value inside a JSON document, such as `data.items[0].id`, and its lookup in the text.
//!
//! Only the members on the way are looked at; all else is skipped without recursion, so a body's nesting costs nothing.

use std::borrow::Cow;

use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::json_fields::{is_string, members, without_bom};

/// Steps of the longest path; more would be a mistake in a provider's file.
const STEPS_MAX: usize = 12;

/// A path, as written and as steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JsonPath {
    text: String,
    pub(super) steps: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Into the member of an object.
    Member(String),
    /// Into the element of an array.
    Element(usize),
}

impl JsonPath {
    /// Reads a path: names joined by dots, `[n]` for the element of an array. None when it is not of that form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, mut indices) = part.split_at(part.find('[').unwrap_or(part.len()));
            if !name.is_empty() {
                steps.push(Step::Member(name.to_owned()));
            } else if indices.is_empty() {
                return None;
            }
            while let Some(rest) = indices.strip_prefix('[') {
                let (index, behind) = rest.split_once(']')?;
                steps.push(Step::Element(index.parse().ok()?));
                indices = behind;
            }
            if !indices.is_empty() {
                return None;
            }
        }
        (steps.len() <= STEPS_MAX).then(|| Self { text: text.to_owned(), steps })
    }

    /// The path as written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The text at the path: a string's content, or a number, `true` or `false` as it is written. Objects, arrays, null
    /// and what is not there give nothing.
    pub(super) fn find<'a>(&self, body: &'a [u8]) -> Option<Cow<'a, str>> {
        let mut value = std::str::from_utf8(without_bom(body)).ok()?;
        let mut found: Option<&RawValue> = None;
        for step in &self.steps {
            let next = match step {
                Step::Member(name) => member(value, name)?,
                Step::Element(index) => element(value, *index)?,
            };
            value = next.get();
            found = Some(next);
        }
        scalar(found?)
    }
}

/// The text of a string, number or boolean.
fn scalar(value: &RawValue) -> Option<Cow<'_, str>> {
    if is_string(value) {
        return serde_json::from_str::<String>(value.get()).ok().map(Cow::Owned);
    }
    let text = value.get();
    let plain = !text.starts_with(['{', '[']) && text != "null";
    plain.then_some(Cow::Borrowed(text))
}

/// The member of an object; none when the text is no object, or it has no such member.
pub(super) fn member<'a>(text: &'a str, name: &str) -> Option<&'a RawValue> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    members(text, &[name]).ok()?[0]
}

/// The element of an array.
pub(super) fn element(text: &str, index: usize) -> Option<&RawValue> {
    if !text.trim_start().starts_with('[') {
        return None;
    }
    serde_json::Deserializer::from_str(text).deserialize_seq(Element { index }).ok()?
}

struct Element {
    index: usize,
}

impl<'de> Visitor<'de> for Element {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        for _ in 0..self.index {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = seq.next_element::<&RawValue>()?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str, body: &str) -> Option<String> {
        JsonPath::parse(path).unwrap().find(body.as_bytes()).map(Cow::into_owned)
    }

    #[test]
    fn a_path_leads_through_objects_and_arrays_to_a_text_or_a_number_as_written() {
        let body = r#"{"a":{"b":[{"c":"x\u00e9"},{"c":1.10}]},"event-data":{"id":true},"n":null,"o":{}}"#;
        assert_eq!(find("a.b[0].c", body).as_deref(), Some("xé"));
        assert_eq!(find("a.b[1].c", body).as_deref(), Some("1.10"));
        assert_eq!(find("event-data.id", body).as_deref(), Some("true"));
        assert_eq!(find("[1].x", r#"[0,{"x":"y"}]"#).as_deref(), Some("y"));
        for absent in ["a.b[2].c", "a.x", "n", "o", "a.b", "a.b.c", "a[0]"] {
            assert_eq!(find(absent, body), None, "{absent}");
        }
        assert_eq!(find("a", "no json"), None);
    }

    #[test]
    fn a_text_that_is_no_path_is_refused() {
        for text in ["", ".", "a.", "a..b", "a[", "a[x]", "a[0]b", "a.b.c.d.e.f.g.h.i.j.k.l.m"] {
            assert_eq!(JsonPath::parse(text), None, "{text}");
        }
    }
}
