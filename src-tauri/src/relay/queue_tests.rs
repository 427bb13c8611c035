//! The queues against a ledger in memory that commits in groups, in the order of its calls, as the database does; and
//! targets on real sockets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::super::RelayLimits;
use super::*;
use crate::domain::{AttemptOutcome, Headers};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Started,
    Finished(AttemptOutcome),
}

#[derive(Clone, Debug)]
struct Row {
    attempt_id: AttemptId,
    target_url: String,
    state: State,
}

enum Write {
    Start(AttemptId, oneshot::Sender<bool>),
    Finish(AttemptId, AttemptOutcome, oneshot::Sender<()>),
}

#[derive(Default)]
struct Rows {
    rows: BTreeMap<i64, Row>,
    /// Rows in the order of their starts.
    started: Vec<i64>,
    /// The most attempts that were started and not finished at a commit.
    most_in_doubt: usize,
}

/// What it is asked to do badly.
#[derive(Default)]
struct Faults {
    waiting: AtomicUsize,
    load: AtomicUsize,
    start: AtomicUsize,
    finish: AtomicUsize,
}

/// Fails while the counter is above zero.
fn fault(counter: &AtomicUsize) -> Result<(), LedgerError> {
    match counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
        Ok(_) => Err(LedgerError("the disk is full".into())),
        Err(_) => Ok(()),
    }
}

struct MemoryLedger {
    rows: Arc<Mutex<Rows>>,
    writes: mpsc::UnboundedSender<Write>,
    writer: JoinHandle<()>,
    faults: Faults,
    loaded: AtomicUsize,
    start_calls: AtomicUsize,
    /// Deliveries are gone: attempts are taken from the queue and not sent.
    gone: bool,
}

impl MemoryLedger {
    fn new(gone: bool) -> Arc<Self> {
        let rows = Arc::new(Mutex::new(Rows::default()));
        let (writes, mut queue) = mpsc::unbounded_channel();
        let written = Arc::clone(&rows);
        let writer = tokio::spawn(async move {
            let mut group = Vec::new();
            while queue.recv_many(&mut group, 256).await > 0 {
                sleep(Duration::from_millis(1)).await;
                commit(&mut written.lock().unwrap(), group.drain(..));
            }
        });
        Arc::new(Self {
            rows,
            writes,
            writer,
            faults: Faults::default(),
            loaded: AtomicUsize::new(0),
            start_calls: AtomicUsize::new(0),
            gone,
        })
    }

    fn insert(&self, target_url: &str) -> i64 {
        let mut rows = self.rows.lock().unwrap();
        let row = rows.rows.len() as i64 + 1;
        let attempt_id = AttemptId::new();
        rows.rows.insert(row, Row { attempt_id, target_url: target_url.to_owned(), state: State::Waiting });
        row
    }

    fn states(&self) -> Vec<State> {
        self.rows.lock().unwrap().rows.values().map(|row| row.state).collect()
    }

    fn count(&self, wanted: State) -> usize {
        self.states().iter().filter(|state| **state == wanted).count()
    }
}

impl Drop for MemoryLedger {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

/// One transaction: all of it is visible at once.
fn commit(rows: &mut Rows, group: impl Iterator<Item = Write>) {
    let row_of = |rows: &Rows, id| *rows.rows.iter().find(|(_, row)| row.attempt_id == id).unwrap().0;
    let (mut started, mut finished) = (Vec::new(), Vec::new());
    for write in group {
        match write {
            Write::Start(id, reply) => {
                let number = row_of(rows, id);
                let row = rows.rows.get_mut(&number).unwrap();
                let is_waiting = row.state == State::Waiting;
                if is_waiting {
                    row.state = State::Started;
                    rows.started.push(number);
                }
                started.push((reply, is_waiting));
            }
            Write::Finish(id, outcome, reply) => {
                let number = row_of(rows, id);
                let row = rows.rows.get_mut(&number).unwrap();
                assert_eq!(row.state, State::Started);
                row.state = State::Finished(outcome);
                finished.push(reply);
            }
        }
    }
    let in_doubt = rows.rows.values().filter(|row| row.state == State::Started).count();
    rows.most_in_doubt = rows.most_in_doubt.max(in_doubt);
    // Nobody listens any more when the queues have been stopped.
    started.into_iter().for_each(|(reply, is_waiting)| _ = reply.send(is_waiting));
    finished.into_iter().for_each(|reply| _ = reply.send(()));
}

impl RelayLedger for MemoryLedger {
    async fn waiting(&self, target_url: &str, after: i64, limit: usize) -> Result<Vec<WaitingAttempt>, LedgerError> {
        fault(&self.faults.waiting)?;
        let page = {
            let rows = self.rows.lock().unwrap();
            let waiting = rows
                .rows
                .range(after + 1..)
                .filter(|(_, row)| row.target_url == target_url && row.state == State::Waiting)
                .map(|(&row, it)| WaitingAttempt { row, attempt_id: it.attempt_id, delivery_id: DeliveryId::new() });
            waiting.take(limit).collect()
        };
        // More may be inserted while the answer is on its way.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        Ok(page)
    }

