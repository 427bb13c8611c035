//! Percentiles, medians, and how figures are written.

use serde::{Deserialize, Serialize};

/// Percentiles of some durations, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    pub count: u64,
    pub p50: u64,
    pub p99: u64,
    pub max: u64,
}

impl Latency {
    pub fn of(nanoseconds: &mut [u64]) -> Latency {
        nanoseconds.sort_unstable();
        Latency {
            count: nanoseconds.len() as u64,
            p50: percentile(nanoseconds, 50),
            p99: percentile(nanoseconds, 99),
            max: nanoseconds.last().copied().unwrap_or_default(),
        }
    }

    /// The rounds' percentiles, each by its median.
    pub fn typical(rounds: &[Latency]) -> Latency {
        let middle = |field: fn(&Latency) -> u64| median(rounds.iter().map(|round| field(round) as f64)) as u64;
        Latency {
            count: rounds.iter().map(|round| round.count).sum(),
            p50: middle(|round| round.p50),
            p99: middle(|round| round.p99),
            max: rounds.iter().map(|round| round.max).max().unwrap_or_default(),
        }
    }
}

/// The smallest value that at least `percent` of all do not exceed (nearest rank); 0 of nothing.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// The middle value, or the mean of the two middle ones; 0 of nothing.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Nanoseconds as milliseconds.
pub fn milliseconds(nanoseconds: u64) -> String {
    format!("{:.2} ms", nanoseconds as f64 / 1e6)
}

/// Bytes as MiB.
pub fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}

/// `12345.6` → `12,346`
pub fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

/// One line: what was measured, the figure, the goal and whether it is reached.
pub fn verdict(what: &str, figure: &str, goal: &str, reached: bool) {
    println!("  {what:<46} {figure:<26} goal {goal:<14} {}", if reached { "reached" } else { "MISSED" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(Latency::of(&mut hundred), Latency { count: 100, p50: 50, p99: 99, max: 100 });
        assert_eq!(Latency::of(&mut [7]), Latency { count: 1, p50: 7, p99: 7, max: 7 });
        assert_eq!(Latency::of(&mut []), Latency::default());
    }

    #[test]
    fn one_bad_round_does_not_move_the_median() {
        assert_eq!(median([1.0, 100.0, 2.0]), 2.0);
        assert_eq!(median([1.0, 2.0]), 1.5);
        assert_eq!(median([]), 0.0);
        let round = |p99| Latency { count: 10, p50: 1, p99, max: p99 };
        let typical = Latency::typical(&[round(5), round(900), round(6)]);
        assert_eq!(typical, Latency { count: 30, p50: 1, p99: 6, max: 900 });
    }

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!(thousands(1_234_567.4), "1,234,567");
        assert_eq!(thousands(999.9), "1,000");
        assert_eq!(thousands(12.0), "12");
        assert_eq!(thousands(-1_500.0), "-1,500");
        assert_eq!(milliseconds(1_500_000), "1.50 ms");
        assert_eq!(mebibytes(3 * 1024 * 1024 / 2), "1.5 MiB");
    }
}
