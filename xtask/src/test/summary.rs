//! The table at the end: each step with its ending and its time, and one closing line.

use std::fmt;
use std::time::Duration;

/// How a step ended.
pub enum Ending {
    Passed,
    Skipped(String),
    Failed(String),
    /// An earlier step failed
    NotRun,
}

/// One step's line.
pub struct Line {
    pub name: &'static str,
    pub ending: Ending,
    pub took: Option<Duration>,
}

impl Line {
    pub fn not_run(name: &'static str) -> Line {
        Line { name, ending: Ending::NotRun, took: None }
    }

    pub fn is_failure(&self) -> bool {
        matches!(self.ending, Ending::Failed(_))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, reason) = match &self.ending {
            Ending::Passed => ("passed", None),
            Ending::Skipped(reason) => ("SKIPPED", Some(reason)),
            Ending::Failed(reason) => ("FAILED", Some(reason)),
            Ending::NotRun => ("not run", None),
        };
        let took = self.took.map(|took| format!("{:.1} s", took.as_secs_f64())).unwrap_or_default();
        write!(f, "{:<14} {word:<8} {took:>9}", self.name)?;
        reason.map_or(Ok(()), |reason| write!(f, "  {reason}"))
    }
}

/// All lines and the closing one.
pub fn table(lines: &[Line]) -> String {
    let count = |matches: fn(&Ending) -> bool| lines.iter().filter(|line| matches(&line.ending)).count();
    let took: Duration = lines.iter().filter_map(|line| line.took).sum();
    let mut text = String::from("\n=== summary\n");
    lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    text.push_str(&format!(
        "steps: {} passed, {} failed, {} skipped, {} not run, in {} min {:02} s",
        count(|ending| matches!(ending, Ending::Passed)),
        count(|ending| matches!(ending, Ending::Failed(_))),
        count(|ending| matches!(ending, Ending::Skipped(_))),
        count(|ending| matches!(ending, Ending::NotRun)),
        took.as_secs() / 60,
        took.as_secs() % 60,
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_counts_every_ending_once() {
        let line = |name, ending, seconds| Line { name, ending, took: Some(Duration::from_secs(seconds)) };
        let table = table(&[
            line("format", Ending::Passed, 1),
            line("browser", Ending::Skipped("no Chromium".to_owned()), 0),
            line("clippy", Ending::Failed("`cargo clippy` failed (exit status: 101)".to_owned()), 70),
            Line::not_run("rust"),
        ]);
        assert!(table.ends_with("steps: 1 passed, 1 failed, 1 skipped, 1 not run, in 1 min 11 s"), "{table}");
        assert!(table.contains("SKIPPED"), "{table}");
        assert!(table.contains("no Chromium"), "{table}");
        assert!(table.contains("exit status: 101"), "{table}");
    }
}
