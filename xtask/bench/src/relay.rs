//! `relay`: ingest while every delivery also goes to a local target, the time the relay adds on the way there, and the
//! acknowledgement's time at a leisurely pace with a window open.

use std::io::Read as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use creel_rig::admin::Admin;
use creel_rig::engine::{Engine, MadeEndpoint};

use crate::Setting;
use crate::creel;
use crate::figures::{Latency, median, milliseconds, thousands, verdict};
use crate::ingest::Side;
use crate::load::{End, Plan};
use crate::mode::{BARE, Server, TARGET, send};
use crate::webhook::{self, Shape};

/// QUALITY section 3: ingest with relay ÷ bare handler.
const RATIO_GOAL: f64 = 0.2;
/// QUALITY section 3: what the relay may add over posting straight to the target, in nanoseconds.
const ADDED_P50_GOAL: u64 = 2_000_000;
const ADDED_P99_GOAL: u64 = 8_000_000;
/// QUALITY section 3: the acknowledgement at [`ACK_RATE`], in nanoseconds.
const ACK_P99_GOAL: u64 = 10_000_000;
/// Requests a second.
const ACK_RATE: f64 = 200.0;
/// Requests a second while the way to the target is timed: slow enough that nothing waits for anything else.
const JOURNEY_RATE: f64 = 100.0;
/// Connections at these paces.
const FEW_CONNECTIONS: usize = 8;
/// How long the target may receive nothing before the rest counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often an open window reads its list again.
const WINDOW_REFRESH: Duration = Duration::from_secs(1);

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    setting: Setting,
    /// How often the two sides take turns
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// How long a turn is
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    #[arg(long, default_value_t = 64)]
    connections: usize,
}

pub fn relay(options: &Options) -> Result<()> {
    println!("\nrelay: 2 KB JSON, signature checked, every delivery relayed to a local target");
    throughput(options)?;
    added_latency(options)?;
    acknowledgement(options)
}

/// A target, and an engine that relays to it.
struct Relaying {
    target: Server,
    engine: Engine,
    endpoint: MadeEndpoint,
}

impl Relaying {
    fn start(setting: &Setting) -> Result<Relaying> {
        let target = Server::start(TARGET)?;
        let engine = creel::start(setting)?;
        let endpoint = creel::endpoint(&engine, "relay", &[format!("http://{}/app", target.address)])?;
        Ok(Relaying { target, engine, endpoint })
    }

