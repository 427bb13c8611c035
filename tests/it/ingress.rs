//! What comes in is kept byte for byte, whatever its method, path, framing or content, and whoever hangs up.

use std::io::Write;
use std::thread;

use serde_json::{Value, json};

use super::support::http::{self, HeaderList};
use super::support::{Creel, Request, Target, hub_signature, list, text, until};

/// The cap that the contract names: 26 MiB.
const BODY_BYTES_MAX: usize = 27_262_976;

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", Vec::new()),
        ("JSON with spaces and repeated keys", b" {\"b\": 1.0,\t\"a\":1.0e2 , \"a\":2}\r\n".to_vec()),
        ("JSON behind a byte order mark", b"\xef\xbb\xbf{\"event\":\"marked\"}".to_vec()),
        ("invalid UTF-8", b"\xff\xfe\x80abc\xc3".to_vec()),
        ("NUL bytes", b"a\0b\0\0".to_vec()),
        ("every byte", (0..=255).collect()),
        ("a form", b"payload=%7B%22a%22%3A1%7D&b=+c".to_vec()),
        ("what looks like a request", b"POST /in/x HTTP/1.1\r\nHost: y\r\n\r\n".to_vec()),
    ]
}

#[test]
fn a_body_is_stored_and_relayed_exactly_as_sent_whatever_its_framing() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    for (what, body) in bodies() {
        for chunk_bytes in [None, Some(1), Some(7)] {
            let post = endpoint.post(&body);
            let post = chunk_bytes.map_or(post.clone(), |size| post.chunked(size));
            let answer = creel.send_expecting("accepted", &post);
            let id = text(&answer, "delivery_id");
            assert_eq!(creel.stored_body(id), body, "{what}, chunks of {chunk_bytes:?}");
            assert_eq!(creel.delivery(id)["body_size"], body.len(), "{what}");
            let relayed = until("it is relayed", || target.seen().into_iter().find(|seen| seen.delivery_id() == id));
            assert_eq!(relayed.body, body, "{what}, chunks of {chunk_bytes:?}");
        }
    }
}

#[test]
fn a_body_of_exactly_the_cap_is_stored_and_relayed_and_one_byte_more_is_413() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let mut body: Vec<u8> = (0..BODY_BYTES_MAX).map(|at| (at * 31 % 251) as u8).collect();
    let answer = creel.send_expecting("accepted", &endpoint.post(&body));
    assert!(creel.stored_body(text(&answer, "delivery_id")) == body, "26 MiB came back changed");
    assert!(target.only().body == body, "26 MiB were relayed changed");

    body.push(b'!');
    for post in [endpoint.post(&body), endpoint.post(&body).chunked(65_536)] {
        let refused = creel.send(&post).expect_json(413);
        assert!(refused["error"].is_string(), "{refused}");
    }
    assert_eq!(creel.total(""), 1, "what is too large is no delivery");
    let refusals = creel.refused(2);
    assert_eq!((&refusals[0]["status"], &refusals[0]["reason"]), (&json!(413), &json!("body_too_large")));
}

/// Large bodies are judged elsewhere than small ones, by the same rules.
#[test]
fn a_large_body_is_judged_as_a_small_one_is() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "body_policy": "json" }));
    let secret = "a secret of enough bytes";
    creel.set_secret(&endpoint, secret);
    for size in [1_000, 256 * 1024 + 1_000, 5_000_000] {
        let body = format!(r#"{{"pad":"{}","event":"order.paid"}}"#, "x".repeat(size));
        let post = endpoint.post(&body);
        let signed = post.clone().header("X-Hub-Signature-256", &hub_signature(secret, body.as_bytes()));
        let answer = creel.send_expecting("skipped", &signed);
        let row = creel.delivery(text(&answer, "delivery_id"));
        assert_eq!((&row["event"], &row["signature_status"]), (&json!("order.paid"), &json!("valid")), "{size}");
        let forged = post.header("X-Hub-Signature-256", &hub_signature("another", body.as_bytes()));
        assert_eq!(creel.send(&forged).expect_json(401)["reason"], "invalid_signature", "{size}");
        let broken = creel.send(&endpoint.post(&body[1..])).expect_json(400);
        assert!(text(&broken, "error").contains("no JSON"), "{broken}");
    }
    assert_eq!((creel.total("status=dispatched"), creel.total("status=rejected")), (3, 3));
}

