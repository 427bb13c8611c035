//! The admin API as a whole: its description, health, statistics, catalogue, settings, and how it says no.

use serde_json::{Value, json};

use super::support::{Creel, Launch, Target, list, text, until};

/// Every call of CONTRACT section 5.
const CALLS: [&str; 37] = [
    "GET /openapi.json",
    "GET /health",
    "GET /stats",
    "GET /providers",
    "GET /providers/{}",
    "GET /endpoints",
    "POST /endpoints",
    "GET /endpoints/{}",
    "PATCH /endpoints/{}",
    "DELETE /endpoints/{}",
    "POST /endpoints/{}/rotate-token",
    "PUT /endpoints/{}/signing-secret",
    "POST /endpoints/{}/signing-secrets",
    "DELETE /endpoints/{}/signing-secrets/{}",
    "POST /endpoints/{}/reverify",
    "GET /deliveries",
    "GET /endpoints/{}/deliveries",
    "GET /deliveries/{}",
    "GET /endpoints/{}/deliveries/{}",
    "GET /deliveries/{}/body",
    "GET /deliveries/{}/arrivals/{}/body",
    "GET /deliveries/{}/attempts",
    "GET /attempts/{}/response-body",
    "GET /deliveries/{}/signature",
    "POST /deliveries/{}/replay",
    "POST /replays",
    "GET /replays/{}",
    "DELETE /replays/{}",
    "DELETE /deliveries/{}",
    "DELETE /deliveries",
    "POST /deliveries/{}/pin",
    "DELETE /deliveries/{}/pin",
    "GET /refusals",
    "GET /settings",
    "PATCH /settings",
    "GET /events",
    "GET /tunnel",
];

fn without_names(template: &str) -> String {
    let mut plain = String::new();
    let mut inside = false;
    for character in template.chars() {
        inside = if character == '}' { false } else { inside || character == '{' };
        if !inside || character == '{' {
            plain.push(character);
        }
    }
    plain
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let (true, Some(reference)) = (name == "$ref", field.as_str()) {
                    found.push(reference);
                }
                references(field, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn the_description_is_openapi_3_1_and_lists_every_call() {
    let creel = Creel::start();
    let document = creel.get("/openapi.json");
    assert!(text(&document, "openapi").starts_with("3.1."), "{}", document["openapi"]);
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters") {
            described.push(format!("{} {}", method.to_uppercase(), without_names(path)));
            let responses =
                operation["responses"].as_object().unwrap_or_else(|| panic!("{method} {path}: {operation}"));
            assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path} never succeeds");
            let named = item["parameters"].as_array().into_iter().chain(operation["parameters"].as_array()).flatten();
            let in_path = named.filter(|parameter| parameter["in"] == "path").count();
            assert_eq!(in_path, path.matches('{').count(), "{method} {path}: parameters of the path");
        }
    }
    let missing: Vec<&str> = CALLS.into_iter().filter(|call| !described.iter().any(|known| known == call)).collect();
    assert!(missing.is_empty(), "not described: {missing:?}");
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn what_is_described_is_what_is_answered() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let answer = creel.send_expecting("skipped", &endpoint.post("{}"));
    let document = creel.get("/openapi.json");
    let rows = [
        ("/endpoints/{id}", creel.get(&format!("/endpoints/{}", endpoint.id))),
        ("/deliveries/{id}", creel.delivery(text(&answer, "delivery_id"))),
        ("/settings", creel.get("/settings")),
        ("/health", creel.get("/health")),
        ("/stats", creel.get("/stats")),
    ];
    for (path, row) in rows {
        let pointer = format!("/paths/{}/get/responses/200/content/application~1json/schema", path.replace('/', "~1"));
        let mut schema = document.pointer(&pointer).unwrap_or_else(|| panic!("{path} has no schema"));
        if let Some(reference) = schema["$ref"].as_str() {
            schema = document.pointer(&reference[1..]).unwrap();
        }
        let described = schema["properties"].as_object().unwrap_or_else(|| panic!("{path}: {schema}"));
        for field in row.as_object().unwrap().keys() {
            assert!(described.contains_key(field), "{path} answers {field}, which is not described");
        }
        for field in schema["required"].as_array().into_iter().flatten() {
            assert!(row.get(field.as_str().unwrap()).is_some(), "{path} must answer {field}");
        }
    }
}

