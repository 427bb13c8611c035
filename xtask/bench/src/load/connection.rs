//! One kept-alive connection, opened again when the other side closes it between requests.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::answer;

/// Size of the buffer that answers are read into, in bytes.
const BUFFER: usize = 16 * 1024;

pub struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The last answer said that the connection would close
    spent: bool,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Connection> {
        Ok(Connection { address, stream: connect(address).await?, buffer: vec![0; BUFFER], spent: false })
    }

    /// Sends a request, reads the whole answer, and gives its status.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        if self.spent {
            self.stream = connect(self.address).await?;
            self.spent = false;
        }
        self.stream.write_all(request).await.context("sending")?;
        let mut filled = 0;
        let head = loop {
            if filled == self.buffer.len() {
                bail!("the answer's head is larger than {BUFFER} bytes");
            }
            filled += self.read(filled).await?;
            if let Some(head) = answer::parse(&self.buffer[..filled])? {
                break head;
            }
        };
        let mut missing = (head.length + head.body)
            .checked_sub(filled)
            .context("more bytes came than the answer's Content-Length says")?;
        while missing > 0 {
            missing = missing.checked_sub(self.read(0).await?).context("the answer is longer than it says")?;
        }
        self.spent = head.closes;
        Ok(head.status)
    }

    /// Reads into the buffer from `at` on; the end of the stream is an error, because an answer is awaited.
    async fn read(&mut self, at: usize) -> Result<usize> {
        match self.stream.read(&mut self.buffer[at..]).await.context("reading the answer")? {
            0 => bail!("the connection was closed before the answer was complete"),
            length => Ok(length),
        }
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_large_answer_in_pieces_and_a_closed_connection_are_both_read_through() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            for connection in ["keep-alive", "close"] {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.read_exact(&mut [0; 4]).await.unwrap();
                let body = vec![b'x'; 3 * BUFFER];
                let head = format!(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nX: {connection}\r\nContent-Length: {}\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                stream.write_all(b"\r\n").await.unwrap();
                stream.write_all(&body).await.unwrap();
            }
        });
        let mut connection = Connection::open(address).await.unwrap();
        assert_eq!(connection.exchange(b"ping").await.unwrap(), 200);
        assert_eq!(connection.exchange(b"ping").await.unwrap(), 200);
        server.await.unwrap();
        assert!(connection.exchange(b"ping").await.is_err(), "nobody listens any more");
    }
}
