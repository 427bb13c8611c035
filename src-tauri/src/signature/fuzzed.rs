//! What is fuzzed: each function takes any bytes at all, hands them to one parser and checks what must hold of the answer.
//! A panic is a finding.
//!
//! Driven by `fuzz/` (CONTRIBUTING says how) and, for a moment in every run, by the property tests below. Compiled for
//! these two alone.

use std::sync::LazyLock;

use serde_json::Value;

use super::json_fields::members;
use super::json_path::JsonPath;
use super::jwt::Token;
use super::options::Options;
use super::place::Sources;
use super::public_key::PublicKey;
use super::{
    Algorithm, BodyFacts, Catalogue, Elsewhere, SecretForm, SignedRequest, Template, TimeUnit, envelope, form,
    matches_filters,
};
use crate::domain::limits::{DEDUPE_KEY_BYTES_MAX, EVENT_NAME_BYTES_MAX};
use crate::domain::{EventFilter, Headers, Secret, SignatureReason, Timestamp};

/// Read once; the recipes are what gives the parsers their shapes.
static CATALOGUE: LazyLock<Option<Catalogue>> = LazyLock::new(|| Catalogue::embedded().ok());
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// A part of the bytes up to a NUL, and the rest.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    (&bytes[..at], bytes.get(at + 1..).unwrap_or_default())
}

/// The signature places of every scheme: the value stands in all of their headers, or is the body.
pub fn signature_places(bytes: &[u8]) {
    let (value, body) = split(bytes);
    for scheme in CATALOGUE.iter().flat_map(Catalogue::iter).flat_map(|provider| &provider.schemes) {
        let names = scheme.places.iter().filter_map(|place| place.place.header_name());
        let Ok(headers) =
            Headers::from_pairs(names.flat_map(|name| [(name.to_owned(), value), (format!("{name}-1"), value)]))
        else {
            return;
        };
        let sources = Sources { headers: &headers, body, facts: None, url: Some("https://h.example/in?a=1") };
        let field = scheme.timestamp.as_ref().and_then(|timestamp| timestamp.field());
        for place in &scheme.places {
            let mut found = Vec::new();
            let unread = place.read(scheme.algorithm, field, &Options::default(), &sources, &mut found);
            assert_eq!(unread.is_some(), found.is_empty());
            assert!(found.iter().all(|signature| scheme.algorithm.could_be(&signature.bytes)));
        }
    }
}

/// A whole judgement with its explanation, by the provider that the first byte chooses: a header, a NUL, a body.
pub fn judgements(bytes: &[u8]) {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    let (value, body) = split(rest);
    let providers = || CATALOGUE.iter().flat_map(Catalogue::iter);
    let Some(provider) = providers().nth(usize::from(choice) % providers().count().max(1)) else { return };
    let mut names: Vec<&str> = Vec::new();
    for scheme in &provider.schemes {
        names.extend(scheme.places.iter().filter_map(|place| place.place.header_name()));
        names.extend(scheme.id.as_ref().and_then(|place| place.header_name()));
    }
    names.extend(["webhook-timestamp", "x-contentful-signed-headers", "PAYPAL-CERT-URL", "X-Slack-Request-Timestamp"]);
    let Ok(headers) = Headers::from_pairs(names.iter().map(|name| (name, value))) else { return };
    let request = SignedRequest { method: "POST", url: Some("https://h.example/in?a=%zz&&"), headers: &headers, body };
    let secrets = [Secret::new("a secret that nobody can guess".to_owned())];
    for scheme in provider.schemes.iter().filter(|scheme| scheme.algorithm != Algorithm::None) {
        let name = Some(scheme.name.as_str());
        let explained = provider.explain(name, &Value::Null, &secrets, &request, NOW, Elsewhere::default());
        assert!(explained.is_ok_and(|explanation| explanation.reason != SignatureReason::Ok), "{}", scheme.name);
    }
    let facts = BodyFacts::read(body);
    let event = provider.event_name(&headers, &facts, body);
    assert!(!event.name.is_empty() && event.name.len() <= EVENT_NAME_BYTES_MAX);
    let key = provider.dedupe_key(&headers, &facts, body);
    assert!(key.is_none_or(|key| !key.key.is_empty() && key.key.len() <= DEDUPE_KEY_BYTES_MAX));
}

/// Timestamps of every unit: one that is read is written and read again as the same.
pub fn timestamps(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for &unit in TimeUnit::ALL {
        let Some(at) = unit.read(text) else { continue };
        let written = unit.write(at);
        // Times that lie beyond what a calendar can write stay numbers.
        if at.as_millis().unsigned_abs() < 1 << 47 {
            let whole = |at: Timestamp| {
                if unit == TimeUnit::Milliseconds || unit == TimeUnit::Rfc3339 {
                    at.as_millis()
                } else {
                    at.as_unix_seconds()
                }
            };
            assert_eq!(unit.read(&written).map(whole), Some(whole(at)), "{text:?} {written:?}");
        }
    }
}

