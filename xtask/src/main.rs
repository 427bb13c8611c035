//! Every developer command, the same on every system: `cargo xtask run | test | build | bench | demo | screenshots | types`.
//!
//! One file per command. `prerequisites` says what must be on the machine and installs what it may; `program` runs other
//! programs and shows what it runs; `layout` knows where things are. The benchmarks themselves are the package in
//! `xtask/bench` and the demo is the one in `xtask/demo`, so that the other commands do not wait for their dependencies;
//! `xtask/rig` is what these two share.
// A command line tool talks on stdout.
#![allow(clippy::print_stdout)]

mod bench;
mod build;
mod demo;
mod layout;
mod prerequisites;
mod program;
mod run;
mod screenshots;
mod sdks;
mod test;
mod tools;
mod types;
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use layout::Layout;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Creel's developer commands", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing, build the UI and the app, open the window (or serve, where there is no display)
    Run(run::Options),
    /// Install what is missing and run every check; CREEL_REQUIRE=root,display,chromium,firefox,npm,pypi turns skipping into failing
    Test(test::Options),
    /// Build `creel` and `creel-desktop` with the UI inside
    Build(build::Options),
    /// Measure: ingest, relay, list (all three without a name), autopsy, window
    Bench(bench::Options),
    /// A temporary Creel with an app and senders around it, to look at; ends with Ctrl+C
    Demo(demo::Options),
    /// Take pictures of every screen and state, over the demo's data
    Screenshots(screenshots::Options),
    /// Write the TypeScript types in ui/src/generated from the Rust ones
    Types,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = Layout::of_this_repository().and_then(|layout| match arguments.command {
        Command::Run(options) => run::run(&layout, options),
        Command::Test(options) => test::test(&layout, &options),
        Command::Build(options) => build::build(&layout, options),
        Command::Bench(options) => bench::bench(&layout, options),
        Command::Demo(options) => demo::demo(&layout, options),
        Command::Screenshots(options) => screenshots::screenshots(&layout, &options),
        Command::Types => types::types(&layout),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            program::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
