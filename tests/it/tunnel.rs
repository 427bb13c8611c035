//! The tunnel through API and command line: started by the user alone, its URL everywhere, proved, changed, stopped.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::support::creel::{BINARY, Reaped, clean_env};
use super::support::tunnel::{
    custom, fake_tunnel, kill_9, log, number_in_log, post_public, script, send_public, standing, start, state,
    until_gone, until_proved, until_state, until_status, urls_in_log,
};
use super::support::{Creel, Events, Launch, Target, list, text, until};

#[test]
fn no_tunnel_starts_by_itself_and_what_would_be_public_is_said_before() {
    let creel = Creel::start();
    let state = state(&creel);
    assert_eq!(
        (&state["status"], &state["public_url"], &state["started_at"]),
        (&json!("stopped"), &Value::Null, &Value::Null)
    );
    assert_eq!((&state["log"], &state["url_changed"]), (&json!([]), &Value::Null));
    assert!(text(&state, "exposes").contains("stay private"), "{state}");
    let offered = creel.get("/tunnel/providers");
    assert_eq!(offered["exposes"], state["exposes"]);
    let providers = list(&offered, "providers");
    assert_eq!(providers.len(), 14);
    for provider in &providers {
        assert_eq!(provider["supported"], provider["evidence"] == "observed", "{provider}");
        let can_be_had = provider["installed"] == true || provider["install"].is_string();
        assert!(can_be_had, "neither installed nor said how: {provider}");
    }
    assert_eq!(creel.api("DELETE", "/tunnel", None).status, 204, "stopping nothing is no error");
    assert_eq!(creel.api("POST", "/tunnel/probe", None).expect_error(409), "no_tunnel");
}

#[test]
fn a_delivery_that_comes_through_the_tunnel_is_stored_byte_exact_with_the_public_url_as_the_sender_saw_it() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    start(&creel, "stand", &standing());
    let state = until_proved(&creel);
    assert_eq!(state["status"], "ready");
    assert!(text(&state["last_probe"], "message").starts_with("reachable, "), "{state}");
    assert!(state["notes"].to_string().contains("plain http"), "{state}");
    let shown = creel.get(&format!("/endpoints/{}", endpoint.id));
    assert_eq!(text(&shown, "public_url"), format!("{}{}", text(&state, "public_url"), endpoint.path));
    let body: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let answer = post_public(&state, &format!("{}/a%2Fb?c=%20", endpoint.path), &body).expect_json(200);
    let id = text(&answer, "delivery_id");
    assert_eq!(creel.stored_body(id), body);
    let row = creel.delivery(id);
    assert_eq!(text(&row, "public_url"), format!("{}/a%2Fb?c=%20", text(&shown, "public_url")));
    assert_eq!(
        (&row["client_ip"], &row["client_ip_source"]),
        (&Value::Null, &json!("peer")),
        "its sender is not known"
    );
    assert!(text(&row, "remote_addr").starts_with("127.0.0.1:"));
    let tunnel = json!({ "provider": "custom", "name": "Custom command", "adds_headers": [] });
    assert_eq!(row["tunnel"], tunnel);
    let direct = creel.send(&endpoint.post("{}")).expect_json(200);
    assert_eq!(creel.delivery(text(&direct, "delivery_id"))["tunnel"], Value::Null, "it came by none");
    assert_eq!(creel.total(""), 2, "a proof of life is no delivery");
    assert_eq!(creel.refusals(), Vec::<Value>::new(), "nor a refusal");

    let pid = number_in_log(&state, "pid");
    assert_eq!(creel.api("DELETE", "/tunnel", None).status, 204);
    until_gone(pid);
    let stopped = super::support::tunnel::state(&creel);
    assert_eq!((&stopped["status"], &stopped["public_url"]), (&json!("stopped"), &Value::Null));
    assert_eq!(creel.get(&format!("/endpoints/{}", endpoint.id))["public_url"], Value::Null);
    assert_eq!(text(&creel.delivery(id), "public_url"), text(&row, "public_url"), "what was true at arrival stays");
    assert_eq!(creel.delivery(id)["tunnel"], tunnel);
}

