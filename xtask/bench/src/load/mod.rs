//! The sender: prebuilt requests on kept-alive connections, one thread, as little work for each as can be.
//!
//! Sender and receiver share the machine, so what the sender burns is taken from both sides of a ratio and pulls it
//! towards one. Nothing is built, signed or parsed here beyond the status and the length of the answer.

mod answer;
mod connection;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::figures::Latency;
use crate::usage;
use crate::webhook::{SENT_AT_MARK, SEQUENCE_MARK};
use connection::Connection;

/// What to send, read from stdin as JSON.
#[derive(Clone, Serialize, Deserialize)]
pub struct Plan {
    pub address: SocketAddr,
    pub connections: usize,
    pub end: End,
    /// Requests a second; as fast as they are answered without it
    pub rate: Option<f64>,
    /// Whole requests, sent in turn
    pub requests: Vec<String>,
    /// The first number put in place of the sequence mark
    pub first_sequence: u64,
}

/// When to stop.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub enum End {
    AfterMilliseconds(u64),
    AfterRequests(u64),
}

/// What came of it, printed to stdout as JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    pub seconds: f64,
    /// Answers by status
    pub statuses: BTreeMap<u16, u64>,
    pub latency: Latency,
    /// Connections that broke, and what the first of them said
    pub broken: u64,
    pub trouble: Option<String>,
    /// What the sender itself burnt
    pub processor_seconds: f64,
}

impl Measured {
    pub fn answers(&self) -> u64 {
        self.statuses.values().sum()
    }

    pub fn per_second(&self) -> f64 {
        self.answers() as f64 / self.seconds
    }

    /// An error unless nothing broke and every answer had one of `statuses`.
    pub fn must_be(&self, statuses: &[u16]) -> Result<()> {
        if self.broken > 0 {
            bail!("{} connections broke: {}", self.broken, self.trouble.as_deref().unwrap_or("no reason"));
        }
        if self.answers() == 0 || self.statuses.keys().any(|status| !statuses.contains(status)) {
            bail!("expected the statuses {statuses:?}, got {:?}", self.statuses);
        }
        Ok(())
    }
}

/// A request and where its marks are.
struct Template {
    text: Vec<u8>,
    sequence_at: Option<usize>,
    sent_at: Option<usize>,
}

impl Template {
    fn new(text: String) -> Template {
        Template { sequence_at: text.find(SEQUENCE_MARK), sent_at: text.find(SENT_AT_MARK), text: text.into_bytes() }
    }

    /// Writes the request with its marks replaced into `buffer`.
    fn fill(&self, buffer: &mut Vec<u8>, sequence: u64) {
        buffer.clear();
        buffer.extend_from_slice(&self.text);
        if let Some(at) = self.sequence_at {
            put_number(&mut buffer[at..at + SEQUENCE_MARK.len()], sequence);
        }
        if let Some(at) = self.sent_at {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
            put_number(&mut buffer[at..at + SENT_AT_MARK.len()], now);
        }
    }
}

