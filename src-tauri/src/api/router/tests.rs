#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::BodyDataStream;
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::api::AdminToken;
use crate::app::events::{EventData, EventLog};
use crate::app::operation::{
    Accepted, Created, CreatedOrSame, Input, Json, NoBody, NoContent, NoParams, NoQuery, Operations, RawBytes,
    operation,
};
use crate::domain::{EndpointId, Target};

const TOKEN: &str = "4f0c-token";
const HOST: &str = "127.0.0.1:4101";

/// A small engine that counts what it did.
#[derive(Debug, Default)]
pub(in crate::api) struct Workshop {
    pub(in crate::api) done: AtomicUsize,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Draft {
    name: String,
    #[serde(default)]
    targets: Vec<Target>,
}

#[derive(Deserialize, JsonSchema)]
struct ById {
    id: EndpointId,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct BySecret {
    id: EndpointId,
    secret_id: EndpointId,
}

#[derive(Deserialize, JsonSchema)]
struct Page {
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
struct List {
    endpoints: Vec<u32>,
}

#[derive(Serialize, JsonSchema)]
struct Health {
    status: &'static str,
}

type Shop = Arc<Workshop>;

async fn health(_: Shop, _: Input<NoParams, NoQuery, NoBody>) -> Result<Json<Health>, AppError> {
    Ok(Json(Health { status: "ok" }))
}

async fn list(_: Shop, input: Input<NoParams, Page, NoBody>) -> Result<Json<List>, AppError> {
    Ok(Json(List { endpoints: (0..input.query.limit.unwrap_or(2)).collect() }))
}

async fn create(shop: Shop, input: Input<NoParams, NoQuery, Draft>) -> Result<Created<Draft>, AppError> {
    shop.done.fetch_add(1, Ordering::SeqCst);
    Ok(Created(input.body))
}

async fn remove(_: Shop, input: Input<ById, NoQuery, NoBody>) -> Result<NoContent, AppError> {
    Err(AppError::not_found("endpoint", input.params.id))
}

async fn forget(_: Shop, _: Input<BySecret, NoQuery, NoBody>) -> Result<NoContent, AppError> {
    Ok(NoContent)
}

async fn body(_: Shop, _: Input<ById, NoQuery, NoBody>) -> Result<RawBytes, AppError> {
    Ok(RawBytes { bytes: Bytes::from_static(b"<script>\xff"), filename: "a \"b\".html".to_owned() })
}

async fn replay(_: Shop, input: Input<NoParams, NoQuery, Draft>) -> Result<CreatedOrSame<String>, AppError> {
    let length = input.body.name.len();
    Ok(CreatedOrSame { created: input.idempotency_key.is_none(), value: length.to_string() })
}

async fn slow(shop: Shop, _: Input<NoParams, NoQuery, NoBody>) -> Result<Accepted<List>, AppError> {
    tokio::time::sleep(Duration::from_millis(50)).await;
    shop.done.fetch_add(1, Ordering::SeqCst);
    Ok(Accepted(List { endpoints: Vec::new() }))
}

async fn never(_: Shop, _: Input<NoParams, NoQuery, NoBody>) -> Result<NoContent, AppError> {
    std::future::pending().await
}

async fn faulty(_: Shop, _: Input<NoParams, NoQuery, NoBody>) -> Result<NoContent, AppError> {
    panic!("a fault, on purpose")
}

pub(in crate::api) fn api() -> Api<Workshop> {
    let operations = Operations::new(vec![
        operation("health.show", Method::Get, "/health", "Says that it is well.", health),
        operation("endpoints.list", Method::Get, "/endpoints", "Lists endpoints.", list),
        operation("endpoints.create", Method::Post, "/endpoints", "Makes an endpoint.", create),
        operation("endpoints.delete", Method::Delete, "/endpoints/{id}", "Removes an endpoint.", remove),
        operation(
            "secrets.delete",
            Method::Delete,
            "/endpoints/{id}/signing-secrets/{secret_id}",
            "Forgets a secret.",
            forget,
        ),
        operation("deliveries.body", Method::Get, "/deliveries/{id}/body", "Gives the raw bytes.", body),
        operation("deliveries.replay", Method::Post, "/replays", "Replays.", replay).with_body_up_to(3 * 1024 * 1024),
        operation("jobs.slow", Method::Post, "/jobs", "Takes its time.", slow),
        operation("jobs.never", Method::Put, "/jobs", "Never ends.", never),
        operation("jobs.faulty", Method::Delete, "/jobs", "Breaks.", faulty),
    ]);
    assert_eq!(operations.faults(), Vec::<String>::new());
    Api {
        engine: Arc::new(Workshop::default()),
        operations,
        events: EventLog::new("run".to_owned(), 1024),
        token: AdminToken::new(TOKEN.to_owned()),
    }
}

fn lifetime() -> Lifetime {
    Lifetime { tasks: TaskTracker::new(), stop: CancellationToken::new(), abort: CancellationToken::new() }
}

fn guarded(api: &Api<Workshop>) -> Guarded {
    Guarded::new(HOST.parse().unwrap(), api, &lifetime())
}

fn request(method: &str, path: &str, body: impl Into<Body>) -> Request {
    http::Request::builder()
        .method(method)
        .uri(path)
        .header("host", HOST)
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(body.into())
        .unwrap()
}

async fn whole(response: Response) -> (u16, http::HeaderMap, Vec<u8>) {
    let (head, body) = response.into_parts();
    (head.status.as_u16(), head.headers, body.collect().await.unwrap().to_bytes().to_vec())
}

/// Status and JSON of one call; every response has the headers that each must have.
async fn ask(method: &str, path: &str, body: impl Into<Body>) -> (u16, Value) {
    let (status, headers, body) = whole(guarded(&api()).call(request(method, path, body)).await).await;
    assert_safe(&headers);
    if status == 204 {
        assert!(body.is_empty());
        return (status, Value::Null);
    }
    assert_eq!(headers["content-type"], "application/json", "{method} {path}");
    assert_eq!(headers["cache-control"], "no-store");
    let json: Value = serde_json::from_slice(&body).unwrap();
    if status >= 400 {
        for part in ["code", "message", "help"] {
            assert!(json["error"][part].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}: {part}");
        }
    }
    (status, json)
}

fn assert_safe(headers: &http::HeaderMap) {
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
    assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert!(headers.contains_key("cache-control"));
    assert!(!headers.keys().any(|name| name.as_str().starts_with("access-control-")), "no CORS");
    assert!(!headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn operations_answer_with_the_status_of_what_they_return() {
    assert_eq!(ask("GET", "/api/health", "").await, (200, json!({"status": "ok"})));
    assert_eq!(ask("GET", "/api/endpoints?limit=1", "").await, (200, json!({"endpoints": [0]})));
    let (status, made) = ask("POST", "/api/endpoints", r#"{"name":"a"}"#).await;
    assert_eq!((status, &made["name"]), (201, &json!("a")));
    let (id, other) = (EndpointId::new(), EndpointId::new());
    assert_eq!(ask("DELETE", &format!("/api/endpoints/{id}/signing-secrets/{other}"), "").await.0, 204);
    assert_eq!(ask("POST", "/api/jobs", "").await.0, 202);
    assert_eq!(ask("POST", "/api/replays", r#"{"name":"abc"}"#).await, (201, json!("3")));
}

/// Method, path, body; status, code and field of the error.
type Refused = (&'static str, String, &'static str, u16, &'static str, Option<&'static str>);

#[tokio::test]
async fn errors_have_the_contracts_form_and_status() {
    let id = EndpointId::new();
    let (gone, no_uuid) = (format!("/api/endpoints/{id}"), "/api/endpoints/7".to_owned());
    let rows: [Refused; 21] = [
        ("GET", "/api/endpoints?limit=ten".into(), "", 400, "bad_query", Some("limit")),
        ("GET", "/api/endpoints?limit=1&limit=2".into(), "", 400, "bad_query", Some("limit")),
        ("GET", "/api/endpoints?colour=red".into(), "", 400, "bad_query", Some("colour")),
        ("GET", "/api/health?x".into(), "", 400, "bad_query", Some("x")),
        ("POST", "/api/endpoints".into(), "", 400, "bad_request", None),
        ("POST", "/api/endpoints".into(), "{", 400, "bad_request", None),
        ("POST", "/api/endpoints".into(), "{} {}", 400, "bad_request", None),
        ("POST", "/api/endpoints".into(), "[]", 400, "bad_request", None),
        ("POST", "/api/endpoints".into(), "{}", 422, "missing_field", Some("name")),
        ("POST", "/api/endpoints".into(), r#"{"name":5}"#, 422, "invalid_value", Some("name")),
        ("POST", "/api/endpoints".into(), r#"{"name":"a","b":1}"#, 422, "unknown_field", Some("b")),
        ("DELETE", gone, "", 404, "endpoint_not_found", None),
        ("DELETE", no_uuid, "", 404, "endpoint_not_found", None),
        ("DELETE", "/api/endpoints/%ff".into(), "", 404, "not_found", None),
        ("DELETE", "/api/endpoints/%2e%2e".into(), "", 404, "endpoint_not_found", None),
        ("GET", "/api".into(), "", 404, "not_found", None),
        ("GET", "/api/".into(), "", 404, "not_found", None),
        ("GET", "/api/no-such".into(), "", 404, "not_found", None),
        ("GET", "/api/health/".into(), "", 404, "not_found", None),
        ("GET", "/api/%68ealth".into(), "", 404, "not_found", None),
        ("DELETE", "/api/jobs".into(), "", 500, "internal", None),
    ];
    for (method, path, body, status, code, field) in rows {
        let (found, json) = ask(method, &path, body).await;
        assert_eq!((found, json["error"]["code"].as_str()), (status, Some(code)), "{method} {path} {body}");
        assert_eq!(json["error"]["field"].as_str(), field, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn a_known_path_says_which_methods_it_takes() {
    let rows = [
        ("PATCH", "/api/endpoints", "GET, POST"),
        ("HEAD", "/api/endpoints", "GET, POST"),
        ("OPTIONS", "/api/endpoints", "GET, POST"),
        ("TRACE", "/api/health", "GET"),
        ("BREW", "/api/health", "GET"),
        ("POST", "/api/events", "GET"),
        ("DELETE", "/api/openapi.json", "GET"),
        ("POST", "/", "GET, HEAD"),
    ];
    for (method, path, allow) in rows {
        let (status, headers, body) = whole(guarded(&api()).call(request(method, path, "")).await).await;
        assert_eq!((status, headers["allow"].to_str().unwrap()), (405, allow), "{method} {path}");
        // An answer to HEAD has no body.
        if method != "HEAD" {
            let json: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(json["error"]["code"], "method_not_allowed");
        }
    }
}

#[tokio::test]
async fn whatever_is_asked_for_the_guard_is_asked_first_and_nothing_happens() {
    let api = api();
    let guarded = guarded(&api);
    let mut paths: Vec<(String, String)> = api
        .operations
        .iter()
        .map(|operation| {
            (operation.method.as_str().to_owned(), format!("/api{}", operation.path.replace(['{', '}'], "")))
        })
        .collect();
    for path in ["/api/events", "/api/openapi.json", "/api/no-such", "/", "/assets/x.js"] {
        paths.push(("GET".to_owned(), path.to_owned()));
    }
    let foreign: [(&'static str, &'static str); 5] = [
        ("host", "evil.example:4101"),
        ("origin", "http://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("x-forwarded-for", "127.0.0.1"),
        ("cf-ray", "1"),
    ];
    for (method, path) in &paths {
        for (name, value) in foreign {
            let mut request = request(method, path, r#"{"name":"a"}"#);
            request.headers_mut().insert(name, http::HeaderValue::from_static(value));
            let (status, headers, _) = whole(guarded.clone().call(request).await).await;
            assert_eq!(status, 403, "{method} {path} with {name}");
            assert_safe(&headers);
        }
        if path.starts_with("/api") {
            let mut request = request(method, path, r#"{"name":"a"}"#);
            request.headers_mut().remove("authorization");
            let (status, headers, body) = whole(guarded.clone().call(request).await).await;
            assert_eq!((status, headers["www-authenticate"].to_str().unwrap()), (401, "Bearer"), "{method} {path}");
            let json: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(json["error"]["code"], "unauthorized");
        }
    }
    assert_eq!(api.engine.done.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_upgrade_is_not_taken_up() {
    let mut upgrade = request("GET", "/api/health", "");
    upgrade.headers_mut().insert("connection", http::HeaderValue::from_static("Upgrade"));
    upgrade.headers_mut().insert("upgrade", http::HeaderValue::from_static("websocket"));
    let (status, headers, _) = whole(guarded(&api()).call(upgrade).await).await;
    assert_eq!(status, 200);
    assert!(!headers.contains_key("upgrade"));
}

#[tokio::test]
async fn raw_bytes_are_a_file_that_no_browser_interprets() {
    let path = format!("/api/deliveries/{}/body", EndpointId::new());
    let (status, headers, body) = whole(guarded(&api()).call(request("GET", &path, "")).await).await;
    assert_eq!((status, body.as_slice()), (200, &b"<script>\xff"[..]));
    assert_safe(&headers);
    assert_eq!(headers["content-type"], "application/octet-stream");
    assert_eq!(headers["content-disposition"], "attachment; filename=\"a__b_.html\"");
    assert!(headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
}

#[tokio::test]
async fn each_operation_has_its_own_limit_for_its_body() {
    let body = |bytes: usize| format!(r#"{{"name":"{}"}}"#, "a".repeat(bytes - r#"{"name":""}"#.len()));
    let limit = crate::app::operation::BODY_BYTES_MAX;
    assert_eq!(ask("POST", "/api/endpoints", body(limit)).await.0, 201);
    let (status, json) = ask("POST", "/api/endpoints", body(limit + 1)).await;
    assert_eq!((status, json["error"]["code"].as_str()), (413, Some("body_too_large")));
    assert_eq!(ask("POST", "/api/replays", body(limit + 1)).await.0, 201);
    assert_eq!(ask("POST", "/api/replays", body(3 * limit + 1)).await.0, 413);
    let mut announced = request(
        "POST",
        "/api/endpoints",
        Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>()),
    );
    announced.headers_mut().insert("content-length", http::HeaderValue::from(9_999_999_999_u64));
    let (status, ..) = whole(guarded(&api()).call(announced).await).await;
    assert_eq!(status, 413, "what is announced as too large is not waited for");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_given_up() {
    let stalled = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
    let (status, json) = ask("POST", "/api/endpoints", stalled).await;
    assert_eq!((status, json["error"]["code"].as_str()), (408, Some("request_timeout")));
}

#[tokio::test]
async fn an_idempotency_key_reaches_the_operation() {
    let api = api();
    for (key, status) in [(&b"k-1"[..], 200), (b"  ", 201), (b"k\xff", 400)] {
        let mut request = request("POST", "/api/replays", r#"{"name":"a"}"#);
        request.headers_mut().insert("idempotency-key", http::HeaderValue::from_bytes(key).unwrap());
        assert_eq!(whole(guarded(&api).call(request).await).await.0, status, "{key:?}");
    }
}

#[tokio::test]
async fn a_call_that_has_begun_ends_even_when_its_caller_hangs_up() {
    let api = api();
    let lifetime = lifetime();
    let guarded = Guarded::new(HOST.parse().unwrap(), &api, &lifetime);
    let caller = tokio::time::timeout(Duration::from_millis(5), guarded.call(request("POST", "/api/jobs", "")));
    assert!(caller.await.is_err(), "the caller has hung up");
    lifetime.tasks.close();
    lifetime.tasks.wait().await;
    assert_eq!(api.engine.done.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_page_is_served_without_a_token() {
    let mut page = request("GET", "/", "");
    page.headers_mut().remove("authorization");
    let (status, headers, body) = whole(guarded(&api()).call(page).await).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "text/html; charset=utf-8"));
    assert_safe(&headers);
    assert!(headers["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
    assert!(String::from_utf8(body).unwrap().to_lowercase().contains("<!doctype html>"));
}

async fn open(api: &Api<Workshop>, lifetime: &Lifetime, last: Option<&'static str>) -> BodyDataStream {
    let mut request = request("GET", "/api/events", "");
    if let Some(last) = last {
        request.headers_mut().insert("last-event-id", http::HeaderValue::from_static(last));
    }
    let response = Guarded::new(HOST.parse().unwrap(), api, lifetime).call(request).await;
    assert_eq!(
        (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()),
        (200, "text/event-stream")
    );
    assert_safe(response.headers());
    response.into_body().into_data_stream()
}

async fn piece(stream: &mut BodyDataStream) -> String {
    String::from_utf8(stream.next().await.unwrap().unwrap().to_vec()).unwrap()
}

fn event(n: u32) -> EventData {
    EventData::Endpoint(Arc::new(json!({"n": n})))
}

#[tokio::test(start_paused = true)]
async fn events_are_streamed_as_they_happen_with_a_comment_every_fifteen_seconds() {
    let (api, lifetime) = (api(), lifetime());
    api.events.publish(event(1));
    let mut stream = open(&api, &lifetime, None).await;
    assert_eq!(piece(&mut stream).await, ": open\n\n");
    api.events.publish_all([event(2), EventData::Resync]);
    let begun = tokio::time::Instant::now();
    let expected = "event: endpoint\nid: run-2\ndata: {\"n\":2}\n\nevent: resync\nid: run-3\ndata: {}\n\n";
    assert_eq!(piece(&mut stream).await, expected);
    assert!(begun.elapsed() < Duration::from_millis(50));
    for n in 1..=3 {
        assert_eq!(piece(&mut stream).await, ": still here\n\n");
        assert!(begun.elapsed().abs_diff(Duration::from_secs(15 * n)) < Duration::from_millis(50));
    }
    lifetime.stop.cancel();
    assert!(stream.next().await.is_none(), "the stream ends when the listener stops");
}

#[tokio::test(start_paused = true)]
async fn a_stream_resumes_behind_the_last_event_that_was_seen() {
    let (api, lifetime) = (api(), lifetime());
    api.events.publish_all((1..=3).map(event));
    for (last, first) in [("run-1", "event: endpoint\nid: run-2\n"), ("old-1", "event: resync\nid: run-3\n")] {
        let mut stream = open(&api, &lifetime, Some(last)).await;
        assert_eq!(piece(&mut stream).await, ": open\n\n");
        assert!(piece(&mut stream).await.starts_with(first), "{last}");
    }
    let mut stream = open(&api, &lifetime, Some("run-3")).await;
    piece(&mut stream).await;
    api.events.close();
    assert!(stream.next().await.is_none(), "the stream ends when the engine closes its log");
}

#[tokio::test]
async fn there_is_a_limit_to_open_streams() {
    let (api, lifetime) = (api(), lifetime());
    let mut streams = Vec::new();
    for _ in 0..crate::api::stream::STREAMS_MAX {
        streams.push(open(&api, &lifetime, None).await);
    }
    let (status, headers, _) = whole(guarded(&api).call(request("GET", "/api/events", "")).await).await;
    assert_eq!((status, headers["retry-after"].to_str().unwrap()), (503, "1"));
    streams.pop();
    streams.push(open(&api, &lifetime, None).await);
}

#[tokio::test]
async fn the_description_has_every_operation_every_answer_and_no_dangling_reference() {
    let (status, document) = ask("GET", "/api/openapi.json", "").await;
    assert_eq!((status, &document["openapi"]), (200, &json!("3.1.0")));
    let api = api();
    for operation in api.operations.iter() {
        let described = &document["paths"][operation.path][operation.method.as_str().to_lowercase()];
        assert_eq!(described["operationId"], operation.name);
        for status in ["400", "401", "403", "404", "409", "422", "500", "503"] {
            assert!(described["responses"][status].is_object(), "{operation:?} {status}");
        }
        assert_eq!(described["requestBody"].is_object(), operation.takes_body, "{operation:?}");
        let in_path = described["parameters"].as_array().unwrap().iter().filter(|parameter| parameter["in"] == "path");
        assert_eq!(in_path.count(), path_parameters(operation.path).count(), "{operation:?}");
    }
    assert!(document["paths"]["/events"]["get"].is_object() && document["paths"]["/openapi.json"]["get"].is_object());
    let limit = &document["paths"]["/endpoints"]["get"]["parameters"][0];
    assert_eq!((&limit["schema"]["type"], &limit["schema"]["maximum"]), (&json!("integer"), &json!(500)));
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    assert!(document["components"]["schemas"]["Target"].is_object());
    assert_eq!(document, openapi::document(&api.operations), "the description is the same each time");
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}
