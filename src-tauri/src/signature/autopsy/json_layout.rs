//! JSON written out in other ways, token by token: what a parser and a writer between sender and receiver do to a body.
//!
//! Names, numbers and their order stay as they are; only white space and the escapes of strings change.

use std::fmt::Write as _;

/// White space between tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// As it stands.
    AsIs,
    /// None at all (JavaScript).
    Compact,
    /// After each comma and colon (Python).
    Spaced,
    /// After each colon only.
    ColonSpaced,
    /// A line each, indented by so many spaces.
    Indented(usize),
    /// A line each, indented by a tab.
    Tabs,
}

/// How strings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escapes {
    /// As they stand.
    AsIs,
    /// Only what must be escaped.
    Plain,
    /// All outside ASCII as `\uXXXX` (Python), and `/` as `\/` where asked for (PHP).
    Ascii { slashes: bool },
    /// The same with the digits of the escapes in capitals.
    Capitals,
    /// Only `/` besides what must be.
    Slashes,
    /// What could be taken for HTML, and the line ends of JavaScript (Go's `encoding/json`, Ruby on Rails).
    Html,
    /// The same and all outside ASCII, quotes and the like, in capitals (.NET's `System.Text.Json`).
    DotNet,
}

impl Escapes {
    /// Whether a character is written as `\uXXXX` that need not be.
    fn escapes(self, letter: char) -> bool {
        match self {
            Self::AsIs | Self::Plain | Self::Slashes => false,
            Self::Ascii { .. } | Self::Capitals => !letter.is_ascii(),
            // https://pkg.go.dev/encoding/json#HTMLEscape
            Self::Html => matches!(letter, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
            // https://learn.microsoft.com/dotnet/standard/serialization/system-text-json/character-encoding
            Self::DotNet => !letter.is_ascii() || matches!(letter, '<' | '>' | '&' | '\'' | '"' | '+' | '`' | '\u{7f}'),
        }
    }
}

/// The layouts and escapes that are worth a try with a text, the likely ones first.
pub(super) fn variants(text: &str) -> impl Iterator<Item = (Layout, Escapes)> {
    use Escapes::{Ascii, Capitals, DotNet, Html, Plain, Slashes};
    use Layout::{ColonSpaced, Compact, Indented, Spaced, Tabs};
    let has = |signs: &[u8]| signs.iter().any(|sign| memchr::memchr(*sign, text.as_bytes()).is_some());
    let (is_escaped, is_ascii, has_slash, has_html) = (has(b"\\"), text.is_ascii(), has(b"/"), has(b"<>&"));
    let changes = |escapes: &Escapes| {
        is_escaped
            || match escapes {
                Escapes::AsIs | Plain => false,
                Slashes => has_slash,
                Ascii { slashes } => !is_ascii || (*slashes && has_slash),
                Capitals => !is_ascii,
                Html => has_html || !is_ascii,
                DotNet => has_html || !is_ascii || has(b"'+`"),
            }
    };
    let escapes = [Ascii { slashes: true }, Ascii { slashes: false }, Plain, Slashes, Html, Capitals, DotNet];
    let escapes: Vec<Escapes> = escapes.into_iter().filter(changes).collect();
    let kept = |layout| (layout, Escapes::AsIs);
    let first = [Compact, Spaced, Indented(2)].map(kept).into_iter();
    let as_is: Vec<_> = escapes.iter().map(|escapes| (Layout::AsIs, *escapes)).collect();
    let first = first.chain(as_is);
    let first = first.chain([ColonSpaced, Indented(4), Tabs].map(kept));
    let both = [Compact, Spaced, Indented(2), Indented(4), Tabs].into_iter();
    first.chain(both.flat_map(move |layout| escapes.clone().into_iter().map(move |escapes| (layout, escapes))))
}

/// The text in another layout. None when it is no JSON object or array as far as its brackets and strings go.
pub(super) fn rewritten(text: &str, layout: Layout, escapes: Escapes) -> Option<String> {
    let bytes = text.as_bytes();
    if !matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'[')) {
        return None;
    }
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let end = string_end(bytes, at)?;
                write_string(&text[at..end], escapes, &mut out)?;
                at = end;
                continue;
            }
            b' ' | b'\t' | b'\r' | b'\n' if layout != Layout::AsIs => {}
            byte @ (b'{' | b'[') => {
                out.push(char::from(byte));
                depth += 1;
                if !is_empty_behind(bytes, at + 1) {
                    new_line(layout, depth, &mut out);
                }
            }
            byte @ (b'}' | b']') => {
                depth = depth.checked_sub(1)?;
                if !matches!(out.as_bytes().last(), Some(b'{' | b'[')) {
                    new_line(layout, depth, &mut out);
                }
                out.push(char::from(byte));
            }
            b',' => {
                out.push(',');
                if layout == Layout::Spaced {
                    out.push(' ');
                }
                new_line(layout, depth, &mut out);
            }
            b':' => {
                out.push(':');
                if !matches!(layout, Layout::AsIs | Layout::Compact) {
                    out.push(' ');
                }
            }
            byte if byte.is_ascii() => {
                // A number or a word, as it stands.
                let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                let more = bytes[at + 1..].iter().take_while(|byte| is_inner(byte)).count();
                out.push_str(&text[at..=at + more]);
                at += more;
            }
            _ => return None,
        }
        at += 1;
    }
    (depth == 0).then_some(out)
}

