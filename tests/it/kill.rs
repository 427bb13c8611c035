//! kill -9 under load. The ledgers are kept by the sender, after it has read the whole answer, and by the target; the
//! engine's own word counts for nothing.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::support::sign::fingerprint;
use super::support::wait::within;
use super::support::{Answer, Creel, Endpoint, Gate, Launch, Target, text, until};

/// Kills per run; a release runs more.
const CYCLES_VARIABLE: &str = "CREEL_KILL_CYCLES";
const CYCLES_DEFAULT: u64 = 50;
/// A run is repeated with the seed that it printed.
const SEED_VARIABLE: &str = "CREEL_KILL_SEED";
const SENDERS: u64 = 8;
/// A kill falls within this time after the senders have begun.
const KILL_WITHIN_MS: u64 = 400;
/// What the relay has in flight for one target, and so what one kill can leave in doubt.
const IN_DOUBT_PER_KILL_MAX: u64 = 4;

/// Small, seeded and good enough to vary moments and sizes (xorshift64, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// What the senders were promised.
#[derive(Default)]
struct Ledger {
    /// Delivery id to the fingerprint of the body that was sent.
    acked: HashMap<String, String>,
    /// Keys and bodies that got no answer: the sender tries them again, as senders do.
    unanswered: Vec<(String, Vec<u8>)>,
}

fn body_of(key: &str, dice: &mut Dice) -> Vec<u8> {
    let padding = "x".repeat(usize::try_from(dice.below(4_000)).unwrap());
    format!("{{\"event\":\"load\",\"key\":\"{key}\",\"padding\":\"{padding}\"}}").into_bytes()
}

/// Sends until told to stop or cut off.
fn send_on(creel: &Creel, endpoint: &Endpoint, ledger: &Mutex<Ledger>, stop: &AtomicBool, name: &str, mut dice: Dice) {
    for n in 0.. {
        let again = ledger.lock().unwrap().unanswered.pop();
        let (key, body) = again.unwrap_or_else(|| {
            let key = format!("{name}-{n}");
            let body = body_of(&key, &mut dice);
            (key, body)
        });
        let answer = endpoint.post(&body).header("Idempotency-Key", &key).try_to(creel.ingress);
        let mut ledger = ledger.lock().unwrap();
        match answer {
            Ok(answer) if answer.status == 200 => {
                let id = text(&answer.json(), "delivery_id").to_owned();
                ledger.acked.insert(id, fingerprint(&body));
            }
            Ok(answer) => panic!("load was answered {}: {}", answer.status, answer.text()),
            Err(_) => ledger.unanswered.push((key, body)),
        }
        if stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

/// One life of the engine: load, then kill -9 at a moment that the dice choose.
fn live_and_die(creel: &mut Creel, endpoint: &Endpoint, ledger: &Mutex<Ledger>, cycle: u64, dice: &mut Dice) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let shared: &Creel = creel;
        for sender in 0..SENDERS {
            let dice = Dice(dice.below(u64::MAX - 1) + 1);
            let stop = &stop;
            scope.spawn(move || send_on(shared, endpoint, ledger, stop, &format!("{cycle}-{sender}"), dice));
        }
        thread::sleep(Duration::from_millis(dice.below(KILL_WITHIN_MS)));
        stop.store(true, Ordering::SeqCst);
        shared.signal(nix::sys::signal::Signal::SIGKILL);
    });
    creel.kill_9();
}

fn nothing_is_left_queued(creel: &Creel) {
    let settled = within(Duration::from_secs(30), || (creel.total("status=queued") == 0).then_some(()));
    assert!(settled.is_some(), "left queued after a restart: {}", creel.total("status=queued"));
}

/// Compares what the senders were promised and what the target got with the rows.
fn check_ledgers(creel: &Creel, ledger: &Ledger, target: &Target) {
    let rows: HashMap<String, Value> =
        creel.all_deliveries().into_iter().map(|row| (text(&row, "id").to_owned(), row)).collect();
    let mut received: HashMap<String, usize> = HashMap::new();
    for seen in target.seen() {
        *received.entry(seen.delivery_id().to_owned()).or_default() += 1;
    }
    for (id, times) in &received {
        assert_eq!(*times, 1, "sent twice unasked: {id}");
        assert!(rows.contains_key(id), "the target got what was never stored: {id}");
    }
    for (id, print) in &ledger.acked {
        let row = rows.get(id).unwrap_or_else(|| panic!("acknowledged and lost: {id}"));
        assert_eq!(&fingerprint(&creel.stored_body(id)), print, "acknowledged and changed: {row}");
        match text(row, "status") {
            "dispatched" => assert!(received.contains_key(id), "dispatched and never received: {row}"),
            "interrupted" => {}
            other => panic!("acknowledged and {other}: {row}"),
        }
    }
}

