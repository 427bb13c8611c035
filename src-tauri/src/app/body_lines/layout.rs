//! Cuts a body into lines, one at a time, from any place where a line begins.
//!
//! Indented JSON is the same text with other white space between its tokens: nothing is parsed to a value, so that
//! `1.0`, `1e400`, escapes, repeated names and their order stay as they are. It never fails; what is no JSON comes out as
//! some other arrangement of the same bytes.

use memchr::{memchr, memchr2};

/// Longest line in bytes, indentation not counted; a longer one is cut, never inside a UTF-8 sequence.
pub const LINE_BYTES_MAX: usize = 512;
/// Levels that are indented; deeper ones stand as far right as this one, so that depth does not multiply the text.
const INDENT_LEVELS_MAX: usize = 64;
/// Spaces of one level.
const INDENT_SPACES: usize = 2;
/// Bytes of a UTF-8 sequence at most (RFC 3629 section 3).
const UTF8_BYTES_MAX: usize = 4;

/// How a body is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// At its own line feeds.
    AsReceived,
    /// Between the tokens of its JSON.
    IndentedJson,
}

impl Layout {
    /// The layout of this body when indentation is wished for: JSON begins with a brace or a bracket.
    #[must_use]
    pub fn indented_if_json(body: &[u8]) -> Self {
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        match text.iter().find(|byte| !is_space(**byte)) {
            Some(b'{' | b'[') => Self::IndentedJson,
            _ => Self::AsReceived,
        }
    }
}

/// A place where a line begins, and all that is needed to go on from there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Offset in the body.
    pub(super) offset: usize,
    /// Line number, from 1; lines that were cut count once.
    pub(super) number: u64,
    /// Whether the line before was cut here.
    pub(super) continued: bool,
    depth: usize,
    in_string: bool,
    ended: bool,
}

impl Place {
    pub(super) fn first() -> Self {
        Self { number: 1, ..Self::default() }
    }
}

/// Writes the line at `place` into `line` and moves on behind it; false when there is none.
pub(super) fn next_line(body: &[u8], layout: Layout, place: &mut Place, line: &mut Vec<u8>) -> bool {
    line.clear();
    match layout {
        Layout::AsReceived => next_received(body, place, line),
        Layout::IndentedJson => next_indented(body, place, line),
    }
}

/// The offset, at most `limit`, at which the bytes can be cut without parting a UTF-8 sequence.
fn cut(bytes: &[u8], limit: usize) -> usize {
    let Some(&after) = bytes.get(limit) else { return bytes.len() };
    if !is_continuation(after) {
        return limit;
    }
    let start = (1..UTF8_BYTES_MAX.min(limit)).find(|back| !is_continuation(bytes[limit - back]));
    // Bytes that are no UTF-8 are cut anywhere.
    start.map_or(limit, |back| limit - back)
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn next_received(body: &[u8], place: &mut Place, line: &mut Vec<u8>) -> bool {
    if place.ended {
        return false;
    }
    let rest = &body[place.offset..];
    let near = &rest[..rest.len().min(LINE_BYTES_MAX + 1)];
    if let Some(length) = memchr(b'\n', near) {
        line.extend_from_slice(&rest[..length]);
        *place = Place { offset: place.offset + length + 1, number: place.number + 1, ..Place::default() };
        return true;
    }
    let length = cut(rest, LINE_BYTES_MAX);
    line.extend_from_slice(&rest[..length]);
    place.offset += length;
    place.continued = true;
    place.ended = place.offset == body.len();
    true
}

/// One line of indented JSON under way.
struct Indented<'a> {
    body: &'a [u8],
    at: usize,
    depth: usize,
    in_string: bool,
    line: &'a mut Vec<u8>,
    /// Length of the indentation, which does not count against the limit.
    indent: usize,
    /// What stands last on the line.
    last: Last,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Nothing,
    /// A string, number or word.
    Scalar,
    /// White space behind a scalar.
    ScalarAndSpace,
    Closer,
    Other,
}

