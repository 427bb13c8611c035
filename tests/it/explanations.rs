//! Signatures explained: what is shown, secrets and schemes that are only tried, and fixes that are carried out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::support::{Creel, Endpoint, Request, hub_signature, list, text, until};

const SECRET: &str = "the secret that the sender has";

/// The HMAC-SHA256 of some bytes as base64.
fn base64_hmac(secret: &str, bytes: &[u8]) -> String {
    let hex = hub_signature(secret, bytes);
    let digits = &hex["sha256=".len()..];
    let bytes: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    STANDARD.encode(bytes)
}

fn signed(endpoint: &Endpoint, secret: &str, body: &str) -> Request {
    endpoint.post(body).header("X-Hub-Signature-256", &hub_signature(secret, body.as_bytes()))
}

/// Sends what is refused and returns its id.
fn rejected(creel: &Creel, request: &Request) -> String {
    text(&creel.send(request).expect_json(401), "delivery_id").to_owned()
}

fn path(id: &str) -> String {
    format!("/deliveries/{id}/signature")
}

fn tried(creel: &Creel, id: &str, trial: Value) -> Value {
    creel.api("POST", &path(id), Some(&trial)).expect_json(200)
}

fn fixed(creel: &Creel, id: &str, code: &str) -> Value {
    creel.api("POST", &format!("{}/fix", path(id)), Some(&json!({ "code": code }))).expect_json(200)
}

/// What is found first, which must be this.
fn first(explanation: &Value, code: &str) -> Value {
    assert_eq!(explanation["findings"][0]["code"], code, "{explanation}");
    explanation["findings"][0].clone()
}

fn becomes_valid(creel: &Creel, id: &str) {
    let row = until("it is judged again", || Some(creel.delivery(id)).filter(|row| row["signature_status"] == "valid"));
    assert_eq!(
        (&row["status"], &row["response_status"]),
        (&json!("rejected"), &json!(401)),
        "what was told is history"
    );
    assert_eq!(row["relay_attempt_count"], 0, "judged again is not relayed");
}

#[test]
fn an_explanation_says_where_the_signatures_differ_which_secrets_were_tried_and_how_much_is_signed() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "provider": "github" }));
    creel.set_secret(&endpoint, SECRET);
    let more = json!({ "signing_secret": "a second one for rotation" });
    creel.api("POST", &format!("/endpoints/{}/signing-secrets", endpoint.id), Some(&more)).expect_json(201);
    let body = format!("\"{}\"", "x".repeat(2_000));
    let id = rejected(&creel, &signed(&endpoint, "a guess", &body));
    let shown = creel.get(&path(&id));
    let (expected, received) = (text(&shown, "expected"), text(&shown, "received"));
    let same = expected.chars().zip(received.chars()).take_while(|(one, other)| one == other).count();
    assert_eq!(shown["first_difference"], json!(same));
    assert_eq!((&shown["signed_content_length"], &shown["provider"]), (&json!(2_002), &json!("github")));
    let preview = text(&shown, "signed_content_preview").len() as u64;
    assert_eq!(shown["signed_content_omitted"], json!(2_002 - preview));
    let tried = list(&shown, "secrets_tried");
    let kept = list(&creel.get(&format!("/endpoints/{}", endpoint.id)), "signing_secrets");
    assert_eq!(tried.len(), 2);
    for (tried, kept) in tried.iter().zip(&kept) {
        assert_eq!((&tried["id"], &tried["hint"], &tried["matched"]), (&kept["id"], &kept["hint"], &json!(false)));
    }
    assert!(text(&shown, "summary").contains("none of the 2 secrets"), "{shown}");

    let near = creel.send(&endpoint.post("{}").header("X-Hub-Signature", "sha1=00")).expect_json(401);
    let shown = creel.get(&path(text(&near, "delivery_id")));
    assert_eq!((&shown["status"], &shown["nearest_header"]), (&json!("missing"), &json!("X-Hub-Signature")));
}

