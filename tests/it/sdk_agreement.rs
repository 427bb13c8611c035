//! Real SDKs agree: what `creel sign` makes, the official libraries accept; what they sign, `creel verify` accepts; and what
//! either side refuses, so does the other.
//!
//! The SDKs are those of `tests/sdks/npm` and `tests/sdks/pypi`, at pinned versions; `cargo xtask test sdks-npm sdks-pypi`
//! installs them and runs these tests. The drivers beside the lists of packages are asked a JSON object a line, and set the
//! SDKs' clock to the one that the question names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::support::creel::Reaped;
use super::support::wait::BOUND;
use super::support::{Home, cli};

/// The clock of all questions but the late ones, in Unix seconds.
const NOW: i64 = 1_767_225_600;
/// A clock at which every scheme with a timestamp has gone stale.
const LATER: i64 = NOW + 24 * 60 * 60;
/// SDKs of both languages together that the tests are about; fewer would mean that they test less than they say.
const SDKS_MIN: usize = 33;

/// Bodies that any provider may send: plain, and with what gets lost when a body is parsed and written again.
const ANY: &[&str] = &[
    r#"{"id":"evt_1","object":"event","type":"invoice.paid","webhookTimestamp":1767225600000,"data":{"n":1}}"#,
    "{ \"type\": \"contact.updated\",\r\n  \"name\": \"Zoë 🪁\", \"path\": \"a\\/b\\u00e9\", \"n\": 1.0,\n  \
     \"webhookTimestamp\": 1767225600000, \"z\": 1, \"a\": 2 }\n",
];
/// For an SDK that parses the body and writes it again before it verifies.
const COMPACT: &[&str] = &[r#"{"id":"event_1","event":"user.created","data":{"name":"Zoë 🪁","n":1}}"#];
const FORMS: &[&str] =
    &["From=%2B491575405696&To=%2B49303256447&Body=plan+upgraded+%C3%A9%21&NumMedia=0&FromCity=", ""];

/// An SDK and whom it verifies.
struct Agreement {
    sdk: &'static str,
    provider: &'static str,
    scheme: Option<&'static str>,
    /// The right secret, and a wrong one of the same form; private keys where the scheme has such.
    secrets: [&'static str; 2],
    /// The public halves of private keys, as the provider shows its own.
    public: Option<[&'static str; 2]>,
    bodies: &'static [&'static str],
    /// Headers that are sent along, since the scheme covers them.
    headers: &'static [(&'static str, &'static str)],
    /// Whether it looks at the age of a request.
    judges_age: bool,
    signs: bool,
    /// What is changed in a body to tamper with it: its first `u` becomes a `v`.
    touched: &'static str,
}

/// Adyen signs these fields of an item and leaves the others to anybody.
const NOTIFICATIONS: &[&str] = &[
    r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"additionalData":{"hmacSignature":""},"pspReference":"7914073381342284","originalReference":"","merchantAccountCode":"Zoë's unit","merchantReference":"order-1:a","amount":{"value":1130,"currency":"EUR"},"eventCode":"AUTHORISATION","success":"true"}}]}"#,
];

/// Keys that guard nothing.
const HEX_KEYS: [&str; 2] = [
    "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
    "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA057",
];
const ED25519: [&str; 2] = [
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEILTJp7uvJNi1/SlvR0+ZcrhTtH7zJjKQ2M3zXRDpa2kt\n-----\
     END PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIPJHUVxecOpknTeSaOe0gOqSGDoV0hbV0Tr/8L72nEoU\n-----\
     END PRIVATE KEY-----",
];
const ED25519_HEX: [&str; 2] = [
    "f57a34d01480269f5eca2637f7dcae576cc0c78b8e64151a0f1d380d6dd0cf25",
    "8d686af8ca965ee82849a44d0bc5d756fb871044fb7b79b61c797e079095a8fe",
];
const ED25519_BASE64: [&str; 2] =
    ["9Xo00BSAJp9eyiY399yuV2zAx4uOZBUaDx04DW3QzyU=", "jWhq+MqWXugoSaRNC8XXVvuHEET7e3m2HHl+B5CVqP4="];
