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
    /// Only `/` besides what must be.
    Slashes,
}

/// The layouts and escapes that are worth a try, the likely ones first.
pub(super) const VARIANTS: [(Layout, Escapes); 25] = {
    use Escapes::{AsIs as Kept, Ascii, Plain, Slashes};
    use Layout::{AsIs, ColonSpaced, Compact, Indented, Spaced};
    [
        (Compact, Kept),
        (Spaced, Kept),
        (Indented(2), Kept),
        (AsIs, Ascii { slashes: true }),
        (AsIs, Ascii { slashes: false }),
        (AsIs, Plain),
        (AsIs, Slashes),
        (ColonSpaced, Kept),
        (Indented(4), Kept),
        (Compact, Ascii { slashes: true }),
        (Compact, Ascii { slashes: false }),
        (Compact, Plain),
        (Compact, Slashes),
        (Spaced, Ascii { slashes: true }),
        (Spaced, Ascii { slashes: false }),
        (Spaced, Plain),
        (Spaced, Slashes),
        (Indented(2), Ascii { slashes: true }),
        (Indented(2), Ascii { slashes: false }),
        (Indented(2), Plain),
        (Indented(2), Slashes),
        (Indented(4), Ascii { slashes: true }),
        (Indented(4), Ascii { slashes: false }),
        (Indented(4), Plain),
        (Indented(4), Slashes),
    ]
};

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
            byte if byte.is_ascii() => out.push(char::from(byte)),
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
    if let Layout::Indented(width) = layout {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width * depth.min(DEPTH_MAX)));
    }
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
    let (ascii, slashes) = match escapes {
        Escapes::Ascii { slashes } => (true, slashes),
        Escapes::Slashes => (false, true),
        Escapes::AsIs | Escapes::Plain => (false, false),
    };
    let has = |byte: u8| memchr::memchr(byte, quoted.as_bytes()).is_some();
    let changes = has(b'\\') || (slashes && has(b'/')) || (ascii && !quoted.is_ascii());
    if !changes || escapes == Escapes::AsIs {
        out.push_str(quoted);
        return Some(());
    }
    let text: String = serde_json::from_str(quoted).ok()?;
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '/' if slashes => out.push_str("\\/"),
            plain if plain >= ' ' && (plain.is_ascii() || !ascii) => out.push(plain),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
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
