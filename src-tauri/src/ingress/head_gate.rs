//! The gate between the socket and hyper: no head gets past it that is not strictly HTTP/1.1.
//!
//! It reads each head itself ([`super::head`]), keeps the header lines exactly as they stood, and hands hyper a head of
//! its own making that says no more than hyper has to know: method and `Connection: close`. So there is nothing left that
//! hyper could read differently, and nothing of the original that hyper could lose (case, order, repeats). Bodies are
//! read by the gate, too, and handed over beside hyper, which is told of none: nothing has to take them through buffers
//! and channels. Most come whole with their heads. For one that does not, the gate leaves hyper as if the connection had
//! ended and reads it alone ([`awaited_body`]): hyper and its buffers are there only while something is answered. A head
//! that does not pass reaches hyper as a bare request too, so that its refusal is answered in order with the answers
//! before it.
//!
//! The gate also keeps the time, because hyper's one head timer runs on idle connections too, and it has none for
//! bodies: a head, a body, an idle connection and a sender that takes no answer each have a limit of their own.

mod awaited_body;

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::chunks::ChunkReader;
use super::connections::Place;
use super::deadline::Deadline;
use super::exchange::{Arrived, Broken, Exchange, RefusedHead};
use super::head::{BodyLength, Head, HeadParser};
use super::limits::{HEAD_READ_BYTES, IngressLimits};

/// What hyper is told of a head that did not pass.
const REFUSED_HEAD: &[u8] = b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n";

/// What the next byte belongs to.
#[derive(Debug)]
enum Stage {
    Head,
    Exactly(u64),
    Chunks(Box<ChunkReader>),
    /// Nothing more is read.
    Closed,
}

/// A socket, guarded.
#[derive(Debug)]
pub struct HeadGate<S> {
    socket: S,
    place: Place,
    exchange: Arc<Exchange>,
    limits: Arc<IngressLimits>,
    stage: Stage,
    parser: HeadParser,
    /// Read from the socket, not yet looked at.
    pending: Vec<u8>,
    /// The head made for hyper, as far as it has not taken it.
    made: Vec<u8>,
    /// A head whose body is still to come; until it is taken, hyper hears nothing.
    awaiting: Option<Box<Head>>,
    /// When the stage under way began; none until the gate first had to wait in it, so that requests which come in one
    /// piece read no clock.
    since: Option<Instant>,
    /// When the gate last began to wait for bytes of a body.
    waiting_since: Option<Instant>,
    /// Bytes of the body under way, for its minimum rate.
    body_bytes: u64,
    reading: Deadline,
    writing: Deadline,
    is_resting: bool,
    /// When a write was first not taken.
    write_blocked_since: Option<Instant>,
    write_is_shut: bool,
    /// Bytes read and thrown away after the last answer.
    drained: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> HeadGate<S> {
    /// Guards a socket that has just been accepted.
    pub fn new(socket: S, place: Place, exchange: Arc<Exchange>, limits: Arc<IngressLimits>) -> Self {
        Self {
            socket,
            place,
            exchange,
            limits,
            stage: Stage::Head,
            parser: HeadParser::default(),
            pending: Vec::new(),
            made: Vec::new(),
            awaiting: None,
            since: None,
            waiting_since: None,
            body_bytes: 0,
            reading: Deadline::default(),
            writing: Deadline::default(),
            is_resting: false,
            write_blocked_since: None,
            write_is_shut: false,
            drained: 0,
        }
    }

    /// Waits until there is something to answer, or a body to read; false when the connection ended without it. Meanwhile
    /// there is no need for hyper and its buffers, so a silent connection costs little.
    pub async fn next_head(&mut self) -> bool {
        self.is_resting = false;
        std::future::poll_fn(|cx| self.poll_head(cx, false)).await
    }

    /// The head whose body has to be read before hyper may hear of it, if that is what came.
    pub fn take_awaiting(&mut self) -> Option<Head> {
        self.awaiting.take().map(|head| *head)
    }

    /// Whether the gate told hyper that the connection has ended only because there is nothing to answer for a while: it
    /// has been idle (see [`IngressLimits::rest`]), or a body has to come first.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        self.is_resting
    }

