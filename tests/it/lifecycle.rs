//! Starting and stopping: one owner per data directory, exit codes, private files, an orderly end.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;

use nix::sys::signal::Signal;
use serde_json::json;

use super::support::creel::{Reaped, run_of};
use super::support::sign::fingerprint;
use super::support::{Creel, Gate, Home, Launch, Target, text, until};

/// Where an SQLite file keeps its user version, four bytes big endian (SQLite file format, section 1.3).
const USER_VERSION_AT: usize = 60;

#[test]
fn run_json_says_who_serves_where() {
    let creel = Creel::start();
    assert_eq!(creel.run["pid"], creel.pid());
    assert_eq!(text(&creel.run, "ingress_url"), format!("http://{}", creel.ingress));
    assert_eq!(text(&creel.run, "admin_url"), format!("http://{}", creel.admin));
    assert!(text(&creel.run, "started_at").ends_with('Z') && text(&creel.run, "admin_token").len() >= 32);
    assert_eq!(creel.run.as_object().unwrap().len(), 6, "{}", creel.run);
}

#[test]
fn a_signal_ends_it_with_0_and_leaves_a_checkpointed_database_and_no_run_json() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut creel = Creel::start();
        let endpoint = creel.endpoint(json!({}));
        for n in 0..20 {
            creel.send_expecting("skipped", &endpoint.post(format!("{n}")));
        }
        creel.signal(signal);
        assert_eq!(creel.exit_code(), Some(0), "{signal}");
        let home = creel.home();
        assert!(!home.run_json().exists(), "{signal}: run.json is left behind");
        let wal = fs::metadata(home.data().join("creel.db-wal")).map_or(0, |wal| wal.len());
        assert_eq!(wal, 0, "{signal}: the write-ahead log is not checkpointed");
        let again = Launch::at(creel.home().clone()).start();
        assert_eq!(again.total(""), 20);
    }
}

#[test]
fn what_is_in_flight_is_finished_before_the_end() {
    let mut creel = Creel::start();
    let gate = Gate::default();
    let target = Target::behind(&gate);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let answer = creel.send_expecting("accepted", &endpoint.post("{}"));
    target.wait_for(1);
    creel.signal(Signal::SIGTERM);
    until("it no longer accepts", || std::net::TcpStream::connect(creel.ingress).is_err().then_some(()));
    gate.open();
    assert_eq!(creel.exit_code(), Some(0));
    let again = Launch::at(creel.home().clone()).start();
    let row = again.delivery(text(&answer, "delivery_id"));
    assert_eq!((&row["status"], &row["relay_status"]), (&json!("dispatched"), &json!(200)));
    assert_eq!(target.count(), 1);
}

#[test]
fn a_target_that_never_answers_does_not_keep_it_from_ending() {
    let mut creel = Creel::start();
    let gate = Gate::default();
    let target = Target::behind(&gate);
    let endpoint = creel.relaying(&[&target.url("/")], json!({}));
    let ids: Vec<String> = (0..6)
        .map(|_| text(&creel.send_expecting("accepted", &endpoint.post("{}")), "delivery_id").to_owned())
        .collect();
    target.wait_for(4);
    assert_eq!(creel.stop(), Some(0));
    gate.open();
    let again = Launch::at(creel.home().clone()).start();
    for id in &ids {
        let row = again.settled(id);
        assert!(["interrupted", "dispatched"].contains(&text(&row, "status")), "{row}");
        let sent = target.seen().iter().filter(|seen| seen.delivery_id() == id).count();
        assert_eq!(sent, 1, "{row}");
    }
}

/// In-flight work gets five seconds in all (CONTRACT section 2), however many parts of the engine wait for it.
#[test]
fn a_sender_that_waits_for_a_hanging_target_does_not_hold_up_the_end() {
    let mut creel = Creel::start();
    let gate = Gate::default();
    let target = Target::behind(&gate);
    let reply = json!({"reply": {"mode": "passthrough", "timeout_ms": 60000}});
    let endpoint = creel.relaying(&[&target.url("/")], reply);
    let sender = std::thread::spawn({
        let (request, ingress) = (endpoint.post("{}"), creel.ingress);
        move || request.try_to(ingress)
    });
    target.wait_for(1);
    let began = std::time::Instant::now();
    assert_eq!(creel.stop(), Some(0));
    // Behaviour, with slack: three waits of five seconds one after the other would be fifteen.
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "it took {:?}", began.elapsed());
    gate.open();
    let _whatever_the_sender_saw = sender.join();
}

/// The code with which a start ends; none when it serves instead.
fn code_unless_it_serves(launch: &Launch) -> Option<i32> {
    let mut child = Reaped(launch.spawn());
    let pid = child.0.id();
    until("it ends or serves", || match child.0.try_wait().unwrap() {
        Some(status) => Some(status.code()),
        None => run_of(launch.home(), pid).map(|_| None),
    })
}

