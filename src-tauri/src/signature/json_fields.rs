//! A few top-level members of a JSON object as they stand in the text, in one pass.
//!
//! Everything else is skipped by serde_json's iterative skipping, so that nesting depth costs memory for a stack of
//! bracket bytes and never the thread's stack. Values stay text: numbers are not decoded, and lone surrogates do not
//! matter.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The UTF-8 byte order mark.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The body without one byte order mark.
pub(super) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(BOM).unwrap_or(body)
}

/// The first byte that is no JSON white space (RFC 8259 section 2).
pub(super) fn first_byte(text: &str) -> Option<u8> {
    text.bytes().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// The named members of an object; of a repeated one the last. The whole text is checked to be one JSON object.
pub(super) fn members<'de, const N: usize>(
    text: &'de str,
    names: &[&str; N],
) -> serde_json::Result<[Option<&'de RawValue>; N]> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_map(Members { names })?;
    reader.end()?;
    Ok(found)
}

/// Checks that the text is one JSON value.
pub(super) fn check(text: &str) -> serde_json::Result<()> {
    serde_json::from_str::<IgnoredAny>(text).map(|_| ())
}

struct Members<'n, const N: usize> {
    names: &'n [&'n str; N],
}

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(index) = map.next_key_seed(MemberName { names: self.names })? {
            match index {
                Some(index) => found[index] = Some(map.next_value::<&RawValue>()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// Reads a key as bytes, which unlike text may hold an escaped lone surrogate.
struct MemberName<'n, const N: usize> {
    names: &'n [&'n str; N],
}

impl<'de, const N: usize> DeserializeSeed<'de> for MemberName<'_, N> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl<const N: usize> Visitor<'_> for MemberName<'_, N> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_bytes<E>(self, key: &[u8]) -> Result<Self::Value, E> {
        Ok(self.names.iter().position(|name| name.as_bytes() == key))
    }
}

/// The text of a JSON string; nothing for another type, or when it holds a lone surrogate.
pub(super) fn string(value: &RawValue) -> Option<String> {
    if is_string(value) { serde_json::from_str(value.get()).ok() } else { None }
}

/// Whether a value is a JSON string.
pub(super) fn is_string(value: &RawValue) -> bool {
    value.get().starts_with('"')
}
