//! What the developer's app gets: the request as it came, to each target, at most four at a time.

use serde_json::{Value, json};

use super::support::http::header_all;
use super::support::{Answer, Creel, Gate, Target, text, until};

#[test]
fn path_and_query_are_joined_as_the_contract_says() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let cases = [
        ("", "", "/"),
        ("/", "", "/"),
        ("/", "/a", "/a"),
        ("/hook", "", "/hook"),
        ("/hook/", "", "/hook"),
        ("/hook/", "/a", "/hook/a"),
        ("/hook", "/a/", "/hook/a/"),
        ("/hook", "?x=1", "/hook?x=1"),
        ("/hook?t=1", "", "/hook?t=1"),
        ("/hook?t=1", "/a?x=2&y", "/hook/a?t=1&x=2&y"),
        ("/a%20b", "/%41%2Fc%2e", "/a%20b/%41%2Fc%2e"),
    ];
    for (nth, (target_path, suffix, expected)) in cases.iter().enumerate() {
        let endpoint = creel.relaying(&[&target.url(target_path)], json!({}));
        creel.send_expecting("accepted", &endpoint.post("{}").at(suffix));
        let seen = target.wait_for(nth + 1);
        assert_eq!(&seen[nth].target, expected, "{target_path} + {suffix}");
    }
}

#[test]
fn headers_go_out_as_they_came_but_for_those_of_the_connection() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let request = endpoint
        .post("{\"a\": 1}")
        .host("hooks.example.test")
        .header("X-Repeat", "1")
        .header("X-Other", "o")
        .header("x-repeat", "2")
        .header_bytes("X-Latin", b"caf\xe9")
        .header("X-Hub-Signature-256", "sha256=kept")
        .header("Stripe-Signature", "t=1,v1=kept")
        .header("Authorization", "Bearer senders-own")
        .header("Cookie", "a=b")
        .header("Content-Type", "application/json; charset=utf-8")
        .header("Content-Encoding", "gzip")
        .header("User-Agent", "Sender/1.0")
        .header("Accept", "*/*")
        .header("Accept-Encoding", "br")
        .header("Referer", "https://example.test/")
        .header("X-Forwarded-For", "203.0.113.1")
        .header("Connection", "close, X-Hub-Signature-256, X-Other")
        .header("Keep-Alive", "timeout=5")
        .header("TE", "trailers")
        .header("Trailer", "X-Late")
        .header("Upgrade", "websocket")
        .header("Proxy-Connection", "keep-alive")
        .header("Proxy-Authorization", "Basic eA==");
    let answer = creel.send_expecting("accepted", &request);
    let seen = target.only();
    assert_eq!(header_all(&seen.headers, "x-repeat"), ["1", "2"]);
    assert_eq!(seen.header("x-latin"), Some("caf\u{e9}"));
    let kept = [
        ("x-hub-signature-256", "sha256=kept"),
        ("stripe-signature", "t=1,v1=kept"),
        ("x-other", "o"),
        ("authorization", "Bearer senders-own"),
        ("cookie", "a=b"),
        ("content-type", "application/json; charset=utf-8"),
        ("content-encoding", "gzip"),
        ("user-agent", "Sender/1.0"),
        ("accept", "*/*"),
        ("accept-encoding", "br"),
        ("referer", "https://example.test/"),
        ("x-forwarded-for", "203.0.113.1"),
    ];
    for (name, value) in kept {
        assert_eq!(header_all(&seen.headers, name), [value], "{name}");
    }
    for name in
        ["keep-alive", "te", "trailer", "upgrade", "proxy-connection", "proxy-authorization", "transfer-encoding"]
    {
        assert_eq!(seen.header(name), None, "{name} belongs to the sender's connection");
    }
    assert_eq!(header_all(&seen.headers, "host"), [target.addr().to_string().as_str()]);
    assert_eq!(header_all(&seen.headers, "content-length"), ["8"]);
    assert_eq!(seen.header("x-creel-delivery"), answer["delivery_id"].as_str());
    assert_eq!(seen.header("x-creel-attempt"), answer["attempt_ids"][0].as_str());
    assert_eq!(seen.header("x-creel-replay"), None);
}

