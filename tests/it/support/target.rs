//! A developer's app: a real server on a free port that records every request byte for byte and answers by script.

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::http::{self, HeaderList, PATIENCE};
use super::wait::until;

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub head: Vec<u8>,
    pub method: String,
    /// Path and query as they stood in the request line.
    pub target: String,
    pub headers: HeaderList,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        http::header(&self.headers, name)
    }

    /// The id of the delivery that this request relays.
    #[track_caller]
    pub fn delivery_id(&self) -> &str {
        self.header("X-Creel-Delivery").unwrap_or_else(|| panic!("no X-Creel-Delivery: {:?}", self.headers))
    }
}

/// What a target does with a connection, once a request has been read from it; false ends the connection.
type Behaviour = Box<dyn Fn(&Seen, &mut TcpStream) -> io::Result<bool> + Send + Sync>;

struct Shared {
    behaviour: Behaviour,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    closing: AtomicBool,
}

/// A running target; it stops listening when dropped.
pub struct Target {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

impl Target {
    /// Answers every request with this status and a short text.
    pub fn answering(status: u16) -> Self {
        Self::with(move |_| Answer::new(status).body("the target's answer"))
    }

    /// Answers each request as the script says.
    pub fn with(script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self::raw(move |seen, stream| {
            stream.write_all(&script(seen).bytes(seen.method == "HEAD"))?;
            Ok(true)
        })
    }

    /// Waits with each answer until the gate is open, then answers 200.
    pub fn behind(gate: &Gate) -> Self {
        let gate = gate.clone();
        Self::with(move |_| {
            gate.pass();
            Answer::new(200).body("late")
        })
    }

    /// Does anything at all with the connection.
    pub fn raw(behaviour: impl Fn(&Seen, &mut TcpStream) -> io::Result<bool> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind a target");
        let shared = Arc::new(Shared {
            behaviour: Box::new(behaviour),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
        });
        let target = Self { addr: listener.local_addr().expect("target address"), shared: Arc::clone(&shared) };
        thread::spawn(move || accept(&listener, &shared));
        target
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("seen").clone()
    }

    pub fn count(&self) -> usize {
        self.shared.seen.lock().expect("seen").len()
    }

    /// Connections made so far, whether a request came over them or not.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The requests, once there are this many.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Seen> {
        until("the target has seen enough", || Some(self.seen()).filter(|seen| seen.len() >= count))
    }

    /// The only request, once it is there.
    #[track_caller]
    pub fn only(&self) -> Seen {
        let seen = self.wait_for(1);
        assert_eq!(seen.len(), 1, "the target saw more than one request");
        seen[0].clone()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then ends; a refused connection means that it has already.
        let _ = TcpStream::connect(self.addr);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.closing.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // The other side may go away at any time; what it has sent is recorded all the same.
            let _ = serve(stream, &shared);
        });
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(seen) = read_request(&mut reader)? {
        shared.seen.lock().expect("seen").push(seen.clone());
        if !(shared.behaviour)(&seen, &mut stream)? {
            return Ok(());
        }
    }
    Ok(())
}

fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Seen>> {
    let Some(head) = http::read_head(reader)? else { return Ok(None) };
    let (first, headers) = http::split_head(&head)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let body = http::read_body(reader, &headers, false)?;
    Ok(Some(Seen { head, method, target, headers, body }))
}

/// An answer of a target.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: HeaderList,
    body: Vec<u8>,
}

impl Answer {
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    fn bytes(&self, to_head: bool) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {} Answer\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if self.status == 204 || self.status == 304 {
            bytes.extend_from_slice(b"\r\n");
            return bytes;
        }
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", self.body.len()).as_bytes());
        if !to_head {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

/// Holds targets back until a test opens it.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().expect("gate") = true;
        self.0.1.notify_all();
    }

    /// Waits until the gate is open, or for ever as far as a test is concerned.
    pub fn pass(&self) {
        let open = self.0.0.lock().expect("gate");
        drop(self.0.1.wait_timeout_while(open, PATIENCE, |open| !*open).expect("gate"));
    }
}

/// An address of this machine on which nothing listens.
pub fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    listener.local_addr().expect("address")
}
