//! The list of deliveries: slim rows, filters, paging by `seq`, true totals; the full row; removing and pinning.

use serde_json::{Value, json};

use super::support::{Creel, Endpoint, Target, hub_signature, list, text};

const SLIM: [&str; 30] = [
    "id",
    "seq",
    "endpoint_id",
    "provider",
    "event",
    "event_source",
    "dedupe_key",
    "dedupe_source",
    "signature_status",
    "signature_reason",
    "status",
    "reason",
    "attempt_count",
    "relay_attempt_count",
    "method",
    "path",
    "query",
    "content_type",
    "body_size",
    "response_status",
    "relay_status",
    "relay_outcome",
    "relay_duration_ms",
    "replayed_from_delivery_id",
    "duplicate_of",
    "pinned",
    "error",
    "received_at",
    "last_attempt_at",
    "created_at",
];

fn slim() -> impl Iterator<Item = &'static str> {
    SLIM.into_iter()
}

fn ids(page: &Value) -> Vec<String> {
    list(page, "deliveries").iter().map(|row| text(row, "id").to_owned()).collect()
}

fn send(creel: &Creel, endpoint: &Endpoint, count: usize) -> Vec<String> {
    let sent = (0..count).map(|n| creel.send(&endpoint.post(format!("{n}"))).expect_json(200));
    sent.map(|answer| text(&answer, "delivery_id").to_owned()).collect()
}

#[test]
fn a_slim_row_has_every_field_and_neither_head_nor_body() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    creel.send_expecting("skipped", &endpoint.post("body canary").header("X-Canary", "header canary"));
    let page = creel.get("/deliveries");
    let row = &list(&page, "deliveries")[0];
    for field in slim() {
        assert!(row.get(field).is_some(), "{field} is missing: {row}");
    }
    assert_eq!(row.as_object().unwrap().len(), slim().count(), "{row}");
    assert!(!page.to_string().contains("canary"), "{page}");
    assert_eq!(row["content_type"], Value::Null);
    assert_eq!(&text(row, "id")[14..15], "7", "no UUIDv7: {row}");
    for field in ["received_at", "last_attempt_at", "created_at"] {
        let shown = text(row, field);
        assert!(shown.len() == 24 && shown.ends_with('Z'), "{field}: {shown}");
    }
}

#[test]
fn the_full_row_adds_head_bodies_arrivals_and_what_the_sender_was_told() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let body = r#"{"event":"order.paid","n":12345678901234567890.10,"eventPayload":{"z":1,"a":1.50e0,"b":12345678901234567890.10}}"#;
    let request = endpoint.post(body).at("/s?q=1").header("Content-Type", "Application/JSON; charset=utf-8");
    let answer = creel.send(&request);
    let row = creel.delivery(text(&answer.json(), "delivery_id"));
    let full = [
        "headers",
        "remote_addr",
        "client_ip",
        "client_ip_source",
        "public_url",
        "http_version",
        "raw_body",
        "raw_body_base64",
        "body_inlined",
        "response_headers",
        "response_body",
        "arrivals",
        "envelope",
    ];
    for field in slim().chain(full) {
        assert!(row.get(field).is_some(), "{field} is missing: {row}");
    }
    assert_eq!((text(&row, "raw_body"), &row["raw_body_base64"]), (body, &Value::Null));
    assert_eq!((&row["body_inlined"], text(&row, "content_type")), (&json!(true), "application/json"));
    assert!(text(&row, "http_version").contains("1.1"));
    assert_eq!(text(&row, "response_body"), answer.text());
    assert_eq!(row["envelope"]["event"], "order.paid");
    let raw = creel.api("GET", &format!("/deliveries/{}", text(&row, "id")), None).text();
    let payload = r#""eventPayload":{"z":1,"a":1.50e0,"b":12345678901234567890.10}"#;
    assert!(raw.contains(payload), "numbers or order were re-encoded: {raw}");
    assert_eq!(row["envelope"]["request"]["receivedAt"], row["received_at"]);
    assert!(row["envelope"]["request"]["contentType"].as_str().is_some_and(|kind| kind.contains("json")));
    let arrivals = list(&row, "arrivals");
    assert_eq!(arrivals.len(), 1);
    for field in
        ["n", "received_at", "remote_addr", "client_ip", "headers", "signature_status", "body_size", "same_body"]
    {
        assert!(arrivals[0].get(field).is_some(), "{field}: {row}");
    }
}

