//! Captures under way: driven by their connections, and by the listener when a connection ends first.
//!
//! A sender that hangs up ends its connection, and with it everything that hyper polls, but not the capture. Nearly every
//! connection lives long enough, so no capture gets a task of its own until its connection is gone: a task for each, and
//! the way there and back, would cost more than reading the head.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The captures of one listener.
#[derive(Debug, Default)]
pub struct Captures {
    /// Those that have outlived their connections.
    orphans: TaskTracker,
    /// Ends those that the listener cannot wait for any longer.
    abandon: CancellationToken,
}

/// The capture panicked; what it was doing is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the capture panicked")]
pub struct Panicked;

impl Captures {
    /// Runs a capture for whoever awaits it; dropped before its end, it goes on in a task of its own.
    pub fn run<F>(&self, capture: F) -> Capture<'_, F>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        Capture { work: Some(Box::pin(capture)), captures: self }
    }

    /// How many have outlived their connections and still run.
    #[must_use]
    pub fn orphans(&self) -> usize {
        self.orphans.len()
    }

    /// Waits for the end of all; called when every connection has ended.
    pub async fn finish(&self) {
        self.orphans.close();
        self.orphans.wait().await;
    }

    /// Ends all, those too whose connections are still there.
    pub fn abandon(&self) {
        self.abandon.cancel();
    }

    fn adopt<F>(&self, work: Pin<Box<F>>)
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        if self.abandon.is_cancelled() {
            return;
        }
        // None when the runtime itself is being dropped: then there is nothing left to run on.
        let Ok(runtime) = Handle::try_current() else { return };
        let abandon = self.abandon.clone();
        self.orphans.spawn_on(
            async move {
                abandon.run_until_cancelled(work).await;
            },
            &runtime,
        );
    }
}

/// A capture that its connection waits for.
pub struct Capture<'c, F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    /// None once it has ended.
    work: Option<Pin<Box<F>>>,
    captures: &'c Captures,
}

impl<F> Future for Capture<'_, F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = self.work.as_mut() else { return Poll::Pending };
        // A fault in one capture must not take the connection's other requests with it. The work is dropped unseen then.
        let ended = match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(_) => Err(Panicked),
        };
        self.work = None;
        Poll::Ready(ended)
    }
}

impl<F> Drop for Capture<'_, F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.captures.adopt(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::sync::Notify;

    use super::*;

    /// Waits for the first, tells the second.
    fn relay(wait: &Arc<Notify>, tell: &Arc<Notify>) -> impl Future<Output = ()> + Send + 'static {
        let (wait, tell) = (Arc::clone(wait), Arc::clone(tell));
        async move {
            wait.notified().await;
            tell.notify_one();
        }
    }

    #[tokio::test]
    async fn a_capture_that_nobody_waits_for_any_more_goes_on_and_is_waited_for_at_the_end() {
        let (captures, go, done) = (Captures::default(), Arc::default(), Arc::default());
        let mut capture = Box::pin(captures.run(relay(&go, &done)));
        assert!(capture.as_mut().now_or_never().is_none());
        assert_eq!(captures.orphans(), 0, "no task while its connection is there");
        drop(capture);
        assert_eq!(captures.orphans(), 1);
        let mut finished = Box::pin(captures.finish());
        assert!(finished.as_mut().now_or_never().is_none());
        go.notify_one();
        tokio::time::timeout(Duration::from_secs(5), done.notified()).await.unwrap();
        tokio::time::timeout(Duration::from_secs(5), finished).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_abandoned_ends_with_or_without_its_connection() {
        let (captures, go, done): (Captures, Arc<Notify>, Arc<Notify>) = Default::default();
        drop(captures.run(relay(&go, &done)));
        let held = captures.run(relay(&go, &done));
        captures.abandon();
        drop(held);
        tokio::time::timeout(Duration::from_secs(5), captures.finish()).await.unwrap();
        go.notify_one();
        assert!(done.notified().now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_like_any_other() {
        let captures = Captures::default();
        assert_eq!(captures.run(async { 7 }).await, Ok(7));
        assert_eq!(captures.run(async { panic!("as asked") }).await, Err::<(), _>(Panicked));
        assert_eq!(captures.orphans(), 0);
    }
}
