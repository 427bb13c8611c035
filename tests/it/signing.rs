//! Signing as providers do: `creel send` and `creel sign`, inside bodies, with key pairs; test events and replays.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::support::{Answer, Creel, Ended, Home, Target, cli, closed_port, hub_signature, list, text};

const SECRET: &str = "a secret of enough bytes";
const BODY: &str =
    "{\"signature\": {\"token\": \"t0ken\"},\n  \"event-data\": {\"event\": \"opened\", \"id\": \"x1\", \"n\": 1.50}}";

struct Cli {
    home: std::sync::Arc<Home>,
    secret: String,
}

impl Cli {
    fn new() -> Self {
        let home = Home::new();
        let secret = home.scratch("secret");
        fs::write(&secret, SECRET).unwrap();
        Self { secret: secret.to_str().unwrap().to_owned(), home }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.home.scratch(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.home.scratch(name).to_str().unwrap().to_owned()
    }

    fn run(&self, args: &[&str]) -> Ended {
        cli(self.home.data(), args)
    }

    #[track_caller]
    fn object(&self, args: &[&str], code: i32) -> Value {
        let ended = self.run(&[&["--json"], args].concat());
        assert_eq!(ended.code, Some(code), "{ended:?}");
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {ended:?}"))
    }

    #[track_caller]
    fn refused(&self, args: &[&str], code: i32) -> Value {
        let ended = self.run(&[&["--json"], args].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{ended:?}");
        let line = ended.stderr.lines().last().unwrap_or_default();
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("no JSON ({error}): {ended:?}"))["error"]
            .clone()
    }
}

#[test]
fn send_posts_a_signed_sample_without_an_engine_and_says_what_was_answered() {
    let cli = Cli::new();
    let app = Target::with(|_| Answer::new(201).body("thanks"));
    let to = app.url("/hooks?a=1");
    let send = ["send", "--provider", "github", "--event", "github.push", "--secret-file", &cli.secret, "--to", &to];
    let ended = cli.run(&send);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("Answered 201") && ended.stdout.contains("thanks"), "{ended:?}");
    assert!(!ended.stdout.contains(SECRET) && !ended.stderr.contains(SECRET), "{ended:?}");
    let seen = app.only();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/hooks?a=1"));
    assert_eq!(seen.header("x-github-event"), Some("push"));
    assert_eq!(seen.header("x-hub-signature-256"), Some(hub_signature(SECRET, &seen.body).as_str()));
    assert!(seen.header("x-creel-delivery").is_none(), "no delivery stands behind it");
    assert!(serde_json::from_slice::<Value>(&seen.body).unwrap()["ref"].is_string());
    assert!(!cli.home.data().exists(), "sending is offline");

    let object = cli.object(&send, 0);
    assert_eq!((&object["event"], &object["scheme"]), (&json!("github.push"), &json!("hub-signature-256")));
    assert_eq!((&object["response"]["status"], &object["signed"]), (&json!(201), &json!(true)));
    let body = STANDARD.decode(text(&object["request"], "body_base64")).unwrap();
    assert_eq!(app.wait_for(2)[1].body, body);
    assert_eq!(object["throwaway_secret"], Value::Null);
}

#[test]
fn send_posts_to_the_very_url_that_it_signs() {
    let cli = Cli::new();
    let app = Target::answering(200);
    let (bare, slash) = (app.url(""), app.url("/hooks/?a="));
    for (to, target) in [(&bare, "/"), (&slash, "/hooks/?a=")] {
        let url = format!("{bare}{target}");
        let send = ["send", "--provider", "twilio", "--secret-file", &cli.secret, "--to", to];
        assert_eq!(cli.object(&send, 0)["request"]["url"], json!(url));
        let seen = app.wait_for(app.count()).pop().unwrap();
        assert_eq!(seen.target, target);
        let body = cli.file("body", &seen.body);
        let signature = format!("X-Twilio-Signature: {}", seen.header("x-twilio-signature").unwrap());
        let kind = format!("Content-Type: {}", seen.header("content-type").unwrap());
        let mut verify = vec!["verify", "--provider", "twilio", "--secret-file", &cli.secret, "--url", &url];
        verify.extend(["--body-file", &body, "--header", &signature, "--header", &kind]);
        assert_eq!(cli.run(&verify).code, Some(0), "{url}");
    }
}

