//! The command line: what each command does, prints and exits with; results on stdout, all else on stderr.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::support::creel::{BINARY, Reaped, clean_env};
use super::support::wait::exit_of;
use super::support::{Creel, Ended, Home, Target, cli, hub_signature, list, text, until};

/// Published by GitHub to test an implementation with (docs: Validating webhook deliveries).
const GITHUB_SECRET: &str = "It's a Secret to Everybody";
const GITHUB_BODY: &str = "Hello, World!";
const GITHUB_SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

#[track_caller]
fn object(ended: &Ended) -> Value {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {ended:?}"))
}

#[test]
fn help_lists_every_command_with_examples() {
    let home = Home::new();
    let help = cli(home.data(), &["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for command in ["serve", "listen", "endpoints", "deliveries", "replay", "send", "sign", "verify", "doctor"] {
        assert!(help.stdout.contains(command), "{command}: {}", help.stdout);
        let own = cli(home.data(), &[command, "--help"]);
        assert_eq!(own.code, Some(0), "{command}");
        assert!(own.stdout.contains("Example"), "{command} has no example: {}", own.stdout);
    }
    let version = cli(home.data(), &["--version"]);
    assert!(version.stdout.contains(env!("CARGO_PKG_VERSION")), "{version:?}");
}

#[test]
fn a_wrong_command_line_exits_2_with_a_hint_on_stderr() {
    let home = Home::new();
    let wrong: [&[&str]; 9] = [
        &[],
        &["nonsense"],
        &["endpoints"],
        &["endpoints", "create"],
        &["deliveries", "show"],
        &["deliveries", "show", "no-id"],
        &["replay"],
        &["listen"],
        &["verify"],
    ];
    for args in wrong {
        let ended = cli(home.data(), args);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty(), "{args:?}: {ended:?}");
    }
}

#[test]
fn what_is_not_built_yet_exits_2() {
    let home = Home::new();
    let later: [&[&str]; 2] = [&["export", "--format", "har"], &["import", "file.har"]];
    for args in later {
        let ended = cli(home.data(), args);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty(), "{args:?}: {ended:?}");
    }
}

#[test]
fn without_an_engine_a_command_that_needs_one_exits_1_and_says_how_to_start_it() {
    let home = Home::new();
    let id = "0199a000-0000-7000-8000-000000000000";
    let commands: [&[&str]; 7] = [
        &["endpoints", "list"],
        &["endpoints", "create", "x"],
        &["endpoints", "show", id],
        &["deliveries", "list"],
        &["deliveries", "show", id],
        &["deliveries", "body", id],
        &["replay", id],
    ];
    for args in commands {
        let ended = cli(home.data(), args);
        assert_eq!(ended.code, Some(1), "{args:?}: {ended:?}");
        assert!(ended.stdout.is_empty() && ended.stderr.contains("creel serve"), "{args:?}: {ended:?}");
        let as_json = cli(home.data(), &[&["--json"], args].concat());
        let error: Value = serde_json::from_str(&as_json.stderr).unwrap_or_else(|_| panic!("{args:?}: {as_json:?}"));
        assert!(error["error"]["code"].is_string() && as_json.stdout.is_empty(), "{args:?}: {as_json:?}");
        assert_eq!(as_json.code, Some(1));
    }
    assert!(!home.data().exists(), "a command that only asks made a data directory");
}

#[test]
fn a_stale_run_json_of_a_killed_engine_is_no_running_engine() {
    let mut creel = Creel::start();
    creel.kill_9();
    let ended = creel.cli(&["endpoints", "list"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("creel serve"), "{ended:?}");
}

#[test]
fn endpoints_are_made_listed_shown_and_removed() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let secret = creel.home().scratch("secret");
    fs::write(&secret, "a secret of enough bytes\n").unwrap();
    let (secret, url) = (secret.to_str().unwrap(), target.url("/hook"));
    let args = ["--json", "endpoints", "create", "shop", "--provider", "github", "--to", &url, "--secret-file", secret];
    let ended = creel.cli(&args);
    let made = object(&ended);
    assert!(ended.stderr.contains("line end"), "a dropped line end must be said: {ended:?}");
    let id = text(&made, "id");
    assert_eq!(made, creel.get(&format!("/endpoints/{id}")), "--json is the API's object");
    assert_eq!((&made["provider"], &made["signing_secret_hint"]), (&json!("github"), &json!("ytes")));
    assert_eq!(list(&made, "targets")[0]["url"], url.as_str());

    assert_eq!(object(&creel.cli(&["--json", "endpoints", "list"])), creel.get("/endpoints"));
    assert_eq!(object(&creel.cli(&["--json", "endpoints", "show", id])), made);
    let plain = creel.cli(&["endpoints", "list"]);
    assert!(plain.code == Some(0) && plain.stdout.contains("shop"), "{plain:?}");
    let shown = creel.cli(&["endpoints", "show", "shop"]);
    assert!(shown.stdout.contains(text(&made, "ingress_url")), "{shown:?}");

    let removed = creel.cli(&["endpoints", "delete", id]);
    assert_eq!(removed.code, Some(0), "{removed:?}");
    assert_eq!(list(&creel.get("/endpoints"), "endpoints").len(), 0);
    let again = creel.cli(&["--json", "endpoints", "delete", id]);
    assert_eq!(again.code, Some(1), "{again:?}");
    let error: Value = serde_json::from_str(&again.stderr).unwrap();
    assert!(text(&error["error"], "code").ends_with("not_found"), "{error}");
}

