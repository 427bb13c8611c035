//! Which of the events about deliveries become a line of `creel listen`, and what the line says.
//!
//! A delivery changes several times while it is relayed; people want one line, with what their app answered. So a line
//! waits until the delivery has settled, but no longer than [`PATIENCE`]: that it arrived at all is the first question.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::console::Console;
use super::fields;
use super::table::{cut, pad};

/// How long a line waits for the app's answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// Deliveries remembered, so that a later event about the same state makes no second line.
const REMEMBERED_MAX: usize = 10_000;

/// What was shown of one delivery.
#[derive(Debug)]
struct Known {
    row: Value,
    waiting_since: Option<Instant>,
    shown: Option<(String, u64)>,
}

/// The deliveries of one endpoint, by `seq`.
#[derive(Debug)]
pub(super) struct LiveLines {
    known: BTreeMap<i64, Known>,
    newest: i64,
}

impl LiveLines {
    /// Begins behind the newest delivery that was there already.
    pub(super) fn after(newest: i64) -> Self {
        Self { known: BTreeMap::new(), newest }
    }

    /// Takes a slim row; gives it back when it is to be shown now.
    pub(super) fn take(&mut self, row: Value, now: Instant) -> Option<Value> {
        let seq = fields::get(&row, "seq").as_i64()?;
        self.newest = self.newest.max(seq);
        let known =
            self.known.entry(seq).or_insert_with(|| Known { row: Value::Null, waiting_since: None, shown: None });
        let state = state_of(&row);
        let line = if state.0 == "queued" {
            if known.shown.is_none() {
                known.waiting_since.get_or_insert(now);
            }
            None
        } else {
            known.waiting_since = None;
            (known.shown.as_ref() != Some(&state)).then(|| {
                known.shown = Some(state);
                row.clone()
            })
        };
        known.row = row;
        while self.known.len() > REMEMBERED_MAX {
            self.known.pop_first();
        }
        line
    }

    /// The rows whose patience has run out, in order.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Value> {
        self.show_waiting(|since| now.duration_since(since) >= PATIENCE)
    }

    /// All rows not shown yet, in order: the last chance.
    pub(super) fn rest(&mut self) -> Vec<Value> {
        self.show_waiting(|_| true)
    }

    fn show_waiting(&mut self, due: impl Fn(Instant) -> bool) -> Vec<Value> {
        let mut rows = Vec::new();
        for known in self.known.values_mut() {
            if known.waiting_since.is_some_and(&due) {
                known.waiting_since = None;
                known.shown = Some(state_of(&known.row));
                rows.push(known.row.clone());
            }
        }
        rows
    }

    /// The `seq` behind which rows must be fetched after a gap: what is newer, and what had not settled.
    pub(super) fn fetch_after(&self) -> i64 {
        let unsettled = self.known.iter().find(|(_, known)| state_of(&known.row).0 == "queued").map(|(seq, _)| seq - 1);
        unsettled.unwrap_or(self.newest).min(self.newest)
    }
}

/// What makes a line worth showing again: another status, or one more arrival.
fn state_of(row: &Value) -> (String, u64) {
    (fields::text(row, "status"), fields::get(row, "attempt_count").as_u64().unwrap_or_default())
}

/// One row as one line.
pub(super) fn line(console: &Console, row: &Value) -> String {
    let time = fields::time(row, "received_at");
    let status = fields::text(row, "status");
    let signature = fields::text(row, "signature_status");
    let times = match fields::get(row, "attempt_count").as_u64() {
        Some(count) if count > 1 => format!("  ×{count}"),
        _ => String::new(),
    };
    [
        time.get(11..).unwrap_or(&time).to_owned(),
        fields::status_word(console, &status, &pad(&status, 11)),
        fields::status_word(console, &signature, &pad(&signature, 12)),
        pad(&fields::relay(row), 16),
        pad(&cut(&fields::text(row, "event")), 28),
        cut(&fields::request_line(row)),
        format!("{}{times}", fields::size(row, "body_size")),
        fields::text(row, "id"),
    ]
    .join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(seq: i64, status: &str, arrivals: u64) -> Value {
        json!({"seq": seq, "id": format!("d{seq}"), "status": status, "attempt_count": arrivals})
    }

    #[test]
    fn a_delivery_gets_one_line_when_it_has_settled() {
        let (mut lines, now) = (LiveLines::after(0), Instant::now());
        assert_eq!(lines.take(row(1, "queued", 1), now), None);
        assert_eq!(lines.take(row(1, "dispatched", 1), now), Some(row(1, "dispatched", 1)));
        assert_eq!(lines.take(row(1, "dispatched", 1), now), None, "the same state again");
        assert_eq!(lines.rest(), [] as [Value; 0]);
    }

    #[test]
    fn a_collapsed_duplicate_gets_a_line_of_its_own() {
        let (mut lines, now) = (LiveLines::after(0), Instant::now());
        assert!(lines.take(row(1, "dispatched", 1), now).is_some());
        assert_eq!(lines.take(row(1, "dispatched", 2), now), Some(row(1, "dispatched", 2)));
    }

    #[test]
    fn a_delivery_whose_app_hangs_is_shown_as_queued_and_again_when_it_ends() {
        let (mut lines, now) = (LiveLines::after(0), Instant::now());
        lines.take(row(1, "queued", 1), now);
        assert_eq!(lines.overdue(now + PATIENCE / 2), [] as [Value; 0]);
        assert_eq!(lines.overdue(now + PATIENCE), [row(1, "queued", 1)]);
        assert_eq!(lines.overdue(now + PATIENCE * 2), [] as [Value; 0]);
        assert_eq!(lines.take(row(1, "queued", 1), now + PATIENCE * 3), None);
        assert_eq!(lines.take(row(1, "failed", 1), now + PATIENCE * 4), Some(row(1, "failed", 1)));
    }

    #[test]
    fn what_has_not_settled_at_the_end_is_still_shown() {
        let (mut lines, now) = (LiveLines::after(0), Instant::now());
        lines.take(row(2, "queued", 1), now);
        lines.take(row(1, "queued", 1), now);
        assert_eq!(lines.rest(), [row(1, "queued", 1), row(2, "queued", 1)]);
    }

    #[test]
    fn after_a_gap_rows_are_fetched_from_the_first_unsettled_one_on() {
        let (mut lines, now) = (LiveLines::after(7), Instant::now());
        assert_eq!(lines.fetch_after(), 7);
        lines.take(row(8, "queued", 1), now);
        lines.take(row(9, "dispatched", 1), now);
        assert_eq!(lines.fetch_after(), 7);
        lines.take(row(8, "failed", 1), now);
        assert_eq!(lines.fetch_after(), 9);
    }

    #[test]
    fn memory_is_bounded() {
        let (mut lines, now) = (LiveLines::after(0), Instant::now());
        for seq in 0..(i64::try_from(REMEMBERED_MAX).unwrap() + 10) {
            lines.take(row(seq, "dispatched", 1), now);
        }
        assert_eq!(lines.known.len(), REMEMBERED_MAX);
    }

    #[test]
    fn a_line_stays_one_line_whatever_the_sender_wrote() {
        let row = json!({"seq": 1, "id": "d1", "status": "dispatched", "signature_status": "valid", "attempt_count": 2,
            "event": "a\nb\u{1b}[2J", "method": "POST", "path": "/x\r\n", "received_at": "2026-01-31T09:15:02.123Z"});
        let line = line(&Console::new(true), &row);
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(line.starts_with("09:15:02Z  dispatched   valid"), "{line}");
        assert!(line.contains("×2"), "{line}");
    }
}
