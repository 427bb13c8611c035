//! `creel-desktop`: the window.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod desktop;

use std::process::ExitCode;

use clap::Parser as _;

/// A delivery is made on one thread and freed on another, tens of thousands a second; the system's allocator takes a lock
/// for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    desktop::run(desktop::Arguments::parse())
}
