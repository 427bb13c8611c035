//! HTTP/1.1 over plain blocking sockets: a test decides every byte that is sent and sees every byte that comes back.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a test waits for bytes before it gives up: far above every limit of the contract that is tested.
pub const PATIENCE: Duration = Duration::from_secs(100);

/// Headers in order, repeats kept; a value's bytes are shown one to one as ISO 8859-1.
pub type HeaderList = Vec<(String, String)>;

/// The first value of a header, name in any case.
pub fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// All values of a header, in order.
pub fn header_all<'a>(headers: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    let of_name = headers.iter().filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
    of_name.map(|(_, value)| value.as_str()).collect()
}

#[derive(Clone, Debug)]
enum Framing {
    Length,
    Chunked(usize),
}

/// A request to be sent on a connection of its own.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    target: String,
    host: Option<String>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    framing: Framing,
}

impl Request {
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            host: None,
            headers: Vec::new(),
            body: Vec::new(),
            framing: Framing::Length,
        }
    }

    pub fn post(target: &str) -> Self {
        Self::new("POST", target)
    }

    pub fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// Puts more behind the path: a suffix, a query.
    pub fn at(mut self, suffix: &str) -> Self {
        self.target.push_str(suffix);
        self
    }

    pub fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    pub fn header_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }

    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    pub fn json(self, value: &Value) -> Self {
        self.header("Content-Type", "application/json").body(value.to_string())
    }

    /// Sends the body in chunks of this many bytes instead of announcing its length.
    pub fn chunked(mut self, chunk_bytes: usize) -> Self {
        self.framing = Framing::Chunked(chunk_bytes);
        self
    }

    /// The request as it goes over the wire.
    pub fn bytes(&self, addr: SocketAddr) -> Vec<u8> {
        let mut bytes = self.head(addr);
        match self.framing {
            Framing::Length => bytes.extend_from_slice(&self.body),
            Framing::Chunked(size) => {
                for chunk in self.body.chunks(size) {
                    bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
        }
        bytes
    }

    /// The head alone, with its empty line.
    pub fn head(&self, addr: SocketAddr) -> Vec<u8> {
        let host = self.host.clone().unwrap_or_else(|| addr.to_string());
        let mut bytes = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        match self.framing {
            Framing::Length => bytes.extend_from_slice(format!("Content-Length: {}\r\n", self.body.len()).as_bytes()),
            Framing::Chunked(_) => bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        }
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("connection")) {
            bytes.extend_from_slice(b"Connection: close\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    /// Sends it and reads the whole answer.
    pub fn try_to(&self, addr: SocketAddr) -> io::Result<Response> {
        let stream = connect(addr)?;
        let mut writer = stream.try_clone()?;
        // A server may answer and close before it has read everything: the answer counts, not the failed write.
        let written = writer.write_all(&self.bytes(addr));
        let mut reader = BufReader::new(stream);
        match read_response(&mut reader, self.method == "HEAD") {
            Err(error) => written.and(Err(error)),
            answered => answered,
        }
    }

    /// As [`Request::try_to`], for a test that has no use for a broken connection.
    pub fn to(&self, addr: SocketAddr) -> Response {
        let answered = self.try_to(addr);
        answered.unwrap_or_else(|error| panic!("{} {} got no whole answer: {error}", self.method, self.target))
    }
}

pub fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends bytes as they are, closes the sending side and returns all that comes back until the other side closes.
pub fn raw_exchange(addr: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(addr).expect("connect");
    // Refused early: what was answered still counts.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    // A reset after the answer ends it as well as an orderly close.
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderList,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("status {} and no JSON ({error}): {}", self.status, self.text()))
    }

    /// The JSON of an answer that must have this status.
    #[track_caller]
    pub fn expect_json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "answer: {}", self.text());
        self.json()
    }

    /// Fails unless the answer is an error of the admin API with this status; returns its code.
    #[track_caller]
    pub fn expect_error(&self, status: u16) -> String {
        let json = self.expect_json(status);
        let error = &json["error"];
        let code = error["code"].as_str().unwrap_or_else(|| panic!("no error code: {json}"));
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'), "{code}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "no message: {json}");
        code.to_owned()
    }
}

/// Reads one answer, interim ones skipped.
pub fn read_response(reader: &mut impl BufRead, to_head: bool) -> io::Result<Response> {
    loop {
        let head = read_head(reader)?.ok_or_else(|| broken("closed without an answer"))?;
        let (first, headers) = split_head(&head)?;
        let status: u16 = first.split(' ').nth(1).and_then(|text| text.parse().ok()).ok_or_else(|| broken(&first))?;
        if (100..200).contains(&status) && status != 101 {
            continue;
        }
        let bodyless = to_head || status == 204 || status == 304;
        let body = if bodyless { Vec::new() } else { read_body(reader, &headers, true)? };
        return Ok(Response { status, headers, body });
    }
}

/// Reads a head with its empty line; none when the other side closed before the first byte.
pub fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            return if head.is_empty() { Ok(None) } else { Err(broken("closed within the head")) };
        }
    }
    Ok(Some(head))
}

/// The first line, and the headers.
pub fn split_head(head: &[u8]) -> io::Result<(String, HeaderList)> {
    let text: String = head.iter().map(|&byte| char::from(byte)).collect();
    let mut lines = text.trim_end_matches("\r\n").split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let pairs = lines.map(|line| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned())));
    pairs.collect::<Option<_>>().map(|headers| (first, headers)).ok_or_else(|| broken("a header without a colon"))
}

/// Reads a body as its headers frame it; without framing to the end (answers) or not at all (requests).
pub fn read_body(reader: &mut impl BufRead, headers: &HeaderList, is_answer: bool) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if header(headers, "transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(|_| broken("bad chunk size"))?;
            let start = body.len();
            body.resize(start + size, 0);
            reader.read_exact(&mut body[start..])?;
            reader.read_line(&mut String::new())?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
    if let Some(length) = header(headers, "content-length") {
        body.resize(length.parse().map_err(|_| broken("bad length"))?, 0);
        reader.read_exact(&mut body)?;
    } else if is_answer {
        reader.read_to_end(&mut body)?;
    }
    Ok(body)
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
