//! The benchmarks of QUALITY's performance table: `ingest`, `relay`, `list` and `autopsy`, and `fill`, which makes a long history.
//!
//! Every process of a real setting is a process here: the sender, `creel serve`, the developer's app, and the bare axum
//! handler that everything is compared with. They are this program again, in a hidden mode, except Creel itself, which
//! is the release binary. Figures are ratios within one run, in rounds that alternate between the two sides, because a
//! machine's speed changes from minute to minute.
// A command line tool talks on stdout.
#![allow(clippy::print_stdout)]

mod autopsy;
mod bare;
mod creel;
mod figures;
mod fill;
mod ingest;
mod list;
mod load;
mod mode;
mod relay;
mod target;
mod usage;
mod webhook;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(name = "creel-bench", about = "Measures Creel; started by `cargo xtask bench`")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Durable, signature-checked ingest without a target, against a bare handler; memory over many posts
    Ingest(ingest::Options),
    /// Ingest with a target, the latency the relay adds, and the acknowledgement's at 200 requests a second
    Relay(relay::Options),
    /// Lists and details over many stored deliveries, and ingest with many stored against few
    List(list::Options),
    /// Why a signature fails, found out at its dearest, against one plain verification
    Autopsy(autopsy::Options),
    /// Make a data directory with a million realistic deliveries, for benchmarks and for looking at
    Fill(fill::Options),
    #[command(name = mode::BARE, hide = true)]
    Bare,
    #[command(name = mode::TARGET, hide = true)]
    Target,
    #[command(name = mode::LOAD, hide = true)]
    Load,
}

/// What every benchmark is told by `cargo xtask bench`.
#[derive(Args)]
struct Setting {
    /// The release binary
    #[arg(long)]
    creel: PathBuf,
    /// Where data directories are made; on the disk that is to be measured, so not in memory
    #[arg(long)]
    work: PathBuf,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Ingest(options) => ingest::ingest(&options),
        Command::Relay(options) => relay::relay(&options),
        Command::List(options) => list::list(&options),
        Command::Autopsy(options) => autopsy::autopsy(&options),
        Command::Fill(options) => fill::fill(&options),
        Command::Bare => bare::serve(),
        Command::Target => target::serve(),
        Command::Load => load::run(),
    }
}
