//! The text that a scheme signs, as a template over the request.
//!
//! Literal text stands for itself; names between braces are the parts of [`PARTS`], some with an argument after a colon.
//! `{?...}` makes a part optional: nothing when it is not there.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::GzDecoder;
use serde::Deserialize;

use super::json_path::JsonPath;
use super::options::{OptionName, Options};
use super::{SignedRequest, canonical, form};

/// The placeholders, for messages and the documentation.
pub(super) const PARTS: &str = "body, body_unpacked, body_escaped, body_crc32, timestamp, id, method, url, url_with_port, \
     url_without_port, url_decoded, path_query, path_query_escaped, secret, sorted_params, php_form:NAME, header:NAME, \
     signed_headers:NAME, \
     list_item:HEADER/NAME, listed_headers:HEADER/NAME, json:PATH, json_lines:PATH,..., form:NAME, form_json:NAME/PATH, option:NAME";
/// Bytes of the largest body that is unpacked before it is signed.
pub(super) const UNPACKED_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// What signers join the parts with.
const GLUES: [&str; 9] = ["", ".", ":", "|", ",", "\n", "-", ";", " "];
/// Parts of a template that are tried in every order; of more there are too many.
const ARRANGED_PARTS_MAX: usize = 4;

/// A parsed template, for example `{timestamp}.{body}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Optional(Box<Part>),
    Body,
    BodyUnpacked,
    BodyEscaped,
    BodyCrc32,
    Timestamp,
    Id,
    Method,
    Url(UrlForm),
    PathQuery,
    PathQueryEscaped,
    Secret,
    SortedParams,
    /// Only as a mistake of signers.
    EncodedParams,
    PhpForm(String),
    Header(String),
    SignedHeaders(String),
    /// `NAME=value` among the items of a header, separated by commas.
    ListItem(String, String),
    /// The values of the headers that such an item names.
    ListedHeaders(String, String),
    Json(JsonPath),
    JsonLines(Vec<JsonPath>),
    Form(String),
    FormJson(String, JsonPath),
    Option(OptionName),
}

/// How the URL is written before it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UrlForm {
    AsIs,
    WithPort,
    WithoutPort,
    Decoded,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A signature over nothing would say nothing.
    #[error("the template is empty")]
    Empty,
    /// A name between braces that stands for nothing.
    #[error("the template has an unknown placeholder {{{0}}}; known: {PARTS}")]
    UnknownPlaceholder(String),
    /// A brace without its partner.
    #[error("the template has a brace without its partner")]
    LoneBrace,
}

/// What a template is filled from.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) request: &'a SignedRequest<'a>,
    pub(super) options: &'a Options,
    pub(super) secret: &'a str,
    pub(super) timestamp: Option<&'a str>,
    pub(super) id: Option<&'a str>,
}

/// What a template asks for and the request does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// A header, a field of the body, the timestamp or the id.
    Field,
    /// The URL as the sender saw it is not known.
    Url,
    /// The body cannot be read in the way that the scheme wants.
    Unreadable,
}

