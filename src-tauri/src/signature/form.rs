//! Fields of a form body: `application/x-www-form-urlencoded` (WHATWG URL standard, section 5) or `multipart/form-data`
//! (RFC 7578), told apart by what the body begins with.

use std::borrow::Cow;

use memchr::memmem;
use url::form_urlencoded;

/// Fields of the longest form that is read; the rest is left out.
const FIELDS_MAX: usize = 2048;

/// The fields in order, decoded. Bytes that are no UTF-8 become U+FFFD.
pub(super) fn fields(body: &[u8]) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    match multipart(body) {
        Some(fields) => fields,
        None => form_urlencoded::parse(body).take(FIELDS_MAX).collect(),
    }
}

/// The first field of that name.
pub(super) fn field<'a>(body: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    fields(body).into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
}

/// The body with that field's value replaced, or the field added; every other byte stays. None when a multipart body is
/// broken.
pub(super) fn with_field(body: &[u8], name: &str, value: &str) -> Option<Vec<u8>> {
    if body.starts_with(b"--") {
        return with_part(body, name, value);
    }
    let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let mut start = 0;
    for pair in body.split(|byte| *byte == b'&') {
        if form_urlencoded::parse(pair).next().is_some_and(|(field, _)| field == name) {
            let end = start + pair.len();
            let (at, mark) = match memchr::memchr(b'=', pair) {
                Some(equals) => (start + equals + 1, ""),
                None => (end, "="),
            };
            return Some([&body[..at], mark.as_bytes(), encoded.as_bytes(), &body[end..]].concat());
        }
        start += pair.len() + 1;
    }
    let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let mark = if body.is_empty() { "" } else { "&" };
    Some([body, format!("{mark}{name}={encoded}").as_bytes()].concat())
}

fn with_part(body: &[u8], name: &str, value: &str) -> Option<Vec<u8>> {
    let boundary = &body[..memmem::find(body, b"\r\n")?];
    let first = boundary.len() + 2;
    let mut start = first;
    while let Some(length) = memmem::find(&body[start..], boundary) {
        let part = &body[start..start + length];
        let part = part.strip_suffix(b"\r\n").unwrap_or(part);
        if part_field(part).is_some_and(|(field, _)| field == name) {
            let at = start + memmem::find(part, b"\r\n\r\n")? + 4;
            return Some([&body[..at], value.as_bytes(), &body[start + part.len()..]].concat());
        }
        start += length + boundary.len();
        start += if body[start..].starts_with(b"\r\n") { 2 } else { 0 };
    }
    let head = format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    Some([&body[..first], head.as_bytes(), boundary, b"\r\n", &body[first..]].concat())
}

/// The parts of a multipart body; none when it is none. The boundary is what the body begins with (RFC 2046 section
/// 5.1.1), so that no header is needed to read it.
fn multipart(body: &[u8]) -> Option<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    if !body.starts_with(b"--") {
        return None;
    }
    let boundary = &body[..memmem::find(body, b"\r\n")?];
    let mut fields = Vec::new();
    let mut rest = &body[boundary.len() + 2..];
    while fields.len() < FIELDS_MAX {
        let Some(end) = memmem::find(rest, boundary) else { break };
        let part = rest[..end].strip_suffix(b"\r\n").unwrap_or(&rest[..end]);
        if let Some(field) = part_field(part) {
            fields.push(field);
        }
        rest = rest[end + boundary.len()..].strip_prefix(b"\r\n").unwrap_or_default();
    }
    Some(fields)
}

fn part_field(part: &[u8]) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let end = memmem::find(part, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&part[..end]).ok()?;
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let (_, behind) = line.split_once("name=\"")?;
    let (name, _) = behind.split_once('"')?;
    Some((Cow::Borrowed(name), String::from_utf8_lossy(&part[end + 4..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_both_kinds_of_forms_are_read_decoded_and_in_order() {
        assert_eq!(field(b"a=1&b=x+y%21&b=2", "b").as_deref(), Some("x y!"));
        let body = b"--xyz\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n{\"a\":1}\r\n--xyz\r\n\
            content-disposition: form-data; name=\"b\"\r\nContent-Type: text/plain\r\n\r\n2\r\n--xyz--\r\n";
        assert_eq!(fields(body), [("json".into(), "{\"a\":1}".into()), ("b".into(), "2".into())]);
        assert_eq!(field(body, "c"), None);
    }

    #[test]
    fn a_field_is_replaced_or_added_and_all_else_stays() {
        let text =
            |body: &str, name: &str| String::from_utf8(with_field(body.as_bytes(), name, "x y+").unwrap()).unwrap();
        assert_eq!(text("a=1&b=%7e&c", "b"), "a=1&b=x+y%2B&c");
        assert_eq!(text("a=1&%62=2&b=3", "b"), "a=1&%62=x+y%2B&b=3");
        assert_eq!(text("a=1&c", "c"), "a=1&c=x+y%2B");
        assert_eq!(text("a=1", "b"), "a=1&b=x+y%2B");
        assert_eq!(text("", "b"), "b=x+y%2B");
        let body = "--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xyz\r\n\
            Content-Disposition: form-data; name=\"b\"\r\nX: y\r\n\r\n\r\n--xyz--\r\n";
        assert_eq!(text(body, "a"), body.replace("\r\n\r\n1", "\r\n\r\nx y+"));
        assert_eq!(text(body, "b"), body.replace("X: y\r\n\r\n", "X: y\r\n\r\nx y+"));
        let added = with_field(body.as_bytes(), "c", "z").unwrap();
        assert_eq!(fields(&added), [("c".into(), "z".into()), ("a".into(), "1".into()), ("b".into(), "".into())]);
        assert!(added.ends_with(&body.as_bytes()[7..]));
    }

    #[test]
    fn a_broken_multipart_body_gives_what_can_be_read() {
        for body in [&b"--x\r\n"[..], b"--x\r\nno head\r\n--x", b"--x\r\n\r\n\r\n--x--", b"--\r\n--\r\n"] {
            assert_eq!(fields(body).len(), 0, "{body:?}");
        }
    }
}
