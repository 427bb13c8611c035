//! The guard of the admin port: decides who may come in before anything else looks at a request.
//!
//! The port is on loopback, which keeps out other machines and nobody else: a web page in the developer's browser can
//! reach it (CVE-2018-14505: DNS rebinding; CVE-2025-49596: no token), and so can a tunnel that is pointed at the wrong
//! port. So a request must name exactly this address, must not come from another site's page, must show no sign of
//! a proxy, and must, for everything below `/api`, carry the token.

use std::net::SocketAddr;

use http::request::Parts;
use http::{HeaderMap, HeaderName, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::AdminToken;
use crate::domain::SeededBug;

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// Not addressed to this listener by one of its own names.
    Host,
    /// Sent by a page of another origin.
    Origin,
    /// Sent on behalf of another site.
    Site,
    /// Came through a proxy or a tunnel.
    Proxy,
    /// No token, or a wrong one.
    Token,
}

/// Knows the listener's own names and its token.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    hosts: Vec<String>,
    origins: Vec<String>,
    /// Of the token, so that comparing takes the same time whatever the length of what is offered.
    token_digest: [u8; 32],
    /// False for an empty token, which would let in everybody who sends an empty one.
    usable: bool,
}

impl Guard {
    /// The guard of a listener bound to this address.
    pub(super) fn new(bound: SocketAddr, token: &AdminToken) -> Self {
        let port = bound.port();
        let mut hosts = vec![format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        if bound.is_ipv6() {
            hosts.push(format!("[::1]:{port}"));
        }
        let origins = hosts.iter().map(|host| format!("http://{host}")).collect();
        Self { hosts, origins, token_digest: Sha256::digest(&token.0).into(), usable: !token.0.is_empty() }
    }

    /// Lets a request in or says why not. The token comes last: a page of another site learns nothing from it.
    pub(super) fn admit(&self, request: &Parts) -> Result<(), Denied> {
        let unless = |bug: SeededBug, judged: Result<(), Denied>| if bug.is_on() { Ok(()) } else { judged };
        unless(SeededBug::NoHostCheck, self.check_host(request))?;
        unless(SeededBug::NoOriginCheck, self.check_origin(&request.headers))?;
        unless(SeededBug::NoFetchSiteCheck, check_site(&request.headers))?;
        unless(SeededBug::NoForwardedCheck, check_proxy(&request.headers))?;
        if is_api(request.uri.path()) {
            unless(SeededBug::NoTokenCheck, self.check_token(&request.headers))?;
        }
        Ok(())
    }

    fn check_host(&self, request: &Parts) -> Result<(), Denied> {
        // A target in absolute or authority form (RFC 9112 section 3.2) names a host of its own, and only a client that
        // takes us for a proxy sends one.
        if request.uri.scheme().is_some() || request.uri.authority().is_some() {
            return Err(Denied::Host);
        }
        let host = only(&request.headers, &header::HOST).map_err(|_| Denied::Host)?.ok_or(Denied::Host)?;
        if self.hosts.iter().any(|own| own.as_bytes() == host) { Ok(()) } else { Err(Denied::Host) }
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Denied> {
        match only(headers, &header::ORIGIN).map_err(|_| Denied::Origin)? {
            None => Ok(()),
            Some(origin) if self.origins.iter().any(|own| own.as_bytes() == origin) => Ok(()),
            Some(_) => Err(Denied::Origin),
        }
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let credentials = only(headers, &header::AUTHORIZATION).map_err(|_| Denied::Token)?.ok_or(Denied::Token)?;
        let (scheme, offered) = credentials.split_at_checked(7).ok_or(Denied::Token)?;
        // RFC 9110 section 11.1: the scheme's case does not matter.
        if !scheme.eq_ignore_ascii_case(b"Bearer ") {
            return Err(Denied::Token);
        }
        let same: bool = Sha256::digest(offered).as_slice().ct_eq(&self.token_digest).into();
        if same && self.usable { Ok(()) } else { Err(Denied::Token) }
    }
}

/// Whether a path belongs to the API, and so needs the token.
pub(super) fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// `Sec-Fetch-Site` is set by browsers alone and cannot be set by a page (Fetch Metadata, W3C).
fn check_site(headers: &HeaderMap) -> Result<(), Denied> {
    let own = |value: &http::HeaderValue| matches!(value.as_bytes(), b"same-origin" | b"none");
    if headers.get_all("sec-fetch-site").iter().all(own) { Ok(()) } else { Err(Denied::Site) }
}

fn check_proxy(headers: &HeaderMap) -> Result<(), Denied> {
    let tells = |name: &HeaderName| {
        let name = name.as_str();
        name == "forwarded" || name.starts_with("x-forwarded-") || name.starts_with("cf-")
    };
    if headers.keys().any(tells) { Err(Denied::Proxy) } else { Ok(()) }
}

/// More than one value where one is meant.
struct Several;

fn only<'headers>(headers: &'headers HeaderMap, name: &HeaderName) -> Result<Option<&'headers [u8]>, Several> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(Several) } else { Ok(first.map(http::HeaderValue::as_bytes)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "4f0c-token";

