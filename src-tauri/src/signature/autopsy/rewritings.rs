//! Bodies that were parsed and written out again: what they may have been before, and how that is written.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use super::super::finding::{Finding, Mistake};
use super::super::json_fields::without_bom;
use super::json_layout::{Escapes, Layout, rewritten, variants};
use super::search::{SMALL_BODY_BYTES_MAX, Search, Trial};
use super::{forms, json_values};

/// How a body was written before it was written again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    layout: Option<Layout>,
    escapes: Option<Escapes>,
    /// What else is other, in words.
    more: Option<&'static str>,
}

/// A body as it may have been.
#[derive(Debug)]
pub(super) struct Rewriting {
    pub(super) way: Way,
    pub(super) body: Vec<u8>,
}

impl Way {
    /// A way that has nothing to do with JSON's white space and escapes.
    pub(super) const fn of(more: &'static str) -> Self {
        Self { layout: None, escapes: None, more: Some(more) }
    }

    const fn json(layout: Layout, escapes: Escapes, more: Option<&'static str>) -> Self {
        Self { layout: Some(layout), escapes: Some(escapes), more }
    }

    /// The finding that a body was written in this way when it was signed.
    pub(super) fn found(self) -> Finding {
        let words = [self.layout.and_then(layout_words), self.escapes.and_then(escape_words).map(str::to_owned)];
        let words: Vec<String> = words.into_iter().flatten().chain(self.more.map(str::to_owned)).collect();
        let explanation = format!(
            "The body was parsed and written out again after signing; the signature fits the same content {}.",
            words.join(", and ")
        );
        Finding { explanation, ..Mistake::BodyReserialised.certain() }
    }
}

fn layout_words(layout: Layout) -> Option<String> {
    Some(match layout {
        Layout::AsIs => return None,
        Layout::Compact => "without white space between its parts, as JavaScript writes it".to_owned(),
        Layout::Spaced => "with a space behind each comma and colon, as Python writes it".to_owned(),
        Layout::ColonSpaced => "with a space behind each colon".to_owned(),
        Layout::Indented(width) => format!("indented by {width} spaces"),
        Layout::Tabs => "indented by tabs".to_owned(),
    })
}

const fn escape_words(escapes: Escapes) -> Option<&'static str> {
    Some(match escapes {
        Escapes::AsIs => return None,
        Escapes::Plain => "with no more escapes than it needs",
        Escapes::Ascii { slashes: false } => "with all letters outside ASCII escaped, as Python writes it",
        Escapes::Ascii { slashes: true } => "with slashes and all letters outside ASCII escaped, as PHP writes it",
        Escapes::Capitals => "with all letters outside ASCII escaped in capitals",
        Escapes::Slashes => "with its slashes escaped",
        Escapes::Html => "with <, > and & escaped, as Go and Rails write it",
        Escapes::DotNet => "with .NET's escapes",
    })
}

/// The way in which a body was written when it was signed, where it has been written again since.
pub(super) fn written_again(search: &Search<'_>, secret: &str) -> Option<Way> {
    let key = search.verification.key(secret)?;
    let fits = |body: &[u8]| search.fits(&Trial { body: Some(body), ..Trial::with_key(&key, secret) });
    let mut rewritings = rewritings(search.verification.request.body).take_while(|_| search.may_go_on());
    let found = rewritings.find(|rewriting| {
        let is_former = fits(&rewriting.body);
        search.pay_for_writing(rewriting.body.len());
        is_former
    });
    found.map(|rewriting| rewriting.way)
}

