//! The relay's ledger over the store.

use std::sync::Arc;

use super::core::Core;
use crate::domain::{AttemptId, AttemptTimings, SeededBug};
use crate::relay::{AddressPolicy, AttemptResult, LedgerError, OutgoingDelivery, RelayLedger, WaitingAttempt};
use crate::store::{AttemptEnd, AttemptResponse, StoreError, read_attempt_to_send, read_waiting};

/// Reads waiting attempts from the store, notes their starts and ends there, and tells who waits for them.
pub struct Ledger {
    core: Arc<Core>,
}

impl Ledger {
    /// A ledger over the engine's store.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

fn failed(error: StoreError) -> LedgerError {
    LedgerError(error.to_string())
}

impl RelayLedger for Ledger {
    async fn waiting(&self, target_url: &str, after: i64, limit: usize) -> Result<Vec<WaitingAttempt>, LedgerError> {
        let target_url = target_url.to_owned();
        let rows =
            self.core.store.read_for_relay(move |connection| read_waiting(connection, &target_url, after, limit)).await;
        let as_waiting = |row: crate::store::WaitingRow| WaitingAttempt {
            row: row.row,
            attempt_id: row.attempt_id,
            delivery_id: row.delivery_id,
        };
        rows.map(|rows| rows.into_iter().map(as_waiting).collect()).map_err(failed)
    }

    async fn load(&self, attempt_id: AttemptId) -> Result<Option<OutgoingDelivery>, LedgerError> {
        let found = self
            .core
            .store
            .read_for_relay(move |connection| read_attempt_to_send(connection, attempt_id))
            .await
            .map_err(failed)?;
        let Some(found) = found else { return Ok(None) };
        let Some(entry) = self.core.endpoints.by_id(found.endpoint_id) else { return Ok(None) };
        Ok(Some(OutgoingDelivery {
            attempt_id,
            delivery_id: found.delivery_id,
            replayed_from: found.replayed_from,
            target_url: found.target_url,
            method: found.method,
            path: found.path,
            query: found.query,
            headers: found.headers,
            body: found.body,
            force: found.force,
            allow_non_loopback: entry.endpoint.allow_non_loopback,
        }))
    }

    async fn start(&self, attempt_id: AttemptId) -> Result<bool, LedgerError> {
        if SeededBug::SkipStarted.is_on() {
            return Ok(true);
        }
        let now = self.core.clock.now();
        self.core.store.write(move |writing| writing.start_attempt(attempt_id, now)).await.map_err(failed)
    }

    async fn finish(&self, attempt_id: AttemptId, result: AttemptResult) -> Result<(), LedgerError> {
        let end = AttemptEnd {
            outcome: result.outcome,
            reason: result.reason.clone(),
            response: result.response.as_ref().map(|response| AttemptResponse {
                status: response.status,
                headers: response.headers.clone(),
                body: response.body.clone(),
                size: response.body_size,
            }),
            at: self.core.clock.now(),
            timings: AttemptTimings {
                connect_ms: result.timing.connected_ms,
                first_byte_ms: result.timing.first_byte_ms,
                total_ms: result.timing.total_ms,
            },
        };
        self.core.store.write(move |writing| writing.end_attempt(attempt_id, &end)).await.map_err(failed)?;
        self.core.waiters.tell(attempt_id, &result);
        Ok(())
    }

    fn policy(&self, allow_non_loopback: bool) -> AddressPolicy {
        self.core.address_policy(allow_non_loopback)
    }
}
