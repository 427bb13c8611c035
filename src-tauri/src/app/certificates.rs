//! Certificates that providers sign with: fetched for endpoints whose user allows it, and kept with the endpoint.
//!
//! The option `trust` of an endpoint says `fetch` to allow it. A request that names a certificate which the endpoint does
//! not have cannot be judged yet; it is stored and answered as that (`unsupported_scheme`), never held up by the network.
//! Then the certificate is fetched, put into the endpoint's options as `certificate_pem` and `certificate_url`, where the
//! user sees it, and what was stored meanwhile is judged again. Without leave, the verdict's explanation says what to do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::App;
use super::endpoint_table::EndpointEntry;
use super::error::AppError;
use super::inbound::InboundRequest;
use crate::domain::{EndpointId, SignatureReason, Timestamp};
use crate::relay::CertificateClient;
use crate::signature::{SignedRequest, Verdict, is_certificate, options_with_certificate};

/// How long an endpoint waits between two fetches: nobody who knows its URL can make Creel ask a provider all the time.
const PAUSE: Duration = Duration::from_secs(60);
/// Endpoints whose last fetch is remembered; those beyond wait until one of these may fetch again.
const ENDPOINTS_MAX: usize = 1024;

/// Who fetches, and when each endpoint's last fetch was.
pub(super) struct Certificates {
    client: CertificateClient,
    last: Mutex<HashMap<EndpointId, Timestamp>>,
}

impl Certificates {
    /// Nothing has been fetched yet.
    pub(super) fn new(client: CertificateClient) -> Self {
        Self { client, last: Mutex::default() }
    }

    /// Whether an endpoint may fetch now; if so, it counts as having done it.
    fn take_turn(&self, endpoint: EndpointId, now: Timestamp) -> bool {
        let pause = i64::try_from(PAUSE.as_millis()).unwrap_or(i64::MAX);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, at| now.as_millis().saturating_sub(at.as_millis()) < pause);
        if last.len() >= ENDPOINTS_MAX || last.contains_key(&endpoint) {
            return false;
        }
        last.insert(endpoint, now);
        true
    }
}

/// A certificate that a request was signed with and its endpoint does not have.
pub(super) struct WantedCertificate {
    endpoint: EndpointId,
    url: String,
}

impl App {
    /// The certificate that has to be fetched before a request can be judged; none when it is there, or may not be fetched.
    pub(super) fn wanted_certificate(
        &self,
        entry: &EndpointEntry,
        request: &InboundRequest,
        verdict: Verdict,
    ) -> Option<WantedCertificate> {
        if verdict.reason != SignatureReason::UnsupportedScheme {
            return None;
        }
        let signed =
            SignedRequest { method: &request.method, url: None, headers: &request.headers, body: &request.body };
        let endpoint = &entry.endpoint;
        let (scheme, options) = (endpoint.scheme.as_deref(), &endpoint.provider_options);
        let url = entry.provider.as_ref()?.certificate_to_fetch(scheme, options, &signed)?;
        Some(WantedCertificate { endpoint: endpoint.id, url })
    }

    /// Begins to fetch a certificate, unless the endpoint fetched one just now.
    pub(super) fn begin_certificate_fetch(self: &Arc<Self>, wanted: WantedCertificate) {
        if !self.certificates.take_turn(wanted.endpoint, self.core.clock.now()) {
            return;
        }
        let app = Arc::clone(self);
        self.tasks.spawn(async move {
            let fetched = tokio::select! {
                fetched = app.fetch_certificate(&wanted) => fetched,
                () = app.stop.cancelled() => return,
            };
            match fetched {
                Ok(()) => {
                    app.begin_reverify(wanted.endpoint);
                }
                // The address is one of the recipe's hosts; the rest of it is the sender's and stays out of the log.
                Err(why) => tracing::warn!(endpoint = %wanted.endpoint, %why, "a certificate could not be fetched"),
            }
        });
    }

