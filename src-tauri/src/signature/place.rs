//! Where in a request something stands: a header, a value in a JSON body, a form field, a query parameter.

use std::borrow::Cow;

use serde::Deserialize;

use super::encoding::Encoding;
use super::json_edit::Written;
use super::json_path::JsonPath;
use super::{BodyFacts, BodyField, form};
use crate::domain::Headers;

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
    Fact(BodyField),
    Body(JsonPath),
    Form { name: String, inner: Inner },
    Query(String),
}

/// What is read inside a form field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Inner {
    Whole,
    Json(JsonPath),
    /// The first XML element of that name, in a field that is base64.
    Element(String),
}

/// A place as a file writes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceTable {
    pub(super) header: Option<String>,
    pub(super) body: Option<String>,
    pub(super) form: Option<String>,
    pub(super) query: Option<String>,
    /// Name of an XML element inside a base64 form field.
    pub(super) element: Option<String>,
}

/// What places are read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sources<'a> {
    pub(super) headers: &'a Headers,
    pub(super) body: &'a [u8],
    /// The six fields, when they have been read already.
    pub(super) facts: Option<&'a BodyFacts>,
    pub(super) url: Option<&'a str>,
}

impl TryFrom<PlaceTable> for Place {
    type Error = &'static str;

    fn try_from(table: PlaceTable) -> Result<Self, Self::Error> {
        const ONE: &str = "a place names one of `header`, `body`, `form` (with or without `body`) and `query`";
        let path = |text: &str| JsonPath::parse(text).ok_or("`body` is no path such as `data.items[0].id`");
        match (table.header, table.body, table.form, table.query) {
            (Some(header), None, None, None) => Self::header(&header).ok_or("`header` is no header name"),
            (None, Some(body), None, None) => Ok(Self {
                word: format!("body:{body}"),
                at: BodyField::parse(&body).map_or_else(|| path(&body).map(At::Body), |field| Ok(At::Fact(field)))?,
            }),
            (None, body, Some(name), None) => {
                let inner = match (body, table.element) {
                    (None, None) => Inner::Whole,
                    (Some(body), None) => Inner::Json(path(&body)?),
                    (None, Some(element)) => Inner::Element(element),
                    _ => return Err(ONE),
                };
                let word = match &inner {
                    Inner::Whole => format!("body:{name}"),
                    Inner::Json(path) => format!("body:{name}.{}", path.as_str()),
                    Inner::Element(element) => format!("body:{name}.{element}"),
                };
                Ok(Self { word, at: At::Form { name, inner } })
            }
            (None, None, None, Some(name)) => Ok(Self { word: format!("query:{name}"), at: At::Query(name) }),
            _ => Err(ONE),
        }
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

    /// The header's name, when it is a header.
    pub(super) fn header_name(&self) -> Option<&str> {
        match &self.at {
            At::Header(name) => Some(name),
            _ => None,
        }
    }

    /// The body with a text at this place; none when the place is not in the body, or the body is not of that form.
    pub(super) fn write(&self, body: &[u8], text: &str, written: Written) -> Option<Vec<u8>> {
        match &self.at {
            At::Fact(field) => JsonPath::parse(field.as_str())?.with(body, text, written),
            At::Body(path) => path.with(body, text, written),
            At::Form { name, inner: Inner::Whole } => form::with_field(body, name, text.as_bytes()),
            At::Form { name, inner: Inner::Json(path) } => {
                let inner = path.with(&form::field_bytes(body, name)?, text, written)?;
                form::with_field(body, name, &inner)
            }
            At::Header(_) | At::Query(_) | At::Form { .. } => None,
        }
    }

    /// What stands there: a header's trimmed text, or a value of the body as it is. Empty counts as absent.
    pub(super) fn read<'a>(&self, sources: &Sources<'a>) -> Option<Cow<'a, str>> {
        let found = match &self.at {
            At::Header(name) => return sources.headers.get_text(name).map(Cow::Borrowed),
            At::Fact(field) => match sources.facts {
                Some(facts) => Cow::Borrowed(facts.field(*field)?),
                None => JsonPath::parse(field.as_str())?.find(sources.body)?,
            },
            At::Body(path) => path.find(sources.body)?,
            At::Form { name, inner } => inner.read(form::field(sources.body, name)?)?,
            At::Query(name) => query(sources.url?, name)?,
        };
        (!found.is_empty()).then_some(found)
    }
}

impl Inner {
    fn read<'a>(&self, field: Cow<'a, str>) -> Option<Cow<'a, str>> {
        match self {
            Self::Whole => Some(field),
            Self::Json(path) => path.find(field.as_bytes()).map(|text| Cow::Owned(text.into_owned())),
            Self::Element(name) => {
                let packed: Vec<u8> = field.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
                let xml = String::from_utf8(Encoding::Base64.decode(&packed)?).ok()?;
                let (_, behind) = xml.split_once(&format!("<{name}>"))?;
                let (text, _) = behind.split_once(&format!("</{name}>"))?;
                Some(Cow::Owned(text.to_owned()))
            }
        }
    }
}

/// The first query parameter of that name, decoded.
fn query<'a>(url: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let (_, query) = url.split('#').next()?.split_once('?')?;
    url::form_urlencoded::parse(query.as_bytes()).find(|(field, _)| field == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str, body: &str) -> Option<String> {
        let place: Place = toml::from_str(toml).unwrap();
        let headers = Headers::from_pairs([("X-A", " b ")]).unwrap();
        let sources =
            Sources { headers: &headers, body: body.as_bytes(), facts: None, url: Some("https://h/p?q=1%2B#f") };
        place.read(&sources).map(Cow::into_owned)
    }

    #[test]
    fn each_kind_of_place_is_read() {
        assert_eq!(read("header = 'x-a'", "").as_deref(), Some("b"));
        assert_eq!(read("body = 'type'", r#"{"type":"t"}"#).as_deref(), Some("t"));
        assert_eq!(read("body = 'a[0].b'", r#"{"a":[{"b":7}]}"#).as_deref(), Some("7"));
        assert_eq!(read("form = 'json'\nbody = 'x'", "json=%7B%22x%22%3A%22y%22%7D").as_deref(), Some("y"));
        assert_eq!(read("form = 'p'\nelement = 'kind'", "p=PGE%2BPGtpbmQ%2BazwvYT4%3D").as_deref(), None);
        assert_eq!(read("form = 'p'\nelement = 'kind'", "p=PGtpbmQ%2BazwvYT48L2tpbmQ%2B").as_deref(), Some("k</a>"));
        assert_eq!(read("query = 'q'", "").as_deref(), Some("1+"));
        for empty in ["{}", r#"{"type":""}"#, "", "no json"] {
            assert_eq!(read("body = 'type'", empty), None, "{empty}");
        }
    }

    #[test]
    fn a_place_is_one_thing() {
        for toml in ["", "header = 'a'\nbody = 'b'", "query = 'a'\nform = 'b'", "body = 'a..b'", "header = 'a b'"] {
            assert!(toml::from_str::<Place>(toml).is_err(), "{toml}");
        }
    }
}
