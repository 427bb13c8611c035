//! Where the lines of one body begin, and what stands in them.

use memchr::memmem;
use schemars::JsonSchema;
use serde::Serialize;

use super::layout::{Layout, Place, next_line};

/// Lines between two remembered places.
const LINES_PER_PLACE: usize = 256;
/// Matches that are counted; more are "at least" this many.
const MATCHES_COUNTED_MAX: u64 = 10_000;

/// One line as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[schemars(rename = "BodyLine")]
#[cfg_attr(feature = "types", ts(rename = "BodyLine"))]
pub struct Line {
    /// Its number, from 1. A line that was cut because it is long keeps its number.
    pub number: u64,
    /// Whether it goes on where the one before was cut.
    pub continued: bool,
    /// Offset in the body of its first byte.
    pub offset: u64,
    /// Its text without the line end. Bytes that are no UTF-8 show as U+FFFD.
    pub text: String,
}

/// A place in a body where a text was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Offset of its first byte.
    pub offset: usize,
    /// How often the text stands in the body.
    pub matches: u64,
    /// Whether there may be more than `matches`.
    pub matches_are_minimum: bool,
}

/// Where the lines of one body begin.
#[derive(Debug)]
pub struct LineIndex {
    layout: Layout,
    places: Vec<Place>,
    total: usize,
    is_utf8: bool,
}

impl LineIndex {
    /// Cuts the whole body once. Blocks.
    #[must_use]
    pub fn of(body: &[u8], layout: Layout) -> Self {
        let (mut place, mut line, mut places, mut total) = (Place::first(), Vec::new(), Vec::new(), 0);
        loop {
            let began = place;
            if !next_line(body, layout, &mut place, &mut line) {
                break;
            }
            if total % LINES_PER_PLACE == 0 {
                places.push(began);
            }
            total += 1;
        }
        Self { layout, places, total, is_utf8: std::str::from_utf8(body).is_ok() }
    }

    /// How many lines there are; one that was cut counts as often as it is shown.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Whether the body is valid UTF-8 to its last byte.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        self.is_utf8
    }

    /// Up to `count` lines from the `start`th, counted from 0.
    #[must_use]
    pub fn lines(&self, body: &[u8], start: usize, count: usize) -> Vec<Line> {
        let at = start / LINES_PER_PLACE;
        let Some(&place) = self.places.get(at) else { return Vec::new() };
        let cutting = Cutting { body, layout: self.layout, place, line: Vec::new() };
        cutting.skip(start - at * LINES_PER_PLACE).take(count).collect()
    }

    /// The line, counted from 0, in which the byte at this offset stands.
    #[must_use]
    pub fn line_at(&self, body: &[u8], offset: usize) -> usize {
        let at = self.places.partition_point(|place| place.offset <= offset).saturating_sub(1);
        let Some(&place) = self.places.get(at) else { return 0 };
        let cutting = Cutting { body, layout: self.layout, place, line: Vec::new() };
        let before = cutting.take_while(|line| line.offset <= offset as u64).count();
        at * LINES_PER_PLACE + before.saturating_sub(1)
    }
}

/// The lines of a body from a place on.
struct Cutting<'a> {
    body: &'a [u8],
    layout: Layout,
    place: Place,
    line: Vec<u8>,
}

impl Iterator for Cutting<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let (number, continued, mut offset) = (self.place.number, self.place.continued, self.place.offset);
        if !next_line(self.body, self.layout, &mut self.place, &mut self.line) {
            return None;
        }
        if self.layout == Layout::IndentedJson {
            // White space before the first token belongs to no line.
            let first = self.line.iter().find(|byte| **byte != b' ');
            while !continued && first.is_some() && self.body.get(offset) != first {
                offset += 1;
            }
        }
        let text = String::from_utf8_lossy(&self.line).into_owned();
        Some(Line { number, continued, offset: offset as u64, text })
    }
}

/// Where `text` stands next: at or behind `from`, or, looking backwards, before it. Goes round at the end.
#[must_use]
pub fn find(body: &[u8], text: &str, from: usize, backwards: bool) -> Option<Found> {
    let needle = text.as_bytes();
    let from = from.min(body.len());
    let offset = if backwards {
        let before = &body[..(from + needle.len()).saturating_sub(1).min(body.len())];
        memmem::rfind(before, needle).or_else(|| memmem::rfind(body, needle))
    } else {
        memmem::find(&body[from..], needle).map(|at| at + from).or_else(|| memmem::find(body, needle))
    }?;
    let counted = memmem::find_iter(body, needle).take(MATCHES_COUNTED_MAX as usize + 1).count() as u64;
    let matches_are_minimum = counted > MATCHES_COUNTED_MAX;
    Some(Found { offset, matches: counted.min(MATCHES_COUNTED_MAX), matches_are_minimum })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_window_is_what_stands_there_from_the_beginning() {
        let body: String = (0..2_000).map(|n| format!("line {n} {}\n", "x".repeat(n % 700))).collect();
        for layout in [Layout::AsReceived, Layout::IndentedJson] {
            let index = LineIndex::of(body.as_bytes(), layout);
            let all = index.lines(body.as_bytes(), 0, usize::MAX);
            assert_eq!(all.len(), index.total());
            for start in [0, 1, 255, 256, 257, 1_000, index.total() - 1] {
                let end = (start + 40).min(all.len());
                assert_eq!(index.lines(body.as_bytes(), start, 40), all[start..end]);
            }
            assert_eq!(index.lines(body.as_bytes(), index.total(), 5), []);
        }
    }

    #[test]
    fn a_match_is_led_to_its_line_in_either_layout() {
        let body = br#"{ "a": [ 1, 2, {"needle": "hay"} ] , "needle" : 3 }"#;
        let index = LineIndex::of(body, Layout::IndentedJson);
        let found = find(body, "needle", 0, false).unwrap();
        assert_eq!(found.matches, 2);
        let line = index.line_at(body, found.offset);
        assert_eq!(index.lines(body, line, 1)[0].text.trim(), "\"needle\": \"hay\"");
        let second = find(body, "needle", found.offset + 1, false).unwrap();
        assert_eq!(index.lines(body, index.line_at(body, second.offset), 1)[0].text, "  \"needle\": 3");
        assert_eq!(find(body, "needle", second.offset + 1, false).unwrap().offset, found.offset, "round the end");
        assert_eq!(find(body, "needle", second.offset, true).unwrap().offset, found.offset);
        assert_eq!(find(body, "needle", found.offset, true).unwrap().offset, second.offset, "round the beginning");
        assert_eq!(find(body, "absent", 0, false), None);
    }

    #[test]
    fn what_is_no_utf8_is_said_and_shown_with_marks() {
        let index = LineIndex::of(b"a\xff\nb", Layout::AsReceived);
        assert!(!index.is_utf8());
        assert_eq!(index.lines(b"a\xff\nb", 0, 1)[0].text, "a\u{fffd}");
    }
}
