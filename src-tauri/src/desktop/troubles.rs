//! Deliveries that failed or came with an invalid signature while nobody looked: counted once each, told in one sentence.

use std::collections::{BTreeMap, HashSet, VecDeque};

use creel::domain::{DeliveryId, DeliveryStatus, DeliverySummary, EndpointId, SignatureStatus, Timestamp};

/// Deliveries that are remembered as counted. A row is announced again when it changes, at most minutes later.
const REMEMBERED_MAX: usize = 4_096;
/// A change of a row whose last attempt is older than this is no news (a pin, a note), in milliseconds.
const NEWS_MS_MAX: u64 = 60_000;
/// Endpoints that a notification names.
const NAMED_MAX: usize = 3;

/// What went wrong with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// Every attempt failed
    Failed,
    /// Its signature does not hold
    Invalid,
}

/// What is counted: since the last look for the tray, since the last word for the notification.
#[derive(Debug, Default)]
pub struct Troubles {
    counted: HashSet<(DeliveryId, Trouble)>,
    order: VecDeque<(DeliveryId, Trouble)>,
    since_look: BTreeMap<Trouble, u64>,
    untold: BTreeMap<(Trouble, EndpointId), u64>,
}

impl Troubles {
    /// Takes note of a row as it stands now; whether that was news.
    pub fn note(&mut self, row: &DeliverySummary, now: Timestamp) -> bool {
        if now.millis_since(row.last_attempt_at) > NEWS_MS_MAX {
            return false;
        }
        let Some(trouble) = trouble_of(row) else { return false };
        if !self.counted.insert((row.id, trouble)) {
            return false;
        }
        self.order.push_back((row.id, trouble));
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.counted.remove(&oldest);
        }
        *self.since_look.entry(trouble).or_default() += 1;
        *self.untold.entry((trouble, row.endpoint_id)).or_default() += 1;
        true
    }

    /// Failed and invalid ones since the last look.
    pub fn since_look(&self) -> (u64, u64) {
        let count = |trouble| self.since_look.get(&trouble).copied().unwrap_or_default();
        (count(Trouble::Failed), count(Trouble::Invalid))
    }

    /// The user looks at the window: nothing of it needs to be told any more.
    pub fn looked(&mut self) {
        self.since_look.clear();
        self.untold.clear();
    }

    /// Whether there is something to tell.
    pub fn is_untold(&self) -> bool {
        !self.untold.is_empty()
    }

    /// What is untold in one sentence, which then counts as told. It names endpoints and figures and nothing that a
    /// sender wrote.
    pub fn tell(&mut self, name_of: impl Fn(EndpointId) -> Option<String>) -> Option<String> {
        let mut parts: Vec<(u64, String)> = Vec::new();
        for ((trouble, endpoint), count) in std::mem::take(&mut self.untold) {
            let deliveries = if count == 1 { "1 delivery".to_owned() } else { format!("{count} deliveries") };
            let place = name_of(endpoint).map(|name| format!(" on {name}")).unwrap_or_default();
            let part = match trouble {
                Trouble::Failed => format!("{deliveries} failed{place}"),
                Trouble::Invalid => format!("{deliveries}{place} with an invalid signature"),
            };
            parts.push((count, part));
        }
        parts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let others: u64 = parts.iter().skip(NAMED_MAX).map(|(count, _)| count).sum();
        let mut named: Vec<String> = parts.into_iter().take(NAMED_MAX).map(|(_, part)| part).collect();
        if others > 0 {
            named.push(format!("{others} more elsewhere"));
        }
        (!named.is_empty()).then(|| named.join("; "))
    }
}

fn trouble_of(row: &DeliverySummary) -> Option<Trouble> {
    if row.status == DeliveryStatus::Failed {
        Some(Trouble::Failed)
    } else {
        (row.signature_status == SignatureStatus::Invalid).then_some(Trouble::Invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn row(endpoint: EndpointId, status: &str, signature: &str) -> DeliverySummary {
        serde_json::from_value(serde_json::json!({
            "id": DeliveryId::new(), "seq": 1, "endpoint_id": endpoint, "provider": "generic", "event": "<b>paid</b>",
            "event_source": "body:event", "dedupe_key": null, "dedupe_source": null, "signature_status": signature,
            "signature_reason": "ok", "status": status, "reason": null, "attempt_count": 1, "relay_attempt_count": 1,
            "method": "POST", "path": "", "query": null, "content_type": null, "body_size": 2, "response_status": 200,
            "relay_status": null, "relay_outcome": null, "relay_duration_ms": null, "replayed_from_delivery_id": null,
            "duplicate_of": null, "pinned": false, "error": null, "received_at": NOW, "last_attempt_at": NOW,
            "created_at": NOW,
        }))
        .unwrap()
    }

    #[test]
    fn a_delivery_counts_once_however_often_its_row_changes() {
        let mut troubles = Troubles::default();
        let failed = row(EndpointId::new(), "failed", "valid");
        assert!(troubles.note(&failed, NOW));
        assert!(!troubles.note(&failed, NOW));
        assert!(!troubles.note(&row(failed.endpoint_id, "dispatched", "valid"), NOW));
        assert!(!troubles.note(&row(failed.endpoint_id, "queued", "not_required"), NOW));
        assert!(troubles.note(&row(failed.endpoint_id, "rejected", "invalid"), NOW));
        assert_eq!(troubles.since_look(), (1, 1));
        troubles.looked();
        assert_eq!(troubles.since_look(), (0, 0));
        assert!(!troubles.is_untold());
    }

    #[test]
    fn pinning_an_old_failure_is_no_news() {
        let mut troubles = Troubles::default();
        let later = Timestamp::from_millis(NOW.as_millis() + 3_600_000);
        assert!(!troubles.note(&row(EndpointId::new(), "failed", "valid"), later));
    }

    #[test]
    fn many_are_told_in_one_sentence_without_a_word_of_the_senders() {
        let mut troubles = Troubles::default();
        let (shop, github) = (EndpointId::new(), EndpointId::new());
        for _ in 0..7 {
            troubles.note(&row(shop, "failed", "valid"), NOW);
        }
        troubles.note(&row(github, "rejected", "invalid"), NOW);
        let name_of = |id| Some(if id == shop { "Shop" } else { "GitHub" }.to_owned());
        let told = troubles.tell(name_of).unwrap();
        assert_eq!(told, "7 deliveries failed on Shop; 1 delivery on GitHub with an invalid signature");
        assert_eq!(troubles.tell(name_of), None, "once is enough");
        assert_eq!(troubles.since_look(), (7, 1), "the tray remembers until somebody looks");
    }

    #[test]
    fn a_storm_over_many_endpoints_stays_one_short_sentence_and_in_bounded_memory() {
        let mut troubles = Troubles::default();
        for nth in 0..6_000 {
            let mut row = row(EndpointId::new(), "failed", "valid");
            row.seq = nth;
            troubles.note(&row, NOW);
        }
        assert!(troubles.counted.len() <= REMEMBERED_MAX && troubles.order.len() <= REMEMBERED_MAX);
        let told = troubles.tell(|_| None).unwrap();
        assert!(told.len() < 120 && told.ends_with("5997 more elsewhere"), "{told}");
    }
}
