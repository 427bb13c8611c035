//! Where event names and dedupe keys are read from.

use serde::Deserialize;

use super::Place;
use super::place::{PlaceTable, Sources};
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

/// One place that may hold an event's name, and what the name is made of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "EventTable")]
pub struct EventSource {
    place: Place,
    prefix: String,
    suffix: Option<Place>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventTable {
    header: Option<String>,
    body: Option<String>,
    form: Option<String>,
    element: Option<String>,
    #[serde(default)]
    prefix: String,
    suffix: Option<String>,
}

impl TryFrom<EventTable> for EventSource {
    type Error = &'static str;

    fn try_from(table: EventTable) -> Result<Self, Self::Error> {
        let EventTable { header, body, form, element, prefix, suffix } = table;
        let place = Place::try_from(PlaceTable { header, body, form, element, query: None })?;
        let suffix = suffix.map(|path| Place::try_from(PlaceTable { body: Some(path), ..PlaceTable::default() }));
        Ok(Self { place, prefix, suffix: suffix.transpose()? })
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

    fn read(&self, sources: &Sources<'_>) -> Option<EventName> {
        let value = self.place.read(sources)?;
        let suffix = self.suffix.as_ref().and_then(|place| place.read(sources));
        let length = self.prefix.len() + value.len() + suffix.as_ref().map_or(0, |text| 1 + text.len());
        if length > EVENT_NAME_BYTES_MAX {
            return None;
        }
        let mut name = String::with_capacity(length);
        name.push_str(&self.prefix);
        name.push_str(&value);
        if let Some(suffix) = suffix {
            name.push('.');
            name.push_str(&suffix);
        }
        Some(EventName { name, source: self.place.word().to_owned() })
    }
}

/// The name from the first source that has one.
pub(super) fn event_name(rules: &[EventSource], sources: &Sources<'_>) -> EventName {
    rules
        .iter()
        .find_map(|rule| rule.read(sources))
        .unwrap_or_else(|| EventName { name: EVENT_NAME_DEFAULT.to_owned(), source: EVENT_SOURCE_DEFAULT.to_owned() })
}

/// The key from the first place that has one of a bearable length.
pub(super) fn dedupe_key(places: &[Place], sources: &Sources<'_>) -> Option<DedupeKey> {
    places.iter().find_map(|place| {
        let found = place.read(sources)?;
        let key = found.trim();
        let taken = !key.is_empty() && key.len() <= DEDUPE_KEY_BYTES_MAX;
        taken.then(|| DedupeKey { key: key.to_owned(), source: place.word().to_owned() })
    })
}