/// The directory has one owner. Also run against an engine that takes no lock.
pub fn a_second_instance_exits_3_and_names_the_owner(creel: &Creel, second: &Launch) {
    let code = code_unless_it_serves(second);
    assert_eq!(code, Some(3), "a second instance serves the same directory");
    let streams = creel.home().streams();
    assert!(streams.contains(&creel.pid().to_string()), "the owner is not named: {streams}");
}

#[test]
fn a_second_instance_is_turned_away_and_the_first_serves_on() {
    let mut creel = Creel::start();
    a_second_instance_exits_3_and_names_the_owner(&creel, &Launch::at(creel.home().clone()));
    let ended = Launch::at(creel.home().clone()).run_to_end();
    assert_eq!(ended.code, Some(3));
    assert!(ended.stderr.contains(&creel.pid().to_string()) && ended.stdout.is_empty(), "{ended:?}");
    assert!(creel.is_running());
    let endpoint = creel.endpoint(json!({}));
    creel.send_expecting("skipped", &endpoint.post("{}"));
    let run: serde_json::Value = serde_json::from_slice(&fs::read(creel.home().run_json()).unwrap()).unwrap();
    assert_eq!(run["pid"], creel.pid(), "run.json still names the owner");
}

#[test]
fn of_twenty_starts_at_once_exactly_one_serves_and_the_rest_exit_3() {
    const STARTS: usize = 20;
    let home = Home::new();
    let mut children: Vec<_> = (0..STARTS).map(|_| Reaped(Launch::at(home.clone()).spawn())).collect();
    let codes = until("all but one have ended", || {
        let codes: Vec<i32> = children.iter_mut().filter_map(|child| child.0.try_wait().unwrap()?.code()).collect();
        (codes.len() >= STARTS - 1).then_some(codes)
    });
    assert_eq!(codes, vec![3; STARTS - 1], "{}", home.streams());
    let alive: Vec<u32> =
        children.iter_mut().filter_map(|child| child.0.try_wait().unwrap().is_none().then(|| child.0.id())).collect();
    assert_eq!(alive.len(), 1);
    until("the one serves", || run_of(&home, alive[0]));
}

#[test]
fn a_crash_leaves_no_lock_behind() {
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    creel.send_expecting("skipped", &endpoint.post("{}"));
    let creel = creel.kill_and_restart();
    assert_eq!(creel.total(""), 1);
}

/// A database of a later version. Also run against an engine that does not look at the version.
pub fn a_newer_database_is_left_untouched(launch: &Launch) {
    let home = launch.home();
    let mut creel = Launch::at(home.clone()).start();
    assert_eq!(creel.stop(), Some(0));
    let mut bytes = fs::read(home.database()).unwrap();
    bytes[USER_VERSION_AT..USER_VERSION_AT + 4].copy_from_slice(&9_999_u32.to_be_bytes());
    fs::write(home.database(), &bytes).unwrap();
    let before = fingerprint(&bytes);
    assert_eq!(code_unless_it_serves(launch), Some(4), "a newer database was opened");
    assert_eq!(fingerprint(&fs::read(home.database()).unwrap()), before, "a newer database was opened and changed");
}

#[test]
fn a_newer_database_exits_4_with_the_file_unchanged_and_a_word_why() {
    let launch = Launch::new();
    a_newer_database_is_left_untouched(&launch);
    let ended = launch.run_to_end();
    assert_eq!(ended.code, Some(4));
    assert!(ended.stderr.contains("version") && ended.stdout.is_empty(), "{ended:?}");
}

#[test]
fn a_file_that_is_no_database_fails_with_1_and_is_left_alone() {
    let home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    fs::write(home.database(), "not a database, but long enough to look at: ".repeat(200)).unwrap();
    let before = fs::read(home.database()).unwrap();
    let ended = Launch::at(home.clone()).run_to_end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert_eq!(fs::read(home.database()).unwrap(), before);
}

#[test]
fn an_address_in_use_exits_5_and_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    for launch in [Launch::new().ingress(addr), Launch::new().admin(addr)] {
        let ended = launch.run_to_end();
        assert_eq!(ended.code, Some(5), "{ended:?}");
        assert!(ended.stderr.contains(&addr.to_string()), "{}", ended.stderr);
        assert!(!launch.home().run_json().exists());
    }
}

