//! A database that was damaged while nobody looked: the engine says so or serves what is there; it never panics, hangs or
//! takes the file for an empty one.

use std::fs;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::support::creel::{Reaped, run_of};
use super::support::wait::within;
use super::support::{Creel, Home, Launch, Request, text};

/// Damaged databases that one run tries.
const CASES: u64 = 50;
const ROWS: usize = 40;
/// More than a start ever takes; beyond it the engine hangs.
const START_WITHIN: Duration = Duration::from_secs(30);

/// A stopped engine's database with some rows in it.
fn database() -> Vec<u8> {
    let mut creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    for n in 0..ROWS {
        let body = format!("{{\"event\":\"e{n}\",\"padding\":\"{}\"}}", "x".repeat(n * 100));
        creel.send_expecting("skipped", &endpoint.post(body).header("Idempotency-Key", &format!("k{n}")));
    }
    assert_eq!(creel.stop(), Some(0));
    fs::read(creel.home().database()).unwrap()
}

/// Damages a copy in the way of this case; what it did, for the report. Behind the first 100 bytes, which are the file's
/// header, a page is as good a place as any.
fn damage(bytes: &mut Vec<u8>, case: u64) -> String {
    let place = |salt: u64| {
        let spread = case.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt.wrapping_mul(0xbf58_476d_1ce4_e5b9));
        usize::try_from(spread >> 16).unwrap_or_default() % bytes.len()
    };
    match case % 5 {
        0 => {
            let length = place(1);
            bytes.truncate(length);
            format!("cut off at {length}")
        }
        1 => {
            let places: Vec<usize> = (0..8).map(place).collect();
            places.iter().for_each(|&at| bytes[at] ^= 0xff);
            format!("bytes turned over at {places:?}")
        }
        2 => {
            let from = place(2) / 4096 * 4096;
            let to = (from + 16_384).min(bytes.len());
            bytes[from..to].fill(0);
            format!("zeros from {from} to {to}")
        }
        3 => {
            let at = place(3) % 100;
            bytes[at] ^= 0x55;
            format!("header changed at {at}")
        }
        _ => {
            let (from, to) = (place(4) / 16_384 * 16_384, place(5) / 16_384 * 16_384);
            let length = 16_384.min(bytes.len() - from.max(to));
            bytes.copy_within(from..from + length, to);
            format!("page {from} over page {to}")
        }
    }
}

/// Serves, or has ended with a code.
fn outcome(home: &Arc<Home>, child: &mut Child) -> Option<Result<Request, Option<i32>>> {
    if let Some(status) = child.try_wait().unwrap() {
        return Some(Err(status.code()));
    }
    let run = run_of(home, child.id())?;
    let bearer = format!("Bearer {}", text(&run, "admin_token"));
    Some(Ok(Request::new("GET", "/api").header("Authorization", &bearer)))
}

#[test]
fn fifty_damaged_databases_are_refused_or_served_without_a_panic_or_a_hang() {
    let whole = database();
    for case in 0..CASES {
        let home = Home::new();
        fs::create_dir_all(home.data()).unwrap();
        let mut bytes = whole.clone();
        let what = damage(&mut bytes, case);
        fs::write(home.database(), &bytes).unwrap();
        let mut child = Reaped(Launch::at(home.clone()).spawn());
        let outcome = within(START_WITHIN, || outcome(&home, &mut child.0));
        match outcome.unwrap_or_else(|| panic!("{what}: neither serves nor ends: {}", home.streams())) {
            Err(code) => {
                assert!([Some(1), Some(4)].contains(&code), "{what}: ended with {code:?}: {}", home.streams());
                assert_eq!(fs::read(home.database()).unwrap(), bytes, "{what}: refused and changed all the same");
            }
            Ok(call) => {
                let run = run_of(&home, child.0.id()).unwrap();
                let admin = text(&run, "admin_url").trim_start_matches("http://").parse().unwrap();
                let list = call.clone().at("/deliveries?limit=500").to(admin);
                let rows = list.json()["deliveries"].as_array().map_or(0, Vec::len);
                assert!(list.status >= 500 || rows > 0, "{what}: taken for an empty database");
                let health = call.at("/health").to(admin);
                assert_eq!(health.status, 200, "{what}");
            }
        }
        assert!(!home.streams().contains("panicked"), "{what}: {}", home.streams());
    }
}
