//! Makes text from outside harmless to a terminal: payload bytes are escape sequences (reference: terminals).

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal might act on this character: C0, DEL, C1, the bidirectional controls (Unicode UAX 9), and the two
/// separators that some terminals break lines at.
fn is_control(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

fn push_escaped(out: &mut String, character: char) {
    let code = u32::from(character);
    // Writing to a string cannot fail.
    let _ = if code < 0x100 { write!(out, "\\x{code:02x}") } else { write!(out, "\\u{{{code:x}}}") };
}

/// One line of text with every control character shown as `\x1b` or `\u{202e}`, line ends and tabs included.
pub(super) fn line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_control(character) {
            push_escaped(&mut out, character);
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// Bytes as text of several lines: line ends and tabs stay, other control characters and bytes that are no UTF-8 are
/// shown as escapes.
pub(super) fn block(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut characters = chunk.valid().chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\n' | '\t' => out.push(character),
                // Alone it would overwrite the line it stands in.
                '\r' if characters.peek() == Some(&'\n') => {}
                _ if is_control(character) => push_escaped(&mut out, character),
                _ => out.push(character),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// JSON text with every control character that JSON lets stand unescaped written as `\u009b`. The value stays the
/// same: outside of strings JSON has none of them.
pub(super) fn json(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_control(character) {
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_reaches_the_terminal() {
        let hostile = "a\u{1b}]0;title\u{7}\u{9b}31m\u{202e}txt.exe\u{2066}\r\n\tend\u{7f}\u{61c}\u{200f}\u{2028}";
        for text in [line(hostile).into_owned(), block(hostile.as_bytes()), json(hostile).into_owned()] {
            let left: Vec<char> = text.chars().filter(|&c| is_control(c) && c != '\n' && c != '\t').collect();
            assert!(left.is_empty(), "{text}");
        }
        assert!(line(hostile).starts_with("a\\x1b]0;title\\x07\\x9b31m\\u{202e}txt.exe\\u{2066}\\x0d\\x0a\\x09end"));
    }

    #[test]
    fn ordinary_text_of_any_script_stays_as_it_is() {
        for text in ["", "plain", "größe", "日本語", "👩‍💻 emoji with joiner", "עברית", "a\\x1b"] {
            assert_eq!(line(text), text);
            assert_eq!(block(text.as_bytes()), text);
        }
    }

    #[test]
    fn a_body_keeps_its_lines_and_a_lone_carriage_return_is_shown() {
        assert_eq!(block(b"a\r\nb\tc\rd"), "a\nb\tc\\x0dd");
    }

    #[test]
    fn bytes_that_are_no_utf8_are_shown_one_by_one() {
        assert_eq!(block(b"a\xff\xc3\xa9\x9b"), "a\\xffé\\x9b");
    }

    #[test]
    fn escaped_json_reads_back_as_the_same_value() {
        let value = serde_json::json!({"k\u{9b}": "a\u{202e}b\u{7f}\n\u{2029}"});
        let text = value.to_string();
        let escaped = json(&text);
        assert!(!escaped.contains(is_control));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }
}
