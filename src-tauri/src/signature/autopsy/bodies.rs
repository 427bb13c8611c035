//! Mistakes with the body: what happens to bytes between sender and receiver.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Read as _;

use flate2::read::{GzDecoder, ZlibDecoder};

use super::super::encoding::Encoding;
use super::super::finding::Mistake;
use super::super::json_fields::without_bom;
use super::json_layout::{VARIANTS, rewritten};
use super::search::{Search, Trial};

/// Bytes of a body that is unpacked to see whether it is then as signed.
const UNPACKED_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Fields of a form whose order is changed.
const FORM_FIELDS_MAX: usize = 64;
/// Fields from which on their sorted order is no accident.
const SORTED_FIELDS_MIN: usize = 5;
/// The UTF-8 byte order mark.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A body as it may have been, and the mistake that made it what it is.
type Former<'b> = (Mistake, Cow<'b, [u8]>);

/// Mistakes that leave the text what it is: line ends, marks, encodings of the whole.
pub(super) fn plain_mistake(search: &Search<'_>, secret: &str) -> Option<Mistake> {
    let key = search.verification.key(secret)?;
    let fits = |body: &[u8]| search.fits(&Trial { body: Some(body), ..Trial::with_key(&key, secret) });
    formers(search.verification.request.body).find(|(_, body)| fits(body)).map(|(mistake, _)| mistake)
}

/// The bodies that this one may have been.
pub(super) fn formers(body: &[u8]) -> impl Iterator<Item = Former<'_>> {
    // One kind after the other, so that nothing is made that is not tried.
    let later = move || encoded(body).into_iter().chain(packed(body)).chain(transcoded(body));
    line_ends(body).into_iter().chain(bom(body)).chain(std::iter::once_with(later).flatten())
}

fn line_ends(body: &[u8]) -> Vec<Former<'_>> {
    let mut formers: Vec<Former<'_>> = Vec::new();
    for end in ["\n", "\r\n"] {
        formers.push((Mistake::TrailingNewline, Cow::Owned([body, end.as_bytes()].concat())));
        if let Some(trimmed) = body.strip_suffix(end.as_bytes()) {
            formers.push((Mistake::TrailingNewline, Cow::Borrowed(trimmed)));
        }
    }
    if memchr::memchr(b'\n', body).is_some() {
        let plain = replaced(body, b"\r\n", b"\n");
        formers.push((Mistake::LineEndings, Cow::Owned(replaced(&plain, b"\n", b"\r\n"))));
        formers.push((Mistake::LineEndings, Cow::Owned(plain)));
    }
    formers
}

fn replaced(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = memchr::memmem::find(rest, from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

fn bom(body: &[u8]) -> Vec<Former<'_>> {
    let plain = without_bom(body);
    let former = if plain.len() < body.len() { Cow::Borrowed(plain) } else { Cow::Owned([BOM, body].concat()) };
    vec![(Mistake::BodyBom, former)]
}

fn encoded(body: &[u8]) -> Vec<Former<'_>> {
    let decoded = Encoding::Base64.decode(body.trim_ascii()).filter(|decoded| !decoded.is_empty());
    decoded.map(|decoded| (Mistake::BodyBase64, Cow::Owned(decoded))).into_iter().collect()
}

fn packed(body: &[u8]) -> Vec<Former<'_>> {
    let mut plain = Vec::new();
    let read = match body {
        [0x1f, 0x8b, ..] => GzDecoder::new(body).take(UNPACKED_BYTES_MAX).read_to_end(&mut plain),
        // RFC 1950 section 2.2.
        [0x78, ..] => ZlibDecoder::new(body).take(UNPACKED_BYTES_MAX).read_to_end(&mut plain),
        _ => return Vec::new(),
    };
    read.map(|_| (Mistake::BodyCompressed, Cow::Owned(plain))).into_iter().collect()
}

