//! The admin API's client, for the command line: it talks to whichever process runs the engine of a data directory.
//!
//! Driven like this: [`Client::connect`] reads `run.json` of the data directory and makes sure that its engine answers;
//! [`Client::call`] and [`Client::bytes`] are one request each; [`Client::events`] follows the live events and resumes
//! after a break. Nothing here spawns a task: a connection is driven by the very future that waits for its answer, so
//! it ends with it.

mod answer;
mod error;
mod events;
mod exchange;
mod sse;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::app::error::{ErrorAnswer, ErrorBody};
use crate::run_file::{RunFile, process_is_alive};

pub use error::ClientError;
pub use events::EventStream;
pub use sse::Event;

use exchange::Answer;

/// Time to open a connection to the engine, in seconds.
const CONNECT_SECONDS: u64 = 2;
/// Time until the head of an answer must be here, in seconds; deletions and searches may take a while.
const HEAD_SECONDS: u64 = 60;
/// Longest pause between two pieces of an answer, in seconds.
const PAUSE_SECONDS: u64 = 30;
/// Largest JSON answer in bytes: a page of 500 rows stays far below it.
const JSON_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Largest raw body in bytes: SQLite stores no larger value (its default `SQLITE_MAX_LENGTH`).
const RAW_BYTES_MAX: usize = 1_000_000_000;

/// A way to the engine of one data directory.
#[derive(Clone, Debug)]
pub struct Client {
    data_dir: PathBuf,
    address: SocketAddr,
    authority: String,
    token: AdminToken,
    ingress_url: String,
    admin_url: String,
}

/// The bearer token; kept out of `Debug`.
#[derive(Clone)]
struct AdminToken(Zeroizing<String>);

impl std::fmt::Debug for AdminToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AdminToken(…)")
    }
}

impl Client {
    /// Finds the running engine of a data directory and makes sure that it answers.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] when there is no `run.json`, [`ClientError::StaleRunFile`] when its engine is gone,
    /// and whatever [`Client::call`] may report.
    pub async fn connect(data_dir: &Path) -> Result<Self, ClientError> {
        let run = RunFile::read(data_dir)?.ok_or_else(|| ClientError::NotRunning { data_dir: data_dir.to_owned() })?;
        let stale = || ClientError::StaleRunFile { path: RunFile::path(data_dir), pid: run.pid };
        if process_is_alive(run.pid) == Some(false) {
            return Err(stale());
        }
        let address = run.admin_address(data_dir)?;
        let client = Self {
            data_dir: data_dir.to_owned(),
            address,
            authority: address.to_string(),
            token: AdminToken(Zeroizing::new(run.admin_token.clone())),
            ingress_url: run.ingress_url.clone(),
            admin_url: run.admin_url.clone(),
        };
        match client.call(Method::GET, "/health", &[], None).await {
            Ok(_) => Ok(client),
            // The process of that id may be any other by now; that nobody listens settles it.
            Err(ClientError::Unreachable { source, .. }) if source.kind() == std::io::ErrorKind::ConnectionRefused => {
                Err(stale())
            }
            Err(error) => Err(error),
        }
    }

    /// Base of all ingress URLs, as the engine published it.
    #[must_use]
    pub fn ingress_url(&self) -> &str {
        &self.ingress_url
    }

    /// Base of the admin API and the UI, as the engine published it.
    #[must_use]
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// One request; `path` stands behind `/api`. A 204 is `null`.
    ///
    /// # Errors
    /// [`ClientError::Api`] with the engine's own error object, or why there is no answer.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        let bytes = self.exchange(method, path, query, body, JSON_BYTES_MAX).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        answer::read(&bytes).map_err(|source| ClientError::BadAnswer { why: source.to_string() })
    }

    /// The raw bytes that a path answers with.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn bytes(&self, path: &str, query: &[(&str, String)]) -> Result<Bytes, ClientError> {
        self.exchange(Method::GET, path, query, None, RAW_BYTES_MAX).await
    }

    /// The live events from now on. The engine is listening for this client when this returns: nothing that happens
    /// afterwards is missed.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn events(&self) -> Result<EventStream, ClientError> {
        EventStream::open(self.clone()).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
        bytes_max: usize,
    ) -> Result<Bytes, ClientError> {
        let request = self.request(method, path, query, body, None)?;
        let answer = self.send(request).await?;
        let status = answer.status();
        let bytes = answer.collect(bytes_max, Duration::from_secs(PAUSE_SECONDS)).await?;
        if status.is_success() { Ok(bytes) } else { Err(api_error(status, &bytes)) }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, ClientError> {
        let limit = Duration::from_secs(CONNECT_SECONDS);
        let connecting = tokio::net::TcpStream::connect(self.address);
        let stream = timeout(limit, connecting)
            .await
            .map_err(|_| ClientError::TimedOut { what: "connecting to the engine", seconds: CONNECT_SECONDS })?
            .map_err(|source| ClientError::Unreachable { address: self.address, source })?;
        timeout(Duration::from_secs(HEAD_SECONDS), Answer::to(stream, request))
            .await
            .map_err(|_| ClientError::TimedOut { what: "waiting for the engine's answer", seconds: HEAD_SECONDS })?
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
        last_event_id: Option<&str>,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let mut uri = format!("/api{path}");
        if !query.is_empty() {
            let mut encoded = url::form_urlencoded::Serializer::new(String::new());
            encoded.extend_pairs(query);
            uri.push('?');
            uri.push_str(&encoded.finish());
        }
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(HOST, &self.authority)
            .header(AUTHORIZATION, format!("Bearer {}", self.token.0.as_str()))
            .header(ACCEPT, "*/*");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let bytes = body.map(Value::to_string).unwrap_or_default();
        request
            .body(Full::new(Bytes::from(bytes)))
            .map_err(|source| ClientError::BadAnswer { why: format!("run.json or an event cannot be used: {source}") })
    }
}

/// The engine's own error object, or one in its place when the answer holds none.
fn api_error(status: StatusCode, bytes: &[u8]) -> ClientError {
    let error = match serde_json::from_slice::<ErrorAnswer>(bytes) {
        Ok(answer) => answer.error,
        Err(_) => ErrorBody {
            code: "unexpected_answer".to_owned(),
            message: format!("The engine answered HTTP {} without an error object", status.as_u16()),
            help: "Check that the engine and this program have the same version: `creel doctor`.".to_owned(),
            field: None,
        },
    };
    ClientError::Api { status: status.as_u16(), error }
}

#[cfg(test)]
mod tests;
