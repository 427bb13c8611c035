//! Signatures of `generic` and `github`: verdicts, policies, rotation, secrets that are never shown, judging again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::support::http::HeaderList;
use super::support::{Creel, Endpoint, Request, Response, Target, hub_signature, list, text, until};

const SECRET: &str = "It's a Secret to Everybody";

fn signed(endpoint: &Endpoint, secret: &str, body: &str) -> Request {
    endpoint.post(body).header("X-Hub-Signature-256", &hub_signature(secret, body.as_bytes()))
}

fn verdict(creel: &Creel, answer: &Response) -> (u16, String, String) {
    let row = creel.delivery(text(&answer.json(), "delivery_id"));
    (answer.status, text(&row, "signature_status").to_owned(), text(&row, "signature_reason").to_owned())
}

#[test]
fn the_verdict_names_what_is_wrong_with_the_header() {
    let creel = Creel::start();
    for provider in ["generic", "github"] {
        let endpoint = creel.endpoint(json!({ "provider": provider }));
        creel.set_secret(&endpoint, SECRET);
        let good = hub_signature(SECRET, b"{}");
        let upper = format!("sha256={}", good["sha256=".len()..].to_uppercase());
        let cases = [
            (good.clone(), 200, "valid", "ok"),
            (upper, 200, "valid", "ok"),
            (hub_signature("another", b"{}"), 401, "invalid", "wrong_secret_or_body"),
            (hub_signature(SECRET, b"{} "), 401, "invalid", "wrong_secret_or_body"),
            (good["sha256=".len()..].to_owned(), 401, "invalid", "malformed_header"),
            ("sha256=zz".to_owned(), 401, "invalid", "malformed_header"),
            (good[..good.len() - 2].to_owned(), 401, "invalid", "malformed_header"),
            (format!("{good}00"), 401, "invalid", "malformed_header"),
        ];
        for (header, status, signature_status, reason) in cases {
            let answer = creel.send(&endpoint.post("{}").header("X-Hub-Signature-256", &header));
            let expected = (status, signature_status.to_owned(), reason.to_owned());
            assert_eq!(verdict(&creel, &answer), expected, "{provider}: {header}");
        }
        let missing = creel.send(&endpoint.post("{}"));
        assert_eq!(verdict(&creel, &missing), (401, "missing".into(), "missing_header".into()));
        assert_eq!(missing.json()["reason"], "missing_signature");
        let empty = creel.send(&endpoint.post("{}").header("X-Hub-Signature-256", ""));
        assert_eq!(empty.status, 401, "an empty header is no signature");
    }
}

/// The one thing a signature is for. Also run against an engine that takes any signature.
pub fn a_forged_signature_is_rejected_and_never_relayed(creel: &Creel) {
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    creel.set_secret(&endpoint, SECRET);
    let forged = creel.send(&signed(&endpoint, "a guess", "{}"));
    assert_eq!(forged.status, 401, "a forged signature was taken: {}", forged.text());
    let good = creel.send_expecting("accepted", &signed(&endpoint, SECRET, "good"));
    creel.settled(text(&good, "delivery_id"));
    assert_eq!(target.only().body, b"good");
}

#[test]
fn a_forged_delivery_never_reaches_the_target() {
    a_forged_signature_is_rejected_and_never_relayed(&Creel::start());
}

#[test]
fn the_signature_covers_the_raw_bytes() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    creel.set_secret(&endpoint, SECRET);
    for body in ["\u{feff}{\"a\":1}", "{\"a\" : 1}\n", "", "\u{0}"] {
        let answer = creel.send(&signed(&endpoint, SECRET, body));
        assert_eq!(verdict(&creel, &answer), (200, "valid".into(), "ok".into()), "{body:?}");
        let chunked = creel.send(&signed(&endpoint, SECRET, body).chunked(1));
        assert_eq!(chunked.status, 200, "{body:?} in chunks");
    }
}

#[test]
fn without_a_secret_a_signature_is_not_required() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let answer = creel.send(&endpoint.post("{}").header("X-Hub-Signature-256", "sha256=nonsense"));
    assert_eq!(verdict(&creel, &answer), (200, "not_required".into(), "no_secret".into()));
}

