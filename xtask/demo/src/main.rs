//! A Creel that is alive: an engine on a directory of its own, the developer's app behind it, and senders before it.
//!
//! Started by `cargo xtask demo`. Everything is real: the app is an HTTP server that answers well, late, badly, and for a
//! third of the time not at all; the webhooks are signed, repeated, forged; they go through the ingress. [`story`] says
//! what is sent in which order, the same in every run.

mod app;
mod cast;
mod odd;
mod story;
mod telling;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use creel_rig::engine::{Engine, Face};

use app::App;
use cast::Cast;
use telling::Telling;

#[derive(Parser)]
#[command(name = "creel-demo", about = "A Creel with traffic; started by `cargo xtask demo`")]
struct Arguments {
    /// The headless binary
    #[arg(long)]
    creel: PathBuf,
    /// The window's binary; opened instead of printing the UI's address
    #[arg(long)]
    window: Option<PathBuf>,
    /// Where the data directory is made, for as long as the demo runs [default: the system's]
    #[arg(long)]
    work: Option<PathBuf>,
    /// Deliveries of the story before the endless part begins; at least 300
    #[arg(long, default_value_t = 360, value_parser = clap::value_parser!(u64).range(300..=100_000))]
    deliveries: u64,
    /// How many of them come at once, so that the window is not empty at first sight
    #[arg(long, default_value_t = 90)]
    burst: u64,
    /// Tell the story as fast as it goes instead of a few deliveries a second
    #[arg(long)]
    fast: bool,
    /// End when the story is told, instead of going on until Ctrl+C
    #[arg(long)]
    once: bool,
    /// After the story, send nothing more and wait for Ctrl+C: for pictures that do not move
    #[arg(long, conflicts_with = "once")]
    still: bool,
}

/// What happens when the story is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Afterwards {
    GoOn,
    End,
    StandStill,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(demo(arguments))
}

async fn demo(arguments: Arguments) -> Result<()> {
    // Before anything is started, so that no Ctrl+C finds nobody listening.
    let mut interrupted = Interruption::listen()?;
    let work = arguments.work.unwrap_or_else(std::env::temp_dir);
    std::fs::create_dir_all(&work)?;
    let data = tempfile::Builder::new().prefix("creel-demo-").tempdir_in(&work)?;
    let (program, face) = match &arguments.window {
        Some(window) => (window.as_path(), Face::Window),
        None => (arguments.creel.as_path(), Face::Headless),
    };
    let engine = Engine::start(program, face, data, &[])?;
    let app = App::start().await?;
    let cast = Cast::assemble(&engine, app.port())?;
    say(&format!("Creel:   {} (data in {}, removed at the end)", engine.ingress_url, engine.data_dir().display()));
    say(&format!("App:     http://127.0.0.1:{} (down for a third of the time)", app.port()));
    match face {
        Face::Window => say("UI:      the window that has just opened"),
        Face::Headless => say(&format!("UI:      {}", engine.link())),
    }
    let afterwards = match (arguments.once, arguments.still) {
        (true, _) => Afterwards::End,
        (_, true) => Afterwards::StandStill,
        _ => Afterwards::GoOn,
    };
    let burst = if arguments.fast { u64::MAX } else { arguments.burst };
    let mut telling = Telling::new(engine, app, cast, burst);
    tokio::select! {
        told = tell(&mut telling, arguments.deliveries, afterwards) => told?,
        () = interrupted.wait() => say("interrupted"),
    }
    telling.end().await
}

async fn tell(telling: &mut Telling, deliveries: u64, afterwards: Afterwards) -> Result<()> {
    telling.tell(deliveries).await?;
    say(&telling.summary()?);
    match afterwards {
        Afterwards::End => Ok(()),
        Afterwards::GoOn => {
            say("A few more each second until Ctrl+C.");
            telling.go_on(deliveries).await
        }
        Afterwards::StandStill => {
            say("Standing still until Ctrl+C.");
            std::future::pending().await
        }
    }
}

/// One line to whoever still reads.
fn say(line: &str) {
    // A closed stdout is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Ctrl+C, and where there is one, the system's request to end.
struct Interruption {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl Interruption {
    fn listen() -> Result<Interruption> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
            Ok(Interruption { signals })
        }
        #[cfg(not(unix))]
        Ok(Interruption {})
    }

    async fn wait(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate] = &mut self.signals;
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
