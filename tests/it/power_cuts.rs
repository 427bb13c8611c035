//! Power cuts: a 2xx of the ingress means that head, body and time are on the disk, byte for byte, whenever power fails.
//!
//! The real engine runs under a recorder, which journals what happens to the database's files and which answers leave, in
//! one order (`xtask/power-recorder`). Afterwards power is cut at chosen records of that journal: a simulated disk keeps
//! what had been synced and, as the dice fall, any part of the rest. The real engine then opens what is left, and
//! everything that had been answered before the cut must be there. No root, no kernel feature, no device.

mod disk;
mod journal;
mod recording;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::support::sign::fingerprint;
use super::support::{Creel, Home, Launch};
use disk::{Disk, Remains, Syncs};
use journal::Event;
use recording::{Burst, Load, Recording, record};

/// Cuts per run; a release makes more.
const CUTS_VARIABLE: &str = "CREEL_POWER_CUTS";
const CUTS_DEFAULT: u64 = 20;
/// Cuts for which one recording serves.
const CUTS_PER_RECORDING: u64 = 50;
/// A run is repeated with the seed that it printed; the moments of the engine's threads are its own.
const SEED_VARIABLE: &str = "CREEL_POWER_SEED";
/// Rebuilt directories that are looked at side by side.
const WORKERS: usize = 2;

/// Enough for a checkpoint amid the posts, and for logs that begin anew behind others.
const LOAD: Load =
    Load { bursts: &[Burst { small: 60, large: 0 }, Burst { small: 60, large: 40 }, Burst { small: 60, large: 0 }] };
/// For the controls: what is lost is lost in the first log already.
const SMALL_LOAD: Load = Load { bursts: &[Burst { small: 24, large: 0 }] };

/// Cuts of one control.
const CUTS_OF_A_CONTROL: usize = 4;
const BEHIND_AN_ANSWER: &str = "behind an answer";

/// Small, seeded and good enough to choose moments and sectors (xorshift64, Marsaglia 2003).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// A moment at which power fails, and what the disk had got by then.
#[derive(Clone, Copy)]
struct Cut {
    /// The record before which it happens
    at: usize,
    moment: &'static str,
    remains: Remains,
    seed: u64,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cut {} at record {}, {:?} remains (seed {})", self.moment, self.at, self.remains, self.seed)
    }
}

/// Where it hurts most: right behind an answer, within a checkpoint, around a log that begins anew, before a sync ends.
fn choose_cuts(recording: &Recording, count: u64, dice: &mut Dice) -> Vec<Cut> {
    let journal = &recording.journal;
    let answers: Vec<usize> = recording.promised.iter().map(|promised| promised.since + 1).collect();
    let checkpoints = journal.positions(|event| matches!(event, Event::Write { name, .. } if name == "creel.db"));
    let is_restart = |event: &Event| matches!(event, Event::Write { name, offset: 0, .. } if name.ends_with("-wal"));
    let restarts: Vec<usize> = journal.positions(is_restart).into_iter().flat_map(|at| at..at + 8).collect();
    let syncs = journal.positions(|event| matches!(event, Event::SyncEnds { .. }));
    let anywhere: Vec<usize> = (0..=journal.records.len()).collect();
    let moments = [
        (BEHIND_AN_ANSWER, answers),
        ("within a checkpoint", checkpoints),
        ("around a new log", restarts),
        ("before a sync ends", syncs),
        ("anywhere", anywhere),
    ];
    let remains = [Remains::Nothing, Remains::SomeSectors, Remains::SomeWrites, Remains::Everything];
    let mut cuts = Vec::new();
    for n in 0..count {
        let (moment, places) = &moments[usize::try_from(n).unwrap() % moments.len()];
        let at = dice.one_of(places).min(journal.records.len());
        let remains = remains[usize::try_from(n).unwrap() / moments.len() % remains.len()];
        cuts.push(Cut { at, moment, remains, seed: dice.below(u64::MAX - 1) + 1 });
    }
    cuts.sort_by_key(|cut| cut.at);
    cuts
}