    async fn load(&self, attempt_id: AttemptId) -> Result<Option<OutgoingDelivery>, LedgerError> {
        tokio::task::yield_now().await;
        fault(&self.faults.load)?;
        self.loaded.fetch_add(1, Ordering::SeqCst);
        let mut rows = self.rows.lock().unwrap();
        let row = rows.rows.values_mut().find(|row| row.attempt_id == attempt_id).unwrap();
        if self.gone {
            row.state = State::Finished(AttemptOutcome::InDoubt);
            return Ok(None);
        }
        Ok(Some(OutgoingDelivery {
            attempt_id,
            delivery_id: DeliveryId::new(),
            replayed_from: None,
            target_url: row.target_url.clone(),
            method: "POST".into(),
            path: String::new(),
            query: None,
            headers: Headers::default(),
            body: Bytes::from_static(b"{}"),
            force: false,
            allow_non_loopback: false,
        }))
    }

    async fn start(&self, attempt_id: AttemptId) -> Result<bool, LedgerError> {
        self.start_calls.fetch_add(1, Ordering::SeqCst);
        fault(&self.faults.start)?;
        let (reply, done) = oneshot::channel();
        self.writes.send(Write::Start(attempt_id, reply)).unwrap();
        Ok(done.await.unwrap())
    }

    async fn finish(&self, attempt_id: AttemptId, result: AttemptResult) -> Result<(), LedgerError> {
        fault(&self.faults.finish)?;
        let (reply, done) = oneshot::channel();
        self.writes.send(Write::Finish(attempt_id, result.outcome, reply)).unwrap();
        done.await.unwrap();
        Ok(())
    }

    fn policy(&self, allow_non_loopback: bool) -> AddressPolicy {
        AddressPolicy { allow_non_loopback, ..AddressPolicy::default() }
    }
}

/// A target that answers 200 after a while.
struct SlowTarget {
    url: String,
    serving: JoinHandle<()>,
    seen: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
}

impl SlowTarget {
    async fn start(delay: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let (seen, most_at_once, open) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), Arc::default());
        let counters = (Arc::clone(&seen), Arc::clone(&most_at_once));
        let serving = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let ((seen, most_at_once), open) = (counters.clone(), Arc::<AtomicUsize>::clone(&open));
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    if stream.read(&mut request).await.is_err() {
                        return;
                    }
                    seen.fetch_add(1, Ordering::SeqCst);
                    most_at_once.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    sleep(delay).await;
                    open.fetch_sub(1, Ordering::SeqCst);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
                });
            }
        });
        Self { url: format!("http://{address}/"), serving, seen, most_at_once }
    }
}

impl Drop for SlowTarget {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn queues(ledger: &Arc<MemoryLedger>) -> RelayQueues<MemoryLedger> {
    RelayQueues::new(Arc::clone(ledger), TargetClient::new(RelayLimits::default()))
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} did not come about within 30 s");
        sleep(Duration::from_millis(1)).await;
    }
}