impl<'a> Context<'a> {
    /// The URL as the provider was told it.
    pub(super) fn url(&self) -> Option<&'a str> {
        self.options.get(OptionName::PublicUrl).or(self.request.url)
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// When it is empty, has a lone brace, or names a placeholder that does not exist.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (literal, from_brace) = rest.split_at(at);
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let inner = from_brace.strip_prefix('{').ok_or(TemplateError::LoneBrace)?;
            let (name, behind) = inner.split_once('}').ok_or(TemplateError::LoneBrace)?;
            parts.push(Part::parse(name).ok_or_else(|| TemplateError::UnknownPlaceholder(name.to_owned()))?);
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        if parts.is_empty() { Err(TemplateError::Empty) } else { Ok(Self { text: text.to_owned(), parts }) }
    }

    /// The body alone.
    pub(super) fn body() -> Self {
        Self { text: "{body}".to_owned(), parts: vec![Part::Body] }
    }

    /// The template as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the timestamp is signed.
    pub(super) fn has_timestamp(&self) -> bool {
        self.parts.contains(&Part::Timestamp)
    }

    /// Whether the message's id is signed.
    pub(super) fn has_id(&self) -> bool {
        self.parts.contains(&Part::Id)
    }

    /// Whether the body's own bytes are signed, as they are or as their checksum.
    pub(super) fn has_body(&self) -> bool {
        let is_body =
            |part: &Part| matches!(part, Part::Body | Part::BodyUnpacked | Part::BodyEscaped | Part::BodyCrc32);
        self.parts.iter().any(is_body)
    }

    /// Whether the URL, or a part of it, is signed.
    pub(super) fn has_url(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Url(_) | Part::PathQuery))
    }

    /// Whether headers are signed that the sender chooses.
    pub(super) fn has_headers(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::SignedHeaders(_)))
    }

    /// The options that it reads.
    pub(super) fn options(&self) -> impl Iterator<Item = OptionName> {
        self.parts.iter().filter_map(|part| if let Part::Option(name) = part { Some(*name) } else { None })
    }

    /// The templates that leave one part out, and those that join the parts in other ways: mistakes that signers make.
    pub(super) fn mistakes(&self) -> (Vec<Self>, Vec<Self>) {
        let of = |parts: Vec<Part>| Self { text: self.text.clone(), parts };
        let named: Vec<&Part> = self.parts.iter().filter(|part| !matches!(part, Part::Literal(_))).collect();
        if named.len() < 2 {
            return (Vec::new(), Vec::new());
        }
        let mut incomplete: Vec<Self> = named.iter().map(|&part| of(vec![part.clone()])).collect();
        for at in 0..self.parts.len() {
            if matches!(self.parts[at], Part::Literal(_)) {
                continue;
            }
            let mut parts = self.parts.clone();
            parts.remove(at);
            incomplete.push(of(parts.clone()));
            // With the part goes the literal that joined it, either the one before or the one behind.
            if at < parts.len() && matches!(parts[at], Part::Literal(_)) {
                let mut behind = parts.clone();
                behind.remove(at);
                incomplete.push(of(behind));
            }
            if at > 0 && matches!(parts[at - 1], Part::Literal(_)) {
                parts.remove(at - 1);
                incomplete.push(of(parts));
            }
        }
        let mut wrong = Vec::new();
        for glue in GLUES {
            for reversed in [false, true] {
                let mut parts = Vec::new();
                let order: Vec<&Part> = if reversed { named.iter().rev().copied().collect() } else { named.clone() };
                for (at, part) in order.into_iter().enumerate() {
                    if at > 0 && !glue.is_empty() {
                        parts.push(Part::Literal(glue.to_owned()));
                    }
                    parts.push(part.clone());
                }
                if let (Some(Part::Literal(head)), false) = (self.parts.first(), reversed) {
                    let mut headed =
                        vec![Part::Literal(format!("{}{glue}", head.trim_end_matches([':', '.', '|', '\n'])))];
                    headed.extend(parts.clone());
                    wrong.push(of(headed));
                }
                wrong.push(of(parts));
            }
        }
        // The form's text in place of its decoded fields, as received or sorted.
        if self.parts.contains(&Part::SortedParams) {
            for other in [Part::Body, Part::EncodedParams] {
                let raw = |part: &Part| if *part == Part::SortedParams { other.clone() } else { part.clone() };
                wrong.push(of(self.parts.iter().map(raw).collect()));
            }
        }
        (incomplete, wrong)
    }

    /// The templates of any of the parts in any order, joined in any way, and whether they have all parts.
    pub(super) fn arrangements(&self) -> impl Iterator<Item = (bool, Self)> {
        let named: Vec<Part> = self.parts.iter().filter(|part| !matches!(part, Part::Literal(_))).cloned().collect();
        let named = if named.len() <= ARRANGED_PARTS_MAX { named } else { Vec::new() };
        let head = self.parts.first().filter(|part| matches!(part, Part::Literal(_))).cloned();
        let count = named.len();
        let text = self.text.clone();
        arrangements_of(count).into_iter().flat_map(move |order| {
            let glues = if order.len() > 1 { &GLUES[..] } else { &GLUES[..1] };
            let (named, head, text) = (named.clone(), head.clone(), text.clone());
            glues.iter().flat_map(move |glue| {
                let mut parts = Vec::new();
                for (at, index) in order.iter().enumerate() {
                    if at > 0 && !glue.is_empty() {
                        parts.push(Part::Literal((*glue).to_owned()));
                    }
                    parts.push(named[*index].clone());
                }
                let is_whole = order.len() == count;
                let headed = head.clone().map(|head| [vec![head], parts.clone()].concat());
                let text = text.clone();
                std::iter::once(parts).chain(headed).map(move |parts| (is_whole, Self { text: text.clone(), parts }))
            })
        })
    }

    /// The signed bytes in order, piece by piece, so that a large body is not copied.
    pub(super) fn pieces<'a>(&'a self, context: &Context<'a>) -> Result<Vec<Cow<'a, [u8]>>, Lack> {
        self.parts.iter().map(|part| part.bytes(context)).collect()
    }
}

