//! What is known of the tunnel, for everybody: the state that is shown, the public URL that holds, and the one that
//! providers may still have.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::app::core::Core;
use crate::app::events::EventData;
use crate::app::inbound::{TunnelClient, TunnelFront};
use crate::domain::{
    AffectedEndpoint, TUNNEL_EXPOSES, Timestamp, TunnelStanding, TunnelState, TunnelStatus, TunnelUrlChange,
};
use crate::store::{StoreError, read_setting};
use crate::tunnel::{Blueprint, TunnelObserver};

/// Name under which the memory is kept.
const MEMORY_NAME: &str = "tunnel";
/// Said when the tunnel's URL is not the one that endpoints show.
const URL_GIVEN: &str = "Endpoints show the URL that Creel was started with (--public-url), not the tunnel's.";

/// What is kept over runs of the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Memory {
    /// The newest public base URL of any tunnel.
    last_url: Option<String>,
    /// Its newest change.
    change: Option<TunnelUrlChange>,
}

impl Memory {
    /// Takes the URL that holds now.
    fn take(&mut self, url: &str, at: Timestamp) {
        let last = self.last_url.replace(url.to_owned());
        // What providers have is the URL before the first change that nobody acknowledged.
        let told = self.change.as_ref().filter(|change| !change.acknowledged).map(|change| change.from.clone());
        match told.or(last) {
            Some(from) if from != url => {
                let known = self.change.as_ref().is_some_and(|change| change.to == url && !change.acknowledged);
                if !known {
                    self.change = Some(TunnelUrlChange { from, to: url.to_owned(), at, acknowledged: false });
                }
            }
            // As it was before, or the first URL ever.
            _ => self.change = self.change.take().filter(|change| change.acknowledged),
        }
    }
}

#[derive(Debug, Default)]
struct Shown {
    provider: Option<(String, String)>,
    client: Option<TunnelClient>,
    /// In the store.
    row: i64,
    /// With when the user started it.
    standing: Option<(TunnelStanding, Timestamp)>,
    memory: Memory,
}

/// The tunnel as everybody sees it.
pub(super) struct Board {
    core: Arc<Core>,
    shown: Mutex<Shown>,
}

