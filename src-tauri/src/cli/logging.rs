//! The log of the engine in this process: stderr, filtered by `CREEL_LOG`.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use super::console::colour_wanted;
use super::error::CliError;

/// Name of the environment variable with the filter.
const VARIABLE: &str = "CREEL_LOG";
/// The filter when there is none.
const DEFAULT: &str = "warn";

/// Starts logging.
pub(super) fn start() -> Result<(), CliError> {
    let text = match std::env::var(VARIABLE) {
        Ok(text) if !text.trim().is_empty() => text,
        Ok(_) | Err(std::env::VarError::NotPresent) => DEFAULT.to_owned(),
        Err(error @ std::env::VarError::NotUnicode(_)) => return Err(CliError::LogFilter { why: error.to_string() }),
    };
    let filter = EnvFilter::try_new(text).map_err(|error| CliError::LogFilter { why: error.to_string() })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && colour_wanted())
        .try_init()
        .map_err(|error| CliError::LogFilter { why: error.to_string() })
}
