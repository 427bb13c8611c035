//! Webhooks of a shop and of its repository on GitHub: names, shapes and sizes as their senders have them.
//!
//! A sample is made from a number: the same number is the same webhook in every run.

mod github;
mod shop;

use serde_json::Value;

pub use github::EVENTS as GITHUB_EVENTS;
pub use shop::EVENTS as SHOP_EVENTS;

/// One webhook, not signed yet.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Headers of the sender in its order, without signature and length
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// An event of GitHub's, by its place in [`GITHUB_EVENTS`] (any number; it goes round).
#[must_use]
pub fn github(event: usize, number: u64) -> Sample {
    let (name, payload) = GITHUB_EVENTS[event % GITHUB_EVENTS.len()];
    let headers = vec![
        ("Accept", "*/*".to_owned()),
        ("Content-Type", "application/json".to_owned()),
        ("User-Agent", format!("GitHub-Hookshot/{}", &crate::chance::commit(77)[..7])),
        ("X-GitHub-Delivery", crate::chance::uuid(number)),
        ("X-GitHub-Event", name.to_owned()),
        ("X-GitHub-Hook-ID", "498231377".to_owned()),
        ("X-GitHub-Hook-Installation-Target-ID", github::REPOSITORY_ID.to_string()),
        ("X-GitHub-Hook-Installation-Target-Type", "repository".to_owned()),
    ];
    Sample { headers, body: payload(number).to_string() }
}

/// An event of the shop's, by its place in [`SHOP_EVENTS`] (any number; it goes round).
#[must_use]
pub fn shop(event: usize, number: u64) -> Sample {
    let (name, payload) = SHOP_EVENTS[event % SHOP_EVENTS.len()];
    let body = shop::envelope(name, number, payload(number));
    let headers = vec![
        ("User-Agent", "Northwind-Webhooks/3.2 (+https://northwind.example/webhooks)".to_owned()),
        ("Content-Type", "application/json; charset=utf-8".to_owned()),
        ("Accept", "application/json".to_owned()),
        ("Idempotency-Key", format!("evt_{}", crate::chance::uuid(number).replace('-', ""))),
        ("X-Webhook-Attempt", "1".to_owned()),
    ];
    Sample { headers, body: body.to_string() }
}

/// What makes a payload from a number.
type Payload = fn(u64) -> Value;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_many_kinds_of_events_each_a_json_object_of_a_real_size() {
        let samples: Vec<Sample> = (0..GITHUB_EVENTS.len())
            .map(|event| github(event, event as u64))
            .chain((0..SHOP_EVENTS.len()).map(|event| shop(event, event as u64)))
            .collect();
        assert!(samples.len() >= 25);
        for sample in &samples {
            assert!(serde_json::from_str::<Value>(&sample.body).unwrap().is_object());
            assert!((600..8_000).contains(&sample.body.len()), "{} bytes: {}", sample.body.len(), sample.body);
        }
        let mean = samples.iter().map(|sample| sample.body.len()).sum::<usize>() / samples.len();
        assert!((1_500..3_000).contains(&mean), "{mean} bytes on average");
    }

    #[test]
    fn no_two_numbers_share_a_key_and_one_number_is_always_the_same_webhook() {
        let key = |sample: &Sample| {
            let found = sample.headers.iter().find(|(name, _)| ["X-GitHub-Delivery", "Idempotency-Key"].contains(name));
            found.map(|(_, value)| value.clone()).unwrap()
        };
        let keys: BTreeSet<String> =
            (0..500).flat_map(|number| [key(&github(3, number)), key(&shop(3, number))]).collect();
        assert_eq!(keys.len(), 1_000);
        assert_eq!(github(5, 9).body, github(5, 9).body);
        assert_ne!(github(5, 9).body, github(5, 10).body);
    }
}
