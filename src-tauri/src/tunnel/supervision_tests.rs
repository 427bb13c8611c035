//! What a supervision does in the course of time, on a clock that runs by itself: when a tunnel is proved, what a proof that
//! fails leads to, what a machine that slept does. The program and the world outside are played; everything between is real.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::time::{Instant, advance, sleep};

use super::supervision::{Later, LocalAnswer, Outside, Supervision, SupervisionParts, TunnelObserver};
use super::{
    Blueprint, GuardedCommand, NextEvent, ProcessEvent, SpawnError, TunnelCatalogue, TunnelProcess, TunnelSpawner,
};
use crate::domain::{Timestamp, TunnelBreak, TunnelProbe, TunnelStanding, TunnelStatus, TunnelStream};

/// Everything around the supervision.
#[derive(Debug)]
struct World {
    began: Instant,
    /// By how many milliseconds the wall's clock is ahead of ours: it goes on while the machine sleeps.
    slept_ms: AtomicI64,
    /// Whether proofs get a connection from now on.
    has_network: AtomicBool,
    /// What proofs come to from now on.
    breaks_at: Mutex<Option<TunnelBreak>>,
    /// How long a proof takes.
    proof_time: Mutex<Duration>,
    /// When each proof began, and of which URL.
    proofs: Mutex<Vec<(Duration, String)>>,
    starts: AtomicUsize,
    /// Lines that the program writes at once, and those that it writes when it is told to.
    says: Mutex<(Vec<&'static str>, Vec<&'static str>)>,
    goes_on: Arc<Notify>,
    told: Mutex<Vec<TunnelStanding>>,
}

/// A program that writes its lines and runs until it is asked to end.
struct Played {
    lines: Vec<&'static str>,
    later: Vec<&'static str>,
    goes_on: Arc<Notify>,
    stop: Arc<Notify>,
}

impl TunnelProcess for Played {
    fn next(&mut self) -> NextEvent<'_> {
        Box::pin(async {
            if self.lines.is_empty() {
                tokio::select! {
                    () = self.stop.notified() => return ProcessEvent::Ended { code: Some(143) },
                    () = self.goes_on.notified() => self.lines = std::mem::take(&mut self.later),
                }
            }
            let line = self.lines.remove(0);
            ProcessEvent::Output { stream: TunnelStream::Stdout, bytes: format!("{line}\n").into_bytes() }
        })
    }

    fn ask_to_stop(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.stop.notify_one();
        Box::pin(std::future::ready(()))
    }

    fn kill(&mut self) {}
}

#[derive(Debug)]
struct Stage(Arc<World>);

impl TunnelSpawner for Stage {
    fn spawn(&self, _command: &GuardedCommand) -> Result<Box<dyn TunnelProcess>, SpawnError> {
        self.0.starts.fetch_add(1, Ordering::Relaxed);
        let (lines, later) = self.0.says.lock().unwrap().clone();
        Ok(Box::new(Played { lines, later, goes_on: Arc::clone(&self.0.goes_on), stop: Arc::default() }))
    }
}

struct Around(Arc<World>);

impl Outside for Around {
    fn get(&self, _url: String) -> Later<LocalAnswer> {
        Box::pin(std::future::ready(Err("nobody is asked".to_owned())))
    }

    fn prove(&self, public_url: String) -> Later<TunnelProbe> {
        let (at, broke_at) = (self.now(), *self.0.breaks_at.lock().unwrap());
        let time = *self.0.proof_time.lock().unwrap();
        let connected = self.0.has_network.load(Ordering::Relaxed);
        self.0.proofs.lock().unwrap().push((self.0.began.elapsed(), public_url.clone()));
        Box::pin(async move {
            sleep(time).await;
            let message = format!("of {public_url}");
            TunnelProbe { at, ok: broke_at.is_none(), ms: 1, broke_at, message, connected }
        })
    }

