//! Certificates that providers sign with: fetched for endpoints whose user allows it, and kept with the endpoint.
//!
//! The option `trust` of an endpoint says `fetch` to allow it. A request that names a certificate which the endpoint does
//! not have cannot be judged yet; it is stored and answered as that (`unsupported_scheme`), never held up by the network.
//! Then the certificate is fetched. If the signature of that request holds with it, it is put into the endpoint's options
//! as `certificate_pem` and `certificate_url`, where the user sees it, and what was stored meanwhile is judged again: naming
//! a certificate is anybody's, signing is not. A few stand there side by side, so that a sender may use several in turn;
//! which of them are in use decides which gives way to the next. Without leave, the verdict's explanation says what to do.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::App;
use super::endpoint_table::EndpointEntry;
use super::error::AppError;
use super::inbound::{InboundRequest, network_of};
use super::judgement::public_url_of;
use crate::domain::{Endpoint, EndpointId, SignatureReason, Timestamp};
use crate::relay::CertificateClient;
use crate::signature::{SignedRequest, Verdict, certificate_in, is_certificate, options_with_certificate};

/// How long an address is not asked again for an endpoint: what was found there stands until then.
const PAUSE: Duration = Duration::from_secs(60);
/// Addresses asked for one endpoint within [`PAUSE`]: who knows its URL cannot make Creel ask a provider all the time.
const FETCHES_PER_ENDPOINT: usize = 10;
/// How many of these one client may bring about: what it makes up must not hold up what others truly name.
const FETCHES_PER_CLIENT: usize = 3;
/// Fetches remembered over all endpoints, each with at most 64 KiB; those beyond wait until one of these is forgotten.
const FETCHES_MAX: usize = 256;
/// How long a certificate that a request was signed with needs no fetch, counted from its last use: a sender may have
/// several in use.
const PROVEN: Duration = Duration::from_secs(24 * 60 * 60);
/// Such certificates remembered for one endpoint; the one used least recently gives way.
const PROVEN_PER_ENDPOINT: usize = 16;
/// Certificates of other endpoints that are tried before one is fetched.
const OTHERS_TRIED_MAX: usize = 8;
/// Bytes of the longest address that is asked.
const ADDRESS_BYTES_MAX: usize = 1024;
/// Bytes of the largest body that is kept to try a certificate with; messages of SNS have 256 KiB before they are escaped
/// (<https://docs.aws.amazon.com/general/latest/gr/sns.html>).
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// An address for an endpoint.
type Wish = (EndpointId, String);

/// One fetch for an endpoint.
struct Fetch {
    begun_at: Timestamp,
    /// Who named the address, where that is known.
    client: Option<IpAddr>,
    /// What was found, once it was.
    pem: Option<Arc<str>>,
}

/// A certificate that a request of the endpoint was signed with.
struct Proven {
    used_at: Timestamp,
    pem: Arc<str>,
}

/// What is to be done about a certificate that is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Fetch,
    /// It is there: it was fetched just now, for a request that it did not fit perhaps, or is in use already.
    Try(Arc<str>),
    Wait,
}

/// Who fetches, what was fetched just now, and what has proved right.
pub(super) struct Certificates {
    client: CertificateClient,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    fetches: HashMap<Wish, Fetch>,
    proven: HashMap<Wish, Proven>,
}

impl Known {
    fn forget_old(&mut self, now: Timestamp) {
        let is_within = |since: Timestamp, time: Duration| {
            let age = u64::try_from(now.as_millis().saturating_sub(since.as_millis())).unwrap_or(0);
            Duration::from_millis(age) < time
        };
        self.fetches.retain(|_, fetch| is_within(fetch.begun_at, PAUSE));
        self.proven.retain(|_, proven| is_within(proven.used_at, PROVEN));
    }
}

