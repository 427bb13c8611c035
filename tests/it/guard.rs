//! The admin port lets in nobody but the holder of the token, from this machine, by its own name: every route, 0 effects.

use serde_json::{Value, json};

use super::support::{Creel, Endpoint, Request, Response, Target, text};

/// Everything that a forbidden call could have changed.
fn state(creel: &Creel) -> Value {
    json!(
        [creel.get("/endpoints"), creel.get("/deliveries?limit=500"), creel.get("/settings"), creel.get("/refusals"),]
    )
}

/// Each documented route with ids that exist, so that a call that gets through has an effect.
fn routes(creel: &Creel, endpoint: &Endpoint, delivery: &str, attempt: &str) -> Vec<(String, String)> {
    let document = creel.get("/openapi.json");
    let mut routes = Vec::new();
    for (template, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let names = ["get", "post", "put", "patch", "delete"];
            if !names.contains(&method.as_str()) {
                continue;
            }
            let id = if template.starts_with("/endpoints") {
                &endpoint.id
            } else if template.starts_with("/attempts") {
                attempt
            } else {
                delivery
            };
            let path = template.replace("{delivery_id}", delivery).replace("{n}", "1").replace("{slug}", "generic");
            let path = path.replace("{secret_id}", delivery).replace("{id}", id);
            assert!(!path.contains('{'), "a path parameter that this test does not know: {template}");
            routes.push((method.to_uppercase(), path));
        }
    }
    assert!(routes.len() >= 30, "the document is incomplete: {routes:?}");
    routes
}

/// A body with which the call would do something.
fn body_for(method: &str, path: &str) -> Value {
    match (method, path) {
        ("POST", "/endpoints") => json!({ "name": "made by a stranger" }),
        ("PATCH", "/settings") => json!({ "keep_rows": 1 }),
        ("PATCH", _) => json!({ "name": "changed by a stranger" }),
        ("DELETE", "/deliveries") => json!({ "filter": {}, "all": true }),
        (_, path) if path.contains("signing-secret") => json!({ "signing_secret": "set by a stranger, long" }),
        _ => json!({}),
    }
}

/// One way to come in that must not work.
struct Intruder {
    name: String,
    headers: Vec<(String, String)>,
    host: Option<String>,
    with_token: bool,
    status: u16,
}

fn intruder(name: &str, headers: &[(&str, &str)]) -> Intruder {
    let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Intruder { name: name.to_owned(), headers, host: None, with_token: true, status: 403 }
}

fn wrong_hosts(port: u16) -> Vec<Intruder> {
    let hosts = [
        format!("rebind.test:{port}"),
        format!("127.0.0.1.nip.io:{port}"),
        format!("0.0.0.0:{port}"),
        format!("localhost.evil.test:{port}"),
        format!("[::1]:{port}"),
        format!("127.0.0.2:{port}"),
        format!("localhost:{}", port.wrapping_add(1).max(1)),
        "localhost".into(),
        "127.0.0.1".into(),
        format!("127.0.0.1:{port}@evil.test"),
        format!("2130706433:{port}"),
    ];
    let as_intruder = |host: String| Intruder { host: Some(host.clone()), ..intruder(&format!("Host {host}"), &[]) };
    hosts.into_iter().map(as_intruder).collect()
}

fn foreign_origins(port: u16) -> Vec<Intruder> {
    let origins = [
        "http://evil.test".to_owned(),
        "null".into(),
        format!("https://127.0.0.1:{port}"),
        "http://localhost".into(),
        format!("http://localhost:{}", port.wrapping_add(1).max(1)),
        format!("http://evil.test:{port}"),
        "file://".into(),
        format!("http://127.0.0.1:{port}.evil.test"),
    ];
    origins.iter().map(|origin| intruder(&format!("Origin {origin}"), &[("Origin", origin)])).collect()
}

fn foreign_sites() -> Vec<Intruder> {
    let sites = ["cross-site", "same-site", "anything"];
    sites.iter().map(|site| intruder(&format!("Sec-Fetch-Site {site}"), &[("Sec-Fetch-Site", site)])).collect()
}

