//! A disk that loses power: it keeps what was synced, and of the rest what the dice leave, in whole or in torn sectors.
//!
//! A write is safe when a sync of its file began after it and has ended, on whichever descriptor; a name when such a sync
//! of its directory has. Until then a write may have reached the disk or not, each for itself: the page cache writes back
//! in any order.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use super::Dice;
use super::journal::{Event, Journal};

/// The smallest part of a write that the disk keeps whole.
const SECTOR_SIZES: [usize; 2] = [512, 4_096];

/// What a cut leaves of the writes that were not safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    Nothing,
    /// The cut of a kernel that wrote back everything just in time
    Everything,
    /// Whole writes
    SomeWrites,
    /// Sectors
    SomeSectors,
}

/// Whether the disk does what it says, for the control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syncs {
    Kept,
    /// The disk says that the log has been synced and has not done it
    OfTheLogIgnored,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, data: std::ops::Range<usize> },
    Truncate { length: usize },
}

#[derive(Clone, Debug, Default)]
struct File {
    safe: Vec<u8>,
    /// With the record's position
    unsafe_yet: Vec<(usize, Change)>,
    name_is_safe: bool,
    exists: bool,
}

struct Sync {
    name: String,
    began: usize,
    names: Vec<String>,
}

/// The database's files, up to some record of the journal.
pub struct Disk<'j> {
    journal: &'j Journal,
    syncs: Syncs,
    files: BTreeMap<String, File>,
    under_way: HashMap<u64, Sync>,
    /// Records that have happened
    at: usize,
}

impl<'j> Disk<'j> {
    /// What was on the disk before the first record: these files.
    pub fn new(journal: &'j Journal, before: &[(String, Vec<u8>)], syncs: Syncs) -> Self {
        let file = |bytes: &Vec<u8>| File { safe: bytes.clone(), name_is_safe: true, exists: true, ..File::default() };
        let files = before.iter().map(|(name, bytes)| (name.clone(), file(bytes))).collect();
        Self { journal, syncs, files, under_way: HashMap::new(), at: 0 }
    }

    /// Lets everything happen before the record at this position.
    pub fn advance(&mut self, to: usize) {
        while self.at < to {
            self.happen(self.at);
            self.at += 1;
        }
    }

    fn happen(&mut self, at: usize) {
        match &self.journal.records[at].event {
            Event::Write { name, offset, data } => {
                self.change(name, at, Change::Write { offset: *offset, data: data.clone() });
            }
            Event::Truncate { name, length } => self.change(name, at, Change::Truncate { length: *length }),
            Event::SyncBegins { name, number, names } => {
                let sync = Sync { name: name.clone(), began: at, names: names.clone() };
                self.under_way.insert(*number, sync);
            }
            Event::SyncEnds { number } => {
                let sync = self.under_way.remove(number).expect("a sync that ends has begun");
                self.synced(&sync);
            }
            Event::Remove { name } => {
                if let Some(file) = self.files.get_mut(name) {
                    file.exists = false;
                }
            }
            Event::Answer { .. } => {}
        }
    }

    fn change(&mut self, name: &str, at: usize, change: Change) {
        let file = self.files.entry(name.to_owned()).or_default();
        assert!(file.exists || !file.name_is_safe, "{name} was removed and made again, which this disk does not model");
        file.exists = true;
        file.unsafe_yet.push((at, change));
    }

    fn synced(&mut self, sync: &Sync) {
        if sync.name == "." {
            for (name, file) in &mut self.files {
                file.name_is_safe = sync.names.contains(name);
            }
            return;
        }
        if self.syncs == Syncs::OfTheLogIgnored && sync.name.ends_with("-wal") {
            return;
        }
        let Some(file) = self.files.get_mut(&sync.name) else { return };
        let (covered, later) = file.unsafe_yet.drain(..).partition(|(at, _)| *at < sync.began);
        file.unsafe_yet = later;
        let covered: Vec<(usize, Change)> = covered;
        for (_, change) in &covered {
            apply(&mut file.safe, change, self.journal, &mut || true, usize::MAX);
        }
    }

    /// How much a cut now could lose: changes that are not safe.
    pub fn unsafe_changes(&self) -> usize {
        self.files.values().map(|file| file.unsafe_yet.len()).sum()
    }

    /// The files as the cut leaves them, into a directory.
    pub fn cut(&self, remains: Remains, dice: &mut Dice, into: &Path) {
        let sector = SECTOR_SIZES[usize::from(dice.below(2) == 1)];
        let chance = dice.below(99) + 1;
        for (name, file) in &self.files {
            let is_there = match (file.name_is_safe, file.exists, remains) {
                (safe, now, _) if safe == now => now,
                (safe, _, Remains::Nothing) => safe,
                (_, now, Remains::Everything) => now,
                _ => dice.below(2) == 1,
            };
            if !is_there {
                continue;
            }
            let mut bytes = file.safe.clone();
            for (_, change) in &file.unsafe_yet {
                let whole = remains == Remains::Everything || dice.below(100) < chance;
                let stays = |dice: &mut Dice| match remains {
                    Remains::Nothing => false,
                    Remains::Everything | Remains::SomeWrites => whole,
                    Remains::SomeSectors => dice.below(100) < chance,
                };
                apply(&mut bytes, change, self.journal, &mut || stays(dice), sector);
            }
            fs::write(into.join(name), bytes).expect("write what is left of a file");
        }
    }

    /// The files as every program saw them, power or no power.
    pub fn seen(&self) -> BTreeMap<String, Vec<u8>> {
        let there = self.files.iter().filter(|(_, file)| file.exists);
        let seen = there.map(|(name, file)| {
            let mut bytes = file.safe.clone();
            for (_, change) in &file.unsafe_yet {
                apply(&mut bytes, change, self.journal, &mut || true, usize::MAX);
            }
            (name.clone(), bytes)
        });
        seen.collect()
    }
}

/// Makes a change as far as its parts stay: a write part by part, cut where the sectors end.
fn apply(bytes: &mut Vec<u8>, change: &Change, journal: &Journal, stays: &mut dyn FnMut() -> bool, sector: usize) {
    match change {
        Change::Truncate { length } => {
            if stays() {
                bytes.resize(*length, 0);
            }
        }
        Change::Write { offset, data } => {
            let data = journal.data(data);
            let mut from = 0;
            while from < data.len() {
                let place = offset + from;
                let to = (from + (sector - place % sector)).min(data.len());
                if stays() {
                    let end = offset + to;
                    if bytes.len() < end {
                        bytes.resize(end, 0);
                    }
                    bytes[place..end].copy_from_slice(&data[from..to]);
                }
                from = to;
            }
        }
    }
}