    async fn fetch_certificate(&self, wanted: &WantedCertificate) -> Result<(), String> {
        let policy = self.core.address_policy(true);
        let pem = self.certificates.client.fetch(&wanted.url, &policy).await.map_err(|error| error.to_string())?;
        if !is_certificate(&pem) {
            return Err("what was found there is no certificate".to_owned());
        }
        self.keep_certificate(wanted, &pem).await.map_err(|error| error.message)
    }

    async fn keep_certificate(&self, wanted: &WantedCertificate, pem: &str) -> Result<(), AppError> {
        let _one_at_a_time = self.core.endpoint_changes.lock().await;
        // Looked up again: the endpoint may be gone, or its user have thought better of it.
        let Some(entry) = self.core.endpoints.by_id(wanted.endpoint) else { return Ok(()) };
        let mut endpoint = (*entry.endpoint).clone();
        let Some(options) = options_with_certificate(&endpoint.provider_options, &wanted.url, pem) else {
            return Ok(());
        };
        endpoint.provider_options = options;
        self.core.store.write(move |writing| writing.save_endpoint(&endpoint)).await?;
        self.core.reload_endpoints().await?;
        self.announce_endpoint(wanted.endpoint).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use serde_json::{Value, json};
    use tokio::time::Instant;

    use super::*;
    use crate::app::inbound::ClientAddress;
    use crate::app::settings::SettingsOverrides;
    use crate::app::{Addresses, AppConfig};
    use crate::domain::{DeliveryId, Headers};
    use crate::relay::certificate_provider::{found, provider};
    use crate::signature::Example;
    use crate::store::{OwnerLock, read_summary};

    const HOST: &str = "sns.eu-central-1.amazonaws.com";
    /// More than enough for a connection on this machine.
    const PATIENCE: Duration = Duration::from_secs(20);

    async fn app(dir: &std::path::Path, client: CertificateClient) -> Arc<App> {
        let ([ingress, admin], public_url) = (["127.0.0.1:1", "127.0.0.1:2"].map(|text| text.parse().unwrap()), None);
        let addresses = Addresses { ingress, admin, public_url, tunnel: Arc::default() };
        let lock = OwnerLock::take(dir).unwrap();
        let guard = crate::tunnel::GuardProgram::this_program().unwrap();
        let config = AppConfig {
            lock,
            addresses,
            overrides: SettingsOverrides::default(),
            spawner: Arc::new(crate::tunnel::TokioSpawner::new(guard)),
            tunnel_dir: dir.join("tunnel"),
        };
        App::start_with(config, client).await.unwrap()
    }

    async fn ended(app: Arc<App>) {
        app.stop_relay(Instant::now()).await;
        app.close(Instant::now() + Duration::from_secs(5)).await;
    }

    /// An endpoint for Amazon SNS with these options.
    async fn endpoint(app: &App, options: Value, letter: &str) -> EndpointId {
        let id = EndpointId::new();
        let endpoint = serde_json::from_value(json!({
            "id": id, "name": "a", "token": format!("ep_{}", letter.repeat(43)), "provider": "aws-sns",
            "scheme": null, "provider_options": options, "body_policy": "any", "signature_policy": "enforce",
            "enabled": true, "duplicate_policy": "collapse", "reply": {"mode": "ack"}, "event_filters": [],
            "when_target_down": "fail", "targets": [], "allow_non_loopback": false, "public_url_override": null,
            "created_at": Timestamp::from_millis(0),
        }));
        let endpoint = endpoint.unwrap();
        app.core.store.write(move |writing| writing.save_endpoint(&endpoint)).await.unwrap();
        app.core.reload_endpoints().await.unwrap();
        id
    }

    fn example(app: &App) -> Example {
        app.core.catalogue.get("aws-sns").unwrap().examples[0].clone()
    }

    fn certificate_of(example: &Example) -> String {
        example.options.as_ref().unwrap()["certificate_pem"].as_str().unwrap().to_owned()
    }

    /// What the sender of the example is told: the status, and the delivery's id.
    async fn sent(app: &Arc<App>, endpoint: EndpointId) -> (u16, DeliveryId) {
        let example = example(app);
        let request = InboundRequest {
            method: "POST".to_owned(),
            path: String::new(),
            query: None,
            headers: Headers::from_pairs(example.headers.iter().map(|(name, value)| (name, value))).unwrap(),
            body: example.body.into(),
            remote_addr: "127.0.0.1:3".parse().unwrap(),
            client: ClientAddress { ip: None, source: "peer" },
            received_at: app.core.clock.now(),
            public_base: None,
        };
        let reply = app.capture_request(endpoint, request, ()).await;
        let said: Value = serde_json::from_slice(&reply.body).unwrap();
        (reply.status, serde_json::from_value(said["delivery_id"].clone()).unwrap())
    }

    async fn reason(app: &App, id: DeliveryId) -> SignatureReason {
        app.core.store.read(move |connection| read_summary(connection, id)).await.unwrap().unwrap().signature_reason
    }

    #[tokio::test]
    async fn a_certificate_is_fetched_once_when_the_user_allows_it_and_what_waited_for_it_is_judged_again() {
        let dir = tempfile::tempdir().unwrap();
        let pem = {
            let catalogue = crate::signature::Catalogue::embedded().unwrap();
            certificate_of(&catalogue.get("aws-sns").unwrap().examples[0])
        };
        let (client, asked) = provider(HOST, found(&pem)).await;
        let app = app(dir.path(), client).await;
        let endpoint = endpoint(&app, json!({ "trust": "fetch" }), "a").await;
        let (status, first) = sent(&app, endpoint).await;
        assert_eq!(status, 401, "the sender is not kept waiting");
        let until = Instant::now() + PATIENCE;
        while reason(&app, first).await != SignatureReason::Ok {
            assert!(Instant::now() < until, "the delivery was not judged again");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let options = app.core.endpoints.by_id(endpoint).unwrap().endpoint.provider_options.clone();
        assert_eq!(options["certificate_pem"], pem);
        assert!(options["certificate_url"].as_str().unwrap().starts_with("https://sns.eu-central-1.amazonaws.com/"));
        let (status, second) = sent(&app, endpoint).await;
        assert_eq!((status, reason(&app, second).await), (200, SignatureReason::Ok));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        ended(app).await;
    }

    #[tokio::test]
    async fn nothing_is_fetched_without_leave_and_a_provider_that_answers_otherwise_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (client, asked) = provider(HOST, found("no certificate")).await;
        let app = app(dir.path(), client).await;
        let without = endpoint(&app, json!({ "trust": "a remark" }), "a").await;
        let (_, id) = sent(&app, without).await;
        assert_eq!(reason(&app, id).await, SignatureReason::UnsupportedScheme);
        let with = endpoint(&app, json!({ "trust": "fetch" }), "b").await;
        let mut last = id;
        let until = Instant::now() + PATIENCE;
        // All that is waited for is the request that must come, and only from the endpoint that may make it.
        while asked.load(Ordering::SeqCst) == 0 {
            last = sent(&app, with).await.1;
            assert!(Instant::now() < until, "nobody was asked");
        }
        sent(&app, with).await;
        assert_eq!(reason(&app, last).await, SignatureReason::UnsupportedScheme);
        ended(Arc::clone(&app)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 1, "not asked again at once");
        assert_eq!(app.core.endpoints.by_id(with).unwrap().endpoint.provider_options, json!({ "trust": "fetch" }));
    }

    #[test]
    fn an_endpoint_waits_between_two_fetches_and_no_other_waits_for_it() {
        let certificates = Certificates::new(CertificateClient::default());
        let (one, other, at) = (EndpointId::new(), EndpointId::new(), Timestamp::from_millis);
        assert!(certificates.take_turn(one, at(0)));
        assert!(!certificates.take_turn(one, at(59_999)));
        assert!(certificates.take_turn(other, at(59_999)));
        assert!(certificates.take_turn(one, at(60_000)));
    }
}
