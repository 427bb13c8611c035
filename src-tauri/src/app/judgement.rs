//! What is known about a request before it is stored: steps 5 to 8 of CONTRACT section 3.
//!
//! Parsing and hashing take a millisecond for each megabyte or so. Small bodies are judged where they arrive; a large one
//! is judged on a thread that may be held up, because an async worker has a thousand other connections to serve.

use std::pin::Pin;
use std::sync::Arc;

use super::App;
use super::endpoint_table::EndpointEntry;
use super::inbound::InboundRequest;
use super::stored_request::full_url;
use crate::domain::{BodyPolicy, Endpoint, SeededBug, SignatureReason, SignatureStatus};
use crate::signature::{
    BodyFacts, DedupeKey, EventName, HandshakeReply, JsonKind, Provider, SignatureError, SignedRequest, Verdict,
};

/// Bodies up to this many bytes are judged on the async worker that read them.
pub(super) const JUDGED_INLINE_BYTES_MAX: usize = 256 * 1024;
/// Large bodies judged at the same time; more would only take the processor from everything else.
pub(super) const LARGE_BODIES_JUDGED_MAX: usize = 2;

/// What a request is.
pub(super) struct Judgement {
    /// The body, as far as names, filters and keys need it.
    pub(super) facts: BodyFacts,
    /// Whether its signature holds.
    pub(super) verdict: Verdict,
    /// Its event.
    pub(super) event: EventName,
    /// What makes a repeat of it recognisable.
    pub(super) key: Option<DedupeKey>,
    /// What its sender wants to hear, when it only asks whether the endpoint is there.
    pub(super) handshake: Option<HandshakeReply>,
}

/// A request with its judgement, or the promise of both.
#[expect(clippy::large_enum_variant, reason = "it lives for one statement, and the large variant is the usual one")]
pub(super) enum Judged {
    /// Done.
    Here(InboundRequest, Judgement),
    /// Under way. On the heap, so that small requests do not carry the room for it.
    Apart(Pin<Box<dyn Future<Output = JudgedApart> + Send>>),
}

/// What judging a large body comes to.
type JudgedApart = Result<(InboundRequest, Judgement), JudgementError>;

/// Why a request was not judged.
#[derive(Debug, thiserror::Error)]
pub(super) enum JudgementError {
    /// The endpoint takes JSON only; the text says what the body is instead.
    #[error("the endpoint takes JSON only: {0}")]
    NotJson(String),
    /// The settings do not fit the provider.
    #[error("the signature could not be judged: {0}")]
    Signature(#[from] SignatureError),
    /// Never treated as if none were set.
    #[error("a signing secret cannot be read from the database")]
    SecretUnreadable,
    /// The endpoint was made by a Creel with another catalogue.
    #[error("the catalogue does not know the endpoint's provider")]
    NoProvider,
    /// The thread ended without an answer.
    #[error("the engine is stopping")]
    Stopping,
}

impl App {
    /// Judges a request and gives it back with the result: a small one at once, a large one later.
    pub(super) fn judged(
        self: &Arc<Self>,
        entry: &Arc<EndpointEntry>,
        request: InboundRequest,
    ) -> Result<Judged, JudgementError> {
        if request.body.len() <= JUDGED_INLINE_BYTES_MAX {
            let judgement = self.judge(entry, &request)?;
            return Ok(Judged::Here(request, judgement));
        }
        Ok(Judged::Apart(Box::pin(Arc::clone(self).judged_apart(Arc::clone(entry), request))))
    }

    async fn judged_apart(self: Arc<Self>, entry: Arc<EndpointEntry>, request: InboundRequest) -> JudgedApart {
        let _turn = self.large_bodies.acquire().await.map_err(|_| JudgementError::Stopping)?;
        let app = Arc::clone(&self);
        let judging =
            self.tasks.spawn_blocking(move || app.judge(&entry, &request).map(|judgement| (request, judgement)));
        judging.await.unwrap_or(Err(JudgementError::Stopping))
    }

    fn judge(&self, entry: &EndpointEntry, request: &InboundRequest) -> Result<Judgement, JudgementError> {
        let endpoint = &entry.endpoint;
        let facts = BodyFacts::read(&request.body);
        if endpoint.body_policy == BodyPolicy::Json && !matches!(facts.json, Some(JsonKind::Object | JsonKind::Array)) {
            let why = facts.error.unwrap_or_else(|| "the body is JSON, but neither an object nor an array".to_owned());
            return Err(JudgementError::NotJson(why));
        }
        let provider = entry.provider.as_deref().ok_or(JudgementError::NoProvider)?;
        let verdict = self.verdict(entry, provider, request)?;
        let event = provider.event_name(&request.headers, &facts, &request.body);
        let key = provider.dedupe_key(&request.headers, &facts, &request.body);
        let handshake = self.handshake(entry, provider, request, verdict);
        Ok(Judgement { facts, verdict, event, key, handshake })
    }

