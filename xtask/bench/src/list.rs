//! `list`: what a large history costs. Pages, filters and details by the admin API over many stored deliveries, and ingest
//! into a full database against ingest into an almost empty one.

use anyhow::{Context, Result};
use clap::Args;
use creel_rig::engine::{Engine, MadeEndpoint};
use serde_json::Value;

use crate::Setting;
use crate::creel;
use crate::figures::{Latency, mebibytes, median, milliseconds, thousands, verdict};
use crate::fill;
use crate::load::{End, Plan};
use crate::mode::send;
use crate::webhook::Shape;

/// QUALITY section 3: list page, filtered list page and detail, in nanoseconds.
const PAGE_P99_GOAL: u64 = 10_000_000;
/// QUALITY section 3: ingest with many stored ÷ with few.
const INGEST_RATIO_GOAL: f64 = 0.85;
/// What an almost empty history holds.
const FEW_ROWS: u64 = 1_000;
/// How often each page is read.
const READS: u64 = 400;
/// Places of the history from which pages and details are read.
const PLACES: u64 = 40;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    setting: Setting,
    /// How many deliveries are stored first
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// How often ingest is measured on both sides
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// How long ingest is measured each time
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    #[arg(long, default_value_t = 64)]
    connections: usize,
}

pub fn list(options: &Options) -> Result<()> {
    println!("\nlist: {} realistic deliveries of 2 KB on average", thousands(options.rows as f64));
    let engine = creel::start_on(&options.setting, |dir| fill::make(dir, options.rows))?;
    let bytes = engine.database_bytes();
    println!("  database {}, {} bytes a delivery", mebibytes(bytes), bytes / options.rows.max(1));
    println!("  serving after {} ms", engine.started_in.as_millis());
    pages(&engine)?;
    ingest(options, &creel::endpoint(&engine, "history", &[])?)
}

/// Stores a few deliveries the way they come: through the ingress.
fn store_few(options: &Options, endpoint: &MadeEndpoint) -> Result<()> {
    send(&Plan { end: End::AfterRequests(FEW_ROWS), ..plan(options, endpoint)? })?.must_be(&[200])
}

fn plan(options: &Options, endpoint: &MadeEndpoint) -> Result<Plan> {
    Ok(Plan {
        address: endpoint.host.parse()?,
        connections: options.connections,
        end: End::AfterMilliseconds(options.seconds * 1_000),
        rate: None,
        requests: creel::requests(endpoint, Shape::default())?,
        first_sequence: 0,
    })
}

/// Reads each kind of page and detail, over and over, one at a time.
fn pages(engine: &Engine) -> Result<()> {
    let (cursors, ids) = places(engine)?;
    let endpoint = largest_endpoint(engine)?;
    let at = |query: &str| -> Vec<String> {
        cursors.iter().map(|cursor| format!("/api/deliveries?limit=50&{query}before={cursor}")).collect()
    };
    let first = |query: &str| vec![format!("/api/deliveries?limit=50{query}")];
    let of_endpoint = format!("&endpoint_id={endpoint}");
    let read: Vec<(&str, Vec<String>)> = vec![
        ("list, first page", first("")),
        ("list, anywhere", at("")),
        ("filtered: endpoint, first page", first(&of_endpoint)),
        ("filtered: endpoint and status rejected", first(&format!("{of_endpoint}&status=rejected"))),
        ("filtered: status rejected, anywhere", at("status=rejected&")),
        ("filtered: signature invalid", first("&signature_status=invalid")),
        ("filtered: event", first("&event=order.paid")),
        ("filtered: event, anywhere", at("event=order.paid&")),
        ("filtered: provider", first("&provider=generic")),
        ("q: text that many hold", first("&q=refund")),
        ("q: text that few hold", first("&q=dispute")),
        ("detail", ids.iter().map(|id| format!("/api/deliveries/{id}")).collect()),
    ];
    for (what, paths) in &read {
        let pages = read_over_and_over(engine, paths)?;
        let reached = pages.latency.p99 <= PAGE_P99_GOAL && pages.given_up == 0;
        verdict(what, &pages.figure(), "p99 ≤ 10 ms", reached);
    }
    let nothing = read_over_and_over(engine, &first("&q=nothing-holds-this"))?;
    println!("  {:<46} {}", "q: text that nothing holds", nothing.figure());
    Ok(())
}

