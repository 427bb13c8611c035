//! Windows of bodies that are too large to be shown whole: lines, search, slices; and the phases of an attempt.

use serde_json::{Value, json};

use super::support::{Creel, Target, list, text};

/// A body of several megabytes whose values would not survive a parser.
fn large_body() -> String {
    let rows: Vec<String> = (0..40_000).map(|n| format!(r#"{{"n":{n},"é":1.0,"big":9007199254740993}}"#)).collect();
    format!(r#"{{"event":"large","rows":[{}],"last":"needle"}}"#, rows.join(","))
}

fn texts(lines: &Value) -> Vec<String> {
    list(lines, "lines").iter().map(|line| text(line, "text").to_owned()).collect()
}

#[test]
fn a_large_body_is_read_in_windows_of_lines_as_received_and_formatted() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let body = large_body();
    let answer = creel.send_expecting("skipped", &endpoint.post(&body));
    let path = format!("/deliveries/{}/body", text(&answer, "delivery_id"));

    let first = creel.get(&format!("{path}/lines?count=3&pretty=true"));
    assert_eq!((&first["pretty"], &first["utf8"], &first["total"]), (&json!(true), &json!(true), &json!(200_006)));
    assert_eq!(first["body_size"], body.len());
    assert_eq!(texts(&first), ["{", "  \"event\": \"large\",", "  \"rows\": ["]);
    let far = creel.get(&format!("{path}/lines?start=100003&count=5&pretty=true"));
    assert_eq!(
        texts(&far),
        ["    {", "      \"n\": 20000,", "      \"é\": 1.0,", "      \"big\": 9007199254740993", "    },"]
    );

    let raw = creel.get(&format!("{path}/lines?count=1000"));
    assert_eq!((&raw["pretty"], &raw["line_bytes_max"]), (&json!(false), &json!(512)));
    let lines = list(&raw, "lines");
    assert!(lines[1..].iter().all(|line| line["continued"] == true && line["number"] == 1));
    assert!(body.starts_with(&texts(&raw).concat()), "cut lines joined are the body");
    assert_eq!(creel.get(&format!("{path}/lines?start=9999999"))["lines"], json!([]));
    assert_eq!(creel.api("GET", &format!("{path}/lines?count=0"), None).status, 400);
    assert_eq!(creel.api("GET", &format!("{path}/lines?arrival=2"), None).status, 404);
}

#[test]
fn a_text_is_found_in_a_large_body_and_a_slice_has_its_very_bytes() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let body = large_body();
    let answer = creel.send_expecting("skipped", &endpoint.post(&body));
    let path = format!("/deliveries/{}/body", text(&answer, "delivery_id"));
    let found = creel.get(&format!("{path}/find?text=needle&pretty=true"));
    let at = body.find("needle").unwrap();
    assert_eq!((&found["offset"], &found["line"], &found["matches"]), (&json!(at), &json!(200_004), &json!(1)));
    let absent = creel.get(&format!("{path}/find?text=absent"));
    assert_eq!((&absent["offset"], &absent["matches"]), (&Value::Null, &json!(0)));
    assert_eq!(creel.api("GET", &format!("{path}/find?text="), None).status, 400);
    let slice = creel.api("GET", &format!("{path}/slice?offset={}&length=10", at - 2), None);
    assert_eq!(slice.body, &body.as_bytes()[at - 2..(at + 8).min(body.len())]);
    assert_eq!(creel.api("GET", &format!("{path}/slice?length=262145"), None).status, 400);
}

#[test]
fn an_attempt_tells_how_its_time_was_spent() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let answer = creel.send_expecting("accepted", &endpoint.post("{}"));
    let id = text(&answer, "delivery_id");
    creel.settled(id);
    let attempt = &creel.attempts(id)[0];
    let part = |name: &str| attempt["timings"][name].as_u64().unwrap_or_else(|| panic!("{name}: {attempt}"));
    assert!(part("connect_ms") <= part("first_byte_ms") && part("first_byte_ms") <= part("total_ms"), "{attempt}");
    assert_eq!(attempt["duration_ms"], part("total_ms"));
}
