//! A sender: one HTTP request on one connection, as webhooks come.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};

/// How long an answer may take; the ingress answers right after the commit.
const PATIENCE: Duration = Duration::from_secs(30);

/// Posts to `path` at `host` (`127.0.0.1:PORT`); the status that came back.
///
/// # Errors
/// When nothing answers, or not with HTTP.
pub fn post(host: &str, path: &str, headers: &[(&str, String)], body: &[u8]) -> Result<u16> {
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len()));
    let mut stream = TcpStream::connect(host).with_context(|| format!("nothing answers on {host}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let line = String::from_utf8_lossy(answer.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).with_context(|| format!("no HTTP answer: {line:?}"))
}
