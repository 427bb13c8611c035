//! `creel-desktop`: the window.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod desktop;

use std::process::ExitCode;

use clap::Parser as _;
use creel::tunnel::guard::{self, GUARD_COMMAND};

/// A delivery is made on one thread and freed on another, tens of thousands a second; the system's allocator takes a lock
/// for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    // Before anything of the window: the guard of a tunnel is this very program, and opens none.
    if words.nth(1).is_some_and(|word| word == GUARD_COMMAND) {
        return ExitCode::from(guard::run(words));
    }
    desktop::run(desktop::Arguments::parse())
}
