//! Where results and talk go: results to stdout, all else to stderr.

use std::io::{self, IsTerminal as _, Write as _};

use serde_json::{Value, json};

use super::error::CliError;
use super::escape;

/// The two outputs of one command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Console {
    json: bool,
    terminal: bool,
    colour: bool,
}

/// A mark that repeats in colour what a word says already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Fine.
    Good,
    /// Look at it.
    Doubtful,
    /// Wrong.
    Bad,
}

impl Console {
    /// The console of this process.
    pub(super) fn new(json: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        Self { json, terminal, colour: terminal && colour_wanted() }
    }

    /// Whether programs read this.
    pub(super) fn json(&self) -> bool {
        self.json
    }

    /// Whether stdout is a terminal.
    pub(super) fn terminal(&self) -> bool {
        self.terminal
    }

    /// Whole lines for people, in one write. Their makers have escaped what came from outside.
    pub(super) fn lines<L: AsRef<str>>(&self, lines: impl IntoIterator<Item = L>) -> Result<(), CliError> {
        let mut text = String::new();
        for line in lines {
            text.push_str(line.as_ref());
            text.push('\n');
        }
        write_out(text.as_bytes())
    }

    /// One object for programs, on a line of its own.
    pub(super) fn object(&self, value: &Value) -> Result<(), CliError> {
        let mut text = escape::json(&value.to_string()).into_owned();
        text.push('\n');
        write_out(text.as_bytes())
    }

    /// Bytes from outside: exact, but to a terminal only in escaped form.
    pub(super) fn bytes(&self, bytes: &[u8]) -> Result<(), CliError> {
        if !self.terminal {
            return write_out(bytes);
        }
        let mut text = escape::block(bytes);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        write_out(text.as_bytes())
    }

    /// Something to know, which is no result. For programs it is an object too, so that they can read all of stderr.
    pub(super) fn note(&self, text: &str) {
        if self.json {
            say(&format!("{}\n", escape::json(&json!({ "note": text }).to_string())));
        } else {
            say(&format!("note: {}\n", escape::line(text)));
        }
    }

    /// An error with its hint.
    pub(super) fn report(&self, error: &CliError) {
        let body = error.body();
        if self.json {
            say(&format!("{}\n", escape::json(&json!({ "error": body }).to_string())));
        } else {
            say(&format!("error: {}\n\nhint: {}\n", escape::line(&body.message), escape::line(&body.help)));
        }
    }

    /// The word, in colour where that is wanted.
    pub(super) fn tint(&self, word: &str, tone: Tone) -> String {
        if !self.colour {
            return word.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Doubtful => "33",
            Tone::Bad => "31",
        };
        format!("\u{1b}[{code}m{word}\u{1b}[0m")
    }
}

/// <https://no-color.org>: any value but the empty one switches colour off.
pub(super) fn colour_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn write_out(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(CliError::output)
}

fn say(text: &str) {
    // Where stderr cannot be written there is no place left to say so.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
