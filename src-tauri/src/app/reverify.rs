//! Re-verification: judging stored deliveries again after a secret, or what else decides a verdict, changed.
//!
//! Only the shown verdict changes. What the sender was told, and whether the delivery was relayed, is history.

use std::sync::Arc;

use super::App;
use super::endpoint_table::EndpointEntry;
use super::jobs::{Job, JobStatus};
use super::stored_request::{Rules, StoredRequest};
use crate::domain::{DeliveryId, EndpointId, JobId, SignatureStatus};
use crate::store::{DeliveryFilter, PageBounds, StoreError, read_payload, read_summary};

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
                let Some((done, failed)) = self.reverify_page(endpoint, rows).await? else { return Ok(()) };
                self.jobs.update(job, |job| {
                    job.done += done;
                    job.failed += failed;
                });
                let Some(next) = page.next_before else { break };
                before = Some(next);
            }
        }
        Ok(())
    }

    /// Judges a delivery again that was judged by settings which had been replaced by the time it was stored: the
    /// re-verification that the change began may have passed its place already.
    pub(super) fn judge_again_if_late(
        self: &Arc<Self>,
        by: &Arc<EndpointEntry>,
        id: DeliveryId,
        verdict: SignatureStatus,
    ) {
        let endpoint = by.endpoint.id;
        let is_late = || self.core.endpoints.by_id(endpoint).is_some_and(|now| !Arc::ptr_eq(by, &now));
        if !JUDGED_AGAIN.contains(&verdict) || !is_late() {
            return;
        }
        let app = Arc::clone(self);
        self.tasks.spawn(async move {
            let judged = async {
                let summary = app.core.store.read(move |connection| read_summary(connection, id)).await?;
                let Some(summary) = summary else { return Ok(()) };
                app.reverify_page(endpoint, vec![(id, summary.seq)]).await.map(|_judged| ())
            };
            let ended = tokio::select! {
                ended = judged => ended,
                () = app.stop.cancelled() => Err(StoreError::Closed),
            };
            if let Err(error) = ended {
                tracing::warn!(%error, delivery = %id, "a delivery was judged by settings that had just been replaced");
            }
        });
    }

    /// Judges some deliveries by the endpoint as it is now: how many could be, and how many not; none when the endpoint
    /// is there no longer.
    async fn reverify_page(
        &self,
        endpoint: EndpointId,
        rows: Vec<(DeliveryId, i64)>,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        // From reading the settings to writing the verdicts: else what was judged by old settings could be written over
        // what another job has judged by new ones.
        let _turn = self.reverify_turn.lock().await;
        let Some(entry) = self.core.endpoints.by_id(endpoint) else { return Ok(None) };
        let now = self.core.clock.now();
        let base = self.public_base_of(&entry.endpoint);
        let judged = self
            .core
            .store
            .read(move |connection| {
                let mut judged = Vec::with_capacity(rows.len());
                for (id, seq) in rows {
                    let Some(payload) = read_payload(connection, seq)? else { continue };
                    let Some(summary) = read_summary(connection, id)? else { continue };
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
        Ok(Some((done, failed)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::inbound::InboundRequest;
    use crate::app::test_app::{app, ended, endpoint, posted, request, secrets, summary, until};
    use crate::domain::{DeliveryStatus, Secret};
    use crate::relay::CertificateClient;
    use crate::signature::SignedRequest;

    /// A request that `generic` finds signed with this secret.
    fn request_signed(app: &Arc<App>, secret: &str) -> InboundRequest {
        let generic = app.core.catalogue.get("generic").unwrap();
        let plain = request(app, &[], &br#"{"event":"a"}"#[..]);
        let unsigned = SignedRequest { method: "POST", url: None, headers: &plain.headers, body: &plain.body };
        let secret = Secret::new(secret.to_owned());
        let signed = generic.sign(None, &json!({}), &secret, &unsigned, plain.received_at).unwrap();
        request(app, &signed.headers, plain.body)
    }

    async fn signed(app: &Arc<App>, endpoint: EndpointId, secret: &str) -> DeliveryId {
        posted(app, endpoint, request_signed(app, secret)).await.1
    }

    async fn ends(app: &App, job: JobId) {
        until("the job did not end", async || app.jobs.get(job).unwrap().status == JobStatus::Done).await;
    }

    #[tokio::test]
    async fn a_page_that_waited_is_judged_by_the_settings_of_its_turn_and_not_of_its_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), CertificateClient::default()).await;
        let id = endpoint(&app, "generic", json!({})).await;
        secrets(&app, id, &["wrong"]).await;
        let delivery = signed(&app, id, "right").await;
        assert_eq!(summary(&app, delivery).await.signature_status, SignatureStatus::Invalid);
        let turn = app.reverify_turn.lock().await;
        let early = app.begin_reverify(id).id;
        until("the page was not begun", async || app.jobs.get(early).unwrap().total > 0).await;
        secrets(&app, id, &["right"]).await;
        drop(turn);
        ends(&app, early).await;
        assert_eq!(summary(&app, delivery).await.signature_status, SignatureStatus::Valid);
        ended(app).await;
    }

    #[tokio::test]
    async fn what_was_judged_by_settings_that_were_replaced_before_it_was_stored_is_judged_again() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), CertificateClient::default()).await;
        let id = endpoint(&app, "generic", json!({})).await;
        secrets(&app, id, &["wrong"]).await;
        let replaced = app.core.endpoints.by_id(id).unwrap();
        secrets(&app, id, &["right"]).await;
        ends(&app, app.begin_reverify(id).id).await;
        let late = request_signed(&app, "right");
        let reply = app.captured_by(&replaced, late, ()).await;
        assert!(reply.is_ok());
        let newest = async || {
            let bounds = PageBounds { limit: 1, ..PageBounds::default() };
            app.core.store.read_page(DeliveryFilter::default(), bounds).await.unwrap().deliveries.remove(0)
        };
        assert_eq!(newest().await.status, DeliveryStatus::Rejected, "it was judged by the wrong secret");
        until("it was not judged again", async || newest().await.signature_status == SignatureStatus::Valid).await;
        ended(app).await;
    }
}