/// Decimal, right-aligned, filled with zeros.
fn put_number(field: &mut [u8], mut number: u64) {
    for digit in field.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// What the connections share; there is one thread, so plain cells do.
struct Shared {
    templates: Vec<Template>,
    next: Cell<u64>,
    first_sequence: u64,
    end: End,
    rate: Option<f64>,
    started: Instant,
    nanoseconds: RefCell<Vec<u64>>,
    statuses: RefCell<BTreeMap<u16, u64>>,
    broken: Cell<u64>,
    trouble: RefCell<Option<String>>,
}

impl Shared {
    /// The number of the next request, unless all are sent.
    fn take(&self) -> Option<u64> {
        let number = self.next.get();
        let due = self.due(number).unwrap_or_else(Instant::now);
        let over = match self.end {
            End::AfterMilliseconds(limit) => due.duration_since(self.started) >= Duration::from_millis(limit),
            End::AfterRequests(limit) => number >= limit,
        };
        if over {
            return None;
        }
        self.next.set(number + 1);
        Some(number)
    }

    /// When a request is to be sent, at a fixed rate.
    fn due(&self, number: u64) -> Option<Instant> {
        self.rate.map(|rate| self.started + Duration::from_secs_f64(number as f64 / rate))
    }
}

/// Reads a plan from stdin, carries it out, prints the measurement.
pub fn run() -> Result<()> {
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    let plan: Plan = serde_json::from_slice(&text)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = tokio::task::LocalSet::new().block_on(&runtime, carry_out(plan))?;
    std::io::stdout().write_all(&serde_json::to_vec(&measured)?)?;
    Ok(())
}

async fn carry_out(plan: Plan) -> Result<Measured> {
    if plan.requests.is_empty() || plan.connections == 0 {
        bail!("a plan needs requests and connections");
    }
    let mut connections = Vec::new();
    for _ in 0..plan.connections {
        connections.push(Connection::open(plan.address).await?);
    }
    let shared = Rc::new(Shared {
        templates: plan.requests.into_iter().map(Template::new).collect(),
        next: Cell::new(0),
        first_sequence: plan.first_sequence,
        end: plan.end,
        rate: plan.rate,
        started: Instant::now(),
        nanoseconds: RefCell::default(),
        statuses: RefCell::default(),
        broken: Cell::new(0),
        trouble: RefCell::default(),
    });
    let burnt = usage::processor_seconds(std::process::id()).unwrap_or_default();
    let senders: Vec<_> = connections
        .into_iter()
        .map(|connection| tokio::task::spawn_local(keep_sending(connection, Rc::clone(&shared))))
        .collect();
    for sender in senders {
        sender.await?;
    }
    let seconds = shared.started.elapsed().as_secs_f64();
    let latency = Latency::of(&mut shared.nanoseconds.borrow_mut());
    Ok(Measured {
        seconds,
        statuses: shared.statuses.borrow().clone(),
        latency,
        broken: shared.broken.get(),
        trouble: shared.trouble.borrow().clone(),
        processor_seconds: usage::processor_seconds(std::process::id()).unwrap_or_default() - burnt,
    })
}

async fn keep_sending(mut connection: Connection, shared: Rc<Shared>) {
    let mut buffer = Vec::new();
    while let Some(number) = shared.take() {
        let from = match shared.due(number) {
            // Late because all connections were busy: the wait is the receiver's doing and counts.
            Some(due) if due <= Instant::now() => due,
            // In time: the timer's own lateness, up to a millisecond, does not count.
            Some(due) => {
                tokio::time::sleep_until(due.into()).await;
                Instant::now()
            }
            None => Instant::now(),
        };
        shared.templates[(number as usize) % shared.templates.len()].fill(&mut buffer, shared.first_sequence + number);
        match connection.exchange(&buffer).await {
            Ok(status) => {
                shared.nanoseconds.borrow_mut().push(from.elapsed().as_nanos() as u64);
                *shared.statuses.borrow_mut().entry(status).or_default() += 1;
            }
            Err(error) => {
                shared.broken.set(shared.broken.get() + 1);
                shared.trouble.borrow_mut().get_or_insert_with(|| format!("{error:#}"));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_replaced_in_place_and_nothing_moves() {
        let template = Template::new(format!("GET /{SEQUENCE_MARK} HTTP/1.1\r\nsent: {SENT_AT_MARK}\r\n\r\n"));
        let mut buffer = Vec::new();
        template.fill(&mut buffer, 42);
        let text = String::from_utf8(buffer).unwrap();
        assert!(text.starts_with("GET /00000000000000000042 HTTP/1.1"));
        assert_eq!(text.len(), template.text.len());
        let sent: u64 = text.split("sent: ").nth(1).unwrap().trim().parse().unwrap();
        assert!(sent > 1_600_000_000_000_000_000);
    }

    #[test]
    fn a_measurement_with_another_status_or_a_broken_connection_is_refused() {
        let good = Measured { statuses: [(200, 5)].into(), seconds: 1.0, ..Measured::default() };
        assert!(good.must_be(&[200]).is_ok());
        assert!(good.must_be(&[401]).is_err());
        assert!(Measured { statuses: [(200, 5), (503, 1)].into(), ..good.clone() }.must_be(&[200]).is_err());
        assert!(Measured { broken: 1, ..good.clone() }.must_be(&[200]).is_err());
        assert!(Measured::default().must_be(&[200]).is_err());
    }
}
