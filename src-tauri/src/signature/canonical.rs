//! The ways in which providers write a URL, a form or headers before they sign them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use url::{Position, Url};

use super::form;
use crate::domain::Headers;

/// Escapes that HubSpot resolves in a URL before it signs it
/// (<https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests>).
const HUBSPOT_ESCAPES: [(&str, &str); 15] = [
    ("%3A", ":"),
    ("%2F", "/"),
    ("%3F", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2A", "*"),
    ("%2C", ","),
    ("%3B", ";"),
    ("%23", "#"),
    ("%5B", "["),
    ("%5D", "]"),
];

/// The URL with its port written out, also the scheme's usual one.
pub(super) fn with_port(url: &str) -> String {
    let Ok(parsed) = Url::parse(url) else { return url.to_owned() };
    match (parsed.host_str(), parsed.port_or_known_default()) {
        (Some(host), Some(port)) => {
            format!("{}{host}:{port}{}", &parsed[..Position::BeforeHost], tail(url))
        }
        _ => url.to_owned(),
    }
}

/// The URL without a port.
pub(super) fn without_port(url: &str) -> String {
    let Ok(parsed) = Url::parse(url) else { return url.to_owned() };
    match parsed.host_str() {
        Some(host) => format!("{}{host}{}", &parsed[..Position::BeforeHost], tail(url)),
        None => url.to_owned(),
    }
}

/// All of a URL that follows its host and port, exactly as written.
fn tail(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let length = url[start..].find(['/', '?', '#']).unwrap_or(url.len() - start);
    &url[start + length..]
}

/// The path with its query as written; `/` when there is none.
pub(super) fn path_query(url: &str) -> String {
    let tail = tail(url).split('#').next().unwrap_or_default();
    if tail.starts_with('/') { tail.to_owned() } else { format!("/{tail}") }
}

/// The path with its query as Contentful's library writes them
/// (<https://github.com/contentful/node-apps-toolkit/blob/main/src/requests/utils.ts>): JavaScript's `encodeURI` over the
/// path and the query, the latter escaped as one word before, so that its escapes are escaped again.
pub(super) fn path_query_escaped(url: &str) -> String {
    let whole = path_query(url);
    let mut parts = whole.split('?');
    let path = parts.next().unwrap_or_default();
    match parts.next().filter(|query| !query.is_empty()) {
        Some(query) => escaped_but(&format!("{path}?{}", escaped_but(query, UNRESERVED)), URI),
        None => escaped_but(path, URI),
    }
}

/// Marks that JavaScript's `encodeURIComponent` and Node's `querystring.escape` keep (ECMA-262 section 19.2.6).
const UNRESERVED: &str = "-_.!~*'()";
/// Marks that JavaScript's `encodeURI` keeps.
const URI: &str = "-_.!~*'();/?:@&=+$,#";

/// The text with every byte as `%XX` that is neither a letter, a digit nor one of the marks.
fn escaped_but(text: &str, marks: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || marks.as_bytes().contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// The URL with the escapes resolved that HubSpot resolves, in either case.
pub(super) fn decoded(url: &str) -> String {
    HUBSPOT_ESCAPES.iter().fold(url.to_owned(), |url, (escape, plain)| {
        url.replace(escape, plain).replace(&escape.to_ascii_lowercase(), plain)
    })
}

/// Names and values of a form joined with nothing, sorted by name, then by value, the same pair once (Twilio).
pub(super) fn sorted_params(body: &[u8]) -> String {
    let fields = form::fields(body);
    let sorted: BTreeSet<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let mut text = String::new();
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    text
}

/// The pairs of a form as they are written, sorted.
pub(super) fn encoded_params(body: &[u8]) -> Vec<u8> {
    let sorted: BTreeSet<&[u8]> = body.split(|byte| *byte == b'&').collect();
    sorted.into_iter().collect::<Vec<_>>().join(&b'&')
}

/// The fields but one as PHP's `serialize()` writes an array of strings, sorted by name (Paddle Classic).
pub(super) fn php_serialized(body: &[u8], without: &str) -> String {
    let fields = form::fields(body);
    let sorted: BTreeMap<&str, &str> =
        fields.iter().filter(|(name, _)| name != without).map(|(name, value)| (&**name, &**value)).collect();
    let mut text = format!("a:{}:{{", sorted.len());
    for (name, value) in sorted {
        // Writing to a String cannot fail.
        let _ = write!(text, "s:{}:\"{name}\";s:{}:\"{value}\";", name.len(), value.len());
    }
    text.push('}');
    text
}

/// The headers of a comma-separated list as `name:value`, joined with `;`. None when one of them is absent.
pub(super) fn signed_headers(headers: &Headers, list: &str) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for name in list.split(',').map(str::trim) {
        if !text.is_empty() {
            text.push(b';');
        }
        text.extend_from_slice(name.to_ascii_lowercase().as_bytes());
        text.push(b':');
        text.extend_from_slice(headers.get(name)?);
    }
    Some(text)
}

/// The value of `name=value` among the comma-separated items of a header; empty when there is none (Hook0).
pub(super) fn list_item<'a>(headers: &'a Headers, header: &str, name: &str) -> &'a str {
    let mut items = headers.get_text(header).unwrap_or_default().split(',');
    items.find_map(|item| item.trim().strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
}