#[test]
fn send_exits_1_when_the_answer_is_no_2xx_or_none_comes() {
    let cli = Cli::new();
    for status in [301, 404, 500] {
        let app = Target::answering(status);
        let object = cli.object(&["send", "--provider", "generic", "--unsigned", "--to", &app.url("/")], 1);
        assert_eq!((&object["response"]["status"], &object["signed"]), (&json!(status), &json!(false)));
        assert_eq!(app.count(), 1);
    }
    let gone = format!("http://{}/", closed_port());
    let object = cli.object(&["send", "--provider", "generic", "--unsigned", "--to", &gone], 1);
    assert_eq!((&object["response"], &object["outcome"]), (&Value::Null, &json!("connect_failed")));
    assert!(text(&object, "reason").contains("nothing answers"), "{object}");
}

#[test]
fn send_without_a_secret_or_to_another_machine_is_refused_with_a_hint_and_sends_nothing() {
    let cli = Cli::new();
    let app = Target::answering(200);
    let to = app.url("/");
    let error = cli.refused(&["send", "--provider", "stripe", "--to", &to], 2);
    assert_eq!(error["code"], "no_secret");
    assert!(text(&error, "help").contains("--secret-file") && text(&error, "help").contains("--throwaway"), "{error}");
    let error = cli.refused(&["send", "--provider", "stripe", "--event", "none.such", "--unsigned", "--to", &to], 2);
    assert_eq!(error["code"], "unknown_sample");
    assert!(text(&error, "help").contains("invoice.paid"), "it names what there is: {error}");
    for url in ["http://192.0.2.1:9/", "http://169.254.169.254/latest"] {
        let error = cli.refused(&["send", "--provider", "generic", "--unsigned", "--to", url], 1);
        assert_eq!((&error["code"], &error["field"]), (&json!("target_not_loopback"), &json!("to")));
    }
    assert_eq!(cli.run(&["send", "--provider", "nobody", "--unsigned", "--to", &to]).code, Some(2));
    assert_eq!(app.count(), 0);
    let events = cli.object(&["send", "--provider", "stripe", "--list"], 0);
    assert!(list(&events, "sample_events").contains(&json!("invoice.paid")), "{events}");
}