const P256: [&str; 2] = [
    "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7D/MFjF/C+rxTjzr8v6g14i\
     g05MreySwKb7NT6O6NlmhRANCAATw9i+5ofUGXE72/AUSWRUayVEOm3H5WHzzYZjFtg6ddO+i9+CFYp3LIM7cX4zVubMvgQZrrYW\
     /6LYbj/yaGiXV\n-----END PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmqB2hWFQDV9SfVN5W6rX/FL\
     l9BdyyqEZB2GQU7uZFBehRANCAASApBVfNMscTIt7sn4tYGuH8leXmkIZg+XJIqBkiUbS4mRu2/i8A5V2PeHyljozkenJXMG8kcI\
     G5+B+r1ZqqPJ3\n-----END PRIVATE KEY-----",
];
const P256_SPKI: [&str; 2] = [
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8PYvuaH1BlxO9vwFElkVGslRDptx+Vh882GYxbYOnXTvovfghWKdyyDO3F+M1bmz\
     L4EGa62Fv+i2G4/8mhol1Q==",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEgKQVXzTLHEyLe7J+LWBrh/JXl5pCGYPlySKgZIlG0uJkbtv4vAOVdj3h8pY6M5Hp\
     yVzBvJHCBufgfq9Waqjydw==",
];
const TEXT: [&str; 2] = ["a-secret-of-the-tests-0123456789", "a-secret-of-the-tests-9876543210"];
const WHSEC: [&str; 2] = ["whsec_dGhlIHNlY3JldCBvZiB0aGUgdGVzdHM0", "whsec_YW5vdGhlciBzZWNyZXQgb2YgdGhlIHRlc3Q="];
/// Contentful's signing secrets have 64 characters.
const LONG: [&str; 2] = [
    "UFT0Al8UNCwbo0XfPrSVhTwNhHFSrHA38ZzPU3HTwACOC4ft4WiVHqDcvweVOkJm",
    "UFT0Al8UNCwbo0XfPrSVhTwNhHFSrHA38ZzPU3HTwACOC4ft4WiVHqDcvweVOkJn",
];

const fn agreement(sdk: &'static str, provider: &'static str) -> Agreement {
    Agreement {
        sdk,
        provider,
        scheme: None,
        secrets: TEXT,
        public: None,
        bodies: ANY,
        headers: &[],
        judges_age: false,
        signs: false,
        touched: "u",
    }
}

impl Agreement {
    const fn signing(self) -> Self {
        Self { signs: true, ..self }
    }

    const fn timed(self) -> Self {
        Self { judges_age: true, ..self }
    }

    const fn whsec(self) -> Self {
        Self { secrets: WHSEC, judges_age: true, ..self }
    }

    const fn keys(self, secrets: [&'static str; 2], public: [&'static str; 2]) -> Self {
        Self { secrets, public: Some(public), ..self }
    }

