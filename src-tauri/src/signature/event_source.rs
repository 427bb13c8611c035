//! Where event names and dedupe keys are read from.

use serde::Deserialize;

use super::{BodyFacts, BodyField};
use crate::domain::Headers;
use crate::domain::limits::{DEDUPE_KEY_BYTES_MAX, EVENT_NAME_BYTES_MAX};

/// The name of an event whose sender gives it none.
pub(super) const EVENT_NAME_DEFAULT: &str = "webhook.received";
/// The `event_source` of [`EVENT_NAME_DEFAULT`].
const EVENT_SOURCE_DEFAULT: &str = "default";

/// An event's name and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventName {
    /// The name.
    pub name: String,
    /// `body:<field>`, a lower-case header name, or `default`.
    pub source: String,
}

/// What makes a repeat recognisable, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DedupeKey {
    /// The key.
    pub key: String,
    /// A lower-case header name or `body:<path>`.
    pub source: String,
}

/// One place in a request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "PlaceTable")]
pub struct Place {
    at: At,
    word: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    Header(String),
    Body(BodyField),
}

/// One place that may hold an event's name, and what the name is made of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "EventTable")]
pub struct EventSource {
    place: Place,
    prefix: String,
    suffix: Option<BodyField>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceTable {
    header: Option<String>,
    body: Option<BodyField>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventTable {
    header: Option<String>,
    body: Option<BodyField>,
    #[serde(default)]
    prefix: String,
    suffix: Option<BodyField>,
}

impl TryFrom<PlaceTable> for Place {
    type Error = &'static str;

    fn try_from(table: PlaceTable) -> Result<Self, Self::Error> {
        match (table.header, table.body) {
            (Some(header), None) => Self::header(&header).ok_or("`header` is no header name"),
            (None, Some(field)) => Ok(Self { word: format!("body:{field}"), at: At::Body(field) }),
            _ => Err("a source names either a `header` or a `body` field"),
        }
    }
}

impl TryFrom<EventTable> for EventSource {
    type Error = &'static str;

    fn try_from(table: EventTable) -> Result<Self, Self::Error> {
        let place = Place::try_from(PlaceTable { header: table.header, body: table.body })?;
        Ok(Self { place, prefix: table.prefix, suffix: table.suffix })
    }
}

impl Place {
    /// A header; none when it is no header name.
    pub(super) fn header(name: &str) -> Option<Self> {
        Headers::from_pairs([(name, "")]).ok()?;
        Some(Self { word: name.to_ascii_lowercase(), at: At::Header(name.to_owned()) })
    }

    /// The place as `event_source` and `dedupe_source` say it.
    #[must_use]
    pub fn word(&self) -> &str {
        &self.word
    }

    /// What stands there: a header's trimmed text, or a body field's string as it is. Empty counts as absent.
    fn read<'a>(&self, headers: &'a Headers, facts: &'a BodyFacts) -> Option<&'a str> {
        match &self.at {
            At::Header(name) => headers.get_text(name),
            At::Body(field) => facts.field(*field).filter(|text| !text.is_empty()),
        }
    }
}

impl EventSource {
    /// The place of the name.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What the name begins with, for example `github.`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    fn read(&self, headers: &Headers, facts: &BodyFacts) -> Option<EventName> {
        let value = self.place.read(headers, facts)?;
        let suffix = self.suffix.and_then(|field| facts.field(field)).filter(|text| !text.is_empty());
        let length = self.prefix.len() + value.len() + suffix.map_or(0, |text| 1 + text.len());
        if length > EVENT_NAME_BYTES_MAX {
            return None;
        }
        let mut name = String::with_capacity(length);
        name.push_str(&self.prefix);
        name.push_str(value);
        if let Some(suffix) = suffix {
            name.push('.');
            name.push_str(suffix);
        }
        Some(EventName { name, source: self.place.word.clone() })
    }
}

/// The name from the first source that has one.
pub(super) fn event_name(sources: &[EventSource], headers: &Headers, facts: &BodyFacts) -> EventName {
    sources
        .iter()
        .find_map(|source| source.read(headers, facts))
        .unwrap_or_else(|| EventName { name: EVENT_NAME_DEFAULT.to_owned(), source: EVENT_SOURCE_DEFAULT.to_owned() })
}

/// The key from the first place that has one of a bearable length.
pub(super) fn dedupe_key(places: &[Place], headers: &Headers, facts: &BodyFacts) -> Option<DedupeKey> {
    places.iter().find_map(|place| {
        let key = place.read(headers, facts)?.trim();
        let taken = !key.is_empty() && key.len() <= DEDUPE_KEY_BYTES_MAX;
        taken.then(|| DedupeKey { key: key.to_owned(), source: place.word.clone() })
    })
}