    fn now(&self) -> Timestamp {
        let ours = i64::try_from(self.0.began.elapsed().as_millis()).unwrap();
        Timestamp::from_millis(1_000_000 + ours + self.0.slept_ms.load(Ordering::Relaxed))
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

struct Heard(Arc<World>);

impl TunnelObserver for Heard {
    fn changed(&self, standing: &TunnelStanding) {
        self.0.told.lock().unwrap().push(standing.clone());
    }
}

/// A tunnel under supervision in a world.
struct Watched {
    world: Arc<World>,
    supervision: Supervision,
    _dir: TempDir,
}

impl Watched {
    fn begin() -> Self {
        let world = Arc::new(World {
            began: Instant::now(),
            slept_ms: AtomicI64::new(0),
            has_network: AtomicBool::new(true),
            breaks_at: Mutex::new(None),
            proof_time: Mutex::new(Duration::from_millis(1)),
            proofs: Mutex::default(),
            starts: AtomicUsize::new(0),
            says: Mutex::new((vec!["url https://a.example"], vec!["url https://b.example"])),
            goes_on: Arc::default(),
            told: Mutex::default(),
        });
        let catalogue = TunnelCatalogue::embedded().unwrap();
        let program = std::env::current_exe().unwrap();
        let Value::Object(options) = json!({ "command": [program.to_str()], "url_pattern": r"url (?P<url>\S+)" })
        else {
            unreachable!()
        };
        let custom = Arc::clone(catalogue.get("custom").unwrap());
        let blueprint = Blueprint::new(custom, &options, "127.0.0.1:4100".parse().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let parts = SupervisionParts {
            blueprint: Arc::new(blueprint),
            spawner: Arc::new(Stage(Arc::clone(&world))),
            outside: Arc::new(Around(Arc::clone(&world))),
            observer: Arc::new(Heard(Arc::clone(&world))),
            dir: PathBuf::from(dir.path()),
        };
        Self { world, supervision: Supervision::begin(parts).unwrap(), _dir: dir }
    }

    fn standing(&self) -> TunnelStanding {
        self.world.told.lock().unwrap().last().unwrap().clone()
    }

    fn proofs(&self) -> Vec<Duration> {
        self.world.proofs.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }

    fn starts(&self) -> usize {
        self.world.starts.load(Ordering::Relaxed)
    }

    fn breaks_at(&self, place: impl Into<Option<TunnelBreak>>) {
        *self.world.breaks_at.lock().unwrap() = place.into();
    }

    async fn end(self) {
        self.supervision.ask_to_stop();
        self.supervision.ended().await;
    }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_is_proved_when_it_stands_and_every_minute_from_then_on() {
    let watched = Watched::begin();
    sleep(seconds(200)).await;
    let proofs = watched.proofs();
    assert!(proofs[0] < seconds(1), "{proofs:?}");
    assert_eq!(proofs.len(), 4, "{proofs:?}");
    for pair in proofs.windows(2) {
        // The supervision looks at the clock twice a second.
        assert!((seconds(60)..seconds(61)).contains(&(pair[1] - pair[0])), "{proofs:?}");
    }
    assert_eq!(watched.standing().status, TunnelStatus::Ready);
    watched.end().await;
}

#[tokio::test(start_paused = true)]
async fn after_sleep_a_tunnel_is_proved_at_once_by_whichever_clock_it_shows() {
    let watched = Watched::begin();
    sleep(seconds(10)).await;
    assert_eq!(watched.proofs().len(), 1);
    // On Linux our clock stands still while the machine sleeps, and the wall's goes on.
    watched.world.slept_ms.fetch_add(3_600_000, Ordering::Relaxed);
    sleep(seconds(1)).await;
    assert_eq!(watched.proofs().len(), 2, "by the wall's clock");
    let log = watched.supervision.handle().log();
    assert!(log.iter().any(|line| line.text.contains("was asleep")), "{log:?}");
    // Elsewhere ours goes on, too; or the process itself was stopped.
    advance(seconds(16)).await;
    sleep(seconds(1)).await;
    assert_eq!(watched.proofs().len(), 3, "by our own clock");
    advance(seconds(10)).await;
    sleep(seconds(1)).await;
    assert_eq!(watched.proofs().len(), 3, "a busy machine did not sleep");
    watched.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_proof_under_way_when_the_machine_falls_asleep_is_made_anew() {
    let watched = Watched::begin();
    *watched.world.proof_time.lock().unwrap() = seconds(10);
    sleep(seconds(1)).await;
    watched.world.slept_ms.fetch_add(60_000, Ordering::Relaxed);
    *watched.world.proof_time.lock().unwrap() = Duration::from_millis(1);
    sleep(seconds(1)).await;
    assert_eq!(watched.proofs().len(), 2);
    assert!(watched.standing().last_probe.is_some(), "nobody waits for the one before");
    watched.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_proved_of_a_url_says_nothing_of_the_next() {
    let watched = Watched::begin();
    *watched.world.proof_time.lock().unwrap() = seconds(3);
    sleep(seconds(1)).await;
    watched.world.goes_on.notify_one();
    sleep(seconds(1)).await;
    assert_eq!(watched.standing().public_url.as_deref(), Some("https://b.example"));
    sleep(seconds(2)).await;
    assert_eq!(watched.standing().last_probe, None, "the first URL's proof would have come back by now");
    sleep(seconds(1)).await;
    assert_eq!(watched.standing().last_probe.unwrap().message, "of https://b.example");
    watched.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_that_stops_carrying_is_degraded_and_after_a_minute_started_anew_each_time_it_had_carried() {
    let watched = Watched::begin();
    sleep(seconds(70)).await;
    watched.breaks_at(TunnelBreak::Tunnel);
    let before = watched.proofs().len();
    sleep(seconds(54)).await;
    assert_eq!((watched.proofs().len() - before, watched.standing().status), (1, TunnelStatus::Ready), "one may fail");
    sleep(seconds(6)).await;
    assert_eq!((watched.proofs().len() - before, watched.standing().status), (2, TunnelStatus::Degraded));
    // Impatience does not bring it nearer.
    for _ in 0..20 {
        watched.supervision.handle().probe();
        sleep(seconds(2)).await;
    }
    assert_eq!(watched.starts(), 1);
    sleep(seconds(20)).await;
    let standing = watched.standing();
    assert_eq!((watched.starts(), standing.restarts), (2, 1), "{standing:?}");
    let told = watched.world.told.lock().unwrap().clone();
    let restarting = told.iter().find(|standing| standing.status == TunnelStatus::Restarting).unwrap();
    let reason = "Custom command ran, but its tunnel carried nothing any more: of https://a.example";
    assert_eq!(restarting.reason.as_deref(), Some(reason));

    sleep(seconds(3_600)).await;
    let standing = watched.standing();
    assert_eq!((watched.starts(), standing.status), (2, TunnelStatus::Degraded), "no loop: {standing:?}");
    for night in 0..7 {
        watched.breaks_at(None);
        sleep(seconds(70)).await;
        assert_eq!(watched.standing().status, TunnelStatus::Ready);
        watched.breaks_at(TunnelBreak::Ingress);
        sleep(seconds(130)).await;
        assert_eq!(watched.starts(), 3 + night, "never given up: it had carried");
    }
    watched.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_that_never_carried_a_proof_is_degraded_and_left_alone() {
    let watched = Watched::begin();
    // As behind a rule that keeps the proof out and lets deliveries in.
    watched.breaks_at(TunnelBreak::Tunnel);
    sleep(seconds(3_600)).await;
    assert_eq!((watched.starts(), watched.standing().status), (1, TunnelStatus::Degraded));
    watched.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_one_url_carried_is_not_asked_of_the_next() {
    let watched = Watched::begin();
    sleep(seconds(70)).await;
    watched.breaks_at(TunnelBreak::Tunnel);
    sleep(seconds(100)).await;
    watched.world.goes_on.notify_one();
    sleep(seconds(300)).await;
    let standing = watched.standing();
    assert_eq!((watched.starts(), standing.public_url.as_deref()), (1, Some("https://b.example")), "{standing:?}");
    watched.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_proof_that_comes_back_forgives_those_that_did_not() {
    let watched = Watched::begin();
    sleep(seconds(1)).await;
    for _ in 0..5 {
        watched.breaks_at(TunnelBreak::Ingress);
        // A minute to the first that fails, then one every five seconds.
        sleep(seconds(60 + 40)).await;
        assert_eq!(watched.standing().status, TunnelStatus::Degraded);
        watched.breaks_at(None);
        sleep(seconds(6)).await;
        assert_eq!(watched.standing().status, TunnelStatus::Ready);
    }
    assert_eq!(watched.starts(), 1);
    watched.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_machine_without_a_network_waits_for_it_and_starts_nothing_anew() {
    let watched = Watched::begin();
    sleep(seconds(70)).await;
    watched.world.has_network.store(false, Ordering::Relaxed);
    for place in [TunnelBreak::Dns, TunnelBreak::Tunnel] {
        watched.breaks_at(place);
        sleep(seconds(3_600)).await;
        assert_eq!((watched.starts(), watched.standing().status), (1, TunnelStatus::Degraded));
    }
    watched.breaks_at(None);
    sleep(seconds(6)).await;
    assert_eq!(watched.standing().status, TunnelStatus::Ready);
    watched.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_proof_is_made_when_the_user_asks_and_the_next_a_minute_later() {
    let watched = Watched::begin();
    sleep(seconds(10)).await;
    watched.supervision.handle().probe();
    sleep(seconds(1)).await;
    assert_eq!(watched.proofs().len(), 2);
    sleep(seconds(58)).await;
    assert_eq!(watched.proofs().len(), 2);
    sleep(seconds(2)).await;
    assert_eq!(watched.proofs().len(), 3);
    watched.end().await;
}