/// What is wrong with the database that a cut left, if anything is.
fn look_at(recording: &Recording, disk: &Disk<'_>, cut: Cut) -> Result<(), String> {
    let dir = TempDir::with_prefix_in("creel-cut-", recording.scratch()).unwrap();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    recording.furnish(&data);
    disk.cut(cut.remains, &mut Dice(cut.seed), &data);
    let mut creel = Launch::at(Home::with_data(data.clone())).start();
    let mut wrong = lost(&creel, recording, cut.at);
    if creel.home().streams().contains("panicked") {
        wrong.push(format!("something panicked: {}", creel.home().streams()));
    }
    if creel.stop() != Some(0) {
        wrong.push("the engine did not stop in an orderly way".to_owned());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = Connection::open_with_flags(data.join("creel.db"), flags).unwrap();
    let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    if verdict != "ok" {
        wrong.push(format!("the database is damaged: {verdict}"));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("{cut}, {} changes not safe: {}", disk.unsafe_changes(), wrong.join("; ")))
    }
}

/// What had been promised before the record at this position and is not there as it was.
fn lost(creel: &Creel, recording: &Recording, at: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    for promised in recording.promised.iter().filter(|promised| promised.since < at) {
        let id = &promised.id;
        let row = creel.api("GET", &format!("/deliveries/{id}"), None);
        if row.status != 200 {
            wrong.push(format!("acknowledged and lost: {id}"));
        } else if row.json() != promised.row {
            wrong.push(format!("acknowledged and changed: {} instead of {}", row.text(), promised.row));
        } else if promised.row["body_inlined"] == false && fingerprint(&creel.stored_body(id)) != promised.print {
            wrong.push(format!("acknowledged and its body changed: {id}"));
        }
    }
    wrong
}

/// What a number of cuts showed.
#[derive(Default)]
struct Findings {
    wrong: Vec<String>,
    /// Cuts at which something was not safe yet
    with_unsafe_changes: usize,
    /// Promises that were looked for
    looked_for: usize,
}

/// Makes the cuts, each on a disk of its own.
fn make_cuts(recording: &Recording, cuts: &[Cut], syncs: Syncs) -> Findings {
    let findings = Mutex::new(Findings::default());
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let findings = &findings;
            scope.spawn(move || {
                let mut disk = Disk::new(&recording.journal, &recording.before, syncs);
                for &cut in cuts.iter().skip(worker).step_by(WORKERS) {
                    disk.advance(cut.at);
                    // An engine that does not even start is a finding like others, and to be told with its cut.
                    let look = || look_at(recording, &disk, cut);
                    let looked = catch_unwind(AssertUnwindSafe(look));
                    let complaint = looked.unwrap_or_else(|_| Err(format!("{cut}: the engine does not serve"))).err();
                    let mut findings = findings.lock().unwrap();
                    findings.wrong.extend(complaint);
                    findings.with_unsafe_changes += usize::from(disk.unsafe_changes() > 0);
                    findings.looked_for += recording.promised.iter().filter(|one| one.since < cut.at).count();
                }
            });
        }
    });
    findings.into_inner().unwrap()
}

/// A journal that missed a write would prove nothing: replayed whole, it must give the very files that are there.
fn the_journal_is_complete(recording: &Recording) {
    let mut disk = Disk::new(&recording.journal, &recording.before, Syncs::Kept);
    disk.advance(recording.journal.records.len());
    let really: BTreeMap<String, Vec<u8>> = recording.left().into_iter().collect();
    let replayed = disk.seen();
    let sizes = |files: &BTreeMap<String, Vec<u8>>| {
        format!("{:?}", files.iter().map(|(n, b)| (n.clone(), b.len())).collect::<Vec<_>>())
    };
    assert!(really == replayed, "the journal does not give the files: {} and {}", sizes(&replayed), sizes(&really));
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn seed() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    number_from(SEED_VARIABLE).unwrap_or(since_epoch.as_nanos() as u64 | 1)
}

