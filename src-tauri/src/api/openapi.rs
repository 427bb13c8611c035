//! The description of the API (OpenAPI 3.1), made from the table of operations and the types they take and answer.
//!
//! OpenAPI 3.1 uses JSON Schema 2020-12 as it is (OAS 3.1.0 section 4.8.24), which is what schemars writes; only the
//! place of the definitions differs, and `null` makes no sense in a path or a query.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::app::error::ErrorAnswer;
use crate::app::operation::{AnswerContent, AnswerShape, Operation, OperationShape, Operations};

/// Name, status and meaning of the errors that any call may answer.
const ERRORS: &[(&str, u16, &str)] = &[
    ("BadRequest", 400, "The request cannot be read, or its query is wrong."),
    ("Unauthorized", 401, "The admin token is missing or wrong."),
    ("Forbidden", 403, "Not addressed to this listener, from another site, or through a proxy."),
    ("NotFound", 404, "Nothing of that name."),
    ("Conflict", 409, "It contradicts the present state."),
    ("Unprocessable", 422, "A value that is refused, an unknown field, or something not available in this version."),
    ("Internal", 500, "A fault of Creel."),
    ("Unavailable", 503, "Not now; `Retry-After` says when to try again."),
];
/// The same for calls with a body.
const BODY_ERRORS: &[(&str, u16, &str)] = &[
    ("Timeout", 408, "The body did not arrive in time."),
    ("TooLarge", 413, "The body is larger than the call takes."),
];

/// The description of these operations.
#[must_use]
pub fn document<E: Send + Sync + 'static>(operations: &Operations<E>) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let error = generator.subschema_for::<ErrorAnswer>();
    let mut paths = Map::new();
    for operation in operations.iter() {
        let description = describe(operation, &mut generator);
        add(&mut paths, operation.path, operation.method.as_str(), description);
    }
    add(&mut paths, "/events", "GET", events());
    add(&mut paths, "/openapi.json", "GET", own());
    let mut schemas = Value::Object(generator.take_definitions(true));
    drop_random_defaults(&mut schemas);
    bound_integers(&mut schemas);
    paths.values_mut().for_each(bound_integers);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Creel",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The admin API of Creel. Ids are UUIDv7, times are RFC 3339 in UTC with milliseconds.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": "/api"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": error_responses(&error),
            "securitySchemes": {"bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "`admin_token` of `run.json`; new at each start.",
            }},
        },
    })
}

fn add(paths: &mut Map<String, Value>, path: &str, method: &str, description: Value) {
    let item = paths.entry(path).or_insert_with(|| json!({}));
    if let Some(item) = item.as_object_mut() {
        item.insert(method.to_lowercase(), description);
    }
}

fn describe<E: Send + Sync + 'static>(operation: &Operation<E>, generator: &mut SchemaGenerator) -> Value {
    let shape = operation.shape(generator);
    let mut responses = Map::new();
    for answer in &shape.answers {
        responses.insert(answer.status.to_string(), success(answer));
    }
    refer_to_errors(&mut responses, ERRORS);
    if shape.body.is_some() {
        refer_to_errors(&mut responses, BODY_ERRORS);
    }
    let mut description = json!({
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.name.split('.').next().unwrap_or_default()],
        "parameters": parameters(&shape),
        "responses": responses,
    });
    if let Some(body) = &shape.body {
        description["requestBody"] =
            json!({"required": body.required, "content": {"application/json": {"schema": body.schema}}});
    }
    description
}

fn success(answer: &AnswerShape) -> Value {
    let content = match &answer.content {
        AnswerContent::Json(schema) => json!({"application/json": {"schema": schema}}),
        AnswerContent::Bytes => json!({"application/octet-stream": {}}),
        AnswerContent::Empty => return json!({"description": answer.description}),
    };
    json!({"description": answer.description, "content": content})
}

fn refer_to_errors(responses: &mut Map<String, Value>, errors: &[(&str, u16, &str)]) {
    for (name, status, _) in errors {
        responses.insert(status.to_string(), json!({"$ref": format!("#/components/responses/{name}")}));
    }
}

fn error_responses(error: &Schema) -> Value {
    let described = ERRORS.iter().chain(BODY_ERRORS).map(|(name, _, description)| {
        let content = json!({"application/json": {"schema": error}});
        ((*name).to_owned(), json!({"description": description, "content": content}))
    });
    Value::Object(described.collect())
}

fn parameters(shape: &OperationShape) -> Vec<Value> {
    let mut parameters: Vec<Value> =
        fields(&shape.params).map(|(name, schema, _)| parameter("path", name, schema, true)).collect();
    parameters.extend(fields(&shape.query).map(|(name, schema, required)| parameter("query", name, schema, required)));
    // An operation that answers either "made" or "made before" is one that recognises its repeats.
    let answers = |status| shape.answers.iter().any(|answer| answer.status == status);
    if answers(200) && answers(201) {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "A repeat of the call with the same key answers with the same thing.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        }));
    }
    parameters
}

/// Name and schema of an object's fields, and whether it must have them.
fn fields(object: &Schema) -> impl Iterator<Item = (&String, &Value, bool)> {
    let required: Vec<&str> = match object.get("required").and_then(Value::as_array) {
        Some(names) => names.iter().filter_map(Value::as_str).collect(),
        None => Vec::new(),
    };
    let properties = object.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(move |(name, schema)| (name, schema, required.contains(&name.as_str())))
}

