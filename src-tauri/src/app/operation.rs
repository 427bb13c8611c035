//! Operations: what the engine can be asked to do, each declared once and shared by REST and the desktop.
//!
//! A use case is a plain `async fn(Arc<Engine>, Input<Params, Query, Body>) -> Result<Json<View>, AppError>`.
//! [`operation`] gives it its name, method and path; everything else (decoding, refusals, OpenAPI, the TypeScript map)
//! follows from its types. An adapter looks the operation up, fills a [`Call`] and passes on the [`Answer`].

mod answer;
mod decode;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::AppError;

pub use answer::{
    Accepted, Answer, AnswerContent, AnswerShape, Created, CreatedOrSame, IntoAnswer, Json, NoContent, RawBytes,
};

/// Longest `Idempotency-Key` in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Longest body of a call in bytes, unless the operation says otherwise: 1 MiB.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Longest body of a replay in bytes, 40 MiB: the largest delivery by default, 26 MiB, in base64.
pub const REPLAY_BODY_BYTES_MAX: usize = 40 * 1024 * 1024;

/// HTTP method of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes, or acts on a thing.
    Post,
    /// Replaces.
    Put,
    /// Changes what is named.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// As it stands in a request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What a use case gets: decoded, of its own types.
#[derive(Clone, Debug)]
pub struct Input<P, Q, B> {
    /// From the path.
    pub params: P,
    /// From the query.
    pub query: Q,
    /// From the body.
    pub body: B,
    /// Makes a repeat of the same call recognisable; never blank.
    pub idempotency_key: Option<String>,
}

/// What an adapter hands in: named, not yet decoded.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Call {
    /// Parts of the path by name.
    pub params: Map<String, Value>,
    /// Query parameters: strings from a URL (several: a list), real JSON types from the desktop. A null is absent.
    pub query: Map<String, Value>,
    /// The body; none when it was empty.
    pub body: Option<Value>,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

/// For an operation whose path names nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// For an operation that takes no query parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoQuery {}

/// For an operation that takes no body. One that is sent all the same is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoBody;

/// A body that may be left out, and then counts as `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Optional<T>(pub T);

/// Whether an operation takes a body, and of which shape.
#[derive(Clone, Debug)]
pub struct BodyShape {
    /// Whether it may be left out.
    pub required: bool,
    /// JSON Schema of the object.
    pub schema: Schema,
}

/// A request body: any object that serde can read, [`NoBody`], or [`Optional`].
pub trait RequestBody: Sized + Send + 'static {
    /// Whether there is anything to read.
    const TAKEN: bool = true;

    /// Reads it.
    ///
    /// # Errors
    /// 400 when there is none or it is no object, 422 when it holds what the operation does not take.
    fn read(body: Option<Value>) -> Result<Self, AppError>;

    /// Its shape; none: no body.
    fn shape(generator: &mut SchemaGenerator) -> Option<BodyShape>;
}

impl<T: DeserializeOwned + JsonSchema + Send + 'static> RequestBody for T {
    fn read(body: Option<Value>) -> Result<Self, AppError> {
        let Some(body) = body else {
            return Err(AppError::bad_request("The request has no body", "Send a JSON object."));
        };
        decode::body(body)
    }

    fn shape(generator: &mut SchemaGenerator) -> Option<BodyShape> {
        Some(BodyShape { required: true, schema: generator.subschema_for::<T>() })
    }
}

impl RequestBody for NoBody {
    const TAKEN: bool = false;

    fn read(_body: Option<Value>) -> Result<Self, AppError> {
        Ok(Self)
    }

    fn shape(_generator: &mut SchemaGenerator) -> Option<BodyShape> {
        None
    }
}

impl<T: DeserializeOwned + JsonSchema + Send + 'static> RequestBody for Optional<T> {
    fn read(body: Option<Value>) -> Result<Self, AppError> {
        decode::body(body.unwrap_or_else(|| Value::Object(Map::new()))).map(Self)
    }

    fn shape(generator: &mut SchemaGenerator) -> Option<BodyShape> {
        Some(BodyShape { required: false, schema: generator.subschema_for::<T>() })
    }
}