/// The values of the headers whose names stand in a list with spaces, joined with `.` (Hook0). None when one of them is
/// absent.
pub(super) fn listed_headers(headers: &Headers, list: &str) -> Option<Vec<u8>> {
    let values: Option<Vec<&[u8]>> = list.split_ascii_whitespace().map(|name| headers.get(name)).collect();
    Some(values?.join(&b'.'))
}

/// The text with every character outside ASCII as `\uXXXX`, in lower case. None when it is no UTF-8.
pub(super) fn escaped(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    Some(escaped.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_a_url_changes() {
        for (url, with, without) in [
            ("https://h/p?a=%20", "https://h:443/p?a=%20", "https://h/p?a=%20"),
            ("http://h:8080?x", "http://h:8080?x", "http://h?x"),
            ("http://u:p@h/", "http://u:p@h:80/", "http://u:p@h/"),
            ("no url", "no url", "no url"),
        ] {
            assert_eq!((with_port(url).as_str(), without_port(url).as_str()), (with, without), "{url}");
        }
        assert_eq!(path_query("https://h?x#y"), "/?x");
        assert_eq!(path_query("https://h/a/b?x=%2F"), "/a/b?x=%2F");
        assert_eq!(
            path_query_escaped("https://h/a b/é%20?x=1&y=%2F#z"),
            "/a%20b/%C3%A9%2520?x%253D1%2526y%253D%25252F"
        );
        assert_eq!(path_query_escaped("https://h/a?"), "/a");
        assert_eq!(decoded("https://h/?u=%3a%2F%20"), "https://h/?u=:/%20");
    }

    #[test]
    fn forms_and_headers_are_written_as_their_providers_do() {
        assert_eq!(sorted_params(b"b=2&a=z&a=y&a=y&c=%2B"), "ayazb2c+");
        assert_eq!(php_serialized("b=ä&sig=x&a=".as_bytes(), "sig"), "a:2:{s:1:\"a\";s:0:\"\";s:1:\"b\";s:2:\"ä\";}");
        let headers = Headers::from_pairs([("A", "1"), ("B", "2")]).unwrap();
        assert_eq!(signed_headers(&headers, "b, A").as_deref(), Some(b"b:2;a:1".as_slice()));
        assert_eq!(signed_headers(&headers, "c"), None);
        let headers = Headers::from_pairs([("S", "t=1, h=a b,v1=c=d"), ("A", "1"), ("B", "2")]).unwrap();
        assert_eq!((list_item(&headers, "s", "h"), list_item(&headers, "s", "v1")), ("a b", "c=d"));
        assert_eq!((list_item(&headers, "s", "v"), list_item(&headers, "x", "h")), ("", ""));
        assert_eq!(listed_headers(&headers, "b a").as_deref(), Some(b"2.1".as_slice()));
        assert_eq!((listed_headers(&headers, "b c"), listed_headers(&headers, "")), (None, Some(Vec::new())));
        assert_eq!(escaped("é\u{1f600}a".as_bytes()).as_deref(), Some(br"\u00e9\ud83d\ude00a".as_slice()));
        assert_eq!(escaped(b"\xff"), None);
    }
}
