//! The journal that `xtask/power-recorder` keeps (its `journal.rs` describes the records), read back.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

/// What happened, in the one order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Bytes of the journal at an offset of the file
    Write {
        name: String,
        offset: usize,
        data: Range<usize>,
    },
    Truncate {
        name: String,
        length: usize,
    },
    /// `names`: what the directory held, when it is the directory (`.`) that is synced
    SyncBegins {
        name: String,
        number: u64,
        names: Vec<String>,
    },
    SyncEnds {
        number: u64,
    },
    /// An answer of 2xx is about to leave
    Answer {
        data: Range<usize>,
    },
    Remove {
        name: String,
    },
}

/// One event with its witness.
#[derive(Debug)]
pub struct Record {
    pub thread: u32,
    /// CLOCK_MONOTONIC
    pub nanos: u64,
    pub event: Event,
}

#[derive(Debug)]
pub struct Journal {
    bytes: Vec<u8>,
    pub records: Vec<Record>,
}

impl Journal {
    pub fn read(path: &Path) -> Self {
        Self::parse(std::fs::read(path).expect("the journal; was the recorder loaded?"))
    }

    fn parse(bytes: Vec<u8>) -> Self {
        let mut records = Vec::new();
        let mut at = 0;
        // The last record may still be under way when the engine runs.
        while let Some(end) = end_of_record(&bytes[at..]).map(|length| at + length) {
            let mut field = |length: usize| {
                let mut wide = [0; 8];
                wide[..length].copy_from_slice(&bytes[at..at + length]);
                at += length;
                u64::from_le_bytes(wide)
            };
            let (kind, thread, nanos, number) = (field(1), field(4), field(8), field(8));
            let (name_length, data_length) = (field(2) as usize, field(4) as usize);
            let name = String::from_utf8_lossy(&bytes[at..at + name_length]).into_owned();
            let data = at + name_length..at + name_length + data_length;
            at = end;
            let event = match kind {
                1 => Event::Write { name, offset: number as usize, data },
                2 => Event::Truncate { name, length: number as usize },
                3 => {
                    let names = String::from_utf8_lossy(&bytes[data]).lines().map(str::to_owned).collect();
                    Event::SyncBegins { name, number, names }
                }
                4 => Event::SyncEnds { number },
                5 => Event::Answer { data },
                6 => Event::Remove { name },
                other => panic!("record {} is of kind {other}", records.len()),
            };
            records.push(Record { thread: thread as u32, nanos, event });
        }
        Self { bytes, records }
    }

    pub fn data(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }

    /// The deliveries that answers name, each with the position of the first one: before it nobody was promised anything.
    pub fn promises(&self) -> HashMap<String, usize> {
        let mut promises = HashMap::new();
        for (at, record) in self.records.iter().enumerate() {
            let Event::Answer { data } = &record.event else { continue };
            let answer = String::from_utf8_lossy(self.data(data));
            let named = answer.split_once(DELIVERY_FIELD).and_then(|(_, rest)| rest.split_once('"'));
            if let Some((id, _)) = named {
                promises.entry(id.to_owned()).or_insert(at);
            }
        }
        promises
    }

    /// The records that a test describes.
    pub fn positions(&self, wanted: impl Fn(&Event) -> bool) -> Vec<usize> {
        (0..self.records.len()).filter(|&at| wanted(&self.records[at].event)).collect()
    }
}

/// What stands before the id in an answer of the ingress.
const DELIVERY_FIELD: &str = "\"delivery_id\":\"";
/// Bytes of a record before its name.
const FIXED_BYTES: usize = 27;

/// The length of the record that stands first, when all of it is there.
fn end_of_record(bytes: &[u8]) -> Option<usize> {
    let lengths = bytes.get(FIXED_BYTES - 6..FIXED_BYTES)?;
    let name = usize::from(u16::from_le_bytes([lengths[0], lengths[1]]));
    let data = u32::from_le_bytes([lengths[2], lengths[3], lengths[4], lengths[5]]) as usize;
    Some(FIXED_BYTES + name + data).filter(|&end| end <= bytes.len())
}
