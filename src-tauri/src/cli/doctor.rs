//! `creel doctor`: is everything as it should be, and what to do where it is not.

mod checks;

use clap::Args;
use serde_json::json;

use super::Place;
use super::console::Console;
use super::error::{CliError, Exit};
use super::{escape, fields};
use checks::{Check, Health};

/// Check data directory, engine, ports, database, disk, UI and clock
///
/// Each line says ok, warn or fail, and what to do. Changes nothing. Exit code 1 when a line says fail.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DoctorArgs {}

const EXAMPLES: &str = "\
Examples:
  creel doctor
  creel doctor --data-dir /tmp/try --json | jq '.checks[] | select(.status != \"ok\")'";

/// Runs the command.
pub(super) async fn run(_args: DoctorArgs, place: Place, console: &Console) -> Result<Exit, CliError> {
    let data_dir = place.data_dir()?;
    let checks = checks::all(&data_dir).await;
    let healthy = checks.iter().all(|check| check.health != Health::Fail);
    if console.json() {
        let objects: Vec<_> = checks.iter().map(Check::object).collect();
        console.object(&json!({
            "version": env!("CARGO_PKG_VERSION"),
            "data_dir": data_dir.display().to_string(),
            "healthy": healthy,
            "checks": objects,
        }))?;
    } else {
        console.lines(lines(console, &checks))?;
    }
    Ok(if healthy { Exit::Ok } else { Exit::Failure })
}

fn lines(console: &Console, checks: &[Check]) -> Vec<String> {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for check in checks {
        let word = check.health.as_str();
        let tinted = fields::status_word(console, word, &format!("{word:<4}"));
        lines.push(format!("{tinted}  {:<width$}  {}", check.name, escape::line(&check.message)));
        if let Some(help) = &check.help {
            lines.push(format!("{:indent$}{}", "", escape::line(help), indent = 4 + 2 + width + 2));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_is_a_line_that_begins_with_its_word_and_its_help_stands_below() {
        let checks = [
            Check::ok("clock", "right".to_owned()),
            Check::fail("data directory", "is a \u{1b}[31mfile".to_owned(), "Move it away.".to_owned()),
        ];
        assert_eq!(
            lines(&Console::new(true), &checks),
            [
                "ok    clock           right",
                "fail  data directory  is a \\x1b[31mfile",
                "                      Move it away.",
            ]
        );
    }
}
