//! Text that was UTF-8 and became something else on the way, or the other way round.

use unicode_normalization::UnicodeNormalization as _;

use super::search::SMALL_BODY_BYTES_MAX;

/// What the bytes 0x80 to 0x9f stand for in Windows 1252, which is what most take ISO 8859-1 to be
/// (<https://encoding.spec.whatwg.org/index-windows-1252.txt>).
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The bytes that a body may have been before it was read in one character set and written in another.
pub(super) fn transcoded(body: &[u8]) -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = Vec::new();
    if body.len().is_multiple_of(2) && body.iter().take(4).any(|byte| *byte == 0 || *byte >= 0xfe) {
        for big in [false, true] {
            let unit = |pair: &[u8]| if big { [pair[0], pair[1]] } else { [pair[1], pair[0]] };
            let units = body.chunks_exact(2).map(|pair| u16::from_be_bytes(unit(pair)));
            let text: Result<String, _> = char::decode_utf16(units).collect();
            texts.extend(text.ok().map(|text| text.trim_start_matches('\u{feff}').as_bytes().to_vec()));
        }
    }
    match std::str::from_utf8(body) {
        Ok(text) if !text.is_ascii() => {
            // As it was before UTF-8 was made of it; the same undoes that UTF-8 was read as if it were the other.
            let latin: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
            texts.extend(latin);
            texts.extend(text.chars().map(windows_byte).collect::<Option<Vec<u8>>>());
            if body.len() <= SMALL_BODY_BYTES_MAX {
                // Letters with their accents apart, as some file systems and text fields make of them (UAX #15).
                texts.push(text.nfc().collect::<String>().into_bytes());
                texts.push(text.nfd().collect::<String>().into_bytes());
            }
        }
        Ok(_) => {}
        Err(_) => {
            texts.push(body.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes());
            texts.push(body.iter().map(|byte| windows_letter(*byte)).collect::<String>().into_bytes());
        }
    }
    texts.retain(|text| text != body);
    texts
}

fn windows_letter(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

fn windows_byte(letter: char) -> Option<u8> {
    match u8::try_from(u32::from(letter)) {
        Ok(byte) if !(0x80..=0x9f).contains(&byte) => Some(byte),
        _ => {
            let at = WINDOWS_1252.iter().position(|known| *known == letter)?;
            u8::try_from(0x80 + at).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_windows_1252_is_read_and_written_again() {
        for byte in 0..=u8::MAX {
            assert_eq!(windows_byte(windows_letter(byte)), Some(byte));
        }
        assert_eq!(windows_byte('字'), None);
    }

    #[test]
    fn text_that_was_read_in_another_character_set_is_read_back() {
        for (arrived, signed) in [
            (&b"caf\xe9"[..], "café".as_bytes()),
            ("café".as_bytes(), b"caf\xe9"),
            (b"5 \x80", "5 €".as_bytes()),
            ("â‚¬".as_bytes(), "€".as_bytes()),
            ("cafe\u{301}".as_bytes(), "café".as_bytes()),
            (b"a\0b\0", b"ab"),
        ] {
            assert!(transcoded(arrived).iter().any(|text| text == signed), "{signed:?}");
        }
        assert!(transcoded(b"plain").is_empty());
    }
}
