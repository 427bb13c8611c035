//! Following the engine's live events, over breaks and restarts.

use std::time::Duration;

use http::Method;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::exchange::Answer;
use super::sse::{EVENT_BYTES_MAX, EventParser};
use super::{Client, ClientError, Event};

/// Silence after which the connection counts as dead, in seconds: the engine writes a comment every 15 s.
const SILENCE_SECONDS: u64 = 45;
/// How long a lost engine is waited for, in seconds: a restart takes less than one.
const RECONNECT_SECONDS: u64 = 10;
/// Wait before each attempt to reconnect, in milliseconds.
const RECONNECT_PAUSE_MS: u64 = 250;

/// The live events. [`EventStream::next`] may be dropped at any time and called again: nothing is lost by it.
pub struct EventStream {
    client: Client,
    answer: Option<Answer>,
    parser: EventParser,
    last_id: Option<String>,
    /// When the last bytes came; a silence is measured from here, however often `next` is called.
    heard_at: Instant,
    break_since: Option<Instant>,
    retry_at: Instant,
}

impl EventStream {
    pub(super) async fn open(client: Client) -> Result<Self, ClientError> {
        let answer = subscribe(&client, None).await?;
        Ok(Self {
            client,
            answer: Some(answer),
            parser: EventParser::default(),
            last_id: None,
            heard_at: Instant::now(),
            break_since: None,
            retry_at: Instant::now(),
        })
    }

    /// The next event. After a break it resumes behind the last one seen; what cannot be resumed arrives as `resync`.
    ///
    /// # Errors
    /// [`ClientError::Lost`] when the engine stays away, or its refusal.
    pub async fn next(&mut self) -> Result<Event, ClientError> {
        loop {
            if let Some(event) = self.parser.pop() {
                if event.id.is_some() {
                    self.last_id.clone_from(&event.id);
                }
                return Ok(event);
            }
            let Some(answer) = &mut self.answer else {
                self.reconnect().await?;
                continue;
            };
            match timeout_at(self.heard_at + Duration::from_secs(SILENCE_SECONDS), answer.chunk()).await {
                Ok(Ok(Some(chunk))) => {
                    self.heard_at = Instant::now();
                    self.break_since = None;
                    let bytes = EVENT_BYTES_MAX;
                    self.parser.push(&chunk).map_err(|_| ClientError::TooLarge { bytes })?;
                }
                // Ended, broken or silent: all three are a break.
                Ok(Ok(None) | Err(_)) | Err(_) => self.begin_break(),
            }
        }
    }

    /// The way to the engine that the events come from now; another one than at first when it was restarted.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Gives up the connection and the place in the stream: the next event, once there is an engine again, is `resync`.
    pub fn start_over(&mut self) {
        self.last_id = None;
        self.begin_break();
    }

    fn begin_break(&mut self) {
        self.answer = None;
        // Half an event is sent again, whole, behind the last id.
        self.parser = EventParser::default();
        let now = Instant::now();
        self.break_since.get_or_insert(now);
        self.retry_at = now + Duration::from_millis(RECONNECT_PAUSE_MS);
    }

    /// Waits and tries once more. The engine may have been restarted, so `run.json` is read again.
    async fn reconnect(&mut self) -> Result<(), ClientError> {
        sleep_until(self.retry_at).await;
        self.retry_at = Instant::now() + Duration::from_millis(RECONNECT_PAUSE_MS);
        match self.resubscribe().await {
            Ok(()) => Ok(()),
            Err(error @ ClientError::Api { .. }) => Err(error),
            Err(_) if self.break_since.is_some_and(|at| at.elapsed() < Duration::from_secs(RECONNECT_SECONDS)) => {
                Ok(())
            }
            Err(_) => Err(ClientError::Lost { seconds: RECONNECT_SECONDS }),
        }
    }

    async fn resubscribe(&mut self) -> Result<(), ClientError> {
        let client = Client::connect(&self.client.data_dir).await?;
        // Without an id there is nothing to resume behind: an id of no run makes the engine say `resync`, so that the
        // reader fetches what it missed.
        let last_id = self.last_id.as_deref().unwrap_or("0-0");
        self.answer = Some(subscribe(&client, Some(last_id)).await?);
        self.heard_at = Instant::now();
        self.client = client;
        Ok(())
    }
}

async fn subscribe(client: &Client, last_id: Option<&str>) -> Result<Answer, ClientError> {
    let request = client.request(Method::GET, "/events", &[], None, last_id)?;
    let answer = client.send(request).await?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let bytes = answer.collect(super::JSON_BYTES_MAX, Duration::from_secs(super::PAUSE_SECONDS)).await?;
    Err(super::api_error(status, &bytes))
}