#[test]
fn send_takes_headers_and_a_body_in_place_of_the_samples() {
    let cli = Cli::new();
    let app = Target::answering(200);
    let body = cli.file("body", "{\"mine\":true}");
    let to = app.url("/");
    let ended = cli.run(&[
        "send",
        "--provider",
        "generic",
        "--secret-file",
        &cli.secret,
        "--to",
        &to,
        "--body-file",
        &body,
        "--method",
        "PUT",
        "--header",
        "content-type: text/x-mine",
        "-H",
        "X-More: 1",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let seen = app.only();
    assert_eq!((seen.method.as_str(), &seen.body[..]), ("PUT", &b"{\"mine\":true}"[..]));
    assert_eq!((seen.header("content-type"), seen.header("x-more")), (Some("text/x-mine"), Some("1")));
    assert_eq!(super::support::http::header_all(&seen.headers, "content-type").len(), 1);
    assert_eq!(seen.header("x-hub-signature-256"), Some(hub_signature(SECRET, &seen.body).as_str()));
}

#[test]
fn what_send_posts_to_an_endpoint_verifies_there_also_inside_bodies_and_with_key_pairs() {
    let creel = Creel::start();
    for provider in ["stripe", "shopify", "mailgun", "dropbox-sign", "adyen", "clerk", "contentful", "twilio", "square"]
    {
        let endpoint =
            creel.endpoint(json!({ "provider": provider, "public_url_override": "https://hooks.example.com" }));
        let url = format!("http://{}{}", creel.ingress, endpoint.path);
        let signed = format!("https://hooks.example.com{}", endpoint.path);
        let sent =
            creel.cli(&["--json", "send", "--provider", provider, "--throwaway", "--to", &url, "--url", &signed]);
        assert_eq!(sent.code, Some(0), "{sent:?}");
        let sent: Value = serde_json::from_str(&sent.stdout).unwrap();
        creel.set_secret(&endpoint, text(&sent, "throwaway_secret"));
        let of_endpoint = format!("endpoint_id={}", endpoint.id);
        let valid = format!("{of_endpoint}&signature_status=valid");
        super::support::until(&format!("the delivery of {provider} is judged again"), || {
            (creel.total(&valid) == 1).then_some(())
        });
        let row = &list(&creel.get(&format!("/deliveries?{of_endpoint}")), "deliveries")[0];
        assert_eq!(row["event"], sent["event"], "{row}");
    }
    for provider in ["discord", "sendgrid"] {
        let endpoint = creel.endpoint(json!({ "provider": provider }));
        let key = creel.home().scratch(provider);
        let url = format!("http://{}{}", creel.ingress, endpoint.path);
        let key = key.to_str().unwrap();
        let sent = creel.cli(&["--json", "send", "--provider", provider, "--throwaway", "--keep", key, "--to", &url]);
        assert_eq!(sent.code, Some(0), "{sent:?}");
        assert!(!sent.stdout.contains("PRIVATE") && !sent.stderr.contains("PRIVATE"), "{sent:?}");
        let sent: Value = serde_json::from_str(&sent.stdout).unwrap();
        assert_eq!(sent["throwaway_secret"], Value::Null);
        creel.set_secret(&endpoint, text(&sent, "public_key"));
        let again = creel.cli(&["--json", "send", "--provider", provider, "--secret-file", key, "--to", &url]);
        assert_eq!(again.code, Some(0), "{again:?}");
        let row = &list(&creel.get(&format!("/deliveries?endpoint_id={}", endpoint.id)), "deliveries")[0];
        assert_eq!(row["signature_status"], "valid", "{row}");
    }
}

#[test]
fn sign_puts_the_signature_into_the_body_and_leaves_every_other_byte() {
    let cli = Cli::new();
    let (body, out) = (cli.file("body", BODY), cli.path("out"));
    let sign =
        ["sign", "--provider", "mailgun", "--secret-file", &cli.secret, "--body-file", &body, "--now", "1767225600"];
    let refused = cli.run(&sign);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{refused:?}");
    assert!(refused.stderr.contains("--body-out"), "{refused:?}");
    let signed = cli.run(&[&sign[..], &["--body-out", &out]].concat());
    assert_eq!((signed.code, signed.stdout.as_str()), (Some(0), ""), "{signed:?}");
    let made = fs::read_to_string(&out).unwrap();
    let (before, rest) = made.split_once(",\"timestamp\":1767225600,\"signature\":\"").expect("time and signature");
    let (signature, after) = rest.split_once('"').unwrap();
    assert_eq!(format!("{before}{after}"), BODY);
    assert_eq!(signature.len(), 64);
    let verify =
        ["verify", "--provider", "mailgun", "--secret-file", &cli.secret, "--now", "1767225600", "--body-file"];
    assert_eq!(cli.run(&[&verify[..], &[&out]].concat()).code, Some(0));
    let tampered = cli.file("tampered", made.replace("t0ken", "t1ken"));
    assert_eq!(cli.run(&[&verify[..], &[&tampered]].concat()).code, Some(1));
    let object = cli.object(&sign, 0);
    assert_eq!(STANDARD.decode(text(&object, "body_base64")).unwrap(), made.as_bytes());
    let other = cli.file("other", "no json");
    let error = cli.refused(&[&sign[..5], &["--body-file", &other]].concat(), 1);
    assert_eq!(error["code"], "signature_settings");
    assert!(text(&error, "message").contains("inside the body"), "{error}");
}

#[test]
fn a_throwaway_key_pair_signs_and_its_public_half_verifies() {
    let cli = Cli::new();
    let (body, key) = (cli.file("body", "{\"type\":1}"), cli.path("key.pem"));
    let with =
        |more: &[&str]| cli.object(&[&["sign", "--provider", "discord", "--body-file", &body], more].concat(), 0);
    let first = with(&["--throwaway", "--keep", &key]);
    let mode = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept = fs::read_to_string(&key).unwrap();
    assert!(kept.starts_with("-----BEGIN PRIVATE KEY-----"));
    let second = with(&["--secret-file", &key]);
    assert_eq!(first["public_key"], second["public_key"]);
    let public = cli.file("public", text(&first, "public_key"));
    for signed in [&first, &second] {
        let mut verify =
            vec!["verify".to_owned(), "--provider".into(), "discord".into(), "--body-file".into(), body.clone()];
        verify.extend(["--secret-file".to_owned(), public.clone()]);
        for pair in signed["headers"].as_array().unwrap() {
            verify.extend([
                "--header".to_owned(),
                format!("{}: {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()),
            ]);
        }
        let verify: Vec<&str> = verify.iter().map(String::as_str).collect();
        let ended = cli.run(&verify);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    let again = cli.run(&["sign", "--provider", "discord", "--body-file", &body, "--throwaway", "--keep", &key]);
    assert_eq!(again.code, Some(1), "a key that is there is never written over: {again:?}");
    assert_eq!(fs::read_to_string(&key).unwrap(), kept);
    let error = cli.refused(&["sign", "--provider", "discord", "--body-file", &body, "--secret-file", &public], 1);
    assert!(text(&error, "message").contains("private key") && text(&error, "help").contains("PEM"), "{error}");
    let error = cli.refused(&["sign", "--provider", "paypal", "--body-file", &body, "--secret-file", &cli.secret], 1);
    assert!(text(&error, "message").contains("does not make signatures"), "{error}");
}

#[test]
fn send_shows_no_secret_that_goes_out_as_it_is_unless_it_is_a_throwaway() {
    let cli = Cli::new();
    let app = Target::answering(200);
    let (to, body) = (app.url("/"), cli.file("body", "{\"event_type\":\"PING\",\"passcode\":\"old\"}"));
    let secret = STANDARD.encode(SECRET);
    for (sent, (provider, header)) in
        [("telegram", Some("x-telegram-bot-api-secret-token")), ("chargebee", Some("authorization")), ("figma", None)]
            .iter()
            .enumerate()
    {
        let send = ["send", "--provider", provider, "--body-file", &body, "--to", &to];
        let own = [&send[..], &["--secret-file", &cli.secret]].concat();
        let ended = cli.run(&own);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let object = cli.object(&own, 0);
        let shown_body = String::from_utf8(STANDARD.decode(text(&object["request"], "body_base64")).unwrap()).unwrap();
        for shown in [&ended.stdout, &ended.stderr, &object.to_string(), &shown_body] {
            assert!(!shown.contains(SECRET) && !shown.contains(&secret), "{provider}: {shown}");
        }
        match header {
            Some(_) => assert!(ended.stdout.contains(": (secret)"), "{ended:?}"),
            None => assert!(shown_body.contains("\"passcode\":\"(secret)\""), "{shown_body}"),
        }
        let throwaway = cli.object(&[&send[..], &["--throwaway"]].concat(), 0);
        let made = text(&throwaway, "throwaway_secret");
        let seen = &app.wait_for(3 * (sent + 1))[3 * sent..];
        match header {
            Some(header) => {
                assert!(seen[0].header(header).is_some_and(|value| value.contains(SECRET) || value.contains(&secret)));
                let pairs = throwaway["request"]["headers"].as_array().unwrap();
                assert!(pairs.iter().any(|pair| pair[1].as_str() == seen[2].header(header)), "{throwaway}");
            }
            None => {
                assert!(String::from_utf8_lossy(&seen[0].body).contains(SECRET));
                assert!(String::from_utf8_lossy(&seen[2].body).contains(made));
            }
        }
    }
}

#[test]
fn test_keys_asked_for_at_once_are_one_key() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({ "provider": "discord" }));
    let path = format!("/endpoints/{}/test-key", endpoint.id);
    let keys = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| creel.api("POST", &path, None).expect_json(200))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect::<Vec<Value>>()
    });
    assert!(keys.iter().all(|key| key["public_key"] == keys[0]["public_key"]), "{keys:?}");
    assert_eq!(keys.iter().filter(|key| key["made"] == json!(true)).count(), 1, "{keys:?}");
}