#[test]
fn nothing_is_added_to_what_came_but_creels_own_headers() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    creel.send_expecting("accepted", &endpoint.post("{}"));
    let allowed = ["host", "content-length", "connection", "x-creel-delivery", "x-creel-attempt"];
    for (name, value) in target.only().headers {
        assert!(allowed.contains(&name.to_ascii_lowercase().as_str()), "added: {name}: {value}");
    }
}

#[test]
fn a_proxy_in_the_environment_is_not_used() {
    let proxy = Target::answering(200);
    let target = Target::answering(200);
    let mut launch = super::support::Launch::new();
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"] {
        launch = launch.env(name, &proxy.url(""));
    }
    let creel = launch.start();
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    creel.send_expecting("accepted", &endpoint.post("{}"));
    target.only();
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn each_target_gets_its_own_attempt_and_one_success_is_enough() {
    let creel = Creel::start();
    let (good, bad) = (Target::answering(201), Target::answering(500));
    let fields = json!({ "targets": [
        { "url": bad.url("/") },
        { "url": good.url("/") },
        { "url": good.url("/off"), "enabled": false },
        { "url": good.url("/other"), "event_filters": [{ "event": "other" }] },
        { "url": good.url("/this"), "event_filters": [{ "event": "this" }] },
    ] });
    let endpoint = creel.endpoint(fields);
    let answer = creel.send_expecting("accepted", &endpoint.post(r#"{"event":"this"}"#));
    let row = creel.settled(text(&answer, "delivery_id"));
    assert_eq!((&row["status"], &row["relay_attempt_count"]), (&json!("dispatched"), &json!(3)));
    let attempts = creel.attempts(text(&row, "id"));
    let outcomes: Vec<(&str, &Value)> =
        attempts.iter().map(|attempt| (text(attempt, "outcome"), &attempt["response_status"])).collect();
    assert_eq!(outcomes, [("http_error", &json!(500)), ("succeeded", &json!(201)), ("succeeded", &json!(201))]);
    for (n, attempt) in attempts.iter().enumerate() {
        assert_eq!(attempt["n"], n + 1);
        for field in ["target_id", "target_url", "created_at", "started_at", "finished_at"] {
            assert!(attempt[field].is_string(), "{field}: {attempt}");
        }
        assert!(attempt["duration_ms"].is_u64() && attempt["response_headers"].is_array(), "{attempt}");
    }
    assert_eq!((good.count(), bad.count()), (2, 1));
}

#[test]
fn a_delivery_failed_when_every_target_failed() {
    let creel = Creel::start();
    let targets = [Target::answering(500), Target::answering(404)];
    let endpoint = creel.relaying(&[&targets[0].url("/"), &targets[1].url("/")], json!({}));
    let answer = creel.send_expecting("accepted", &endpoint.post("{}"));
    let row = creel.settled(text(&answer, "delivery_id"));
    assert_eq!((&row["status"], &row["relay_outcome"]), (&json!("failed"), &json!("http_error")));
    assert_eq!((targets[0].count(), targets[1].count()), (1, 1), "a failed attempt is not repeated unasked");
}

#[test]
fn the_targets_answer_is_kept_up_to_a_mebibyte() {
    const MIB: usize = 1024 * 1024;
    let creel = Creel::start();
    let small = b"\xff\0what the app said".to_vec();
    let large: Vec<u8> = (0..3 * MIB).map(|at| (at % 253) as u8).collect();
    for body in [small, large] {
        let answer = Answer::new(200).header("X-App", "1").header("X-App", "2").body(&body);
        let target = Target::with(move |_| answer.clone());
        let endpoint = creel.relaying(&[&target.url("/")], json!({}));
        let accepted = creel.send_expecting("accepted", &endpoint.post("{}"));
        creel.settled(text(&accepted, "delivery_id"));
        let attempt = &creel.attempts(text(&accepted, "delivery_id"))[0];
        assert_eq!(attempt["outcome"], "succeeded", "{attempt}");
        let headers = attempt["response_headers"].to_string().to_ascii_lowercase();
        assert!(headers.contains(r#"["x-app","1"]"#) && headers.contains(r#"["x-app","2"]"#), "{headers}");
        let kept = creel.api("GET", &format!("/attempts/{}/response-body", text(attempt, "id")), None);
        assert_eq!(kept.status, 200);
        assert!(kept.body == body[..body.len().min(MIB)], "{} bytes of {} kept", kept.body.len(), body.len());
    }
}

#[test]
fn four_requests_are_in_flight_per_target_and_a_hanging_target_holds_up_no_other() {
    const IN_FLIGHT_MAX: usize = 4;
    let creel = Creel::start();
    let gate = Gate::default();
    let (hanging, healthy) = (Target::behind(&gate), Target::answering(200));
    let slow = creel.relaying(&[&hanging.url("/")], json!({}));
    let quick = creel.relaying(&[&healthy.url("/")], json!({}));
    for _ in 0..12 {
        creel.send_expecting("accepted", &slow.post("{}"));
    }
    hanging.wait_for(IN_FLIGHT_MAX);
    for n in 1..=10 {
        let answer = creel.send_expecting("accepted", &quick.post("{}"));
        healthy.wait_for(n);
        assert_eq!(creel.settled(text(&answer, "delivery_id"))["status"], "dispatched");
    }
    assert_eq!(hanging.count(), IN_FLIGHT_MAX);
    gate.open();
    hanging.wait_for(12);
    until("all are settled", || (creel.total("status=queued") == 0).then_some(()));
    assert_eq!(hanging.count(), 12);
}

#[test]
fn one_target_gets_deliveries_in_the_order_of_arrival_when_one_comes_after_the_other() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    for n in 0..30 {
        let answer = creel.send_expecting("accepted", &endpoint.post(format!("{n}")));
        creel.settled(text(&answer, "delivery_id"));
    }
    let bodies: Vec<String> = target.seen().into_iter().map(|seen| String::from_utf8(seen.body).unwrap()).collect();
    assert_eq!(bodies, (0..30).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_suffix_with_dot_segments_is_stored_and_relayed_only_on_a_replay_with_force() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/base")], json!({}));
    let suffixes = ["/../admin", "/a/..", "/./a", "/%2e%2e/admin", "/%2E./x", "/.%2e", "/a/%2e"];
    let ids: Vec<String> = suffixes
        .iter()
        .map(|suffix| {
            let answer = creel.send(&endpoint.post("{}").at(suffix)).expect_json(200);
            let row = creel.settled(text(&answer, "delivery_id"));
            assert_eq!(&text(&row, "path"), suffix);
            text(&row, "id").to_owned()
        })
        .collect();
    assert_eq!(target.count(), 0, "a dot segment climbs out of the target's path");
    for (nth, (id, suffix)) in ids.iter().zip(suffixes).enumerate() {
        let path = format!("/deliveries/{id}/replay");
        creel.api("POST", &path, Some(&json!({})));
        assert_eq!(target.count(), nth, "{suffix} was relayed on a replay without force");
        let replayed = creel.api("POST", &path, Some(&json!({ "force": true }))).expect_json(201);
        creel.settled(text(&replayed, "id"));
        assert_eq!(target.seen()[nth].target, format!("/base{suffix}"));
    }
    creel.send_expecting("accepted", &endpoint.post("{}").at("/...").at("/a.b/..c"));
    assert_eq!(target.wait_for(suffixes.len() + 1).last().unwrap().target, "/base/.../a.b/..c");
}