/// All orders of all choices of that many things, those of more things first.
fn arrangements_of(count: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    let mut from = 0;
    for _ in 0..count {
        let until = all.len();
        for at in from..until {
            let others = (0..count).filter(|index| !all[at].contains(index)).collect::<Vec<_>>();
            all.extend(others.into_iter().map(|index| [&all[at][..], &[index]].concat()).collect::<Vec<_>>());
        }
        from = until;
    }
    all.retain(|order| !order.is_empty());
    all.reverse();
    all
}

impl Part {
    fn parse(name: &str) -> Option<Self> {
        if let Some(name) = name.strip_prefix('?') {
            return Some(Self::Optional(Box::new(Self::parse(name)?)));
        }
        let (word, argument) = name.split_once(':').unwrap_or((name, ""));
        let named = || (!argument.is_empty()).then(|| argument.to_owned());
        match (word, argument) {
            ("header", _) => named().map(Self::Header),
            ("signed_headers", _) => named().map(Self::SignedHeaders),
            ("list_item" | "listed_headers", _) => {
                let (header, item) = argument.split_once('/')?;
                let part = if word == "list_item" { Self::ListItem } else { Self::ListedHeaders };
                Some(part(header.to_owned(), item.to_owned()))
            }
            ("json", _) => JsonPath::parse(argument).map(Self::Json),
            ("json_lines", _) => argument.split(',').map(JsonPath::parse).collect::<Option<_>>().map(Self::JsonLines),
            ("form", _) => named().map(Self::Form),
            ("form_json", _) => {
                let (field, path) = argument.split_once('/')?;
                Some(Self::FormJson(field.to_owned(), JsonPath::parse(path)?))
            }
            ("php_form", _) => named().map(Self::PhpForm),
            ("option", _) => OptionName::parse(argument).map(Self::Option),
            (_, "") => Self::parse_plain(word),
            _ => None,
        }
    }

    fn parse_plain(word: &str) -> Option<Self> {
        Some(match word {
            "body" => Self::Body,
            "body_unpacked" => Self::BodyUnpacked,
            "body_escaped" => Self::BodyEscaped,
            "body_crc32" => Self::BodyCrc32,
            "timestamp" => Self::Timestamp,
            "id" => Self::Id,
            "method" => Self::Method,
            "url" => Self::Url(UrlForm::AsIs),
            "url_with_port" => Self::Url(UrlForm::WithPort),
            "url_without_port" => Self::Url(UrlForm::WithoutPort),
            "url_decoded" => Self::Url(UrlForm::Decoded),
            "path_query" => Self::PathQuery,
            "path_query_escaped" => Self::PathQueryEscaped,
            "secret" => Self::Secret,
            "sorted_params" => Self::SortedParams,
            _ => return None,
        })
    }

