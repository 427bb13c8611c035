//! The parser of Server-Sent Events (WHATWG HTML, section 9.2.6 "Interpreting an event stream").
//!
//! Fed with chunks as they come from the network, cut anywhere; gives whole events. Bounded: a line or an event beyond
//! [`EVENT_BYTES_MAX`] is an error, not memory.

use std::collections::VecDeque;

/// Largest event in bytes; a slim row has some two thousand.
pub(super) const EVENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One event of the live stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `delivery`, `attempt`, `endpoint`, `refusal`, `tunnel` or `resync`.
    pub name: String,
    /// Its place in the stream, for resuming behind it.
    pub id: Option<String>,
    /// JSON.
    pub data: String,
}

/// An event or a line is longer than [`EVENT_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventTooLong;

/// The state between two chunks.
#[derive(Debug, Default)]
pub(super) struct EventParser {
    line: Vec<u8>,
    /// The last byte was CR: a LF right behind it belongs to the same line end.
    after_cr: bool,
    /// The first line is behind us; a byte order mark may only stand before it.
    begun: bool,
    name: String,
    data: String,
    last_id: Option<String>,
    ready: VecDeque<Event>,
}

impl EventParser {
    /// Takes the next bytes.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), EventTooLong> {
        for &byte in chunk {
            match byte {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    self.end_line();
                }
                _ => {
                    self.after_cr = false;
                    if self.line.len() + self.data.len() >= EVENT_BYTES_MAX {
                        return Err(EventTooLong);
                    }
                    self.line.push(byte);
                }
            }
        }
        Ok(())
    }

    /// The next whole event.
    pub(super) fn pop(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let mut line: &str = &text;
        if !self.begun {
            self.begun = true;
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            self.dispatch();
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.last_id = Some(value.to_owned()).filter(|id| !id.is_empty()),
            // A comment (nothing before the colon), `retry`, and what we do not know.
            _ => {}
        }
    }

    fn dispatch(&mut self) {
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        if data.pop().is_none() {
            return;
        }
        let name = if name.is_empty() { "message".to_owned() } else { name };
        self.ready.push_back(Event { name, id: self.last_id.clone(), data });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(chunks: &[&[u8]]) -> Vec<Event> {
        let mut parser = EventParser::default();
        for chunk in chunks {
            parser.push(chunk).unwrap();
        }
        std::iter::from_fn(|| parser.pop()).collect()
    }

    fn event(name: &str, id: Option<&str>, data: &str) -> Event {
        Event { name: name.into(), id: id.map(Into::into), data: data.into() }
    }

    const STREAM: &[u8] = b"\xef\xbb\xbf: hello\n\nevent: delivery\r\nid: a-1\r\ndata: {\"x\":\"\xc3\xa9\"}\r\n\r\n\
        : keep-alive\n\nevent:resync\rdata:\r\rdata: a\ndata:  b\nid\n\n";

    #[test]
    fn an_event_is_the_same_however_the_network_cuts_it() {
        let whole = events(&[STREAM]);
        assert_eq!(
            whole,
            [
                event("delivery", Some("a-1"), "{\"x\":\"é\"}"),
                event("resync", Some("a-1"), ""),
                event("message", None, "a\n b"),
            ]
        );
        for cut in 0..=STREAM.len() {
            assert_eq!(events(&[&STREAM[..cut], &STREAM[cut..]]), whole, "cut at {cut}");
        }
        let single: Vec<&[u8]> = STREAM.chunks(1).collect();
        assert_eq!(events(&single), whole);
    }

    #[test]
    fn an_event_without_its_empty_line_is_not_given_out() {
        assert_eq!(events(&[b"event: delivery\ndata: {}\n"]), []);
    }

    #[test]
    fn an_event_without_data_is_dropped_and_its_name_does_not_stick_to_the_next() {
        assert_eq!(events(&[b"event: delivery\n\ndata: 1\n\n"]), [event("message", None, "1")]);
    }

    #[test]
    fn an_id_with_nul_is_ignored() {
        assert_eq!(events(&[b"id: a\n", b"id: b\0c\ndata: 1\n\n"]), [event("message", Some("a"), "1")]);
    }

    #[test]
    fn an_endless_line_is_an_error_and_not_memory() {
        let mut parser = EventParser::default();
        let chunk = vec![b'x'; 1024 * 1024];
        let mut result = Ok(());
        for _ in 0..5 {
            result = parser.push(&chunk);
        }
        assert_eq!(result, Err(EventTooLong));
        assert!(parser.line.len() <= EVENT_BYTES_MAX);
    }

    #[test]
    fn endless_data_lines_are_an_error_too() {
        let mut parser = EventParser::default();
        let line = [b"data: ".as_slice(), &vec![b'x'; 1024 * 1024], b"\n"].concat();
        assert!((0..6).any(|_| parser.push(&line).is_err()));
    }
}