    /// Reads until a head has been made for hyper; false at the end of the connection, or when it rests.
    fn poll_head(&mut self, cx: &mut Context<'_>, is_under_hyper: bool) -> Poll<bool> {
        if self.awaiting.is_none() {
            ready!(self.poll_made_head(cx, is_under_hyper));
        }
        // hyper asks for a head only after it has written the answer before it: leaving it now loses nothing.
        self.is_resting |= is_under_hyper && self.awaiting.is_some();
        Poll::Ready(!self.is_resting && !self.made.is_empty())
    }

    fn poll_made_head(&mut self, cx: &mut Context<'_>, may_rest: bool) -> Poll<()> {
        self.place.end_request();
        if !self.pending.is_empty() {
            self.parse_pending();
        }
        while self.made.is_empty() && matches!(self.stage, Stage::Head) {
            let mut room = [MaybeUninit::<u8>::uninit(); HEAD_READ_BYTES];
            let mut read = ReadBuf::uninit(&mut room);
            match Pin::new(&mut self.socket).poll_read(cx, &mut read) {
                Poll::Pending => {
                    ready!(self.poll_head_deadline(cx, may_rest));
                    if self.is_resting {
                        break;
                    }
                }
                Poll::Ready(Ok(())) if !read.filled().is_empty() => self.take_head_bytes(read.filled()),
                Poll::Ready(_) => self.end_before_head(),
            }
        }
        Poll::Ready(())
    }

    fn take_head_bytes(&mut self, fresh: &[u8]) {
        let was_idle = self.is_between_requests();
        if self.pending.is_empty() {
            // The common case: the whole head came in one piece, and is read where it lies.
            let end = self.parse(fresh).unwrap_or_default();
            self.pending.extend_from_slice(&fresh[end..]);
        } else {
            self.pending.extend_from_slice(fresh);
            self.parse_pending();
        }
        if was_idle && self.made.is_empty() && !self.is_between_requests() {
            self.since = Some(Instant::now());
        }
    }

    fn parse_pending(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        match self.parse(&pending) {
            // Gives the room back: a sender that drips its head may drip its body too.
            Some(end) => self.pending = pending.split_off(end),
            None => self.pending = pending,
        }
    }

    /// Reads on in the head; returns how many bytes are used up once it is complete or wrong.
    fn parse(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = match self.parser.advance(bytes) {
            Ok(None) => return None,
            Ok(Some(end)) => end,
            Err(malformed) => {
                self.refuse_head(Broken::Malformed(malformed), bytes);
                return Some(bytes.len());
            }
        };
        match std::mem::take(&mut self.parser).finish(bytes) {
            Ok(head) => Some(end + self.pass(head, &bytes[end..])),
            Err(malformed) => {
                self.refuse_head(Broken::Malformed(malformed), bytes);
                Some(bytes.len())
            }
        }
    }

    /// Lets a head pass, and its body when that is among what came with it; returns how many of those bytes it is.
    fn pass(&mut self, head: Head, rest: &[u8]) -> usize {
        if !self.place.begin_request() {
            self.stage = Stage::Closed;
            return 0;
        }
        self.since = None;
        self.waiting_since = None;
        self.body_bytes = 0;
        make_head(&mut self.made, &head);
        if let Some((body, length)) = whole_body(head.body, rest) {
            self.stage = Stage::Head;
            self.exchange.push(Arrived::Request { head, body });
            return length;
        }
        self.stage = match head.body {
            BodyLength::None => Stage::Head,
            BodyLength::Exactly(length) => Stage::Exactly(length),
            BodyLength::Chunked => Stage::Chunks(Box::default()),
        };
        self.awaiting = Some(Box::new(head));
        0
    }

    fn refuse_head(&mut self, cause: Broken, bytes: &[u8]) {
        self.stage = Stage::Closed;
        if !self.place.begin_request() {
            return;
        }
        let line = self.parser.request_line(bytes);
        self.exchange.push(Arrived::Refused(RefusedHead {
            cause,
            method: line.map(|(method, _)| method.to_owned()),
            target: line.map(|(_, target)| target.to_owned()),
        }));
        self.made.extend_from_slice(REFUSED_HEAD);
    }

    /// The sender ended the connection. Between requests that is how it ends; in a head it may only have closed its own
    /// half, and still reads the answer.
    fn end_before_head(&mut self) {
        if self.is_between_requests() {
            self.stage = Stage::Closed;
        } else {
            let pending = std::mem::take(&mut self.pending);
            self.refuse_head(Broken::Aborted, &pending);
        }
    }

    fn is_between_requests(&self) -> bool {
        !self.parser.has_begun(&self.pending)
    }

