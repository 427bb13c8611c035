//! Mistakes with the body: what happens to bytes between sender and receiver.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::super::SignedRequest;
use super::super::finding::Mistake;
use super::super::json_fields::without_bom;
use super::search::{Search, Trial};
use super::{charsets, forms, json_values, wrappings};

/// The UTF-8 byte order mark.
const BOM: &[u8] = b"\xef\xbb\xbf";
/// What decoders write for bytes that they cannot read: U+FFFD.
const REPLACEMENT: &[u8] = b"\xef\xbf\xbd";
/// How packed bodies begin (RFC 1952 section 2.3.1, RFC 1950 section 2.2, RFC 8878 section 3.1.1). Brotli has no mark.
const PACKED_MARKS: [&[u8]; 3] = [b"\x1f\x8b", b"\x78", b"\x28\xb5\x2f\xfd"];

/// Bytes of a body that is read as JSON to see whether it is whole.
const READ_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The same to see whether its names are in order.
const SORTED_BYTES_MAX: usize = 256 * 1024;

/// A body as it may have been, and the mistake that made it what it is.
pub(super) type Former<'b> = (Mistake, Cow<'b, [u8]>);

/// Mistakes that leave the text what it is: line ends, marks, encodings of the whole.
pub(super) fn plain_mistake(search: &Search<'_>, secret: &str) -> Option<Mistake> {
    let key = search.verification.key(secret)?;
    let fits = |body: &[u8]| search.fits(&Trial { body: Some(body), ..Trial::with_key(&key, secret) });
    let mut formers = formers(search.verification.request.body).take_while(|_| search.may_go_on());
    formers.find(|(_, body)| fits(body)).map(|(mistake, _)| mistake)
}

/// The bodies that this one may have been.
pub(super) fn formers(body: &[u8]) -> impl Iterator<Item = Former<'_>> {
    // One kind after the other, so that nothing is made that is not tried.
    let transcoded = move || charsets::transcoded(body).into_iter().map(|text| (Mistake::Charset, Cow::Owned(text)));
    let inner =
        move || wrappings::encoded(body).into_iter().chain(wrappings::packed(body)).chain(wrappings::wrapped(body));
    let later = std::iter::once_with(inner).flatten().chain(std::iter::once_with(transcoded).flatten());
    line_ends(body).chain(std::iter::once_with(move || bom(body))).chain(later)
}

/// What becomes of the last line end while the others are changed: an editor may add or drop it as well.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Kept,
    Changed,
}

fn line_ends(body: &[u8]) -> impl Iterator<Item = Former<'_>> {
    let end = body.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |at| at + 1);
    let (bare, has_end) = (&body[..end], end < body.len());
    let added = [&b"\n"[..], b"\r\n"].into_iter().map(move |end| Cow::Owned([body, end].concat()));
    let cut: Vec<&[u8]> = [&b"\n"[..], b"\r\n"].into_iter().filter_map(|end| body.strip_suffix(end)).collect();
    let all_cut = Some(bare).filter(|bare| has_end && !cut.contains(bare));
    let last = added.chain(cut.into_iter().chain(all_cut).map(Cow::Borrowed));
    let last = last.map(|body| (Mistake::TrailingNewline, body));
    // Made one by one: a body may be large.
    let ways = [(true, Last::Kept), (false, Last::Kept), (true, Last::Changed), (false, Last::Changed)];
    let has_lines = memchr::memchr(b'\n', bare).is_some();
    let all = ways.into_iter().filter(move |_| has_lines).map(move |(is_crlf, last)| {
        let mut text = replaced(if last == Last::Kept { body } else { bare }, b"\r\n", b"\n");
        if last == Last::Changed && !has_end {
            text.push(b'\n');
        }
        let text = if is_crlf { replaced(&text, b"\n", b"\r\n") } else { text };
        (Mistake::LineEndings, Cow::Owned(text))
    });
    last.chain(all)
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

fn bom(body: &[u8]) -> Former<'_> {
    let plain = without_bom(body);
    let former = if plain.len() < body.len() { Cow::Borrowed(plain) } else { Cow::Owned([BOM, body].concat()) };
    (Mistake::BodyBom, former)
}

/// What the body itself shows to have happened to it, where that cannot be undone.
pub(super) fn sign_of_change(request: &SignedRequest<'_>) -> Option<Mistake> {
    let body = request.body;
    if body.is_empty() {
        // A request without a body says nothing about the kind of one.
        return request.headers.get("content-type").map(|_| Mistake::BodyEmpty);
    }
    let is_named_packed = request.headers.get_text("content-encoding").is_some_and(|coding| {
        ["gzip", "deflate", "br", "zstd"].iter().any(|known| coding.trim().eq_ignore_ascii_case(known))
    });
    if is_named_packed && std::str::from_utf8(body).is_ok() && !PACKED_MARKS.iter().any(|mark| body.starts_with(mark)) {
        return Some(Mistake::BodyUnpacked);
    }
    let json = without_bom(body).trim_ascii();
    if body.len() <= READ_BYTES_MAX && (json.starts_with(b"{") || json.starts_with(b"[")) {
        let read = serde_json::from_slice::<IgnoredAny>(json);
        if read.is_err_and(|error| error.is_eof()) {
            return Some(Mistake::BodyTruncated);
        }
    }
    if memchr::memmem::find(body, REPLACEMENT).is_some() {
        return Some(Mistake::Charset);
    }
    let may_sort = body.len() <= SORTED_BYTES_MAX;
    (forms::is_sorted(body) || may_sort && json_values::is_sorted(body)).then_some(Mistake::BodyReserialised)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_body_is_too_odd_to_be_searched(bytes in vec(any::<u8>(), 0..64), text in "[\\[\\]{}\":,\\\\0-9.eé=&%+ \n]{0,48}") {
            let headers = crate::domain::Headers::default();
            for body in [&bytes[..], text.as_bytes()] {
                let request = SignedRequest { method: "POST", url: None, headers: &headers, body };
                let _sign = sign_of_change(&request);
                prop_assert!(formers(body).count() < 32);
                prop_assert!(super::super::rewritings::rewritings(body).count() < 1_000);
            }
        }
    }
}