#[test]
fn a_secret_is_tried_without_being_kept() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "provider": "github" }));
    creel.set_secret(&endpoint, "another secret altogether");
    let id = rejected(&creel, &signed(&endpoint, SECRET, "{}"));
    let before = creel.get(&format!("/endpoints/{}", endpoint.id));
    let right = tried(&creel, &id, json!({ "secret": SECRET }));
    assert_eq!((&right["status"], &right["reason"]), (&json!("valid"), &json!("ok")));
    assert_eq!(right["secrets_tried"], json!([{ "id": null, "hint": " has", "matched": true }]));
    let wrong = tried(&creel, &id, json!({ "secret": format!("{SECRET}\n") }));
    let found = first(&wrong, "secret_whitespace");
    assert_eq!(found["action"], Value::Null, "what is not kept cannot be mended");
    // Another provider, and a scheme that nobody has described before.
    assert_eq!(tried(&creel, &id, json!({ "secret": SECRET, "provider": "stripe" }))["status"], "missing");
    let custom =
        json!({ "custom": { "header": "X-Hub-Signature-256", "algorithm": "hmac-sha256", "prefix": "sha256=" }});
    let own = json!({ "secret": SECRET, "provider": "generic", "provider_options": custom });
    assert_eq!(tried(&creel, &id, own)["scheme"], "custom");
    assert_eq!(creel.get(&format!("/endpoints/{}", endpoint.id)), before);
    assert_eq!(creel.delivery(&id)["signature_status"], "invalid");
    assert_eq!(creel.send(&signed(&endpoint, SECRET, "{}")).status, 401, "it was only tried");
}

#[test]
fn a_trial_that_cannot_be_carried_out_names_its_field() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "provider": "generic" }));
    let id = text(&creel.send(&endpoint.post("{}")).expect_json(200), "delivery_id").to_owned();
    let custom = |member: &str, value: &str| {
        let mut custom = json!({ "header": "X-Sig", "algorithm": "hmac-sha256" });
        custom[member] = json!(value);
        json!({ "provider_options": { "custom": custom } })
    };
    for (trial, field) in [
        (json!({ "secret": "" }), "secret"),
        (json!({ "secret": "x".repeat(5_000) }), "secret"),
        (json!({ "provider": "nobody" }), "provider"),
        (json!({ "scheme": "nonsense" }), "scheme"),
        (json!({ "provider_options": { "nonsense": "x" } }), "provider_options"),
        (custom("header", "not a name"), "provider_options.custom.header"),
        (custom("algorithm", "rot13"), "provider_options.custom.algorithm"),
        (custom("encoding", "octal"), "provider_options.custom.encoding"),
        (custom("template", "{bdoy}"), "provider_options.custom.template"),
        (custom("secret", "public-key"), "provider_options.custom.secret"),
    ] {
        let answer = creel.api("POST", &path(&id), Some(&trial));
        assert_eq!(answer.status, 422, "{trial}: {}", answer.text());
        assert_eq!(answer.json()["error"]["field"], field, "{trial}");
    }
    assert_eq!(creel.api("POST", &path(&id), Some(&json!({ "more": 1 }))).status, 422);
    let unknown = path("0199a000-0000-7000-8000-000000000000");
    assert_eq!(creel.api("POST", &unknown, Some(&json!({}))).status, 404);
}

#[test]
fn a_secret_is_corrected_where_it_is_kept() {
    let creel = Creel::start();
    for (kept, code) in [
        (format!(" {SECRET}\n"), "secret_whitespace"),
        (format!("\"{SECRET}\""), "secret_quoted"),
        (format!("v1,{SECRET}"), "secret_prefix"),
        (STANDARD.encode(SECRET), "secret_decoded"),
    ] {
        let endpoint = creel.endpoint(json!({ "provider": "github" }));
        creel.set_secret(&endpoint, &kept);
        let id = rejected(&creel, &signed(&endpoint, SECRET, "{}"));
        let explanation = creel.get(&path(&id));
        assert_eq!(first(&explanation, code)["action"], json!({ "kind": "correct_secret", "secret_index": 0 }));
        let after = fixed(&creel, &id, code);
        assert_eq!((&after["status"], &after["secret_hint"]), (&json!("valid"), &json!(" has")), "{code}");
        assert!(!explanation.to_string().contains(SECRET) && !after.to_string().contains(SECRET), "{code}");
        becomes_valid(&creel, &id);
        assert_eq!(creel.send(&signed(&endpoint, SECRET, "{}")).status, 200, "{code}");
        let again = creel.api("POST", &format!("{}/fix", path(&id)), Some(&json!({ "code": code })));
        assert_eq!((again.status, &again.json()["error"]["code"]), (409, &json!("nothing_to_fix")), "{code}");
    }
}

