//! What must be true of a request besides its signature, and which of a provider's schemes a request is of.

use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::algorithm::sha256;
use super::encoding::Encoding;
use super::jwt::Token;
use super::options::{OptionName, Options};
use super::place::{Place, PlaceTable, Sources};

/// A value that must be as expected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "CheckTable")]
pub(super) struct Check {
    subject: Subject,
    expected: Expected,
    /// Absent will do.
    optional: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    Place(Place),
    Claim(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    /// A digest of the body.
    BodySha256(Encoding),
    /// A digest of the URL as the sender saw it.
    UrlSha256,
    /// What an option says; nothing is asked when it is not set.
    Option(OptionName),
    /// Any of these.
    OneOf(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckTable {
    header: Option<String>,
    body: Option<String>,
    query: Option<String>,
    claim: Option<String>,
    equals: Option<String>,
    one_of: Option<Vec<String>>,
    #[serde(default)]
    optional: bool,
}

impl TryFrom<CheckTable> for Check {
    type Error = &'static str;

    fn try_from(table: CheckTable) -> Result<Self, Self::Error> {
        let CheckTable { header, body, query, claim, equals, one_of, optional } = table;
        let subject = match claim {
            Some(claim) => Subject::Claim(claim),
            None => Subject::Place(Place::try_from(PlaceTable { header, body, query, ..PlaceTable::default() })?),
        };
        let expected = match (equals.as_deref(), one_of) {
            (Some("body_sha256_hex"), None) => Expected::BodySha256(Encoding::Hex),
            (Some("body_sha256_base64"), None) => Expected::BodySha256(Encoding::Base64),
            (Some("body_sha256_base64url"), None) => Expected::BodySha256(Encoding::Base64url),
            (Some("url_sha256_hex"), None) => Expected::UrlSha256,
            (None, Some(words)) => Expected::OneOf(words),
            (Some(text), None) => Expected::Option(
                text.strip_prefix("option:").and_then(OptionName::parse).ok_or("`equals` is no known value")?,
            ),
            _ => return Err("a check says either `equals` or `one_of`"),
        };
        Ok(Self { subject, expected, optional })
    }
}

impl Check {
    /// The option that it reads.
    pub(super) fn option(&self) -> Option<OptionName> {
        if let Expected::Option(name) = self.expected { Some(name) } else { None }
    }

    /// The claim that it is about.
    pub(super) fn claim(&self) -> Option<&str> {
        if let Subject::Claim(claim) = &self.subject { Some(claim) } else { None }
    }

    /// The header that it is about.
    pub(super) fn header(&self) -> Option<&str> {
        if let Subject::Place(place) = &self.subject { place.header_name() } else { None }
    }

    /// Whether it is about the body.
    pub(super) fn is_of_body(&self) -> bool {
        matches!(self.expected, Expected::BodySha256(_))
    }

    /// Whether it is about the URL, or stands in it.
    pub(super) fn is_of_url(&self) -> bool {
        self.expected == Expected::UrlSha256
    }

    /// The query parameter that it is about.
    pub(super) fn query(&self) -> Option<&str> {
        if let Subject::Place(place) = &self.subject { place.word().strip_prefix("query:") } else { None }
    }

    /// Whether it holds.
    pub(super) fn holds(&self, token: Option<&Token>, options: &Options, sources: &Sources<'_>) -> bool {
        let found: Vec<String> = match &self.subject {
            Subject::Place(place) => place.read(sources).map(|text| text.into_owned()).into_iter().collect(),
            Subject::Claim(claim) => token.map(|token| texts(token.claims.get(claim))).unwrap_or_default(),
        };
        let wanted = match self.wanted(options, sources) {
            None => return matches!(self.expected, Expected::Option(_)),
            Some(wanted) => wanted,
        };
        if found.is_empty() {
            // A digest of the body may be left out only where there is no body: else any body would do.
            return self.optional && (!self.is_of_body() || sources.body.is_empty());
        }
        let hex = matches!(self.expected, Expected::BodySha256(Encoding::Hex) | Expected::UrlSha256);
        // Base64url is written without padding; some senders pad it all the same.
        let unpadded = self.expected == Expected::BodySha256(Encoding::Base64url);
        let same = |found: &String, wanted: &String| {
            let found = if hex { found.to_ascii_lowercase() } else { found.clone() };
            let found = if unpadded { found.trim_end_matches('=') } else { &found };
            bool::from(found.as_bytes().ct_eq(wanted.as_bytes()))
        };
        found.iter().any(|found| wanted.iter().any(|wanted| same(found, wanted)))
    }

    /// The value to write when a request is signed; none when it may be left out.
    pub(super) fn value(&self, options: &Options, sources: &Sources<'_>) -> Option<String> {
        self.wanted(options, sources)?.into_iter().next()
    }

    fn wanted(&self, options: &Options, sources: &Sources<'_>) -> Option<Vec<String>> {
        Some(match &self.expected {
            Expected::BodySha256(encoding) => vec![encoding.encode(&sha256(sources.body))],
            Expected::UrlSha256 => vec![Encoding::Hex.encode(&sha256(sources.url?.as_bytes()))],
            Expected::Option(name) => vec![options.get(*name)?.to_owned()],
            Expected::OneOf(words) => words.clone(),
        })
    }
}

/// The texts of a claim; `aud` may be a list (RFC 7519 section 4.1.3).
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// One sign that a request is of a scheme.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ConditionTable")]
pub(super) struct Condition {
    subject: ConditionSubject,
    /// The values that mean yes; none: any will do.
    is: Option<Vec<String>>,
    /// Absent means yes too.
    or_absent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ConditionSubject {
    Place(Place),
    Option(OptionName),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionTable {
    header: Option<String>,
    body: Option<String>,
    query: Option<String>,
    form: Option<String>,
    option: Option<OptionName>,
    is: Option<Vec<String>>,
    #[serde(default)]
    or_absent: bool,
}

impl TryFrom<ConditionTable> for Condition {
    type Error = &'static str;

    fn try_from(table: ConditionTable) -> Result<Self, Self::Error> {
        let ConditionTable { header, body, query, form, option, is, or_absent } = table;
        let subject = match option {
            Some(option) => ConditionSubject::Option(option),
            None => ConditionSubject::Place(Place::try_from(PlaceTable {
                header,
                body,
                query,
                form,
                ..PlaceTable::default()
            })?),
        };
        Ok(Self { subject, is, or_absent })
    }
}

/// How a request stands to a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It meets it.
    Met,
    /// It lacks the value.
    Absent,
    /// It has another value.
    Other,
}

impl Condition {
    /// The option that it reads.
    pub(super) fn option(&self) -> Option<OptionName> {
        if let ConditionSubject::Option(name) = self.subject { Some(name) } else { None }
    }

    /// The header that it is about.
    pub(super) fn header(&self) -> Option<&str> {
        if let ConditionSubject::Place(place) = &self.subject { place.header_name() } else { None }
    }

    /// How a request stands to it.
    pub(super) fn standing(&self, options: &Options, sources: &Sources<'_>) -> Standing {
        let value = match &self.subject {
            ConditionSubject::Place(place) => place.read(sources),
            ConditionSubject::Option(name) => options.get(*name).map(std::borrow::Cow::Borrowed),
        };
        match (value, &self.is) {
            (None, _) if self.or_absent => Standing::Met,
            (None, _) => Standing::Absent,
            (Some(_), None) => Standing::Met,
            (Some(value), Some(words)) if words.iter().any(|word| *word == value) => Standing::Met,
            _ => Standing::Other,
        }
    }
}