#[test]
fn a_body_above_the_cap_is_refused_before_it_is_sent() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let mut stream = http::connect(creel.ingress).unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Length: 999999999\r\nExpect: 100-continue\r\n\r\n",
        endpoint.path, creel.ingress
    );
    stream.write_all(head.as_bytes()).unwrap();
    let answer = http::read_response(&mut std::io::BufReader::new(stream), false).unwrap();
    assert_eq!(answer.status, 413, "{}", answer.text());
}

#[test]
fn every_method_suffix_and_query_is_kept_and_relayed_as_received() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("")], json!({}));
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "X-ODD"];
    for method in methods {
        let request = endpoint.post("").method(method).at("/a%2Fb/%C3%A4/c;d=e//?x=1&x=2&y=%20+&z");
        let answer = creel.send(&request);
        assert_eq!(answer.status, 200, "{method}: {}", answer.text());
    }
    let rows = until("all are relayed", || {
        Some(creel.all_deliveries()).filter(|rows| rows.iter().all(|row| row["status"] == "dispatched"))
    });
    assert_eq!(rows.len(), methods.len());
    let mut stored: Vec<&str> = rows.iter().map(|row| text(row, "method")).collect();
    stored.reverse();
    assert_eq!(stored, methods);
    for row in &rows {
        assert_eq!(text(row, "path"), "/a%2Fb/%C3%A4/c;d=e//");
        assert_eq!(text(row, "query"), "x=1&x=2&y=%20+&z");
    }
    for seen in target.wait_for(methods.len()) {
        assert_eq!(seen.target, "/a%2Fb/%C3%A4/c;d=e//?x=1&x=2&y=%20+&z");
    }
}

#[test]
fn an_absent_query_and_an_empty_one_are_told_apart() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let without = creel.send_expecting("skipped", &endpoint.post("{}"));
    let empty = creel.send_expecting("skipped", &endpoint.post("{}").at("?"));
    let row = creel.delivery(text(&without, "delivery_id"));
    assert_eq!((&row["path"], &row["query"]), (&json!(""), &Value::Null));
    let row = creel.delivery(text(&empty, "delivery_id"));
    assert_eq!((&row["path"], &row["query"]), (&json!(""), &json!("")));
}

#[test]
fn all_headers_are_stored_in_order_with_their_case_and_repeats() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let request = endpoint.post("{}").header("X-b", "1").header("x-A", "two words").header("X-B", "3");
    let request = request.header_bytes("X-Latin", b"caf\xe9").header("X-Empty", "");
    let answer = creel.send_expecting("skipped", &request);
    let row = creel.delivery(text(&answer, "delivery_id"));
    let stored: HeaderList = serde_json::from_value(row["headers"].clone()).unwrap();
    let names: Vec<&str> = stored.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Host", "X-b", "x-A", "X-B", "X-Latin", "X-Empty", "Content-Length", "Connection"]);
    assert_eq!(http::header_all(&stored, "x-b"), ["1", "3"]);
    assert_eq!(http::header(&stored, "x-latin"), Some("café"));
    assert_eq!(http::header(&stored, "x-empty"), Some(""));
}