/// Everything about an operation's request and answers that a description of the API needs.
#[derive(Clone, Debug)]
pub struct OperationShape {
    /// Schema of the object of path parameters.
    pub params: Schema,
    /// Schema of the object of query parameters.
    pub query: Schema,
    /// The body, if it takes one.
    pub body: Option<BodyShape>,
    /// What it answers on success.
    pub answers: Vec<AnswerShape>,
}

type CallFuture = Pin<Box<dyn Future<Output = Result<Answer, AppError>> + Send>>;
type Run<E> = Arc<dyn Fn(Arc<E>, Call) -> CallFuture + Send + Sync>;

/// One thing that the engine `E` can be asked to do.
pub struct Operation<E> {
    /// Its name, `<noun>.<verb>`: what the desktop calls it by.
    pub name: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path below `/api`, with `{name}` for parameters.
    pub path: &'static str,
    /// One sentence for the API's description.
    pub summary: &'static str,
    /// Whether it takes a body; an adapter need not read one that it does not take.
    pub takes_body: bool,
    /// Longest body in bytes.
    pub body_bytes_max: usize,
    run: Run<E>,
    shape: fn(&mut SchemaGenerator) -> OperationShape,
}

impl<E> Clone for Operation<E> {
    fn clone(&self) -> Self {
        Self { run: Arc::clone(&self.run), ..*self }
    }
}

impl<E> fmt::Debug for Operation<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Operation({}: {} {})", self.name, self.method.as_str(), self.path)
    }
}

impl<E: Send + Sync + 'static> Operation<E> {
    /// The same with another limit for its body.
    #[must_use]
    pub fn with_body_up_to(mut self, bytes: usize) -> Self {
        self.body_bytes_max = bytes;
        self
    }

    /// Does it.
    ///
    /// # Errors
    /// A call that cannot be decoded, and whatever the use case refuses.
    pub async fn call(&self, engine: &Arc<E>, call: Call) -> Result<Answer, AppError> {
        (self.run)(Arc::clone(engine), call).await
    }

    /// Describes it; named schemas are collected by the generator.
    pub fn shape(&self, generator: &mut SchemaGenerator) -> OperationShape {
        (self.shape)(generator)
    }
}

/// Declares an operation. The types of `handler` say what it takes and answers.
pub fn operation<E, P, Q, B, A, H, F>(
    name: &'static str,
    method: Method,
    path: &'static str,
    summary: &'static str,
    handler: H,
) -> Operation<E>
where
    E: Send + Sync + 'static,
    P: DeserializeOwned + JsonSchema + Send + 'static,
    Q: DeserializeOwned + JsonSchema + Send + 'static,
    B: RequestBody,
    A: IntoAnswer + 'static,
    H: Fn(Arc<E>, Input<P, Q, B>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<A, AppError>> + Send + 'static,
{
    let handler = Arc::new(handler);
    let run = move |engine: Arc<E>, call: Call| -> CallFuture {
        let handler = Arc::clone(&handler);
        Box::pin(async move {
            let input = input::<P, Q, B>(path, call)?;
            handler(engine, input).await?.into_answer()
        })
    };
    Operation {
        name,
        method,
        path,
        summary,
        takes_body: B::TAKEN,
        body_bytes_max: BODY_BYTES_MAX,
        run: Arc::new(run),
        shape: shape::<P, Q, B, A>,
    }
}

fn input<P, Q, B>(path: &'static str, call: Call) -> Result<Input<P, Q, B>, AppError>
where
    P: DeserializeOwned,
    Q: DeserializeOwned,
    B: RequestBody,
{
    // In this order, because a call on a thing that does not exist says so whatever else is wrong with it.
    let params = decode::params(path, call.params)?;
    let query = decode::query(call.query)?;
    let idempotency_key = idempotency_key(call.idempotency_key)?;
    let body = B::read(call.body)?;
    Ok(Input { params, query, body, idempotency_key })
}

fn idempotency_key(key: Option<String>) -> Result<Option<String>, AppError> {
    let Some(key) = key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()) else {
        return Ok(None);
    };
    if key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
        return Err(AppError::bad_request(
            format!("The Idempotency-Key is longer than {IDEMPOTENCY_KEY_BYTES_MAX} bytes"),
            "A UUID is long enough.",
        )
        .about("Idempotency-Key"));
    }
    Ok(Some(key))
}