    fn guard(bound: &str) -> Guard {
        Guard::new(bound.parse().unwrap(), &AdminToken::new(TOKEN.to_owned()))
    }

    fn judge(guard: &Guard, target: &str, headers: &[(&str, &str)]) -> Result<(), Denied> {
        let mut request = http::Request::get(target);
        for (name, value) in headers {
            request = request.header(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        guard.admit(&request.body(()).unwrap().into_parts().0)
    }

    const HOST: (&str, &str) = ("host", "127.0.0.1:4101");
    const BEARER: (&str, &str) = ("authorization", "Bearer 4f0c-token");

    #[test]
    fn a_request_must_name_exactly_this_listener() {
        let guard = guard("127.0.0.1:4101");
        let ok = ["127.0.0.1:4101", "localhost:4101"];
        for host in ok {
            assert_eq!(judge(&guard, "/api/health", &[("host", host), BEARER]), Ok(()), "{host}");
        }
        let refused = [
            "",
            "127.0.0.1",
            "localhost",
            "localhost:4100",
            "127.0.0.1:80",
            "127.0.0.1:41010",
            "127.0.0.1:04101",
            "localhost.:4101",
            "LOCALHOST:4101",
            "Localhost:4101",
            "127.1:4101",
            "127.0.0.2:4101",
            "2130706433:4101",
            "0x7f000001:4101",
            "0177.0.0.1:4101",
            "0.0.0.0:4101",
            "[::1]:4101",
            "[::ffff:127.0.0.1]:4101",
            "::1:4101",
            "evil.example",
            "evil.example:4101",
            "localhost.evil.example:4101",
            "127.0.0.1.nip.io:4101",
            "127.0.0.1:4101.evil.example",
            "user@127.0.0.1:4101",
            "127.0.0.1:4101/",
            "127.0.0.1:4101#",
            " ",
            "127.0.0.1:4101,evil.example",
            "127.0.0.1:4101 evil.example",
            "abc.trycloudflare.com",
            "*",
        ];
        for host in refused {
            assert_eq!(judge(&guard, "/api/health", &[("host", host), BEARER]), Err(Denied::Host), "{host}");
            assert_eq!(judge(&guard, "/", &[("host", host)]), Err(Denied::Host), "{host}, the UI");
        }
        assert_eq!(judge(&guard, "/api/health", &[BEARER]), Err(Denied::Host), "no Host at all");
        for second in ["127.0.0.1:4101", "evil.example"] {
            assert_eq!(judge(&guard, "/api/health", &[HOST, ("host", second), BEARER]), Err(Denied::Host), "two Hosts");
        }
    }

    #[test]
    fn a_listener_on_the_ipv6_loopback_also_answers_to_that_name() {
        let guard = guard("[::1]:4101");
        for host in ["[::1]:4101", "localhost:4101", "127.0.0.1:4101"] {
            assert_eq!(judge(&guard, "/", &[("host", host)]), Ok(()), "{host}");
        }
        assert_eq!(judge(&guard, "/", &[HOST, ("origin", "http://[::1]:4101")]), Ok(()));
        for host in ["[::1]", "::1", "[0:0:0:0:0:0:0:1]:4101", "[::]:4101"] {
            assert_eq!(judge(&guard, "/", &[("host", host)]), Err(Denied::Host), "{host}");
        }
    }

    #[test]
    fn a_target_that_names_a_host_of_its_own_is_refused() {
        let guard = guard("127.0.0.1:4101");
        for target in ["http://127.0.0.1:4101/api/health", "http://evil.example/", "https://localhost:4101/"] {
            assert_eq!(judge(&guard, target, &[HOST, BEARER]), Err(Denied::Host), "{target}");
        }
        let connect = http::Request::connect("127.0.0.1:4101").header("host", HOST.1).body(()).unwrap();
        assert_eq!(guard.admit(&connect.into_parts().0), Err(Denied::Host));
    }

    #[test]
    fn a_page_of_another_origin_is_refused_even_with_the_token() {
        let guard = guard("127.0.0.1:4101");
        for origin in ["http://127.0.0.1:4101", "http://localhost:4101"] {
            assert_eq!(judge(&guard, "/api/health", &[HOST, BEARER, ("origin", origin)]), Ok(()), "{origin}");
        }
        let refused = [
            "",
            "null",
            "http://127.0.0.1",
            "http://127.0.0.1:4100",
            "https://127.0.0.1:4101",
            "http://evil.example",
            "http://localhost.:4101",
            "http://127.0.0.1:4101/",
            "http://127.0.0.1:4101.evil.example",
            "HTTP://127.0.0.1:4101",
            "file://",
            "tauri://localhost",
            "chrome-extension://abc",
            "http://[::1]:4101",
            "127.0.0.1:4101",
            "http://127.0.0.1:4101, http://evil.example",
            "http://127.0.0.1:4101 http://evil.example",
        ];
        for origin in refused {
            let denied = judge(&guard, "/api/health", &[HOST, BEARER, ("origin", origin)]);
            assert_eq!(denied, Err(Denied::Origin), "{origin}");
            assert_eq!(judge(&guard, "/", &[HOST, ("origin", origin)]), Err(Denied::Origin), "{origin}, the UI");
        }
        let own = ("origin", "http://127.0.0.1:4101");
        assert_eq!(judge(&guard, "/api/health", &[HOST, BEARER, own, own]), Err(Denied::Origin), "two Origins");
    }

    #[test]
    fn a_request_on_behalf_of_another_site_is_refused() {
        let guard = guard("127.0.0.1:4101");
        for site in ["same-origin", "none"] {
            assert_eq!(judge(&guard, "/api/health", &[HOST, BEARER, ("sec-fetch-site", site)]), Ok(()), "{site}");
        }
        for site in ["cross-site", "same-site", "", "None", "same-origin, cross-site", "anything"] {
            let site = ("sec-fetch-site", site);
            assert_eq!(judge(&guard, "/api/health", &[HOST, BEARER, site]), Err(Denied::Site), "{site:?}");
            assert_eq!(judge(&guard, "/", &[HOST, site]), Err(Denied::Site), "{site:?}, the UI");
        }
        let both = [HOST, BEARER, ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")];
        assert_eq!(judge(&guard, "/api/health", &both), Err(Denied::Site));
    }

    #[test]
    fn a_request_that_came_through_a_proxy_or_a_tunnel_is_refused() {
        let guard = guard("127.0.0.1:4101");
        let refused = [
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
            "x-forwarded-port",
            "X-Forwarded-Server",
            "x-forwarded-",
            "x-forwarded-anything",
            "cf-connecting-ip",
            "CF-Ray",
            "cf-visitor",
            "cf-ipcountry",
            "cf-warp-tag-id",
        ];
        for name in refused {
            for value in ["", "127.0.0.1"] {
                assert_eq!(judge(&guard, "/api/health", &[HOST, BEARER, (name, value)]), Err(Denied::Proxy), "{name}");
                assert_eq!(judge(&guard, "/", &[HOST, (name, value)]), Err(Denied::Proxy), "{name}, the UI");
            }
        }
        for name in ["x-forward", "cfx", "x-cf-ray", "user-agent"] {
            assert_eq!(judge(&guard, "/api/health", &[HOST, BEARER, (name, "x")]), Ok(()), "{name}");
        }
    }

    #[test]
    fn everything_below_api_needs_the_token_and_nothing_else_does() {
        let guard = guard("127.0.0.1:4101");
        for path in
            ["/", "/index.html", "/assets/index-4f0c.js", "/apiary", "/ap", "/API/health", "//api/health", "/?x=/api/"]
        {
            assert_eq!(judge(&guard, path, &[HOST]), Ok(()), "{path}");
        }
        for path in [
            "/api",
            "/api/",
            "/api/health",
            "/api/openapi.json",
            "/api/events",
            "/api/no-such",
            "/api?token=4f0c-token",
        ] {
            assert_eq!(judge(&guard, path, &[HOST]), Err(Denied::Token), "{path}");
            assert_eq!(judge(&guard, path, &[HOST, BEARER]), Ok(()), "{path}");
        }
        let refused = [
            "",
            "Bearer",
            "Bearer ",
            "Bearer 4f0c-toke",
            "Bearer 4f0c-token2",
            "Bearer  4f0c-token",
            "Bearer 4F0C-TOKEN",
            "4f0c-token",
            "Basic 4f0c-token",
            "Bearer4f0c-token",
            "Bearer\t4f0c-token",
            "Bearer 4f0c-token,",
            "Token 4f0c-token",
            "Bearer \"4f0c-token\"",
            "Bearer ü",
        ];
        for credentials in refused {
            let denied = judge(&guard, "/api/health", &[HOST, ("authorization", credentials)]);
            assert_eq!(denied, Err(Denied::Token), "{credentials}");
        }
        assert_eq!(judge(&guard, "/api/health", &[HOST, ("authorization", "bearer 4f0c-token")]), Ok(()));
        assert_eq!(judge(&guard, "/api/health", &[HOST, BEARER, BEARER]), Err(Denied::Token), "two credentials");
        let cookie = ("cookie", "token=4f0c-token");
        assert_eq!(judge(&guard, "/api/health", &[HOST, cookie]), Err(Denied::Token), "no cookies");
    }

    #[test]
    fn the_token_is_looked_at_last() {
        let guard = guard("127.0.0.1:4101");
        assert_eq!(judge(&guard, "/api/health", &[("host", "evil.example")]), Err(Denied::Host));
        assert_eq!(judge(&guard, "/api/health", &[HOST, ("origin", "null")]), Err(Denied::Origin));
        assert_eq!(judge(&guard, "/api/health", &[HOST, ("sec-fetch-site", "cross-site")]), Err(Denied::Site));
        assert_eq!(judge(&guard, "/api/health", &[HOST, ("cf-ray", "1")]), Err(Denied::Proxy));
    }

    #[test]
    fn an_upgrade_request_needs_what_every_other_needs() {
        let guard = guard("127.0.0.1:4101");
        let upgrade = [HOST, ("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13")];
        assert_eq!(judge(&guard, "/api/events", &upgrade), Err(Denied::Token));
        let page = [HOST, ("upgrade", "websocket"), ("origin", "http://evil.example")];
        assert_eq!(judge(&guard, "/api/events", &page), Err(Denied::Origin));
    }

    #[test]
    fn an_empty_token_admits_nobody() {
        let guard = Guard::new("127.0.0.1:4101".parse().unwrap(), &AdminToken::new(String::new()));
        assert_eq!(judge(&guard, "/api/health", &[HOST, ("authorization", "Bearer ")]), Err(Denied::Token));
    }

    #[test]
    fn neither_debug_form_shows_the_token() {
        let token = AdminToken::new(TOKEN.to_owned());
        assert!(!format!("{token:?} {:?}", guard("127.0.0.1:4101")).contains(TOKEN));
    }
}
