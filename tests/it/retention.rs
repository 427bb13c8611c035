//! What is kept and for how long: by rows and bytes, pinned deliveries excepted.

use serde_json::json;

use super::support::{Launch, text, until};

/// The most that may be there beyond the limit (DESIGN section 3).
const OVERSHOOT: f64 = 1.1;

#[test]
fn beyond_the_row_limit_the_oldest_go_and_a_pinned_one_stays() {
    const KEEP: u64 = 50;
    let creel = Launch::new().arg("--keep-rows").arg(KEEP).start();
    let endpoint = creel.endpoint(json!({}));
    let first = creel.send_expecting("skipped", &endpoint.post("pinned"));
    let pinned = text(&first, "delivery_id");
    creel.api("POST", &format!("/deliveries/{pinned}/pin"), None).expect_json(200);
    let sent: Vec<String> = (0..4 * KEEP)
        .map(|n| text(&creel.send_expecting("skipped", &endpoint.post(format!("{n}"))), "delivery_id").to_owned())
        .collect();
    let most = (KEEP as f64 * OVERSHOOT) as u64 + 1;
    until("the oldest are gone", || (creel.total("") <= most).then_some(()));
    let rows = creel.all_deliveries();
    assert_eq!(rows.len() as u64, creel.total(""), "counts shown equal rows stored");
    assert!(rows.len() as u64 >= KEEP, "more is gone than the rule says: {} left", rows.len());
    let kept: Vec<&str> = rows.iter().map(|row| text(row, "id")).collect();
    assert!(kept.contains(&pinned), "the pinned one is gone");
    let newest: Vec<&str> = sent.iter().rev().map(String::as_str).take(kept.len() - 1).collect();
    assert_eq!(kept[..kept.len() - 1], newest, "others than the oldest are gone");
    creel.api("GET", &format!("/deliveries/{}", sent[0]), None).expect_error(404);
}

#[test]
fn beyond_the_byte_limit_the_oldest_go() {
    const KEEP_BYTES: u64 = 4 * 1024 * 1024;
    const BODY_BYTES: usize = 65_536;
    let creel = Launch::new().arg("--keep-bytes").arg(KEEP_BYTES).start();
    let endpoint = creel.endpoint(json!({}));
    for n in 0..200_usize {
        let mut body = vec![b' '; BODY_BYTES];
        body[..8].copy_from_slice(format!("{n:08}").as_bytes());
        creel.send_expecting("skipped", &endpoint.post(&body));
    }
    let bytes = || creel.all_deliveries().iter().map(|row| row["body_size"].as_u64().unwrap()).sum::<u64>();
    until("the oldest are gone", || (bytes() as f64 <= KEEP_BYTES as f64 * OVERSHOOT).then_some(()));
    let rows = creel.all_deliveries();
    assert!(!rows.is_empty(), "everything is gone");
    assert_eq!(&creel.stored_body(text(&rows[0], "id"))[..8], b"00000199", "the newest is gone");
}

#[test]
fn a_limit_that_is_lowered_takes_effect_without_a_restart() {
    let creel = Launch::new().start();
    let endpoint = creel.endpoint(json!({}));
    for n in 0..60 {
        creel.send_expecting("skipped", &endpoint.post(format!("{n}")));
    }
    creel.api("PATCH", "/settings", Some(&json!({ "keep_rows": 10 }))).expect_json(200);
    until("the oldest are gone", || (creel.total("") <= 11).then_some(()));
    assert!(creel.total("") >= 10);
    assert_eq!(creel.stored_body(text(&creel.all_deliveries()[0], "id")), b"59");
}

#[test]
fn no_limit_keeps_everything() {
    let creel = Launch::new().arg("--keep-rows").arg(0).arg("--keep-bytes").arg(0).arg("--keep-days").arg(0).start();
    let endpoint = creel.endpoint(json!({}));
    for n in 0..30 {
        creel.send_expecting("skipped", &endpoint.post(format!("{n}")));
    }
    let creel = creel.stop_and_restart();
    assert_eq!(creel.total(""), 30);
}

#[test]
fn of_the_refusals_the_newest_thousand_are_kept() {
    const KEPT: usize = 1_000;
    let creel = Launch::new().start();
    for n in 0..KEPT + 20 {
        let request = super::support::Request::post(&format!("/in/ep_guess/{n}")).body("");
        assert_eq!(creel.send(&request).status, 404);
    }
    let refusals = until("all are listed", || {
        Some(creel.refusals()).filter(|list| text(&list[0], "path").ends_with(&format!("/{}", KEPT + 19)))
    });
    assert_eq!(refusals.len(), KEPT);
    assert!(text(&refusals[KEPT - 1], "path").ends_with("/20"), "{}", refusals[KEPT - 1]);
}