#[test]
fn sixty_four_equal_deliveries_at_once_are_one_row_with_64_arrivals_and_one_request_to_the_target() {
    const SENDERS: usize = 64;
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let post = endpoint.post(r#"{"event":"once"}"#).header("Idempotency-Key", "the same for all");
    let answers: Vec<Value> = thread::scope(|scope| {
        let sending: Vec<_> = (0..SENDERS).map(|_| scope.spawn(|| creel.send(&post).expect_json(200))).collect();
        sending.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    let accepted: Vec<&Value> = answers.iter().filter(|answer| answer["status"] == "accepted").collect();
    let duplicates = answers.iter().filter(|answer| answer["status"] == "duplicate").count();
    assert_eq!((accepted.len(), duplicates), (1, SENDERS - 1));
    let id = text(accepted[0], "delivery_id");
    for answer in &answers {
        assert_eq!(text(answer, "delivery_id"), id);
        assert_eq!(answer["attempt_ids"], accepted[0]["attempt_ids"]);
    }
    let row = creel.settled(id);
    assert_eq!((&row["attempt_count"], &row["relay_attempt_count"]), (&json!(SENDERS), &json!(1)));
    assert_eq!(list(&row, "arrivals").len(), SENDERS);
    assert_eq!((creel.total(""), target.count()), (1, 1));
}

/// Hangs up as a sender does whose process was killed with bytes still in the air.
fn reset(stream: std::net::TcpStream) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    stream.set_nonblocking(true).unwrap();
    tokio::net::TcpStream::from_std(stream).unwrap().set_zero_linger().unwrap();
}

/// Senders that go away the moment the body is out. Also run against an engine whose work ends with the connection.
pub fn what_was_sent_is_stored_and_relayed_though_nobody_waits_for_the_answer(creel: &Creel) {
    const SENDERS: usize = 20;
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    for n in 0..SENDERS {
        let mut stream = http::connect(creel.ingress).unwrap();
        stream.write_all(&endpoint.post(format!("{n}")).bytes(creel.ingress)).unwrap();
        if n % 2 == 1 {
            reset(stream);
        }
        // Dropped here at the latest: the sender hangs up.
    }
    let mut bodies: Vec<String> = super::support::wait::within(std::time::Duration::from_secs(20), || {
        Some(target.seen()).filter(|seen| seen.len() >= SENDERS)
    })
    .expect("deliveries of senders that hung up are missing")
    .iter()
    .map(|seen| String::from_utf8(seen.body.clone()).unwrap())
    .collect();
    bodies.sort_by_key(|body| body.parse::<usize>().unwrap());
    assert_eq!(bodies, (0..SENDERS).map(|n| n.to_string()).collect::<Vec<_>>());
    until("all are recorded", || (creel.total("status=dispatched") == SENDERS as u64).then_some(()));
}

#[test]
fn a_sender_that_hangs_up_after_the_body_changes_nothing_about_storing_and_relaying() {
    what_was_sent_is_stored_and_relayed_though_nobody_waits_for_the_answer(&Creel::start());
}

#[test]
fn a_body_that_breaks_off_is_no_delivery_but_a_refusal() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    for framing in ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"] {
        let mut stream = http::connect(creel.ingress).unwrap();
        let head = format!("POST {} HTTP/1.1\r\nHost: {}\r\n{framing}", endpoint.path, creel.ingress);
        stream.write_all(head.as_bytes()).unwrap();
    }
    let refusals = creel.refused(2);
    for refusal in &refusals {
        assert_eq!(refusal["reason"], "aborted", "{refusal}");
        assert_eq!(refusal["endpoint_id"], endpoint.id.as_str());
    }
    assert_eq!(creel.total(""), 0);
}

#[test]
fn a_sender_that_waits_for_100_continue_is_told_to_go_on() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let stream = http::connect(creel.ingress).unwrap();
    let request = endpoint.post("after the word").header("Expect", "100-continue");
    (&stream).write_all(&request.head(creel.ingress)).unwrap();
    let mut reader = std::io::BufReader::new(&stream);
    let interim = http::read_head(&mut reader).unwrap().expect("an interim answer");
    assert!(interim.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&interim));
    (&stream).write_all(b"after the word").unwrap();
    let answer = http::read_response(&mut reader, false).unwrap().expect_json(200);
    assert_eq!(creel.stored_body(text(&answer, "delivery_id")), b"after the word");
}