#[test]
fn an_endpoint_of_a_provider_with_a_public_key_is_tried_out_and_replayed_with_a_test_key_of_its_own() {
    let creel = Creel::start();
    let app = Target::answering(200);
    let endpoint = creel.relaying(&[&app.url("/")], json!({ "provider": "discord" }));
    let path = |what: &str| format!("/endpoints/{}/{what}", endpoint.id);
    let theirs = "e06dac14a3a19c1ad9d9fd3f4b5d0a0ee13b0c8d6a0d9a64d1d5e3fa8f0f3e57";
    creel.set_secret(&endpoint, theirs);
    let refused = creel.api("POST", &path("test-event"), None);
    assert_eq!(refused.expect_error(422), "cannot_sign");
    assert!(refused.text().contains("test-key"), "{}", refused.text());
    assert_eq!(creel.total(""), 0);

    let made = creel.api("POST", &path("test-key"), None);
    assert!(!made.text().contains("PRIVATE"), "{}", made.text());
    let made = made.expect_json(200);
    assert_eq!((&made["made"], text(&made, "public_key").len()), (&json!(true), 64));
    let again = creel.api("POST", &path("test-key"), None).expect_json(200);
    assert_eq!((&again["made"], &again["public_key"]), (&json!(false), &made["public_key"]));
    let shown = creel.api("GET", &format!("/endpoints/{}", endpoint.id), None);
    assert!(!shown.text().contains("PRIVATE"), "{}", shown.text());
    assert_eq!(list(&shown.json(), "signing_secrets").len(), 2, "the provider's own key stays");

    let sent = creel.api("POST", &path("test-event"), None).expect_json(200);
    let id = text(&sent, "delivery_id");
    assert_eq!((&sent["signed"], &creel.settled(id)["signature_status"]), (&json!(true), &json!("valid")));
    let edits = json!({ "resign": true, "body_base64": STANDARD.encode("{\"type\":2}") });
    let replayed = creel.api("POST", &format!("/deliveries/{id}/replay"), Some(&edits)).expect_json(201);
    creel.settled(text(&replayed, "id"));
    let seen = &app.wait_for(2)[1];
    let (public, body) = (creel.home().scratch("public"), creel.home().scratch("body"));
    fs::write(&public, text(&made, "public_key")).unwrap();
    fs::write(&body, &seen.body).unwrap();
    let header = |name: &str| format!("{name}: {}", seen.header(name).unwrap());
    let verified = creel.cli(&[
        "verify",
        "--provider",
        "discord",
        "--secret-file",
        public.to_str().unwrap(),
        "--body-file",
        body.to_str().unwrap(),
        "--header",
        &header("X-Signature-Ed25519"),
        "--header",
        &header("X-Signature-Timestamp"),
    ]);
    assert_eq!(verified.code, Some(0), "{verified:?}");

    let shared = creel.endpoint(json!({ "provider": "stripe" }));
    let none = creel.api("POST", &format!("/endpoints/{}/test-key", shared.id), None);
    assert_eq!(none.expect_error(409), "no_test_key");
}

