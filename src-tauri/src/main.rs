//! The headless binary: parse, run, print an error with its hint once, exit with its code.

use std::process::ExitCode;

use creel::tunnel::guard::{self, GUARD_COMMAND};

/// A delivery is made on one thread and freed on another, tens of thousands a second; the system's allocator takes a lock
/// for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    if words.nth(1).is_some_and(|word| word == GUARD_COMMAND) {
        return ExitCode::from(guard::run(words));
    }
    creel::cli::main(std::env::args_os())
}
