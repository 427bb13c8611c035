//! The URL of a target, and the request target that a delivery gets there.
//!
//! The target's own URL is read the way a browser reads it. What the sender sent behind the token is never decoded or
//! normalised: it is appended as bytes, because signatures and routers look at the bytes.

use std::net::IpAddr;

use url::{Host, Url};

use super::limits::TARGET_URL_BYTES_MAX;

/// Where deliveries are relayed: `http` or `https`, a host, a port, a path, perhaps a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetUrl {
    url: Url,
    host: TargetHost,
    port: u16,
}

/// The host part, with every spelling of an address already read as that address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TargetHost {
    Address(IpAddr),
    Name(String),
}

/// Why a text is no URL of a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetUrlError {
    /// Over the length limit.
    #[error("the target's URL is longer than {TARGET_URL_BYTES_MAX} bytes")]
    TooLong,
    /// Neither http nor https.
    #[error("the target's URL must begin with `http://` or `https://`")]
    Scheme,
    /// Not a URL.
    #[error("the target's URL cannot be read: {0}")]
    Invalid(String),
    /// `user:password@` before the host.
    #[error("the target's URL holds a user name or password, which would be stored and shown in clear")]
    Userinfo,
    /// `#...` at the end, which is never sent.
    #[error("the target's URL holds a fragment (`#...`), which is never sent to a server")]
    Fragment,
    /// Port 0.
    #[error("the target's URL names port 0, which nothing can listen on")]
    Port,
}

impl TargetUrlError {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "target_url_too_long",
            Self::Scheme => "target_url_scheme",
            Self::Invalid(_) => "target_url_invalid",
            Self::Userinfo => "target_url_userinfo",
            Self::Fragment => "target_url_fragment",
            Self::Port => "target_url_port",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Userinfo => "Remove the part before `@`; the sender's own headers are relayed as they came.",
            Self::Fragment => "Remove `#` and what follows.",
            _ => "Write it like `http://localhost:3000/webhooks`.",
        }
    }
}

/// Why a delivery cannot be addressed to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestTargetError {
    /// `.` or `..` would lead out of the target's path.
    #[error("the path behind the token holds a `.` or `..` segment, which could lead out of the target's path")]
    DotSegment,
    /// A line break, space or other control character, or no leading `/`.
    #[error("the path or query holds a character that no request line can hold")]
    Unsendable,
}

impl TargetUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// When it is no absolute `http` or `https` URL, or holds what a target must not hold.
    pub fn parse(text: &str) -> Result<Self, TargetUrlError> {
        if text.len() > TARGET_URL_BYTES_MAX {
            return Err(TargetUrlError::TooLong);
        }
        let rest = after_scheme(text).ok_or(TargetUrlError::Scheme)?;
        // The URL standard drops or converts these silently; two readers of one text must not see two targets.
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(TargetUrlError::Invalid("it holds white space, a control character or a backslash".into()));
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() {
            return Err(TargetUrlError::Invalid("it names no host".into()));
        }
        if authority.contains('@') {
            return Err(TargetUrlError::Userinfo);
        }
        let url = Url::parse(text).map_err(|error| TargetUrlError::Invalid(error.to_string()))?;
        if url.fragment().is_some() {
            return Err(TargetUrlError::Fragment);
        }
        let host = match url.host() {
            Some(Host::Ipv4(address)) => TargetHost::Address(address.into()),
            Some(Host::Ipv6(address)) => TargetHost::Address(address.into()),
            Some(Host::Domain(name)) => TargetHost::Name(name.to_owned()),
            None => return Err(TargetUrlError::Invalid("it names no host".into())),
        };
        match url.port_or_known_default() {
            Some(port) if port != 0 => Ok(Self { host, port, url }),
            _ => Err(TargetUrlError::Port),
        }
    }

    /// The URL in its normal form: what is stored, shown and compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Whether the connection is TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The port that is dialled.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Host and port for people, the port always named.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.url.host_str().unwrap_or_default(), self.port)
    }

    /// The value of `Host` (RFC 9110 section 7.2): the port only when it is not the scheme's own.
    pub(super) fn host_header(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    pub(super) const fn host(&self) -> &TargetHost {
        &self.host
    }

    /// The request target of this URL alone, its path and query as they stand in it.
    pub(super) fn own_request_target(&self) -> String {
        let query = self.url.query().map(|query| format!("?{query}"));
        format!("{}{}", self.url.path(), query.unwrap_or_default())
    }

    /// The request target of a delivery: this URL's path without its trailing `/`, then the suffix as received; this
    /// URL's query, then `&`, then the received one.
    ///
    /// # Errors
    /// When the suffix could lead out of the target's path and `force` is not set, or no request line can hold it.
    pub fn request_target(&self, suffix: &str, query: Option<&str>, force: bool) -> Result<String, RequestTargetError> {
        let sendable = |text: &str| text.bytes().all(|byte| byte > b' ' && byte != 0x7f && byte != b'#');
        let rooted = suffix.is_empty() || suffix.starts_with('/');
        // A `?` within the suffix would turn the rest of the path into a query.
        if !rooted || suffix.contains('?') || !sendable(suffix) || !query.is_none_or(sendable) {
            return Err(RequestTargetError::Unsendable);
        }
        if !force && has_dot_segment(suffix) {
            return Err(RequestTargetError::DotSegment);
        }
        let base = self.url.path();
        let base = base.strip_suffix('/').unwrap_or(base);
        let mut target = String::with_capacity(base.len() + suffix.len() + 2 + query.map_or(0, str::len));
        target.push_str(base);
        target.push_str(suffix);
        if target.is_empty() {
            target.push('/');
        }
        match (self.url.query().filter(|own| !own.is_empty()), query) {
            (None, None) => {}
            (Some(only), None | Some("")) | (None, Some(only)) => target.extend(["?", only]),
            (Some(own), Some(received)) => target.extend(["?", own, "&", received]),
        }
        Ok(target)
    }
}

