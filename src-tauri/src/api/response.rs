//! From answers and errors of operations to HTTP responses. Every response of the listener is made here or passes
//! [`secured`], so none goes out without the headers that keep a browser from doing anything with it.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::guard::Denied;
use crate::app::error::{AppError, ErrorAnswer, ErrorBody, ErrorKind};
use crate::app::operation::Answer;

/// Nothing but the UI's own files runs, loads or is talked to; no other page may frame it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
     form-action 'none'";
/// For bytes that somebody else wrote: even opened as a document they can do nothing.
const RAW_CONTENT_SECURITY_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";
/// Seconds after which a refused call may be tried again.
const RETRY_AFTER_S: &str = "1";

/// An error on its way out.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    body: Box<ErrorBody>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        let body = ErrorBody { code: code.to_owned(), message: message.into(), help: help.into(), field: None };
        Self { status, body: Box::new(body), header: None }
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// Nothing is served at this path.
    pub(super) fn no_such_path() -> Self {
        let help = "`/api/openapi.json` lists every path.";
        Self::new(StatusCode::NOT_FOUND, "not_found", "Nothing is served at this path", help)
    }

    /// The path is served, but not by this method.
    pub(super) fn method_not_allowed(allow: &str) -> Self {
        let help = format!("Use one of: {allow}.");
        let error = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This path does not take this method",
            help,
        );
        match HeaderValue::from_str(allow) {
            Ok(allow) => error.with(header::ALLOW, allow),
            Err(_) => error,
        }
    }
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        let status = match error.kind {
            ErrorKind::BadRequest => StatusCode::BAD_REQUEST,
            ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
            ErrorKind::Forbidden => StatusCode::FORBIDDEN,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let out = Self { status, body: Box::new(error.body()), header: None };
        if error.kind == ErrorKind::Unavailable {
            return out.with(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        out
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        let (code, message, help) = match denied {
            Denied::Host => (
                "forbidden_host",
                "The request is not addressed to this listener by one of its own names",
                "Use the address that `run.json` or `creel doctor` shows, exactly.",
            ),
            Denied::Origin => (
                "forbidden_origin",
                "The request was sent by a page of another origin",
                "Open the UI that this listener serves, or call the API from a program.",
            ),
            Denied::Site => (
                "forbidden_site",
                "The request was sent on behalf of another site",
                "Type or paste the address instead of following a link to it.",
            ),
            Denied::Proxy => (
                "forbidden_proxy",
                "The request came through a proxy or a tunnel",
                "Point tunnels at the ingress; the admin port is for this machine alone.",
            ),
            Denied::Token => (
                "unauthorized",
                "The admin token is missing or wrong",
                "Send `Authorization: Bearer` with the `admin_token` of `run.json`; it is new at each start.",
            ),
        };
        if denied == Denied::Token {
            return Self::new(StatusCode::UNAUTHORIZED, code, message, help)
                .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Self::new(StatusCode::FORBIDDEN, code, message, help)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let json = serde_json::to_string(&ErrorAnswer { error: *self.body }).unwrap_or_default();
        let mut response = json_response(self.status, json);
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A JSON document that nobody may keep.
pub(super) fn json_response(status: StatusCode, json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The response that carries an operation's answer.
pub(super) fn answer(answer: Answer) -> Response {
    match answer {
        Answer::Json { status, json } => json_response(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), json),
        Answer::Bytes { bytes, filename } => {
            let mut response = Response::new(Body::from(bytes));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(header::CONTENT_DISPOSITION, attachment(&filename));
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(RAW_CONTENT_SECURITY_POLICY));
            response
        }
        Answer::Empty => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
    }
}

/// `attachment` with a file name of which nothing can be misread: other characters than these become `_`.
fn attachment(filename: &str) -> HeaderValue {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = filename.chars().map(plain).collect();
    HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).unwrap_or(HeaderValue::from_static("attachment"))
}

/// Adds what every response carries, whoever made it.
pub(super) fn secured(mut response: Response) -> Response {
    let headers: &mut HeaderMap = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_break_out_of_its_header() {
        let header = attachment("a\"; filename=evil.exe\r\nSet-Cookie: x/../é.json");
        assert_eq!(
            header,
            "attachment; filename=\"a___filename_evil.exe__Set-Cookie__x_.._.json\""
                .replace("_.._.json", "_..__.json")
                .as_str()
        );
    }

    #[test]
    fn what_cannot_be_done_now_says_when_to_try_again() {
        let response = ApiError::from(AppError::unavailable("busy", "Busy", "Wait.")).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
    }
}
