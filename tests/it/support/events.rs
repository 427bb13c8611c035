//! A listener on the engine's event stream.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::creel::Creel;
use super::http;
use super::wait::until;

/// One event as it came over the stream.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: Value,
}

/// An open stream, read in the background until dropped.
pub struct Events {
    stream: TcpStream,
    seen: Arc<Mutex<Vec<Event>>>,
}

impl Events {
    #[track_caller]
    pub fn open(creel: &Creel) -> Self {
        Self::connect(creel, None)
    }

    /// Goes on behind an event that was seen before.
    #[track_caller]
    pub fn resume(creel: &Creel, last_event_id: &str) -> Self {
        Self::connect(creel, Some(last_event_id))
    }

    #[track_caller]
    fn connect(creel: &Creel, last_event_id: Option<&str>) -> Self {
        let mut request = creel.call("GET", "/events").header("Accept", "text/event-stream");
        request = request.header("Connection", "keep-alive");
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let mut stream = http::connect(creel.admin).expect("connect to the stream");
        stream.write_all(&request.head(creel.admin)).expect("ask for the stream");
        let mut reader = BufReader::new(stream.try_clone().expect("clone the stream"));
        let head = http::read_head(&mut reader).expect("stream head").expect("an answer");
        let (first, headers) = http::split_head(&head).expect("stream head");
        assert!(first.contains(" 200 "), "{first}");
        let kind = http::header(&headers, "content-type").unwrap_or_default();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        let seen = Arc::<Mutex<Vec<Event>>>::default();
        let sink = Arc::clone(&seen);
        let chunked = http::header(&headers, "transfer-encoding").is_some();
        thread::spawn(move || {
            if chunked {
                collect(BufReader::new(Dechunked { inner: reader, left: 0 }), &sink)
            } else {
                collect(reader, &sink)
            }
        });
        Self { stream, seen }
    }

    pub fn seen(&self) -> Vec<Event> {
        self.seen.lock().expect("events").clone()
    }

    /// The first event of this name whose data pleases.
    #[track_caller]
    pub fn wait_for(&self, name: &str, pleases: impl Fn(&Value) -> bool) -> Event {
        until(&format!("a {name} event comes"), || {
            self.seen().into_iter().find(|event| event.name == name && pleases(&event.data))
        })
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn collect(mut reader: impl BufRead, sink: &Mutex<Vec<Event>>) {
    let (mut id, mut name, mut data) = (String::new(), String::new(), String::new());
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let line = line.trim_end_matches(['\r', '\n']);
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => value.clone_into(&mut id),
            "event" => value.clone_into(&mut name),
            "data" => data.push_str(value),
            _ => {}
        }
        if line.is_empty() && !name.is_empty() {
            let json = serde_json::from_str(&data).unwrap_or(Value::Null);
            sink.lock().expect("events").push(Event { id: id.clone(), name: std::mem::take(&mut name), data: json });
            data.clear();
        }
    }
}

/// Takes a chunked body's framing away (RFC 9112 section 7.1).
struct Dechunked<R> {
    inner: R,
    left: usize,
}

impl<R: BufRead> Read for Dechunked<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.left == 0 {
            let mut line = String::new();
            if self.inner.read_line(&mut line)? == 0 {
                return Ok(0);
            }
            if line.trim().is_empty() {
                continue;
            }
            self.left = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
            if self.left == 0 {
                return Ok(0);
            }
        }
        let most = self.left.min(into.len());
        let read = self.inner.read(&mut into[..most])?;
        self.left -= read;
        Ok(read)
    }
}
