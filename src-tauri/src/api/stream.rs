//! `GET /api/events`: live events as Server-Sent Events (HTML Living Standard section 9.2).
//!
//! A stream holds a place in the event log and nothing else, so a reader that does not read costs one batch at most.
//! It is read with `fetch` and the token in its header; `EventSource` cannot send one.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderValue, header};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::response::ApiError;
use super::router::only_get;
use crate::app::error::AppError;
use crate::app::events::{Event, EventLog, Subscription};

/// Streams open at once.
pub(super) const STREAMS_MAX: usize = 64;
/// Events sent in one piece.
pub(super) const BATCH_EVENTS_MAX: usize = 256;
/// Shortest time from one piece to the next: under load events are sent by the piece, and the writer thread, which
/// wakes the streams, wakes each at most this often.
pub(super) const BATCH_PAUSE: Duration = Duration::from_millis(10);
/// Time between comments, by which both ends see that the other is there.
pub(super) const COMMENT_EVERY: Duration = Duration::from_secs(15);

/// Opens streams.
#[derive(Clone)]
pub(super) struct Stream {
    events: EventLog,
    stop: CancellationToken,
}

impl Stream {
    pub(super) fn new(events: EventLog, stop: CancellationToken) -> Self {
        Self { events, stop }
    }

    /// Answers one request with a stream that ends when the listener stops or the engine closes its log.
    pub(super) async fn answer(self, request: Request) -> Result<Response, ApiError> {
        only_get(&request)?;
        if self.events.listeners() >= STREAMS_MAX {
            return Err(AppError::unavailable(
                "too_many_streams",
                format!("{STREAMS_MAX} event streams are open already"),
                "Close one of them.",
            )
            .into());
        }
        // An id that is no text is one that we never gave out.
        let last = request.headers().get("last-event-id").map(|id| id.to_str().unwrap_or_default());
        let reading = Reading {
            subscription: self.events.subscribe(last),
            stop: self.stop,
            comments: comments(),
            begun: false,
            next_batch_at: Instant::now(),
        };
        let pieces = futures_util::stream::unfold(reading, |mut reading| async {
            let piece = reading.next().await?;
            Some((Ok::<_, Infallible>(Bytes::from(piece)), reading))
        });
        let mut response = Response::new(Body::from_stream(pieces));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

fn comments() -> Interval {
    let mut comments = interval_at(Instant::now() + COMMENT_EVERY, COMMENT_EVERY);
    comments.set_missed_tick_behavior(MissedTickBehavior::Delay);
    comments
}

/// One open stream.
struct Reading {
    subscription: Subscription,
    stop: CancellationToken,
    comments: Interval,
    begun: bool,
    next_batch_at: Instant,
}

impl Reading {
    /// The next piece to send; none: the end.
    async fn next(&mut self) -> Option<String> {
        if !self.begun {
            self.begun = true;
            // Sends the head at once, so that the reader knows that it is subscribed before it asks for the list.
            return Some(": open\n\n".to_owned());
        }
        let Self { subscription, stop, comments, next_batch_at, .. } = self;
        let batch = async {
            tokio::time::sleep_until(*next_batch_at).await;
            subscription.next_batch(BATCH_EVENTS_MAX).await
        };
        tokio::select! {
            () = stop.cancelled() => None,
            _ = comments.tick() => Some(": still here\n\n".to_owned()),
            batch = batch => {
                self.next_batch_at = Instant::now() + BATCH_PAUSE;
                (!batch.is_empty()).then(|| written(&batch))
            }
        }
    }
}

fn written(batch: &[Event]) -> String {
    let mut text = String::with_capacity(batch.len() * 1024);
    for event in batch {
        match event.json() {
            // Compact JSON has no line ends, so one `data:` line holds it.
            Ok(json) => {
                let _infallible = write!(text, "event: {}\nid: {}\ndata: {json}\n\n", event.kind(), event.id);
            }
            Err(error) => {
                tracing::error!(id = event.id, %error, "an event was left out; its readers are told to read again");
                let _infallible = write!(text, "event: resync\nid: {}\ndata: {{}}\n\n", event.id);
            }
        }
    }
    text
}
