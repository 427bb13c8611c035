//! `ingest`: what certainty costs. Each post is checked, stored with `synchronous=FULL` and only then answered; the bare
//! handler reads the body and answers. Then the memory that many posts leave behind.

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::Setting;
use crate::creel;
use crate::figures::{Latency, mebibytes, median, milliseconds, thousands, verdict};
use crate::load::{End, Measured, Plan};
use crate::mode::{BARE, Server, send};
use crate::usage::{Usage, processor_seconds};
use crate::webhook::{self, Shape};

/// QUALITY section 3: durable ingest ÷ bare handler.
const RATIO_GOAL: f64 = 0.5;
/// QUALITY section 3: memory of an engine that has nothing to do, in bytes.
const IDLE_MEMORY_GOAL: u64 = 25 << 20;
/// QUALITY section 3: what many posts may add to it, in bytes.
const MEMORY_GROWTH_GOAL: u64 = 64 << 20;
/// Before the first round, so that both sides have warm caches and open connections behind them.
const WARM_UP_MILLISECONDS: u64 = 1_000;

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
    /// Give every post a dedupe key of its own, as GitHub does
    #[arg(long)]
    dedupe_key: bool,
    /// Posts after which memory is read; 0 leaves this part out
    #[arg(long, default_value_t = 100_000)]
    memory_posts: u64,
    /// Measure the bare handler alone
    #[arg(long)]
    bare_only: bool,
}

pub fn ingest(options: &Options) -> Result<()> {
    let key = if options.dedupe_key { "a dedupe key each" } else { "no dedupe key" };
    println!("\ningest: 2 KB JSON, {} connections, signature checked, {key}, no target", options.connections);
    if options.bare_only {
        return bare_alone(options);
    }
    compare(options)?;
    if options.memory_posts > 0 { memory(options) } else { Ok(()) }
}

/// The yardstick and the sender without Creel: what the machine and the sender can do at all.
fn bare_alone(options: &Options) -> Result<()> {
    let bare = Server::start(BARE)?;
    let mut side = Side::new("bare", bare.pid(), bare_plan(options, &bare)?);
    for _ in 0..options.rounds {
        side.take_turn(options.seconds * 1_000)?;
    }
    side.report();
    Ok(())
}

fn compare(options: &Options) -> Result<()> {
    let bare = Server::start(BARE)?;
    let engine = creel::start(&options.setting)?;
    let endpoint = creel::endpoint(&engine, "ingest", &[])?;
    let shape = Shape { dedupe_key: options.dedupe_key, ..Shape::default() };
    let mut yardstick = Side::new("bare", bare.pid(), bare_plan(options, &bare)?);
    let mut durable =
        Side::new("creel", engine.pid(), plan(options, endpoint.host.parse()?, creel::requests(&endpoint, shape)?));
    yardstick.take_turn(WARM_UP_MILLISECONDS)?;
    durable.take_turn(WARM_UP_MILLISECONDS)?;
    let warm_up = durable.forget_rounds();
    yardstick.forget_rounds();
    let mut ratios = Vec::new();
    for round in 1..=options.rounds {
        let there = yardstick.take_turn(options.seconds * 1_000)?;
        let here = durable.take_turn(options.seconds * 1_000)?;
        ratios.push(here / there);
        let (there, here, ratio) = (thousands(there), thousands(here), here / there);
        println!("  round {round}: bare {there}/s, creel {here}/s, ratio {ratio:.2}");
    }
    yardstick.report();
    durable.report();
    let ratio = median(ratios);
    verdict("creel ÷ bare, median of the rounds", &format!("{ratio:.3}"), "≥ 0.5", ratio >= RATIO_GOAL);
    let sent = warm_up + durable.answers();
    let stored = engine.total(&format!("endpoint_id={}", endpoint.id))?;
    if stored != sent {
        bail!("{sent} posts were acknowledged and {stored} deliveries are stored");
    }
    println!(
        "  all {} acknowledged posts are stored, in {}",
        thousands(sent as f64),
        mebibytes(engine.database_bytes())
    );
    Ok(())
}

