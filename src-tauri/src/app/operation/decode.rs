//! Turns what an adapter hands in into an operation's own types, and what does not fit into the contract's errors.
//!
//! serde's derived code does the reading; the deserializer below exists for three things that serde_json's lacks: it
//! tells unknown, missing and wrong fields apart by type and not by message, it refuses an unknown field even where a
//! DTO forgot to, and for paths and queries it takes the text of a number or a boolean for the value itself.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Number, Value};

use crate::app::error::AppError;

/// Segment of a path before a parameter, and the noun that the parameter names.
const NOUNS: &[(&str, &str)] = &[
    ("endpoints", "endpoint"),
    ("deliveries", "delivery"),
    ("attempts", "attempt"),
    ("arrivals", "arrival"),
    ("replays", "job"),
    ("jobs", "job"),
    ("providers", "provider"),
    ("signing-secrets", "signing secret"),
];

/// Up to here every whole number is one that a JSON reader with floating point holds exactly: 2^53 (RFC 8259 section 6).
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// What a path parameter names, by the segment before it.
pub(super) fn noun(path: &'static str, parameter: &str) -> Option<&'static str> {
    let segments: Vec<&str> = path.split('/').collect();
    let position = segments.iter().position(|segment| {
        segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(|name| name == parameter)
    })?;
    let collection = segments.get(position.checked_sub(1)?)?;
    NOUNS.iter().find(|(plural, _)| plural == collection).map(|(_, noun)| *noun)
}

/// Reads the parts of a path. An id that cannot be one names nothing: 404.
pub(super) fn params<P: DeserializeOwned>(path: &'static str, params: Map<String, Value>) -> Result<P, AppError> {
    let read = read(Source { value: Value::Object(params.clone()), text: true });
    read.map_err(|(field, refused)| match refused {
        Refused::Invalid(_) => {
            let given = params.get(&field).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            AppError::not_found(noun(path, &field).unwrap_or("resource"), given.unwrap_or_default())
        }
        Refused::Missing(name) => {
            AppError::bad_request(format!("The path parameter `{name}` is missing"), "Name it.").about(name)
        }
        Refused::Unknown(_) => {
            AppError::bad_request(format!("There is no path parameter `{field}`"), "Leave it out.").about(field)
        }
    })
}

/// Reads a query. Anything wrong with it is 400 `bad_query`.
pub(super) fn query<Q: DeserializeOwned>(mut query: Map<String, Value>) -> Result<Q, AppError> {
    query.retain(|_, value| !value.is_null());
    read(Source { value: Value::Object(query), text: true }).map_err(|(field, refused)| match refused {
        Refused::Invalid(why) => AppError::bad_query(&field, format!("The query parameter `{field}` {why}")),
        Refused::Missing(name) => AppError::bad_query(name, format!("The query parameter `{name}` is missing")),
        Refused::Unknown(_) => AppError::bad_query(&field, format!("There is no query parameter `{field}`")),
    })
}

/// Reads a body: 400 unless it is an object, 422 for a field that the operation does not take.
pub(super) fn body<B: DeserializeOwned>(body: Value) -> Result<B, AppError> {
    if !body.is_object() {
        return Err(AppError::bad_request(
            format!("The body is {}, not a JSON object", kind_of(&body)),
            "Send a JSON object.",
        ));
    }
    read(Source { value: body, text: false }).map_err(|(field, refused)| match refused {
        Refused::Invalid(why) => AppError::refused(
            "invalid_value",
            &field,
            format!("`{field}` {why}"),
            "The description of the API (`/api/openapi.json`) says what it takes.",
        ),
        Refused::Missing(name) => {
            let field = if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
            AppError::refused("missing_field", &field, format!("`{field}` is missing"), format!("Add `{name}`."))
        }
        Refused::Unknown(_) => AppError::refused(
            "unknown_field",
            &field,
            format!("There is no field `{field}`"),
            "Remove it; the description of the API (`/api/openapi.json`) lists the fields.",
        ),
    })
}

/// Reads a value; on failure with the path of the field it failed at, which is empty for the whole.
fn read<T: DeserializeOwned>(source: Source) -> Result<T, (String, Refused)> {
    serde_path_to_error::deserialize(source).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        match error.into_inner() {
            // Inside a tagged enum serde reads from a buffer, and the path ends at the enum.
            Refused::Unknown(Some(name)) if path.is_empty() => (name, Refused::Unknown(None)),
            Refused::Unknown(Some(name)) if path != name && !path.ends_with(&format!(".{name}")) => {
                (format!("{path}.{name}"), Refused::Unknown(None))
            }
            refused => (path, refused),
        }
    })
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Why a value was not taken.
#[derive(Debug)]
enum Refused {
    /// Nothing has this name.
    Unknown(Option<String>),
    /// A field without which it makes no sense.
    Missing(&'static str),
    /// Not acceptable; completes the sentence "`field` ...".
    Invalid(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(_) => formatter.write_str("is unknown"),
            Self::Missing(name) => write!(formatter, "lacks `{name}`"),
            Self::Invalid(why) => formatter.write_str(why),
        }
    }
}

