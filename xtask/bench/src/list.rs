//! `list`: what a large history costs. Pages, filters and details by the admin API over many stored deliveries, and ingest
//! into a full database against ingest into an almost empty one.

use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use crate::Setting;
use crate::creel::{Creel, Endpoint};
use crate::figures::{mebibytes, median, milliseconds, thousands, verdict};
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
/// Rows sent at a time while the history is filled, so that progress can be shown.
const FILL_STEP: u64 = 100_000;
/// One delivery in this many has a wrong signature.
const FORGE_EVERY: usize = 64;

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
    println!(
        "\nlist: {} deliveries of 2 KB, one in {FORGE_EVERY} with a wrong signature",
        thousands(options.rows as f64)
    );
    let creel = Creel::start(&options.setting)?;
    let endpoint = creel.endpoint("history", &[])?;
    fill(options, &endpoint, options.rows)?;
    let bytes = creel.database_bytes();
    println!("  database {}, {} bytes a delivery", mebibytes(bytes), bytes / options.rows.max(1));
    pages(&creel, &endpoint)?;
    ingest(options, &endpoint)
}

/// Stores `rows` deliveries the way they come: through the ingress.
fn fill(options: &Options, endpoint: &Endpoint, rows: u64) -> Result<()> {
    let mut plan = plan(options, endpoint, Some(FORGE_EVERY))?;
    let started = Instant::now();
    let mut stored = 0;
    while stored < rows {
        let step = FILL_STEP.min(rows - stored);
        plan.end = End::AfterRequests(step);
        plan.first_sequence = stored;
        send(&plan)?.must_be(&[200, 401])?;
        stored += step;
        if rows > FEW_ROWS {
            println!("  stored {} after {} s", thousands(stored as f64), started.elapsed().as_secs());
        }
    }
    Ok(())
}

fn plan(options: &Options, endpoint: &Endpoint, forge_every: Option<usize>) -> Result<Plan> {
    Ok(Plan {
        address: endpoint.host.parse()?,
        connections: options.connections,
        end: End::AfterMilliseconds(options.seconds * 1_000),
        rate: None,
        requests: endpoint.requests(Shape { forge_every, ..Shape::default() })?,
        first_sequence: 0,
    })
}

/// Reads each kind of page and detail, over and over, one at a time.
fn pages(creel: &Creel, endpoint: &Endpoint) -> Result<()> {
    let (cursors, ids) = places(creel)?;
    let at = |query: &str| -> Vec<String> {
        cursors.iter().map(|cursor| format!("/api/deliveries?limit=50&{query}before={cursor}")).collect()
    };
    let first = |query: &str| vec![format!("/api/deliveries?limit=50{query}")];
    let of_endpoint = format!("&endpoint_id={}", endpoint.id);
    let read: Vec<(&str, Vec<String>)> = vec![
        ("list, first page", first("")),
        ("list, anywhere", at("")),
        ("filtered: endpoint, first page", first(&of_endpoint)),
        ("filtered: endpoint and status rejected", first(&format!("{of_endpoint}&status=rejected"))),
        ("filtered: status rejected, anywhere", at("status=rejected&")),
        ("filtered: signature invalid", first("&signature_status=invalid")),
        ("filtered: event", first("&event=order.paid")),
        ("filtered: text that matches", first("&q=refund")),
        ("detail", ids.iter().map(|id| format!("/api/deliveries/{id}")).collect()),
    ];
    for (what, paths) in &read {
        let latency = read_over_and_over(creel, paths)?;
        let figure = format!("p50 {}  p99 {}", milliseconds(latency.p50), milliseconds(latency.p99));
        verdict(what, &figure, "p99 ≤ 10 ms", latency.p99 <= PAGE_P99_GOAL);
    }
    let nothing = read_over_and_over(creel, &first("&q=nothing-holds-this"))?;
    let figure = format!("p50 {}  p99 {}", milliseconds(nothing.p50), milliseconds(nothing.p99));
    println!("  {:<46} {figure}", "filtered: text that nothing holds");
    Ok(())
}

fn read_over_and_over(creel: &Creel, paths: &[String]) -> Result<crate::figures::Latency> {
    let measured = send(&Plan {
        address: creel.admin.address,
        connections: 1,
        end: End::AfterRequests(READS),
        rate: None,
        requests: paths.iter().map(|path| creel.admin.get_request(path)).collect(),
        first_sequence: 0,
    })?;
    measured.must_be(&[200]).with_context(|| paths.first().cloned().unwrap_or_default())?;
    Ok(measured.latency)
}

/// Cursors spread over the whole history, and the ids of deliveries there.
fn places(creel: &Creel) -> Result<(Vec<u64>, Vec<String>)> {
    let newest = creel.admin.get("/api/deliveries?limit=1")?;
    let newest = row(&newest).and_then(|row| row.get("seq")?.as_u64()).context("the history is empty")?;
    let cursors: Vec<u64> = (1..=PLACES).map(|place| (newest * place / PLACES).max(2)).collect();
    let mut ids = Vec::new();
    for cursor in &cursors {
        let page = creel.admin.get(&format!("/api/deliveries?limit=1&before={cursor}"))?;
        let id = row(&page).and_then(|row| row.get("id")?.as_str()).context("a page without a row")?;
        ids.push(id.to_owned());
    }
    Ok((cursors, ids))
}

fn row(page: &Value) -> Option<&Value> {
    page.get("deliveries")?.get(0)
}

/// Both sides take turns: the full history, and a new one with [`FEW_ROWS`].
fn ingest(options: &Options, full: &Endpoint) -> Result<()> {
    let full_plan = plan(options, full, None)?;
    let (mut many, mut few) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        let small = Creel::start(&options.setting)?;
        let endpoint = small.endpoint("almost empty", &[])?;
        fill(options, &endpoint, FEW_ROWS)?;
        let measured = send(&plan(options, &endpoint, None)?)?;
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
