//! One request out, one answer in, on a connection that is open.

use std::pin::pin;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, split};
use tokio::time::{Instant, timeout_at};

use super::answer::{AnswerReader, Received};
use super::fault::Fault;
use super::limits::{ONE_WRITE_BODY_BYTES_MAX, RelayLimits};

/// What goes out.
pub(super) struct WireRequest {
    pub(super) head: Vec<u8>,
    pub(super) body: Bytes,
    /// The method is HEAD: its answer announces a body that does not come.
    pub(super) is_head: bool,
}

/// Sends the request and reads the answer at the same time, so that a target that answers early, and then reads no
/// more, is heard. `received` holds what came, also after an error.
pub(super) async fn exchange<S: AsyncRead + AsyncWrite>(
    stream: S,
    request: WireRequest,
    limits: &RelayLimits,
    total_deadline: Instant,
    received: &mut Received,
) -> Result<(), Fault> {
    let (reader, mut writer) = split(stream);
    let is_head = request.is_head;
    let mut sending = pin!(async move {
        let WireRequest { mut head, body, .. } = request;
        if body.len() <= ONE_WRITE_BODY_BYTES_MAX {
            head.extend_from_slice(&body);
            writer.write_all(&head).await?;
        } else {
            writer.write_all(&head).await?;
            writer.write_all(&body).await?;
        }
        writer.flush().await
    });
    let mut receiving = pin!(receive(reader, is_head, limits, total_deadline, received));
    tokio::select! {
        biased;
        // Broken or done: what matters is the answer, which may have come before the target stopped reading.
        _sent = &mut sending => receiving.as_mut().await,
        answered = &mut receiving => answered,
    }
}

async fn receive<R: AsyncRead + Unpin>(
    reader: R,
    is_head: bool,
    limits: &RelayLimits,
    total_deadline: Instant,
    received: &mut Received,
) -> Result<(), Fault> {
    let mut answer = AnswerReader::new(reader, limits, received);
    let head_deadline = Instant::now() + limits.head;
    if head_deadline < total_deadline {
        timeout_at(head_deadline, answer.read_head()).await.map_err(|_| Fault::HeadTime(limits.head))??;
    } else {
        timeout_at(total_deadline, answer.read_head()).await.map_err(|_| Fault::TotalTime(limits.total))??;
    }
    timeout_at(total_deadline, answer.read_body(is_head)).await.map_err(|_| Fault::TotalTime(limits.total))?
}
