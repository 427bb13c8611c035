//! A run of the real engine under the recorder, with the sender's ledger beside the journal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use serde_json::{Value, json};

use super::super::support::creel::BINARY;
use super::super::support::sign::fingerprint;
use super::super::support::{Creel, Endpoint, Home, Launch, text, until};
use super::Dice;
use super::journal::{Event, Journal};

const SENDERS: u64 = 8;
/// Small bodies are below this many bytes.
const SMALL_BYTES: u64 = 6_000;
/// Large ones have this many: some forty of them are worth a checkpoint while more arrive (`store/checkpoint.rs`, 32 MiB).
/// Above a mebibyte, so that no row repeats them.
const LARGE_BYTES: u64 = 1_100_000;
/// Files of the data directory that are neither the database nor made anew by each start.
const BALLAST: &str = "ballast";

/// How much is posted, one burst behind the other, with a checkpoint to the log's end between two of them.
#[derive(Clone, Copy)]
pub struct Load {
    pub bursts: &'static [Burst],
}

#[derive(Clone, Copy)]
pub struct Burst {
    pub small: u64,
    pub large: u64,
}

/// A delivery that the sender was promised.
#[derive(Debug)]
pub struct Promised {
    pub id: String,
    pub print: String,
    /// The position of the answer in the journal
    pub since: usize,
    /// The row, as the engine that took it showed it
    pub row: Value,
}

pub struct Recording {
    pub journal: Journal,
    pub promised: Vec<Promised>,
    /// The database's files before the first record
    pub before: Vec<(String, Vec<u8>)>,
    /// Keeps the data directory in which the recording was made
    home: Arc<Home>,
}

/// The library, built once for this run of the tests.
fn recorder() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let debug = Path::new(BINARY).parent().expect("a folder");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--locked", "--package", "power-recorder", "--target-dir"])
            .arg(debug.parent().expect("the target directory"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.expect("cargo").success(), "the recorder cannot be built");
        debug.join("libpower_recorder.so")
    })
}

fn database_files(data: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(data).expect("the data directory").map(|entry| entry.expect("an entry"));
    let named = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    let ours = named.filter(|(name, _)| name.starts_with("creel.db") && !name.ends_with("-shm"));
    ours.map(|(name, path)| (name, fs::read(path).expect("a file of the database"))).collect()
}

fn body_of(dice: &mut Dice, is_large: bool) -> Vec<u8> {
    let length = if is_large { LARGE_BYTES } else { dice.below(SMALL_BYTES) };
    // Bytes that nothing can compress or take for text.
    (0..length.div_ceil(8)).flat_map(|_| dice.below(u64::MAX).to_le_bytes()).collect()
}

/// Sends one burst, from several senders at once, and notes what was promised after the whole answer has been read.
fn send(creel: &Creel, endpoint: &Endpoint, burst: Burst, dice: &mut Dice, ledger: &Mutex<Vec<(String, String)>>) {
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let mut dice = Dice(dice.below(u64::MAX - 1) + 1);
            let share = |posts: u64| posts / SENDERS + u64::from(sender < posts % SENDERS);
            let (small, large) = (share(burst.small), share(burst.large));
            scope.spawn(move || {
                for n in 0..small + large {
                    let body = body_of(&mut dice, n < large);
                    let answer = creel.send(&endpoint.post(&body)).expect_json(200);
                    let id = text(&answer, "delivery_id").to_owned();
                    ledger.lock().unwrap().push((id, fingerprint(&body)));
                }
            });
        }
    });
}

/// Posts, with the engine started by `launch`, and stops it in an orderly way.
pub fn record(load: Load, seed: u64, launch: impl Fn(Launch) -> Launch) -> Recording {
    let home = Home::new();
    // Made and closed by an engine of its own, so that it is on the disk before the recording begins.
    let mut creel = Launch::at(home.clone()).start();
    let endpoint = creel.endpoint(json!({}));
    assert_eq!(creel.stop(), Some(0));
    let before = database_files(home.data());
    let data = fs::canonicalize(home.data()).expect("the data directory");
    let journal = home.scratch("journal");
    let launch = launch(Launch::at(home.clone()))
        .env("LD_PRELOAD", recorder().to_str().expect("a path"))
        .env("CREEL_POWER_DIR", data.to_str().expect("a path"))
        .env("CREEL_POWER_JOURNAL", journal.to_str().expect("a path"));
    let mut creel = launch.start();
    let (mut dice, ledger) = (Dice(seed), Mutex::new(Vec::new()));
    for &burst in load.bursts {
        send(&creel, &endpoint, burst, &mut dice, &ledger);
        wait_for_checkpoint(&journal);
    }
    let ledger = ledger.into_inner().unwrap();
    let row = |(id, print): &(String, String)| {
        assert_eq!(&fingerprint(&creel.stored_body(id)), print, "{id} was never stored as it was sent");
        creel.delivery(id)
    };
    let rows: Vec<Value> = ledger.iter().map(row).collect();
    assert_eq!(creel.stop(), Some(0));
    let journal = Journal::read(&journal);
    let promises = journal.promises();
    let promised = ledger.into_iter().zip(rows).map(|((id, print), row)| {
        let since = *promises.get(&id).unwrap_or_else(|| panic!("the journal does not hold the answer for {id}"));
        Promised { id, print, since, row }
    });
    let promised = promised.collect();
    Recording { journal, promised, before, home }
}

/// Waits until a checkpoint has reached the log's end, so that the next post begins a new log.
fn wait_for_checkpoint(journal: &Path) {
    let mut looked_at = 0;
    until("the log has been moved into the database", || {
        let size = fs::metadata(journal).map_or(0, |file| file.len());
        if size == looked_at {
            return None;
        }
        looked_at = size;
        all_is_moved(&Journal::read(journal)).then_some(())
    });
}

/// Whether the database has been synced since the log was last written.
fn all_is_moved(journal: &Journal) -> bool {
    let is_log = |event: &Event| matches!(event, Event::Write { name, .. } if name.ends_with("-wal"));
    let is_sync = |event: &Event| matches!(event, Event::SyncBegins { name, .. } if name == "creel.db");
    journal.positions(is_sync).last() > journal.positions(is_log).last()
}

impl Recording {
    /// Puts what is no database, and that a start would otherwise make at length, into a directory.
    pub fn furnish(&self, dir: &Path) {
        for entry in fs::read_dir(self.home.data()).expect("the data directory").flatten() {
            let name = entry.file_name();
            if name == BALLAST {
                fs::hard_link(entry.path(), dir.join(name)).expect("the ballast");
            } else if entry.path().is_file() && !name.to_string_lossy().starts_with("creel.db") {
                fs::copy(entry.path(), dir.join(name)).expect("a file of the data directory");
            }
        }
    }

    /// Where rebuilt directories may stand: on the file system of the recording, for the sake of the ballast's link.
    pub fn scratch(&self) -> PathBuf {
        let dir = self.home.scratch("cuts");
        fs::create_dir_all(&dir).expect("a directory for the cuts");
        dir
    }

    /// The database's files as they really are after the run.
    pub fn left(&self) -> Vec<(String, Vec<u8>)> {
        database_files(self.home.data())
    }
}
