//! The headless binary: parse, run, print an error with its hint once, exit with its code.

use std::process::ExitCode;

/// A delivery is made on one thread and freed on another, tens of thousands a second; the system's allocator takes a lock
/// for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    creel::cli::main(std::env::args_os())
}