    const fn of(self, scheme: &'static str, bodies: &'static [&'static str]) -> Self {
        Self { scheme: Some(scheme), bodies, ..self }
    }

    const fn compact(self) -> Self {
        Self { bodies: COMPACT, ..self }
    }
}

const NPM: &[Agreement] = &[
    Agreement {
        secrets: HEX_KEYS,
        touched: "unit",
        ..agreement("@adyen/api-library", "adyen").of("adyen-standard", NOTIFICATIONS).signing()
    },
    Agreement {
        secrets: LONG,
        headers: &[
            ("content-type", "application/json"),
            ("x-contentful-topic", "ContentManagement.Entry.publish"),
            ("x-contentful-signed-headers", "content-type,x-contentful-signed-headers,x-contentful-timestamp"),
        ],
        ..agreement("@contentful/node-apps-toolkit", "contentful").signing().timed()
    },
    agreement("@hubspot/api-client", "hubspot").of("hubspot-v3", ANY).signing().timed(),
    agreement("@line/bot-sdk", "line"),
    agreement("@linear/sdk", "linear").timed(),
    agreement("@mux/mux-node", "mux").timed(),
    agreement("@notionhq/client", "notion").signing(),
    agreement("@octokit/webhooks-methods", "github").signing(),
    agreement("@octokit/webhooks-methods", "generic").signing(),
    agreement("@paddle/paddle-node-sdk", "paddle").timed(),
    agreement("@sendgrid/eventwebhook", "sendgrid").keys(P256, P256_SPKI),
    agreement("@workos-inc/node", "workos").compact().signing().timed(),
    agreement("coinbase-commerce-node", "coinbase-commerce").signing(),
    agreement("discord-interactions", "discord").keys(ED25519, ED25519_HEX),
    agreement("gocardless-nodejs", "gocardless"),
    agreement("modern-treasury", "modern-treasury").signing(),
    agreement("openai", "openai").whsec(),
    agreement("razorpay", "razorpay"),
    agreement("resend", "resend").whsec(),
    agreement("retell-sdk", "retell").signing().timed(),
    agreement("square", "square"),
    agreement("standardwebhooks", "standard-webhooks").whsec().signing(),
    agreement("standardwebhooks", "supabase").whsec().signing(),
    agreement("stripe", "stripe").signing().timed(),
    agreement("svix", "svix").whsec().signing(),
    agreement("svix", "clerk").whsec().signing(),
    agreement("telnyx", "telnyx").keys(ED25519, ED25519_BASE64).timed(),
    agreement("twilio", "twilio").of("twilio-form", FORMS).signing(),
    agreement("twilio", "twilio").of("twilio-body-sha256", ANY).signing(),
];

const PYPI: &[Agreement] = &[
    agreement("coinbase-commerce", "coinbase-commerce").signing(),
    agreement("gocardless_pro", "gocardless"),
    agreement("razorpay", "razorpay"),
    agreement("slack_sdk", "slack").signing().timed(),
    agreement("standardwebhooks", "standard-webhooks").whsec().signing(),
    agreement("stripe", "stripe").signing().timed(),
    agreement("twilio", "twilio").of("twilio-form", FORMS).signing(),
    agreement("twilio", "twilio").of("twilio-body-sha256", ANY).signing(),
    agreement("workos", "workos").timed(),
];

/// A driver with its SDKs loaded.
struct Driver {
    questions: Option<ChildStdin>,
    /// Lines; a thread reads them until the driver ends.
    answers: Receiver<String>,
    _child: Reaped,
}

impl Driver {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("start a driver of SDKs");
        let (questions, lines) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()).lines());
        let (sender, answers) = channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { questions, answers, _child: Reaped(child) }
    }

    fn npm() -> Self {
        let mut command = Command::new("node");
        command.arg("driver.mjs").current_dir(installed("npm"));
        Self::start(command)
    }

    fn pypi() -> Self {
        let folder = installed("pypi");
        let mut command = Command::new("python3");
        command.arg(folder.join("driver.py")).env("PYTHONPATH", folder.join("site"));
        Self::start(command)
    }

    fn hear(&self, patience: Duration) -> Result<String, RecvTimeoutError> {
        self.answers.recv_timeout(patience)
    }

    #[track_caller]
    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions.as_mut().unwrap(), "{question}").expect("ask the driver");
        // A panic ends the driver too.
        let line = self.hear(BOUND).expect("hear the driver");
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the driver said {line:?}"));
        assert!(answer["error"].is_null(), "{question}: {answer}");
        answer
    }
}

/// Where `cargo xtask test` put the SDKs of one language.
fn installed(language: &str) -> PathBuf {
    let folder =
        std::env::var_os("CREEL_SDKS").expect("CREEL_SDKS is not set; run `cargo xtask test sdks-npm sdks-pypi`");
    PathBuf::from(folder).join(language)
}

/// Headers by name, in lower case.
type Headers = BTreeMap<String, String>;