#[test]
fn health_and_stats_tell_version_and_counts() {
    let creel = Creel::start();
    let health = creel.get("/health");
    assert_eq!(health, json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }));
    assert_eq!(creel.run["version"], env!("CARGO_PKG_VERSION"));
    let stats = creel.get("/stats");
    assert!(stats.to_string().contains("\"database_bytes\""), "{stats}");
    assert!(stats.to_string().contains("\"wal_bytes\""), "{stats}");
}

#[test]
fn the_catalogue_has_the_two_providers_of_this_version() {
    let creel = Creel::start();
    let providers = list(&creel.get("/providers"), "providers");
    let slugs: Vec<&str> = providers.iter().map(|provider| text(provider, "slug")).collect();
    for slug in ["generic", "github"] {
        assert!(slugs.contains(&slug), "{slugs:?}");
        let provider = creel.get(&format!("/providers/{slug}"));
        for field in ["slug", "name", "schemes", "docs_url"] {
            assert!(provider.get(field).is_some(), "{field}: {provider}");
        }
    }
    assert!(creel.api("GET", "/providers/nonsense", None).expect_error(404).ends_with("not_found"));
}

#[test]
fn settings_are_shown_changed_and_kept_over_a_restart() {
    let creel = Creel::start();
    let defaults = json!({ "keep_rows": 100_000, "keep_bytes": 5_368_709_120_u64, "keep_days": 30,
        "max_body_bytes": 27_262_976, "rate_limit_endpoint": 30_000, "rate_limit_ip": 600 });
    assert_eq!(creel.get("/settings"), defaults);
    let changed = creel.api("PATCH", "/settings", Some(&json!({ "max_body_bytes": 10, "keep_days": 7 })));
    let mut expected = defaults;
    (expected["max_body_bytes"], expected["keep_days"]) = (json!(10), json!(7));
    assert_eq!(changed.expect_json(200), expected);
    let endpoint = creel.endpoint(json!({}));
    creel.send_expecting("skipped", &endpoint.post("0123456789"));
    creel.send(&endpoint.post("0123456789+")).expect_json(413);
    for bad in [json!({ "unknown": 1 }), json!({ "keep_rows": -1 }), json!({ "keep_rows": "many" })] {
        creel.api("PATCH", "/settings", Some(&bad)).expect_error(422);
    }
    let creel = creel.stop_and_restart();
    assert_eq!(creel.get("/settings"), expected);
}

#[test]
fn flags_of_a_start_win_over_defaults() {
    let launch = Launch::new().arg("--max-body-bytes").arg(5).arg("--keep-rows").arg(0).arg("--keep-days").arg(0);
    let creel = launch.start();
    let settings = creel.get("/settings");
    assert_eq!((&settings["max_body_bytes"], &settings["keep_rows"]), (&json!(5), &json!(0)));
    let endpoint = creel.endpoint(json!({}));
    creel.send(&endpoint.post("123456")).expect_json(413);
    creel.send_expecting("skipped", &endpoint.post("12345"));
}

#[test]
fn a_wrong_method_or_a_huge_body_is_refused_as_an_error_of_the_api() {
    let creel = Creel::start();
    let wrong = creel.api("PUT", "/endpoints", None);
    assert_eq!(wrong.status, 405, "{}", wrong.text());
    wrong.expect_error(405);
    let huge = format!("{{\"name\":\"{}\"}}", "x".repeat(3_000_000));
    let refused =
        creel.call("POST", "/endpoints").header("Content-Type", "application/json").body(huge).to(creel.admin);
    refused.expect_error(413);
    assert_eq!(list(&creel.get("/endpoints"), "endpoints").len(), 0);
}

#[test]
fn deeply_nested_json_is_refused_or_stored_and_never_brings_the_engine_down() {
    let mut creel = Creel::start();
    let deep = "[".repeat(1_000_000);
    let nested = creel.call("POST", "/endpoints").header("Content-Type", "application/json").body(&deep[..500_000]);
    assert!((400..500).contains(&nested.to(creel.admin).status));
    let endpoint = creel.endpoint(json!({}));
    let answer = creel.send_expecting("skipped", &endpoint.post(&deep));
    let id = text(&answer, "delivery_id");
    assert_eq!(creel.delivery(id)["body_size"], 1_000_000);
    assert_eq!(creel.stored_body(id).len(), 1_000_000);
    assert!(creel.is_running());
}

#[test]
fn statistics_follow_what_happens() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let before = creel.get("/stats");
    let answer = creel.send_expecting("accepted", &endpoint.post("{}"));
    creel.settled(text(&answer, "delivery_id"));
    until("the statistics move", || (creel.get("/stats") != before).then_some(()));
}