#[test]
fn no_kill_loses_what_was_acknowledged_or_sends_anything_twice() {
    let cycles = number_from(CYCLES_VARIABLE).unwrap_or(CYCLES_DEFAULT);
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number_from(SEED_VARIABLE).unwrap_or(since_epoch.as_nanos() as u64 | 1);
    eprintln!("{SEED_VARIABLE}={seed} {CYCLES_VARIABLE}={cycles}");
    let mut dice = Dice(seed);
    let delays = Mutex::new(Dice(seed ^ 0x9e37_79b9_7f4a_7c15));
    let target = Target::with(move |_| {
        let millis = delays.lock().unwrap().below(6);
        thread::sleep(Duration::from_millis(millis));
        Answer::new(200)
    });
    let mut creel = Creel::start();
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let ledger = Mutex::new(Ledger::default());
    let (mut interrupted, mut cut_off) = (0, 0);
    for cycle in 0..cycles {
        live_and_die(&mut creel, &endpoint, &ledger, cycle, &mut dice);
        cut_off += ledger.lock().unwrap().unanswered.len();
        creel = Launch::at(creel.home().clone()).start();
        nothing_is_left_queued(&creel);
        let now = creel.total("status=interrupted");
        assert!(
            now - interrupted <= IN_DOUBT_PER_KILL_MAX,
            "cycle {cycle}: {} in doubt after one kill",
            now - interrupted
        );
        interrupted = now;
    }
    let ledger = ledger.into_inner().unwrap();
    eprintln!(
        "{} acknowledged, {cut_off} cut off before their answer, {interrupted} interrupted, {} received",
        ledger.acked.len(),
        target.count()
    );
    assert!(ledger.acked.len() as u64 > cycles, "no load, no test");
    assert!(cut_off > 0, "no kill fell into a request, no test");
    check_ledgers(&creel, &ledger, &target);
}

/// Acknowledge, then die at once. Also run against an engine that acknowledges before it commits.
pub fn what_was_acknowledged_is_there_after_a_kill(launch: &Launch) {
    // Made by an engine without the bug, so that what is tested is an acknowledged delivery and nothing before it.
    let mut creel = Launch::at(launch.home().clone()).start();
    let endpoint = creel.endpoint(json!({}));
    assert_eq!(creel.stop(), Some(0));
    creel = launch.start();
    for _ in 0..5 {
        let ids: Vec<String> = thread::scope(|scope| {
            let send = || text(&creel.send(&endpoint.post("{}")).expect_json(200), "delivery_id").to_owned();
            let senders: Vec<_> = (0..4).map(|_| scope.spawn(send)).collect();
            senders.into_iter().map(|sender| sender.join().unwrap()).collect()
        });
        creel = creel.kill_and_restart();
        for id in ids {
            let status = creel.api("GET", &format!("/deliveries/{id}"), None).status;
            assert_eq!(status, 200, "acknowledged and lost: {id}");
        }
    }
}

#[test]
fn an_acknowledgement_comes_after_the_commit() {
    what_was_acknowledged_is_there_after_a_kill(&Launch::new());
}

/// Dies with four requests on the wire and eight waiting. Also run against engines that record or recover wrongly.
pub fn what_was_being_sent_is_in_doubt_and_what_waited_is_sent(launch: &Launch) {
    const POSTS: usize = 12;
    const ON_THE_WIRE: usize = 4;
    let creel = launch.start();
    let gate = Gate::default();
    let target = Target::behind(&gate);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    for n in 0..POSTS {
        creel.send_expecting("accepted", &endpoint.post(format!("{n}")));
    }
    target.wait_for(ON_THE_WIRE);
    let on_the_wire: Vec<String> = target.seen().iter().map(|seen| seen.delivery_id().to_owned()).collect();
    let creel = creel.kill_and_restart();
    gate.open();
    nothing_is_left_queued(&creel);
    let mut received: Vec<String> = target.seen().iter().map(|seen| seen.delivery_id().to_owned()).collect();
    let total = received.len();
    received.sort();
    received.dedup();
    assert_eq!((received.len(), total), (POSTS, POSTS), "sent twice unasked, or not at all");
    for row in creel.all_deliveries() {
        let id = text(&row, "id");
        let (expected, outcome) = if on_the_wire.iter().any(|sent| sent == id) {
            ("interrupted", "in_doubt")
        } else {
            ("dispatched", "succeeded")
        };
        assert_eq!((text(&row, "status"), text(&row, "relay_outcome")), (expected, outcome), "{row}");
        let attempts = creel.attempts(id);
        assert_eq!((attempts.len(), attempts[0]["started_at"].is_string()), (1, true), "{attempts:?}");
    }
}

#[test]
fn an_attempt_that_had_started_is_never_repeated_and_one_that_had_not_is_made() {
    what_was_being_sent_is_in_doubt_and_what_waited_is_sent(&Launch::new());
}

#[test]
fn a_second_crash_right_after_the_first_changes_nothing() {
    let creel = Creel::start();
    let gate = Gate::default();
    let target = Target::behind(&gate);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let answer = creel.send_expecting("accepted", &endpoint.post("{}"));
    target.wait_for(1);
    let creel = creel.kill_and_restart().kill_and_restart();
    gate.open();
    let row = creel.settled(text(&answer, "delivery_id"));
    assert_eq!((&row["status"], target.count()), (&json!("interrupted"), 1));
    let events = super::support::Events::open(&creel);
    let replayed = creel.api("POST", &format!("/deliveries/{}/replay", text(&row, "id")), None).expect_json(201);
    events.wait_for("delivery", |changed| changed["id"] == replayed["id"] && changed["status"] == "dispatched");
    until("the replay arrives", || (target.count() == 2).then_some(()));
}