fn is_empty_behind(bytes: &[u8], mut at: usize) -> bool {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    matches!(bytes.get(at), Some(b'}' | b']'))
}

fn new_line(layout: Layout, depth: usize, out: &mut String) {
    /// Levels of the deepest indentation; deeper ones would make a small body a large one.
    const DEPTH_MAX: usize = 64;
    let (sign, width) = match layout {
        Layout::Indented(width) => (' ', width),
        Layout::Tabs => ('\t', 1),
        _ => return,
    };
    out.push('\n');
    out.extend(std::iter::repeat_n(sign, width * depth.min(DEPTH_MAX)));
}

/// The index behind the string that begins here.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn write_string(quoted: &str, escapes: Escapes, out: &mut String) -> Option<()> {
    if escapes == Escapes::AsIs {
        out.push_str(quoted);
        return Some(());
    }
    let slashes = matches!(escapes, Escapes::Slashes | Escapes::Ascii { slashes: true });
    let capitals = matches!(escapes, Escapes::Capitals | Escapes::DotNet);
    let has = |byte: u8| memchr::memchr(byte, quoted.as_bytes()).is_some();
    let inner = &quoted[1..quoted.len() - 1];
    let changes = has(b'\\') || (slashes && has(b'/')) || inner.chars().any(|letter| escapes.escapes(letter));
    if !changes {
        out.push_str(quoted);
        return Some(());
    }
    let text: String = serde_json::from_str(quoted).ok()?;
    out.push('"');
    let mut kept = 0;
    for (at, character) in text.char_indices() {
        let must_be_escaped = character < ' ' || matches!(character, '"' | '\\');
        let is_changed = must_be_escaped || escapes.escapes(character) || (slashes && character == '/');
        if !is_changed {
            continue;
        }
        out.push_str(&text[kept..at]);
        kept = at + character.len_utf8();
        match character {
            '/' if slashes => out.push_str("\\/"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '"' if !escapes.escapes('"') => out.push_str("\\\""),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = if capitals { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
                }
            }
        }
    }
    out.push_str(&text[kept..]);
    out.push('"');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_escapes_change_and_nothing_else() {
        let text = r#"{"a": [1.10,{}, []],"é":"\/"}"#;
        let written = |layout, escapes| rewritten(text, layout, escapes).unwrap();
        assert_eq!(written(Layout::Compact, Escapes::AsIs), r#"{"a":[1.10,{},[]],"é":"\/"}"#);
        assert_eq!(written(Layout::Spaced, Escapes::Plain), r#"{"a": [1.10, {}, []], "é": "/"}"#);
        assert_eq!(written(Layout::AsIs, Escapes::Ascii { slashes: true }), r#"{"a": [1.10,{}, []],"\u00e9":"\/"}"#);
        let indented = "{\n  \"a\": [\n    1.10,\n    {},\n    []\n  ],\n  \"é\": \"\\/\"\n}";
        assert_eq!(written(Layout::Indented(2), Escapes::Slashes), indented);
        assert_eq!(rewritten(indented, Layout::AsIs, Escapes::AsIs).as_deref(), Some(indented));
        for text in ["", "1", "{", "}", "[\"", "{\"a\\", "[é]"] {
            assert_eq!(rewritten(text, Layout::Compact, Escapes::Plain), None, "{text}");
        }
    }
}