const SUCCEEDED: State = State::Finished(AttemptOutcome::Succeeded);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_attempt_is_sent_once_in_order_of_arrival_at_most_four_at_once() {
    let target = SlowTarget::start(Duration::from_millis(1)).await;
    let ledger = MemoryLedger::new(false);
    let queues = queues(&ledger);
    for _ in 0..400 {
        ledger.insert(&target.url);
        queues.wake(&target.url);
    }
    until("the end of all attempts", || ledger.count(SUCCEEDED) == 400).await;
    queues.stop(Instant::now() + Duration::from_secs(5)).await;
    assert_eq!(target.seen.load(Ordering::SeqCst), 400);
    assert!(target.most_at_once.load(Ordering::SeqCst) <= ATTEMPTS_IN_FLIGHT_PER_TARGET);
    let rows = ledger.rows.lock().unwrap();
    assert!(rows.started.is_sorted() && rows.started.len() == 400, "{:?}", rows.started);
    assert!(rows.most_in_doubt <= ATTEMPTS_IN_FLIGHT_PER_TARGET, "{} in doubt at one commit", rows.most_in_doubt);
    assert_eq!(ledger.loaded.load(Ordering::SeqCst), 400, "each attempt is fetched once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_wake_up_is_lost_when_a_queue_is_just_falling_idle() {
    let ledger = MemoryLedger::new(true);
    let queues = Arc::new(queues(&ledger));
    let producers = (0..4_u64).map(|producer| {
        let (ledger, queues) = (Arc::clone(&ledger), Arc::clone(&queues));
        tokio::spawn(async move {
            let mut noise = producer + 1;
            for _ in 0..1000 {
                let target = format!("http://localhost:{}/", 1 + noise % 2);
                let row = ledger.insert(&target);
                queues.wake(&target);
                // Half of the time waits for the queue to take it, so that it falls idle just before the next.
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if (noise >> 40) % 2 == 0 {
                    until("an attempt's turn", || ledger.rows.lock().unwrap().rows[&row].state != State::Waiting).await;
                }
                for _ in 0..(noise >> 50) % 8 {
                    tokio::task::yield_now().await;
                }
                noise >>= 3;
            }
        })
    });
    for producer in producers.collect::<Vec<_>>() {
        producer.await.unwrap();
    }
    until("every attempt's turn", || ledger.count(State::Waiting) == 0).await;
    assert_eq!(ledger.loaded.load(Ordering::SeqCst), 4000, "each attempt is fetched once");
    until("every queue's end", || queues.shared.dispatchers().is_empty()).await;
    assert_eq!(queues.shared.tasks.len(), 0, "an idle queue leaves no task behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hanging_target_delays_no_other() {
    let hanging = SlowTarget::start(Duration::from_secs(300)).await;
    let ledger = MemoryLedger::new(false);
    let queues = queues(&ledger);
    for _ in 0..50 {
        ledger.insert(&hanging.url);
    }
    queues.wake(&hanging.url);
    until("four attempts that hang", || hanging.seen.load(Ordering::SeqCst) == 4).await;
    let mut healthy = Vec::new();
    for _ in 0..9 {
        healthy.push(SlowTarget::start(Duration::ZERO).await);
    }
    let began = Instant::now();
    for target in &healthy {
        for _ in 0..20 {
            ledger.insert(&target.url);
        }
        queues.wake(&target.url);
    }
    until("the end of the others", || ledger.count(SUCCEEDED) == 180).await;
    assert!(began.elapsed() < Duration::from_secs(10), "took {:?}", began.elapsed());
    assert_eq!(hanging.seen.load(Ordering::SeqCst), 4);
    queues.stop(Instant::now()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_starts_nothing_more_and_lets_what_is_in_flight_end() {
    let target = SlowTarget::start(Duration::from_millis(300)).await;
    let ledger = MemoryLedger::new(false);
    let queues = queues(&ledger);
    for _ in 0..20 {
        ledger.insert(&target.url);
    }
    queues.wake(&target.url);
    until("four attempts in flight", || target.seen.load(Ordering::SeqCst) == 4).await;
    queues.stop(Instant::now() + Duration::from_secs(10)).await;
    queues.wake(&target.url);
    assert_eq!((ledger.count(SUCCEEDED), ledger.count(State::Started), ledger.count(State::Waiting)), (4, 0, 16));
    assert_eq!(queues.shared.tasks.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_outlasts_the_deadline_is_dropped_and_stays_started() {
    let target = SlowTarget::start(Duration::from_secs(300)).await;
    let ledger = MemoryLedger::new(false);
    let queues = queues(&ledger);
    for _ in 0..6 {
        ledger.insert(&target.url);
    }
    queues.wake(&target.url);
    until("four attempts in flight", || target.seen.load(Ordering::SeqCst) == 4).await;
    let began = Instant::now();
    queues.stop(Instant::now() + Duration::from_millis(100)).await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!((ledger.count(State::Started), ledger.count(State::Waiting)), (4, 2));
    assert_eq!(queues.shared.tasks.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_ledger_cannot_do_now_is_done_later() {
    let target = SlowTarget::start(Duration::ZERO).await;
    let ledger = MemoryLedger::new(false);
    for counter in [&ledger.faults.waiting, &ledger.faults.load, &ledger.faults.start, &ledger.faults.finish] {
        counter.store(2, Ordering::SeqCst);
    }
    let queues = queues(&ledger);
    for _ in 0..10 {
        ledger.insert(&target.url);
    }
    queues.wake(&target.url);
    until("the end of all attempts", || ledger.count(SUCCEEDED) == 10).await;
    assert_eq!(target.seen.load(Ordering::SeqCst), 10, "a late record is no reason to send again");
    queues.stop(Instant::now()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_that_never_heals_does_not_keep_the_queues_from_stopping() {
    let target = SlowTarget::start(Duration::ZERO).await;
    let ledger = MemoryLedger::new(false);
    ledger.faults.finish.store(usize::MAX, Ordering::SeqCst);
    let queues = queues(&ledger);
    ledger.insert(&target.url);
    queues.wake(&target.url);
    until("the attempt", || target.seen.load(Ordering::SeqCst) == 1).await;
    let began = Instant::now();
    queues.stop(Instant::now() + Duration::from_millis(100)).await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(ledger.count(State::Started), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_no_longer_waits_is_not_sent() {
    let target = SlowTarget::start(Duration::ZERO).await;
    let ledger = MemoryLedger::new(false);
    let queues = queues(&ledger);
    let cancelled = ledger.insert(&target.url);
    let id = ledger.rows.lock().unwrap().rows[&cancelled].attempt_id;
    let (reply, started) = oneshot::channel();
    // Another start is in the ledger's order before the queue's own.
    ledger.writes.send(Write::Start(id, reply)).unwrap();
    queues.wake(&target.url);
    assert!(started.await.unwrap());
    ledger.insert(&target.url);
    queues.wake(&target.url);
    until("the second attempt", || ledger.count(SUCCEEDED) == 1).await;
    assert_eq!(target.seen.load(Ordering::SeqCst), 1);
    queues.stop(Instant::now()).await;
}

fn dispatcher(queues: &RelayQueues<MemoryLedger>, target_url: &str) -> Dispatcher<MemoryLedger> {
    let wakeup = Arc::new(Wakeup::new());
    queues.shared.dispatchers().insert(target_url.to_owned(), Arc::clone(&wakeup));
    Dispatcher::new(Arc::clone(&queues.shared), target_url.to_owned(), wakeup)
}

#[tokio::test]
async fn a_queue_that_is_woken_while_it_signs_off_goes_on() {
    let queues = queues(&MemoryLedger::new(true));
    let dispatcher = dispatcher(&queues, "http://localhost:1/");
    queues.wake("http://localhost:1/");
    assert!(!dispatcher.sign_off());
    assert!(queues.shared.dispatchers().contains_key("http://localhost:1/"));
    assert!(dispatcher.sign_off());
    assert!(queues.shared.dispatchers().is_empty());
}

#[tokio::test]
async fn an_attempt_has_its_place_in_the_ledger_before_the_next_is_looked_at() {
    let target = SlowTarget::start(Duration::ZERO).await;
    let ledger = MemoryLedger::new(false);
    let queues = queues(&ledger);
    let dispatcher = dispatcher(&queues, &target.url);
    for expected in 1..=4 {
        let row = ledger.insert(&target.url);
        let attempt_id = ledger.rows.lock().unwrap().rows[&row].attempt_id;
        let waiting = WaitingAttempt { row, attempt_id, delivery_id: DeliveryId::new() };
        assert!(dispatcher.dispatch(waiting).await.is_some());
        // One thread, and no await since: only the dispatcher itself can have called.
        assert_eq!(ledger.start_calls.load(Ordering::SeqCst), expected);
    }
    queues.stop(Instant::now() + Duration::from_secs(5)).await;
}