#[test]
fn an_envelope_without_a_payload_of_its_own_holds_the_whole_body() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    for (body, payload) in [
        (r#"{"event":"e","b":2,"a":1}"#, r#"{"event":"e","b":2,"a":1}"#),
        ("\u{feff}[1,2.50]", "[1,2.50]"),
        (r#"{"event":"e","eventPayload":null}"#, "null"),
        (r#"{"event":17,"eventPayload":1}"#, r#"{"event":17,"eventPayload":1}"#),
    ] {
        let answer = creel.send_expecting("skipped", &endpoint.post(body));
        let raw = creel.api("GET", &format!("/deliveries/{}", text(&answer, "delivery_id")), None).text();
        assert!(raw.contains(&format!(r#""eventPayload":{payload}"#)), "{body}: {raw}");
    }
    let answer = creel.send_expecting("skipped", &endpoint.post("no JSON"));
    assert_eq!(creel.delivery(text(&answer, "delivery_id"))["envelope"], Value::Null);
}

#[test]
fn a_body_that_is_no_text_is_base64_and_one_above_a_mebibyte_is_not_inlined() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let answer = creel.send_expecting("skipped", &endpoint.post(b"\xff\0"));
    let row = creel.delivery(text(&answer, "delivery_id"));
    assert_eq!((&row["raw_body"], &row["raw_body_base64"]), (&Value::Null, &json!("/wA=")));
    for (bytes, inlined) in [(1024 * 1024, true), (1024 * 1024 + 1, false)] {
        let answer = creel.send_expecting("skipped", &endpoint.post(vec![b' '; bytes]));
        let row = creel.delivery(text(&answer, "delivery_id"));
        assert_eq!((&row["body_inlined"], row["raw_body"].is_string()), (&json!(inlined), inlined), "{bytes} bytes");
        assert_eq!((&row["raw_body_base64"], &row["envelope"]), (&Value::Null, &Value::Null));
        assert_eq!(creel.stored_body(text(&answer, "delivery_id")).len(), bytes);
    }
}

#[test]
fn pages_follow_each_other_without_gap_or_overlap_in_both_directions() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let mut sent = send(&creel, &endpoint, 25);
    sent.reverse();
    let (mut seen, mut query) = (Vec::new(), "limit=10".to_owned());
    loop {
        let page = creel.get(&format!("/deliveries?{query}"));
        assert_eq!((&page["total"], &page["total_is_minimum"]), (&json!(25), &json!(false)), "whatever the cursor");
        seen.extend(ids(&page));
        let Some(before) = page["next_before"].as_i64() else { break };
        query = format!("limit=10&before={before}");
    }
    assert_eq!(seen, sent);

    let all = creel.get("/deliveries?limit=25");
    let seqs: Vec<i64> = list(&all, "deliveries").iter().map(|row| row["seq"].as_i64().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] > pair[1]), "{seqs:?}");
    let newer = creel.get(&format!("/deliveries?after={}&limit=500", seqs[5]));
    assert_eq!(ids(&newer), sent[..5], "after is exclusive");
    let older = creel.get(&format!("/deliveries?before={}", seqs[20]));
    assert_eq!(ids(&older), sent[21..], "before is exclusive");
    let between = creel.get(&format!("/deliveries?after={}&before={}", seqs[10], seqs[7]));
    assert_eq!(ids(&between), sent[8..10]);
}

#[test]
fn a_page_has_fifty_rows_unless_asked_otherwise() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    send(&creel, &endpoint, 51);
    let page = creel.get("/deliveries");
    assert_eq!((ids(&page).len(), &page["total"]), (50, &json!(51)));
    assert_eq!(page["next_before"], list(&page, "deliveries")[49]["seq"]);
}

#[test]
fn beyond_ten_thousand_matches_a_total_is_said_to_be_a_minimum() {
    const EACH: usize = 1_260;
    const SENDERS: usize = 8;
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    std::thread::scope(|scope| (0..SENDERS).for_each(|_| drop(scope.spawn(|| send(&creel, &endpoint, EACH)))));
    let exact =
        ["", "status=dispatched", &format!("endpoint_id={}", endpoint.id)].map(|query| format!("limit=1&{query}"));
    for query in exact {
        let page = creel.get(&format!("/deliveries?{query}"));
        assert_eq!((&page["total"], &page["total_is_minimum"]), (&json!(EACH * SENDERS), &json!(false)), "{query}");
    }
    for query in ["event=webhook.received", "q=webhook", "provider=generic"] {
        let page = creel.get(&format!("/deliveries?limit=1&{query}"));
        assert_eq!(page["total_is_minimum"], true, "{query}: {}", page["total"]);
        let total = page["total"].as_u64().unwrap();
        assert!((10_000..=(EACH * SENDERS) as u64).contains(&total), "{query}: {total}");
    }
}