impl Certificates {
    /// Nothing has been fetched yet.
    pub(super) fn new(client: CertificateClient) -> Self {
        Self { client, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an endpoint may do now; if it may fetch, it counts as having done it.
    fn step(&self, endpoint: EndpointId, url: &str, client: Option<IpAddr>, now: Timestamp) -> Step {
        let mut known = self.known();
        known.forget_old(now);
        let wish = (endpoint, url.to_owned());
        if let Some(proven) = known.proven.get(&wish) {
            return Step::Try(Arc::clone(&proven.pem));
        }
        if let Some(fetch) = known.fetches.get(&wish) {
            return fetch.pem.clone().map_or(Step::Wait, Step::Try);
        }
        let of_endpoint = || known.fetches.iter().filter(|((id, _), _)| *id == endpoint).map(|(_, fetch)| fetch);
        let of_client = of_endpoint().filter(|fetch| client.is_some() && fetch.client == client).count();
        let is_full = of_endpoint().count() >= FETCHES_PER_ENDPOINT || known.fetches.len() >= FETCHES_MAX;
        if is_full || of_client >= FETCHES_PER_CLIENT {
            return Step::Wait;
        }
        known.fetches.insert(wish, Fetch { begun_at: now, client, pem: None });
        Step::Fetch
    }

    /// Notes what was found: a forged request that named an address must not keep the next, true one from being judged.
    fn found(&self, endpoint: EndpointId, url: &str, pem: &Arc<str>) {
        if let Some(fetch) = self.known().fetches.get_mut(&(endpoint, url.to_owned())) {
            fetch.pem = Some(Arc::clone(pem));
        }
    }

    /// When a certificate was last used, if that is known.
    fn used_at(&self, endpoint: EndpointId, url: &str) -> Option<Timestamp> {
        self.known().proven.get(&(endpoint, url.to_owned())).map(|proven| proven.used_at)
    }

    /// Notes that a request was signed with a certificate: from now on it neither waits nor counts.
    fn proved(&self, endpoint: EndpointId, url: &str, pem: &Arc<str>, now: Timestamp) {
        let mut known = self.known();
        let wish = (endpoint, url.to_owned());
        known.fetches.remove(&wish);
        known.proven.insert(wish, Proven { used_at: now, pem: Arc::clone(pem) });
        let of_endpoint = || known.proven.iter().filter(|((id, _), _)| *id == endpoint);
        if of_endpoint().count() > PROVEN_PER_ENDPOINT {
            let oldest = of_endpoint().min_by_key(|(_, proven)| proven.used_at).map(|(wish, _)| wish.clone());
            oldest.map(|wish| known.proven.remove(&wish));
        }
    }
}

/// A certificate that a request names and its endpoint does not have.
pub(super) struct WantedCertificate {
    endpoint: EndpointId,
    url: String,
    /// What the certificate has to fit.
    request: InboundRequest,
}

/// What came of a certificate.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Kept,
    /// The request was not signed with it, or the endpoint has changed its mind.
    NotKept,
}

impl WantedCertificate {
    /// Who sent the request, where that is known and not only claimed.
    fn client(&self) -> Option<IpAddr> {
        let peer = Some(self.request.remote_addr.ip()).filter(|peer| !peer.is_loopback());
        self.request.client.known().or(peer).map(network_of)
    }