#[test]
fn each_repeat_keeps_the_tunnel_and_the_url_that_it_came_by() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let post = || endpoint.post("{}").header("Idempotency-Key", "k");
    start(&creel, "first", &standing());
    let first = until_proved(&creel);
    let id = text(&send_public(&first, post()).expect_json(200), "delivery_id").to_owned();
    assert_eq!(creel.api("DELETE", "/tunnel", None).status, 204);
    creel.send_expecting("duplicate", &post());
    start(&creel, "second", &standing());
    let second = until_proved(&creel);
    assert_eq!(text(&send_public(&second, post()).expect_json(200), "status"), "duplicate");

    let creel = creel.stop_and_restart();
    let row = creel.delivery(&id);
    let seen_by = |state: &Value| json!(format!("{}{}", text(state, "public_url"), endpoint.path));
    let came: Vec<_> = list(&row, "arrivals")
        .iter()
        .map(|arrival| (arrival["tunnel"]["name"].clone(), arrival["public_url"].clone()))
        .collect();
    let name = json!("Custom command");
    assert_eq!(came, [(name.clone(), seen_by(&first)), (Value::Null, Value::Null), (name, seen_by(&second))]);
    assert_ne!(seen_by(&first), seen_by(&second));
    let shown = creel.cli(&["deliveries", "show", &id]);
    assert_eq!(shown.stdout.matches("Custom command").count(), 3, "the delivery and two of its arrivals: {shown:?}");
}

#[test]
fn an_endpoints_own_url_comes_before_the_given_one_and_that_before_the_tunnels() {
    let creel = Launch::new().arg("--public-url").arg("https://given.example").start();
    let plain = creel.endpoint(json!({}));
    let own = creel.endpoint(json!({ "public_url_override": "https://own.example" }));
    start(&creel, "stand", &standing());
    let state = until_proved(&creel);
    assert!(state["notes"].to_string().contains("--public-url"), "{state}");
    for (endpoint, base) in [(&plain, "https://given.example"), (&own, "https://own.example")] {
        let answer = post_public(&state, &endpoint.path, b"{}").expect_json(200);
        let row = creel.delivery(text(&answer, "delivery_id"));
        assert_eq!(text(&row, "public_url"), format!("{base}{}", endpoint.path));
    }
}

#[test]
fn with_a_tunnel_up_only_the_ingress_is_reachable_and_the_admin_port_refuses_what_was_forwarded() {
    let creel = Creel::start();
    start(&creel, "stand", &standing());
    let state = until_proved(&creel);
    for path in ["/", "/api/health", "/api/tunnel", "/.well-known/creel/guess"] {
        assert_eq!(post_public(&state, path, b"").status, 404, "{path}");
    }
    for (name, value) in
        [("X-Forwarded-For", "203.0.113.5"), ("CF-Connecting-IP", "203.0.113.5"), ("Forwarded", "for=a")]
    {
        assert_eq!(creel.call("GET", "/tunnel").header(name, value).to(creel.admin).status, 403, "{name}");
    }
    let host = text(&state, "public_url").trim_start_matches("http://").to_owned();
    assert_eq!(creel.call("GET", "/tunnel").host(&host).to(creel.admin).status, 403);
}

#[test]
fn what_cannot_be_started_is_refused_with_what_to_do() {
    let creel = Creel::start();
    let refused = |body: Value, code: &str| {
        let answer = creel.api("POST", "/tunnel", Some(&body));
        assert_eq!(answer.expect_error(422), code, "{body}: {}", answer.text());
        assert!(answer.json()["error"]["help"].is_string());
    };
    refused(json!({ "provider": "nowhere" }), "unknown_tunnel_provider");
    refused(
        json!({ "provider": "custom", "options": { "command": ["creel-no-such-program"], "public_url": "https://a.example" } }),
        "tunnel_program_missing",
    );
    refused(json!({ "provider": "custom", "options": { "command": [] } }), "missing_value");
    refused(json!({ "provider": "custom", "options": { "shell": "rm -rf" } }), "unknown_field");
    refused(json!({ "provider": "custom", "options": { "command": ["sh"], "url_pattern": "(" } }), "invalid_value");
    refused(json!({ "provider": "custom", "surprise": 1 }), "unknown_field");
    assert_eq!(state(&creel)["status"], "stopped");
    start(&creel, "stand", &standing());
    let again = creel.api("POST", "/tunnel", Some(&custom(&script(creel.home(), "other", &standing()))));
    assert_eq!(again.expect_error(409), "tunnel_running");
}

#[test]
fn a_program_that_leads_to_127_0_0_1_alone_is_refused_for_an_ingress_elsewhere() {
    let creel = Launch::new().ingress("127.0.0.2:0").start();
    let refused = creel.api("POST", "/tunnel", Some(&json!({ "provider": "tailscale" })));
    assert_eq!(refused.expect_error(422), "tunnel_loopback_only", "{}", refused.text());
    assert!(text(&refused.json()["error"], "help").contains("--ingress 127.0.0.1:"), "{}", refused.text());
    assert_eq!(state(&creel)["status"], "stopped");
}

