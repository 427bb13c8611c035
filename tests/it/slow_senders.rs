//! Senders that take their time: what thousands of them may cost, and that their requests are whole in the end.
#![cfg(target_os = "linux")]

use std::io::{BufReader, Write as _};
use std::net::TcpStream;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;

use super::support::{Creel, Endpoint, Launch, http, until};

/// Senders at a time.
const SENDERS: usize = 1_000;
/// What one of them may make the engine grow by, in KiB. Measured are 4 with thousands of them, and were 19 when hyper held
/// its buffers meanwhile; 4,096 connections stay below 64 MiB with it.
const GROWTH_KIB_MAX: u64 = 10;
/// What each body ends with; the rest comes drop by drop.
const LAST: &[u8] = b"the end";

/// Two ends of each connection are open here and in the engine, beside what other tests need.
fn allow_many_files() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert!(hard > 2 * SENDERS as u64, "{hard} open files are too few");
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(soft.max(16 * SENDERS as u64)), hard).unwrap();
}

/// The engine's own memory, in KiB. Not what the kernel calls private and dirty: that counts pages of a program that has
/// just been linked.
fn anonymous_kib(creel: &Creel) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", creel.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).expect("a line of anonymous memory");
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// How one sender frames its drops.
#[derive(Clone, Copy)]
enum Framing {
    Length(usize),
    Chunks,
}

impl Framing {
    fn head(self, endpoint: &Endpoint) -> String {
        let framing = match self {
            Framing::Length(length) => format!("Content-Length: {length}"),
            Framing::Chunks => "Transfer-Encoding: chunked".to_owned(),
        };
        format!("POST {} HTTP/1.1\r\nHost: a\r\nUser-Agent: a slow sender\r\n{framing}\r\n\r\n", endpoint.path)
    }

    fn drop(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Framing::Length(_) => bytes.to_vec(),
            Framing::Chunks => [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat(),
        }
    }

    fn last(self) -> Vec<u8> {
        match self {
            Framing::Length(_) => LAST.to_vec(),
            Framing::Chunks => [&self.drop(LAST)[..], b"0\r\n\r\n"].concat(),
        }
    }
}

/// Connections whose requests have begun; every other one has carried a request before.
fn begin(creel: &Creel, endpoint: &Endpoint, framing: Framing) -> Vec<TcpStream> {
    (0..SENDERS)
        .map(|n| {
            let mut stream = http::connect(creel.ingress).unwrap();
            if n % 2 == 1 {
                let before = endpoint.post("before").header("Connection", "keep-alive").bytes(creel.ingress);
                stream.write_all(&before).unwrap();
                assert_eq!(http::read_response(&mut BufReader::new(&stream), false).unwrap().status, 200);
            }
            stream.write_all(framing.head(endpoint).as_bytes()).unwrap();
            stream
        })
        .collect()
}

#[test]
fn a_thousand_bodies_that_come_drop_by_drop_cost_little_and_arrive_whole() {
    allow_many_files();
    let drops: Vec<String> = (0..8).map(|n| format!("drop {n}; ")).collect();
    let whole = drops.concat().into_bytes();
    let whole = [&whole[..], LAST].concat();
    for framing in [Framing::Length(whole.len()), Framing::Chunks] {
        let creel = Creel::start();
        let endpoint = creel.endpoint(json!({}));
        for _ in 0..50 {
            creel.send_expecting("skipped", &endpoint.post("to warm up"));
        }
        let before = anonymous_kib(&creel);
        let mut senders = begin(&creel, &endpoint, framing);
        let mut most = 0;
        for drop in &drops {
            for sender in &mut senders {
                sender.write_all(&framing.drop(drop.as_bytes())).unwrap();
            }
            creel.send_expecting("skipped", &endpoint.post("meanwhile"));
            most = most.max(anonymous_kib(&creel));
        }
        let each = most.saturating_sub(before) / SENDERS as u64;
        assert!(each <= GROWTH_KIB_MAX, "{SENDERS} slow bodies take {each} KiB each, from {before} KiB");

        for sender in &mut senders {
            sender.write_all(&framing.last()).unwrap();
        }
        let mut last = None;
        for sender in &senders {
            let answer = http::read_response(&mut BufReader::new(sender), false).unwrap().expect_json(200);
            last = answer["delivery_id"].as_str().map(str::to_owned);
        }
        assert_eq!(creel.stored_body(&last.unwrap()), whole);
        let expected = (50 + SENDERS / 2 + drops.len() + SENDERS) as u64;
        until("every request is a delivery", || (creel.total("") == expected).then_some(()));
    }
}

#[test]
fn a_body_that_announces_much_and_sends_little_reserves_little() {
    allow_many_files();
    let creel = Creel::start();
    let endpoint = creel.endpoint(json!({}));
    creel.send_expecting("skipped", &endpoint.post("to warm up"));
    let before = anonymous_kib(&creel);
    let mut senders = begin(&creel, &endpoint, Framing::Length(20_000_000));
    for sender in &mut senders {
        sender.write_all(b"little").unwrap();
    }
    // 1,000 times 20 MB would also be far beyond the budget of bytes in flight: an honest request is still taken.
    let body = vec![b'x'; 5_000_000];
    let answer = creel.send_expecting("skipped", &endpoint.post(&body));
    assert!(creel.stored_body(answer["delivery_id"].as_str().unwrap()) == body, "a body came back changed");
    let each = anonymous_kib(&creel).saturating_sub(before + 32 * 1024) / SENDERS as u64;
    assert!(each <= GROWTH_KIB_MAX, "{SENDERS} slow bodies take {each} KiB each");
}

#[test]
fn a_thousand_connections_stay_open_where_few_files_are_allowed_at_first() {
    allow_many_files();
    let creel = Launch::new().open_files(128).start();
    let endpoint = creel.endpoint(json!({}));
    let request = endpoint.post("one of many").header("Connection", "keep-alive").bytes(creel.ingress);
    let mut senders: Vec<TcpStream> = (0..SENDERS).map(|_| http::connect(creel.ingress).unwrap()).collect();
    for sender in &mut senders {
        sender.write_all(&request).unwrap();
    }
    // Twice: the first answer of the first sender comes before the last sender is there, the second after it.
    for _ in 0..2 {
        for sender in &mut senders {
            assert_eq!(http::read_response(&mut BufReader::new(&*sender), false).unwrap().status, 200);
            sender.write_all(&request).unwrap();
        }
    }
    until("every request is a delivery", || (creel.total("") == 3 * SENDERS as u64).then_some(()));
}
