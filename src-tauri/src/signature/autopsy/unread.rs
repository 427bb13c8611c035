//! Mistakes that can be read off the request: what is absent, and what is not in the documented form.

use super::super::algorithm::{Algorithm, Kind};
use super::super::encoding::Encoding;
use super::super::finding::Mistake;
use super::super::jwt::Token;
use super::super::signature_place::SignaturePlace;
use super::super::verification::Verification;

/// Lengths of the digests in use, in bytes: MD5, SHA-1, SHA-256, SHA-384, SHA-512.
const DIGEST_BYTES: [usize; 5] = [16, 20, 32, 48, 64];

/// What is absent.
pub(super) fn missing(verification: &Verification<'_>) -> Mistake {
    let (scheme, sources) = (verification.scheme, verification.sources());
    let has_signature = scheme.places.iter().any(|place| !place.values(&sources).is_empty());
    if !has_signature {
        if scheme.places.iter().any(|place| place.has_header(&sources)) {
            return Mistake::SignatureMalformed;
        }
        let in_header = scheme.places.iter().any(|place| place.place.header_name().is_some());
        return if in_header { Mistake::SignatureHeaderMissing } else { Mistake::SignatureFieldMissing };
    }
    if scheme.id.as_ref().is_some_and(|place| place.read(&sources).is_none()) {
        return Mistake::IdHeaderMissing;
    }
    if scheme.timestamp.is_some() && verification.lone_timestamp().is_none() {
        return Mistake::TimestampHeaderMissing;
    }
    Mistake::SignatureFieldMissing
}

/// What is not in the documented form.
pub(super) fn malformed(verification: &Verification<'_>) -> Mistake {
    let (scheme, sources) = (verification.scheme, verification.sources());
    let mut found = Vec::new();
    for place in &scheme.places {
        let _ = place.read(scheme.algorithm, None, verification.options, &sources, &mut found);
    }
    if !found.is_empty() && scheme.algorithm.kind() != Kind::Jwt {
        return Mistake::TimestampMalformed;
    }
    for place in &scheme.places {
        for value in place.values(&sources) {
            let items = place.items(&value);
            if let Some(mistake) = items.iter().find_map(|item| mistaken(item, place, scheme.algorithm)) {
                return mistake;
            }
        }
    }
    Mistake::SignatureMalformed
}

fn mistaken(item: &[u8], place: &SignaturePlace, algorithm: Algorithm) -> Option<Mistake> {
    let prefix = place.prefix().as_bytes();
    let documented = item.strip_prefix(prefix).filter(|_| !prefix.is_empty());
    if algorithm.kind() == Kind::Jwt {
        return (documented.is_none() && Token::read(item).is_some()).then_some(Mistake::SignaturePrefixMissing);
    }
    if documented.is_none() && !prefix.is_empty() {
        let bare = place.encoding.decode(item).is_some_and(|bytes| algorithm.could_be(&bytes));
        if bare {
            return Some(Mistake::SignaturePrefixMissing);
        }
    }
    let at = item.iter().position(|byte| matches!(byte, b'=' | b',')).map_or(0, |at| at + 1);
    let tail = if prefix.is_empty() { item } else { documented.unwrap_or(&item[at..]) };
    let could_be = |bytes: &[u8]| algorithm.could_be(bytes);
    if in_other_encodings(tail, place.encoding).iter().any(|bytes| could_be(bytes)) {
        return Some(Mistake::EncodingMismatch);
    }
    // The right kind of digest behind another prefix.
    if place.encoding.decode(tail).is_some_and(|bytes| could_be(&bytes)) {
        return Some(Mistake::SignatureMalformed);
    }
    let length = place.encoding.decode(tail)?.len();
    (algorithm.kind() == Kind::Digest && DIGEST_BYTES.contains(&length)).then_some(Mistake::WrongAlgorithm)
}

/// What a text stands for that is not written in the documented encoding: in another, in two on top of each other, escaped
/// for a URL, with colons between bytes.
pub(super) fn in_other_encodings(text: &[u8], documented: Encoding) -> Vec<Vec<u8>> {
    let digits = [Encoding::Hex, Encoding::Base64, Encoding::Base64url];
    // Hex that was cut off may read as base64; no digest in base64 is made of hex digits alone.
    let is_hex = text.iter().all(u8::is_ascii_hexdigit);
    let fits = |encoding: &Encoding| *encoding != documented && (!is_hex || *encoding == Encoding::Hex);
    let mut found: Vec<Vec<u8>> =
        digits.iter().filter(|encoding| fits(encoding)).filter_map(|encoding| encoding.decode(text)).collect();
    // Digits that were written as text a second time.
    let outer = digits.iter().filter_map(|encoding| encoding.decode(text)).filter(|inner| inner.is_ascii());
    let twice: Vec<Vec<u8>> = outer
        .flat_map(|inner| digits.iter().filter_map(|encoding| encoding.decode(&inner)).collect::<Vec<_>>())
        .collect();
    found.extend(twice);
    if text.contains(&b'%') {
        let plain = form_urlencoded_part(text);
        found.extend(digits.iter().filter_map(|encoding| encoding.decode(&plain)));
    }
    if text.contains(&b':') {
        let plain: Vec<u8> = text.iter().copied().filter(|byte| *byte != b':').collect();
        found.extend(Encoding::Hex.decode(&plain));
    }
    found
}

/// The text with its percent escapes resolved; a plus stays one, as base64 has it.
fn form_urlencoded_part(text: &[u8]) -> Vec<u8> {
    let kept = String::from_utf8_lossy(text).replace('+', "%2B");
    url::form_urlencoded::parse(kept.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned().into_bytes())
        .unwrap_or_default()
}