fn memory(options: &Options) -> Result<()> {
    let engine = creel::start(&options.setting)?;
    let ready = engine.started_in;
    let endpoint = creel::endpoint(&engine, "memory", &[])?;
    let usage = || Usage::of(engine.pid()).context("this system does not say how much memory a process uses");
    let before = usage()?;
    let mut plan = plan(options, endpoint.host.parse()?, creel::requests(&endpoint, Shape::default())?);
    plan.end = End::AfterRequests(options.memory_posts);
    send(&plan)?.must_be(&[200])?;
    let after = usage()?;
    let growth = after.peak.saturating_sub(before.resident);
    println!("  ready {} ms after its start", ready.as_millis());
    verdict("memory, idle", &mebibytes(before.resident), "≤ 25 MiB", before.resident <= IDLE_MEMORY_GOAL);
    let posts = thousands(options.memory_posts as f64);
    let figure = format!("+ {} (peak {})", mebibytes(growth), mebibytes(after.peak));
    verdict(&format!("memory, peak over {posts} posts"), &figure, "≤ + 64 MiB", growth <= MEMORY_GROWTH_GOAL);
    println!("  {} bytes of database for each", engine.database_bytes() / options.memory_posts);
    Ok(())
}

fn bare_plan(options: &Options, bare: &Server) -> Result<Plan> {
    let shape = Shape { dedupe_key: options.dedupe_key, ..Shape::default() };
    // A path as long as an endpoint's.
    let path = format!("/in/ep_{}", "x".repeat(43));
    Ok(plan(options, bare.address, webhook::requests(&bare.address.to_string(), &path, shape)?))
}

fn plan(options: &Options, address: std::net::SocketAddr, requests: Vec<String>) -> Plan {
    let end = End::AfterMilliseconds(options.seconds * 1_000);
    Plan { address, connections: options.connections, end, rate: None, requests, first_sequence: 0 }
}

/// One of the two that are compared, with its rounds so far.
pub struct Side {
    name: &'static str,
    pid: u32,
    plan: Plan,
    rounds: Vec<Measured>,
    processor_seconds: f64,
}

impl Side {
    pub fn new(name: &'static str, pid: u32, plan: Plan) -> Side {
        Side { name, pid, plan, rounds: Vec::new(), processor_seconds: 0.0 }
    }

    /// Sends for that long; gives the answers per second.
    pub fn take_turn(&mut self, milliseconds: u64) -> Result<f64> {
        self.plan.end = End::AfterMilliseconds(milliseconds);
        let before = processor_seconds(self.pid).unwrap_or_default();
        let measured = send(&self.plan)?;
        measured.must_be(&[200])?;
        self.processor_seconds += processor_seconds(self.pid).unwrap_or_default() - before;
        self.plan.first_sequence += measured.answers();
        let per_second = measured.per_second();
        self.rounds.push(measured);
        Ok(per_second)
    }

    /// Starts counting anew; gives what was answered so far.
    pub fn forget_rounds(&mut self) -> u64 {
        let answers = self.answers();
        self.rounds.clear();
        self.processor_seconds = 0.0;
        answers
    }

    pub fn answers(&self) -> u64 {
        self.rounds.iter().map(Measured::answers).sum()
    }

    pub fn report(&self) {
        let latencies: Vec<Latency> = self.rounds.iter().map(|round| round.latency).collect();
        let latency = Latency::typical(&latencies);
        let rate = median(self.rounds.iter().map(Measured::per_second));
        let answers = self.answers().max(1) as f64;
        let sender: f64 = self.rounds.iter().map(|round| round.processor_seconds).sum();
        println!(
            "  {:<6} {:>8}/s   p50 {}  p99 {}  max {}   processor {:.0} µs a post (sender {:.0} µs)",
            self.name,
            thousands(rate),
            milliseconds(latency.p50),
            milliseconds(latency.p99),
            milliseconds(latency.max),
            self.processor_seconds / answers * 1e6,
            sender / answers * 1e6,
        );
    }
}