fn after_scheme(text: &str) -> Option<&str> {
    ["http://", "https://"].iter().find_map(|scheme| {
        let head = text.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
    })
}

/// Whether a path holds a segment that some server reads as `.` or `..`.
///
/// Looks at it as the least careful server would: percent-encoded once or several times, `\` as `/`, and path
/// parameters (`..;a=b`) cut off.
#[must_use]
pub fn has_dot_segment(path: &str) -> bool {
    if !path.contains(['.', '%']) {
        return false;
    }
    let mut plain = path.to_owned();
    // Each round that changes something makes the text shorter, so this ends.
    loop {
        let decoded = decode_separators(&plain);
        if decoded == plain {
            break;
        }
        plain = decoded;
    }
    plain.split(['/', '\\']).any(|segment| {
        let name = segment.split(';').next().unwrap_or_default();
        name == "." || name == ".."
    })
}

/// Decodes the characters that make up dot segments, and `%` itself; leaves all else.
fn decode_separators(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let decoded = rest.get(1..3).and_then(|hex| match hex.to_ascii_lowercase().as_str() {
            "2e" => Some('.'),
            "2f" => Some('/'),
            "5c" => Some('\\'),
            "3b" => Some(';'),
            "25" => Some('%'),
            _ => None,
        });
        plain.push(decoded.unwrap_or('%'));
        rest = &rest[if decoded.is_some() { 3 } else { 1 }..];
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(target: &str, suffix: &str, query: Option<&str>) -> String {
        TargetUrl::parse(target).unwrap().request_target(suffix, query, false).unwrap()
    }

    #[test]
    fn suffix_and_query_are_appended_as_received() {
        let table = [
            ("http://h", "", None, "/"),
            ("http://h/", "", None, "/"),
            ("http://h/", "/", None, "/"),
            ("http://h", "/a", None, "/a"),
            ("http://h/hook", "", None, "/hook"),
            ("http://h/hook/", "", None, "/hook"),
            ("http://h/hook/", "/", None, "/hook/"),
            ("http://h/hook/", "/a/b/", None, "/hook/a/b/"),
            ("http://h/hook", "//a", None, "/hook//a"),
            ("http://h/hook", "/a%2Fb%20c%7e", None, "/hook/a%2Fb%20c%7e"),
            ("http://h/hook", "/%e2%82%AC", None, "/hook/%e2%82%AC"),
            ("http://h/hook", "/ü", None, "/hook/ü"),
            ("http://h/hook", "/a.b/..c/d..", None, "/hook/a.b/..c/d.."),
            ("http://h/hook", "", Some("x=1"), "/hook?x=1"),
            ("http://h/hook", "", Some(""), "/hook?"),
            ("http://h/hook?k=v", "", None, "/hook?k=v"),
            ("http://h/hook?k=v", "/a", Some("x=1&x=2"), "/hook/a?k=v&x=1&x=2"),
            ("http://h/hook?k=v", "", Some(""), "/hook?k=v"),
            ("http://h/hook?", "", Some("x"), "/hook?x"),
            ("http://h/?k", "", Some("a=b?c/../d"), "/?k&a=b?c/../d"),
        ];
        for (target, suffix, query, expected) in table {
            assert_eq!(joined(target, suffix, query), expected, "{target} + {suffix} + {query:?}");
        }
    }

    #[test]
    fn a_dot_segment_in_any_spelling_needs_force() {
        let target = TargetUrl::parse("http://h/hook").unwrap();
        let spellings = [
            "/..",
            "/.",
            "/../admin",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/%2e%2e/",
            "/%2E%2e/x",
            "/.%2e/x",
            "/%2e",
            "/..%2fx",
            "/a%2f..%2fb",
            "/..%5cx",
            "/..\\x",
            "/a\\..\\b",
            "/%252e%252e/x",
            "/%25252e./x",
            "/..;/x",
            "/..;a=b/x",
            "/..%3bx/y",
            "/%5C..%5C",
        ];
        for suffix in spellings {
            assert!(has_dot_segment(suffix), "{suffix}");
            assert_eq!(target.request_target(suffix, None, false), Err(RequestTargetError::DotSegment), "{suffix}");
            assert_eq!(target.request_target(suffix, None, true).unwrap(), format!("/hook{suffix}"));
        }
        for suffix in ["", "/", "/a.b", "/...", "/..a", "/a..", "/.well-known/x", "/%2ea", "/%zz", "/%", "/%2", "/%é"]
        {
            assert!(!has_dot_segment(suffix), "{suffix}");
        }
    }

    #[test]
    fn nothing_in_path_or_query_can_end_the_request_line() {
        let target = TargetUrl::parse("http://h/hook").unwrap();
        for bad in ["/a b", "/a\r\nX: y", "/a\n", "/a\tb", "/a\0", "/a\x7f", "/a#b"] {
            for force in [false, true] {
                assert_eq!(target.request_target(bad, None, force), Err(RequestTargetError::Unsendable), "{bad:?}");
                assert_eq!(target.request_target("", Some(bad), force), Err(RequestTargetError::Unsendable));
            }
        }
        assert_eq!(target.request_target("a", None, true), Err(RequestTargetError::Unsendable));
        assert_eq!(target.request_target("/a?b", None, true), Err(RequestTargetError::Unsendable));
    }

    #[test]
    fn what_is_no_target_is_refused_with_its_own_code() {
        let long = format!("http://h/{}", "a".repeat(TARGET_URL_BYTES_MAX));
        let table = [
            ("", "target_url_scheme"),
            ("localhost:3000", "target_url_scheme"),
            ("ftp://h/", "target_url_scheme"),
            ("file:///etc/passwd", "target_url_scheme"),
            ("javascript:alert(1)", "target_url_scheme"),
            ("http:/h", "target_url_scheme"),
            ("http:h", "target_url_scheme"),
            (" http://h/", "target_url_scheme"),
            ("http://", "target_url_invalid"),
            ("http:///h", "target_url_invalid"),
            ("http://h h/", "target_url_invalid"),
            ("http://h\\@x/", "target_url_invalid"),
            ("http://h/\n", "target_url_invalid"),
            ("http://h:99999/", "target_url_invalid"),
            ("http://1.2.3.4.5/", "target_url_invalid"),
            ("http://256.0.0.1/", "target_url_invalid"),
            ("http://[::1/", "target_url_invalid"),
            ("http://[fe80::1%25eth0]/", "target_url_invalid"),
            ("http://h:0/", "target_url_port"),
            ("http://u@h/", "target_url_userinfo"),
            ("http://u:p@h/", "target_url_userinfo"),
            ("http://@h/", "target_url_userinfo"),
            ("http://h/#a", "target_url_fragment"),
            ("http://h/#", "target_url_fragment"),
            (&long, "target_url_too_long"),
        ];
        for (text, code) in table {
            assert_eq!(TargetUrl::parse(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn the_host_header_names_the_port_only_when_it_is_not_the_schemes_own() {
        let host = |text| TargetUrl::parse(text).unwrap().host_header();
        assert_eq!(host("http://localhost:3000/x"), "localhost:3000");
        assert_eq!(host("http://LocalHost:80/x"), "localhost");
        assert_eq!(host("https://h/"), "h");
        assert_eq!(host("https://h:80/"), "h:80");
        assert_eq!(host("http://[::1]:3000/"), "[::1]:3000");
        assert_eq!(TargetUrl::parse("https://h/").unwrap().authority(), "h:443");
    }
}