fn shape<P, Q, B, A>(generator: &mut SchemaGenerator) -> OperationShape
where
    P: JsonSchema,
    Q: JsonSchema,
    B: RequestBody,
    A: IntoAnswer,
{
    OperationShape {
        params: P::json_schema(generator),
        query: Q::json_schema(generator),
        body: B::shape(generator),
        answers: A::shapes(generator),
    }
}

/// All operations of an engine, in the order they were declared.
#[derive(Debug)]
pub struct Operations<E> {
    list: Vec<Operation<E>>,
    by_name: HashMap<&'static str, usize>,
}

impl<E> Clone for Operations<E> {
    fn clone(&self) -> Self {
        Self { list: self.list.clone(), by_name: self.by_name.clone() }
    }
}

impl<E: Send + Sync + 'static> Operations<E> {
    /// The table of these operations. Of two with one name the first counts; a test of the table forbids it.
    #[must_use]
    pub fn new(list: Vec<Operation<E>>) -> Self {
        let mut by_name = HashMap::new();
        for (index, operation) in list.iter().enumerate() {
            by_name.entry(operation.name).or_insert(index);
        }
        Self { list, by_name }
    }

    /// The operation of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Operation<E>> {
        self.by_name.get(name).and_then(|index| self.list.get(*index))
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Operation<E>> {
        self.list.iter()
    }

    /// Calls the operation of this name: the desktop's single command.
    ///
    /// # Errors
    /// 404 for a name that is no operation, else what [`Operation::call`] answers.
    pub async fn call(&self, engine: &Arc<E>, name: &str, call: Call) -> Result<Answer, AppError> {
        match self.get(name) {
            Some(operation) => operation.call(engine, call).await,
            None => Err(AppError::not_found("operation", name)),
        }
    }

    /// What is wrong with the table itself: names or routes given twice, a path parameter that no field takes or the
    /// other way round, a parameter whose noun is unknown, a body that is described as open while decoding refuses
    /// unknown fields. Empty when all is well; a test of the real table asserts it.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut names = std::collections::HashSet::new();
        let mut routes = std::collections::HashSet::new();
        for operation in &self.list {
            if !names.insert(operation.name) {
                faults.push(format!("{operation:?}: its name is given twice"));
            }
            if !routes.insert((operation.method, operation.path)) {
                faults.push(format!("{operation:?}: its route is given twice"));
            }
            let mut generator = SchemaGenerator::default();
            let shape = operation.shape(&mut generator);
            if shape.body.is_some_and(|body| !is_closed(&body.schema, &generator)) {
                faults.push(format!("{operation:?}: its body's type lacks `deny_unknown_fields`"));
            }
            let mut fields = property_names(&shape.params);
            let mut in_path: Vec<String> = path_parameters(operation.path).map(str::to_owned).collect();
            fields.sort_unstable();
            in_path.sort_unstable();
            if fields != in_path {
                faults.push(format!("{operation:?}: the path names {in_path:?}, its parameters are {fields:?}"));
            }
            for name in path_parameters(operation.path) {
                if decode::noun(operation.path, name).is_none() {
                    faults.push(format!("{operation:?}: no noun is known for `{name}`"));
                }
            }
        }
        faults
    }

    /// The map from name to route that the UI is compiled with: `ui/src/generated/operations.ts`.
    #[must_use]
    pub fn typescript(&self) -> String {
        let mut text = String::from(
            "// Made from the table of operations by `cargo xtask types`; do not edit.\n\n\
             /** Method and path (below `/api`) of every operation, by name. */\nexport const operations = {\n",
        );
        for operation in &self.list {
            text.push_str(&format!(
                "  /** {} */\n  \"{}\": {{ method: \"{}\", path: \"{}\" }},\n",
                operation.summary,
                operation.name,
                operation.method.as_str(),
                operation.path
            ));
        }
        text.push_str(
            "} as const;\n\n/** Name of an operation. */\nexport type OperationName = keyof typeof operations;\n",
        );
        text
    }
}

/// Names of the `{parameters}` of a path template, in order.
pub fn path_parameters(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// Whether an object's schema allows no other fields than it names.
fn is_closed(schema: &Schema, generator: &SchemaGenerator) -> bool {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next());
    let named = name.and_then(|name| generator.definitions().get(name));
    named.unwrap_or(schema.as_value()).get("additionalProperties") == Some(&Value::Bool(false))
}

/// Names of the properties of an object's schema.
fn property_names(schema: &Schema) -> Vec<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