#[test]
fn the_apis_refusal_is_the_commands_error() {
    let creel = Creel::start();
    let ended = creel.cli(&["--json", "endpoints", "create", "x", "--to", "http://203.0.113.1/"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let error: Value = serde_json::from_str(&ended.stderr).unwrap();
    for field in ["code", "message", "help"] {
        assert!(error["error"][field].is_string(), "{field}: {error}");
    }
    let plain = creel.cli(&["endpoints", "create", "x", "--to", "http://203.0.113.1/"]);
    assert!(plain.stderr.contains(text(&error["error"], "message")), "{plain:?}");
    assert!(plain.stderr.contains(text(&error["error"], "help")), "no hint: {plain:?}");
}

#[test]
fn deliveries_are_listed_shown_and_their_bytes_given() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "name": "shop" }));
    let answer = creel.send_expecting("skipped", &endpoint.post(r#"{"event":"order.paid"}"#));
    creel.send_expecting("skipped", &endpoint.post("{}"));
    let id = text(&answer, "delivery_id");
    assert_eq!(object(&creel.cli(&["--json", "deliveries", "list"])), creel.get("/deliveries"));
    let filtered = object(&creel.cli(&["--json", "deliveries", "list", "--event", "order.paid"]));
    assert_eq!((list(&filtered, "deliveries").len(), &filtered["total"]), (1, &json!(1)));
    assert_eq!(object(&creel.cli(&["--json", "deliveries", "show", id])), creel.delivery(id));
    let plain = creel.cli(&["deliveries", "list"]);
    assert!(plain.stdout.contains("order.paid"), "{plain:?}");
    let shown = creel.cli(&["deliveries", "show", id]);
    assert!(shown.stdout.contains("order.paid") && shown.stdout.contains("dispatched"), "{shown:?}");
    let body = creel.cli(&["deliveries", "body", id]);
    assert_eq!((body.code, body.stdout.as_str()), (Some(0), r#"{"event":"order.paid"}"#));
    let unknown = creel.cli(&["deliveries", "body", "0199a000-0000-7000-8000-000000000000"]);
    assert!(unknown.code == Some(1) && unknown.stdout.is_empty(), "{unknown:?}");
}

#[test]
fn a_body_goes_to_stdout_byte_for_byte() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let body: Vec<u8> = (0..=255).collect();
    let answer = creel.send_expecting("skipped", &endpoint.post(&body));
    let mut command = Command::new(BINARY);
    clean_env(&mut command);
    command.args(["deliveries", "body", text(&answer, "delivery_id")]).env("CREEL_DATA_DIR", creel.home().data());
    assert_eq!(command.output().unwrap().stdout, body);
}

#[test]
fn escape_sequences_of_a_sender_reach_no_terminal() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let hostile = "{\"event\":\"\\u001b[31mred\\u0007\\u202etxt.exe\\u009b2J\"}";
    let answer = creel.send_expecting("skipped", &endpoint.post(hostile).header_bytes("X-Esc", b"a\xc2\x9b2Jb"));
    for args in [&["deliveries", "list"][..], &["deliveries", "show", text(&answer, "delivery_id")]] {
        let ended = creel.cli(args);
        let bad =
            ended.stdout.chars().find(|&c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c));
        assert_eq!(bad, None, "{args:?}: {:?}", ended.stdout);
    }
}