/// Text that was UTF-8 and became UTF-16 or ISO 8859-1, or the other way round.
fn transcoded(body: &[u8]) -> Vec<Former<'_>> {
    let mut texts: Vec<Vec<u8>> = Vec::new();
    if body.len().is_multiple_of(2) && body.iter().take(4).any(|byte| *byte == 0 || *byte >= 0xfe) {
        for big in [false, true] {
            let unit = |pair: &[u8]| if big { [pair[0], pair[1]] } else { [pair[1], pair[0]] };
            let units = body.chunks_exact(2).map(|pair| u16::from_be_bytes(unit(pair)));
            let text: Result<String, _> = char::decode_utf16(units).collect();
            texts.extend(text.ok().map(|text| text.trim_start_matches('\u{feff}').as_bytes().to_vec()));
        }
    }
    match std::str::from_utf8(body) {
        Ok(text) if !text.is_ascii() => {
            let latin: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
            texts.extend(latin);
        }
        Ok(_) => {}
        Err(_) => texts.push(body.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()),
    }
    texts.into_iter().map(|text| (Mistake::Charset, Cow::Owned(text))).collect()
}

/// A body that was parsed and written out again.
pub(super) fn written_again(search: &Search<'_>, secret: &str) -> Option<Mistake> {
    let key = search.verification.key(secret)?;
    let fits = |body: &[u8]| search.fits(&Trial { body: Some(body), ..Trial::with_key(&key, secret) });
    let mut rewritings = rewritings(search.verification.request.body).take_while(|_| search.may_go_on());
    rewritings.any(|body| fits(&body)).then_some(Mistake::BodyReserialised)
}

/// The texts that a JSON or form body may have been before it was written out again.
pub(super) fn rewritings(body: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let text = std::str::from_utf8(without_bom(body)).unwrap_or_default().trim();
    let json = VARIANTS.iter().filter_map(move |(layout, escapes)| rewritten(text, *layout, *escapes));
    let json = json.filter(move |other| other != text).flat_map(|text| {
        // A list of events may have lost the line end behind it as well (SendGrid ends its bodies with CRLF).
        let ended = text.starts_with('[').then(|| format!("{text}\r\n").into_bytes());
        std::iter::once(text.into_bytes()).chain(ended)
    });
    json.chain(forms(text))
}

/// Whether a form's fields stand in the order of their names: senders seldom sort them, writers often do.
pub(super) fn is_sorted_form(body: &[u8]) -> bool {
    let fields: Vec<&[u8]> = body.split(|byte| *byte == b'&').take(FORM_FIELDS_MAX).collect();
    fields.len() >= SORTED_FIELDS_MIN && fields.iter().all(|field| field.contains(&b'=')) && fields.is_sorted()
}

/// A form with its fields in another order, or its spaces escaped in another way.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let fields: Vec<&str> = text.split('&').collect();
    if text.starts_with(['{', '[']) || !text.contains('=') || fields.len() > FORM_FIELDS_MAX {
        return Vec::new();
    }
    let sorted: BTreeSet<&str> = fields.iter().copied().collect();
    let mut orders = vec![sorted.into_iter().collect::<Vec<_>>().join("&")];
    orders.push(fields.iter().rev().copied().collect::<Vec<_>>().join("&"));
    let count = fields.len();
    orders.extend((1..count).map(|by| [&fields[by..], &fields[..by]].concat().join("&")));
    orders.push(text.replace("%20", "+"));
    orders.push(text.replace('+', "%20"));
    orders.push(text.replace("%2A", "*").replace("%7E", "~"));
    orders.push(lower_escapes(text));
    orders.into_iter().filter(|other| other != text).map(String::into_bytes).collect()
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
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// JSON objects and arrays.
    fn json() -> impl Strategy<Value = Value> {
        let text = "\\PC{0,12}|[/\\\\\"\u{1}é]{0,6}";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
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

    proptest! {
        #[test]
        fn json_that_is_written_again_stays_the_same_json(value in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            for other in rewritings(text.as_bytes()) {
                prop_assert_eq!(&serde_json::from_slice::<Value>(&other).unwrap(), &value);
            }
        }
    }

    #[test]
    fn a_form_is_tried_in_other_orders_and_with_other_spaces() {
        let others: Vec<Vec<u8>> = rewritings(b"b=x+y&a=1").collect();
        for former in ["a=1&b=x+y", "b=x%20y&a=1"] {
            assert!(others.contains(&former.as_bytes().to_vec()), "{former}");
        }
        assert!(is_sorted_form(b"a=1&b=2&c=3&d=4&e=5") && !is_sorted_form(b"a=1&c=2&b=3&d=4&e=5"));
    }
}