    /// The endpoint with the certificate, where it may be kept and the request was signed with it.
    fn fitted_into(&self, entry: &EndpointEntry, pem: &str, known: &Certificates) -> Option<Endpoint> {
        let mut endpoint = (*entry.endpoint).clone();
        let used_at = |url: &str| known.used_at(endpoint.id, url);
        endpoint.provider_options = options_with_certificate(&endpoint.provider_options, &self.url, pem, used_at)?;
        let InboundRequest { method, path, query, headers, body, public_base, received_at, .. } = &self.request;
        let url = public_url_of(&endpoint, public_base.as_deref(), path, query.as_deref());
        let signed = SignedRequest { method, url: url.as_deref(), headers, body };
        let (scheme, options) = (endpoint.scheme.as_deref(), &endpoint.provider_options);
        let provider = entry.provider.as_ref()?;
        let verdict = provider.verify(scheme, options, entry.secrets.as_deref()?, &signed, *received_at).ok()?;
        verdict.matched_secret.is_some().then_some(endpoint)
    }
}

impl App {
    /// The certificate that has to be fetched before a request can be judged; none when it is there, or may not be fetched.
    pub(super) fn wanted_certificate(
        &self,
        entry: &EndpointEntry,
        request: &InboundRequest,
        verdict: Verdict,
    ) -> Option<WantedCertificate> {
        if verdict.reason != SignatureReason::UnsupportedScheme || request.body.len() > BODY_BYTES_MAX {
            return None;
        }
        let signed =
            SignedRequest { method: &request.method, url: None, headers: &request.headers, body: &request.body };
        let endpoint = &entry.endpoint;
        let (scheme, options) = (endpoint.scheme.as_deref(), &endpoint.provider_options);
        let url = entry.provider.as_ref()?.certificate_to_fetch(scheme, options, &signed)?;
        let is_short = url.len() <= ADDRESS_BYTES_MAX;
        is_short.then(|| WantedCertificate { endpoint: endpoint.id, url, request: request.clone() })
    }

    /// Notes which of the endpoint's certificates a request was signed with, so that it does not give way to the next.
    pub(super) fn note_certificate(&self, entry: &EndpointEntry, request: &InboundRequest, verdict: Verdict) {
        let Some(provider) = entry.provider.as_ref().filter(|_| verdict.matched_secret.is_some()) else { return };
        let signed =
            SignedRequest { method: &request.method, url: None, headers: &request.headers, body: &request.body };
        let Endpoint { id, scheme, provider_options: options, .. } = &*entry.endpoint;
        let Some(url) = provider.certificate_in_use(scheme.as_deref(), options, &signed) else { return };
        if let Some(pem) = certificate_in(options, &url) {
            self.certificates.proved(*id, &url, &Arc::from(pem), request.received_at);
        }
    }

    /// Begins to fetch a certificate, unless that was done just now.
    pub(super) fn begin_certificate_fetch(self: &Arc<Self>, wanted: WantedCertificate) {
        let step = self.certificate_step(&wanted);
        if step == Step::Wait {
            return;
        }
        let app = Arc::clone(self);
        self.tasks.spawn(async move {
            let ended = tokio::select! {
                ended = app.obtain_certificate(&wanted, step) => ended,
                () = app.stop.cancelled() => return,
            };
            match ended {
                Ok(Outcome::Kept) => {
                    app.begin_reverify(wanted.endpoint);
                }
                Ok(Outcome::NotKept) => {}
                // The address is one of the recipe's hosts; the rest of it is the sender's and stays out of the log.
                Err(why) => tracing::warn!(endpoint = %wanted.endpoint, %why, "a certificate could not be fetched"),
            }
        });
    }

    /// What another endpoint has from the same address is not fetched again, if the request is signed with it: there may
    /// be an older one, or one that its user has typed.
    fn certificate_step(&self, wanted: &WantedCertificate) -> Step {
        let entries = self.core.endpoints.all();
        let own = entries.iter().find(|entry| entry.endpoint.id == wanted.endpoint);
        let others = entries.iter().filter(|entry| entry.endpoint.id != wanted.endpoint);
        let fits = |pem: &&str| own.is_some_and(|own| wanted.fitted_into(own, pem, &self.certificates).is_some());
        let kept = others.filter_map(|entry| certificate_in(&entry.endpoint.provider_options, &wanted.url));
        match kept.take(OTHERS_TRIED_MAX).find(fits) {
            Some(pem) => Step::Try(Arc::from(pem)),
            None => self.certificates.step(wanted.endpoint, &wanted.url, wanted.client(), self.core.clock.now()),
        }
    }