#[test]
fn a_bad_query_is_400() {
    let creel = Creel::start();
    creel.endpoint(json!({}));
    let bad = [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=abc",
        "limit=",
        "limit=1.5",
        "limit=99999999999999999999",
        "before=abc",
        "after=-x",
        "status=nonsense",
        "signature_status=nonsense",
        "endpoint_id=nonsense",
        "unknown=1",
    ];
    for query in bad {
        let answer = creel.api("GET", &format!("/deliveries?{query}"), None);
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        answer.expect_error(400);
    }
    for query in ["limit=1", "limit=500", "", "q=", "q=%25%27%22"] {
        creel.get(&format!("/deliveries?{query}"));
    }
}

/// Deliveries that differ in everything that can be filtered by.
fn varied(creel: &Creel) -> (Endpoint, Endpoint) {
    let shop = creel.endpoint(json!({ "name": "shop" }));
    let code = creel.endpoint(json!({ "name": "code", "provider": "github" }));
    creel.set_secret(&code, "a secret of enough bytes");
    for n in 0..4 {
        let post = shop.post(r#"{"event":"order.paid"}"#).at(&format!("/orders/{n}"));
        creel.send_expecting("skipped", &post.header("Idempotency-Key", &format!("key_{n}%")));
    }
    creel.send(&code.post("{}").header("X-GitHub-Event", "push")).expect_json(401);
    let signature = hub_signature("a secret of enough bytes", b"{}");
    let signed = code.post("{}").header("X-GitHub-Event", "push").header("X-Hub-Signature-256", &signature);
    creel.send_expecting("skipped", &signed);
    (shop, code)
}

#[test]
fn filters_combine_and_totals_count_what_matches() {
    let creel = Creel::start();
    let (shop, code) = varied(&creel);
    let cases = [
        (format!("endpoint_id={}", shop.id), 4),
        (format!("endpoint_id={}&status=rejected", code.id), 1),
        (format!("endpoint_id={}&status=rejected", shop.id), 0),
        ("status=dispatched".into(), 5),
        ("status=rejected".into(), 1),
        ("signature_status=valid".into(), 1),
        ("signature_status=missing&provider=github".into(), 1),
        ("signature_status=missing&provider=generic".into(), 0),
        ("provider=generic".into(), 4),
        ("event=order.paid".into(), 4),
        ("event=github.push&status=dispatched".into(), 1),
        ("event=order".into(), 0),
        ("q=rder.pa".into(), 4),
        ("q=orders%2F2".into(), 1),
        ("q=key_3".into(), 1),
        ("q=KEY_3".into(), 1),
        ("q=key%25".into(), 0),
        ("q=order%00paid".into(), 0),
        ("q=%25".into(), 4),
        ("q=y_1&event=order.paid".into(), 1),
        ("q=nothing-like-it".into(), 0),
    ];
    for (query, expected) in cases {
        let page = creel.get(&format!("/deliveries?{query}"));
        assert_eq!(list(&page, "deliveries").len(), expected, "{query}");
        assert_eq!((&page["total"], &page["total_is_minimum"]), (&json!(expected), &json!(false)), "{query}");
        assert_eq!(page["next_before"], Value::Null, "{query}");
    }
    let row = &creel.all_deliveries()[0];
    let id = text(row, "id");
    assert_eq!(creel.total(&format!("q={}", &id[4..])), 1, "a part of an id finds its row");
}

#[test]
fn one_endpoints_list_is_its_own_and_a_delivery_is_404_through_another_endpoint() {
    let creel = Creel::start();
    let (shop, code) = varied(&creel);
    let page = creel.get(&format!("/endpoints/{}/deliveries?limit=3", shop.id));
    assert_eq!((ids(&page).len(), &page["total"]), (3, &json!(4)));
    let id = &ids(&page)[0];
    let through = |endpoint: &Endpoint| creel.api("GET", &format!("/endpoints/{}/deliveries/{id}", endpoint.id), None);
    assert_eq!(through(&shop).expect_json(200), creel.delivery(id));
    assert!(through(&code).expect_error(404).ends_with("not_found"));
    assert_eq!(creel.get(&format!("/endpoints/{}/deliveries?status=rejected", code.id))["total"], 1);
}

#[test]
fn the_raw_body_is_an_attachment_that_no_browser_interprets() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let html = "<script>alert(1)</script>";
    let answer = creel.send_expecting("skipped", &endpoint.post(html).header("Content-Type", "text/html"));
    let id = text(&answer, "delivery_id");
    for path in [format!("/deliveries/{id}/body"), format!("/deliveries/{id}/arrivals/1/body")] {
        let body = creel.api("GET", &path, None);
        assert_eq!((body.status, body.text().as_str()), (200, html));
        assert_eq!(body.header("content-type"), Some("application/octet-stream"));
        assert_eq!(body.header("x-content-type-options"), Some("nosniff"));
        assert!(body.header("content-disposition").is_some_and(|value| value.starts_with("attachment")), "{path}");
    }
}

