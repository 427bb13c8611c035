//! A secret stays in its store: canaries that are set, used and mistyped turn up nowhere else.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;

use super::support::creel::BINARY;
use super::support::sign::fingerprint;
use super::support::{Creel, Events, Launch, Target, hub_signature, text};

const FIRST: &str = "canary-one-8d2f6b1c-long-enough";
const SECOND: &str = "canary-two-5e9a7c3d-long-enough";
const MISTYPED: &str = "canary-bad-1f4e8a2b-long-enough";
const TRIED: &str = "canary-try-3b5d7f9e-long-enough";
const FROM_FILE: &str = "canary-file-6c7d8e9f-long-enough";
const FROM_ENV: &str = "canary-env-0a1b2c3d-long-enough";
const OPTION: &str = "canary-opt-3b7d9f1a-long-enough";
const API_KEY: &str = "canary-api-4c8e0a2b-long-enough";
const TOKEN: &str = "canary-tok-9d1f3b5c-long-enough";
const TEMPLATE: &str = "canary-tpl-5a7c9e1d-long-enough";
const CANARIES: [&str; 10] = [FIRST, SECOND, MISTYPED, TRIED, FROM_FILE, FROM_ENV, OPTION, API_KEY, TOKEN, TEMPLATE];

fn without_canary(where_it_is: &str, text: &str) {
    for canary in CANARIES {
        // Not the whole of it: a part would give it away as well.
        let core = &canary[7..20];
        assert!(!text.contains(core), "a secret is in {where_it_is}: …{core}…");
    }
}

fn command_line(pid: u32) -> String {
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    String::from_utf8_lossy(&[read("cmdline"), read("environ")].concat()).into_owned()
}

