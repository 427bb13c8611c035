//! The end of what a tunnel's program wrote.

use std::collections::VecDeque;

use crate::domain::{Timestamp, TunnelLogLine, TunnelStream};

/// Lines kept.
const LINES_KEPT: usize = 200;

/// The newest lines, numbered.
#[derive(Clone, Debug, Default)]
pub(super) struct TunnelLog {
    lines: VecDeque<TunnelLogLine>,
    count: u64,
}

impl TunnelLog {
    /// Adds a line; the oldest makes room.
    pub(super) fn push(&mut self, at: Timestamp, stream: TunnelStream, text: String) {
        if self.lines.len() == LINES_KEPT {
            self.lines.pop_front();
        }
        self.count += 1;
        self.lines.push_back(TunnelLogLine { n: self.count, at, stream, text });
    }

    /// Lines so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Those that are kept, oldest first.
    pub(super) fn lines(&self) -> Vec<TunnelLogLine> {
        self.lines.iter().cloned().collect()
    }

    /// The newest line that the program itself wrote.
    pub(super) fn last_words(&self) -> Option<&str> {
        let of_program = self.lines.iter().rev().find(|line| line.stream != TunnelStream::Creel);
        of_program.map(|line| line.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_are_kept_and_all_are_counted() {
        let mut log = TunnelLog::default();
        for n in 0..250 {
            log.push(Timestamp::from_millis(n), TunnelStream::Stdout, n.to_string());
        }
        log.push(Timestamp::from_millis(0), TunnelStream::Creel, "ended".into());
        let lines = log.lines();
        assert_eq!((lines.len(), lines[0].text.as_str(), lines[0].n, log.count()), (200, "51", 52, 251));
        assert_eq!(log.last_words(), Some("249"));
    }
}