    /// Waits until the target has all of them; gives their journeys.
    fn arrived(&self, expected: u64) -> Result<Latency> {
        let app = app(&self.target);
        let mut last = (0, Instant::now());
        loop {
            let journeys: Latency = serde_json::from_value(app.get("/journeys")?)?;
            if journeys.count >= expected {
                return Ok(journeys);
            }
            if journeys.count > last.0 {
                last = (journeys.count, Instant::now());
            } else if last.1.elapsed() > PATIENCE {
                bail!("{expected} deliveries were acknowledged and only {} reached the target", journeys.count);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn forget(&self) -> Result<()> {
        app(&self.target).send("POST", "/forget", &serde_json::Value::Null).map(drop)
    }
}

/// The target's own report, which asks for no token.
fn app(target: &Server) -> Admin {
    Admin { address: target.address, token: String::new() }
}

fn throughput(options: &Options) -> Result<()> {
    let bare = Server::start(BARE)?;
    let relaying = Relaying::start(&options.setting)?;
    let path = format!("/in/ep_{}", "x".repeat(43));
    let plan = |address, requests| Plan {
        address,
        connections: options.connections,
        end: End::AfterMilliseconds(0),
        rate: None,
        requests,
        first_sequence: 0,
    };
    let yardstick_requests = webhook::requests(&bare.address.to_string(), &path, Shape::default())?;
    let mut yardstick = Side::new("bare", bare.pid(), plan(bare.address, yardstick_requests));
    let address = relaying.endpoint.host.parse()?;
    let mut relayed = Side::new(
        "creel",
        relaying.engine.pid(),
        plan(address, creel::requests(&relaying.endpoint, Shape::default())?),
    );
    let (mut ratios, mut through) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        let there = yardstick.take_turn(options.seconds * 1_000)?;
        relaying.forget()?;
        let (started, before) = (Instant::now(), relayed.answers());
        let here = relayed.take_turn(options.seconds * 1_000)?;
        let posts = relayed.answers() - before;
        relaying.arrived(posts)?;
        let reached = posts as f64 / started.elapsed().as_secs_f64();
        println!(
            "  round {round}: bare {}/s, creel acknowledged {}/s and relayed {}/s, ratios {:.2} and {:.2}",
            thousands(there),
            thousands(here),
            thousands(reached),
            here / there,
            reached / there,
        );
        ratios.push(here / there);
        through.push(reached / there);
    }
    yardstick.report();
    relayed.report();
    let (acknowledged, through) = (median(ratios), median(through));
    verdict("acknowledged ÷ bare, relay on", &format!("{acknowledged:.3}"), "≥ 0.2", acknowledged >= RATIO_GOAL);
    println!("  {:<46} {through:.3}", "relayed to the last one ÷ bare");
    Ok(())
}

fn added_latency(options: &Options) -> Result<()> {
    let relaying = Relaying::start(&options.setting)?;
    let shape = Shape { sent_at: true, ..Shape::default() };
    let paced = |address, requests| Plan {
        address,
        connections: FEW_CONNECTIONS,
        end: End::AfterMilliseconds(options.seconds * 1_000),
        rate: Some(JOURNEY_RATE),
        requests,
        first_sequence: 0,
    };
    let target = relaying.target.address;
    let straight_plan = paced(target, webhook::requests(&target.to_string(), "/app", shape)?);
    let relayed_plan = paced(relaying.endpoint.host.parse()?, creel::requests(&relaying.endpoint, shape)?);
    let (mut straight, mut relayed) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        for (plan, journeys) in [(&straight_plan, &mut straight), (&relayed_plan, &mut relayed)] {
            relaying.forget()?;
            let measured = send(plan)?;
            measured.must_be(&[200])?;
            journeys.push(relaying.arrived(measured.answers())?);
        }
    }
    let (straight, relayed) = (Latency::typical(&straight), Latency::typical(&relayed));
    println!("  to the target straight: p50 {}  p99 {}", milliseconds(straight.p50), milliseconds(straight.p99));
    println!("  to the target by creel: p50 {}  p99 {}", milliseconds(relayed.p50), milliseconds(relayed.p99));
    let added = relayed.p50.saturating_sub(straight.p50);
    verdict("added by the relay, p50", &milliseconds(added), "≤ 2 ms", added <= ADDED_P50_GOAL);
    let added = relayed.p99.saturating_sub(straight.p99);
    verdict("added by the relay, p99", &milliseconds(added), "≤ 8 ms", added <= ADDED_P99_GOAL);
    Ok(())
}

fn acknowledgement(options: &Options) -> Result<()> {
    let relaying = Relaying::start(&options.setting)?;
    let plan = Plan {
        address: relaying.endpoint.host.parse()?,
        connections: FEW_CONNECTIONS,
        end: End::AfterMilliseconds(options.seconds * u64::from(options.rounds) * 1_000),
        rate: Some(ACK_RATE),
        requests: creel::requests(&relaying.endpoint, Shape::default())?,
        first_sequence: 0,
    };
    let (measured, seen) = with_a_window_open(&relaying.engine.admin, || send(&plan))?;
    measured.must_be(&[200])?;
    if seen == 0 {
        bail!("the window's event stream stayed silent");
    }
    let Latency { p50, p99, max, .. } = measured.latency;
    println!(
        "  at {ACK_RATE}/s, window open: p50 {}  p99 {}  max {}",
        milliseconds(p50),
        milliseconds(p99),
        milliseconds(max)
    );
    verdict("acknowledgement, p99", &milliseconds(p99), "≤ 10 ms", p99 <= ACK_P99_GOAL);
    Ok(())
}

/// Reads the event stream and the list as an open window does while `work` runs; gives the stream's bytes too.
fn with_a_window_open<T>(admin: &Admin, work: impl FnOnce() -> Result<T>) -> Result<(T, u64)> {
    let mut events = admin.events()?;
    events.set_read_timeout(Some(Duration::from_millis(100)))?;
    let closed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut seen, mut buffer) = (0, vec![0; 64 * 1024]);
            while !closed.load(Ordering::Relaxed) {
                seen += events.read(&mut buffer).unwrap_or_default() as u64;
            }
            seen
        });
        let listing = scope.spawn(|| -> Result<()> {
            while !closed.load(Ordering::Relaxed) {
                admin.get("/api/deliveries?limit=100")?;
                std::thread::sleep(WINDOW_REFRESH);
            }
            Ok(())
        });
        let worked = work();
        closed.store(true, Ordering::Relaxed);
        let seen = reading.join().ok().context("the event stream's reader panicked")?;
        listing.join().ok().context("the list's reader panicked")??;
        Ok((worked?, seen))
    })
}
