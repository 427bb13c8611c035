//! What goes on beside the posts: retention, the rest of deleted endpoints, old idempotency keys, the ballast file.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use crate::store::{Ballast, StoreError};

/// How often the house is kept.
const EVERY: Duration = Duration::from_secs(1);
/// Deliveries of a deleted endpoint that go in one transaction.
const HIDDEN_BATCH_ROWS: usize = 200;
/// How often the ballast is looked after.
const BALLAST_EVERY: Duration = Duration::from_secs(30);

impl App {
    /// Runs until the engine stops.
    pub(super) async fn keep_house(self: Arc<Self>) {
        let ballast = Ballast::of(self.core.store.dir());
        let mut next_ballast = tokio::time::Instant::now();
        while !self.stop.is_cancelled() {
            if let Err(error) = self.tidy_up().await {
                tracing::warn!(%error, "housekeeping failed");
                if matches!(error, StoreError::Full) {
                    self.core.disk_trouble.notify_one();
                }
            }
            if tokio::time::Instant::now() >= next_ballast {
                next_ballast += BALLAST_EVERY;
                blocking(ballast.clone(), Ballast::take).await;
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.core.disk_trouble.notified() => {
                    blocking(ballast.clone(), |ballast| ballast.release().map(drop)).await;
                    next_ballast = tokio::time::Instant::now() + BALLAST_EVERY;
                    tokio::time::sleep(EVERY / 10).await;
                }
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    async fn tidy_up(&self) -> Result<(), StoreError> {
        self.delete_hidden_endpoints().await?;
        self.prune().await?;
        let now = self.core.clock.now();
        self.core.store.write(move |writing| writing.forget_old_replay_keys(now)).await
    }

    /// Deletes what is left of deleted endpoints, batch by batch, so that posts come in between.
    pub(super) async fn delete_hidden_endpoints(&self) -> Result<(), StoreError> {
        while !self.stop.is_cancelled() {
            if self.core.store.write(|writing| writing.delete_hidden(HIDDEN_BATCH_ROWS)).await? {
                break;
            }
        }
        Ok(())
    }

    async fn prune(&self) -> Result<(), StoreError> {
        while !self.stop.is_cancelled() {
            let (retention, now) = (self.settings().retention(), self.core.clock.now());
            if !self.core.store.write(move |writing| writing.prune(retention, now)).await? {
                break;
            }
        }
        Ok(())
    }
}

async fn blocking(ballast: Ballast, work: fn(&Ballast) -> std::io::Result<()>) {
    match tokio::task::spawn_blocking(move || work(&ballast)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the ballast file could not be kept"),
        Err(error) => tracing::warn!(%error, "the ballast task ended early"),
    }
}