fn forwarded() -> Vec<Intruder> {
    let headers = [
        ("Forwarded", "for=1.2.3.4"),
        ("X-Forwarded-For", "1.2.3.4"),
        ("X-Forwarded-Host", "evil.test"),
        ("X-Forwarded-Proto", "https"),
        ("x-forwarded-anything", "1"),
        ("CF-Connecting-IP", "1.2.3.4"),
        ("CF-Ray", "1"),
    ];
    headers.iter().map(|&header| intruder(header.0, &[header])).collect()
}

fn without_token() -> Vec<Intruder> {
    let wrong = ["Bearer ", "Bearer wrong", "Basic dXNlcjpwYXNz", "wrong"];
    let mut intruders: Vec<Intruder> = wrong
        .iter()
        .map(|value| intruder(&format!("Authorization {value}"), &[("Authorization", value)]))
        .chain([intruder("no token", &[]), intruder("a cookie", &[("Cookie", "admin_token=x; token=x")])])
        .collect();
    for intruder in &mut intruders {
        (intruder.with_token, intruder.status) = (false, 401);
    }
    intruders
}

fn knock(creel: &Creel, intruder: &Intruder, method: &str, path: &str, body: &Value) -> Response {
    let mut request = Request::new(method, path);
    if intruder.with_token {
        request = request.header("Authorization", &format!("Bearer {}", creel.token));
    }
    if let Some(host) = &intruder.host {
        request = request.host(host);
    }
    for (name, value) in &intruder.headers {
        request = request.header(name, value);
    }
    request.json(body).to(creel.admin)
}

/// Tries every route as each of these intruders. Also run against engines that leave out one check.
fn none_of_them_gets_in(creel: &Creel, intruders: &[Intruder]) {
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let answer = creel.send_expecting("accepted", &endpoint.post("{}"));
    let delivery = text(&answer, "delivery_id");
    creel.settled(delivery);
    let attempt = text(&creel.attempts(delivery)[0], "id").to_owned();
    let routes = routes(creel, &endpoint, delivery, &attempt);
    let before = state(creel);
    for intruder in intruders {
        for (method, path) in &routes {
            let answer = knock(creel, intruder, method, &format!("/api{path}"), &body_for(method, path));
            assert_eq!(answer.status, intruder.status, "an intruder got in: {} {method} {path}", intruder.name);
            answer.expect_error(intruder.status);
        }
    }
    assert!(state(creel) == before, "an intruder changed something");
    assert_eq!(target.count(), 1, "an intruder had something relayed");
}

pub fn no_token_no_entry(creel: &Creel) {
    none_of_them_gets_in(creel, &without_token());
}

pub fn no_foreign_host(creel: &Creel) {
    none_of_them_gets_in(creel, &wrong_hosts(creel.admin.port()));
}

pub fn no_foreign_origin(creel: &Creel) {
    none_of_them_gets_in(creel, &foreign_origins(creel.admin.port()));
}

pub fn no_foreign_site(creel: &Creel) {
    none_of_them_gets_in(creel, &foreign_sites());
}

pub fn nothing_forwarded(creel: &Creel) {
    none_of_them_gets_in(creel, &forwarded());
}

#[test]
fn every_route_is_401_without_the_token() {
    no_token_no_entry(&Creel::start());
}

#[test]
fn every_route_is_403_for_another_host_name() {
    no_foreign_host(&Creel::start());
}

#[test]
fn every_route_is_403_for_a_page_of_another_origin() {
    no_foreign_origin(&Creel::start());
}

#[test]
fn every_route_is_403_for_a_cross_site_fetch() {
    no_foreign_site(&Creel::start());
}

#[test]
fn every_route_is_403_through_a_proxy_or_tunnel() {
    nothing_forwarded(&Creel::start());
}

