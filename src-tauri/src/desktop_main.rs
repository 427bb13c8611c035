//! `creel-desktop`: the window.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod desktop;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    desktop::run(desktop::Arguments::parse())
}