/// A request before and after it is signed.
#[derive(Clone)]
struct Exchange<'a> {
    agreement: &'a Agreement,
    home: Arc<Home>,
    /// Which of the agreement's secrets the receiver has; the sender has the first.
    secret: usize,
    url: String,
    body: String,
    headers: Headers,
    now: i64,
}

impl<'a> Exchange<'a> {
    fn new(agreement: &'a Agreement, home: &Arc<Home>, body: &str) -> Self {
        let digest = hex::encode(Sha256::digest(body));
        let query = if agreement.scheme == Some("twilio-body-sha256") {
            format!("&bodySHA256={digest}")
        } else {
            String::new()
        };
        let url = format!("https://hooks.example.com/in/a?b=1{query}");
        let headers = agreement.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (home, body) = (Arc::clone(home), body.to_owned());
        Self { agreement, home, secret: 0, url, body, headers, now: NOW }
    }

    /// Runs `creel sign` or `creel verify` on the request.
    fn creel(&self, command: &str) -> (Option<i32>, Value, String) {
        let file = |name: &str, text: &str| {
            let path = self.home.scratch(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let secret = if command == "sign" { self.agreement.secrets[0] } else { self.received_secret() };
        let (body, secret) = (file("body", &self.body), file("secret", &format!("{secret}\n")));
        let now = self.now.to_string();
        let mut args =
            vec!["--json", command, "--provider", self.agreement.provider, "--url", &self.url, "--now", &now];
        args.extend(["--body-file", &body, "--secret-file", &secret]);
        args.extend(self.agreement.scheme.into_iter().flat_map(|scheme| ["--scheme", scheme]));
        let headers: Vec<String> = self.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        headers.iter().for_each(|header| args.extend(["--header", header]));
        let ended = cli(self.home.data(), &args);
        (ended.code, serde_json::from_str(&ended.stdout).unwrap_or_default(), ended.stderr)
    }

    /// What the receiver has: the secret, or the public key.
    fn received_secret(&self) -> &'static str {
        self.agreement.public.unwrap_or(self.agreement.secrets)[self.secret]
    }

    fn question(&self, what: &str) -> Value {
        json!({ "do": what, "sdk": self.agreement.sdk, "secret": self.received_secret(), "method": "POST", "url": self.url,
            "headers": self.headers, "body": self.body, "now": self.now })
    }

    /// The request as Creel signs it.
    #[track_caller]
    fn signed_by_creel(mut self) -> Self {
        let (code, said, stderr) = self.creel("sign");
        assert_eq!(code, Some(0), "{}: {stderr}", self.name());
        for header in said["headers"].as_array().unwrap() {
            self.headers.insert(header[0].as_str().unwrap().to_lowercase(), header[1].as_str().unwrap().to_owned());
        }
        if let Some(body) = said["body_base64"].as_str() {
            self.body = String::from_utf8(STANDARD.decode(body).unwrap()).unwrap();
        }
        self
    }

    /// The request as the SDK signs it.
    #[track_caller]
    fn signed_by_sdk(mut self, driver: &mut Driver) -> Self {
        let said = driver.ask(&self.question("sign"));
        for (name, value) in said["headers"].as_object().unwrap() {
            self.headers.insert(name.to_lowercase(), value.as_str().unwrap().to_owned());
        }
        if let Some(body) = said["body"].as_str() {
            body.clone_into(&mut self.body);
        }
        self
    }

    fn name(&self) -> String {
        let Agreement { sdk, provider, scheme, .. } = self.agreement;
        format!("{sdk} and {provider} {}, {:?} with {:?}", scheme.unwrap_or_default(), self.body, self.headers)
    }

    fn creel_says(&self, reason: &str, wrong: &mut Vec<String>) {
        let (code, said, stderr) = self.creel("verify");
        if (code, said["reason"].as_str()) != (Some(i32::from(reason != "ok")), Some(reason)) {
            wrong.push(format!("{}: not {reason} for Creel: {said} {stderr}", self.name()));
        }
    }

    fn sdk_says(&self, holds: bool, driver: &mut Driver, wrong: &mut Vec<String>) {
        let said = driver.ask(&self.question("verify"));
        if said["holds"] != holds {
            wrong.push(format!("{}: not {holds} for the SDK: {said}", self.name()));
        }
    }

    fn with_another_secret(&self) -> Self {
        Self { secret: 1, ..self.clone() }
    }

    fn at(&self, now: i64) -> Self {
        Self { now, ..self.clone() }
    }

    /// The same request with one letter of the body changed.
    fn tampered(&self) -> Self {
        let touched = self.agreement.touched;
        let changed = if self.body.contains(touched) {
            self.body.replacen(touched, &touched.replacen('u', "v", 1), 1)
        } else {
            format!("{}u=1", self.body)
        };
        Self { body: changed, ..self.clone() }
    }

    /// Both sides accept what was signed and refuse what is not as it was signed.
    fn is_judged_alike(&self, driver: &mut Driver, wrong: &mut Vec<String>) {
        self.creel_says("ok", wrong);
        self.sdk_says(true, driver, wrong);
        for changed in [self.tampered(), self.with_another_secret()] {
            changed.creel_says("wrong_secret_or_body", wrong);
            changed.sdk_says(false, driver, wrong);
        }
        if self.agreement.judges_age {
            self.at(LATER).creel_says("stale_timestamp", wrong);
            self.at(LATER).sdk_says(false, driver, wrong);
        }
    }
}

fn agree(agreements: &[Agreement], mut driver: Driver) {
    let (home, mut wrong) = (Home::new(), Vec::new());
    for agreement in agreements {
        for body in agreement.bodies {
            let request = Exchange::new(agreement, &home, body);
            request.clone().signed_by_creel().is_judged_alike(&mut driver, &mut wrong);
            if agreement.signs {
                request.signed_by_sdk(&mut driver).is_judged_alike(&mut driver, &mut wrong);
            }
        }
        let ways = if agreement.signs { "both ways" } else { "what Creel signs" };
        eprintln!("{} and {}: {ways}", agreement.sdk, agreement.provider);
    }
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
#[ignore = "needs SDKs: `cargo xtask test sdks-npm` installs them and runs it"]
fn npm_sdks_accept_what_creel_signs_and_creel_accepts_what_they_sign_and_both_refuse_the_rest() {
    agree(NPM, Driver::npm());
}

#[test]
#[ignore = "needs SDKs: `cargo xtask test sdks-pypi` installs them and runs it"]
fn pypi_sdks_accept_what_creel_signs_and_creel_accepts_what_they_sign_and_both_refuse_the_rest() {
    agree(PYPI, Driver::pypi());
}

#[cfg(unix)]
#[test]
fn a_driver_that_hangs_is_not_waited_for_without_end() {
    let mut command = Command::new("sleep");
    command.arg("600");
    let driver = Driver::start(command);
    assert_eq!(driver.hear(Duration::from_millis(20)), Err(RecvTimeoutError::Timeout));
    let mut command = Command::new("echo");
    command.arg("{}");
    assert_eq!(Driver::start(command).hear(BOUND), Ok("{}".to_owned()));
}

#[test]
fn the_tests_are_about_the_sdks_that_are_installed_and_no_fewer() {
    let package: Value = serde_json::from_str(include_str!("../sdks/npm/package.json")).unwrap();
    let requirements = include_str!("../sdks/pypi/requirements.in");
    let npm: BTreeSet<&str> = NPM.iter().map(|agreement| agreement.sdk).collect();
    let pypi: BTreeSet<&str> = PYPI.iter().map(|agreement| agreement.sdk).collect();
    let named: Vec<&str> = package["dependencies"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(npm.iter().copied().collect::<Vec<_>>(), named);
    for sdk in &pypi {
        let line = format!("\n{}==", sdk.replace('_', "-"));
        assert!(requirements.contains(&line), "{sdk}");
    }
    assert!(npm.len() + pypi.len() >= SDKS_MIN, "{} SDKs", npm.len() + pypi.len());
}
