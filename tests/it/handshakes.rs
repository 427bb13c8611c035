//! Handshakes: providers that ask whether an endpoint is there get the answer they ask for, and it is recorded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::support::{Creel, Launch, Request, Target, hub_signature, list, text, until};

/// How many handshakes the fixture holds; fewer would mean that the test tests nothing.
const HANDSHAKES: usize = 20;

fn fixture() -> Vec<Value> {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/signatures.json")).unwrap();
    let handshakes = fixture["handshakes"].as_array().unwrap().clone();
    assert_eq!(handshakes.len(), HANDSHAKES);
    handshakes
}

fn request(ingress_path: &str, handshake: &Value) -> Request {
    let query = text(handshake, "url").split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    let mut request = Request::new(text(handshake, "method"), &format!("{ingress_path}{query}"));
    for header in handshake["headers"].as_array().unwrap() {
        let (name, value) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
        if !name.eq_ignore_ascii_case("content-length") {
            request = request.header(name, value);
        }
    }
    request.body(STANDARD.decode(text(handshake, "body_base64")).unwrap())
}

#[test]
fn every_handshake_gets_the_reply_its_provider_expects_and_is_stored_as_ignored() {
    let (creel, target) = (Creel::start(), Target::answering(200));
    for handshake in fixture() {
        let id = text(&handshake, "id");
        let endpoint = creel.relaying(&[&target.url("/")], json!({ "provider": handshake["provider"],
            "reply": { "mode": "fixed", "status": 299, "headers": [], "body": "never for handshakes", "delay_ms": 0 } }));
        if !text(&handshake, "secret").is_empty() {
            creel.set_secret(&endpoint, text(&handshake, "secret"));
        }
        let answer = creel.send(&request(&endpoint.path, &handshake));
        let expected = &handshake["expect_reply"];
        assert_eq!(Some(u64::from(answer.status)), expected["status"].as_u64(), "{id}: {}", answer.text());
        if let Some(kind) = expected["content_type"].as_str() {
            assert!(answer.header("content-type").is_some_and(|found| found.starts_with(kind)), "{id}");
        }
        if let Some(body) = expected["body"].as_str() {
            assert_eq!(answer.text(), body, "{id}");
        }
        if expected["json"].is_object() {
            assert_eq!(answer.json(), expected["json"], "{id}");
        }
        if let Some(never) = expected["body_must_not_contain"].as_str() {
            assert!(!answer.text().contains(never), "{id}");
        }
        for header in expected["headers"].as_array().into_iter().flatten() {
            let found = answer.header(header[0].as_str().unwrap());
            assert!(found == header[1].as_str() || found == Some("*"), "{id}: {header}, not {found:?}");
        }
        let rows = list(&creel.get(&format!("/endpoints/{}/deliveries", endpoint.id)), "deliveries");
        let told = if answer.status == 401 { ("rejected", "invalid_signature") } else { ("ignored", "handshake") };
        assert_eq!((text(&rows[0], "status"), text(&rows[0], "reason")), told, "{id}");
        assert_eq!(rows[0]["response_status"], answer.status, "{id}");
    }
    assert!(target.seen().is_empty(), "a handshake is never relayed");
}

#[test]
fn no_handshake_signs_what_could_be_a_webhook_or_echoes_what_could_be_markup() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "provider": "x-twitter" }));
    creel.set_secret(&endpoint, "a secret that no caller may sign with");
    let long = "a".repeat(200);
    for challenge in ["%7B%22for_user_id%22%3A%221%22%7D", "a%20b", "a%0D%0AX-A:%20b", long.as_str()] {
        let asked = Request::new("GET", &format!("{}?crc_token={challenge}", endpoint.path));
        let answer = creel.send(&asked);
        assert!(!answer.text().contains("sha256="), "{challenge}: {}", answer.text());
        assert_eq!(answer.status, 401, "{challenge}: it is judged like any other request");
    }
    let endpoint = creel.endpoint(json!({ "provider": "dropbox" }));
    let asked = Request::new("GET", &format!("{}?challenge=%3Cscript%3E", endpoint.path));
    assert!(!creel.send(&asked).text().contains("<script>"));
}

#[test]
fn a_key_that_a_handshake_hands_over_is_kept_where_there_is_none_and_never_logged() {
    let creel = Launch::new().env("CREEL_LOG", "trace").start();
    let key = "key-handed-over-4e1a7c9b2d-long-enough";
    let asana = |path: &str, key: &str| creel.send(&Request::new("POST", path).header("X-Hook-Secret", key));
    let notion = |path: &str, key: &str| {
        creel.send(&Request::new("POST", path).body(json!({ "verification_token": key }).to_string()))
    };
    let bodies = [("asana", "X-Hook-Signature", ""), ("notion", "X-Notion-Signature", "sha256=")];
    for (provider, header, prefix) in bodies {
        let hand_over = |path: &str, key: &str| if provider == "asana" { asana(path, key) } else { notion(path, key) };
        let endpoint = creel.endpoint(json!({ "provider": provider }));
        let before = creel.send(&Request::new("POST", &endpoint.path).body("{}"));
        let answer = hand_over(&endpoint.path, key);
        assert_eq!(answer.status, 200, "{provider}");
        let shown = creel.get(&format!("/endpoints/{}", endpoint.id));
        assert_eq!(shown["signing_secret_hint"], "ough", "{provider}");
        assert!(!shown.to_string().contains(key), "{provider}");
        let sign = |key: &str| format!("{prefix}{}", hub_signature(key, b"{}").trim_start_matches("sha256="));
        let signed =
            |key: &str| creel.send(&Request::new("POST", &endpoint.path).header(header, &sign(key)).body("{}"));
        assert_eq!(signed(key).status, 200, "{provider}: the key is in use when the handshake is answered");
        let before = text(&before.json(), "delivery_id").to_owned();
        until("the delivery before is judged again", || {
            (creel.delivery(&before)["signature_status"] == "missing").then_some(())
        });
        // Anybody can say this: it changes nothing once there is a key.
        assert_eq!(hand_over(&endpoint.path, "another-key-of-somebody-else").status, 200, "{provider}");
        assert_eq!(list(&creel.get(&format!("/endpoints/{}", endpoint.id)), "signing_secrets").len(), 1, "{provider}");
        assert_eq!(signed("another-key-of-somebody-else").status, 401, "{provider}");
    }
    let log = creel.home().streams();
    assert!(!log.is_empty() && !log.contains(key) && !log.contains("another-key"), "a key is in the log");
}