    fn bytes<'a>(&'a self, context: &Context<'a>) -> Result<Cow<'a, [u8]>, Lack> {
        let body = context.request.body;
        let borrowed = |text: Option<&'a str>| text.map(|text| Cow::Borrowed(text.as_bytes())).ok_or(Lack::Field);
        let text = |text: Option<Cow<'a, str>>| text.map(bytes_of).ok_or(Lack::Field);
        match self {
            Self::Literal(literal) => Ok(Cow::Borrowed(literal.as_bytes())),
            Self::Optional(part) => match part.bytes(context) {
                Err(Lack::Field) => Ok(Cow::Borrowed(b"")),
                found => found,
            },
            Self::Body => Ok(Cow::Borrowed(body)),
            Self::BodyUnpacked => unpacked(body),
            Self::BodyEscaped => Ok(Cow::Owned(canonical::escaped(body).ok_or(Lack::Unreadable)?)),
            Self::BodyCrc32 => Ok(Cow::Owned(crc32(body).to_string().into_bytes())),
            Self::Timestamp => borrowed(context.timestamp),
            Self::Id => borrowed(context.id),
            Self::Method => borrowed(Some(context.request.method)),
            Self::Url(form) => {
                let url = context.url().ok_or(Lack::Url)?;
                Ok(match form {
                    UrlForm::AsIs => Cow::Borrowed(url.as_bytes()),
                    UrlForm::WithPort => Cow::Owned(canonical::with_port(url).into_bytes()),
                    UrlForm::WithoutPort => Cow::Owned(canonical::without_port(url).into_bytes()),
                    UrlForm::Decoded => Cow::Owned(canonical::decoded(url).into_bytes()),
                })
            }
            Self::PathQuery => Ok(Cow::Owned(canonical::path_query(context.url().ok_or(Lack::Url)?).into_bytes())),
            Self::PathQueryEscaped => {
                Ok(Cow::Owned(canonical::path_query_escaped(context.url().ok_or(Lack::Url)?).into_bytes()))
            }
            Self::Secret => borrowed(Some(context.secret)),
            Self::SortedParams => Ok(Cow::Owned(canonical::sorted_params(body).into_bytes())),
            Self::EncodedParams => Ok(Cow::Owned(canonical::encoded_params(body))),
            Self::PhpForm(without) => Ok(Cow::Owned(canonical::php_serialized(body, without).into_bytes())),
            Self::Header(name) => borrowed(context.request.headers.get_text(name)),
            Self::SignedHeaders(name) => {
                let list = context.request.headers.get_text(name).ok_or(Lack::Field)?;
                Ok(Cow::Owned(canonical::signed_headers(context.request.headers, list).ok_or(Lack::Field)?))
            }
            Self::ListItem(header, item) => {
                Ok(Cow::Borrowed(canonical::list_item(context.request.headers, header, item).as_bytes()))
            }
            Self::ListedHeaders(header, item) => {
                let names = canonical::list_item(context.request.headers, header, item);
                Ok(Cow::Owned(canonical::listed_headers(context.request.headers, names).ok_or(Lack::Field)?))
            }
            Self::Json(path) => text(path.find(body)),
            Self::JsonLines(paths) => Ok(Cow::Owned(json_lines(body, paths).into_bytes())),
            Self::Form(name) => text(form::field(body, name)),
            Self::FormJson(name, path) => {
                let field = form::field(body, name).ok_or(Lack::Field)?;
                text(path.find(field.as_bytes()).map(|found| Cow::Owned(found.into_owned())))
            }
            Self::Option(name) => borrowed(context.options.get(*name)),
        }
    }
}

