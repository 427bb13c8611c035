//! Fields of a form body: `application/x-www-form-urlencoded` (WHATWG URL standard, section 5) or `multipart/form-data`
//! (RFC 7578), told apart by what the body begins with.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;
use url::form_urlencoded;

/// Fields of the longest form that is read; the rest is left out.
const FIELDS_MAX: usize = 2048;
/// Bytes of the longest delimiter: two hyphens and a boundary of 70 characters (RFC 2046 section 5.1.1).
const DELIMITER_BYTES_MAX: usize = 72;

/// The fields in order, decoded. Bytes that are no UTF-8 become U+FFFD.
pub(super) fn fields(body: &[u8]) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    match Multipart::read(body) {
        Some(multipart) => {
            multipart.fields(body).map(|(name, at)| (name, String::from_utf8_lossy(&body[at]))).collect()
        }
        None => form_urlencoded::parse(body).take(FIELDS_MAX).collect(),
    }
}

/// The first field of that name.
pub(super) fn field<'a>(body: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    fields(body).into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
}

/// The first field of that name as its bytes are, decoded where the form encodes them.
pub(super) fn field_bytes(body: &[u8], name: &str) -> Option<Vec<u8>> {
    match Multipart::read(body) {
        Some(multipart) => multipart.value_of(body, name).map(|at| body[at].to_vec()),
        None => pair_of(body, name).map(|pair| decoded(&body[pair.value]).into_iter().map(|(byte, _)| byte).collect()),
    }
}

/// The body with that field's value replaced, or the field added; every other byte stays. None when a multipart body has
/// no end.
pub(super) fn with_field(body: &[u8], name: &str, value: &[u8]) -> Option<Vec<u8>> {
    match Multipart::read(body) {
        Some(multipart) => multipart.with_field(body, name, value),
        None => Some(with_pair(body, name, value)),
    }
}

/// Where a pair of an urlencoded form stands.
struct Pair {
    value: Range<usize>,
    /// Whether there is an equals sign before the value.
    has_mark: bool,
}

fn pair_of(body: &[u8], name: &str) -> Option<Pair> {
    let mut start = 0;
    for pair in body.split(|byte| *byte == b'&').take(FIELDS_MAX) {
        let end = start + pair.len();
        if form_urlencoded::parse(pair).next().is_some_and(|(field, _)| field == name) {
            let mark = memchr::memchr(b'=', pair);
            let from = mark.map_or(end, |mark| start + mark + 1);
            return Some(Pair { value: from..end, has_mark: mark.is_some() });
        }
        start = end + 1;
    }
    None
}

fn with_pair(body: &[u8], name: &str, value: &[u8]) -> Vec<u8> {
    let Some(Pair { value: at, has_mark }) = pair_of(body, name) else {
        let (name, value) = (encoded(name.as_bytes()), encoded(value));
        let mark = if body.is_empty() { "" } else { "&" };
        return [body, format!("{mark}{name}={value}").as_bytes()].concat();
    };
    let mark = if has_mark { "" } else { "=" };
    // What stays of the value stays as its sender has encoded it: there is more than one way.
    let old = decoded(&body[at.clone()]);
    let same = old.iter().zip(value).take_while(|((byte, _), new)| byte == *new).count();
    // A `%` that escapes nothing would begin an escape with what comes to stand behind it.
    let is_bare_mark = |index: usize| old[index].0 == b'%' && !body[at.start + old[index].1..].starts_with(b"%25");
    let same = (same.saturating_sub(2)..same).find(|&index| is_bare_mark(index)).unwrap_or(same);
    let (old_rest, new_rest) = (&old[same..], &value[same..]);
    let same_end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|((byte, _), new)| byte == *new).count();
    let place = |index: usize| old.get(index).map_or(at.end, |(_, offset)| at.start + offset);
    let (from, to) = (place(same), place(old.len() - same_end));
    let middle = encoded(&new_rest[..new_rest.len() - same_end]);
    [&body[..from], mark.as_bytes(), middle.as_bytes(), &body[to..]].concat()
}

fn encoded(bytes: &[u8]) -> String {
    form_urlencoded::byte_serialize(bytes).collect()
}

/// The bytes that an urlencoded value stands for, each with where it is written.
fn decoded(value: &[u8]) -> Vec<(u8, usize)> {
    let digit = |at: usize| value.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut bytes, mut at) = (Vec::with_capacity(value.len()), 0);
    while let Some(&byte) = value.get(at) {
        let escaped = (byte == b'%').then(|| digit(at + 1).zip(digit(at + 2))).flatten();
        let (byte, length) = match escaped {
            Some((high, low)) => (u8::try_from(high * 16 + low).unwrap_or(byte), 3),
            None if byte == b'+' => (b' ', 1),
            None => (byte, 1),
        };
        bytes.push((byte, at));
        at += length;
    }
    bytes
}

