//! What an operation answers: the types a use case returns, and the one form that adapters see.

use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::app::error::AppError;

/// An answer as an adapter passes it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// JSON, written already.
    Json {
        /// HTTP status, 2xx.
        status: u16,
        /// The document.
        json: String,
    },
    /// Raw bytes: to be offered as a file, never shown as what they claim to be.
    Bytes {
        /// The bytes.
        bytes: Bytes,
        /// Name to save them under.
        filename: String,
    },
    /// Nothing but success.
    Empty,
}

/// What stands in a successful answer's body.
#[derive(Clone, Debug)]
pub enum AnswerContent {
    /// JSON of this schema.
    Json(Schema),
    /// `application/octet-stream`.
    Bytes,
    /// Nothing.
    Empty,
}

/// One way in which an operation succeeds.
#[derive(Clone, Debug)]
pub struct AnswerShape {
    /// HTTP status.
    pub status: u16,
    /// What it means.
    pub description: &'static str,
    /// What its body holds.
    pub content: AnswerContent,
}

impl AnswerShape {
    fn json<T: JsonSchema>(status: u16, description: &'static str, generator: &mut SchemaGenerator) -> Self {
        Self { status, description, content: AnswerContent::Json(generator.subschema_for::<T>()) }
    }
}

/// What a use case may return.
pub trait IntoAnswer: Send {
    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which is our own fault.
    fn into_answer(self) -> Result<Answer, AppError>;

    /// The ways in which it can succeed.
    fn shapes(generator: &mut SchemaGenerator) -> Vec<AnswerShape>;
}

fn json(status: u16, value: &impl Serialize) -> Result<Answer, AppError> {
    match serde_json::to_string(value) {
        Ok(json) => Ok(Answer::Json { status, json }),
        Err(error) => Err(AppError::internal(format!("An answer could not be written as JSON: {error}"))),
    }
}

/// 200 with a thing.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

/// 201 with the thing that was made.
#[derive(Clone, Debug)]
pub struct Created<T>(pub T);

/// 202 with the job that does the work.
#[derive(Clone, Debug)]
pub struct Accepted<T>(pub T);

/// 201 with the thing that was made, or 200 with the one that is there already.
#[derive(Clone, Debug)]
pub struct CreatedOrSame<T> {
    /// Whether this call made it.
    pub created: bool,
    /// The thing.
    pub value: T,
}

/// 204.
#[derive(Clone, Copy, Debug)]
pub struct NoContent;

/// 200 with raw bytes.
#[derive(Clone, Debug)]
pub struct RawBytes {
    /// The bytes.
    pub bytes: Bytes,
    /// Name to save them under.
    pub filename: String,
}

impl<T: Serialize + JsonSchema + Send> IntoAnswer for Json<T> {
    fn into_answer(self) -> Result<Answer, AppError> {
        json(200, &self.0)
    }

    fn shapes(generator: &mut SchemaGenerator) -> Vec<AnswerShape> {
        vec![AnswerShape::json::<T>(200, "Done.", generator)]
    }
}

impl<T: Serialize + JsonSchema + Send> IntoAnswer for Created<T> {
    fn into_answer(self) -> Result<Answer, AppError> {
        json(201, &self.0)
    }

    fn shapes(generator: &mut SchemaGenerator) -> Vec<AnswerShape> {
        vec![AnswerShape::json::<T>(201, "Made.", generator)]
    }
}

impl<T: Serialize + JsonSchema + Send> IntoAnswer for Accepted<T> {
    fn into_answer(self) -> Result<Answer, AppError> {
        json(202, &self.0)
    }

    fn shapes(generator: &mut SchemaGenerator) -> Vec<AnswerShape> {
        vec![AnswerShape::json::<T>(202, "Begun; the job says how far it is.", generator)]
    }
}

impl<T: Serialize + JsonSchema + Send> IntoAnswer for CreatedOrSame<T> {
    fn into_answer(self) -> Result<Answer, AppError> {
        json(if self.created { 201 } else { 200 }, &self.value)
    }

    fn shapes(generator: &mut SchemaGenerator) -> Vec<AnswerShape> {
        vec![
            AnswerShape::json::<T>(201, "Made.", generator),
            AnswerShape::json::<T>(200, "There already: nothing was made.", generator),
        ]
    }
}

impl IntoAnswer for NoContent {
    fn into_answer(self) -> Result<Answer, AppError> {
        Ok(Answer::Empty)
    }

    fn shapes(_generator: &mut SchemaGenerator) -> Vec<AnswerShape> {
        vec![AnswerShape { status: 204, description: "Done.", content: AnswerContent::Empty }]
    }
}

impl IntoAnswer for RawBytes {
    fn into_answer(self) -> Result<Answer, AppError> {
        Ok(Answer::Bytes { bytes: self.bytes, filename: self.filename })
    }

    fn shapes(_generator: &mut SchemaGenerator) -> Vec<AnswerShape> {
        vec![AnswerShape { status: 200, description: "The raw bytes.", content: AnswerContent::Bytes }]
    }
}
