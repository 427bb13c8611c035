//! Re-verification: judging stored deliveries again after a secret, or what else decides a verdict, changed.
//!
//! Only the shown verdict changes. What the sender was told, and whether the delivery was relayed, is history.

use std::sync::Arc;

use super::App;
use super::endpoint_table::EndpointEntry;
use super::jobs::{Job, JobStatus};
use super::stored_request::{Rules, StoredRequest};
use crate::domain::{DeliveryId, EndpointId, JobId, SignatureStatus};
use crate::store::{DeliveryFilter, PageBounds, StoreError, read_payload};

/// Deliveries of one page.
const PAGE_ROWS: usize = 50;
/// The verdicts that another secret can change.
const JUDGED_AGAIN: [SignatureStatus; 3] =
    [SignatureStatus::Invalid, SignatureStatus::Missing, SignatureStatus::NotRequired];

impl App {
    /// Begins to judge an endpoint's deliveries again.
    pub fn begin_reverify(self: &Arc<Self>, endpoint: EndpointId) -> Job {
        let job = self.jobs.begin();
        let (app, id) = (Arc::clone(self), job.id);
        self.tasks.spawn(async move {
            let ended = tokio::select! {
                ended = app.reverify(endpoint, id) => ended,
                () = app.stop.cancelled() => Err(StoreError::Closed),
            };
            if let Err(error) = &ended {
                tracing::warn!(%error, "a re-verification ended early");
            }
            let status = if ended.is_ok() { JobStatus::Done } else { JobStatus::Failed };
            app.jobs.update(id, |job| job.status = status);
        });
        job
    }

    async fn reverify(&self, endpoint: EndpointId, job: JobId) -> Result<(), StoreError> {
        for signature_status in JUDGED_AGAIN {
            let filter = DeliveryFilter {
                endpoint_id: Some(endpoint),
                signature_status: Some(signature_status),
                ..DeliveryFilter::default()
            };
            let mut before = None;
            loop {
                let bounds = PageBounds { before, limit: PAGE_ROWS, ..PageBounds::default() };
                let page = self.core.store.read_page(filter.clone(), bounds).await?;
                let originals = page.deliveries.iter().filter(|row| row.replayed_from_delivery_id.is_none());
                let rows: Vec<(DeliveryId, i64)> = originals.map(|row| (row.id, row.seq)).collect();
                self.jobs.update(job, |job| job.total += rows.len() as u64);
                // Looked up again for each page: the secrets may change once more meanwhile.
                let Some(entry) = self.core.endpoints.by_id(endpoint) else { return Ok(()) };
                self.reverify_page(&entry, rows, job).await?;
                let Some(next) = page.next_before else { break };
                before = Some(next);
            }
        }
        Ok(())
    }

    async fn reverify_page(
        &self,
        entry: &Arc<EndpointEntry>,
        rows: Vec<(DeliveryId, i64)>,
        job: JobId,
    ) -> Result<(), StoreError> {
        let (entry, now) = (Arc::clone(entry), self.core.clock.now());
        let base = self.public_base_of(&entry.endpoint);
        let judged = self
            .core
            .store
            .read(move |connection| {
                let mut judged = Vec::with_capacity(rows.len());
                for (id, seq) in rows {
                    let Some(payload) = read_payload(connection, seq)? else { continue };
                    let Some(summary) = crate::store::read_summary(connection, id)? else { continue };
                    let stored = StoredRequest::new(summary, payload, &entry.endpoint, base.as_deref());
                    let verdict = Rules::of(&entry).and_then(|rules| stored.judge(&rules, now).ok());
                    judged.push((id, verdict));
                }
                Ok(judged)
            })
            .await?;
        let failed = judged.iter().filter(|(_, verdict)| verdict.is_none()).count() as u64;
        let done = judged.len() as u64 - failed;
        self.core
            .store
            .write(move |writing| {
                for (id, verdict) in &judged {
                    if let Some(verdict) = verdict {
                        writing.set_verdict(*id, verdict.status, verdict.reason)?;
                    }
                }
                Ok(())
            })
            .await?;
        self.jobs.update(job, |job| {
            job.done += done;
            job.failed += failed;
        });
        Ok(())
    }
}