impl std::error::Error for Refused {}

impl serde::de::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Invalid(format!("is not acceptable: {message}"))
    }

    // The value itself is left out of these two: it may be a secret.
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Invalid(format!("must be {}, not {}", wanted(expected), given(&unexpected)))
    }

    fn invalid_value(_unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Invalid(format!("must be {}", wanted(expected)))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::Invalid(format!("must be {}, not a list of {length}", wanted(expected)))
    }

    fn unknown_variant(_variant: &str, expected: &'static [&'static str]) -> Self {
        Self::Invalid(format!("must be one of: {}", expected.join(", ")))
    }

    fn unknown_field(field: &str, _expected: &'static [&'static str]) -> Self {
        Self::Unknown(Some(field.to_owned()))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

/// serde's word for what a type expects, in the words of the API.
fn wanted(expected: &dyn Expected) -> String {
    let words = expected.to_string();
    match words.as_str() {
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" => "a whole number from 0 to 4294967295".to_owned(),
        "u64" | "usize" => "a whole number, not negative".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "sequence" | "a sequence" => "a list".to_owned(),
        "map" | "a map" => "an object".to_owned(),
        _ if words.starts_with("struct ") => "an object".to_owned(),
        _ if words.starts_with("a tuple of size ") || words.starts_with("tuple ") => words.replacen("tuple", "list", 1),
        _ => words,
    }
}

fn given(unexpected: &Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "this number",
        Unexpected::Str(_) | Unexpected::Char(_) => "a string",
        Unexpected::Option | Unexpected::Unit => "null",
        Unexpected::Seq => "a list",
        Unexpected::Map => "an object",
        _ => "this",
    }
}

/// A JSON value to be read.
struct Source {
    value: Value,
    /// Whether the text of a number or a boolean may stand for it, and a single value for a list of one.
    text: bool,
}

impl Source {
    /// The value as JSON that `text` stands for, when the type wanted is not a string.
    fn literal(self, wanted: fn(&Value) -> bool) -> Self {
        let Value::String(text) = &self.value else { return self };
        if !self.text {
            return self;
        }
        match serde_json::from_str::<Value>(text) {
            // Only its plain spelling: `1e2` and `01` stay text.
            Ok(value) if wanted(&value) && format!("{value}") == text.as_str() => Self { value, ..self },
            _ => self,
        }
    }
}

/// A number as the integer that it is, however it is written: `5.0` is one (JSON Schema 2020-12 core, section 4.2.3).
fn whole(number: &Number) -> Option<i64> {
    let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() <= WHOLE_MAX)?;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and no larger than an i64 holds")]
    let whole = float as i64;
    Some(whole)
}

impl<'de> IntoDeserializer<'de, Refused> for Source {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! literals {
    ($($method:ident => $wanted:path),+ $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.literal($wanted).deserialize_any(visitor)
        })+
    };
}

impl<'de> Deserializer<'de> for Source {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let text = self.text;
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::String(value) => visitor.visit_string(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64().or(whole(&number)), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (_, _, Some(value)) => visitor.visit_f64(value),
                _ => Err(Refused::custom("a number that no machine type holds")),
            },
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(|value| Self { value, text }));
                let read = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(read)
            }
            Value::Object(fields) => visitor
                .visit_map(MapDeserializer::new(fields.into_iter().map(|(key, value)| (key, Self { value, text })))),
        }
    }

    literals! {
        deserialize_bool => Value::is_boolean,
        deserialize_i8 => Value::is_number,
        deserialize_i16 => Value::is_number,
        deserialize_i32 => Value::is_number,
        deserialize_i64 => Value::is_number,
        deserialize_u8 => Value::is_number,
        deserialize_u16 => Value::is_number,
        deserialize_u32 => Value::is_number,
        deserialize_u64 => Value::is_number,
        deserialize_f32 => Value::is_number,
        deserialize_f64 => Value::is_number,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let value = match self.value {
            Value::String(text) if self.text => Value::Array(vec![Value::String(text)]),
            other => other,
        };
        Self { value, ..self }.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let text = self.text;
        match self.value {
            Value::String(word) => visitor.visit_enum(word.into_deserializer()),
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(key, value)| (key, Self { value, text }));
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(fields)))
            }
            other => Err(Refused::Invalid(format!("must be a string, not {}", kind_of(&other)))),
        }
    }

    /// A name is text: serde would take a number for the place of a variant.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.value {
            Value::String(name) => visitor.visit_string(name),
            other => Err(Refused::Invalid(format!("must be a string, not {}", kind_of(&other)))),
        }
    }

    /// Reached only for a field that the type does not have.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Refused> {
        Err(Refused::Unknown(None))
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct
    }
}
