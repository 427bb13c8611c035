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
    formers(search.verification.request.body).find(|(_, body)| fits(body)).map(|(mistake, _)| mistake)
}

/// The bodies that this one may have been.
pub(super) fn formers(body: &[u8]) -> impl Iterator<Item = Former<'_>> {
    // One kind after the other, so that nothing is made that is not tried.
    let transcoded = move || charsets::transcoded(body).into_iter().map(|text| (Mistake::Charset, Cow::Owned(text)));
    let inner =
        move || wrappings::encoded(body).into_iter().chain(wrappings::packed(body)).chain(wrappings::wrapped(body));
    let later = std::iter::once_with(inner).flatten().chain(std::iter::once_with(transcoded).flatten());
    line_ends(body).into_iter().chain(bom(body)).chain(later)
}

fn line_ends(body: &[u8]) -> Vec<Former<'_>> {
    let mut formers: Vec<Former<'_>> = Vec::new();
    for end in ["\n", "\r\n"] {
        formers.push((Mistake::TrailingNewline, Cow::Owned([body, end.as_bytes()].concat())));
        if let Some(trimmed) = body.strip_suffix(end.as_bytes()) {
            formers.push((Mistake::TrailingNewline, Cow::Borrowed(trimmed)));
        }
    }
    let bare = body.trim_suffix_of(b"\r\n");
    if body.len() - bare.len() > 1 && !body.ends_with(b"\r\n") {
        formers.push((Mistake::TrailingNewline, Cow::Borrowed(bare)));
    }
    if memchr::memchr(b'\n', bare).is_some() {
        let plain = replaced(body, b"\r\n", b"\n");
        let crlf = replaced(&plain, b"\n", b"\r\n");
        // An editor that changes the line ends may add or drop the last one as well.
        let others = |text: &[u8], end: &[u8]| {
            let bare = text.trim_suffix_of(b"\r\n");
            [bare.to_vec(), [bare, end].concat()].into_iter().filter(|other| other != text).collect::<Vec<_>>()
        };
        let with_others = [(&crlf, &b"\r\n"[..]), (&plain, b"\n")].map(|(text, end)| others(text, end));
        let all = [crlf.clone(), plain.clone()].into_iter().chain(with_others.into_iter().flatten());
        formers.extend(all.map(|text| (Mistake::LineEndings, Cow::Owned(text))));
    }
    formers
}

/// The end of some bytes.
trait End {
    /// The bytes without any of these behind them.
    fn trim_suffix_of(&self, signs: &[u8]) -> &[u8];
}

impl End for [u8] {
    fn trim_suffix_of(&self, signs: &[u8]) -> &[u8] {
        let end = self.iter().rposition(|byte| !signs.contains(byte)).map_or(0, |at| at + 1);
        &self[..end]
    }
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