#[test]
fn observe_stores_the_verdict_and_relays_anyway() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({ "signature_policy": "observe" }));
    creel.set_secret(&endpoint, SECRET);
    let forged = creel.send_expecting("accepted", &signed(&endpoint, "a guess", "{}"));
    let row = creel.settled(text(&forged, "delivery_id"));
    assert_eq!((&row["status"], &row["signature_status"]), (&json!("dispatched"), &json!("invalid")));
    let missing = creel.send_expecting("accepted", &endpoint.post("{}"));
    assert_eq!(creel.settled(text(&missing, "delivery_id"))["signature_status"], "missing");
    target.wait_for(2);
}

#[test]
fn two_secrets_hold_while_one_replaces_the_other() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let path = format!("/endpoints/{}/signing-secrets", endpoint.id);
    creel.set_secret(&endpoint, "the old secret, 16+");
    let added = creel.api("POST", &path, Some(&json!({ "signing_secret": "the new secret, 16+" })));
    assert!(added.status == 201 || added.status == 200, "{} {}", added.status, added.text());
    let secrets = list(&creel.get(&format!("/endpoints/{}", endpoint.id)), "signing_secrets");
    assert_eq!(secrets.len(), 2, "{secrets:?}");
    for secret in ["the old secret, 16+", "the new secret, 16+"] {
        assert_eq!(creel.send(&signed(&endpoint, secret, "{}")).status, 200, "{secret}");
    }
    assert_eq!(creel.send(&signed(&endpoint, "a third", "{}")).status, 401);
    let third = creel.api("POST", &path, Some(&json!({ "signing_secret": "one too many, 16+" })));
    assert!([409, 422].contains(&third.status), "two at most: {}", third.text());

    let old = format!("{path}/{}", text(&secrets[0], "id"));
    assert_eq!(creel.api("DELETE", &old, None).status, 204);
    assert_eq!(creel.send(&signed(&endpoint, "the old secret, 16+", "{}")).status, 401);
    assert_eq!(creel.send(&signed(&endpoint, "the new secret, 16+", "{}")).status, 200);
    assert!(creel.api("DELETE", &old, None).expect_error(404).ends_with("not_found"));
}

#[test]
fn setting_a_secret_replaces_all_and_an_empty_one_clears_them() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    creel.set_secret(&endpoint, "first, long enough");
    let path = format!("/endpoints/{}/signing-secrets", endpoint.id);
    creel.api("POST", &path, Some(&json!({ "signing_secret": "second, long enough" })));
    let replaced = creel.set_secret(&endpoint, "third, long enough");
    assert_eq!(list(&replaced, "signing_secrets").len(), 1);
    let status = |secret: &str| creel.send(&signed(&endpoint, secret, "{}")).status;
    assert_eq!(["first, long enough", "second, long enough", "third, long enough"].map(status), [401, 401, 200]);
    let cleared = creel.set_secret(&endpoint, "");
    assert_eq!((&cleared["has_signing_secret"], &cleared["signing_secret_hint"]), (&json!(false), &Value::Null));
    assert_eq!(list(&cleared, "signing_secrets").len(), 0);
    creel.send_expecting("skipped", &endpoint.post("unsigned works again"));
}

#[test]
fn a_secret_is_never_shown_and_hinted_at_only_when_long_enough() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let long = creel.set_secret(&endpoint, "0123456789-the-tail");
    assert_eq!((&long["has_signing_secret"], &long["signing_secret_hint"]), (&json!(true), &json!("tail")));
    assert!(!long.to_string().contains("0123456789"), "{long}");
    assert_eq!(list(&long, "warnings").len(), 0, "{long}");
    let short = creel.set_secret(&endpoint, "elevenchars");
    assert_eq!((&short["has_signing_secret"], &short["signing_secret_hint"]), (&json!(true), &Value::Null));
    let warnings = list(&short, "warnings");
    assert_eq!(warnings[0]["code"], "short_secret", "{short}");
    assert!(!text(&warnings[0], "message").is_empty());
    let twelve = creel.set_secret(&endpoint, "twelve chars");
    assert_eq!(twelve["signing_secret_hint"], "hars");
    let shown = creel.get(&format!("/endpoints/{}", endpoint.id));
    assert!(!shown.to_string().contains("twelve"), "{shown}");
}

#[test]
fn a_secret_is_never_trimmed_silently() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    creel.set_secret(&endpoint, "  padded secret value \n");
    assert_eq!(creel.send(&signed(&endpoint, "  padded secret value \n", "{}")).status, 200);
    assert_eq!(creel.send(&signed(&endpoint, "padded secret value", "{}")).status, 401);
}