/// Right behind answers, when nothing that was not synced has reached the disk. Whoever answers too early loses here;
/// also run against an engine that does.
pub fn what_was_acknowledged_is_on_the_disk(launch: impl Fn(Launch) -> Launch, syncs: Syncs) {
    let mut dice = Dice(seed());
    let recording = record(SMALL_LOAD, dice.below(u64::MAX - 1) + 1, launch);
    the_journal_is_complete(&recording);
    let mut answers: Vec<usize> = recording.promised.iter().map(|promised| promised.since + 1).collect();
    answers.sort_unstable();
    let spread = answers.iter().step_by(answers.len() / CUTS_OF_A_CONTROL);
    let cut = |&at: &usize| Cut { at, moment: BEHIND_AN_ANSWER, remains: Remains::Nothing, seed: 1 };
    let cuts: Vec<Cut> = spread.map(cut).collect();
    let wrong = make_cuts(&recording, &cuts, syncs).wrong;
    assert!(wrong.is_empty(), "{} of {} cuts:\n{}", wrong.len(), cuts.len(), wrong.join("\n"));
}

#[test]
fn an_acknowledgement_comes_after_the_sync() {
    what_was_acknowledged_is_on_the_disk(|launch| launch, Syncs::Kept);
}

/// Run by `negative_controls`: a disk that says that the log is synced and has not done it.
pub fn on_a_disk_that_lies() {
    what_was_acknowledged_is_on_the_disk(|launch| launch, Syncs::OfTheLogIgnored);
}

/// Run by `negative_controls`.
pub fn with_bug(bug: &str) {
    what_was_acknowledged_is_on_the_disk(|launch| launch.seeded_bug(bug), Syncs::Kept);
}

#[test]
fn no_power_cut_loses_what_was_acknowledged() {
    let (seed, cuts) = (seed(), number_from(CUTS_VARIABLE).unwrap_or(CUTS_DEFAULT));
    eprintln!("{SEED_VARIABLE}={seed} {CUTS_VARIABLE}={cuts}");
    let mut dice = Dice(seed);
    for first in (0..cuts).step_by(usize::try_from(CUTS_PER_RECORDING).unwrap()) {
        let recording = record(LOAD, dice.below(u64::MAX - 1) + 1, |launch| launch);
        the_journal_is_complete(&recording);
        the_load_was_worth_it(&recording);
        let chosen = choose_cuts(&recording, CUTS_PER_RECORDING.min(cuts - first), &mut dice);
        let Findings { wrong, with_unsafe_changes, looked_for } = make_cuts(&recording, &chosen, Syncs::Kept);
        eprintln!(
            "{} cuts, {with_unsafe_changes} with writes not synced, {looked_for} promises looked for",
            chosen.len()
        );
        assert!(with_unsafe_changes > 0, "no cut could have lost anything, no test");
        assert!(wrong.is_empty(), "{} of {} cuts:\n{}", wrong.len(), chosen.len(), wrong.join("\n"));
    }
}

/// A run without checkpoints amid the posts, new logs and several threads would not try what is promised.
fn the_load_was_worth_it(recording: &Recording) {
    let journal = &recording.journal;
    let new_logs =
        journal.positions(|event| matches!(event, Event::Write { name, offset: 0, .. } if name.ends_with("-wal")));
    let moved = journal.positions(|event| matches!(event, Event::Write { name, .. } if name == "creel.db"));
    let answers: Vec<usize> = recording.promised.iter().map(|promised| promised.since).collect();
    let amid =
        moved.iter().filter(|at| answers.iter().any(|answer| answer < at) && answers.iter().any(|answer| answer > at));
    let amid = amid.count();
    let mut threads: Vec<u32> = journal.records.iter().map(|record| record.thread).collect();
    threads.sort_unstable();
    threads.dedup();
    eprintln!(
        "{} records of {} threads, {} promised, {} logs begun, {} pages moved ({amid} amid the posts)",
        journal.records.len(),
        threads.len(),
        answers.len(),
        new_logs.len(),
        moved.len()
    );
    assert!(new_logs.len() >= 2, "no log began anew, no test");
    assert!(amid > 0, "no checkpoint fell amid the posts, no test");
    assert!(journal.records.is_sorted_by_key(|record| record.nanos), "the journal's order is not that of the clock");
}