#[test]
fn providers_with_rsa_keys_are_signed_for_with_one_that_is_made_here_also_with_sha1() {
    let creel = Creel::start();
    let (public, body) = (creel.home().scratch("public"), creel.home().scratch("body"));
    fs::write(&body, "payload=%7B%22id%22%3A1%7D").unwrap();
    for (provider, scheme) in [("chip", "rsa-pkcs1-sha256"), ("travis-ci", "rsa-pkcs1-sha1")] {
        let known = creel.get(&format!("/providers/{provider}"));
        assert_eq!(
            (&known["schemes"][0]["algorithm"], &known["schemes"][0]["can_sign"]),
            (&json!(scheme), &json!(true))
        );
        let endpoint = creel.endpoint(json!({ "provider": provider }));
        let made = creel.api("POST", &format!("/endpoints/{}/test-key", endpoint.id), None).expect_json(200);
        assert!(text(&made, "public_key").contains("BEGIN PUBLIC KEY"), "{made}");
        let common = ["--provider", provider, "--body-file", body.to_str().unwrap()];
        let signed = creel.cli(&[&["--json", "sign", "--throwaway"], &common[..]].concat());
        assert_eq!(signed.code, Some(0), "{signed:?}");
        let signed: serde_json::Value = serde_json::from_str(&signed.stdout).unwrap();
        fs::write(&public, text(&signed, "public_key")).unwrap();
        let header = &signed["headers"][0];
        let header = format!("{}: {}", header[0].as_str().unwrap(), header[1].as_str().unwrap());
        let verify = ["verify", "--secret-file", public.to_str().unwrap(), "-H", &header];
        let verified = creel.cli(&[&verify, &common[..]].concat());
        assert_eq!(verified.code, Some(0), "{verified:?}");
    }
}