impl Board {
    /// With what an earlier run has kept.
    pub(super) async fn read(core: Arc<Core>) -> Result<Self, StoreError> {
        let json = core.store.read(|connection| read_setting(connection, MEMORY_NAME)).await?;
        let memory = json.map_or_else(Memory::default, |json| {
            serde_json::from_str(&json).unwrap_or_else(|error| {
                tracing::warn!(%error, "what was kept of the last tunnel cannot be read");
                Memory::default()
            })
        });
        Ok(Self { core, shown: Mutex::new(Shown { memory, ..Shown::default() }) })
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a program runs, or is about to.
    pub(super) fn runs(&self) -> bool {
        self.lock().standing.as_ref().is_some_and(|(standing, _)| standing.runs())
    }

    /// A tunnel is being started.
    pub(super) fn begin(&self, blueprint: &Blueprint, row: i64, at: Timestamp) {
        let provider = blueprint.provider();
        let mut shown = self.lock();
        shown.provider = Some((provider.slug.clone(), provider.name.clone()));
        shown.row = row;
        shown.client = blueprint.client_ip().map(|rule| TunnelClient {
            header: rule.header_name(),
            is_last: rule.takes_last(),
            source: rule.source(),
            is_claimed: rule.claimed,
        });
        shown.standing = Some((TunnelStanding::of(TunnelStatus::Starting), at));
        self.publish(&shown);
    }

    /// The tunnel was stopped, and what is said of its end with it.
    pub(super) fn clear(&self) {
        let mut shown = self.lock();
        let was_there = shown.standing.take().is_some();
        self.replace_front(None);
        if was_there {
            self.publish(&shown);
        }
    }

    /// The user says that the providers know.
    pub(super) fn acknowledge(&self) {
        let mut shown = self.lock();
        if let Some(change) = &mut shown.memory.change {
            change.acknowledged = true;
        }
        self.keep(&shown.memory);
        self.publish(&shown);
    }

    /// The state, as shown.
    pub(super) fn state(&self) -> TunnelState {
        self.state_of(&self.lock())
    }

    fn state_of(&self, shown: &Shown) -> TunnelState {
        let (mut standing, at) = match shown.standing.clone() {
            Some((standing, at)) => (standing, Some(at)),
            None => (TunnelStanding::of(TunnelStatus::Stopped), None),
        };
        let is_stopped = standing.status == TunnelStatus::Stopped;
        if !is_stopped && self.core.addresses.public_url.is_some() {
            standing.notes.push(URL_GIVEN.to_owned());
        }
        let (slug, name) = shown.provider.clone().unzip();
        TunnelState {
            standing,
            provider: slug,
            provider_name: name,
            endpoints_affected: self.affected(shown.memory.change.as_ref()),
            url_changed: shown.memory.change.clone(),
            started_at: at.filter(|_| !is_stopped),
            exposes: TUNNEL_EXPOSES.to_owned(),
        }
    }

    /// Endpoints that had the old URL and have the new one.
    fn affected(&self, change: Option<&TunnelUrlChange>) -> Vec<AffectedEndpoint> {
        let Some(change) = change.filter(|change| !change.acknowledged) else { return Vec::new() };
        if self.core.addresses.public_url.is_some() {
            return Vec::new();
        }
        let entries = self.core.endpoints.all();
        let endpoints = entries.iter().map(|entry| &entry.endpoint);
        let theirs =
            endpoints.filter(|endpoint| endpoint.public_url_override.is_none() && endpoint.created_at < change.at);
        theirs
            .map(|endpoint| AffectedEndpoint {
                id: endpoint.id,
                name: endpoint.name.clone(),
                provider: endpoint.provider.clone(),
                old_url: format!("{}{}", change.from, endpoint.ingress_path()),
                new_url: format!("{}{}", change.to, endpoint.ingress_path()),
            })
            .collect()
    }

    fn keep(&self, memory: &Memory) {
        match serde_json::to_string(memory) {
            Ok(json) => {
                let kept = self.core.store.write_unanswered(move |writing| writing.save_setting(MEMORY_NAME, &json));
                if !kept {
                    tracing::warn!("the tunnel's URL was not kept: the writer is too far behind");
                }
            }
            Err(error) => tracing::error!(%error, "what is kept of the tunnel cannot be written as JSON"),
        }
    }

    /// Tells everybody. Under the lock, so that events come in the order of the changes.
    fn publish(&self, shown: &Shown) {
        match serde_json::to_value(self.state_of(shown)) {
            Ok(state) => self.core.events.publish(EventData::Tunnel(Arc::new(state))),
            Err(error) => tracing::error!(%error, "the tunnel's state cannot be written as JSON"),
        }
    }

    /// Makes the public URL known to the rest of the engine as soon as its program says it: requests may arrive before the
    /// tunnel is called ready. That URLs have changed is said only of a tunnel that stands.
    fn show_front(&self, shown: &mut Shown, standing: &TunnelStanding) {
        let (holds, stands) = match standing.status {
            TunnelStatus::UrlKnown => (true, false),
            TunnelStatus::Ready | TunnelStatus::Degraded => (true, true),
            TunnelStatus::Stopped | TunnelStatus::Failed => {
                self.replace_front(None);
                (false, false)
            }
            // Between two runs the last URL stays: it may well be the next one.
            _ => (false, false),
        };
        let Some(url) = standing.public_url.clone().filter(|_| holds) else { return };
        if stands {
            let before = shown.memory.clone();
            shown.memory.take(&url, self.core.clock.now());
            if shown.memory != before {
                self.keep(&shown.memory);
            }
        }
        self.replace_front(Some(TunnelFront { row: shown.row, public_url: url, client: shown.client }));
    }

    fn replace_front(&self, front: Option<TunnelFront>) {
        let tunnel = &self.core.addresses.tunnel;
        if tunnel.load().as_deref() != front.as_ref() {
            tunnel.store(front.map(Arc::new));
            // Every endpoint shows another public URL now.
            self.core.events.publish(EventData::Resync);
        }
    }
}

impl TunnelObserver for Board {
    fn changed(&self, standing: &TunnelStanding) {
        let mut shown = self.lock();
        self.show_front(&mut shown, standing);
        if let Some((shown, _)) = &mut shown.standing {
            shown.clone_from(standing);
        }
        self.publish(&shown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn the_first_url_is_no_change_and_every_other_one_is() {
        let mut memory = Memory::default();
        memory.take("https://a", at(1));
        assert_eq!(memory.change, None);
        memory.take("https://a", at(2));
        assert_eq!(memory.change, None);
        memory.take("https://b", at(3));
        let change = memory.change.clone().unwrap();
        assert_eq!(
            (change.from.as_str(), change.to.as_str(), change.at, change.acknowledged),
            ("https://a", "https://b", at(3), false)
        );
    }

    #[test]
    fn until_it_is_acknowledged_a_change_is_from_the_url_that_providers_were_told() {
        let mut memory = Memory { last_url: Some("https://a".into()), change: None };
        memory.take("https://b", at(1));
        memory.take("https://c", at(2));
        let change = memory.change.clone().unwrap();
        assert_eq!((change.from.as_str(), change.to.as_str()), ("https://a", "https://c"));
        memory.take("https://c", at(3));
        assert_eq!(memory.change.as_ref().unwrap().at, at(2), "the same change is not raised again");
        memory.take("https://a", at(4));
        assert_eq!(memory.change, None, "the providers have the right one again");
    }

    #[test]
    fn after_it_was_acknowledged_the_next_change_is_from_that_url() {
        let change =
            TunnelUrlChange { from: "https://a".into(), to: "https://b".into(), at: at(1), acknowledged: true };
        let mut memory = Memory { last_url: Some("https://b".into()), change: Some(change) };
        memory.take("https://b", at(2));
        assert!(memory.change.as_ref().unwrap().acknowledged);
        memory.take("https://c", at(3));
        let change = memory.change.unwrap();
        assert_eq!((change.from.as_str(), change.acknowledged), ("https://b", false));
    }
}