/// Recipe templates, and what they make of a request that holds the same bytes.
pub fn templates(bytes: &[u8]) {
    let (text, body) = split(bytes);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(template) = Template::parse(text) else { return };
    assert_eq!(template.as_str(), text);
    let headers = Headers::default();
    let request = SignedRequest { method: "POST", url: Some("https://h.example/in?a=1"), headers: &headers, body };
    let options = Options::default();
    let context = super::template::Context {
        request: &request,
        options: &options,
        secret: "s",
        timestamp: Some("1"),
        id: Some("i"),
    };
    let _ = template.pieces(&context);
}

/// A provider's file.
pub fn recipes(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Catalogue::read([("fuzzed", text)]);
}

/// Paths into JSON, and the members and facts of a body that may be none.
pub fn json(bytes: &[u8]) {
    let (path, body) = split(bytes);
    if let Some(path) = std::str::from_utf8(path).ok().and_then(JsonPath::parse) {
        let _ = path.find(body);
    }
    if let Ok(text) = std::str::from_utf8(body) {
        let _ = members(text, &["type", "event"]);
    }
    let facts = BodyFacts::read(body);
    assert_eq!(facts.json.is_none(), facts.error.is_some());
    let whole = envelope("e", body, NOW, None);
    // JSON, though with numbers that not every parser can hold.
    assert!(whole.is_none_or(|whole| super::json_fields::check(whole.get()).is_ok()));
}

/// Event filters: the first part is the filter and the event's name, the rest the body whose members may match.
pub fn filters(bytes: &[u8]) {
    let (name, body) = split(bytes);
    let Ok(name) = std::str::from_utf8(name) else { return };
    let (event, action) = name.split_once('\n').unwrap_or((name, name));
    let filter = |actions| [EventFilter { event: event.to_owned(), actions }];
    let facts = BodyFacts::read(body);
    assert!(event.is_empty() || matches_filters(&filter(None), event, &facts), "a name matches itself");
    let _ = matches_filters(&filter(Some(vec![action.to_owned()])), name, &facts);
}

/// Forms of both kinds, and how providers write them before they sign.
pub fn forms(bytes: &[u8]) {
    let (name, body) = split(bytes);
    let name = String::from_utf8_lossy(name);
    let fields = form::fields(body);
    assert_eq!(form::field(body, &name), fields.into_iter().find(|(field, _)| *field == name).map(|(_, value)| value));
    if let (Some(old), Some(changed)) = (form::field_bytes(body, &name), form::with_field(body, &name, b"a b")) {
        assert_eq!(form::field_bytes(&changed, &name).as_deref(), Some(&b"a b"[..]));
        let back = form::with_field(&changed, &name, &old).and_then(|back| form::field_bytes(&back, &name));
        assert_eq!(back, Some(old));
    }
    let _ = (super::canonical::sorted_params(body), super::canonical::php_serialized(body, &name));
}

/// JSON Web Tokens, and keys in any of their clothes.
pub fn tokens(bytes: &[u8]) {
    let (token, key) = split(bytes);
    let text = String::from_utf8_lossy(key);
    for &algorithm in Algorithm::ALL {
        for key in PublicKey::read(&text, algorithm, Some("kid")) {
            let _ = key.verifies(algorithm, b"message", token);
        }
    }
    for form in SecretForm::ALL {
        let _ = form.key(&text);
    }
    if let Some(token) = Token::read(token) {
        let _ = (token.seconds("exp"), token.seconds("iat"));
        assert!(!token.is_signed(Algorithm::JwtHs, b"a secret that nobody can guess"));
        assert!(!token.is_signed(Algorithm::JwtRs256, key) && !token.is_signed(Algorithm::JwtEs256, key));
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// What the parsers look for, in any order: it gets further than bytes at random.
    const PIECES: [&str; 48] = [
        "\0",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        ";",
        "\"",
        "\\",
        "=",
        "&",
        "|",
        ".",
        "-",
        "/",
        "?",
        "%2",
        " ",
        "\n",
        "\r\n",
        "v1,",
        "v1=",
        "t=",
        "ts=",
        "sha256=",
        "Bearer ",
        "Basic ",
        "{body}",
        "{timestamp}",
        "{?id}",
        "{header:a}",
        "{json_lines:a,b}",
        "\"type\"",
        "a[0].b",
        "1767225600",
        "9223372036854775807",
        "2026-01-01T00:00:00Z",
        "Thu, 01 Jan 2026 00:00:00 GMT",
        "eyJhbGciOiJIUzI1NiJ9.",
        "e30.",
        "--x\r\n",
        "name=\"a\"\r\n\r\n",
        "\u{feff}",
        "é",
        "-----BEGIN PUBLIC KEY-----",
        "{\"keys\":[{\"kty\":\"EC\",\"x\":\"AA\",\"y\":\"AA\"}]}",
        "whsec_",
    ];

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let soup =
            vec(proptest::sample::select(PIECES.to_vec()), 0..16).prop_map(|pieces| pieces.concat().into_bytes());
        prop_oneof![vec(any::<u8>(), 0..300), soup]
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_parser_panic_or_break_a_promise(bytes in bytes()) {
            signature_places(&bytes);
            judgements(&bytes);
            timestamps(&bytes);
            templates(&bytes);
            recipes(&bytes);
            json(&bytes);
            filters(&bytes);
            forms(&bytes);
            tokens(&bytes);
        }
    }
}
