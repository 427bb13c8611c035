//! Every vector through the binary: `creel verify` with the request's headers, URL, clock, body and options.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::support::{Home, cli, text};

/// How many vectors the fixture holds; fewer would mean that the test tests nothing.
const VECTORS: usize = 848;
/// Commands that run at a time.
const WORKERS: usize = 4;

/// What one command said about one vector.
fn verdict(home: &Home, vector: &Value, worker: usize) -> (Option<i32>, Value) {
    let file = |name: &str, bytes: &[u8]| {
        let path = home.scratch(&format!("{name}-{worker}"));
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let body = file("body", &STANDARD.decode(text(vector, "body_base64")).unwrap());
    // A final line end of a secret's file is dropped; the second one is the mistake that some vectors are about.
    let secret = text(vector, "secret");
    let secret = file("secret", if secret.is_empty() { String::new() } else { format!("{secret}\n") }.as_bytes());
    let options = file("options", vector["extra"].to_string().as_bytes());
    let now = vector["now_unix"].to_string();
    let mut args = vec!["--json", "verify", "--provider", text(vector, "provider"), "--method", text(vector, "method")];
    args.extend(["--url", text(vector, "url"), "--now", &now, "--body-file", &body]);
    args.extend(["--secret-file", &secret, "--options-file", &options]);
    if let Some(scheme) = vector["scheme"].as_str() {
        args.extend(["--scheme", scheme]);
    }
    let headers: Vec<String> = vector["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|header| format!("{}: {}", header[0].as_str().unwrap(), header[1].as_str().unwrap()))
        .collect();
    headers.iter().for_each(|header| args.extend(["--header", header.as_str()]));
    let ended = cli(home.data(), &args);
    (ended.code, serde_json::from_str(&ended.stdout).unwrap_or_else(|_| json!({ "stderr": ended.stderr })))
}

#[test]
fn creel_verify_agrees_with_every_vector_in_status_reason_and_exit_code() {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/signatures.json")).unwrap();
    let vectors = Arc::new(fixture["vectors"].as_array().unwrap().clone());
    assert_eq!(vectors.len(), VECTORS);
    let names = &fixture["names_in_the_contract"];
    let reasons: HashMap<String, String> = serde_json::from_value(names["reason_by_cause"].clone()).unwrap();
    let by_verdict: HashMap<String, Option<String>> =
        serde_json::from_value(names["reason_by_verdict"].clone()).unwrap();
    let (reasons, by_verdict) = (Arc::new(reasons), Arc::new(by_verdict));
    let (home, next) = (Home::new(), Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (home, next, vectors) = (Arc::clone(&home), Arc::clone(&next), Arc::clone(&vectors));
            let (reasons, by_verdict) = (Arc::clone(&reasons), Arc::clone(&by_verdict));
            thread::spawn(move || {
                let mut wrong = Vec::new();
                while let Some(vector) = vectors.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (code, said) = verdict(&home, vector, worker);
                    let reason = |verdict: &Value| {
                        by_verdict[verdict.as_str().unwrap()].clone().unwrap_or_else(|| "not_signed".to_owned())
                    };
                    let by_cause = vector["cause"].as_str().and_then(|cause| reasons.get(cause)).cloned();
                    let mut right = vec![by_cause.unwrap_or_else(|| reason(&vector["expect"]))];
                    right.extend(vector["also_acceptable"].as_array().unwrap().iter().map(reason));
                    let status = match said["reason"].as_str().unwrap_or_default() {
                        "ok" => "valid",
                        "missing_header" => "missing",
                        "not_signed" => "not_required",
                        _ => "invalid",
                    };
                    let fits = right.iter().any(|right| said["reason"] == right.as_str())
                        && said["status"] == status
                        && code == Some(i32::from(status != "valid"));
                    if !fits {
                        wrong.push(format!("{}: {code:?} {said}, not {right:?}", vector["id"]));
                    }
                }
                wrong
            })
        })
        .collect();
    let wrong: Vec<String> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
