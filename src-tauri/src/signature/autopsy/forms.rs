//! Forms that were read and written again: every writer keeps other characters as they are.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use url::form_urlencoded;

use super::rewritings::Way;

/// Fields of a form whose order is changed.
const FORM_FIELDS_MAX: usize = 64;
/// Fields from which on their sorted order is no accident.
const SORTED_FIELDS_MIN: usize = 5;

/// How a writer of forms writes.
struct Writer {
    /// What it keeps besides letters and digits.
    keeps: &'static str,
    /// What it writes for a space.
    space: &'static str,
}

/// The writers in use. Browsers and Java (WHATWG URL standard, section 5.2); Python's `quote_plus`; PHP's
/// `http_build_query` with `+` and with `%20` (RFC 3986 section 2.3); JavaScript's `encodeURIComponent` with `%20` and as
/// the body of a form; the same with brackets, as many JavaScript libraries leave them; Node's `querystring`.
const WRITERS: [Writer; 8] = [
    Writer { keeps: "*-._", space: "+" },
    Writer { keeps: "-._~", space: "+" },
    Writer { keeps: "-._", space: "+" },
    Writer { keeps: "-._~", space: "%20" },
    Writer { keeps: "-_.!~*'()", space: "%20" },
    Writer { keeps: "-_.!~*'()", space: "+" },
    Writer { keeps: "*-._[]", space: "+" },
    Writer { keeps: "-_.!~*'()[]", space: "%20" },
];

/// Whether a form's fields stand in the order of their names: senders seldom sort them, writers often do.
pub(super) fn is_sorted(body: &[u8]) -> bool {
    let fields: Vec<&[u8]> = body.split(|byte| *byte == b'&').take(FORM_FIELDS_MAX).collect();
    fields.len() >= SORTED_FIELDS_MIN && fields.iter().all(|field| field.contains(&b'=')) && fields.is_sorted()
}

/// A form as it may have been: by another writer, with its fields in another order.
pub(super) fn rewritings(text: &str) -> Vec<(Way, String)> {
    let fields: Vec<&str> = text.split('&').collect();
    if text.starts_with(['{', '[', '<']) || !text.contains('=') || fields.len() > FORM_FIELDS_MAX {
        return Vec::new();
    }
    let mut escaped = vec![text.replace("%20", "+"), text.replace('+', "%20")];
    for writer in &WRITERS {
        let written = written(text, writer);
        let lower = lower_escapes(&written);
        escaped.extend([written, lower]);
    }
    escaped.push(lower_escapes(text));
    let sorted: BTreeSet<&str> = fields.iter().copied().collect();
    let mut ordered = vec![sorted.into_iter().collect::<Vec<_>>().join("&")];
    ordered.push(fields.iter().rev().copied().collect::<Vec<_>>().join("&"));
    let count = fields.len();
    ordered.extend((1..count).map(|by| [&fields[by..], &fields[..by]].concat().join("&")));
    let escaped = escaped.into_iter().map(|text| (Way::of("with other characters escaped"), text));
    let ordered = ordered.into_iter().map(|text| (Way::of("with its fields in another order"), text));
    escaped.chain(ordered).filter(|(_, other)| other != text).collect()
}

fn written(text: &str, writer: &Writer) -> String {
    let mut out = String::with_capacity(text.len());
    for field in text.split('&') {
        if !out.is_empty() {
            out.push('&');
        }
        // A name without a mark stays without one.
        let (name, value) = field.split_once('=').map_or((field, None), |(name, value)| (name, Some(value)));
        write_part(name, writer, &mut out);
        if let Some(value) = value {
            out.push('=');
            write_part(value, writer, &mut out);
        }
    }
    out
}

fn write_part(part: &str, writer: &Writer, out: &mut String) {
    // A part alone is a name; what it stands for is the same.
    let escaped = part.replace('=', "%3D");
    let Some((plain, _)) = form_urlencoded::parse(escaped.as_bytes()).next() else { return };
    for byte in plain.bytes() {
        match byte {
            b' ' => out.push_str(writer.space),
            byte if byte.is_ascii_alphanumeric() || writer.keeps.as_bytes().contains(&byte) => {
                out.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            other => _ = write!(out, "%{other:02X}"),
        }
    }
}

/// The text with the letters of its percent escapes in lower case.
fn lower_escapes(text: &str) -> String {
    let mut rest = 0;
    text.chars()
        .map(|letter| {
            rest = if letter == '%' { 2 } else { i32::max(rest - 1, -1) };
            if rest >= 0 && letter != '%' { letter.to_ascii_lowercase() } else { letter }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_tried_in_other_orders_and_by_other_writers() {
        let others = |form: &str| -> Vec<String> { rewritings(form).into_iter().map(|(_, other)| other).collect() };
        for former in ["a=1&b=x+y", "b=x%20y&a=1"] {
            assert!(others("b=x+y&a=1").contains(&former.to_owned()), "{former}");
        }
        for former in ["a=*%7E%28", "a=%2A~%28", "a=%2A%7E%28", "a=*~(", "a=*%7e%28"] {
            assert!(others("a=*~%28").contains(&former.to_owned()), "{former}");
        }
        assert!(
            others("a&b=").iter().all(|other| other.contains('a') && other.contains("b=")),
            "a name alone stays one"
        );
        assert!(is_sorted(b"a=1&b=2&c=3&d=4&e=5") && !is_sorted(b"a=1&c=2&b=3&d=4&e=5"));
    }
}
