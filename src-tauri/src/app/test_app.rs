//! An engine without listeners for the unit tests of this module.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::inbound::{ClientAddress, InboundRequest};
use super::settings::SettingsOverrides;
use super::{Addresses, App, AppConfig};
use crate::domain::{DeliveryId, DeliverySummary, Endpoint, EndpointId, Headers, Secret, SecretId, Timestamp};
use crate::relay::CertificateClient;
use crate::store::{OwnerLock, read_summary};

/// More than enough for anything that happens on this machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// An engine on that data directory.
pub(super) async fn app(dir: &Path, client: CertificateClient) -> Arc<App> {
    let ([ingress, admin], public_url) = (["127.0.0.1:1", "127.0.0.1:2"].map(|text| text.parse().unwrap()), None);
    let addresses = Addresses { ingress, admin, public_url, tunnel: Arc::default() };
    let lock = OwnerLock::take(dir).unwrap();
    let guard = crate::tunnel::GuardProgram::this_program().unwrap();
    let spawner = Arc::new(crate::tunnel::TokioSpawner::new(guard));
    let (overrides, tunnel_dir) = (SettingsOverrides::default(), dir.join("tunnel"));
    let config = AppConfig { lock, addresses, overrides, spawner, tunnel_dir };
    App::start_with(config, client).await.unwrap()
}

/// Ends it.
pub(super) async fn ended(app: Arc<App>) {
    app.stop_relay(Instant::now()).await;
    app.close(Instant::now() + Duration::from_secs(5)).await;
}

/// An endpoint as it would be made for a provider, with other fields in place of its own.
pub(super) fn endpoint_of(provider: &str, others: Value) -> Endpoint {
    let id = EndpointId::new();
    let token = format!("ep_{:_<43}", id.to_string().replace('-', ""));
    let mut endpoint = json!({
        "id": id, "name": "a", "token": token, "provider": provider, "scheme": null, "provider_options": {},
        "body_policy": "any", "signature_policy": "enforce", "enabled": true, "duplicate_policy": "collapse",
        "reply": {"mode": "ack"}, "event_filters": [], "when_target_down": "fail", "targets": [],
        "allow_non_loopback": false, "public_url_override": null, "created_at": Timestamp::from_millis(0),
    });
    for (name, value) in others.as_object().into_iter().flatten() {
        endpoint[name] = value.clone();
    }
    serde_json::from_value(endpoint).unwrap()
}

/// The same, saved.
pub(super) async fn endpoint(app: &App, provider: &str, options: Value) -> EndpointId {
    let endpoint = endpoint_of(provider, json!({ "provider_options": options }));
    let id = endpoint.id;
    app.core.store.write(move |writing| writing.save_endpoint(&endpoint)).await.unwrap();
    app.core.reload_endpoints().await.unwrap();
    id
}

/// Gives an endpoint these secrets and no other, with nothing judged again.
pub(super) async fn secrets(app: &App, endpoint: EndpointId, texts: &[&str]) {
    let row = app.core.endpoints.by_id(endpoint).unwrap().row;
    let secrets: Vec<_> = texts.iter().map(|text| (SecretId::new(), Secret::new((*text).to_owned()))).collect();
    let now = app.core.clock.now();
    assert!(app.core.store.write(move |writing| writing.replace_secrets(row, &secrets, now)).await.unwrap());
    app.core.reload_endpoints().await.unwrap();
}

/// The texts of an endpoint's secrets, in order.
pub(super) fn secret_texts(app: &App, endpoint: EndpointId) -> Vec<String> {
    let entry = app.core.endpoints.by_id(endpoint).unwrap();
    entry.secrets.as_deref().unwrap().iter().map(|secret| secret.expose().to_owned()).collect()
}

/// A POST as it comes from the ingress.
pub(super) fn request(app: &App, headers: &[(String, String)], body: impl Into<Bytes>) -> InboundRequest {
    InboundRequest {
        method: "POST".to_owned(),
        path: String::new(),
        query: None,
        headers: Headers::from_pairs(headers.iter().map(|(name, value)| (name, value))).unwrap(),
        body: body.into(),
        remote_addr: "127.0.0.1:3".parse().unwrap(),
        client: ClientAddress { ip: None, source: "peer" },
        tunnel: None,
        public_base: None,
        received_at: app.core.clock.now(),
    }
}

/// What the sender is told, and the delivery that its request became.
pub(super) async fn posted(app: &Arc<App>, endpoint: EndpointId, request: InboundRequest) -> (u16, DeliveryId) {
    let reply = app.capture_request(endpoint, request, ()).await;
    let said: Value = serde_json::from_slice(&reply.body).unwrap();
    (reply.status, serde_json::from_value(said["delivery_id"].clone()).unwrap())
}

/// A delivery as it stands.
pub(super) async fn summary(app: &App, id: DeliveryId) -> DeliverySummary {
    app.core.store.read(move |connection| read_summary(connection, id)).await.unwrap().unwrap()
}

/// Waits until something is so.
pub(super) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