#[test]
fn a_malformed_secret_request_changes_nothing() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    creel.set_secret(&endpoint, SECRET);
    let path = format!("/endpoints/{}/signing-secret", endpoint.id);
    let refused = |body: &Value| creel.api("PUT", &path, Some(body)).status;
    assert_eq!(refused(&json!({})), 422, "an absent secret is no wish to clear it");
    assert_eq!(refused(&json!({ "signing_secret": 17 })), 422);
    assert_eq!(refused(&json!({ "signing_secret": SECRET, "more": 1 })), 422);
    assert_eq!(creel.call("PUT", &path).body("{").to(creel.admin).status, 400);
    assert_eq!(creel.send(&signed(&endpoint, SECRET, "{}")).status, 200);
}

#[test]
fn stored_deliveries_are_judged_again_after_the_secret_was_put_right() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    creel.set_secret(&endpoint, "a wrong secret, typed in haste");
    let good = creel.send(&signed(&endpoint, SECRET, "{}")).expect_json(401);
    let bad = creel.send(&signed(&endpoint, "a forger's", "{}")).expect_json(401);
    creel.set_secret(&endpoint, SECRET);
    let job = creel.api("POST", &format!("/endpoints/{}/reverify", endpoint.id), None).expect_json(202);
    for field in ["id", "status", "total", "done", "failed"] {
        assert!(!job[field].is_null(), "{field}: {job}");
    }
    let good = text(&good, "delivery_id");
    let row =
        until("the verdict changes", || Some(creel.delivery(good)).filter(|row| row["signature_status"] == "valid"));
    assert_eq!(row["signature_reason"], "ok");
    assert_eq!(row["relay_attempt_count"], 0, "judged again is not relayed");
    assert_eq!(creel.delivery(text(&bad, "delivery_id"))["signature_status"], "invalid");
}

#[test]
fn the_detail_of_a_signature_shows_what_was_expected_and_what_came() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "provider": "github" }));
    creel.set_secret(&endpoint, SECRET);
    let answer = creel.send(&signed(&endpoint, "a guess", "{}")).expect_json(401);
    let detail = creel.get(&format!("/deliveries/{}/signature", text(&answer, "delivery_id")));
    assert_eq!((&detail["status"], &detail["reason"]), (&json!("invalid"), &json!("wrong_secret_or_body")));
    assert!(text(&detail, "header").eq_ignore_ascii_case("x-hub-signature-256"));
    assert!(text(&detail, "expected").contains(&hub_signature(SECRET, b"{}")["sha256=".len()..]), "{detail}");
    assert!(text(&detail, "received").contains(&hub_signature("a guess", b"{}")["sha256=".len()..]), "{detail}");
    assert_eq!(detail["secret_hint"], "body", "the last four characters of the secret");
    assert!(detail["findings"].is_array());
}

/// Complete requests with the verdict that a correct verifier gives.
const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/signatures-github.json"));

/// The reasons that are right for a vector.
fn right_reasons(vector: &Value, names: &Value) -> Vec<String> {
    let also = vector["also_acceptable"].as_array().into_iter().flatten();
    let verdicts = std::iter::once(&vector["expect"]).chain(also);
    verdicts.map(|verdict| text(&names["reason_by_verdict"], verdict.as_str().unwrap()).to_owned()).collect()
}