    fn handshake(
        &self,
        entry: &EndpointEntry,
        provider: &Provider,
        request: &InboundRequest,
        verdict: Verdict,
    ) -> Option<HandshakeReply> {
        let signed =
            SignedRequest { method: &request.method, url: None, headers: &request.headers, body: &request.body };
        // That it is genuine is enough: to answer an old one again gives nothing away that was not given before.
        let holds = verdict.matched_secret.is_some() || verdict.status == SignatureStatus::NotRequired;
        let (options, query) = (&entry.endpoint.provider_options, request.query.as_deref());
        provider.handshake(options, entry.secrets.as_deref()?, &signed, query, holds)
    }

    fn verdict(
        &self,
        entry: &EndpointEntry,
        provider: &Provider,
        request: &InboundRequest,
    ) -> Result<Verdict, JudgementError> {
        if SeededBug::AcceptAnySignature.is_on() {
            return Ok(Verdict {
                status: SignatureStatus::Valid,
                reason: SignatureReason::Ok,
                matched_secret: Some(0),
            });
        }
        let secrets = entry.secrets.as_deref().ok_or(JudgementError::SecretUnreadable)?;
        let url =
            public_url_of(&entry.endpoint, request.public_base.as_deref(), &request.path, request.query.as_deref());
        let signed = SignedRequest {
            method: &request.method,
            url: url.as_deref(),
            headers: &request.headers,
            body: &request.body,
        };
        let endpoint = &entry.endpoint;
        Ok(provider.verify(
            endpoint.scheme.as_deref(),
            &endpoint.provider_options,
            secrets,
            &signed,
            request.received_at,
        )?)
    }

    /// Where senders reach the endpoint, when that is known.
    pub(in crate::app) fn public_base_of(&self, endpoint: &Endpoint) -> Option<String> {
        endpoint.public_url_override.clone().or_else(|| self.core.addresses.public_base())
    }
}

/// The URL as the sender saw it, when the public address is known: `base` is the one that held when the request came.
pub(in crate::app) fn public_url_of(
    endpoint: &Endpoint,
    base: Option<&str>,
    path: &str,
    query: Option<&str>,
) -> Option<String> {
    let base = endpoint.public_url_override.as_deref().or(base)?;
    Some(full_url(base, endpoint, path, query))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use serde_json::json;

    use super::*;
    use crate::app::test_app::{app, ended, endpoint_of, request};
    use crate::relay::CertificateClient;

    fn entry(app: &App) -> Arc<EndpointEntry> {
        Arc::new(EndpointEntry {
            row: 1,
            endpoint: Arc::new(endpoint_of("generic", json!({ "body_policy": "json" }))),
            provider: app.core.catalogue.get("generic").cloned(),
            stored_secrets: Vec::new(),
            secrets: Some(Vec::new()),
        })
    }

    #[tokio::test]
    async fn a_large_body_is_judged_off_the_worker_and_a_small_one_at_once_with_the_same_result() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), CertificateClient::default()).await;
        let entry = entry(&app);
        let padded = |bytes: usize| {
            let (head, tail) = (r#"{"event":"order.paid","pad":""#, r#""}"#);
            request(&app, &[], format!("{head}{}{tail}", "x".repeat(bytes - head.len() - tail.len())))
        };
        let Ok(Judged::Here(_, judgement)) = app.judged(&entry, padded(JUDGED_INLINE_BYTES_MAX)) else {
            panic!("a small body had to wait");
        };
        assert_eq!(judgement.event.name, "order.paid");
        let others = app.large_bodies.acquire_many(u32::try_from(LARGE_BODIES_JUDGED_MAX).unwrap()).await.unwrap();
        let Ok(Judged::Apart(mut large)) = app.judged(&entry, padded(JUDGED_INLINE_BYTES_MAX + 1)) else {
            panic!("a large body was judged on the worker");
        };
        assert!(large.as_mut().now_or_never().is_none(), "it waits for its turn");
        drop(others);
        let (judged, judgement) = large.await.unwrap();
        assert_eq!((judged.body.len(), judgement.event.name.as_str()), (JUDGED_INLINE_BYTES_MAX + 1, "order.paid"));
        let Ok(Judged::Apart(refused)) =
            app.judged(&entry, request(&app, &[], "x".repeat(JUDGED_INLINE_BYTES_MAX + 1)))
        else {
            panic!("a large body was judged on the worker");
        };
        assert!(matches!(refused.await, Err(JudgementError::NotJson(_))));
        ended(app).await;
    }
}
