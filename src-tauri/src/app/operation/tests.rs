#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::json;

use super::*;
use crate::app::error::ErrorKind;
use crate::domain::{DeliveryId, EndpointId, EventFilter, Reply, SignaturePolicy};

struct Engine;

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct DeliveryPath {
    id: EndpointId,
    delivery_id: DeliveryId,
    n: u32,
}

/// Forgets `deny_unknown_fields` on purpose.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct ListQuery {
    limit: Option<u32>,
    before: Option<i64>,
    pinned: Option<bool>,
    q: Option<String>,
    policy: Option<SignaturePolicy>,
    endpoint_id: Option<EndpointId>,
    status: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Draft {
    name: String,
    #[serde(default)]
    reply: Reply,
    #[serde(default)]
    event_filters: Vec<EventFilter>,
    #[serde(default, deserialize_with = "present")]
    note: Option<Option<String>>,
    #[serde(default)]
    size: u16,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ReplayDraft {
    force: bool,
}

async fn list(_: Arc<Engine>, input: Input<NoParams, ListQuery, NoBody>) -> Result<Json<ListQuery>, AppError> {
    Ok(Json(input.query))
}

async fn create(_: Arc<Engine>, input: Input<NoParams, NoQuery, Draft>) -> Result<Created<Draft>, AppError> {
    Ok(Created(input.body))
}

async fn arrival(_: Arc<Engine>, _: Input<DeliveryPath, NoQuery, NoBody>) -> Result<NoContent, AppError> {
    Ok(NoContent)
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct OpenDraft {
    name: String,
}

async fn open(_: Arc<Engine>, _: Input<NoParams, NoQuery, OpenDraft>) -> Result<NoContent, AppError> {
    Ok(NoContent)
}

async fn replay(
    _: Arc<Engine>,
    input: Input<NoParams, NoQuery, Optional<ReplayDraft>>,
) -> Result<CreatedOrSame<Option<String>>, AppError> {
    Ok(CreatedOrSame { created: input.body.0.force, value: input.idempotency_key })
}

fn table() -> Operations<Engine> {
    Operations::new(vec![
        operation("deliveries.list", Method::Get, "/deliveries", "Lists deliveries.", list),
        operation("endpoints.create", Method::Post, "/endpoints", "Makes an endpoint.", create),
        operation(
            "arrivals.show",
            Method::Get,
            "/endpoints/{id}/deliveries/{delivery_id}/arrivals/{n}",
            "Shows an arrival.",
            arrival,
        ),
        operation("deliveries.replay", Method::Post, "/replays", "Replays.", replay),
    ])
}

fn call(name: &str, call: Value) -> Result<Answer, AppError> {
    let call: Call = serde_json::from_value(call).unwrap();
    let engine = Arc::new(Engine);
    futures_util::FutureExt::now_or_never(table().call(&engine, name, call)).unwrap()
}

fn refusal(name: &str, given: Value) -> (ErrorKind, &'static str, Option<String>) {
    let error = call(name, given.clone()).expect_err(&given.to_string());
    assert!(!error.message.is_empty() && !error.help.is_empty());
    (error.kind, error.code, error.field)
}

#[test]
fn a_query_means_the_same_as_text_and_as_json() {
    let id = EndpointId::new().to_string();
    let text = json!({"query": {"limit": "50", "before": "-7", "pinned": "true", "q": "12", "policy": "observe",
        "endpoint_id": id, "status": "failed"}});
    let typed = json!({"query": {"limit": 50, "before": -7, "pinned": true, "q": "12", "policy": "observe",
        "endpoint_id": id, "status": ["failed"]}});
    assert_eq!(call("deliveries.list", text).unwrap(), call("deliveries.list", typed).unwrap());
    let nulls = json!({"query": {"limit": null, "status": null}});
    assert_eq!(call("deliveries.list", nulls).unwrap(), call("deliveries.list", json!({})).unwrap());
}

#[test]
fn a_bad_or_unknown_query_parameter_is_400_and_named() {
    let bad = [
        ("limit", json!("")),
        ("limit", json!("-1")),
        ("limit", json!("+1")),
        ("limit", json!("1.5")),
        ("limit", json!("1e2")),
        ("limit", json!("4294967296")),
        ("limit", json!("ten")),
        ("limit", json!(["1", "2"])),
        ("limit", json!({"a": 1})),
        ("limit", json!(true)),
        ("pinned", json!("yes")),
        ("pinned", json!("1")),
        ("policy", json!("loud")),
        ("policy", json!(["observe", "enforce"])),
        ("endpoint_id", json!("7")),
        ("q", json!(["a", "b"])),
        ("q", json!(5)),
        ("colour", json!("red")),
    ];
    for (name, value) in bad {
        let given = json!({"query": {name: value}});
        assert_eq!(
            refusal("deliveries.list", given.clone()),
            (ErrorKind::BadRequest, "bad_query", Some(name.to_owned())),
            "{given}"
        );
    }
    assert_eq!(refusal("endpoints.create", json!({"query": {"x": "1"}, "body": {"name": "a"}})).1, "bad_query");
}

#[test]
fn an_id_that_cannot_be_one_names_nothing_of_its_noun() {
    let (id, delivery) = (EndpointId::new().to_string(), DeliveryId::new().to_string());
    let rows = [
        (json!({"id": "x", "delivery_id": delivery, "n": "1"}), "endpoint_not_found"),
        (json!({"id": id, "delivery_id": "..", "n": "1"}), "delivery_not_found"),
        (json!({"id": id, "delivery_id": delivery, "n": "one"}), "not_found"),
        (json!({"id": id, "delivery_id": delivery, "n": "-1"}), "not_found"),
        (json!({"id": 5, "delivery_id": delivery, "n": 1}), "endpoint_not_found"),
    ];
    for (params, code) in rows {
        let (kind, found, _) = refusal("arrivals.show", json!({"params": params, "query": {"x": "1"}}));
        assert_eq!((kind, found), (ErrorKind::NotFound, code));
    }
    let well = json!({"params": {"id": id, "delivery_id": delivery, "n": "1"}});
    assert_eq!(call("arrivals.show", well).unwrap(), Answer::Empty);
    assert_eq!(refusal("arrivals.show", json!({"params": {"id": id}})).0, ErrorKind::BadRequest);
}

#[test]
fn a_body_that_is_no_object_is_400_and_what_it_holds_wrongly_is_422_with_its_field() {
    for body in [json!(null), json!([]), json!("text"), json!(5), json!(true)] {
        assert_eq!(refusal("endpoints.create", json!({"body": body})).0, ErrorKind::BadRequest);
    }
    let rows = [
        (json!({}), "missing_field", "name"),
        (json!({"name": 5}), "invalid_value", "name"),
        (json!({"name": null}), "invalid_value", "name"),
        (json!({"name": "a", "nme": "b"}), "unknown_field", "nme"),
        (json!({"name": "a", "size": 70_000}), "invalid_value", "size"),
        (json!({"name": "a", "size": "7"}), "invalid_value", "size"),
        (json!({"name": "a", "size": 1.5}), "invalid_value", "size"),
        (json!({"name": "a", "size": 65_536.0}), "invalid_value", "size"),
        (json!({"name": "a", "event_filters": {}}), "invalid_value", "event_filters"),
        (json!({"name": "a", "event_filters": "push"}), "invalid_value", "event_filters"),
        (
            json!({"name": "a", "event_filters": [{"event": "push"}, {"evnt": "x"}]}),
            "unknown_field",
            "event_filters[1].evnt",
        ),
        (
            json!({"name": "a", "event_filters": [{"event": "push", "actions": [1]}]}),
            "invalid_value",
            "event_filters[0].actions[0]",
        ),
        (json!({"name": "a", "event_filters": [{}]}), "missing_field", "event_filters[0].event"),
        (json!({"name": "a", "reply": {"mode": "shout"}}), "invalid_value", "reply.mode"),
        (json!({"name": "a", "reply": {"mode": "ack", "timeout_ms": 5}}), "unknown_field", "reply.timeout_ms"),
        // Not the first of the variants.
        (json!({"name": "a", "reply": {"mode": 0}}), "invalid_value", "reply.mode"),
        (json!({"name": "a", "reply": {"mode": "passthrough", "timeout": 5}}), "unknown_field", "reply.timeout"),
    ];
    for (body, code, field) in rows {
        let found = refusal("endpoints.create", json!({"body": body.clone()}));
        assert_eq!(found, (ErrorKind::Unprocessable, code, Some(field.to_owned())), "{body}");
    }
}

#[test]
fn a_whole_number_is_one_however_it_is_written() {
    let fixed = json!({"mode": "fixed", "status": 503.0, "body": "no"});
    let body = json!({"name": "a", "size": 7.0, "reply": fixed});
    call("endpoints.create", json!({"body": body})).unwrap();
}

#[test]
fn a_refused_value_is_not_repeated_in_the_error() {
    for body in [json!({"name": ["canary-secret"]}), json!({"name": "a", "size": "canary-secret"})] {
        let error = call("endpoints.create", json!({"body": body})).unwrap_err();
        assert!(!error.message.contains("canary"), "{}", error.message);
    }
}

#[test]
fn an_absent_field_and_a_null_one_are_told_apart_where_the_type_does() {
    let Answer::Json { status, json } = call("endpoints.create", json!({"body": {"name": "a", "note": null}})).unwrap()
    else {
        panic!("no JSON")
    };
    assert_eq!(status, 201);
    assert!(json.contains(r#""note":null"#));
    assert_eq!(Draft::read(Some(json!({"name": "a"}))).unwrap().note, None);
    assert_eq!(Draft::read(Some(json!({"name": "a", "note": null}))).unwrap().note, Some(None));
}

#[test]
fn an_operation_without_a_body_takes_no_notice_of_one() {
    for body in [json!({}), json!({"x": 1}), json!([1])] {
        assert!(call("deliveries.list", json!({"body": body})).is_ok());
    }
}

#[test]
fn an_optional_body_may_be_left_out_but_not_be_wrong() {
    let same = Answer::Json { status: 200, json: "null".to_owned() };
    assert_eq!(call("deliveries.replay", json!({})).unwrap(), same);
    assert_eq!(call("deliveries.replay", json!({"body": {}})).unwrap(), same);
    let made = Answer::Json { status: 201, json: "null".to_owned() };
    assert_eq!(call("deliveries.replay", json!({"body": {"force": true}})).unwrap(), made);
    assert_eq!(refusal("deliveries.replay", json!({"body": {"farce": true}})).1, "unknown_field");
    assert_eq!(refusal("deliveries.replay", json!({"body": []})).0, ErrorKind::BadRequest);
}

#[test]
fn an_idempotency_key_is_trimmed_and_a_blank_one_is_none() {
    for (given, taken) in [(" k ", "\"k\""), ("  ", "null"), ("", "null")] {
        let answer = call("deliveries.replay", json!({"idempotency_key": given})).unwrap();
        assert_eq!(answer, Answer::Json { status: 200, json: taken.to_owned() });
    }
    let long = "k".repeat(IDEMPOTENCY_KEY_BYTES_MAX + 1);
    assert_eq!(refusal("deliveries.replay", json!({"idempotency_key": long})).0, ErrorKind::BadRequest);
}

#[test]
fn a_name_that_is_no_operation_is_404() {
    assert_eq!(refusal("endpoints.destroy", json!({})).0, ErrorKind::NotFound);
}

#[test]
fn a_table_that_contradicts_itself_says_how() {
    assert_eq!(table().faults(), Vec::<String>::new());
    let wrong = Operations::new(vec![
        operation("deliveries.list", Method::Get, "/deliveries", "Lists.", list),
        operation("deliveries.list", Method::Get, "/deliveries", "Lists.", list),
        operation("arrivals.show", Method::Get, "/endpoints/{id}/{other}", "Shows.", arrival),
        operation("endpoints.open", Method::Post, "/endpoints", "Takes anything.", open),
    ]);
    let faults = wrong.faults().join("\n");
    let expected = [
        "name is given twice",
        "route is given twice",
        "the path names",
        "no noun is known for `other`",
        "(endpoints.open: POST /endpoints): its body's type lacks",
    ];
    for fault in expected {
        assert!(faults.contains(fault), "{fault}: {faults}");
    }
}

#[test]
fn the_typescript_map_has_every_operation_with_its_route() {
    let text = table().typescript();
    assert!(text.contains("  \"endpoints.create\": { method: \"POST\", path: \"/endpoints\" },\n"), "{text}");
    assert_eq!(text.matches("method:").count(), table().iter().count());
    assert!(text.ends_with("export type OperationName = keyof typeof operations;\n"));
}

#[test]
fn the_shape_of_an_operation_is_that_of_its_types() {
    let mut generator = SchemaGenerator::default();
    let table = table();
    let create = table.get("endpoints.create").unwrap().shape(&mut generator);
    assert!(create.body.unwrap().required);
    assert!(table.get("endpoints.create").unwrap().takes_body && !table.get("deliveries.list").unwrap().takes_body);
    assert_eq!(create.answers[0].status, 201);
    let replay = table.get("deliveries.replay").unwrap().shape(&mut generator);
    assert!(!replay.body.unwrap().required);
    assert_eq!(replay.answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [201, 200]);
    assert!(table.get("deliveries.list").unwrap().shape(&mut generator).body.is_none());
}
