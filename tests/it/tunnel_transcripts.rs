//! What each provider's program writes, played by a scripted one in its place: the same suite for `creel serve` and for the
//! window, so on both ways of starting programs.
//!
//! The transcripts are those of `tests/fixtures/tunnels`, each marked as observed, read in source or second-hand. They are
//! played roughly: colours and returns in every line, bytes that are no text before the first, and all of it in small
//! pieces. Once the tunnel stands its program is killed, and the next one has another URL. Hosts are given a label that is
//! too long for DNS (RFC 1035 section 2.3.4): the patterns do not mind, and the proof of life asks nobody's server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::support::tunnel::{Admin, fake_tunnel, kill_9, log, state, until_gone, until_state};
use super::support::{Home, Launch, text};

/// A provider's transcript.
struct Transcript {
    provider: &'static str,
    /// Name of the file in `tests/fixtures/tunnels`.
    file: &'static str,
    /// Scheme of the public URL, the host that stands in the transcript, and what follows it.
    url: Option<(&'static str, &'static str, &'static str)>,
    /// What the user must give.
    options: fn() -> Value,
}

const fn transcript(
    provider: &'static str,
    url: Option<(&'static str, &'static str, &'static str)>,
    options: fn() -> Value,
) -> Transcript {
    Transcript { provider, file: provider, url, options }
}

const GIVEN: &str = "https://given.example.invalid";

fn nothing() -> Value {
    json!({})
}

const TRANSCRIPTS: [Transcript; 16] = [
    transcript("bore", Some(("http", "127.0.0.1", ":20302")), nothing),
    transcript("cloudflared", Some(("https", "proud-words-here-now.trycloudflare.com", "")), nothing),
    Transcript {
        provider: "cloudflared",
        file: "cloudflared.asked",
        url: Some(("https", "proud-words-here-now.trycloudflare.com", "")),
        options: nothing,
    },
    transcript("cloudflared-named", None, || json!({ "token": "canary-token", "public_url": GIVEN })),
    Transcript {
        provider: "cloudflared-named",
        file: "cloudflared.asked",
        url: None,
        options: || json!({ "token": "canary-token", "public_url": GIVEN }),
    },
    transcript("devtunnel", Some(("https", "abc123-4100.euw.devtunnels.ms", "")), nothing),
    transcript(
        "frp",
        None,
        || json!({ "server": "h", "subdomain": "s", "token": "canary-token", "public_url": GIVEN }),
    ),
    transcript("localhostrun", Some(("https", "abc123.lhr.life", "")), nothing),
    transcript("localtunnel", Some(("https", "brave-cat-12.loca.lt", "")), nothing),
    transcript("ngrok", Some(("https", "name.ngrok-free.app", "")), || json!({ "authtoken": "canary-token" })),
    transcript("pinggy", Some(("https", "rnabc-1-2-3-4.a.free.pinggy.link", "")), nothing),
    Transcript {
        provider: "pinggy",
        file: "pinggy.asked",
        url: Some(("https", "rnabc-1-2-3-4.a.free.pinggy.link", "")),
        options: nothing,
    },
    transcript("serveo", Some(("https", "abc.serveo.net", "")), nothing),
    transcript(
        "ssh",
        Some(("http", "given.example.invalid", ":35207")),
        || json!({ "destination": "h", "public_url": "http://given.example.invalid:{port}" }),
    ),
    transcript("tailscale", Some(("https", "laptop.tail1234.ts.net", "")), nothing),
    transcript("zrok", Some(("https", "abc.share.zrok.io", "")), nothing),
];

/// Bytes of a piece.
const PIECE: usize = 7;

/// The programs of all providers, each of them the scripted one; to be searched before all others.
pub struct Programs {
    dir: PathBuf,
    script: PathBuf,
}

impl Programs {
    pub fn in_home(home: &Home) -> Self {
        let (dir, script) = (home.scratch("programs"), home.scratch("transcript.jsonl"));
        std::fs::create_dir_all(&dir).unwrap();
        for name in ["bore", "cloudflared", "devtunnel", "frpc", "lt", "ngrok", "ssh", "tailscale", "zrok2"] {
            let lines = format!(
                "#!/bin/sh\ncase \"$1\" in --version|-V|version) echo 'played 1.0'; exit;; esac\nexec '{}' '{}' none \"$@\"\n",
                fake_tunnel().display(),
                script.display(),
            );
            let path = dir.join(name);
            std::fs::write(&path, lines).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        }
        Self { dir, script }
    }

    /// `PATH` with them in front.
    pub fn search(&self) -> String {
        format!("{}:{}", self.dir.display(), std::env::var("PATH").unwrap_or_default())
    }
}

#[test]
fn every_providers_transcript_makes_a_tunnel_that_stands_and_comes_back() {
    let home = Home::new();
    let programs = Programs::in_home(&home);
    suite(&Launch::at(Arc::clone(&home)).env("PATH", &programs.search()).start(), &programs);
}

#[test]
fn a_delivery_tells_which_headers_its_tunnel_adds_also_when_that_is_gone() {
    let home = Home::new();
    let programs = Programs::in_home(&home);
    let creel = Launch::at(Arc::clone(&home)).env("PATH", &programs.search()).start();
    let endpoint = creel.endpoint(json!({}));
    let asked = TRANSCRIPTS.iter().find(|transcript| transcript.file == "cloudflared.asked").unwrap();
    let played = Played::new(asked, 'a');
    let steps: Vec<String> = played.roughly(&asked.steps()).iter().map(Value::to_string).collect();
    std::fs::write(&programs.script, steps.join("\n")).unwrap();
    creel.api("POST", "/tunnel", Some(&json!({ "provider": "cloudflared" }))).expect_json(200);
    asked.until_stands(&creel, &played, 0);
    let request = endpoint.post("{}").header("Cf-Connecting-Ip", "203.0.113.5").header("Cf-Ray", "1");
    let id = text(&creel.send(&request).expect_json(200), "delivery_id").to_owned();
    assert_eq!(creel.api("DELETE", "/tunnel", None).status, 204);
    let delivery = creel.delivery(&id);
    assert_eq!((text(&delivery, "client_ip"), text(&delivery["tunnel"], "provider")), ("203.0.113.5", "cloudflared"));
    let adds = delivery["tunnel"]["adds_headers"].as_array().unwrap();
    assert!(adds.contains(&json!("cf-connecting-ip")) && adds.contains(&json!("cf-ray")), "{adds:?}");
    assert_eq!(text(&delivery, "public_url"), format!("{}{}", played.url, endpoint.path));
}

/// Every transcript, one after another, in one engine that finds these programs.
pub fn suite(engine: &impl Admin, programs: &Programs) {
    let offered = engine.api("GET", "/tunnel/providers", None).expect_json(200);
    let offered = offered["providers"].as_array().unwrap().clone();
    let mut untold: Vec<&str> = offered.iter().map(|provider| text(provider, "slug")).collect();
    untold.retain(|slug| *slug != "custom" && TRANSCRIPTS.iter().all(|transcript| transcript.provider != *slug));
    assert_eq!(untold, Vec::<&str>::new(), "providers without a transcript");
    for transcript in &TRANSCRIPTS {
        let provider = offered.iter().find(|provider| provider["slug"] == transcript.provider).unwrap();
        assert_eq!(text(provider, "version"), "played 1.0", "the program is not the scripted one");
        transcript.plays_out(engine, programs, text(provider, "evidence"));
    }
}

impl Transcript {
    fn plays_out(&self, engine: &impl Admin, programs: &Programs, evidence: &str) {
        let said = self.steps();
        let about = said[0]["about"].as_str().expect("where it is from").replace("second-hand", "second_hand");
        assert!(about.starts_with(&format!("{evidence}: ")), "{} is {evidence}: {about}", self.file);
        let (first, second) = (Played::new(self, 'a'), Played::new(self, 'b'));
        let steps = [first.roughly(&said), vec![json!("next_start")], second.roughly(&said)].concat();
        let lines: Vec<String> = steps.iter().map(Value::to_string).collect();
        let _none_yet = std::fs::remove_file(programs.script.with_extension("jsonl.starts"));
        std::fs::write(&programs.script, lines.join("\n")).unwrap();

        let body = json!({ "provider": self.provider, "options": (self.options)() });
        engine.api("POST", "/tunnel", Some(&body)).expect_json(200);
        let stands = self.until_stands(engine, &first, 0);
        let pid = pids(&stands)[0];
        kill_9(pid);
        let again = self.until_stands(engine, &second, 1);
        assert!(!again.to_string().contains("canary"), "{}: {again}", self.file);
        assert_eq!(again["url_changed"]["to"], again["public_url"], "{}", self.file);
        let last = *pids(&again).last().unwrap();
        assert_eq!(engine.api("DELETE", "/tunnel", None).status, 204);
        until_gone(pid);
        until_gone(last);
        assert_eq!(state(engine)["status"], "stopped", "{}", self.file);
    }

    /// It stands with that URL, whether or not it was called degraded since: nobody answers there.
    fn until_stands(&self, engine: &impl Admin, played: &Played, restarts: u64) -> Value {
        until_state(engine, &format!("{} stands, {restarts} starts later", self.file), |state| {
            let stands = ["ready", "degraded"].iter().any(|word| state["status"] == *word);
            stands && state["restarts"] == restarts && state["public_url"] == played.url
        })
    }

    fn steps(&self) -> Vec<Value> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/tunnels/{}.jsonl", self.file));
        let lines = std::fs::read_to_string(path).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// One start of a program.
struct Played {
    /// The host in the transcript, and what stands in its place.
    hosts: Option<(&'static str, String)>,
    /// What the engine must find.
    url: String,
}

impl Played {
    fn new(transcript: &Transcript, letter: char) -> Self {
        let Some((scheme, host, rest)) = transcript.url else {
            return Self { hosts: None, url: GIVEN.to_owned() };
        };
        // ssh is told its URL by the user; only the port is the program's.
        if host.ends_with(".invalid") {
            let port = if letter == 'a' { rest } else { ":35208" };
            return Self { hosts: Some((":35207", port.to_owned())), url: format!("{scheme}://{host}{port}") };
        }
        let domain = if host == "127.0.0.1" { "example" } else { host.split_once('.').unwrap().1 };
        let host_now = format!("{}-4100.{domain}", letter.to_string().repeat(64));
        Self { url: format!("{scheme}://{host_now}{rest}"), hosts: Some((host, host_now)) }
    }

    fn roughly(&self, said: &[Value]) -> Vec<Value> {
        let mut steps = vec![json!({"out": "pid {pid}\n"}), json!({"bytes": [255, 254, 10]})];
        for step in said {
            let texts = ["out", "err"].map(|stream| (stream, step.get(stream).and_then(Value::as_str)));
            let Some((stream, Some(text))) = texts.into_iter().find(|(_, text)| text.is_some()) else {
                steps.push(serde_json::from_str(&self.with_hosts(&step.to_string())).unwrap());
                continue;
            };
            for line in self.with_hosts(text).split_inclusive('\n') {
                let line = line.trim_end_matches(['\r', '\n']);
                // Not into a sequence of the program's own.
                let middle = if line.contains('\u{1b}') { 0 } else { line.chars().take(3).map(char::len_utf8).sum() };
                let rough = format!("\u{1b}[2m{}\u{1b}[0;32m{}\u{1b}[0m\u{1b}[K\r\n", &line[..middle], &line[middle..]);
                let characters: Vec<char> = rough.chars().collect();
                for piece in characters.chunks(PIECE) {
                    steps.extend([json!({ stream: piece.iter().collect::<String>() }), json!({"wait": 1})]);
                }
            }
        }
        steps
    }

    fn with_hosts(&self, text: &str) -> String {
        match &self.hosts {
            // Only ssh's begins with a colon: its lines say `port 35207`.
            Some((":35207", port)) => text.replace("port 35207", &format!("port {}", &port[1..])),
            Some((host, now)) => text.replace(host, now),
            None => text.to_owned(),
        }
    }
}

fn pids(state: &Value) -> Vec<u32> {
    log(state).iter().filter_map(|line| line.strip_prefix("pid ")?.parse().ok()).collect()
}
