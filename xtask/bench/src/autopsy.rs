//! `bench autopsy`: what it takes to find out why a signature fails, against one plain verification of the same request.
//!
//! In process: the search is arithmetic over bytes that are in memory already. Each request is signed with one secret and
//! explained with another that fits nothing, so that the search goes on to its end: the dearest case there is.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::Args;
use creel::domain::{EndpointId, Headers, Secret, Timestamp};
use creel::signature::{Catalogue, Elsewhere, OtherSecret, Provider, SignedRequest};
use serde_json::Value;

use crate::figures::Latency;

/// What QUALITY asks for: milliseconds for a body of 256 KiB.
const GOAL_MS: f64 = 50.0;
/// The clock of all requests, in milliseconds since 1970.
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// Schemes of every kind that can be signed: the body alone, with a timestamp, an id, the URL, headers, two templates.
const PROVIDERS: [&str; 8] =
    ["github", "stripe", "slack", "standard-webhooks", "square", "hubspot", "shopify", "generic"];

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    setting: super::Setting,
    /// Bytes of the body
    #[arg(long, default_value_t = 256 * 1024)]
    body_bytes: usize,
    /// Times that each request is explained
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// Secrets of other endpoints
    #[arg(long, default_value_t = 16)]
    others: usize,
}

pub fn autopsy(options: &Options) -> Result<()> {
    // It measures no process, so it needs neither the binary nor a directory.
    let super::Setting { .. } = options.setting;
    let catalogue = Catalogue::embedded().context("the catalogue cannot be read")?;
    let body = body(options.body_bytes);
    let other = |n| OtherSecret {
        endpoint: EndpointId::new(),
        name: format!("endpoint {n}"),
        secret: secret(&format!("c2VjcmV0IG9mIGVuZHBvaW50IG51bWJlciAw{n:04}")),
    };
    let others: Vec<OtherSecret> = (0..options.others).map(other).collect();
    println!("autopsy: {} bytes of JSON, {} rounds, {} other secrets", body.len(), options.rounds, others.len());
    println!("{:20} {:>12} {:>12} {:>12} {:>8}", "provider", "verify ms", "explain ms", "worst ms", "ratio");
    let mut worst = 0.0_f64;
    for slug in PROVIDERS {
        let Some(provider) = catalogue.get(slug) else { continue };
        let elsewhere = Elsewhere { other_secrets: &others, catalogue: Some(&catalogue), local_url: None };
        let (verify, explain) = measured(provider, &body, elsewhere, options.rounds)?;
        let ms = |nanoseconds: u64| nanoseconds as f64 / 1e6;
        worst = worst.max(ms(explain.p50));
        println!(
            "{slug:20} {:>12.3} {:>12.3} {:>12.3} {:>7.0}x",
            ms(verify.p50),
            ms(explain.p50),
            ms(explain.max),
            explain.p50 as f64 / verify.p50.max(1) as f64
        );
    }
    println!("dearest provider: {worst:.1} ms (goal for 256 KiB: at most {GOAL_MS:.0} ms)");
    Ok(())
}

/// The time of a verification and of an explanation of the same request, in turns.
fn measured(provider: &Provider, body: &[u8], elsewhere: Elsewhere<'_>, rounds: usize) -> Result<(Latency, Latency)> {
    let none = Headers::default();
    let url = Some("https://hooks.example.com/in/token?shop=1");
    let blank = SignedRequest { method: "POST", url, headers: &none, body };
    let signer = secret("d2hhdCB0aGUgc2VuZGVyIGhhcyBoZXJlIDEy");
    let made = provider.sign(None, &Value::Null, &signer, &blank, NOW).with_context(|| provider.slug.clone())?;
    let headers = Headers::from_pairs(made.iter().map(|(name, value)| (name, value)))?;
    let request = SignedRequest { headers: &headers, ..blank };
    let wrong = [secret("YW5vdGhlciBvbmUgdGhhdCBmaXRzIG5vdGhp")];
    let (mut verified, mut explained) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let started = Instant::now();
        black_box(provider.verify(None, &Value::Null, &wrong, &request, NOW)?);
        verified.push(nanoseconds(started));
        let started = Instant::now();
        black_box(provider.explain(None, &Value::Null, &wrong, &request, NOW, elsewhere)?);
        explained.push(nanoseconds(started));
    }
    Ok((Latency::of(&mut verified), Latency::of(&mut explained)))
}

fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// JSON as senders write it, with nested objects, escapes and text outside ASCII, so that every rewriting has work to do.
fn body(bytes: usize) -> Vec<u8> {
    let mut text = String::from(r#"{"type": "order.created", "items": ["#);
    let mut n = 0_u32;
    while text.len() + 4 < bytes {
        let comma = if n == 0 { "" } else { ", " };
        text.push_str(comma);
        text.push_str(&format!(
            r#"{{"id": {n}, "name": "Größe \"L\" \/ {n}", "price": {{"amount": 12.50, "currency": "EUR"}}, "tags": []}}"#
        ));
        n += 1;
    }
    text.push_str("]}");
    text.into_bytes()
}