/// The texts that a JSON or form body may have been before it was written out again.
pub(super) fn rewritings(body: &[u8]) -> impl Iterator<Item = Rewriting> {
    let text = std::str::from_utf8(without_bom(body)).unwrap_or_default().trim();
    let is_json = text.starts_with(['{', '[']);
    let json = variants(text).filter_map(move |(layout, escapes)| {
        let other = rewritten(text, layout, escapes).filter(|other| other != text)?;
        Some((Way::json(layout, escapes, None), other))
    });
    let json = json.flat_map(|(way, text)| {
        // A list of events may have lost the line end behind it as well (SendGrid ends its bodies with CRLF).
        let ended = text.starts_with('[').then(|| format!("{text}\r\n"));
        let ended = ended.map(|text| (Way { more: Some("with a line end behind it"), ..way }, text));
        std::iter::once((way, text)).chain(ended)
    });
    let is_small = is_json && body.len() <= SMALL_BODY_BYTES_MAX;
    let rare = std::iter::once_with(move || if is_small { rarities(text) } else { Vec::new() }).flatten();
    let forms = std::iter::once_with(move || forms::rewritings(text)).flatten();
    let (hashes, mut seen) = (RandomState::new(), HashSet::new());
    let all = json.chain(rare).chain(forms).map(|(way, text)| Rewriting { way, body: text.into_bytes() });
    all.filter(move |other| seen.insert(hashes.hash_one(&other.body)))
}

/// What writers of JSON seldom do: a line end behind it, sorted names, other numbers.
fn rarities(text: &str) -> Vec<(Way, String)> {
    let layouts = [Layout::Compact, Layout::Spaced, Layout::Indented(2), Layout::Indented(4), Layout::Tabs];
    let written = |text: &str, layout, escapes, more| {
        Some((Way::json(layout, escapes, Some(more)), rewritten(text, layout, escapes)?))
    };
    let ended = layouts.iter().filter_map(|layout| written(text, *layout, Escapes::AsIs, "with a line end behind it"));
    let mut others: Vec<(Way, String)> = ended.map(|(way, text)| (way, format!("{text}\n"))).collect();
    if let Some(sorted) = json_values::sorted(text) {
        for escapes in [Escapes::AsIs, Escapes::Ascii { slashes: false }] {
            let all = layouts.iter().filter_map(|layout| written(&sorted, *layout, escapes, "with its names in order"));
            others.extend(all);
        }
    }
    let numbers = Way::of("with more or fewer noughts behind the point of its numbers");
    others.extend(json_values::renumbered(text).into_iter().map(|text| (numbers, text)));
    others
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_finding_says_how_the_body_was_written_when_it_was_signed() {
        let said = |arrived: &str, signed: &str| {
            let mut rewritings = rewritings(arrived.as_bytes());
            let found = rewritings.find(|rewriting| rewriting.body == signed.as_bytes());
            found.map(|rewriting| rewriting.way.found().explanation).unwrap_or_default()
        };
        for (arrived, signed, words) in [
            (r#"{"a": 1}"#, r#"{"a":1}"#, "as JavaScript writes it."),
            (r#"{"a":1,"b":2}"#, r#"{"a": 1, "b": 2}"#, "as Python writes it."),
            (
                r#"{"a": "é/"}"#,
                r#"{"a":"\u00e9\/"}"#,
                "JavaScript writes it, and with slashes and all letters outside ASCII",
            ),
            (r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#, "and with its names in order."),
            (r#"{"a":1.5}"#, r#"{"a":1.50}"#, "noughts behind the point"),
            ("a=b+c", "a=b%20c", "other characters escaped."),
            ("b=1&a=2", "a=2&b=1", "fields in another order."),
        ] {
            assert!(said(arrived, signed).contains(words), "{signed}: {:?}", said(arrived, signed));
        }
    }

    /// JSON objects and arrays.
    fn json() -> impl Strategy<Value = Value> {
        let text = "\\PC{0,12}|[/\\\\\"\u{1}é]{0,6}";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            // Exact as floats too.
            any::<i32>().prop_map(Value::from),
            text.prop_map(Value::from)
        ];
        let tree = leaf.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..5).prop_map(Value::from),
                vec(("\\PC{0,8}", inner), 0..5).prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        vec(tree, 0..4).prop_map(Value::from)
    }

    /// The same with all numbers as floats: `1` and `1.0` are one number.
    fn with_floats(value: &Value) -> Value {
        match value {
            Value::Number(number) => Value::from(number.as_f64()),
            Value::Array(items) => items.iter().map(with_floats).collect(),
            Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), with_floats(value))).collect(),
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn json_that_is_written_again_stays_the_same_json(value in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            for Rewriting { body: other, .. } in rewritings(text.as_bytes()) {
                let other = serde_json::from_slice::<Value>(&other).unwrap();
                prop_assert_eq!(with_floats(&other), with_floats(&value));
            }
        }
    }
}
