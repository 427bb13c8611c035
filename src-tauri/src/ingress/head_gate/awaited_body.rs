//! The body that does not come with its head, read by the gate itself while there is no hyper.
//!
//! Its room grows as it comes and never with what a sender merely announces.

use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BufMut as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::Instant;

use super::{HeadGate, Stage};
use crate::ingress::body::BodySource;
use crate::ingress::exchange::Broken;
use crate::ingress::head::Head;
use crate::ingress::limits::{BODY_FIRST_BYTES, BODY_READ_BYTES};

/// Tells a sender to go on (RFC 9110 section 15.2.1).
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl<S: AsyncRead + AsyncWrite + Unpin> HeadGate<S> {
    /// Tells a sender that waits for it to send the body; one that has not waited needs no word (RFC 9110 section 10.1.1).
    ///
    /// # Errors
    /// When the sender does not take it.
    pub async fn ask_for_body(&mut self, head: &Head) -> Result<(), Broken> {
        if !head.expects_continue || !self.pending.is_empty() {
            return Ok(());
        }
        self.write_all(CONTINUE).await.map_err(|error| {
            self.stage = Stage::Closed;
            if error.kind() == io::ErrorKind::TimedOut { Broken::Timeout } else { Broken::Aborted }
        })
    }

    /// Reads once, straight to where the body's bytes belong: never more than is left, so nothing of the next head.
    fn poll_exactly(&mut self, cx: &mut Context<'_>, left: u64, body: &mut Vec<u8>) -> Poll<Result<bool, Broken>> {
        let fitting = usize::try_from(left).unwrap_or(usize::MAX);
        make_room(body, fitting);
        let length = if self.pending.is_empty() {
            let room = fitting.min(body.capacity() - body.len()).min(BODY_READ_BYTES);
            let result = pin!(self.socket.read_buf(&mut body.limit(room))).poll(cx);
            ready!(self.poll_came(cx, result))?
        } else {
            let rest = self.pending.split_off(fitting.min(self.pending.len()));
            let pending = std::mem::replace(&mut self.pending, rest);
            body.extend_from_slice(&pending);
            pending.len()
        } as u64;
        self.body_bytes += length;
        self.stage = Stage::Exactly(left - length);
        Poll::Ready(Ok(length == left))
    }

    /// Reads once and takes the framing off.
    fn poll_chunks(&mut self, cx: &mut Context<'_>, body: &mut Vec<u8>) -> Poll<Result<bool, Broken>> {
        if !self.pending.is_empty() {
            let pending = std::mem::take(&mut self.pending);
            return Poll::Ready(self.take_chunks(&pending, body));
        }
        let mut room = [MaybeUninit::<u8>::uninit(); BODY_READ_BYTES];
        let mut read = ReadBuf::uninit(&mut room);
        let result = Pin::new(&mut self.socket).poll_read(cx, &mut read).map_ok(|()| read.filled().len());
        ready!(self.poll_came(cx, result))?;
        Poll::Ready(self.take_chunks(read.filled(), body))
    }

    fn take_chunks(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> Result<bool, Broken> {
        let Stage::Chunks(reader) = &mut self.stage else { return Err(Broken::Aborted) };
        let length = reader.take(bytes, body).map_err(Broken::Malformed)?;
        self.pending.extend_from_slice(&bytes[length..]);
        self.body_bytes += length as u64;
        Ok(reader.is_complete())
    }

    /// How many bytes came with one read, or why no more will.
    fn poll_came(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<usize>>) -> Poll<Result<usize, Broken>> {
        match result {
            Poll::Pending => {
                ready!(self.poll_body_deadline(cx));
                Poll::Ready(Err(Broken::Timeout))
            }
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(Err(Broken::Aborted)),
            Poll::Ready(Ok(length)) => {
                self.waiting_since = None;
                Poll::Ready(Ok(length))
            }
        }
    }

    /// Ready when the body has come too slowly.
    fn poll_body_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waiting_since = *self.waiting_since.get_or_insert_with(Instant::now);
        let since = *self.since.get_or_insert(waiting_since);
        let rate = self.limits.body_bytes_per_second_min.max(1);
        let total = self.limits.body_total.max(Duration::from_secs(self.body_bytes / rate));
        self.reading.poll(cx, (waiting_since + self.limits.body_idle).min(since + total))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> BodySource for HeadGate<S> {
    fn poll_more(&mut self, cx: &mut Context<'_>, body: &mut Vec<u8>) -> Poll<Result<bool, Broken>> {
        let more = match self.stage {
            Stage::Exactly(left) => ready!(self.poll_exactly(cx, left, body)),
            Stage::Chunks(_) => ready!(self.poll_chunks(cx, body)),
            Stage::Head => Ok(true),
            Stage::Closed => Err(Broken::Aborted),
        };
        match more {
            Ok(true) => {
                self.stage = Stage::Head;
                self.since = None;
            }
            Ok(false) => {}
            // What still comes is no head: it is read and thrown away once the sender has its answer.
            Err(_) => self.stage = Stage::Closed,
        }
        Poll::Ready(more)
    }
}

/// Makes room behind a body that fills its own: as much again, and no more than is left.
fn make_room(body: &mut Vec<u8>, left: usize) {
    if body.len() == body.capacity() {
        body.reserve_exact(left.min(body.len().max(BODY_FIRST_BYTES)));
    }
}