fn contains(path: &Path, needle: &str) -> bool {
    let bytes = fs::read(path).unwrap_or_default();
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Tries a secret, well and badly, by all that a trial takes.
fn tried(creel: &Creel, delivery: &str) -> Vec<String> {
    let path = format!("/deliveries/{delivery}/signature");
    let options = json!({ "secondary_secret": TRIED, "public_url": "https://a.example/" });
    let trials = [
        (json!({ "secret": TRIED }), 200),
        (json!({ "secret": format!(" {TRIED}\n"), "provider": "stripe" }), 200),
        (json!({ "secret": TRIED, "provider": "telegram" }), 200),
        (json!({ "secret": TRIED, "provider": "box", "provider_options": options }), 200),
        (json!({ "secret": [TRIED] }), 422),
        (json!({ "secret": { "text": TRIED } }), 422),
        (json!({ "secret": TRIED.repeat(200) }), 422),
        (json!({ "secret": TRIED, "scheme": "nonsense" }), 422),
        (json!({ "secret": TRIED, "provider_options": { "secondary_secret": { "text": TRIED } } }), 422),
    ];
    let mut answers = Vec::new();
    for (trial, status) in trials {
        let answer = creel.api("POST", &path, Some(&trial));
        assert_eq!(answer.status, status, "{}", answer.text());
        answers.push(answer.text());
    }
    answers
}

/// Sets, uses and mistypes secrets and looks everywhere. Also run against an engine that logs them.
pub fn a_secret_shows_up_nowhere(launch: Launch) {
    let creel = launch.env("CREEL_LOG", "trace").start();
    let events = Events::open(&creel);
    let target = Target::answering(200);
    let endpoint = creel.relaying(&[&target.url("/")], json!({ "name": "with canaries" }));
    let mut answers = vec![creel.set_secret(&endpoint, FIRST).to_string()];
    let secrets = format!("/endpoints/{}/signing-secrets", endpoint.id);
    let second = creel.api("POST", &secrets, Some(&json!({ "signing_secret": SECOND })));
    answers.push(second.text());
    let path = format!("/endpoints/{}/signing-secret", endpoint.id);
    for wrong in [
        json!({ "signing_secret": { MISTYPED: MISTYPED } }),
        json!({ "signing_secret": [MISTYPED] }),
        json!({ "signing_secret": MISTYPED, "more": MISTYPED }),
        json!({ MISTYPED: 1 }),
    ] {
        let refused = creel.api("PUT", &path, Some(&wrong));
        assert_eq!(refused.status, 422);
        // The name of an unknown field is no secret; a value is.
        if wrong.get(MISTYPED).is_none() {
            answers.push(refused.text());
        }
    }
    answers.push(creel.call("PUT", &path).body(format!("{{\"signing_secret\":\"{MISTYPED}")).to(creel.admin).text());
    for secret in [FIRST, SECOND] {
        let signed = endpoint.post("{}").header("X-Hub-Signature-256", &hub_signature(secret, b"{}"));
        let answer = creel.send_expecting("accepted", &signed);
        let id = text(&answer, "delivery_id");
        creel.settled(id);
        answers.push(creel.api("GET", &format!("/deliveries/{id}/signature"), None).text());
        let resigned = creel.api("POST", &format!("/deliveries/{id}/replay"), Some(&json!({ "resign": true })));
        creel.settled(text(&resigned.expect_json(201), "id"));
        answers.push(creel.delivery(id).to_string());
    }
    let forged = creel.send(&endpoint.post("{}").header("X-Hub-Signature-256", "sha256=00")).expect_json(401);
    answers.push(creel.api("GET", &format!("/deliveries/{}/signature", text(&forged, "delivery_id")), None).text());
    answers.extend(tried(&creel, text(&forged, "delivery_id")));
    for path in ["/endpoints", "/deliveries", "/settings", "/stats", "/refusals", "/openapi.json", "/providers"] {
        answers.push(creel.get(path).to_string());
    }
    for answer in &answers {
        without_canary("an answer of the API", answer);
    }
    events.wait_for("endpoint", |shown| shown["signing_secrets"].as_array().is_some_and(|secrets| secrets.len() == 2));
    for event in events.seen() {
        without_canary("an event", &event.data.to_string());
    }
    for seen in target.seen() {
        without_canary("a relayed request", &String::from_utf8_lossy(&seen.head));
    }
    without_canary("run.json", &fs::read_to_string(creel.home().run_json()).unwrap());
    without_canary("the command line or environment", &command_line(creel.pid()));
    without_canary("the log", &creel.home().streams());
    assert!(!creel.home().streams().contains(&endpoint.token), "the log gives an endpoint's token away");
    assert!(!creel.home().streams().is_empty(), "a log that says nothing proves nothing");
    let data = creel.home().data().to_owned();
    let kept = ["creel.db", "creel.db-wal"].iter().any(|name| contains(&data.join(name), TRIED));
    assert!(!kept, "a secret that was only tried is in the database");
    let stored = ["creel.db", "creel.db-wal"].iter().any(|name| contains(&data.join(name), FIRST));
    assert!(stored, "the search would not find a secret where it does stand");
}

#[test]
fn a_secret_is_in_no_answer_event_log_file_or_command_line() {
    a_secret_shows_up_nowhere(Launch::new());
}

/// What the engine says outside the answers about a request itself.
fn without_canary_around(creel: &Creel, events: &Events) {
    for event in events.seen() {
        without_canary("an event", &event.data.to_string());
    }
    without_canary("run.json", &fs::read_to_string(creel.home().run_json()).unwrap());
    without_canary("the command line or environment", &command_line(creel.pid()));
    without_canary("the log", &creel.home().streams());
    assert!(!creel.home().streams().is_empty(), "a log that says nothing proves nothing");
}

#[test]
fn a_secret_option_of_a_provider_is_nowhere_either_also_when_it_is_mistyped_or_signs() {
    let creel = Launch::new().env("CREEL_LOG", "trace").start();
    let events = Events::open(&creel);
    let target = Target::answering(200);
    let options = json!({ "secondary_secret": OPTION });
    let endpoint = creel.relaying(&[&target.url("/")], json!({ "provider": "box", "provider_options": options }));
    let mut answers = vec![creel.get(&format!("/endpoints/{}", endpoint.id)).to_string()];
    answers.push(creel.set_secret(&endpoint, FIRST).to_string());
    let path = format!("/endpoints/{}", endpoint.id);
    let wrong = |status: u16, fields: serde_json::Value| {
        let refused = creel.api("PATCH", &path, Some(&fields));
        assert_eq!(refused.status, status, "{fields}");
        refused.text()
    };
    answers.push(wrong(422, json!({ "provider_options": { "secondary_secret": [MISTYPED] } })));
    answers.push(wrong(422, json!({ "provider_options": { "api_key": API_KEY } })));
    answers.push(wrong(422, json!({ "provider_options": { "secondary_secrt": MISTYPED } })));
    answers.push(wrong(422, json!({ "provider_options": MISTYPED })));
    answers.push(wrong(200, json!({ "provider_options": { "secondary_secret": null } })));
    answers.push(wrong(422, json!({ "provider": "pusher", "provider_options": { "api_key": { "a": API_KEY } } })));
    let pusher = creel.endpoint(json!({ "provider": "pusher", "provider_options": { "api_key": API_KEY } }));
    answers.push(creel.set_secret(&pusher, SECOND).to_string());
    // Signed with the second key in the place of the first, as people mix them up: the explanation tries both.
    let files = [("options", json!({}).to_string()), ("secret", OPTION.to_owned()), ("body", "{}".to_owned())].map(
        |(name, text)| {
            let path = creel.home().scratch(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        },
    );
    let [options, secret, body] = &files;
    let sign = ["--json", "sign", "--provider", "box", "--secret-file", secret, "--body-file", body];
    let signed = creel.cli(&sign);
    assert_eq!(signed.code, Some(0), "{signed:?}");
    let headers: serde_json::Value = serde_json::from_str(&signed.stdout).unwrap();
    let mut swapped = endpoint.post("{}");
    for header in headers["headers"].as_array().unwrap() {
        swapped = swapped.header(header[0].as_str().unwrap(), header[1].as_str().unwrap());
    }
    let refused = creel.send(&swapped).expect_json(401);
    let id = text(&refused, "delivery_id");
    let explained = creel.get(&format!("/deliveries/{id}/signature"));
    assert_eq!(explained["findings"][0]["code"], "keys_swapped", "the second key was not tried: {explained}");
    answers.push(explained.to_string());
    answers.push(refused.to_string());
    answers.push(creel.delivery(id).to_string());
    answers.push(
        creel.api("POST", &format!("/deliveries/{id}/replay"), Some(&json!({ "resign": true, "force": true }))).text(),
    );
    fs::write(options, json!({ "secondary_secret": OPTION, "api_key": API_KEY }).to_string()).unwrap();
    let verify =
        ["verify", "--provider", "box", "--secret-file", secret, "--body-file", body, "--options-file", options];
    let ended = creel.cli(&verify);
    answers.push(ended.stdout + &ended.stderr);
    for path in ["/endpoints", "/deliveries", "/settings", "/stats", "/refusals"] {
        answers.push(creel.get(path).to_string());
    }
    for answer in &answers {
        without_canary("an answer", answer);
    }
    for seen in target.seen() {
        without_canary("a relayed request", &String::from_utf8_lossy(&seen.head));
    }
    events.wait_for("endpoint", |shown| shown["id"] == pusher.id.as_str());
    without_canary_around(&creel, &events);
}

#[test]
fn a_token_that_a_sender_sends_stands_in_its_own_request_alone() {
    let creel = Launch::new().env("CREEL_LOG", "trace").start();
    let events = Events::open(&creel);
    let endpoint = creel.endpoint(json!({ "provider": "gitlab", "scheme": "gitlab-secret-token" }));
    creel.set_secret(&endpoint, TOKEN);
    let sent = creel.send(&endpoint.post("{}").header("X-Gitlab-Token", TOKEN)).expect_json(200);
    let id = text(&sent, "delivery_id");
    events.wait_for("delivery", |row| row["id"] == id);
    assert_eq!(creel.delivery(id)["signature_status"], "valid");
    for path in ["/endpoints", "/deliveries", "/stats", "/refusals"] {
        without_canary("an answer that is not about the request", &creel.get(path).to_string());
    }
    without_canary_around(&creel, &events);
}

#[test]
fn a_secret_that_a_scheme_of_ones_own_signs_along_is_hidden_in_every_explanation() {
    let creel = Launch::new().env("CREEL_LOG", "trace").start();
    let events = Events::open(&creel);
    let custom = json!({ "header": "X-Sum", "algorithm": "sha256", "template": "{secret}.{body}.{secret}" });
    let options = json!({ "custom": custom });
    let endpoint = creel.endpoint(json!({ "provider_options": options }));
    let mut answers = vec![creel.set_secret(&endpoint, TEMPLATE).to_string()];
    let sum = |secret: &str| fingerprint(format!("{secret}.{{}}.{secret}").as_bytes());
    let sent = creel.send(&endpoint.post("{}").header("X-Sum", &sum(TEMPLATE))).expect_json(200);
    let refused = creel.send(&endpoint.post("{}").header("X-Sum", &sum("another"))).expect_json(401);
    for delivery in [&sent, &refused] {
        let path = format!("/deliveries/{}/signature", text(delivery, "delivery_id"));
        let explained = creel.get(&path);
        let shown = text(&explained, "signed_content_preview");
        assert!(shown.contains(".{}."), "the rest of the signed text is shown: {shown}");
        answers.push(explained.to_string());
        answers.push(creel.api("POST", &path, Some(&json!({ "secret": format!(" {TEMPLATE}") }))).text());
        answers.push(creel.api("POST", &path, Some(&json!({ "provider_options": options }))).text());
        answers.push(creel.delivery(text(delivery, "delivery_id")).to_string());
    }
    let files = [("options", options.to_string()), ("secret", TEMPLATE.to_owned()), ("body", "{}".to_owned())];
    let [options, secret, body] = files.map(|(name, text)| {
        let path = creel.home().scratch(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let sum = format!("X-Sum: {}", sum("another"));
    let common = ["--provider", "generic", "--secret-file", &secret, "--body-file", &body, "--options-file", &options];
    for verb in [vec!["verify", "-H", &sum], vec!["--json", "verify", "-H", &sum], vec!["sign"]] {
        let ended = creel.cli(&[verb, common.to_vec()].concat());
        assert!(ended.stdout.len() > 1, "{ended:?}");
        answers.push(ended.stdout + &ended.stderr);
    }
    for answer in &answers {
        without_canary("an answer", answer);
    }
    events.wait_for("delivery", |row| row["id"] == refused["delivery_id"]);
    without_canary_around(&creel, &events);
}

#[test]
fn the_command_line_takes_secrets_from_files_environment_and_stdin_and_shows_none() {
    let creel = Creel::start();
    let file = creel.home().scratch("secret.txt");
    fs::write(&file, format!("{FROM_FILE}\n")).unwrap();
    let file = file.to_str().unwrap();
    let body = creel.home().scratch("body");
    fs::write(&body, "{}").unwrap();
    let body = body.to_str().unwrap();
    let mut all = Vec::new();
    for args in [
        vec!["endpoints", "create", "from-file", "--secret-file", file],
        vec!["--json", "endpoints", "create", "from-file-json", "--secret-file", file],
        vec!["endpoints", "show", "from-file"],
        vec!["--json", "endpoints", "list"],
        vec!["sign", "--provider", "generic", "--secret-file", file, "--body-file", body],
        vec!["verify", "--provider", "generic", "--secret-file", file, "--body-file", body],
        vec!["doctor"],
    ] {
        let ended = creel.cli(&args);
        assert!([Some(0), Some(1)].contains(&ended.code), "{args:?}: {ended:?}");
        all.push(ended.stdout + &ended.stderr);
    }
    let mut command = std::process::Command::new(BINARY);
    super::support::creel::clean_env(&mut command);
    command.args(["sign", "--provider", "generic", "--body-file", body]).stdin(Stdio::null());
    command.env("CREEL_SIGNING_SECRET", FROM_ENV);
    let from_env = super::support::creel::ended(command);
    assert!(from_env.stdout.contains(&hub_signature(FROM_ENV, b"{}")), "{from_env:?}");
    all.push(from_env.stdout + &from_env.stderr);
    for output in &all {
        without_canary("the output of a command", output);
    }
    let as_argument = creel.cli(&["endpoints", "create", "x", "--secret", FIRST]);
    assert_eq!(as_argument.code, Some(2), "a secret as an argument is in everybody's process list");
}