#[test]
fn every_vector_is_judged_as_expected_over_the_wire_and_on_the_command_line() {
    let creel = Creel::start();
    let fixture: Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = list(&fixture, "vectors");
    assert!(vectors.len() >= 29, "{}", vectors.len());
    let (secret_file, body_file) = (creel.home().scratch("secret"), creel.home().scratch("body"));
    for vector in &vectors {
        let name = text(vector, "id");
        let right = right_reasons(vector, &fixture["names_in_the_contract"]);
        let body = STANDARD.decode(text(vector, "body_base64")).unwrap();
        let headers: HeaderList = serde_json::from_value(vector["headers"].clone()).unwrap();
        let endpoint = creel.endpoint(json!({ "provider": "github" }));
        creel.set_secret(&endpoint, text(vector, "secret"));
        let request = headers.iter().fold(endpoint.post(&body), |request, (name, value)| request.header(name, value));
        let answer = creel.send(&request);
        let (status, verdict, reason) = verdict(&creel, &answer);
        assert!(right.contains(&reason), "{name}: {reason}, not {right:?}");
        assert_eq!(status == 200, verdict == "valid", "{name}");

        // One line end is taken off a file: the one that is put there, not one of the secret's own.
        std::fs::write(&secret_file, format!("{}\n", text(vector, "secret"))).unwrap();
        std::fs::write(&body_file, &body).unwrap();
        let mut args = vec!["--json".to_owned(), "verify".into(), "--provider".into(), "github".into()];
        args.extend(["--secret-file".into(), secret_file.display().to_string()]);
        args.extend(["--body-file".into(), body_file.display().to_string()]);
        for (name, value) in &headers {
            args.extend(["--header".into(), format!("{name}: {value}")]);
        }
        let ended = creel.cli(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let said: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{name}: {ended:?}"));
        assert_eq!(
            (text(&said, "reason"), ended.code),
            (reason.as_str(), Some(i32::from(verdict != "valid"))),
            "{name}"
        );
    }
}

#[test]
fn provider_options_are_checked_used_and_their_secrets_never_read_back() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "provider": "box",
        "provider_options": { "secondary_secret": "canary-of-the-options", "public_url": "https://a.example/" } }));
    let path = format!("/endpoints/{}", endpoint.id);
    let shown = creel.get(&path);
    assert_eq!(shown["provider_options"], json!({ "secondary_secret": null, "public_url": "https://a.example/" }));
    // As read back, with one change: the secret stays.
    creel.patch(
        &endpoint,
        &json!({ "provider_options": { "secondary_secret": null, "public_url": "https://b.example/" } }),
    );
    creel.set_secret(&endpoint, "the primary key that was rotated away");
    let (body, time) = ("{}", "2026-01-01T00:00:00Z");
    let sent = creel.send(&endpoint.post(body).header("BOX-DELIVERY-TIMESTAMP", time).header(
        "BOX-SIGNATURE-SECONDARY",
        &hub_signature("canary-of-the-options", format!("{body}{time}").as_bytes()),
    ));
    assert_eq!(sent.status, 401, "a hex digest is not what Box sends");
    let explanation = creel.get(&format!("/deliveries/{}/signature", text(&sent.json(), "delivery_id")));
    assert_eq!(explanation["scheme"], "box");
    for refused in [json!({ "nonsense": "x" }), json!({ "hash": "sha1" }), json!({ "audience": 1 }), json!([])] {
        let answer = creel.api("PATCH", &path, Some(&json!({ "provider_options": refused })));
        assert_eq!(answer.status, 422, "{refused}");
        assert_eq!(answer.json()["error"]["field"], "provider_options", "{refused}");
    }
    assert!(!creel.get("/endpoints").to_string().contains("canary"));
    assert!(!creel.home().streams().contains("canary"), "a secret option was logged");
}

#[test]
fn the_autopsy_names_the_mistake_and_the_endpoint_whose_secret_fits() {
    let creel = Creel::start();
    let (here, there) =
        (creel.endpoint(json!({ "provider": "github" })), creel.endpoint(json!({ "provider": "github" })));
    creel.set_secret(&here, "the secret of this endpoint");
    creel.set_secret(&there, "the secret of that endpoint");
    let finding = |request: &Request| {
        let answer = creel.send(request);
        let explanation = creel.get(&format!("/deliveries/{}/signature", text(&answer.json(), "delivery_id")));
        explanation["findings"][0].clone()
    };
    let spaced = "{\"a\": 1, \"b\": [true, null]}";
    let signature = hub_signature("the secret of this endpoint", spaced.as_bytes());
    let again = here.post("{\"a\":1,\"b\":[true,null]}").header("X-Hub-Signature-256", &signature);
    let found = finding(&again);
    assert_eq!((&found["code"], &found["confidence"]), (&json!("body_reserialised"), &json!("certain")));
    assert!(!text(&found, "fix").is_empty() && !text(&found, "explanation").is_empty());
    let other = signed(&here, "the secret of that endpoint", "{}");
    assert_eq!(finding(&other)["code"], "other_endpoint_secret");
    let unknown = signed(&here, "a secret of nobody", "{}");
    assert_eq!(finding(&unknown)["code"], "wrong_secret");
}
