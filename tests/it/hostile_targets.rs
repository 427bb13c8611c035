//! Targets that misbehave: each attempt ends with the right outcome, nothing is followed, and the other target is served.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::support::http::PATIENCE;
use super::support::wait::within;
use super::support::{Creel, Gate, Launch, Target, closed_port, text};

/// What the target does with a request that it has read.
type Act = Box<dyn Fn(&mut TcpStream) -> io::Result<()> + Send + Sync>;

struct Case {
    name: &'static str,
    act: Act,
    /// Outcomes that are true to what happened.
    outcomes: &'static [&'static str],
    status: Option<u16>,
}

fn says(name: &'static str, bytes: impl Into<Vec<u8>>, outcome: &'static [&'static str], status: Option<u16>) -> Case {
    let bytes = bytes.into();
    Case { name, act: Box::new(move |stream| stream.write_all(&bytes)), outcomes: outcome, status }
}

fn does(
    name: &'static str,
    act: impl Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
    outcomes: &'static [&'static str],
    status: Option<u16>,
) -> Case {
    Case { name, act: Box::new(act), outcomes, status }
}

const RESET: &[&str] = &["reset"];
const GOOD: &[&str] = &["succeeded"];
const ERROR: &[&str] = &["http_error"];

fn answers_that_are_no_http() -> Vec<Case> {
    vec![
        does("closes without an answer", |_| Ok(()), RESET, None),
        says("closes within the status line", "HTTP/1.1 2", RESET, None),
        says("closes within the head", "HTTP/1.1 200 OK\r\nX-Half: ", RESET, None),
        says("speaks another protocol", "SSH-2.0-OpenSSH_9.2\r\n", RESET, None),
        says("answers like HTTP/0.9", "<html>hello</html>", RESET, None),
        says("answers in HTTP/2", b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64".to_vec(), RESET, None),
        says("writes the version in lower case", "http/1.1 200 ok\r\n\r\n", RESET, None),
        says("gives a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", RESET, None),
        says("gives a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", RESET, None),
        says("puts NUL into a header", "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n", RESET, None),
        says("gives two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", RESET, None),
        says("gives a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", RESET, None),
        says("sends a header of 2 MB", huge_header(), RESET, None),
        says("sends 20,000 headers", many_headers(), RESET, None),
    ]
}

fn huge_header() -> String {
    format!("HTTP/1.1 200 OK\r\nX-Huge: {}\r\nContent-Length: 0\r\n\r\n", "h".repeat(2_000_000))
}

fn many_headers() -> String {
    format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X-Many: 1\r\n".repeat(20_000))
}

fn bodies_that_break() -> Vec<Case> {
    vec![
        says("breaks off within the body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", RESET, Some(200)),
        says(
            "breaks off between chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            RESET,
            Some(200),
        ),
        says(
            "sends a bad chunk size",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n",
            RESET,
            Some(200),
        ),
    ]
}

fn odd_but_whole_answers(elsewhere: &str, ourselves: &str) -> Vec<Case> {
    let redirect = |status: &str, to: &str| format!("HTTP/1.1 {status}\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    vec![
        says("redirects to another server", redirect("302 Found", elsewhere), GOOD, Some(302)),
        says("redirects and keeps the method", redirect("307 Temporary", elsewhere), GOOD, Some(307)),
        says("redirects to Creel itself", redirect("308 Permanent", ourselves), GOOD, Some(308)),
        says("redirects to a file", redirect("301 Moved", "file:///etc/passwd"), GOOD, Some(301)),
        says(
            "sends 500 interim answers, then one",
            format!("{}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n".repeat(500)),
            &["succeeded", "reset"],
            None,
        ),
        says(
            "switches protocols unasked",
            "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nxxxx",
            &["http_error", "reset"],
            None,
        ),
        says("sends 204 with a body", "HTTP/1.1 204 No Content\r\n\r\nbody", GOOD, Some(204)),
        says("sends 304", "HTTP/1.1 304 Not Modified\r\n\r\n", GOOD, Some(304)),
        says("ends the body by closing", "HTTP/1.1 200 OK\r\n\r\nall of it", GOOD, Some(200)),
        says(
            "sends trailers",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n",
            GOOD,
            Some(200),
        ),
        says(
            "claims a coding that it does not use",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nraw",
            GOOD,
            Some(200),
        ),
        says(
            "sends more than it announced",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n",
            GOOD,
            Some(200),
        ),
        does(
            "drips byte by byte",
            |stream| {
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".iter().try_for_each(|byte| stream.write_all(&[*byte]))
            },
            GOOD,
            Some(200),
        ),
        does(
            "sends 16 MiB",
            |stream| {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n")?;
                (0..256).try_for_each(|_| stream.write_all(&[b'x'; 65_536]))
            },
            GOOD,
            Some(200),
        ),
        says("says 404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", ERROR, Some(404)),
        says("says 500", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", ERROR, Some(500)),
        says(
            "says 503 and asks to come again",
            "HTTP/1.1 503 No\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
            ERROR,
            Some(503),
        ),
        says("says 999", "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", ERROR, Some(999)),
    ]
}

/// Relays one delivery to the hostile address and to a healthy target; returns the attempt at the hostile one.
fn attempt_at(creel: &Creel, name: &str, url: &str, body: &[u8]) -> Value {
    let healthy = Target::answering(200);
    let endpoint = creel.relaying(&[url, &healthy.url("/")], json!({ "name": name }));
    let answer = creel.send_expecting("accepted", &endpoint.post(body));
    let row = creel.settled(text(&answer, "delivery_id"));
    assert_eq!(row["status"], "dispatched", "{name}: the healthy target suffers");
    assert_eq!(healthy.only().body, body, "{name}");
    creel.attempts(text(&row, "id"))[0].clone()
}

fn check(creel: &Creel, case: Case) {
    let Case { name, act, outcomes, status } = case;
    let target = Target::raw(move |_, stream| act(stream).map(|()| false));
    let attempt = attempt_at(creel, name, &target.url("/"), b"{}");
    assert!(outcomes.contains(&text(&attempt, "outcome")), "{name}: {attempt}");
    if let Some(status) = status {
        assert_eq!(attempt["response_status"], status, "{name}: {attempt}");
    }
    if attempt["outcome"] != "succeeded" {
        assert!(
            attempt["reason"].as_str().is_some_and(|reason| !reason.is_empty()),
            "{name} without a reason: {attempt}"
        );
    }
    assert_eq!(target.count(), 1, "{name}: sent again unasked");
}

#[test]
fn an_answer_that_is_no_http_is_reset_with_a_reason() {
    let creel = Creel::start();
    answers_that_are_no_http().into_iter().for_each(|case| check(&creel, case));
}

#[test]
fn a_body_that_breaks_is_reset_and_its_status_is_kept() {
    let creel = Creel::start();
    bodies_that_break().into_iter().for_each(|case| check(&creel, case));
}

#[test]
fn an_odd_but_whole_answer_is_taken_as_it_is_and_a_redirect_is_never_followed() {
    let creel = Creel::start();
    let canary = Target::answering(200);
    let trap = creel.endpoint(json!({ "name": "where a redirect would land" }));
    let ourselves = format!("http://{}{}", creel.ingress, trap.path);
    for case in odd_but_whole_answers(&canary.url("/latest/meta-data/"), &ourselves) {
        check(&creel, case);
    }
    assert_eq!(canary.connections(), 0, "a redirect was followed");
    assert_eq!(creel.total(&format!("endpoint_id={}", trap.id)), 0, "a redirect to Creel was followed");
}

/// The short form of it. Also run against an engine that follows.
pub fn a_redirect_is_not_followed(creel: &Creel) {
    let canary = Target::answering(200);
    let location = canary.url("/latest/meta-data/");
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let target = Target::raw(move |_, stream| stream.write_all(answer.as_bytes()).map(|()| false));
    attempt_at(creel, "redirects", &target.url("/"), b"{}");
    assert_eq!(canary.connections(), 0, "a redirect was followed");
}

#[test]
fn a_redirect_ends_the_attempt() {
    a_redirect_is_not_followed(&Launch::new().start());
}

#[test]
fn a_target_where_nothing_listens_is_connect_failed() {
    let creel = Creel::start();
    let attempt = attempt_at(&creel, "closed", &format!("http://{}/", closed_port()), b"{}");
    assert_eq!(
        (&attempt["outcome"], &attempt["response_status"]),
        (&json!("connect_failed"), &Value::Null),
        "{attempt}"
    );
    assert!(attempt["reason"].is_string() && attempt["started_at"].is_string(), "{attempt}");
}

/// A server that does something with each connection before anything is read from it.
fn before_reading(act: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    // Ends with the test process: it owns nothing but its port.
    thread::spawn(move || listener.incoming().flatten().for_each(act));
    addr
}

#[test]
fn a_target_that_closes_unread_is_reset() {
    let creel = Creel::start();
    let addr = before_reading(drop);
    let attempt = attempt_at(&creel, "drops", &format!("http://{addr}/"), &vec![b'x'; 3_000_000]);
    assert_eq!(attempt["outcome"], "reset", "{attempt}");
}

#[test]
fn a_target_that_answers_before_it_has_read_the_body_and_closes_is_recorded_as_what_was_seen() {
    let creel = Creel::start();
    let addr = before_reading(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    let attempt = attempt_at(&creel, "early", &format!("http://{addr}/"), &vec![b'x'; 3_000_000]);
    assert!(["http_error", "reset"].contains(&text(&attempt, "outcome")), "{attempt}");
}

#[test]
fn https_spoken_to_a_plain_port_fails_before_anything_is_sent() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let attempt = attempt_at(&creel, "plain", &format!("https://localhost:{}/", target.addr().port()), b"{}");
    // The target waits for the rest of what it takes for a head, so that the limit for connecting ends it.
    assert!(["connect_failed", "reset", "timed_out"].contains(&text(&attempt, "outcome")), "{attempt}");
    assert_eq!(target.count(), 0);
}

/// Writes a byte a second for as long as the other side takes it.
fn drip(stream: &mut TcpStream, beginning: &str) -> io::Result<bool> {
    stream.write_all(beginning.as_bytes())?;
    for _ in 0..PATIENCE.as_secs() {
        thread::sleep(Duration::from_secs(1));
        stream.write_all(b"x")?;
    }
    Ok(false)
}

#[test]
fn a_target_that_hangs_drips_or_never_ends_is_timed_out_at_the_limits_of_the_contract() {
    let creel = Creel::start();
    let gate = Gate::default();
    let targets = [
        ("hangs", Target::behind(&gate), None),
        ("drips its head", Target::raw(|_, stream| drip(stream, "HTTP/1.1 200 OK\r\nX-Drip: ")), None),
        ("never ends", Target::raw(|_, stream| drip(stream, "HTTP/1.1 200 OK\r\n\r\n")), Some(200)),
    ];
    let sent = targets.iter().map(|(name, target, status)| {
        let endpoint = creel.relaying(&[&target.url("/")], json!({}));
        let answer = creel.send_expecting("accepted", &endpoint.post("{}"));
        (name, text(&answer, "delivery_id").to_owned(), status)
    });
    // All three at once: the longest limit is 60 s.
    for (name, id, status) in sent.collect::<Vec<_>>() {
        let settled = || Some(creel.delivery(&id)).filter(|row| row["status"] == "failed");
        let row = within(PATIENCE, settled).unwrap_or_else(|| panic!("{name}: still under way"));
        assert_eq!((&row["relay_outcome"], &row["relay_status"]), (&json!("timed_out"), &json!(status)), "{name}");
        assert!(creel.attempts(&id)[0]["reason"].is_string(), "{name}");
    }
    gate.open();
}

#[test]
fn a_target_that_closes_after_each_answer_loses_no_delivery() {
    let creel = Creel::start();
    let target = Target::raw(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")?;
        Ok(false)
    });
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    for _ in 0..40 {
        let answer = creel.send_expecting("accepted", &endpoint.post("{}"));
        let row = creel.settled(text(&answer, "delivery_id"));
        assert_eq!(row["status"], "dispatched", "a kept connection that the target had closed lost a delivery: {row}");
    }
    assert_eq!(target.count(), 40);
}
