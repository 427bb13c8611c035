//! Bytes of a program's output as lines of text: without control sequences, whatever the program writes.

use strip_ansi_escapes::strip;

/// Longest line in bytes, 8 KiB; what goes beyond is dropped up to the line's end.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// Collects the bytes of one stream. A line ends at `\n` or `\r`: progress displays use the latter.
#[derive(Debug, Default)]
pub(super) struct LineSplitter {
    line: Vec<u8>,
}

impl LineSplitter {
    /// Takes bytes as they came, and gives the lines that are complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.keep(&rest[..end]);
            lines.extend(self.finish());
            rest = &rest[end + 1..];
        }
        self.keep(rest);
        lines
    }

    /// The line under way, when the stream has ended.
    pub(super) fn finish(&mut self) -> Option<String> {
        let line = text(&std::mem::take(&mut self.line));
        (!line.trim().is_empty()).then_some(line)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Readable text of a line's bytes. Characters that are not valid, and those that could reorder or hide text, do not stay.
fn text(bytes: &[u8]) -> String {
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'\t' { b' ' } else { *byte }).collect();
    let plain = String::from_utf8_lossy(&strip(spaced)).into_owned();
    let shown = plain.chars().filter(|character| !character.is_control() && !is_bidi_control(*character));
    shown.collect::<String>().trim_end().to_owned()
}

/// Marks that make text read differently than it stands (Unicode TR 9).
fn is_bidi_control(character: char) -> bool {
    matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_the_same_however_the_bytes_are_split() {
        let whole = "one\r\ntwo\rthr\u{e9}e\n\nfour".as_bytes();
        for size in 1..=whole.len() {
            let mut splitter = LineSplitter::default();
            let mut lines: Vec<String> = whole.chunks(size).flat_map(|chunk| splitter.take(chunk)).collect();
            lines.extend(splitter.finish());
            assert_eq!(lines, ["one", "two", "thr\u{e9}e", "four"], "in pieces of {size}");
        }
    }

    #[test]
    fn control_sequences_and_broken_characters_do_not_stay() {
        let mut splitter = LineSplitter::default();
        let bore = b"\x1b[2m2026\x1b[0m \x1b[32m INFO\x1b[0m listening at 127.0.0.1:20302\n";
        assert_eq!(splitter.take(bore), ["2026  INFO listening at 127.0.0.1:20302"]);
        assert_eq!(splitter.take(b"a\xff\xfeb\tc\xe2\x80\xae\x07\n"), ["a\u{fffd}\u{fffd}b c"]);
        assert_eq!(splitter.take(b"\x1b]0;title\x07x\n"), ["x"]);
    }

    #[test]
    fn a_line_without_end_takes_no_more_room_than_a_long_one() {
        let mut splitter = LineSplitter::default();
        for _ in 0..10_000 {
            assert!(splitter.take(&[b'x'; 1024]).is_empty());
        }
        let line = splitter.take(b"end\n").pop().unwrap();
        assert_eq!(line.len(), LINE_BYTES_MAX);
        assert_eq!(splitter.take(b"next\n"), ["next"]);
    }
}