    /// Ready when the wait for a head is over without one.
    fn poll_head_deadline(&mut self, cx: &mut Context<'_>, may_rest: bool) -> Poll<()> {
        self.place.register(cx.waker());
        if self.place.has_to_close() {
            self.stage = Stage::Closed;
            return Poll::Ready(());
        }
        let is_idle = self.is_between_requests();
        let limit = if is_idle { self.limits.keep_alive_idle } else { self.limits.head };
        let since = *self.since.get_or_insert_with(Instant::now);
        // An answer that has not been taken yet still stands in hyper's buffer.
        let may_rest = may_rest && is_idle && self.write_blocked_since.is_none();
        if may_rest && self.limits.rest < limit {
            ready!(self.reading.poll(cx, since + self.limits.rest));
            self.is_resting = true;
            return Poll::Ready(());
        }
        ready!(self.reading.poll(cx, since + limit));
        if is_idle {
            self.stage = Stage::Closed;
        } else {
            let pending = std::mem::take(&mut self.pending);
            self.refuse_head(Broken::Timeout, &pending);
        }
        Poll::Ready(())
    }

    fn poll_write_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let since = *self.write_blocked_since.get_or_insert_with(Instant::now);
        self.writing.poll(cx, since + self.limits.write).map(|()| io::ErrorKind::TimedOut.into())
    }

    /// Reads and throws away what a sender that has its answer still sends; ready at its end, or at a limit.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // The answer is out: under pressure this connection is the first that can be spared.
        self.place.end_request();
        self.place.register(cx.waker());
        loop {
            if self.place.has_to_close() || self.drained > self.limits.drain_bytes {
                return Poll::Ready(());
            }
            let mut room = [MaybeUninit::<u8>::uninit(); HEAD_READ_BYTES];
            let mut read = ReadBuf::uninit(&mut room);
            match Pin::new(&mut self.socket).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => self.drained += read.filled().len() as u64,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {
                    let since = *self.since.get_or_insert_with(Instant::now);
                    return self.reading.poll(cx, since + self.limits.drain);
                }
            }
        }
    }
}

/// The body, when all of it is there, and how many bytes it took.
fn whole_body(length: BodyLength, rest: &[u8]) -> Option<(Bytes, usize)> {
    match length {
        BodyLength::None => Some((Bytes::new(), 0)),
        BodyLength::Exactly(length) => {
            let length = usize::try_from(length).ok()?;
            Some((Bytes::copy_from_slice(rest.get(..length)?), length))
        }
        BodyLength::Chunked => {
            let (mut reader, mut body) = (ChunkReader::default(), Vec::new());
            // What is wrong with it is said when it is read again as a body to come.
            let length = reader.take(rest, &mut body).ok()?;
            reader.is_complete().then(|| (body.into(), length))
        }
    }
}

/// Writes the head that hyper gets.
fn make_head(out: &mut Vec<u8>, head: &Head) {
    out.extend_from_slice(head.method.as_bytes());
    out.extend_from_slice(b" / HTTP/1.1\r\n");
    if head.closes {
        out.extend_from_slice(b"connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for HeadGate<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let is_at_head = matches!(this.stage, Stage::Head) && this.made.is_empty();
        if (is_at_head || this.awaiting.is_some()) && !ready!(this.poll_head(cx, true)) {
            return Poll::Ready(Ok(()));
        }
        let length = this.made.len().min(out.remaining());
        out.put_slice(&this.made[..length]);
        this.made.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for HeadGate<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.socket).poll_write_vectored(cx, slices) {
            Poll::Ready(result) => {
                this.write_blocked_since = None;
                Poll::Ready(result)
            }
            Poll::Pending => this.poll_write_deadline(cx).map(Err),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.socket).poll_flush(cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => this.poll_write_deadline(cx).map(Err),
        }
    }

    /// Closes this side, then reads what still comes: see [`IngressLimits::drain`].
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_resting {
            return Poll::Ready(Ok(()));
        }
        if !this.write_is_shut {
            match Pin::new(&mut this.socket).poll_shutdown(cx) {
                Poll::Ready(result) => result?,
                Poll::Pending => return this.poll_write_deadline(cx).map(Err),
            }
            this.write_is_shut = true;
            this.since = None;
        }
        if matches!(this.stage, Stage::Head) {
            return Poll::Ready(Ok(()));
        }
        this.poll_drain(cx).map(Ok)
    }
}

#[cfg(test)]
mod tests;
