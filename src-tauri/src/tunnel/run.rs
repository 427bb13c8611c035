//! One run of a tunnel's program, from its start to its end: what it writes, whether it stands, whether it carries
//! requests.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use tokio_util::sync::CancellationToken;

use super::blueprint::Launch;
use super::lines::LineSplitter;
use super::output_rules::{Finding, Meaning, OutputReader};
use super::record::record_path;
use super::spawner::{GuardedCommand, ProcessEvent, TunnelProcess, until};
use super::supervision::{Later, LocalAnswer, Request, Watch};
use super::template;
use crate::domain::{Timestamp, TunnelBreak, TunnelProbe, TunnelStatus, TunnelStream};

/// How long a program may take until its tunnel stands.
const START_TIME: Duration = Duration::from_secs(30);
/// How long a program that has said that it cannot go on may take to end by itself.
const FATAL_TIME: Duration = Duration::from_secs(2);
/// How long the guard may take to end everything; longer than the time it gives the program.
const STOP_TIME: Duration = Duration::from_millis(4_200);
/// Between two looks at the clock, the program's own address and the log.
const TICK: Duration = Duration::from_millis(500);
/// Between two proofs of life while all is well.
const PROOF_EVERY: Duration = Duration::from_secs(60);
/// Between two proofs of life while they fail.
const PROOF_AGAIN: Duration = Duration::from_secs(5);
/// Proofs of life in a row that must fail before the tunnel is called degraded: a new name takes a moment to be known.
const PROOFS_FAILED: u32 = 2;
/// How long a tunnel that has carried must carry nothing before its program is started anew: some sessions look alive and
/// deliver nothing for ever (github.com/hookdeck/hookdeck-cli, issue 323). A minute: most programs find their way back by
/// themselves, and with some of them a new start means a new URL.
const DEAF_UNTIL_RESTART: Duration = Duration::from_secs(60);
/// A gap between two ticks, on either clock, that means that the machine slept.
const SLEPT: Duration = Duration::from_secs(15);

/// How a run ended.
pub(super) enum RunEnd {
    /// By the user.
    Stopped,
    /// The program ended, or was ended because its tunnel did not stand in time; another try may help.
    Ended { reason: String, hint: Option<String> },
    /// Another try would not help.
    GivenUp { reason: String, hint: Option<String> },
}

/// A reason with what to do.
type Said = (String, Option<String>);

/// The state of one run.
pub(super) struct Run<'a> {
    watch: &'a mut Watch,
    launch: Launch,
    reader: OutputReader,
    stdout: LineSplitter,
    stderr: LineSplitter,
    /// The program, or its own address, says that it is connected.
    connected: bool,
    /// Until when the tunnel must stand, or the program must have ended.
    deadline: Option<Instant>,
    fatal: Option<Said>,
    trouble: Option<Said>,
    proof: Option<Later<TunnelProbe>>,
    proof_at: Option<Instant>,
    /// In a row.
    proofs_failed: u32,
    /// Whether a proof came back from the present URL. One that never did may be kept out by somebody's rule, which a new
    /// start would not change.
    has_carried: bool,
    /// Since when proofs are lost behind a connection that was made: a machine without a network is not the tunnel's fault.
    deaf_since: Option<Instant>,
    ready_answer: Option<Later<LocalAnswer>>,
    url_answer: Option<Later<LocalAnswer>>,
    ticked: (Instant, Timestamp),
}

impl<'a> Run<'a> {
    /// Starts the program and watches it to its end.
    pub(super) async fn of(
        watch: &'a mut Watch,
        requested: &mut mpsc::Receiver<Request>,
        stop: &CancellationToken,
    ) -> RunEnd {
        watch.stands = false;
        let mut launch = watch.parts.blueprint.launch(free_port(), &watch.parts.dir);
        if let Err(reason) = watch.write_files(std::mem::take(&mut launch.files)).await {
            return RunEnd::GivenUp { reason, hint: Some("Check the data directory and its disk.".to_owned()) };
        }
        let command = GuardedCommand {
            record: record_path(&watch.parts.dir),
            program: launch.program.clone(),
            args: launch.args.clone(),
            env: std::mem::take(&mut launch.env),
        };
        watch.note(format!("starting {}", launch.program.display()));
        let mut process = match watch.parts.spawner.spawn(&command) {
            Ok(process) => process,
            Err(error) => return RunEnd::GivenUp { reason: error.to_string(), hint: None },
        };
        let now = Instant::now();
        let mut run = Run {
            reader: OutputReader::new(watch.parts.blueprint.rules()),
            launch,
            stdout: LineSplitter::default(),
            stderr: LineSplitter::default(),
            connected: !watch.parts.blueprint.tells_ready(),
            deadline: Some(now + START_TIME),
            fatal: None,
            trouble: None,
            proof: None,
            proof_at: None,
            proofs_failed: 0,
            has_carried: false,
            deaf_since: None,
            ready_answer: None,
            url_answer: None,
            ticked: (now, watch.parts.outside.now()),
            watch,
        };
        run.take_known_url();
        run.go_on(process.as_mut(), requested, stop).await
    }