#[test]
fn an_unknown_delivery_is_404_on_every_route() {
    let creel = Creel::start();
    let unknown = "0199a000-0000-7000-8000-000000000000";
    let routes = [
        ("GET", format!("/deliveries/{unknown}")),
        ("GET", format!("/deliveries/{unknown}/body")),
        ("GET", format!("/deliveries/{unknown}/arrivals/1/body")),
        ("GET", format!("/deliveries/{unknown}/attempts")),
        ("GET", format!("/deliveries/{unknown}/signature")),
        ("GET", format!("/attempts/{unknown}/response-body")),
        ("POST", format!("/deliveries/{unknown}/pin")),
        ("DELETE", format!("/deliveries/{unknown}/pin")),
        ("DELETE", format!("/deliveries/{unknown}")),
        ("GET", "/no-such-route".to_owned()),
    ];
    for (method, path) in routes {
        assert!(creel.api(method, &path, None).expect_error(404).ends_with("not_found"), "{method} {path}");
    }
}

#[test]
fn a_pin_is_set_and_taken_away() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let id = send(&creel, &endpoint, 1).remove(0);
    let path = format!("/deliveries/{id}/pin");
    let pinned = creel.api("POST", &path, None).expect_json(200);
    assert_eq!((&pinned["id"], &pinned["pinned"]), (&json!(id), &json!(true)));
    creel.api("POST", &path, None).expect_json(200);
    assert_eq!(creel.delivery(&id)["pinned"], true);
    assert_eq!(creel.api("DELETE", &path, None).status, 204);
    assert_eq!(creel.delivery(&id)["pinned"], false);
}

#[test]
fn one_delivery_can_be_removed_and_its_seq_is_never_used_again() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let newest = send(&creel, &endpoint, 3).remove(2);
    let seq = creel.delivery(&newest)["seq"].as_i64().unwrap();
    assert_eq!(creel.api("DELETE", &format!("/deliveries/{newest}"), None).status, 204);
    creel.api("GET", &format!("/deliveries/{newest}"), None).expect_error(404);
    assert_eq!(creel.total(""), 2);
    let creel = creel.stop_and_restart();
    let next = send(&creel, &endpoint, 1).remove(0);
    assert!(creel.delivery(&next)["seq"].as_i64().unwrap() > seq, "a seq came back");
}

#[test]
fn a_removed_delivery_frees_its_key_and_outlives_nothing_but_its_replay() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let post = endpoint.post("{}").header("Idempotency-Key", "k");
    let first = creel.send_expecting("accepted", &post);
    let id = text(&first, "delivery_id");
    creel.settled(id);
    let replayed = creel.api("POST", &format!("/deliveries/{id}/replay"), None).expect_json(201);
    assert_eq!(creel.api("DELETE", &format!("/deliveries/{id}"), None).status, 204);
    assert_eq!(creel.settled(text(&replayed, "id"))["status"], "dispatched");
    creel.send_expecting("accepted", &post);
}

#[test]
fn removing_by_filter_takes_what_matches_and_nothing_without_a_filter() {
    let creel = Creel::start();
    let (shop, _) = varied(&creel);
    let remove = |body: Value| creel.api("DELETE", "/deliveries", Some(&body));
    remove(json!({ "filter": {} })).expect_error(422);
    remove(json!({})).expect_error(422);
    remove(json!({ "filter": { "unknown": 1 } })).expect_error(422);
    remove(json!({ "filter": { "status": "nonsense" } })).expect_error(422);
    assert_eq!(creel.total(""), 6);
    assert_eq!(remove(json!({ "filter": { "status": "rejected" } })).status, 204);
    assert_eq!((creel.total(""), creel.total("status=rejected")), (5, 0));
    assert_eq!(remove(json!({ "filter": { "endpoint_id": shop.id, "q": "orders/1" } })).status, 204);
    assert_eq!(creel.total(&format!("endpoint_id={}", shop.id)), 3);
    assert_eq!(remove(json!({ "filter": {}, "all": true })).status, 204);
    assert_eq!(creel.total(""), 0);
    varied(&creel);
    assert_eq!(remove(json!({ "filter": { "all": true } })).status, 204);
    assert_eq!(creel.total(""), 0);
}

#[test]
fn refusals_are_listed_newest_first_with_every_field() {
    let creel = Creel::start();
    for n in 0..3 {
        creel.send(&super::support::Request::post(&format!("/in/ep_guess{n}")).body("12345"));
    }
    let refusals = creel.refused(3);
    for refusal in &refusals {
        for field in ["id", "at", "endpoint_id", "status", "reason", "method", "path", "body_size", "remote_addr"] {
            assert!(refusal.get(field).is_some(), "{field}: {refusal}");
        }
    }
    assert!(text(&refusals[0], "at") >= text(&refusals[2], "at"));
}