#[test]
fn the_admin_ports_own_names_and_origin_are_let_in() {
    let creel = Creel::start();
    let port = creel.admin.port();
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}")] {
        let call = creel.call("GET", "/health").host(&host).header("Origin", &format!("http://{host}"));
        let health = call.header("Sec-Fetch-Site", "same-origin").to(creel.admin).expect_json(200);
        assert_eq!(health["status"], "ok");
    }
    creel.call("GET", "/health").header("Sec-Fetch-Site", "none").to(creel.admin).expect_json(200);
}

#[test]
fn a_listener_on_the_ipv6_loopback_is_let_in_by_that_name_and_guarded_like_the_other() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: this machine has no IPv6 loopback");
        return;
    }
    let creel = super::support::Launch::new().admin("[::1]:0").start();
    creel.get("/health");
    let port = creel.admin.port();
    for host in
        [format!("[::2]:{port}"), "[::1]".into(), format!("[::ffff:127.0.0.1]:{port}"), format!("evil.test:{port}")]
    {
        creel.call("GET", "/health").host(&host).to(creel.admin).expect_error(403);
    }
}

#[test]
fn a_request_with_two_hosts_or_none_is_refused() {
    let creel = Creel::start();
    let bearer = format!("Authorization: Bearer {}\r\n", creel.token);
    let own = format!("Host: {}\r\n", creel.admin);
    for hosts in [String::new(), format!("{own}Host: evil.test\r\n"), format!("{own}{own}")] {
        let head = format!("GET /api/health HTTP/1.1\r\n{hosts}{bearer}Connection: close\r\n\r\n");
        let answer = super::support::http::raw_exchange(creel.admin, head.as_bytes());
        let shown = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || shown.starts_with("HTTP/1.1 4"), "{hosts:?}: {shown}");
    }
}

#[test]
fn there_is_no_cross_origin_sharing_and_no_cookie() {
    let creel = Creel::start();
    let origin = format!("http://{}", creel.admin);
    let preflight = Request::new("OPTIONS", "/api/endpoints").header("Origin", "http://evil.test");
    let preflight = preflight.header("Access-Control-Request-Method", "POST").to(creel.admin);
    assert!((400..500).contains(&preflight.status), "{}", preflight.status);
    let own = creel.call("GET", "/endpoints").header("Origin", &origin).to(creel.admin);
    let ui = Request::new("GET", "/").to(creel.admin);
    for answer in [preflight, own, ui] {
        for (name, value) in &answer.headers {
            let name = name.to_ascii_lowercase();
            assert!(!name.starts_with("access-control-") && name != "set-cookie", "{name}: {value}");
        }
    }
}

#[test]
fn the_ui_is_served_without_a_token_under_a_strict_policy_and_the_other_checks() {
    let creel = Creel::start();
    let page = Request::new("GET", "/").to(creel.admin);
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src 'unsafe-inline'"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert!(!page.text().contains(&creel.token), "the page gives the token away");
    let port = creel.admin.port();
    let intruders =
        wrong_hosts(port).into_iter().chain(foreign_origins(port)).chain(foreign_sites()).chain(forwarded());
    for mut intruder in intruders {
        intruder.with_token = false;
        let answer = knock(&creel, &intruder, "GET", "/", &json!({}));
        assert_eq!(answer.status, 403, "{}", intruder.name);
    }
}

#[test]
fn no_path_of_the_ui_reaches_the_file_system() {
    let creel = Creel::start();
    for path in
        ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "//etc/passwd", "/etc/passwd", "/assets/../../run.json", "/run.json"]
    {
        let answer = Request::new("GET", path).to(creel.admin);
        let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        assert!((400..500).contains(&answer.status) || is_page, "{path}: {} {}", answer.status, answer.text());
        assert!(!answer.text().contains("admin_token") && !answer.text().contains("root:"), "{path}");
    }
}

#[test]
fn the_token_is_made_anew_at_each_start() {
    let creel = Creel::start();
    let old = creel.token.clone();
    let creel = creel.stop_and_restart();
    assert_ne!(creel.token, old);
    let stale = Request::new("GET", "/api/health").header("Authorization", &format!("Bearer {old}"));
    stale.to(creel.admin).expect_error(401);
}
