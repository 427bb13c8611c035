//! The built UI (`ui/dist`), embedded: what `creel serve` shows in a browser.
//!
//! A plain `cargo build` works without the UI; then `/` says how to build it.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Method, header};
use rust_embed::RustEmbed;

use super::response::ApiError;

/// Files are part of the binary in debug builds too (`debug-embed`), so that what is tested is what is shipped, and no
/// path of a request ever reaches the file system.
#[derive(RustEmbed)]
#[folder = "ui/dist"]
#[allow_missing = true]
struct Files;

/// Shown at `/` by a binary that was built without the UI.
const WITHOUT_UI: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Creel</title>\n\
     <h1>Creel is running</h1>\n<p>This binary was built without its user interface. \
     <code>cargo xtask build</code> builds both.</p>\n<p>The admin API is at <code>/api</code>.</p>\n</html>\n";

/// Whether this binary was built with the UI.
#[must_use]
pub fn is_embedded() -> bool {
    Files::get("index.html").is_some()
}

/// Answers a request for a file of the UI.
pub(super) fn answer(method: &Method, path: &str) -> Result<Response, ApiError> {
    let name = path.strip_prefix('/').unwrap_or(path);
    let name = if name.is_empty() { "index.html" } else { name };
    let file = Files::get(name).map(|file| file.data.into_owned());
    respond(method, name, file)
}

fn respond(method: &Method, name: &str, file: Option<Vec<u8>>) -> Result<Response, ApiError> {
    let body = match file {
        Some(bytes) => Body::from(bytes),
        None if name == "index.html" => Body::from(WITHOUT_UI),
        None => return Err(ApiError::no_such_path()),
    };
    // hyper sends no body in answer to HEAD.
    if method != Method::GET && method != Method::HEAD {
        return Err(ApiError::method_not_allowed("GET, HEAD"));
    }
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type(name));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching(name)));
    Ok(response)
}

fn content_type(name: &str) -> HeaderValue {
    let guessed = mime_guess::from_path(name).first_or_octet_stream();
    let text = guessed.type_() == mime_guess::mime::TEXT || guessed.subtype() == mime_guess::mime::JAVASCRIPT;
    let value = if text { format!("{guessed}; charset=utf-8") } else { guessed.to_string() };
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Vite puts a hash of the content into the name of everything below `assets/`.
fn caching(name: &str) -> &'static str {
    if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header<'response>(response: &'response Response, name: &str) -> &'response str {
        response.headers()[name].to_str().unwrap()
    }

    #[test]
    fn hashed_files_are_kept_for_ever_and_the_page_is_asked_for_each_time() {
        let script = respond(&Method::GET, "assets/index-4f0c.js", Some(b"1".to_vec())).unwrap();
        assert_eq!(header(&script, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&script, "content-type"), "text/javascript; charset=utf-8");
        let page = respond(&Method::GET, "index.html", Some(b"<p>".to_vec())).unwrap();
        assert_eq!(header(&page, "cache-control"), "no-cache");
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        let font = respond(&Method::HEAD, "assets/inter-4f0c.woff2", Some(b"x".to_vec())).unwrap();
        assert_eq!(header(&font, "content-type"), "font/woff2");
    }

    #[test]
    fn a_binary_without_the_ui_says_how_to_build_it() {
        let page = respond(&Method::GET, "index.html", None).unwrap();
        assert_eq!(page.status(), 200);
        assert!(WITHOUT_UI.contains("cargo xtask build"));
        assert!(!WITHOUT_UI.contains("style"), "the policy forbids styles in the page");
    }

    #[test]
    fn what_is_no_file_of_the_ui_is_not_found() {
        for path in ["/no-such-file.js", "/../Cargo.toml", "/..%2f..%2fetc/passwd", "//etc/passwd", "/assets/"] {
            assert!(answer(&Method::GET, path).is_err(), "{path}");
        }
    }
}