#[test]
fn a_replay_signs_inside_the_body_anew_and_leaves_every_other_byte() {
    let creel = Creel::start();
    let app = Target::answering(200);
    let endpoint = creel.relaying(&[&app.url("/")], json!({ "provider": "mailgun", "signature_policy": "observe" }));
    creel.set_secret(&endpoint, SECRET);
    let old = BODY.replace("\"t0ken\"", "\"t0ken\", \"timestamp\" : \"1700000000\", \"signature\":\"00\"");
    let answer = creel.send_expecting("accepted", &endpoint.post(&old).header("Content-Type", "application/json"));
    let id = text(&answer, "delivery_id");
    creel.settled(id);
    let replayed = creel.api("POST", &format!("/deliveries/{id}/replay"), Some(&json!({ "resign": true })));
    let replay_id = text(&replayed.expect_json(201), "id").to_owned();
    creel.settled(&replay_id);
    let body = app.wait_for(2)[1].body.clone();
    assert_eq!(creel.stored_body(&replay_id), body, "what was sent is what is stored");
    let fresh = String::from_utf8(body).unwrap();
    let parsed: Value = serde_json::from_str(&fresh).unwrap();
    let (time, signature) = (text(&parsed["signature"], "timestamp"), text(&parsed["signature"], "signature"));
    assert_ne!(time, "1700000000", "a fresh time");
    assert_eq!(fresh.replace(time, "1700000000").replace(signature, "00"), old);
    let (secret, file) = (creel.home().scratch("secret"), creel.home().scratch("body"));
    fs::write(&secret, SECRET).unwrap();
    fs::write(&file, &fresh).unwrap();
    let (secret, file) = (secret.to_str().unwrap(), file.to_str().unwrap());
    let verified = creel.cli(&["verify", "--provider", "mailgun", "--secret-file", secret, "--body-file", file]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[test]
fn a_test_event_of_every_sample_in_the_catalogue_becomes_a_delivery_of_that_event() {
    let creel = Creel::start();
    let mut samples = 0;
    for provider in list(&creel.get("/providers"), "providers") {
        let (slug, events) = (text(&provider, "slug").to_owned(), list(&provider, "sample_events"));
        if events.is_empty() {
            continue;
        }
        let url = json!("https://hooks.example.com");
        let endpoint = creel.endpoint(json!({ "provider": slug, "public_url_override": url }));
        for event in events {
            let path = format!("/endpoints/{}/test-event", endpoint.id);
            let sent = creel.api("POST", &path, Some(&json!({ "event": event }))).expect_json(200);
            assert_eq!(sent["response_status"], 200, "{slug} {sent}");
            let row = creel.delivery(text(&sent, "delivery_id"));
            assert_eq!((&row["event"], &row["attempt_count"]), (&event, &json!(1)), "{slug}");
            samples += 1;
        }
    }
    assert!(samples >= 60, "{samples}");
}
