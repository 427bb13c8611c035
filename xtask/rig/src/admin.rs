//! As much of a client of the admin API as the benchmarks need: one request on one connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running engine's admin port.
#[derive(Clone)]
pub struct Admin {
    pub address: SocketAddr,
    pub token: String,
}

impl Admin {
    /// A request of this API as bytes, without a body.
    pub fn get_request(&self, path: &str) -> String {
        self.head("GET", path) + "\r\n"
    }

    pub fn get(&self, path: &str) -> Result<Value> {
        self.exchange(&format!("{}Connection: close\r\n\r\n", self.head("GET", path)))
    }

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = body.to_string();
        let head = self.head(method, path);
        let length = body.len();
        self.exchange(&format!(
            "{head}Connection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }

    /// The live stream, as a window that is open reads it.
    pub fn events(&self) -> Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.write_all(self.get_request("/api/events").as_bytes())?;
        Ok(stream)
    }

    fn head(&self, method: &str, path: &str) -> String {
        let Admin { address, token } = self;
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n")
    }

    fn exchange(&self, request: &str) -> Result<Value> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        read_json(&String::from_utf8(answer).context("the answer is no text")?)
            .with_context(|| request.lines().next().unwrap_or_default().to_owned())
    }
}

fn read_json(answer: &str) -> Result<Value> {
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no head")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        bail!("{status}: {body}");
    }
    Ok(if body.is_empty() { Value::Null } else { serde_json::from_str(body)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_answer_is_an_error_with_what_it_says() {
        assert_eq!(read_json("HTTP/1.1 200 OK\r\na: b\r\n\r\n{\"total\":3}").unwrap()["total"], 3);
        assert_eq!(read_json("HTTP/1.1 204 No Content\r\n\r\n").unwrap(), Value::Null);
        let error = read_json("HTTP/1.1 422 Unprocessable\r\n\r\n{\"error\":{\"code\":\"bad_url\"}}").unwrap_err();
        assert!(error.to_string().contains("bad_url"));
    }
}
