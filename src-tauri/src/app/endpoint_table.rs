//! All endpoints in memory: found by token before any body is read, replaced as a whole after each change.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::domain::{Endpoint, EndpointId, Secret};
use crate::signature::{Catalogue, Provider};
use crate::store::{StoredEndpoint, StoredSecret};

/// An endpoint with what capture needs of it.
#[derive(Debug)]
pub struct EndpointEntry {
    /// Row in the database.
    pub row: i64,
    /// As configured.
    pub endpoint: Arc<Endpoint>,
    /// Its provider; none when the catalogue no longer has it.
    pub provider: Option<Arc<Provider>>,
    /// Its secrets as stored, oldest first.
    pub stored_secrets: Vec<StoredSecret>,
    /// The secrets in use; none when one of them cannot be read, which is never treated as if none were set.
    pub secrets: Option<Vec<Secret>>,
}

/// One state of the table.
#[derive(Debug, Default)]
struct Entries {
    in_order: Vec<Arc<EndpointEntry>>,
    by_token: HashMap<String, Arc<EndpointEntry>>,
    by_id: HashMap<EndpointId, Arc<EndpointEntry>>,
}

/// The table; readers never wait.
#[derive(Debug, Default)]
pub struct EndpointTable {
    entries: ArcSwap<Entries>,
}

impl EndpointTable {
    /// Replaces everything.
    pub fn replace(&self, stored: Vec<StoredEndpoint>, catalogue: &Catalogue) {
        let in_order: Vec<_> = stored.into_iter().map(|stored| Arc::new(entry(stored, catalogue))).collect();
        let by_token = in_order.iter().map(|entry| (entry.endpoint.token.as_str().to_owned(), Arc::clone(entry)));
        let by_id = in_order.iter().map(|entry| (entry.endpoint.id, Arc::clone(entry)));
        let (by_token, by_id) = (by_token.collect(), by_id.collect());
        self.entries.store(Arc::new(Entries { in_order, by_token, by_id }));
    }

    /// The endpoint of a token.
    #[must_use]
    pub fn by_token(&self, token: &str) -> Option<Arc<EndpointEntry>> {
        self.entries.load().by_token.get(token).cloned()
    }

    /// The endpoint of an id.
    #[must_use]
    pub fn by_id(&self, id: EndpointId) -> Option<Arc<EndpointEntry>> {
        self.entries.load().by_id.get(&id).cloned()
    }

    /// All, in the order they were made.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<EndpointEntry>> {
        self.entries.load().in_order.clone()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.load().in_order.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn entry(stored: StoredEndpoint, catalogue: &Catalogue) -> EndpointEntry {
    let provider = catalogue.get(&stored.endpoint.provider).cloned();
    let secrets = stored.secrets.iter().map(|stored| stored.secret.clone()).collect();
    EndpointEntry {
        row: stored.row,
        endpoint: Arc::new(stored.endpoint),
        provider,
        stored_secrets: stored.secrets,
        secrets,
    }
}