#[test]
fn a_wrong_command_line_exits_2_and_touches_nothing() {
    let wrong = [
        Launch::new().admin("0.0.0.0:0"),
        Launch::new().admin("192.0.2.1:4101"),
        Launch::new().admin("[::]:0"),
        Launch::new().admin("nonsense"),
        Launch::new().ingress("127.0.0.1"),
        Launch::new().arg("--max-body-bytes").arg("many"),
        Launch::new().arg("--keep-rows").arg("-1"),
        Launch::new().arg("--trusted-proxy").arg("300.0.0.0/8"),
        Launch::new().arg("--public-url").arg("nonsense"),
        Launch::new().arg("--no-such-flag"),
    ];
    for (nth, launch) in wrong.iter().enumerate() {
        let ended = launch.run_to_end();
        assert_eq!(ended.code, Some(2), "case {nth}: {ended:?}");
        assert!(!ended.stderr.is_empty() && ended.stdout.is_empty(), "case {nth}: {ended:?}");
        assert!(!launch.home().data().exists(), "case {nth} made a data directory");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Nobody else on the machine may read along. Also run against an engine that leaves it to the umask.
pub fn directory_and_files_are_private(launch: &Launch) {
    let creel = launch.start();
    let endpoint = creel.endpoint(json!({}));
    creel.send_expecting("skipped", &endpoint.post("{}"));
    let data = creel.home().data();
    assert_eq!(mode(data), 0o700, "the data directory is open to others");
    let files: Vec<_> = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{} is open to others", file.display());
    }
}

#[test]
fn the_data_directory_is_0700_and_every_file_0600_whatever_the_umask() {
    for umask in ["000", "022", "077"] {
        directory_and_files_are_private(&Launch::new().umask(umask));
    }
}

#[test]
fn a_data_directory_that_was_open_to_others_is_closed() {
    let home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    fs::set_permissions(home.data(), fs::Permissions::from_mode(0o755)).unwrap();
    directory_and_files_are_private(&Launch::at(home));
}

#[test]
fn a_data_directory_with_an_odd_name_works() {
    let home = Home::new();
    let odd = Home::with_data(home.scratch("dätä 'n\" spaces/\u{1f980}?#%20"));
    let creel = Launch::at(odd).start();
    let endpoint = creel.endpoint(json!({}));
    creel.send_expecting("skipped", &endpoint.post("{}"));
    let creel = creel.kill_and_restart();
    assert_eq!(creel.total(""), 1);
}

#[test]
fn the_data_directory_can_come_from_the_environment() {
    let home = Home::new();
    let mut command = std::process::Command::new(super::support::creel::BINARY);
    super::support::creel::clean_env(&mut command);
    command.args(["serve", "--ingress", "127.0.0.1:0", "--admin", "127.0.0.1:0"]).env("CREEL_DATA_DIR", home.data());
    let null = || std::process::Stdio::null();
    let child = command.stdin(null()).stdout(null()).stderr(null()).spawn().unwrap();
    let child = Reaped(child);
    until("it serves there", || run_of(&home, child.0.id()));
    assert!(home.database().exists());
}

#[test]
fn everything_survives_an_orderly_restart() {
    let creel = Creel::start();
    let target = Target::answering(201);
    let endpoint = creel.relaying(&[&target.url("/")], json!({ "name": "kept", "event_filters": [] }));
    creel.set_secret(&endpoint, "a secret of enough bytes");
    let signature = super::support::hub_signature("a secret of enough bytes", b"{}");
    let post = endpoint.post("{}").header("X-Hub-Signature-256", &signature);
    let answer = creel.send_expecting("accepted", &post);
    let id = text(&answer, "delivery_id").to_owned();
    creel.settled(&id);
    creel.send(&endpoint.post("forged")).expect_json(401);
    creel.send(&super::support::Request::post("/in/ep_unknown").body(""));
    creel.refused(1);
    let snapshot = |creel: &Creel| {
        let mut endpoint = creel.get(&format!("/endpoints/{}", endpoint.id));
        endpoint["ingress_url"] = json!("depends on the port");
        json!([endpoint, creel.delivery(&id), creel.get("/deliveries"), creel.attempts(&id), creel.refusals()])
    };
    let before = snapshot(&creel);
    let creel = creel.stop_and_restart();
    assert_eq!(snapshot(&creel), before);
    creel.send_expecting("accepted", &post);
}

#[test]
fn many_posts_at_the_moment_of_the_stop_are_stored_or_not_acknowledged() {
    let mut creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    let ingress = creel.ingress;
    let mut acked: Vec<String> = thread::scope(|scope| {
        let senders: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut acked = Vec::new();
                    while let Ok(answer) = endpoint.post("{}").try_to(ingress) {
                        if answer.status == 200 {
                            acked.push(text(&answer.json(), "delivery_id").to_owned());
                        }
                    }
                    acked
                })
            })
            .collect();
        until("senders are at work", || (creel.total("") > 50).then_some(()));
        assert_eq!(creel.stop(), Some(0));
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    });
    let again = Launch::at(creel.home().clone()).start();
    let stored: std::collections::HashSet<String> =
        again.all_deliveries().iter().map(|row| text(row, "id").to_owned()).collect();
    acked.retain(|id| !stored.contains(id));
    assert!(acked.is_empty(), "acknowledged and lost: {acked:?}");
}