#[test]
fn a_changed_url_is_raised_with_the_endpoints_it_concerns_until_it_is_acknowledged() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "name": "shop" }));
    creel.endpoint(json!({ "name": "own", "public_url_override": "https://own.example" }));
    let mut steps = vec![
        json!("listen"),
        json!({"out": "url http://127.0.0.1:{port}\n"}),
        json!({"wait": 1500}),
        json!({"exit": 0}),
        json!("next_start"),
    ];
    steps.extend(standing());
    start(&creel, "change", &steps);
    let state = until_state(&creel, "the URL has changed", |state| state["url_changed"].is_object());
    let first = urls_in_log(&state).remove(0);
    assert_eq!(
        (text(&state["url_changed"], "from"), text(&state["url_changed"], "to")),
        (first.as_str(), text(&state, "public_url"))
    );
    assert_eq!(state["restarts"], 1);
    let affected = list(&state, "endpoints_affected");
    assert_eq!(affected.len(), 1, "{affected:?}");
    assert_eq!(
        (text(&affected[0], "name"), text(&affected[0], "old_url")),
        ("shop", format!("{first}{}", endpoint.path).as_str())
    );
    let new_url = format!("{}{}", text(&state, "public_url"), endpoint.path);
    assert_eq!(text(&affected[0], "new_url"), new_url);

    let creel = creel.stop_and_restart();
    let kept = super::support::tunnel::state(&creel);
    assert_eq!((&kept["status"], &kept["url_changed"]["acknowledged"]), (&json!("stopped"), &json!(false)));
    assert_eq!(list(&kept, "endpoints_affected").len(), 1, "it stays until it is acknowledged");
    let done = creel.api("POST", "/tunnel/acknowledge", None).expect_json(200);
    assert_eq!((&done["url_changed"]["acknowledged"], &done["endpoints_affected"]), (&json!(true), &json!([])));
}

/// Which change of the URL an event tells of, and whether that is acknowledged.
fn change_of(told: &Value) -> Option<(&str, &str, bool)> {
    let change = told["url_changed"].as_object()?;
    Some((change["from"].as_str()?, change["to"].as_str()?, change["acknowledged"].as_bool()?))
}

#[test]
fn from_its_first_event_to_its_acknowledgement_every_event_tells_of_a_changed_url_and_none_after_it() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "name": "shop" }));
    let events = Events::open(&creel);
    start(&creel, "change", &[&standing()[..], &[json!("next_start")], &standing()].concat());
    let first = until_proved(&creel);
    kill_9(number_in_log(&first, "pid"));
    events.wait_for("tunnel", |told| change_of(told).is_some() && told["last_probe"]["ok"] == true);
    let second = state(&creel);
    // Neither a proof of life nor the tunnel's end is an acknowledgement.
    assert_eq!(creel.api("POST", "/tunnel/probe", None).status, 200);
    assert_eq!(creel.api("DELETE", "/tunnel", None).status, 204);
    events.wait_for("tunnel", |told| change_of(told).is_some() && told["status"] == "stopped");
    creel.api("POST", "/tunnel/acknowledge", None).expect_json(200);
    start(&creel, "again", &standing());
    let third = until_proved(&creel);
    events.wait_for("tunnel", |told| told["public_url"] == third["public_url"] && told["last_probe"]["ok"] == true);

    let [a, b, c] = [&first, &second, &third].map(|state| text(state, "public_url"));
    let told: Vec<Value> =
        events.seen().into_iter().filter(|event| event.name == "tunnel").map(|event| event.data).collect();
    let mut phases: Vec<_> = told.iter().map(change_of).collect();
    phases.dedup();
    assert_eq!(phases, [None, Some((a, b, false)), Some((a, b, true)), Some((b, c, false))]);
    let raised = told.iter().filter_map(|told| change_of(told).map(|change| (told, change)));
    for (told, (from, to, is_acknowledged)) in raised {
        let affected: Vec<_> = list(told, "endpoints_affected")
            .iter()
            .map(|endpoint| (text(endpoint, "old_url").to_owned(), text(endpoint, "new_url").to_owned()))
            .collect();
        let shop = (format!("{from}{}", endpoint.path), format!("{to}{}", endpoint.path));
        assert_eq!(affected, if is_acknowledged { Vec::new() } else { vec![shop] }, "{told}");
        // A URL that its program has only said is not told to providers yet.
        let stands = ["ready", "degraded"].contains(&text(told, "status"));
        assert!(!stands || told["public_url"] == to, "the bar and the URL differ: {told}");
    }
    let while_raised = told.iter().filter(|told| change_of(told) == Some((a, b, false)));
    let statuses: Vec<_> = while_raised.map(|told| text(told, "status")).collect();
    assert_eq!((statuses.first(), statuses.last()), (Some(&"ready"), Some(&"stopped")), "{statuses:?}");
}