    async fn obtain_certificate(&self, wanted: &WantedCertificate, step: Step) -> Result<Outcome, String> {
        let pem = match step {
            Step::Wait => return Ok(Outcome::NotKept),
            Step::Try(pem) => pem,
            Step::Fetch => self.fetch_certificate(wanted).await?,
        };
        let outcome = self.keep_certificate(wanted, &pem).await.map_err(|error| error.message)?;
        if outcome == Outcome::Kept {
            self.certificates.proved(wanted.endpoint, &wanted.url, &pem, self.core.clock.now());
        }
        Ok(outcome)
    }

    async fn fetch_certificate(&self, wanted: &WantedCertificate) -> Result<Arc<str>, String> {
        let policy = self.core.address_policy(true);
        let pem = self.certificates.client.fetch(&wanted.url, &policy).await.map_err(|error| error.to_string())?;
        if !is_certificate(&pem) {
            return Err("what was found there is no certificate".to_owned());
        }
        let pem = Arc::from(pem);
        self.certificates.found(wanted.endpoint, &wanted.url, &pem);
        Ok(pem)
    }

    async fn keep_certificate(&self, wanted: &WantedCertificate, pem: &str) -> Result<Outcome, AppError> {
        let _one_at_a_time = self.core.endpoint_changes.lock().await;
        // Looked up again: the endpoint may be gone, or its user have thought better of it.
        let entry = self.core.endpoints.by_id(wanted.endpoint);
        let Some(endpoint) = entry.and_then(|entry| wanted.fitted_into(&entry, pem, &self.certificates)) else {
            return Ok(Outcome::NotKept);
        };
        self.core.store.write(move |writing| writing.save_endpoint(&endpoint)).await?;
        self.core.reload_endpoints().await?;
        self.announce_endpoint(wanted.endpoint).await.map(|_| Outcome::Kept)
    }
}

#[cfg(test)]
mod in_turn;

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use serde_json::{Value, json};

    use super::*;
    use crate::app::test_app::{self, app, ended, endpoint, posted, summary, until};
    use crate::domain::DeliveryId;
    use crate::relay::{found, provider};
    use crate::signature::Example;

    const HOST: &str = "sns.eu-central-1.amazonaws.com";

    fn example(app: &App) -> Example {
        app.core.catalogue.get("aws-sns").unwrap().examples[0].clone()
    }

    fn certificate_of(example: &Example) -> String {
        example.options.as_ref().unwrap()["certificate_pem"].as_str().unwrap().to_owned()
    }

    /// The example with its message and its name for it changed: it names the certificate and is not signed with it.
    fn forged(app: &App) -> Example {
        let example = example(app);
        let mut body: Value = serde_json::from_str(&example.body).unwrap();
        body["MessageId"] = json!("forged");
        body["Message"] = json!("forged");
        Example { body: body.to_string(), ..example }
    }

    fn of_example(app: &App, example: Example) -> InboundRequest {
        test_app::request(app, &example.headers, example.body)
    }

    /// What the sender of the example is told: the status, and the delivery's id.
    async fn sent(app: &Arc<App>, endpoint: EndpointId) -> (u16, DeliveryId) {
        post(app, endpoint, example(app)).await
    }

    async fn post(app: &Arc<App>, endpoint: EndpointId, example: Example) -> (u16, DeliveryId) {
        posted(app, endpoint, of_example(app, example)).await
    }

    async fn reason(app: &App, id: DeliveryId) -> SignatureReason {
        summary(app, id).await.signature_reason
    }

    async fn becomes_valid(app: &App, id: DeliveryId) {
        until("the delivery was not judged again", async || reason(app, id).await == SignatureReason::Ok).await;
    }

    /// The certificate of the example, before there is an app.
    fn embedded_certificate() -> String {
        let catalogue = crate::signature::Catalogue::embedded().unwrap();
        certificate_of(&catalogue.get("aws-sns").unwrap().examples[0])
    }