/// What reading pages came to.
struct Pages {
    latency: Latency,
    /// Answered 503: the search ran into its time limit
    given_up: u64,
}

impl Pages {
    fn figure(&self) -> String {
        let Latency { p50, p99, .. } = self.latency;
        let given_up = if self.given_up > 0 { format!("  {} given up", self.given_up) } else { String::new() };
        format!("p50 {}  p99 {}{given_up}", milliseconds(p50), milliseconds(p99))
    }
}

fn read_over_and_over(engine: &Engine, paths: &[String]) -> Result<Pages> {
    let measured = send(&Plan {
        address: engine.admin.address,
        connections: 1,
        end: End::AfterRequests(READS),
        rate: None,
        requests: paths.iter().map(|path| engine.admin.get_request(path)).collect(),
        first_sequence: 0,
    })?;
    measured.must_be(&[200, 503]).with_context(|| paths.first().cloned().unwrap_or_default())?;
    let given_up = measured.statuses.get(&503).copied().unwrap_or_default();
    Ok(Pages { latency: measured.latency, given_up })
}

/// Cursors spread over the whole history, and the ids of deliveries there.
fn places(engine: &Engine) -> Result<(Vec<u64>, Vec<String>)> {
    let newest = engine.admin.get("/api/deliveries?limit=1")?;
    let newest = row(&newest).and_then(|row| row.get("seq")?.as_u64()).context("the history is empty")?;
    let cursors: Vec<u64> = (1..=PLACES).map(|place| (newest * place / PLACES).max(2)).collect();
    let mut ids = Vec::new();
    for cursor in &cursors {
        let page = engine.admin.get(&format!("/api/deliveries?limit=1&before={cursor}"))?;
        let id = row(&page).and_then(|row| row.get("id")?.as_str()).context("a page without a row")?;
        ids.push(id.to_owned());
    }
    Ok((cursors, ids))
}

/// The endpoint that most of the history came to: the first that `fill` makes.
fn largest_endpoint(engine: &Engine) -> Result<String> {
    let all = engine.admin.get("/api/endpoints")?;
    let id = all.pointer("/endpoints/0/id").and_then(Value::as_str).context("there is no endpoint")?;
    Ok(id.to_owned())
}

fn row(page: &Value) -> Option<&Value> {
    page.get("deliveries")?.get(0)
}

/// Both sides take turns: the full history, and a new one with [`FEW_ROWS`].
fn ingest(options: &Options, full: &MadeEndpoint) -> Result<()> {
    let full_plan = plan(options, full)?;
    let (mut many, mut few) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        let small = creel::start(&options.setting)?;
        let endpoint = creel::endpoint(&small, "almost empty", &[])?;
        store_few(options, &endpoint)?;
        let measured = send(&plan(options, &endpoint)?)?;
        measured.must_be(&[200])?;
        drop(small);
        few.push(measured.per_second());
        let measured = send(&full_plan)?;
        measured.must_be(&[200])?;
        many.push(measured.per_second());
        let (few, many) = (few[few.len() - 1], many[many.len() - 1]);
        println!("  round {round}: at {FEW_ROWS} {}/s, at {} {}/s", thousands(few), options.rows, thousands(many));
    }
    let ratio = median(many.iter().zip(&few).map(|(many, few)| many / few));
    let (many, few) = (median(many), median(few));
    println!("  ingest at {FEW_ROWS}: {}/s, at {}: {}/s", thousands(few), options.rows, thousands(many));
    verdict("ingest with many stored ÷ with few", &format!("{ratio:.3}"), "≥ 0.85", ratio >= INGEST_RATIO_GOAL);
    Ok(())
}