    async fn go_on(
        mut self,
        process: &mut dyn TunnelProcess,
        requested: &mut mpsc::Receiver<Request>,
        stop: &CancellationToken,
    ) -> RunEnd {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    self.end(process).await;
                    return RunEnd::Stopped;
                }
                event = process.next() => match event {
                    ProcessEvent::Output { stream, bytes } => self.read(stream, &bytes),
                    ProcessEvent::Ended { code } => return self.ended(code),
                },
                () = until(self.deadline) => {
                    self.end(process).await;
                    return self.ran_out_of_time();
                }
                Some(Request::Probe) = requested.recv() => self.prove_now(),
                probe = answer(&mut self.proof) => {
                    self.proved(probe);
                    if self.deaf_since.is_some_and(|since| since.elapsed() >= DEAF_UNTIL_RESTART) {
                        self.end(process).await;
                        return self.carried_nothing();
                    }
                }
                said = answer(&mut self.ready_answer) => {
                    if matches!(said, Ok((200, _))) {
                        self.connect();
                    }
                }
                said = answer(&mut self.url_answer) => self.take_url_answer(said),
                _ = tick.tick() => self.tick(),
            }
        }
    }

    /// Reads what the program wrote.
    fn read(&mut self, stream: TunnelStream, bytes: &[u8]) {
        let splitter = if stream == TunnelStream::Stdout { &mut self.stdout } else { &mut self.stderr };
        for line in splitter.take(bytes) {
            self.read_line(stream, &line);
        }
    }

    fn read_line(&mut self, stream: TunnelStream, line: &str) {
        let hidden = self.watch.parts.blueprint.provider().hide.as_ref().is_some_and(|hide| hide.is_match(line));
        if !hidden {
            self.watch.keep(stream, line);
        }
        let Some(finding) = self.reader.read(stream, line) else { return };
        let reason = finding.reason.clone().unwrap_or_else(|| self.watch.shown(line));
        let said = (reason, finding.hint.clone());
        match finding.means {
            Meaning::Url | Meaning::Port => self.take_url(&finding),
            Meaning::Ready => self.connect(),
            Meaning::Lost => self.lose(said),
            Meaning::FatalAtFirst if self.watch.was_ready => self.trouble = Some(said),
            Meaning::Fatal | Meaning::FatalAtFirst => {
                self.fatal.get_or_insert(said);
                self.deadline = Some(Instant::now() + FATAL_TIME);
            }
            Meaning::Trouble => self.trouble = Some(said),
        }
    }

    /// A URL that holds before the program says anything.
    fn take_known_url(&mut self) {
        let blueprint = &self.watch.parts.blueprint;
        let port = |name: &str| if name == "port" { blueprint.chosen_port() } else { None };
        let known = blueprint.url_template().and_then(|url| template::fill(&url, port));
        if let Some(url) = known.and_then(|url| base_url(&url)) {
            self.set_url(url);
        }
    }

    fn take_url(&mut self, finding: &Finding) {
        let group = |name: &str| finding.groups.get(name).cloned();
        let template = match finding.means {
            Meaning::Port => self.watch.parts.blueprint.url_template(),
            _ => finding.url.clone(),
        };
        let text = match template {
            Some(template) => template::fill(&template, group),
            None => group("url").or_else(|| group("0")),
        };
        match text.as_deref().and_then(base_url) {
            Some(url) => self.set_url(url),
            None => self.watch.note("the line above holds no http or https URL".to_owned()),
        }
    }

    fn take_url_answer(&mut self, said: LocalAnswer) {
        let Some((_, field, prefix)) = &self.launch.url_api else { return };
        let Ok((200, body)) = said else { return };
        let Ok(answer) = serde_json::from_slice::<Value>(&body) else { return };
        let texts: Vec<&str> = match answer.get(field) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let best = texts.iter().find(|text| text.starts_with("https://")).or_else(|| texts.first());
        let text = best.filter(|text| !text.is_empty()).map(|text| format!("{prefix}{text}"));
        if let Some(url) = text.as_deref().and_then(base_url) {
            self.set_url(url);
        }
    }

    fn set_url(&mut self, url: String) {
        let is_new = self.watch.set_url(url);
        match self.watch.standing.status {
            TunnelStatus::Starting => self.watch.set(TunnelStatus::UrlKnown, None, None),
            // The program was given another URL while it ran.
            TunnelStatus::Ready | TunnelStatus::Degraded if is_new => {
                // What is proved of the URL before says nothing of this one.
                (self.proof, self.watch.standing.last_probe) = (None, None);
                (self.proofs_failed, self.has_carried, self.deaf_since) = (0, false, None);
                self.watch.publish();
                self.prove_now();
            }
            _ => {}
        }
        self.stand();
    }

    fn connect(&mut self) {
        self.connected = true;
        if self.watch.standing.status == TunnelStatus::Degraded {
            // It had lost its connection and has it again; whether it carries requests is proved.
            self.prove_now();
        }
        self.stand();
    }

    /// The tunnel stands when its URL is known and its program is connected.
    fn stand(&mut self) {
        if !self.connected || self.fatal.is_some() || self.watch.standing.status != TunnelStatus::UrlKnown {
            return;
        }
        self.deadline = None;
        self.watch.was_ready = true;
        self.watch.stands = true;
        self.trouble = None;
        self.watch.set(TunnelStatus::Ready, None, None);
        self.prove_now();
    }

    fn lose(&mut self, (reason, hint): Said) {
        if self.watch.standing.status == TunnelStatus::Ready {
            self.watch.set(TunnelStatus::Degraded, Some(reason), hint);
            self.proof_at = Some(Instant::now() + PROOF_AGAIN);
        }
    }

    fn prove_now(&mut self) {
        self.proof_at = Some(Instant::now());
        self.prove_if_due();
    }

    fn prove_if_due(&mut self) {
        let stands = matches!(self.watch.standing.status, TunnelStatus::Ready | TunnelStatus::Degraded);
        let is_due = self.proof_at.is_some_and(|at| at <= Instant::now());
        if let (true, true, None, Some(url)) = (stands, is_due, &self.proof, &self.watch.standing.public_url) {
            self.proof = Some(self.watch.parts.outside.prove(url.clone()));
            self.proof_at = None;
        }
    }

    fn proved(&mut self, probe: TunnelProbe) {
        self.proofs_failed = if probe.ok { 0 } else { self.proofs_failed + 1 };
        self.has_carried |= probe.ok;
        let is_lost = !probe.ok && probe.connected && self.has_carried;
        self.deaf_since = is_lost.then(|| self.deaf_since.unwrap_or_else(Instant::now));
        let next = Instant::now() + if probe.ok { PROOF_EVERY } else { PROOF_AGAIN };
        self.proof_at = Some(self.proof_at.map_or(next, |asked| asked.min(next)));
        let (is_ok, message, broke_at) = (probe.ok, probe.message.clone(), probe.broke_at);
        self.watch.standing.last_probe = Some(probe);
        if is_ok {
            self.watch.set(TunnelStatus::Ready, None, None);
        } else if self.proofs_failed >= PROOFS_FAILED {
            self.watch.set(TunnelStatus::Degraded, Some(message), broke_at.map(|place| hint_for(place).to_owned()));
        } else {
            self.watch.publish();
        }
    }

    fn tick(&mut self) {
        if self.slept() {
            self.watch.note("this machine was asleep, or its clock was set: the tunnel is proved again".to_owned());
            // One that was under way may wait for an answer that was due in the sleep.
            self.proof = None;
            self.deaf_since = None;
            self.prove_now();
        }
        self.prove_if_due();
        let outside = &self.watch.parts.outside;
        if let (false, None, Some(url)) = (self.connected, &self.ready_answer, &self.launch.ready_api) {
            self.ready_answer = Some(outside.get(url.clone()));
        }
        // Not while there is no URL: after a restart there still is the one of the run before.
        let is_starting = self.watch.standing.status == TunnelStatus::Starting;
        if let (true, None, Some((url, ..))) = (is_starting, &self.url_answer, &self.launch.url_api) {
            self.url_answer = Some(outside.get(url.clone()));
        }
        if self.watch.has_news() {
            self.watch.publish();
        }
    }

    /// Whether time was lost since the last tick: by the wall's clock, which goes on in sleep, or by ours.
    fn slept(&mut self) -> bool {
        let now = (Instant::now(), self.watch.parts.outside.now());
        let (before, wall_before) = std::mem::replace(&mut self.ticked, now);
        let ours = now.0.saturating_duration_since(before);
        ours > SLEPT || Duration::from_millis(now.1.millis_since(wall_before)) > SLEPT
    }

    /// Ends the program in good order, and the guard by force when that takes too long.
    async fn end(&mut self, process: &mut dyn TunnelProcess) {
        process.ask_to_stop().await;
        let deadline = Instant::now() + STOP_TIME;
        while let Ok(event) = timeout_at(deadline, process.next()).await {
            match event {
                ProcessEvent::Output { stream, bytes } => self.read(stream, &bytes),
                ProcessEvent::Ended { .. } => return,
            }
        }
        process.kill();
    }

    /// The program ended by itself: a failure whatever its code, for nobody asked it to.
    fn ended(mut self, code: Option<i32>) -> RunEnd {
        for (stream, line) in
            [(TunnelStream::Stdout, self.stdout.finish()), (TunnelStream::Stderr, self.stderr.finish())]
        {
            if let Some(line) = line {
                self.read_line(stream, &line);
            }
        }
        let with = code.map_or_else(|| "without an exit code".to_owned(), |code| format!("with exit code {code}"));
        self.watch.note(format!("the program ended {with}"));
        if let Some((reason, hint)) = self.fatal {
            return RunEnd::GivenUp { reason, hint };
        }
        let name = self.watch.parts.blueprint.provider().name.clone();
        let (reason, hint) = self.trouble.unwrap_or_else(|| {
            let words = self.watch.last_words().map(|words| format!(": {words}")).unwrap_or_default();
            (format!("{name} ended {with}{words}"), None)
        });
        RunEnd::Ended { reason, hint }
    }

    /// The program ran on, and its tunnel was of no use any more.
    fn carried_nothing(self) -> RunEnd {
        let name = &self.watch.parts.blueprint.provider().name;
        let proved = self.watch.standing.last_probe.as_ref().map(|probe| format!(": {}", probe.message));
        let reason = format!("{name} ran, but its tunnel carried nothing any more{}", proved.unwrap_or_default());
        let hint = "Its log below may say why; look at the provider's status page, or take another tunnel.";
        RunEnd::Ended { reason, hint: Some(hint.to_owned()) }
    }

    fn ran_out_of_time(self) -> RunEnd {
        if let Some((reason, hint)) = self.fatal {
            return RunEnd::GivenUp { reason, hint };
        }
        let name = &self.watch.parts.blueprint.provider().name;
        let said_url = self.watch.standing.status != TunnelStatus::Starting;
        let what = if said_url { "was not connected" } else { "said no public URL" };
        let late = format!("{name} {what} within {} s", START_TIME.as_secs());
        let (reason, hint) = self.trouble.unwrap_or_else(|| {
            (late, Some("Its log below may say why; check that this machine is online.".to_owned()))
        });
        if self.watch.was_ready { RunEnd::Ended { reason, hint } } else { RunEnd::GivenUp { reason, hint } }
    }
}

fn hint_for(place: TunnelBreak) -> &'static str {
    match place {
        TunnelBreak::Dns => {
            "A new address takes a minute to be known everywhere; otherwise check this machine's network."
        }
        TunnelBreak::Tunnel => "If it does not come back by itself, stop the tunnel and start it again.",
        TunnelBreak::Ingress => "The tunnel stands but leads elsewhere: check where its other end sends requests.",
    }
}

/// The base URL of a text: scheme, host and port, without a trailing slash.
fn base_url(text: &str) -> Option<String> {
    let url = url::Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.has_host().then(|| url.origin().ascii_serialization())
}

/// A port that nobody listens on, for the program's own address. Somebody may take it before the program does; the
/// program then ends, and the next start takes another.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    listener.and_then(|listener| listener.local_addr()).map_or(0, |address| address.port())
}

/// What was promised, once; for ever when nothing is.
async fn answer<T>(promised: &mut Option<Later<T>>) -> T {
    let Some(later) = promised else { return std::future::pending().await };
    let value = later.as_mut().await;
    *promised = None;
    value
}