/// How a line came to its end.
enum End {
    Whole,
    Cut,
}

fn next_indented(body: &[u8], place: &mut Place, line: &mut Vec<u8>) -> bool {
    let start = if place.in_string { place.offset } else { place.offset + spaces(&body[place.offset..]) };
    if start == body.len() {
        return false;
    }
    place.offset = start;
    let last = if place.continued { Last::Scalar } else { Last::Nothing };
    let mut writing =
        Indented { body, at: start, depth: place.depth, in_string: place.in_string, line, indent: 0, last };
    if !place.continued {
        writing.begin();
    }
    let end = writing.write();
    let (offset, depth, in_string) = (writing.at, writing.depth, writing.in_string);
    *place = match end {
        End::Whole => Place { offset, depth, in_string, number: place.number + 1, ..Place::default() },
        End::Cut => Place { offset, depth, in_string, continued: true, ..*place },
    };
    true
}

fn spaces(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !is_space(*byte)).unwrap_or(bytes.len())
}

impl Indented<'_> {
    fn begin(&mut self) {
        let closes = matches!(self.body[self.at], b'}' | b']');
        let depth = if closes { self.depth.saturating_sub(1) } else { self.depth };
        self.indent = depth.min(INDENT_LEVELS_MAX) * INDENT_SPACES;
        self.line.resize(self.indent, b' ');
    }

    fn room(&self) -> usize {
        LINE_BYTES_MAX.saturating_sub(self.line.len() - self.indent)
    }

    fn write(&mut self) -> End {
        if self.in_string && !self.string() {
            return End::Cut;
        }
        while let Some(&byte) = self.body.get(self.at) {
            if self.room() < 2 {
                return if self.line_ends_here() { End::Whole } else { End::Cut };
            }
            let new_value = !matches!(byte, b'}' | b']' | b',' | b':') && !is_space(byte);
            if new_value && self.last == Last::Closer {
                return End::Whole;
            }
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.space(),
                b'{' | b'[' => {
                    let ends = self.open(byte);
                    if ends {
                        return End::Whole;
                    }
                }
                b'}' | b']' if self.last != Last::Nothing => return End::Whole,
                b'}' | b']' => self.close(byte),
                b',' => {
                    self.put(byte, Last::Other);
                    return End::Whole;
                }
                b':' => {
                    self.put(byte, Last::Other);
                    self.line.push(b' ');
                }
                _ if !self.scalar(byte) => return End::Cut,
                _ => {}
            }
        }
        End::Whole
    }

    /// Whether nothing more comes, or a closer, which begins a line anyway.
    fn line_ends_here(&self) -> bool {
        let next = self.at + spaces(&self.body[self.at..]);
        matches!(self.body.get(next), None | Some(b'}' | b']'))
    }

    fn put(&mut self, byte: u8, last: Last) {
        self.line.push(byte);
        self.at += 1;
        self.last = last;
    }

    fn space(&mut self) {
        self.at += spaces(&self.body[self.at..]);
        if self.last == Last::Scalar {
            self.last = Last::ScalarAndSpace;
        }
    }

    /// Writes an opener; true when the line ends behind it, false when it is closed at once.
    fn open(&mut self, opener: u8) -> bool {
        let closer = if opener == b'{' { b'}' } else { b']' };
        let next = self.at + 1 + spaces(&self.body[self.at + 1..]);
        self.put(opener, Last::Other);
        if self.body.get(next) == Some(&closer) {
            self.at = next;
            self.put(closer, Last::Closer);
            return false;
        }
        self.depth += 1;
        true
    }

    fn close(&mut self, closer: u8) {
        self.depth = self.depth.saturating_sub(1);
        self.put(closer, Last::Closer);
    }

    /// Writes a string, number or word; false when it does not fit.
    fn scalar(&mut self, byte: u8) -> bool {
        if self.last == Last::ScalarAndSpace {
            // Two of them side by side are no JSON; without the space they would look like one.
            self.line.push(b' ');
        }
        if byte == b'"' {
            self.put(byte, Last::Scalar);
            self.in_string = true;
            return self.string();
        }
        let rest = &self.body[self.at..];
        let ends = |byte: &u8| is_space(*byte) || matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"');
        let near = &rest[..rest.len().min(self.room() + UTF8_BYTES_MAX)];
        let length = near.iter().position(ends).unwrap_or(near.len());
        let fits = cut(&rest[..length], self.room());
        self.line.extend_from_slice(&rest[..fits]);
        self.at += fits;
        self.last = Last::Scalar;
        fits == length
    }

    /// Writes a string from inside it to its closing quote; false when it does not fit.
    fn string(&mut self) -> bool {
        loop {
            let room = self.room();
            if room < 2 {
                return false;
            }
            let rest = &self.body[self.at..];
            let near = &rest[..rest.len().min(room)];
            let Some(length) = memchr2(b'"', b'\\', near) else {
                let length = cut(rest, room);
                self.line.extend_from_slice(&rest[..length]);
                self.at += length;
                self.in_string = self.at < self.body.len();
                return !self.in_string;
            };
            // An escape is never parted from its backslash.
            let quote = near[length] == b'"';
            let taken = if quote { length + 1 } else { (length + 2).min(rest.len()) };
            if taken > room {
                self.line.extend_from_slice(&rest[..length]);
                self.at += length;
                return false;
            }
            self.line.extend_from_slice(&rest[..taken]);
            self.at += taken;
            if quote || self.at == self.body.len() {
                self.in_string = false;
                self.last = Last::Scalar;
                return true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(body: &[u8], layout: Layout) -> Vec<(u64, bool, Vec<u8>)> {
        let (mut place, mut line, mut all) = (Place::first(), Vec::new(), Vec::new());
        loop {
            let began = place;
            if !next_line(body, layout, &mut place, &mut line) {
                return all;
            }
            all.push((began.number, began.continued, line.clone()));
            assert!(all.len() <= body.len() + 1, "it does not end");
        }
    }

    fn indented(body: &str) -> String {
        let lines = lines(body.as_bytes(), Layout::IndentedJson);
        lines.into_iter().map(|(_, _, line)| String::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n")
    }

    /// The text without the white space between its tokens.
    fn compact(text: &[u8]) -> Vec<u8> {
        let (mut result, mut in_string, mut escaped) = (Vec::new(), false, false);
        for &byte in text {
            if in_string {
                in_string = escaped || byte != b'"';
                escaped = !escaped && byte == b'\\';
                result.push(byte);
            } else if !is_space(byte) {
                in_string = byte == b'"';
                escaped = false;
                result.push(byte);
            }
        }
        result
    }

    #[test]
    fn json_is_indented_without_a_look_at_its_values() {
        let body = r#" {"a":1.0 ,"a":9007199254740993,"b":[1e400,"\u00e9\"}",{ } , [ ]],"c":{"d":null}}"#;
        let expected = "{\n  \"a\": 1.0,\n  \"a\": 9007199254740993,\n  \"b\": [\n    1e400,\n    \"\\u00e9\\\"}\",\n    \
                        {},\n    []\n  ],\n  \"c\": {\n    \"d\": null\n  }\n}";
        assert_eq!(indented(body), expected);
    }

    #[test]
    fn one_document_a_line_stays_one_after_the_other() {
        assert_eq!(indented("{\"a\":1}\n{}\n[2]\n"), "{\n  \"a\": 1\n}\n{}\n[\n  2\n]");
    }

    #[test]
    fn depth_is_indented_only_so_far() {
        let deep = "[".repeat(100_000);
        let all = lines(deep.as_bytes(), Layout::IndentedJson);
        assert_eq!(all.len(), 100_000);
        assert_eq!(all.last().unwrap().2.len(), INDENT_LEVELS_MAX * INDENT_SPACES + 1);
    }

    #[test]
    fn received_lines_keep_their_bytes_and_a_last_line_end_shows() {
        let all = lines(b"one\r\ntwo\n", Layout::AsReceived);
        let texts: Vec<_> = all.iter().map(|(number, _, line)| (*number, &line[..])).collect();
        assert_eq!(texts, [(1, &b"one\r"[..]), (2, b"two"), (3, b"")]);
    }

    #[test]
    fn long_lines_are_cut_between_characters_and_keep_their_number() {
        let body = format!("{}\n{}", "a".repeat(LINE_BYTES_MAX - 1), "é".repeat(LINE_BYTES_MAX));
        let all = lines(body.as_bytes(), Layout::AsReceived);
        assert!(all.iter().all(|(_, _, line)| line.len() <= LINE_BYTES_MAX && std::str::from_utf8(line).is_ok()));
        assert_eq!(all.iter().map(|line| (line.0, line.1)).collect::<Vec<_>>(), [(1, false), (2, false), (2, true)]);
        let exact = "b".repeat(LINE_BYTES_MAX);
        assert_eq!(lines(format!("{exact}\nc").as_bytes(), Layout::AsReceived).len(), 2);
    }

    #[test]
    fn only_what_begins_like_json_is_indented() {
        assert_eq!(Layout::indented_if_json(b"\xef\xbb\xbf \n{"), Layout::IndentedJson);
        assert_eq!(Layout::indented_if_json(b"a=[]"), Layout::AsReceived);
        assert_eq!(Layout::indented_if_json(b""), Layout::AsReceived);
    }

    fn json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            "-?[0-9]{1,20}(\\.[0-9]{1,4})?(e[0-9]{1,3})?",
            "\"([a-zé😀 {}\\[\\],:]|\\\\\"|\\\\\\\\|\\\\u00e9){0,700}\"",
            Just("null".to_owned()),
        ];
        scalar.prop_recursive(5, 40, 5, |inner| {
            let space = "[ \t\r\n]{0,3}";
            prop_oneof![
                (proptest::collection::vec(inner.clone(), 0..5), space)
                    .prop_map(|(items, space)| format!("[{space}{}]", items.join(&format!("{space},{space}")))),
                (proptest::collection::vec(inner, 0..5), space).prop_map(|(items, space)| format!(
                    "{{{space}{}}}",
                    items.iter().map(|item| format!("\"k\"{space}:{space}{item}")).collect::<Vec<_>>().join(",")
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn without_its_white_space_indented_json_is_what_came(body in json()) {
            let joined: Vec<u8> =
                lines(body.as_bytes(), Layout::IndentedJson).into_iter().flat_map(|(_, continued, line)| {
                    let mut piece = if continued { Vec::new() } else { b"\n".to_vec() };
                    piece.extend(line);
                    piece
                }).collect();
            prop_assert_eq!(compact(&joined), compact(body.as_bytes()));
        }

        #[test]
        fn any_bytes_come_to_an_end_and_none_is_lost(body in proptest::collection::vec(any::<u8>(), 0..3000)) {
            let joined: Vec<u8> = lines(&body, Layout::IndentedJson).into_iter().flat_map(|(_, _, line)| line).collect();
            let visible = |bytes: &[u8]| bytes.iter().copied().filter(|byte| !is_space(*byte)).collect::<Vec<_>>();
            prop_assert_eq!(visible(&joined), visible(&body));
            let received = lines(&body, Layout::AsReceived);
            let count: usize = received.iter().map(|(_, _, line)| line.len()).sum();
            let feeds = body.iter().filter(|byte| **byte == b'\n').count();
            prop_assert_eq!(count + feeds, body.len());
        }
    }
}
