//! Sends the story, takes the app down and up in its course, and replays what had failed.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use creel_rig::chance::drawn;
use creel_rig::engine::{Engine, MadeEndpoint, text};
use creel_rig::post::post;
use serde_json::{Value, json};

use crate::app::App;
use crate::cast::Cast;
use crate::story::{Receiver, What, app_is_up, length, step};

/// The shortest and the longest wait between two deliveries, in milliseconds: two to six a second.
const WAIT_MS: std::ops::Range<u64> = 160..480;
/// How long the relay may take to finish before the app goes down or comes up.
const QUIET_LIMIT: Duration = Duration::from_secs(20);
/// How often that is asked.
const QUIET_EVERY: Duration = Duration::from_millis(40);

/// The demo in its course.
pub struct Telling {
    engine: Engine,
    app: App,
    cast: Cast,
    burst: u64,
    app_up: bool,
}

impl Telling {
    /// `burst`: deliveries that come at once; those behind them come a few a second.
    pub fn new(engine: Engine, app: App, cast: Cast, burst: u64) -> Telling {
        Telling { engine, app, cast, burst, app_up: true }
    }

    /// The story from its beginning; the app is up at its end.
    pub async fn tell(&mut self, deliveries: u64) -> Result<()> {
        for number in 0..length(deliveries) {
            self.send(number).await?;
            if number >= self.burst {
                tokio::time::sleep(wait(number)).await;
            } else {
                // So that Ctrl+C is heard.
                tokio::task::yield_now().await;
            }
        }
        self.set_app(true).await?;
        self.quiet().await
    }

    /// A few deliveries a second, until the window is closed.
    pub async fn go_on(&mut self, from: u64) -> Result<()> {
        let mut number = length(from);
        while self.engine.is_running()? {
            self.send(number).await?;
            tokio::time::sleep(wait(number)).await;
            number += 1;
        }
        crate::say("the window was closed");
        Ok(())
    }

    async fn send(&mut self, number: u64) -> Result<()> {
        self.set_app(app_is_up(number)).await?;
        let step = step(number)?;
        let endpoint = self.endpoint(step.to);
        let path = format!("{}{}", endpoint.path, percent_encoded(&step.path));
        for _ in 0..=step.repeats {
            let status = post(&endpoint.host, &path, &step.headers, &step.body)?;
            let expected = if matches!(step.what, What::Forged | What::Unsigned) { 401 } else { 200 };
            if status != expected {
                bail!("delivery {number} was answered {status} instead of {expected}");
            }
        }
        if number % 60 == 41 {
            // Somebody who has an old address: refused, never a delivery.
            post(&endpoint.host, &format!("/in/ep_{}", "A".repeat(43)), &[], b"{}")?;
        }
        Ok(())
    }

    fn endpoint(&self, receiver: Receiver) -> &MadeEndpoint {
        match receiver {
            Receiver::GitHub => &self.cast.github,
            Receiver::Shop => &self.cast.shop,
            Receiver::Ledger => &self.cast.ledger,
            Receiver::Inspect => &self.cast.inspect,
            Receiver::Files => &self.cast.files,
        }
    }

    async fn set_app(&mut self, up: bool) -> Result<()> {
        if up == self.app_up {
            return Ok(());
        }
        // What was sent before the change meets the app as it was then.
        self.quiet().await?;
        if up {
            self.app.come_up().await?;
            self.replay_a_failed_one()?;
        } else {
            self.app.go_down().await;
        }
        self.app_up = up;
        Ok(())
    }

    /// The developer looks at the newest failure once the app is back.
    fn replay_a_failed_one(&self) -> Result<()> {
        let failed = self.engine.admin.get("/api/deliveries?status=failed&limit=1")?;
        if let Some(row) = failed.pointer("/deliveries/0") {
            let id = text(row, "id")?;
            self.engine.admin.send("POST", &format!("/api/deliveries/{id}/replay"), &json!({}))?;
            self.engine.admin.send("POST", &format!("/api/deliveries/{id}/pin"), &json!({}))?;
        }
        Ok(())
    }

    /// Waits until nothing is being relayed.
    async fn quiet(&self) -> Result<()> {
        let began = tokio::time::Instant::now();
        while self.engine.total("status=queued")? > 0 {
            if began.elapsed() > QUIET_LIMIT {
                bail!("the relay did not finish within {} s", QUIET_LIMIT.as_secs());
            }
            tokio::time::sleep(QUIET_EVERY).await;
        }
        Ok(())
    }

    /// What the engine says of it.
    pub fn summary(&self) -> Result<String> {
        let count = |query: &str| self.engine.total(query);
        let repeats = self.repeats()?;
        Ok(format!(
            "Stored:  {} deliveries and {repeats} repeats: {} dispatched, {} failed, {} rejected ({} invalid, {} missing)",
            count("")?,
            count("status=dispatched")?,
            count("status=failed")?,
            count("status=rejected")?,
            count("signature_status=invalid")?,
            count("signature_status=missing")?,
        ))
    }

    /// Arrivals beyond the first of each delivery.
    fn repeats(&self) -> Result<u64> {
        let (mut repeats, mut before) = (0, String::new());
        loop {
            let page = self.engine.admin.get(&format!("/api/deliveries?limit=500{before}"))?;
            let rows = page.get("deliveries").and_then(Value::as_array).context("the list has no rows")?;
            let arrivals = rows.iter().filter_map(|row| row.get("attempt_count")?.as_u64());
            repeats += arrivals.map(|count| count.saturating_sub(1)).sum::<u64>();
            match page.get("next_before").and_then(Value::as_u64) {
                Some(next) => before = format!("&before={next}"),
                None => return Ok(repeats),
            }
        }
    }

    /// Ends everything; the data directory goes with the engine.
    pub async fn end(mut self) -> Result<()> {
        self.app.go_down().await;
        self.engine.stop()
    }
}

fn wait(number: u64) -> Duration {
    Duration::from_millis(WAIT_MS.start + drawn(number) % (WAIT_MS.end - WAIT_MS.start))
}

/// As senders write what is not ASCII in a request line (RFC 3986 section 2.5).
fn percent_encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| if byte.is_ascii() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
