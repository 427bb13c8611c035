//! A sender that signs with several certificates in turn, each a real one with a key of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::json;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::app::App;
use crate::app::test_app::{app, ended, endpoint, posted, request, summary, until};
use crate::domain::{DeliveryId, EndpointId, SignatureReason};
use crate::relay::{found, provider_of};
const HOST: &str = "sns.eu-central-1.amazonaws.com";
/// Keys that guard nothing.
const KEYS: [&str; 2] =
    [include_str!("../../signature/tests/rsa_test_key.pem"), include_str!("../../signature/tests/rsa_other_key.pem")];

fn pkcs8(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(lines).unwrap()
}

fn certificate(key: &str) -> String {
    let pkcs8 = pkcs8(key);
    let der = PrivatePkcs8KeyDer::from(pkcs8.as_slice());
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_RSA_SHA256).unwrap();
    let made = CertificateParams::new(vec!["sns.amazonaws.com".to_owned()]).unwrap().self_signed(&pair).unwrap();
    let encoded = STANDARD.encode(made.der());
    format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n")
}

fn path(which: usize) -> String {
    format!("/SimpleNotificationService-{which}.pem")
}

/// A message as SNS signs it (<https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>), with one
/// of the keys.
async fn send(app: &Arc<App>, endpoint: EndpointId, which: usize, id: &str) -> (u16, DeliveryId) {
    let fields = [
        ("Message", "text"),
        ("MessageId", id),
        ("Timestamp", "2026-01-01T00:00:00.000Z"),
        ("TopicArn", "arn:aws:sns:eu-central-1:123456789012:demo"),
        ("Type", "Notification"),
    ];
    let text: String = fields.iter().map(|(name, value)| format!("{name}\n{value}\n")).collect();
    let key = RsaKeyPair::from_pkcs8(&pkcs8(KEYS[which])).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    let mut body = json!({
        "SignatureVersion": "2",
        "Signature": STANDARD.encode(signature),
        "SigningCertURL": format!("https://{HOST}{}", path(which)),
    });
    for (name, value) in fields {
        body[name] = json!(value);
    }
    posted(app, endpoint, request(app, &[], body.to_string())).await
}

#[tokio::test]
async fn a_sender_that_signs_with_two_certificates_in_turn_is_refused_once_for_each() {
    let dir = tempfile::tempdir().unwrap();
    let certificates = KEYS.map(certificate);
    let (client, asked) = provider_of(HOST, move |asked| {
        let which = (0..KEYS.len()).find(|&which| path(which) == asked).unwrap();
        found(&certificates[which])
    })
    .await;
    let app = app(dir.path(), client).await;
    let endpoint = endpoint(&app, "aws-sns", json!({ "trust": "fetch" })).await;
    for which in 0..KEYS.len() {
        let (status, first) = send(&app, endpoint, which, &format!("first {which}")).await;
        assert_eq!(status, 401, "nobody waits for the network");
        until("it was not judged again", async || summary(&app, first).await.signature_reason == SignatureReason::Ok)
            .await;
    }
    for turn in 0..6 {
        let (status, _) = send(&app, endpoint, turn % KEYS.len(), &format!("turn {turn}")).await;
        assert_eq!(status, 200, "turn {turn}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), KEYS.len());
    let options = app.core.endpoints.by_id(endpoint).unwrap().endpoint.provider_options.clone();
    assert_eq!(options["certificate_pem"].as_str().unwrap().matches("BEGIN CERTIFICATE").count(), KEYS.len());
    // Each stands for its own address: what one key signs is not the other's.
    let swapped = options["certificate_url"].as_str().unwrap().split(' ').rev().collect::<Vec<_>>().join(" ");
    let entry = app.core.endpoints.by_id(endpoint).unwrap();
    let mut changed = (*entry.endpoint).clone();
    changed.provider_options["certificate_url"] = json!(swapped);
    app.save_changed(&entry, changed).await.unwrap();
    assert_eq!(send(&app, endpoint, 0, "swapped").await.0, 401);
    ended(app).await;
}

#[tokio::test]
async fn each_use_of_a_certificate_is_noted_so_that_another_gives_way() {
    let dir = tempfile::tempdir().unwrap();
    let kept = KEYS.map(certificate);
    let (client, _) = provider_of(HOST, |_| found("no certificate")).await;
    let app = app(dir.path(), client).await;
    let [one, other] = [0, 1].map(|which| format!("https://{HOST}{}", path(which)));
    let options = json!({
        "trust": "fetch", "certificate_url": format!("{one} {other}"), "certificate_pem": kept.concat(),
    });
    let endpoint = endpoint(&app, "aws-sns", options).await;
    assert_eq!(send(&app, endpoint, 1, "a").await.0, 200);
    assert_eq!(app.certificates.used_at(endpoint, &one), None);
    let used = app.certificates.used_at(endpoint, &other);
    assert!(used.is_some());
    assert_eq!(send(&app, endpoint, 0, "b").await.0, 200);
    assert!(app.certificates.used_at(endpoint, &one) >= used);
    ended(app).await;
}
