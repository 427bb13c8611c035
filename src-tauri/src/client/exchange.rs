//! One HTTP exchange over one connection, driven by whoever waits for it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ClientError;

type Connection = http1::Connection<TokioIo<TcpStream>, Full<Bytes>>;

/// The part of hyper's client that moves the bytes. It must be polled along with request and answer; hyper's examples
/// spawn it, which would leave a task without an owner.
struct Driver(Option<Pin<Box<Connection>>>);

impl Driver {
    /// Moves bytes. A connection that ends is no error here: whoever waits for the answer learns of it by its part.
    fn poll(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.0
            && connection.as_mut().poll(context).is_ready()
        {
            self.0 = None;
        }
    }
}

/// An answer whose body is still coming.
pub(super) struct Answer {
    driver: Driver,
    head: Response<Incoming>,
}

impl Answer {
    /// Sends a request and waits for the head of its answer.
    pub(super) async fn to(stream: TcpStream, request: Request<Full<Bytes>>) -> Result<Self, ClientError> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut driver = Driver(Some(Box::pin(connection)));
        let mut sending = std::pin::pin!(sender.send_request(request));
        let head = std::future::poll_fn(|context| {
            driver.poll(context);
            sending.as_mut().poll(context)
        })
        .await?;
        Ok(Self { driver, head })
    }

    /// HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        self.head.status()
    }

    /// The next piece of the body; none at its end. May be dropped and called again without loss.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        std::future::poll_fn(|context| self.poll_chunk(context)).await
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, ClientError>> {
        loop {
            self.driver.poll(context);
            match Pin::new(self.head.body_mut()).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers carry nothing that the API promises.
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Ok(Some(data)));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error.into())),
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// The whole body, up to `bytes_max`, with at most `pause` between two pieces.
    pub(super) async fn collect(mut self, bytes_max: usize, pause: Duration) -> Result<Bytes, ClientError> {
        let mut whole = BytesMut::new();
        loop {
            let next = timeout(pause, self.chunk()).await.map_err(|_| ClientError::TimedOut {
                what: "waiting for the rest of the engine's answer",
                seconds: pause.as_secs(),
            })?;
            let Some(chunk) = next? else { return Ok(whole.freeze()) };
            if whole.len() + chunk.len() > bytes_max {
                return Err(ClientError::TooLarge { bytes: bytes_max });
            }
            whole.extend_from_slice(&chunk);
        }
    }
}