/// Where the parts of a multipart body stand. The boundary is what the body begins with (RFC 2046 section 5.1.1), so that
/// no header is needed to read it.
struct Multipart {
    /// Two hyphens and the boundary.
    delimiter: Range<usize>,
    /// The parts with their heads.
    parts: Vec<Range<usize>>,
    /// Whether the delimiter that ends all was found.
    is_closed: bool,
}

impl Multipart {
    /// None when the body is no multipart body.
    fn read(body: &[u8]) -> Option<Self> {
        if !body.starts_with(b"--") {
            return None;
        }
        let line = memmem::find(body, b"\r\n")?;
        // Blanks may stand behind a delimiter.
        let delimiter = 0..body[..line].trim_ascii_end().len();
        if delimiter.len() > DELIMITER_BYTES_MAX {
            return None;
        }
        let mut read = Self { delimiter, parts: Vec::new(), is_closed: false };
        let mut start = line + 2;
        while read.parts.len() < FIELDS_MAX {
            let Some((end, next)) = read.end_of_part(body, start) else { break };
            read.parts.push(start..end);
            match next {
                Some(next) => start = next,
                None => {
                    read.is_closed = true;
                    break;
                }
            }
        }
        Some(read)
    }

    /// Where a part ends, and where the next one begins; none for the last. Text that only looks like a delimiter, in the
    /// middle of a line or with more behind it, is the part's own.
    fn end_of_part(&self, body: &[u8], start: usize) -> Option<(usize, Option<usize>)> {
        let delimiter = &body[self.delimiter.clone()];
        let mut from = start;
        loop {
            let at = from + memmem::find(&body[from..], delimiter)?;
            let behind = at + delimiter.len();
            let rest = &body[behind..];
            // A part without head and body may begin with the delimiter.
            let end = if at == start { Some(at) } else { body[start..at].strip_suffix(b"\r\n").map(|_| at - 2) };
            if let Some(end) = end {
                if rest.starts_with(b"--") {
                    return Some((end, None));
                }
                let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                if rest[blanks..].starts_with(b"\r\n") {
                    return Some((end, Some(behind + blanks + 2)));
                }
            }
            from = at + 1;
        }
    }

    /// The fields: their names, and where their values stand.
    fn fields<'b>(&self, body: &'b [u8]) -> impl Iterator<Item = (Cow<'b, str>, Range<usize>)> {
        self.parts.iter().filter_map(|part| {
            let head = memmem::find(&body[part.clone()], b"\r\n\r\n")?;
            let name = name_in(std::str::from_utf8(&body[part.start..part.start + head]).ok()?)?;
            Some((name, part.start + head + 4..part.end))
        })
    }

    fn value_of(&self, body: &[u8], name: &str) -> Option<Range<usize>> {
        self.fields(body).find(|(field, _)| field == name).map(|(_, at)| at)
    }

    fn with_field(&self, body: &[u8], name: &str, value: &[u8]) -> Option<Vec<u8>> {
        let delimiter = &body[self.delimiter.clone()];
        if !self.is_closed || memmem::find(value, delimiter).is_some() {
            return None;
        }
        if let Some(at) = self.value_of(body, name) {
            return Some([&body[..at.start], value, &body[at.end..]].concat());
        }
        let head = format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        let first = self.parts.first()?.start;
        Some([&body[..first], head.as_bytes(), value, b"\r\n", delimiter, b"\r\n", &body[first..]].concat())
    }
}

/// The parameter `name` of a part's `Content-Disposition` (RFC 7578 section 4.2).
fn name_in(head: &str) -> Option<Cow<'_, str>> {
    const HEADER: &str = "content-disposition:";
    let is_it = |line: &&str| line.get(..HEADER.len()).is_some_and(|start| start.eq_ignore_ascii_case(HEADER));
    let line = head.split("\r\n").find(is_it)?;
    let mut rest = &line[line.find(';')? + 1..];
    loop {
        let (key, behind) = rest.split_once('=')?;
        let (value, behind) = parameter(behind)?;
        if key.trim().eq_ignore_ascii_case("name") {
            return Some(value);
        }
        rest = behind.trim_start().strip_prefix(';')?;
    }
}

