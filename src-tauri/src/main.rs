//! The headless binary: parse, run, print an error with its hint once, exit with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    creel::cli::main(std::env::args_os())
}