#[test]
fn replay_runs_deliveries_again() {
    let creel = Creel::start();
    let (usual, other) = (Target::answering(200), Target::answering(200));
    let endpoint = creel.relaying(&[&usual.url("/")], json!({}));
    creel.set_secret(&endpoint, "a secret of enough bytes");
    let signature = hub_signature("a secret of enough bytes", b"{}");
    let ids: Vec<String> = (0..2)
        .map(|_| {
            let answer =
                creel.send_expecting("accepted", &endpoint.post("{}").header("X-Hub-Signature-256", &signature));
            creel.settled(text(&answer, "delivery_id"));
            text(&answer, "delivery_id").to_owned()
        })
        .collect();
    let replayed = object(&creel.cli(&["--json", "replay", &ids[0]]));
    assert_eq!(replayed["replayed_from_delivery_id"], ids[0].as_str());
    usual.wait_for(3);
    let ended = creel.cli(&["replay", &ids[0], &ids[1], "--to", &other.url("/debug"), "--resign"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let seen = other.wait_for(2);
    assert!(seen.iter().all(|seen| seen.header("x-hub-signature-256") == Some(signature.as_str())));
    let unknown = creel.cli(&["replay", "0199a000-0000-7000-8000-000000000000"]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
}

/// Runs `sign` or `verify` with the published example.
fn offline(home: &Home, command: &str, provider: &str, body: &str, header: Option<&str>) -> Ended {
    let (secret, body_file) = (home.scratch("secret"), home.scratch("body"));
    fs::write(&secret, GITHUB_SECRET).unwrap();
    fs::write(&body_file, body).unwrap();
    let mut args = vec![command, "--provider", provider];
    args.extend(["--secret-file", secret.to_str().unwrap(), "--body-file", body_file.to_str().unwrap()]);
    if let Some(header) = header {
        args.extend(["--header", header]);
    }
    cli(home.data(), &args)
}

#[test]
fn sign_makes_the_signature_that_the_provider_would() {
    let home = Home::new();
    for provider in ["github", "generic"] {
        let signed = offline(&home, "sign", provider, GITHUB_BODY, None);
        assert_eq!(signed.code, Some(0), "{signed:?}");
        assert!(signed.stdout.contains(GITHUB_SIGNATURE), "{signed:?}");
        assert!(signed.stdout.to_lowercase().contains("x-hub-signature-256"), "{signed:?}");
    }
    assert_eq!(offline(&home, "sign", "nonsense", GITHUB_BODY, None).code, Some(2));
    assert!(!home.data().exists(), "signing is offline");
}

#[test]
fn verify_exits_0_for_a_signature_that_holds_1_for_one_that_does_not_and_2_for_an_unknown_provider() {
    let home = Home::new();
    let header = format!("X-Hub-Signature-256: {GITHUB_SIGNATURE}");
    for provider in ["github", "generic"] {
        let cases = [
            (GITHUB_BODY, Some(header.as_str()), 0),
            ("Hello, World?", Some(header.as_str()), 1),
            (GITHUB_BODY, Some("X-Hub-Signature-256: sha256=00"), 1),
            (GITHUB_BODY, None, 1),
        ];
        for (body, header, code) in cases {
            let ended = offline(&home, "verify", provider, body, header);
            assert_eq!(ended.code, Some(code), "{provider} {body} {header:?}: {ended:?}");
        }
    }
    assert_eq!(offline(&home, "verify", "nonsense", GITHUB_BODY, Some(&header)).code, Some(2));
    let (secret, body) = (home.scratch("secret"), home.scratch("body"));
    fs::write(&body, GITHUB_BODY).unwrap();
    let args = ["--json", "verify", "--provider", "github", "--secret-file", secret.to_str().unwrap(), "--header"];
    let more = [header.as_str(), "--body-file", body.to_str().unwrap()];
    let verdict = object(&cli(home.data(), &[&args[..], &more].concat()));
    assert_eq!((&verdict["status"], &verdict["reason"]), (&json!("valid"), &json!("ok")));
    for field in ["scheme", "header", "expected", "received", "findings"] {
        assert!(verdict.get(field).is_some(), "{field}: {verdict}");
    }
}

#[test]
fn a_scheme_of_the_users_own_comes_from_the_options_file() {
    let home = Home::new();
    let (secret, body, options) = (home.scratch("secret"), home.scratch("body"), home.scratch("options.json"));
    fs::write(&secret, "whsec_c2l4dGVlbiBieXRlcyBvciBtb3Jl").unwrap();
    fs::write(&body, "{\"a\": 1}\r\n").unwrap();
    let run = |command: &str, custom: &Value, more: &[&str]| {
        fs::write(&options, json!({ "custom": custom }).to_string()).unwrap();
        let mut args = vec![command, "--provider", "generic", "--secret-file", secret.to_str().unwrap()];
        args.extend(["--body-file", body.to_str().unwrap(), "--options-file", options.to_str().unwrap()]);
        args.extend(["--header", "X-Time: 1767225600"]);
        args.extend(more);
        cli(home.data(), &args)
    };
    let custom = json!({ "header": "X-Our-Signature", "algorithm": "hmac-sha512", "encoding": "base64", "prefix": "v0=",
        "template": "v0:{header:X-Time}:{body}", "secret": "whsec" });
    let signed = run("sign", &custom, &[]);
    assert_eq!(signed.code, Some(0), "{signed:?}");
    let header = signed.stdout.lines().find(|line| line.starts_with("X-Our-Signature: v0=")).unwrap().to_owned();
    let valid = run("verify", &custom, &["--header", &header]);
    assert_eq!(valid.code, Some(0), "{valid:?}");
    assert!(valid.stdout.contains("v0:1767225600:{\"a\": 1}␍␊"), "{valid:?}");
    let mut other = custom.clone();
    other["template"] = json!("v1:{header:X-Time}:{body}");
    let invalid = run("verify", &other, &["--header", &header]);
    assert_eq!(invalid.code, Some(1), "{invalid:?}");
    assert!(invalid.stdout.contains("^ first difference"), "{invalid:?}");
    other["template"] = json!("{bdoy}");
    let refused = run("verify", &other, &["--header", &header]);
    assert!(refused.code != Some(0) && refused.stderr.contains("{bdoy}"), "{refused:?}");
}

#[test]
fn doctor_tells_how_things_stand_with_and_without_an_engine() {
    let home = Home::new();
    let without = cli(home.data(), &["doctor"]);
    assert!(without.code.is_some() && !without.stdout.is_empty(), "{without:?}");
    let creel = Creel::start();
    let with = creel.cli(&["doctor"]);
    assert_eq!(with.code, Some(0), "{with:?}");
    assert!(with.stdout.contains(&creel.ingress.to_string()), "{with:?}");
    assert!(!with.stdout.contains(&creel.token), "doctor gives the token away");
    assert!(object(&creel.cli(&["--json", "doctor"])).is_object());
}

/// A command that streams: its lines as they come.
fn streaming(data: &std::path::Path, args: &[&str]) -> (Reaped, std::sync::mpsc::Receiver<String>) {
    let mut command = Command::new(BINARY);
    clean_env(&mut command);
    command.args(args).env("CREEL_DATA_DIR", data).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = Reaped(command.spawn().unwrap());
    let out = BufReader::new(child.0.stdout.take().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    (child, receiver)
}

#[test]
fn listen_makes_an_endpoint_on_the_running_engine_and_shows_what_comes_until_ctrl_c() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let (mut child, lines) =
        streaming(creel.home().data(), &["--json", "listen", "--to", &target.url("/app"), "--name", "ear"]);
    let made = until("the endpoint is there", || {
        list(&creel.get("/endpoints"), "endpoints").into_iter().find(|endpoint| endpoint["name"] == "ear")
    });
    let endpoint = super::support::Endpoint::of(&made);
    let first = lines.recv_timeout(super::support::wait::BOUND).expect("a line");
    assert!(first.contains(&endpoint.token), "the URL comes first: {first}");
    creel.send_expecting("accepted", &endpoint.post(r#"{"event":"heard"}"#));
    assert_eq!(target.only().target, "/app");
    let line = until("the delivery is shown", || lines.try_recv().ok().filter(|line| line.contains("heard")));
    let shown: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("no JSON line ({error}): {line}"));
    assert!(shown.is_object());
    kill(Pid::from_raw(child.0.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(exit_of(&mut child.0).code(), Some(0));
    creel.get("/health");
}

#[test]
fn listen_refuses_a_target_outside_this_machine() {
    let creel = Creel::start();
    let ended = creel.cli(&["listen", "--to", "http://203.0.113.1/"]);
    assert!([Some(1), Some(2)].contains(&ended.code), "{ended:?}");
    assert_eq!(list(&creel.get("/endpoints"), "endpoints").len(), 0);
}

#[test]
fn serve_announces_where_it_serves_on_stdout() {
    let creel = Creel::start();
    let said = until("it has said so", || {
        Some(fs::read_to_string(creel.home().scratch("stdout")).unwrap()).filter(|text| !text.is_empty())
    });
    assert!(said.contains(&creel.ingress.to_string()), "{said}");
    assert!(said.contains(&format!("{}/#token=", creel.admin)), "the UI's URL with its token: {said}");
}
