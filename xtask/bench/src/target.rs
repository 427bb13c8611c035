//! The developer's app: answers 200 and keeps how long each webhook was on its way.
//!
//! The sender writes the moment of sending into a header, and both run on one machine, so the difference of the two clock
//! readings is the time from the sender's first byte to the app's handler, whatever lay between.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::{any, get, post};
use axum::{Json, Router};

use crate::bare::listen;
use crate::figures::Latency;
use crate::webhook::SENT_AT_HEADER;

/// Nanoseconds on the way, one per webhook.
type Journeys = Arc<Mutex<Vec<u64>>>;

pub fn serve() -> Result<()> {
    let router = Router::new()
        .route("/app", any(receive))
        .route("/journeys", get(report))
        .route("/forget", post(forget))
        .with_state(Journeys::default());
    listen(router)
}

async fn receive(State(journeys): State<Journeys>, headers: HeaderMap, _body: Bytes) -> &'static str {
    let arrived = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    let sent =
        headers.get(SENT_AT_HEADER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok()).unwrap_or(arrived);
    journeys.lock().unwrap_or_else(PoisonError::into_inner).push(arrived.saturating_sub(sent));
    "ok"
}

async fn report(State(journeys): State<Journeys>) -> Json<Latency> {
    let mut journeys = journeys.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Json(Latency::of(&mut journeys))
}

async fn forget(State(journeys): State<Journeys>) {
    journeys.lock().unwrap_or_else(PoisonError::into_inner).clear();
}
