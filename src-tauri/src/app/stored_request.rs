//! A stored delivery as its signature sees it.
//!
//! What the sender signed is what came; only where the sender saw it may be known better by now than at its arrival.

use super::endpoint_table::EndpointEntry;
use crate::domain::{DeliverySummary, Endpoint, Secret, SignatureStatus, Timestamp};
use crate::signature::{Provider, SignatureError, SignedRequest, Verdict};
use crate::store::Payload;

/// The rules that a request is judged by.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) provider: &'a Provider,
    pub(super) scheme: Option<&'a str>,
    pub(super) options: &'a serde_json::Value,
    pub(super) secrets: &'a [Secret],
}

impl<'a> Rules<'a> {
    /// Those of the endpoint; none when its provider is unknown or a secret cannot be read.
    pub(super) fn of(entry: &'a EndpointEntry) -> Option<Self> {
        let endpoint = &entry.endpoint;
        Some(Self {
            provider: entry.provider.as_deref()?,
            scheme: endpoint.scheme.as_deref(),
            options: &endpoint.provider_options,
            secrets: entry.secrets.as_deref()?,
        })
    }

    fn verify(&self, request: &SignedRequest<'_>, now: Timestamp) -> Result<Verdict, SignatureError> {
        self.provider.verify(self.scheme, self.options, self.secrets, request, now)
    }
}

/// A delivery from the database with the URLs under which its sender may have known it.
pub(super) struct StoredRequest {
    pub(super) summary: DeliverySummary,
    payload: Payload,
    /// By the endpoint's present public address, where that is another than the one known at arrival.
    url_now: Option<String>,
}

impl StoredRequest {
    /// `base` is the public base URL as it is now.
    pub(super) fn new(summary: DeliverySummary, payload: Payload, endpoint: &Endpoint, base: Option<&str>) -> Self {
        let url_now = base
            .map(|base| full_url(base, endpoint, &summary.path, summary.query.as_deref()))
            .filter(|url| Some(url) != payload.public_url.as_ref());
        Self { summary, payload, url_now }
    }

    /// The path and query that senders post to, behind any base URL.
    pub(super) fn path_and_query(&self, endpoint: &Endpoint) -> String {
        full_url("", endpoint, &self.summary.path, self.summary.query.as_deref())
    }

    /// Judges it as of its arrival: a signature that was fresh then has not gone stale by being kept. By the URL known
    /// then, and where that does not hold by the one known now.
    pub(super) fn judge(&self, rules: &Rules<'_>, now: Timestamp) -> Result<Verdict, SignatureError> {
        let now = self.summary.received_at.min(now);
        let verdict = rules.verify(&self.request(self.payload.public_url.as_deref()), now)?;
        match &self.url_now {
            Some(url) if verdict.status == SignatureStatus::Invalid => {
                let other = rules.verify(&self.request(Some(url)), now)?;
                Ok(if other.matched_secret.is_some() { other } else { verdict })
            }
            _ => Ok(verdict),
        }
    }

    /// The request with the URL that the verdict is about.
    pub(super) fn as_judged(&self, rules: &Rules<'_>, now: Timestamp) -> Result<SignedRequest<'_>, SignatureError> {
        let known = self.request(self.payload.public_url.as_deref().or(self.url_now.as_deref()));
        let Some(url) = &self.url_now else { return Ok(known) };
        let now = self.summary.received_at.min(now);
        if rules.verify(&known, now)?.matched_secret.is_some() {
            return Ok(known);
        }
        let present = self.request(Some(url));
        Ok(if rules.verify(&present, now)?.matched_secret.is_some() { present } else { known })
    }

    fn request<'a>(&'a self, url: Option<&'a str>) -> SignedRequest<'a> {
        SignedRequest { method: &self.summary.method, url, headers: &self.payload.headers, body: &self.payload.body }
    }
}

/// The URL of a request as its sender sees it.
pub(super) fn full_url(base: &str, endpoint: &Endpoint, path: &str, query: Option<&str>) -> String {
    let mark = if query.is_some() { "?" } else { "" };
    format!("{base}{}{path}{mark}{}", endpoint.ingress_path(), query.unwrap_or_default())
}