#[test]
fn the_secret_of_another_endpoint_is_copied_without_being_shown() {
    let creel = Creel::start();
    let there = creel.endpoint(json!({ "provider": "github", "name": "Orders, live" }));
    creel.set_secret(&there, SECRET);
    let here = creel.endpoint(json!({ "provider": "github" }));
    creel.set_secret(&here, "the secret of this endpoint");
    let id = rejected(&creel, &signed(&here, SECRET, "{}"));
    let found = first(&creel.get(&path(&id)), "other_endpoint_secret");
    assert_eq!(found["action"], json!({ "kind": "copy_secret", "from_endpoint_id": there.id }));
    assert!(text(&found, "explanation").contains("Orders, live"), "{found}");
    assert_eq!(fixed(&creel, &id, "other_endpoint_secret")["status"], "valid");
    becomes_valid(&creel, &id);
    assert_eq!(list(&creel.get(&format!("/endpoints/{}", here.id)), "signing_secrets").len(), 2);

    let third = "a third that has no room";
    creel.set_secret(&there, third);
    let full = rejected(&creel, &signed(&here, third, "[]"));
    let refused = creel.api("POST", &format!("{}/fix", path(&full)), Some(&json!({ "code": "other_endpoint_secret" })));
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (409, &json!("too_many_secrets")));
}

#[test]
fn the_provider_is_switched_to_the_one_whose_rules_hold() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "provider": "shopify" }));
    creel.set_secret(&endpoint, SECRET);
    let id = rejected(&creel, &signed(&endpoint, SECRET, "{}"));
    let found = first(&creel.get(&path(&id)), "wrong_provider");
    assert_eq!(found["action"]["kind"], "set_provider");
    assert_eq!(fixed(&creel, &id, "wrong_provider")["status"], "valid");
    becomes_valid(&creel, &id);
    let after = creel.get(&format!("/endpoints/{}", endpoint.id));
    assert_eq!(after["provider"], found["action"]["provider"]);
}

#[test]
fn the_public_url_is_set_to_the_one_that_was_signed() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "provider": "square" }));
    creel.set_secret(&endpoint, SECRET);
    let body = "{\"type\":\"order.created\"}";
    let url = format!("https://hooks.example.com/in/{}/square?shop=1", endpoint.token);
    let signature = base64_hmac(SECRET, format!("{url}{body}").as_bytes());
    let request = Request::post(&format!("/in/{}/square?shop=1", endpoint.token))
        .body(body)
        .header("X-Forwarded-Host", "hooks.example.com")
        .header("x-square-hmacsha256-signature", &signature);
    let id = rejected(&creel, &request);
    let found = first(&creel.get(&path(&id)), "url_mismatch");
    assert_eq!(found["action"], json!({ "kind": "set_public_url", "url": "https://hooks.example.com" }));
    assert_eq!(fixed(&creel, &id, "url_mismatch")["status"], "valid");
    becomes_valid(&creel, &id);
    let after = creel.get(&format!("/endpoints/{}", endpoint.id));
    assert_eq!(after["public_url_override"], "https://hooks.example.com");
    assert_eq!(creel.send(&request).status, 200, "the next one holds at once");
}

#[test]
fn changed_rules_judge_stored_deliveries_again() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "provider": "shopify" }));
    creel.set_secret(&endpoint, SECRET);
    let id = rejected(&creel, &signed(&endpoint, SECRET, "{}"));
    creel.patch(&endpoint, &json!({ "provider": "github" }));
    becomes_valid(&creel, &id);
}