#[test]
fn posts_go_through_while_hundreds_of_senders_stall() {
    const STALLED: usize = 300;
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let host = creel.ingress;
    let beginnings = [
        format!("POST {} HTTP/1.1\r\nHost: {host}\r\nX-Slow: ", endpoint.path),
        format!("POST {} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\n\r\nhalf", endpoint.path),
        String::new(),
    ];
    let stalled: Vec<_> = (0..STALLED)
        .map(|n| {
            let mut stream = http::connect(creel.ingress).unwrap();
            stream.write_all(beginnings[n % beginnings.len()].as_bytes()).unwrap();
            stream
        })
        .collect();
    for n in 0..50 {
        creel.send_expecting("skipped", &endpoint.post(format!("{n}")));
    }
    assert_eq!((creel.total(""), stalled.len()), (50, STALLED));
}

#[test]
fn one_connection_carries_many_requests_and_idle_time_between_them() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let stream = http::connect(creel.ingress).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let mut reader = std::io::BufReader::new(stream);
    for n in 0..5 {
        let request = endpoint.post(format!("{n}")).header("Connection", "keep-alive");
        writer.write_all(&request.bytes(creel.ingress)).unwrap();
        let answer = http::read_response(&mut reader, false).unwrap();
        assert_eq!(answer.status, 200);
        if answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            // Closing after each answer is the other way that keeps a tunnel client from losing a request.
            break;
        }
    }
    assert!(creel.total("") >= 1);
}

#[test]
fn a_client_address_comes_from_a_header_only_behind_a_configured_proxy() {
    let send = |creel: &Creel| {
        let endpoint = creel.endpoint(json!({}));
        let answer = creel.send_expecting("skipped", &endpoint.post("{}").header("X-Forwarded-For", "203.0.113.9"));
        creel.delivery(text(&answer, "delivery_id"))
    };
    let row = send(&Creel::start());
    assert_ne!(row["client_ip"], "203.0.113.9", "a header of anybody's was believed");
    let row = send(&super::support::Launch::new().arg("--trusted-proxy").arg("127.0.0.0/8").start());
    assert_eq!((&row["client_ip"], &row["client_ip_source"]), (&json!("203.0.113.9"), &json!("x-forwarded-for")));
    assert!(text(&row, "remote_addr").starts_with("127.0.0.1"), "{row}");
}

#[test]
fn the_ingress_serves_nothing_of_the_admin_api_nor_of_the_ui() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let reference = creel.send(&Request::post("/in/ep_unknown").body("{}"));
    assert_eq!(reference.status, 404);
    assert_eq!(reference.json(), json!({ "error": "webhook not found" }));
    let paths = [
        "/",
        "/index.html",
        "/api",
        "/api/health",
        "/api/endpoints",
        "/api/deliveries",
        "/api/openapi.json",
        "/api/events",
        "/in",
        "/in/",
        "/run.json",
        "/.well-known/creel/",
        "/.well-known/creel/guess",
        "/favicon.ico",
        "//",
        "/in//api",
    ];
    for path in paths {
        for method in ["GET", "POST", "DELETE"] {
            let request = Request::new(method, path).header("Authorization", &format!("Bearer {}", creel.token));
            let answer = creel.send(&request);
            assert_eq!((answer.status, &answer.body), (404, &reference.body), "{method} {path}");
        }
    }
    let almost = format!("{}x", endpoint.path);
    let shorter = &endpoint.path[..endpoint.path.len() - 1];
    let prefix = endpoint.path.replace("/in/", "/in/x/");
    for path in [almost.as_str(), shorter, &prefix] {
        let answer = creel.send(&Request::post(path).body("{}"));
        assert_eq!((answer.status, &answer.body), (404, &reference.body), "a token can be probed by {path}");
        assert_eq!(answer.headers.len(), reference.headers.len());
    }
    assert_eq!(creel.total(""), 0);
}