fn parameter(place: &str, name: &str, schema: &Value, required: bool) -> Value {
    let mut schema = without_null(schema.clone());
    let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    let mut parameter = json!({"name": name, "in": place, "required": required, "schema": schema});
    if let Some(description) = description {
        parameter["description"] = description;
    }
    parameter
}

/// A schema that takes the same values but null, which no text of a URL stands for.
fn without_null(mut schema: Value) -> Value {
    let Some(object) = schema.as_object_mut() else { return schema };
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(types) = object.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|word| word != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(values) = object.get_mut("enum").and_then(Value::as_array_mut) {
        values.retain(|value| !value.is_null());
    }
    if let Some(choices) = object.get_mut("anyOf").and_then(Value::as_array_mut) {
        choices.retain(|choice| *choice != json!({"type": "null"}));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
    schema
}

/// Removes defaults that are ids: they are made anew each time, so the one that was made here means nothing.
fn drop_random_defaults(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let random = |default: &Value| default.as_str().is_some_and(|text| Uuid::parse_str(text).is_ok());
            if object.get("default").is_some_and(random) {
                object.remove("default");
            }
            object.values_mut().for_each(drop_random_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_random_defaults),
        _ => {}
    }
}

/// Says how large an integer may be: schemars names the type that reads it as its `format`, which means nothing to a reader
/// of JSON Schema.
fn bound_integers(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let format = object.get("format").and_then(Value::as_str);
            if let Some((least, most)) = format.and_then(integer_bounds) {
                object.entry("minimum").or_insert(least);
                object.entry("maximum").or_insert(most);
            }
            object.values_mut().for_each(bound_integers);
        }
        Value::Array(items) => items.iter_mut().for_each(bound_integers),
        _ => {}
    }
}

fn integer_bounds(format: &str) -> Option<(Value, Value)> {
    Some(match format {
        "uint8" => (json!(u8::MIN), json!(u8::MAX)),
        "uint16" => (json!(u16::MIN), json!(u16::MAX)),
        "uint32" => (json!(u32::MIN), json!(u32::MAX)),
        "uint64" => (json!(u64::MIN), json!(u64::MAX)),
        "int32" => (json!(i32::MIN), json!(i32::MAX)),
        "int64" => (json!(i64::MIN), json!(i64::MAX)),
        _ => return None,
    })
}

fn events() -> Value {
    let mut responses = Map::new();
    let content = json!({"text/event-stream": {"schema": {"type": "string"}}});
    let meaning = "Events without end: `event` is delivery, attempt, endpoint, refusal, tunnel or resync.";
    responses.insert("200".to_owned(), json!({"description": meaning, "content": content}));
    refer_to_errors(&mut responses, ERRORS);
    json!({
        "operationId": "events.stream",
        "summary": "Streams every change as Server-Sent Events.",
        "tags": ["events"],
        "parameters": [{
            "name": "Last-Event-ID",
            "in": "header",
            "required": false,
            "description": "Resumes behind this event; an unknown or expired id gets `resync` first.",
            "schema": {"type": "string"},
        }],
        "responses": responses,
    })
}

fn own() -> Value {
    let mut responses = Map::new();
    let content = json!({"application/json": {"schema": {"type": "object"}}});
    responses.insert("200".to_owned(), json!({"description": "This document.", "content": content}));
    refer_to_errors(&mut responses, ERRORS);
    json!({
        "operationId": "openapi.show",
        "summary": "Describes the API.",
        "tags": ["openapi"],
        "parameters": [],
        "responses": responses,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_never_null() {
        let rows = [
            (json!({"type": ["integer", "null"], "minimum": 1}), json!({"type": "integer", "minimum": 1})),
            (json!({"type": ["integer", "null"], "default": null}), json!({"type": "integer"})),
            (
                json!({"anyOf": [{"$ref": "#/components/schemas/X"}, {"type": "null"}], "default": null}),
                json!({"$ref": "#/components/schemas/X"}),
            ),
            (json!({"enum": ["a", null]}), json!({"enum": ["a"]})),
            (json!({"type": "string"}), json!({"type": "string"})),
        ];
        for (given, expected) in rows {
            assert_eq!(without_null(given), expected);
        }
    }

    #[test]
    fn an_integer_says_how_large_it_may_be_unless_its_field_is_narrower() {
        let mut schema = json!({"a": {"type": "integer", "format": "uint16", "minimum": 1}, "b": {"format": "uuid"}});
        bound_integers(&mut schema);
        let a = json!({"type": "integer", "format": "uint16", "minimum": 1, "maximum": 65_535});
        assert_eq!(schema, json!({"a": a, "b": {"format": "uuid"}}));
    }

    #[test]
    fn a_default_that_is_a_new_id_each_time_is_left_out() {
        let mut schema =
            json!({"a": [{"default": "0199aa00-0000-7000-8000-000000000000", "type": "string"}], "default": "x"});
        drop_random_defaults(&mut schema);
        assert_eq!(schema, json!({"a": [{"type": "string"}], "default": "x"}));
    }
}
