//! What is sent, in which order: from a number, the same in every run.

use anyhow::Result;
use creel_rig::chance::drawn;
use creel_rig::samples::{self, Sample};
use creel_rig::sign::{SIGNATURE_HEADER, signature};

use crate::cast::{OLD_SECRET, SECRET};
use crate::odd::odd;

/// The app is up for the first nineteen of thirty deliveries and down for the others.
const ROUND: u64 = 30;
const UP: u64 = 19;
/// The story ends with so many of a last round, so that the app has been back for a while.
const LAST: u64 = 13;

/// How many deliveries there are when at least so many are wanted.
pub fn length(wanted: u64) -> u64 {
    wanted.next_multiple_of(ROUND) + LAST
}

/// Whether the app is up when a delivery comes.
pub fn app_is_up(number: u64) -> bool {
    number % ROUND < UP
}

/// Who gets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Receiver {
    GitHub,
    Shop,
    Ledger,
    Inspect,
    Files,
}

/// One webhook, ready to be sent.
pub struct Step {
    pub to: Receiver,
    /// Behind the endpoint's token
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// How often the sender sends it once more
    pub repeats: u64,
    pub what: What,
}

/// What is particular about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Genuine,
    /// Signed with a secret that has been replaced
    Forged,
    Unsigned,
    /// No tidy JSON
    Odd,
}

/// The webhook of a number.
pub fn step(number: u64) -> Result<Step> {
    match number % ROUND {
        // While the app is up, and of an event that it answers well: only then does its key stay taken.
        12 => Ok(Step { repeats: 1 + number / ROUND % 2, ..signed(Receiver::Shop, samples::shop(1, number), SECRET)? }),
        7 | 27 => Ok(Step { what: What::Forged, ..signed(Receiver::GitHub, sample_of_github(number), OLD_SECRET)? }),
        15 => Ok(Step { what: What::Unsigned, ..plain(Receiver::Ledger, sample_of_shop(number)) }),
        // The app's own faults: an empty note, and a slow warehouse.
        5 => signed(Receiver::Shop, samples::shop(2, number), SECRET),
        2 => signed(Receiver::Shop, samples::shop(12, number), SECRET),
        // Each target is heard of once the app is back.
        10 => signed(Receiver::Ledger, samples::shop(4, number), SECRET),
        4 => {
            let odd = odd(number / ROUND);
            let (path, headers, body) = (odd.path.to_owned(), odd.headers, odd.body);
            Ok(Step { to: Receiver::Files, path, headers, body, repeats: 0, what: What::Odd })
        }
        _ => match drawn(number ^ 0x0e) % 20 {
            0..11 => signed(Receiver::GitHub, sample_of_github(number), SECRET),
            11..17 => signed(Receiver::Shop, sample_of_shop(number), SECRET),
            17..19 => signed(Receiver::Ledger, sample_of_shop(number), SECRET),
            _ => Ok(plain(Receiver::Inspect, sample_of_github(number))),
        },
    }
}

fn sample_of_github(number: u64) -> Sample {
    samples::github((drawn(number) % 1_000) as usize, number)
}

fn sample_of_shop(number: u64) -> Sample {
    samples::shop((drawn(number) % 1_000) as usize, number)
}

fn plain(to: Receiver, sample: Sample) -> Step {
    let Sample { headers, body } = sample;
    let path = match to {
        Receiver::Ledger => "/postings?source=shop".to_owned(),
        Receiver::Shop if drawn(body.len() as u64).is_multiple_of(3) => "/v2/events".to_owned(),
        _ => String::new(),
    };
    Step { to, path, headers, body: body.into_bytes(), repeats: 0, what: What::Genuine }
}

fn signed(to: Receiver, sample: Sample, secret: &str) -> Result<Step> {
    let mut step = plain(to, sample);
    step.headers.push((SIGNATURE_HEADER, signature(secret, &step.body)?));
    Ok(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_hundred_deliveries_hold_all_that_the_demo_promises() {
        let steps: Vec<Step> = (0..300).map(|number| step(number).unwrap()).collect();
        let count = |what| steps.iter().filter(|step| step.what == what).count();
        assert!(steps.iter().map(|step| step.repeats).sum::<u64>() >= 10);
        assert!(count(What::Forged) >= 10);
        assert!(count(What::Unsigned) >= 5);
        assert!(count(What::Odd) as u64 >= crate::odd::KINDS);
        let length = length(300);
        let down = (0..length).filter(|number| !app_is_up(*number)).count() as u64;
        assert!(length >= 300 && down * 3 >= length, "down for a third: {down} of {length}");
        assert!((length - 10..length).all(app_is_up), "the app is back at the end");
        assert!((0..300).all(|number| steps[number as usize].repeats == 0 || app_is_up(number)));
    }
}