/// The value of a parameter, and what follows it: a quoted text, in which a backslash stands before a quote, or a word.
fn parameter(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let text = text.trim_start();
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return Some((Cow::Borrowed(text[..end].trim_end()), &text[end..]));
    };
    let is_end = |at: &usize| *at == 0 || quoted.as_bytes()[at - 1] != b'\\';
    let end = quoted.match_indices('"').map(|(at, _)| at).find(is_end)?;
    let (inner, behind) = (&quoted[..end], &quoted[end + 1..]);
    let value = if inner.contains('\\') { Cow::Owned(inner.replace("\\\"", "\"")) } else { Cow::Borrowed(inner) };
    Some((value, behind))
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
            |body: &str, name: &str| String::from_utf8(with_field(body.as_bytes(), name, b"x y+").unwrap()).unwrap();
        assert_eq!(text("a=1&b=%7e&c", "b"), "a=1&b=x+y%2B&c");
        assert_eq!(text("a=1&%62=2&b=3", "b"), "a=1&%62=x+y%2B&b=3");
        assert_eq!(text("a=1&c", "c"), "a=1&c=x+y%2B");
        assert_eq!(text("a=1", "b"), "a=1&b=x+y%2B");
        assert_eq!(text("", "b"), "b=x+y%2B");
        let body = "--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xyz\r\n\
            Content-Disposition: form-data; name=\"b\"\r\nX: y\r\n\r\n\r\n--xyz--\r\n";
        assert_eq!(text(body, "a"), body.replace("\r\n\r\n1", "\r\n\r\nx y+"));
        assert_eq!(text(body, "b"), body.replace("X: y\r\n\r\n", "X: y\r\n\r\nx y+"));
        let added = with_field(body.as_bytes(), "c", b"z").unwrap();
        assert_eq!(fields(&added), [("c".into(), "z".into()), ("a".into(), "1".into()), ("b".into(), "".into())]);
        assert!(added.ends_with(&body.as_bytes()[7..]));
    }

    #[test]
    fn a_broken_multipart_body_gives_what_can_be_read() {
        for body in [&b"--x\r\n"[..], b"--x\r\nno head\r\n--x", b"--x\r\n\r\n\r\n--x--", b"--\r\n--\r\n"] {
            assert_eq!(fields(body).len(), 0, "{body:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_delimiter_or_a_name_is_the_parts_own() {
        let body = b"--xyz \r\nContent-Disposition: form-data; filename=\"token\"; name=\"file\"\r\n\r\n\
            a--xyz\r\n--xyzzy\r\n--xyz? \xff\r\n--xyz\t\r\nContent-Disposition: form-data; x=\";name=\\\"token\"; NAME=token\r\n\r\n\
            1\r\n--xyz--\r\nepilogue --xyz\r\n";
        assert_eq!(field_bytes(body, "file").unwrap(), b"a--xyz\r\n--xyzzy\r\n--xyz? \xff");
        assert_eq!(field(body, "token").as_deref(), Some("1"));
        let changed = with_field(body, "token", b"22").unwrap();
        let one = memmem::find(body, b"1\r\n--xyz--").unwrap();
        assert_eq!(changed, [&body[..one], b"22", &body[one + 1..]].concat());
        assert_eq!(with_field(body, "token", b"\r\n--xyz"), None, "it would end the part");
        assert_eq!(with_field(&body[..one + 1], "token", b"2"), None, "the body has no end");
        assert_eq!(field(b"--a=1&b=2", "b").as_deref(), Some("2"), "a name may begin with hyphens");
        assert_eq!(with_field(b"--a=1&b=2", "--a", b"3").unwrap(), b"--a=3&b=2");
    }

    #[test]
    fn of_a_changed_value_only_what_changes_is_encoded_anew() {
        let body = b"p=%7e%20+\xff%FF%zz~old~%7E!&q=%2b";
        let value = field_bytes(body, "p").unwrap();
        assert_eq!(value, b"~  \xff\xff%zz~old~~!");
        let new = String::from_utf8_lossy(&value).len();
        assert_ne!(new, value.len(), "as text it would be another value");
        let changed: Vec<u8> = [&value[..10], b"n w", &value[11..]].concat();
        let expected = b"p=%7e%20+\xff%FF%zz~on+wd~%7E!&q=%2b";
        assert_eq!(with_field(body, "p", &changed).unwrap(), expected);
        assert_eq!(with_field(body, "p", &value).unwrap(), body);
        assert_eq!(with_field(b"p=aa", "p", b"aaa").unwrap(), b"p=aaa");
        assert_eq!(with_field(b"p=aaa&q", "p", b"aa").unwrap(), b"p=aa&q");
        // A bare `%` must not begin an escape with what comes to stand behind it.
        for (body, value) in
            [(&b"p=%zz"[..], &b"%41"[..]), (b"p=%z41", b"%41"), (b"p=%4z1", b"%41"), (b"p=%25z", b"%41")]
        {
            let changed = with_field(body, "p", value).unwrap();
            assert_eq!(field_bytes(&changed, "p").unwrap(), value, "{}", String::from_utf8_lossy(&changed));
        }
    }
}
