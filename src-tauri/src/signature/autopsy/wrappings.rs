//! Bodies that arrived inside something else: packed, as base64, as a JSON string, in a gateway's event.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::{GzDecoder, ZlibDecoder};
use serde::Deserialize;

use super::super::encoding::Encoding;
use super::super::finding::Mistake;
use super::bodies::Former;

/// Bytes of a body that is unpacked, or taken out of another, to see whether it is then as signed.
const UNPACKED_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What stands inside a body that is base64.
pub(super) fn encoded(body: &[u8]) -> Option<Former<'_>> {
    let decoded = base64(body)?;
    Some((Mistake::BodyBase64, Cow::Owned(decoded)))
}

/// What base64 stands for, in one line or several (RFC 2045 section 6.8).
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let decoded = if memchr::memchr(b'\n', text).is_some() {
        let joined: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        Encoding::Base64.decode(&joined)
    } else {
        Encoding::Base64.decode(text)
    };
    decoded.filter(|decoded| !decoded.is_empty())
}

/// What a packed body unpacks to.
pub(super) fn packed(body: &[u8]) -> Option<Former<'_>> {
    let mut plain = Vec::new();
    let read = match body {
        [0x1f, 0x8b, ..] => GzDecoder::new(body).take(UNPACKED_BYTES_MAX).read_to_end(&mut plain),
        // RFC 1950 section 2.2.
        [0x78, ..] => ZlibDecoder::new(body).take(UNPACKED_BYTES_MAX).read_to_end(&mut plain),
        _ => return None,
    };
    read.ok().map(|_| (Mistake::BodyCompressed, Cow::Owned(plain)))
}

/// A request as a gateway hands it to a function
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    body: String,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// What stands inside a JSON string, or inside the event that a gateway makes of a request.
pub(super) fn wrapped(body: &[u8]) -> Option<Former<'_>> {
    if body.len() as u64 > UNPACKED_BYTES_MAX {
        return None;
    }
    let inner = match body.trim_ascii_start().first()? {
        b'"' => serde_json::from_slice::<String>(body).ok()?.into_bytes(),
        b'{' => {
            let event: Event = serde_json::from_slice(body).ok()?;
            if event.is_base64_encoded { base64(event.body.as_bytes())? } else { event.body.into_bytes() }
        }
        _ => return None,
    };
    Some((Mistake::BodyWrapped, Cow::Owned(inner)))
}
