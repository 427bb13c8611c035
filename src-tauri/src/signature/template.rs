//! The text that a scheme signs, as a template over the request.
//!
//! Literal text stands for itself, `{body}` for the body's bytes. A further placeholder is one more [`Part`].

use serde::Deserialize;

use super::SignedRequest;

/// A parsed template, for example `{body}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Body,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A signature over nothing would say nothing.
    #[error("the template is empty")]
    Empty,
    /// A name between braces that stands for nothing.
    #[error("the template has an unknown placeholder {{{0}}}; known: {{body}}")]
    UnknownPlaceholder(String),
    /// A brace without its partner.
    #[error("the template has a brace without its partner")]
    LoneBrace,
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
            parts.push(match name {
                "body" => Part::Body,
                unknown => return Err(TemplateError::UnknownPlaceholder(unknown.to_owned())),
            });
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        if parts.is_empty() { Err(TemplateError::Empty) } else { Ok(Self { text: text.to_owned(), parts }) }
    }

    /// The template as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The signed bytes in order, piece by piece, so that a large body is not copied.
    pub(super) fn pieces<'a>(&'a self, request: &SignedRequest<'a>) -> impl Iterator<Item = &'a [u8]> {
        let body = request.body;
        self.parts.iter().map(move |part| match part {
            Part::Literal(text) => text.as_bytes(),
            Part::Body => body,
        })
    }
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

    #[test]
    fn pieces_are_the_literals_and_the_body_in_order() {
        let headers = Headers::default();
        let request = SignedRequest { method: "POST", url: None, headers: &headers, body: b"B" };
        let template = Template::parse("v0:{body}.end").unwrap();
        assert_eq!(template.pieces(&request).collect::<Vec<_>>().concat(), b"v0:B.end");
        assert_eq!(template.as_str(), "v0:{body}.end");
    }

    #[test]
    fn a_placeholder_that_stands_for_nothing_is_refused() {
        assert_eq!(Template::parse("{bdoy}"), Err(TemplateError::UnknownPlaceholder("bdoy".into())));
        assert_eq!(Template::parse("{body"), Err(TemplateError::LoneBrace));
        assert_eq!(Template::parse("body}"), Err(TemplateError::LoneBrace));
        assert_eq!(Template::parse(""), Err(TemplateError::Empty));
        assert_eq!(
            Template::parse("{x}").unwrap_err().to_string(),
            "the template has an unknown placeholder {x}; known: {body}"
        );
    }
}