#[test]
fn nothing_that_was_proved_of_the_run_before_is_said_of_the_next() {
    let creel = Creel::start();
    let mut steps = standing();
    steps.extend([json!("next_start"), json!({"out": "the next one\n"}), json!("hang")]);
    start(&creel, "unproved", &steps);
    let pid = number_in_log(&until_proved(&creel), "pid");
    kill_9(pid);
    let next = until_state(&creel, "it runs again", |state| log(state).iter().any(|line| line == "the next one"));
    assert_eq!((&next["status"], &next["last_probe"]), (&json!("starting"), &Value::Null));
}

#[test]
fn how_a_tunnel_stands_is_told_also_while_it_is_being_stopped() {
    let creel = Creel::start();
    let mut steps = vec![json!("ignore_term")];
    steps.extend(standing());
    start(&creel, "slow", &steps);
    until_proved(&creel);
    let told = std::thread::scope(|scope| {
        let stopping = scope.spawn(|| creel.api("DELETE", "/tunnel", None).status);
        let mut told = 0;
        while !stopping.is_finished() {
            assert_eq!(creel.api("GET", "/tunnel", None).status, 200);
            assert!([200, 409].contains(&creel.api("POST", "/tunnel/probe", None).status));
            told += 1;
        }
        assert_eq!(stopping.join().unwrap(), 204);
        told
    });
    // Its program is given three seconds. Whoever waits for the end is answered once or twice.
    assert!(told > 5, "answered {told} times");
}

#[test]
fn every_change_is_an_event_without_the_log() {
    let creel = Creel::start();
    let events = Events::open(&creel);
    start(&creel, "stand", &standing());
    events.wait_for("tunnel", |state| state["last_probe"]["ok"] == true);
    let told: Vec<Value> =
        events.seen().into_iter().filter(|event| event.name == "tunnel").map(|event| event.data).collect();
    assert!(told.iter().all(|state| state.get("log").is_none()), "{told:?}");
    let mut seen: Vec<&str> = told.iter().map(|state| text(state, "status")).collect();
    seen.dedup();
    assert_eq!(seen, ["starting", "url_known", "ready"]);
}

#[test]
fn the_command_line_starts_shows_and_stops_a_tunnel() {
    let creel = Creel::start();
    let offered = creel.cli(&["tunnel", "providers"]);
    assert!(offered.code == Some(0) && offered.stdout.contains("cloudflared"), "{offered:?}");
    let path = script(creel.home(), "stand", &standing());
    let command = json!([fake_tunnel().to_str(), path.to_str(), "{ingress}"]).to_string();
    let (command, pattern) = (format!("command={command}"), "url_pattern=url (?P<url>.+)");
    let started = creel.cli(&["tunnel", "start", "custom", "-o", &command, "-o", pattern]);
    assert_eq!(started.code, Some(0), "{started:?}");
    assert!(started.stdout.contains("http://127.0.0.1:") && started.stderr.contains("stay private"), "{started:?}");
    let status = creel.cli(&["tunnel", "status", "--json"]);
    let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
    assert_eq!(status["status"], "ready");
    let pid = number_in_log(&status, "pid");
    assert_eq!(creel.cli(&["tunnel", "stop"]).code, Some(0));
    until_gone(pid);
    let secret = creel.cli(&["tunnel", "start", "bore", "-o", "secret=hunter2"]);
    assert_eq!(secret.code, Some(2), "a secret is no argument: {secret:?}");
}

#[test]
fn listen_with_a_tunnel_prints_the_public_url_and_ends_the_tunnel_with_itself() {
    let creel = Creel::start();
    let target = Target::answering(200);
    let path = script(creel.home(), "stand", &standing());
    let command = format!("command={}", json!([fake_tunnel().to_str(), path.to_str(), "{ingress}"]));
    let mut listen = Command::new(BINARY);
    clean_env(&mut listen);
    listen
        .args(["listen", "--json", "--to", &target.url("/app"), "--tunnel", "custom"])
        .args(["--tunnel-option", &command, "--tunnel-option", "url_pattern=url (?P<url>.+)"])
        .env("CREEL_DATA_DIR", creel.home().data())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let listening = Reaped(listen.spawn().expect("start listen"));
    let state = until_proved(&creel);
    let endpoint = until("the endpoint is made", || list(&creel.get("/endpoints"), "endpoints").pop());
    post_public(&state, text(&endpoint, "ingress_path"), b"{}").expect_json(200);
    assert_eq!(target.only().target, "/app");
    let interrupt = nix::sys::signal::Signal::SIGINT;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(listening.0.id().try_into().unwrap()), interrupt).unwrap();
    until_status(&creel, "stopped");
    assert!(!log(&state).is_empty());
}