fn bytes_of(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Name and value of each field that is there, a line each (Amazon SNS).
fn json_lines(body: &[u8], paths: &[JsonPath]) -> String {
    let mut lines = String::new();
    for path in paths {
        if let Some(value) = path.find(body) {
            lines.push_str(path.as_str());
            lines.push('\n');
            lines.push_str(&value);
            lines.push('\n');
        }
    }
    lines
}

/// The body, unpacked when it is gzip (RFC 1952).
fn unpacked(body: &[u8]) -> Result<Cow<'_, [u8]>, Lack> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(body));
    }
    let mut plain = Vec::new();
    GzDecoder::new(body).take(UNPACKED_BYTES_MAX).read_to_end(&mut plain).map_err(|_| Lack::Unreadable)?;
    Ok(Cow::Owned(plain))
}

fn crc32(body: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(body);
    crc.sum()
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Headers;

    fn filled(template: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<String, Lack> {
        let headers = Headers::from_pairs(headers.iter().copied()).unwrap();
        let request = SignedRequest { method: "POST", url: Some(url), headers: &headers, body };
        let options = Options::default();
        let context =
            Context { request: &request, options: &options, secret: "S", timestamp: Some("7"), id: Some("i") };
        let template = Template::parse(template).unwrap();
        let pieces = template.pieces(&context)?;
        Ok(String::from_utf8(pieces.concat()).unwrap())
    }

    #[test]
    fn pieces_are_the_literals_and_the_parts_in_order() {
        let fill =
            |template: &str| filled(template, "https://h/p?q=%3A", &[("X-A", "a")], b"{\"a\":{\"b\":1}}").unwrap();
        assert_eq!(fill("v0:{timestamp}:{id}.{method}"), "v0:7:i.POST");
        assert_eq!(fill("{secret}{header:x-a}{json:a.b}|{?json:a.c}|{?header:x-b}|"), "Sa1|||");
        assert_eq!(
            fill("{url} {url_with_port} {url_decoded} {path_query}"),
            "https://h/p?q=%3A https://h:443/p?q=%3A https://h/p?q=: /p?q=%3A"
        );
        assert_eq!(fill("{json_lines:a.b,a.c}"), "a.b\n1\n");
        let signature = [("S", "t=7,h=x-a x-b,v1=0"), ("X-A", "a"), ("X-B", "b")];
        let listed = filled("{list_item:S/h}|{listed_headers:S/h}", "https://h/", &signature, b"");
        assert_eq!(listed.as_deref(), Ok("x-a x-b|a.b"));
        assert_eq!(fill("{list_item:S/h}|{listed_headers:S/h}|"), "||");
        assert_eq!(Template::parse("v0:{body}.end").unwrap().as_str(), "v0:{body}.end");
    }

    #[test]
    fn a_part_that_is_not_there_is_said() {
        let empty = |template: &str| filled(template, "https://h/", &[], b"{}");
        for template in ["{header:x}", "{json:a}", "{form:x}", "{form_json:a/b}", "{option:api_key}"] {
            assert_eq!(empty(template), Err(Lack::Field), "{template}");
        }
    }

    #[test]
    fn a_placeholder_that_stands_for_nothing_is_refused() {
        for unknown in ["{bdoy}", "{body:x}", "{header}", "{json:a..b}", "{option:x}", "{form_json:a}", "{list_item:a}"]
        {
            let name = unknown.trim_matches(['{', '}']).to_owned();
            assert_eq!(Template::parse(unknown), Err(TemplateError::UnknownPlaceholder(name)), "{unknown}");
        }
        assert_eq!(Template::parse("{body"), Err(TemplateError::LoneBrace));
        assert_eq!(Template::parse("body}"), Err(TemplateError::LoneBrace));
        assert_eq!(Template::parse(""), Err(TemplateError::Empty));
        assert!(
            Template::parse("{x}").unwrap_err().to_string().starts_with("the template has an unknown placeholder {x}")
        );
    }
}