    #[tokio::test]
    async fn a_forged_request_that_names_another_certificate_leaves_the_stored_one_alone() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), CertificateClient::default()).await;
        let pem = embedded_certificate();
        let options = json!({ "trust": "fetch", "certificate_pem": "the user's own" });
        let endpoint = endpoint(&app, "aws-sns", options.clone()).await;
        let (status, reason) = (crate::domain::SignatureStatus::Invalid, SignatureReason::UnsupportedScheme);
        let verdict = Verdict { status, reason, matched_secret: None };
        let wanted = |example| {
            let entry = app.core.endpoints.by_id(endpoint).unwrap();
            app.wanted_certificate(&entry, &of_example(&app, example), verdict).unwrap()
        };
        let now = || app.core.endpoints.by_id(endpoint).unwrap().endpoint.provider_options.clone();
        assert_eq!(app.keep_certificate(&wanted(forged(&app)), &pem).await.unwrap(), Outcome::NotKept);
        assert_eq!(now(), options);
        assert_eq!(app.keep_certificate(&wanted(example(&app)), &pem).await.unwrap(), Outcome::Kept);
        assert_eq!(now()["certificate_pem"], pem);
        ended(app).await;
    }

    #[tokio::test]
    async fn a_forged_request_does_not_keep_the_certificate_from_the_true_one_behind_it() {
        let dir = tempfile::tempdir().unwrap();
        let (client, asked) = provider(HOST, found(&embedded_certificate())).await;
        let app = app(dir.path(), client).await;
        let endpoint = endpoint(&app, "aws-sns", json!({ "trust": "fetch" })).await;
        let (_, forged) = post(&app, endpoint, forged(&app)).await;
        let is_there = async || app.certificates.known().fetches.values().any(|fetch| fetch.pem.is_some());
        until("nothing was fetched", is_there).await;
        let (_, id) = sent(&app, endpoint).await;
        becomes_valid(&app, id).await;
        assert_ne!(reason(&app, forged).await, SignatureReason::Ok);
        assert_eq!(asked.load(Ordering::SeqCst), 1, "what was fetched is tried again, not fetched again");
        ended(app).await;
    }

    #[tokio::test]
    async fn a_certificate_that_the_user_brings_has_stored_deliveries_judged_again_though_there_is_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path(), CertificateClient::default()).await;
        let id = endpoint(&app, "aws-sns", json!({})).await;
        let (_, delivery) = sent(&app, id).await;
        assert_eq!(reason(&app, delivery).await, SignatureReason::UnsupportedScheme);
        let entry = app.core.endpoints.by_id(id).unwrap();
        let mut changed = (*entry.endpoint).clone();
        changed.provider_options = json!({ "certificate_pem": embedded_certificate() });
        app.save_changed(&entry, changed).await.unwrap();
        becomes_valid(&app, delivery).await;
        ended(app).await;
    }

    #[tokio::test]
    async fn a_certificate_is_fetched_once_when_the_user_allows_it_and_what_waited_for_it_is_judged_again() {
        let dir = tempfile::tempdir().unwrap();
        let pem = embedded_certificate();
        let (client, asked) = provider(HOST, found(&pem)).await;
        let app = app(dir.path(), client).await;
        let endpoint = endpoint(&app, "aws-sns", json!({ "trust": "fetch" })).await;
        let (status, first) = sent(&app, endpoint).await;
        assert_eq!(status, 401, "the sender is not kept waiting");
        becomes_valid(&app, first).await;
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
        let without = endpoint(&app, "aws-sns", json!({ "trust": "a remark" })).await;
        let (_, id) = sent(&app, without).await;
        assert_eq!(reason(&app, id).await, SignatureReason::UnsupportedScheme);
        let with = endpoint(&app, "aws-sns", json!({ "trust": "fetch" })).await;
        let mut last = id;
        // All that is waited for is the request that must come, and only from the endpoint that may make it.
        until("nobody was asked", async || {
            last = sent(&app, with).await.1;
            asked.load(Ordering::SeqCst) > 0
        })
        .await;
        sent(&app, with).await;
        assert_eq!(reason(&app, last).await, SignatureReason::UnsupportedScheme);
        ended(Arc::clone(&app)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 1, "not asked again at once");
        assert_eq!(app.core.endpoints.by_id(with).unwrap().endpoint.provider_options, json!({ "trust": "fetch" }));
    }

    #[tokio::test]
    async fn what_another_endpoint_has_from_the_same_address_is_not_fetched_again() {
        let dir = tempfile::tempdir().unwrap();
        let (client, asked) = provider(HOST, found("no certificate")).await;
        let app = app(dir.path(), client).await;
        let example = example(&app);
        let body: Value = serde_json::from_str(&example.body).unwrap();
        let (pem, url) = (certificate_of(&example), &body["SigningCertURL"]);
        let kept = json!({ "trust": "fetch", "certificate_pem": pem, "certificate_url": url });
        endpoint(&app, "aws-sns", kept.clone()).await;
        let second = endpoint(&app, "aws-sns", json!({ "trust": "fetch" })).await;
        let (_, delivery) = sent(&app, second).await;
        becomes_valid(&app, delivery).await;
        assert_eq!(app.core.endpoints.by_id(second).unwrap().endpoint.provider_options, kept);
        ended(app).await;
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn an_address_is_asked_once_a_minute_and_an_endpoint_asks_no_more_than_a_few() {
        let certificates = Certificates::new(CertificateClient::default());
        let (one, other, at) = (EndpointId::new(), EndpointId::new(), Timestamp::from_millis);
        let step = |endpoint, url: &str, millis| certificates.step(endpoint, url, None, at(millis));
        assert_eq!(step(one, "a", 0), Step::Fetch);
        assert_eq!(step(one, "a", 1), Step::Wait);
        certificates.found(one, "a", &Arc::from("pem"));
        assert_eq!(step(one, "a", 59_999), Step::Try(Arc::from("pem")));
        assert_eq!(step(other, "a", 59_999), Step::Fetch);
        assert_eq!(step(one, "a", 60_000), Step::Fetch);
        let more = (0..).take_while(|n| step(one, &n.to_string(), 60_001) == Step::Fetch).count();
        assert_eq!(more, FETCHES_PER_ENDPOINT - 1);
        assert_eq!(step(other, "b", 60_002), Step::Fetch);
    }

    #[test]
    fn addresses_that_one_client_makes_up_hold_up_neither_others_nor_what_has_proved_right() {
        let certificates = Certificates::new(CertificateClient::default());
        let (endpoint, at) = (EndpointId::new(), Timestamp::from_millis);
        let [liar, honest] = ["192.0.2.1", "192.0.2.2"].map(|text| Some(text.parse().unwrap()));
        let pem: Arc<str> = Arc::from("pem");
        certificates.proved(endpoint, "proven", &pem, at(0));
        let step = |url: &str, client, millis| certificates.step(endpoint, url, client, at(millis));
        let made_up = (0..).take_while(|n| step(&n.to_string(), liar, 1) == Step::Fetch).count();
        assert_eq!(made_up, FETCHES_PER_CLIENT);
        assert_eq!(step("true", honest, 2), Step::Fetch);
        let others = (0..).take_while(|n| step(&format!("x{n}"), None, 3) == Step::Fetch).count();
        assert_eq!(others, FETCHES_PER_ENDPOINT - FETCHES_PER_CLIENT - 1);
        assert_eq!(step("proven", honest, 4), Step::Try(Arc::clone(&pem)), "it neither waits nor counts");
        let day = i64::try_from(PROVEN.as_millis()).unwrap();
        assert_eq!(step("proven", honest, day), Step::Fetch);
        for n in 0..=PROVEN_PER_ENDPOINT {
            certificates.proved(endpoint, &n.to_string(), &pem, at(day + i64::try_from(n).unwrap()));
        }
        assert_eq!(certificates.known().proven.len(), PROVEN_PER_ENDPOINT);
        assert_eq!(step("0", liar, day + 100), Step::Fetch, "the oldest gave way");
    }
}
