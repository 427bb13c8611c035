//! What an operation answers when it cannot do what it was asked: a stable code, a sentence, and what to do about it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which answer an error leads to; adapters turn it into an HTTP status or an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request cannot be read: 400.
    BadRequest,
    /// No token, or a wrong one: 401.
    Unauthorized,
    /// Refused by the guard of the admin port: 403.
    Forbidden,
    /// Nothing of that name: 404.
    NotFound,
    /// It contradicts the present state: 409.
    Conflict,
    /// Well formed, but not acceptable: 422.
    Unprocessable,
    /// Not now: 503.
    Unavailable,
    /// Our fault: 500.
    Internal,
}

/// A typed error of the use cases.
///
/// One shape for all of them, made by the named constructors, because every consumer (REST, desktop, command line) does
/// the same with it: decide by `kind`, show `message` and `help`, let programs switch on `code`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AppError {
    /// Which answer it leads to.
    pub kind: ErrorKind,
    /// Stable snake_case word for programs.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// The field of the request that it is about.
    pub field: Option<String>,
}

/// The JSON of an error: `{"error":{...}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct ErrorBody {
    /// Stable snake_case word for programs.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// The field of the request that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "types", ts(optional))]
    pub field: Option<String>,
}

/// The envelope of [`ErrorBody`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorAnswer {
    /// The error.
    pub error: ErrorBody,
}

impl AppError {
    fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), help: help.into(), field: None }
    }

    /// The request cannot be read.
    pub fn bad_request(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequest, "bad_request", message, help)
    }

    /// A query parameter is wrong.
    pub fn bad_query(name: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequest, "bad_query", message, format!("Correct the query parameter `{name}`."))
            .about(name)
    }

    /// No thing of this kind has this id.
    pub fn not_found(what: &'static str, id: impl std::fmt::Display) -> Self {
        let code = match what {
            "endpoint" => "endpoint_not_found",
            "delivery" => "delivery_not_found",
            "attempt" => "attempt_not_found",
            "job" => "job_not_found",
            _ => "not_found",
        };
        Self::new(
            ErrorKind::NotFound,
            code,
            format!("There is no {what} `{id}`"),
            "It may have been deleted; list what there is.",
        )
    }

    /// A value that is well formed and not acceptable.
    pub fn refused(code: &'static str, field: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unprocessable, code, message, help).about(field)
    }

    /// Something that this version does not do yet.
    pub fn not_available(what: &str) -> Self {
        Self::new(
            ErrorKind::Unprocessable,
            "not_available",
            format!("{what} is not available in this version"),
            "Leave it out; the changelog says when it arrives.",
        )
    }

    /// It contradicts the present state.
    pub fn conflict(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, code, message, help)
    }

    /// It cannot be done now.
    pub fn unavailable(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, code, message, help)
    }

    /// Our own fault.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, "internal", message, "This is a fault of Creel; please report it with its log.")
    }

    /// Names the field it is about.
    #[must_use]
    pub fn about(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The JSON form.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            code: self.code.to_owned(),
            message: self.message.clone(),
            help: self.help.clone(),
            field: self.field.clone(),
        }
    }
}
