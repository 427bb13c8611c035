//! The command line: one file per command, each with its arguments, its help and its work.
//!
//! [`main`] is all of it: parse, run, print an error with its hint once, and give the exit code of CONTRACT section 2.
//! Commands give results to [`console::Console`] (stdout) and talk by its notes (stderr); they return a
//! [`error::CliError`] instead of printing it. A command that needs an engine asks it through [`crate::client`];
//! `serve` and `listen` start one through [`crate::engine`].

mod args;
mod console;
mod deliveries;
mod doctor;
mod endpoints;
mod error;
mod escape;
mod fields;
mod input;
mod listen;
mod live_lines;
mod logging;
mod providers;
mod replay;
mod send;
mod serve;
mod sign;
mod signing;
mod table;
mod throwaway;
mod tunnel;
mod verify;

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use console::Console;
use error::{CliError, Exit};

/// Runs one command line, its first word being the program's name.
#[must_use]
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    // Known before parsing, so that a usage error speaks JSON too.
    let json = words.iter().skip(1).take_while(|word| *word != "--").any(|word| word == "--json");
    let console = Console::new(json);
    let result = match Cli::try_parse_from(words) {
        Ok(cli) => run(cli, &console),
        Err(error) => usage(&error, &console),
    };
    let exit = match result {
        Ok(exit) => exit,
        Err(CliError::BrokenPipe) => Exit::Ok,
        Err(error) => {
            console.report(&error);
            error.exit()
        }
    };
    ExitCode::from(exit.code())
}

fn run(cli: Cli, console: &Console) -> Result<Exit, CliError> {
    let place = Place { data_dir: cli.data_dir };
    match cli.command {
        Command::Serve(args) => attached(serve::run(args, place, console)),
        Command::Listen(args) => attached(listen::run(args, place, console)),
        Command::Endpoints(args) => attached(endpoints::run(args, place, console)),
        Command::Deliveries(args) => attached(deliveries::run(args, place, console)),
        Command::Replay(args) => attached(replay::run(args, place, console)),
        Command::Doctor(args) => attached(doctor::run(args, place, console)),
        Command::Sign(args) => sign::run(&args, console),
        Command::Verify(args) => verify::run(&args, console),
        Command::Providers(args) => providers::run(&args, console),
        Command::Send(args) => send::list(&args, console).unwrap_or_else(|| attached(send::run(args, console))),
        Command::Export(_) => Err(CliError::NotAvailable { what: "`creel export`" }),
        Command::Import(_) => Err(CliError::NotAvailable { what: "`creel import`" }),
        Command::Tunnel(args) => attached(tunnel::run(args, place, console)),
    }
}

/// The data directory as the command line names it, if it does.
struct Place {
    data_dir: Option<PathBuf>,
}

impl Place {
    fn data_dir(self) -> Result<PathBuf, CliError> {
        match self.data_dir {
            Some(dir) => Ok(dir),
            None => Ok(crate::engine::default_data_dir()?),
        }
    }
}

/// Runs a command that talks to, or is, an engine.
fn attached(command: impl Future<Output = Result<Exit, CliError>>) -> Result<Exit, CliError> {
    logging::start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| CliError::System { what: "start its threads", source })?;
    runtime.block_on(command)
}

/// What clap says: help and version are results, all else is a usage error.
fn usage(error: &clap::Error, console: &Console) -> Result<Exit, CliError> {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            error.print().map_err(CliError::output)?;
            Ok(Exit::Ok)
        }
        _ if console.json() => {
            let message = first_paragraph(&error.render().to_string());
            Err(CliError::Usage { message, help: "See `creel --help`.".to_owned() })
        }
        // clap's own rendering has the usage line and the nearest match; it goes to stderr.
        _ => {
            error.print().map_err(CliError::output)?;
            Ok(Exit::Usage)
        }
    }
}

/// What clap says before its usage lines, on one line.
fn first_paragraph(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests;
