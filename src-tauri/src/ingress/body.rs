//! Reading a body: its size cap, and the budget of bytes in flight over all connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt as _;

use super::limits::BUDGET_STEP_BYTES;

/// How many bytes all bodies that are being read or captured may hold together.
#[derive(Debug)]
pub struct Budget {
    max: u64,
    taken: AtomicU64,
}

impl Budget {
    /// A budget of this many bytes.
    #[must_use]
    pub fn new(max: u64) -> Arc<Self> {
        Arc::new(Self { max, taken: AtomicU64::new(0) })
    }

    /// Takes nothing yet.
    #[must_use]
    pub fn lease(self: &Arc<Self>) -> Lease {
        Lease { budget: Arc::clone(self), bytes: 0 }
    }

    fn take(&self, bytes: u64) -> bool {
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= self.max {
            return true;
        }
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
        false
    }
}

/// A part of the budget; given back when dropped.
#[derive(Debug)]
pub struct Lease {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Lease {
    /// Grows to cover `bytes`, in steps so that a large body does not ask for each packet. False when there is not
    /// enough left.
    fn cover(&mut self, bytes: u64) -> bool {
        if bytes <= self.bytes {
            return true;
        }
        let step = (bytes - self.bytes).next_multiple_of(BUDGET_STEP_BYTES);
        let exact = bytes - self.bytes;
        // Near the end of the budget the exact need may fit where a whole step does not.
        let Some(taken) = [step, exact].into_iter().find(|&want| self.budget.take(want)) else { return false };
        self.bytes += taken;
        true
    }

    /// As [`Lease::cover`], for a body that will not grow.
    fn cover_exactly(&mut self, bytes: u64) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let covered = self.budget.take(more);
        self.bytes += if covered { more } else { 0 };
        covered
    }

    /// Gives back what a body of this size does not need.
    fn shrink(&mut self, bytes: u64) {
        let spare = self.bytes.saturating_sub(bytes);
        self.budget.taken.fetch_sub(spare, Ordering::Relaxed);
        self.bytes -= spare;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Larger than the cap.
    #[error("the body is too large")]
    TooLarge,
    /// No budget left.
    #[error("too many bytes in flight")]
    Overloaded,
    /// It broke off; the exchange knows why.
    #[error("the body broke off")]
    Broken,
}

/// Takes a body that has come whole, with the lease that covers it, or says why not with its number of bytes.
///
/// # Errors
/// When it is larger than `bytes_max` or exceeds the budget.
pub fn take(body: Bytes, bytes_max: u64, mut lease: Lease) -> Result<(Bytes, Lease), (BodyError, u64)> {
    let length = body.len() as u64;
    if length > bytes_max {
        return Err((BodyError::TooLarge, length));
    }
    if lease.cover_exactly(length) { Ok((body, lease)) } else { Err((BodyError::Overloaded, length)) }
}

/// Reads a body whole. Returns it with the lease that covers it, or why not with the number of bytes read.
///
/// # Errors
/// When it is larger than `bytes_max`, exceeds the budget, or breaks off.
pub async fn read<B>(mut body: B, bytes_max: u64, mut lease: Lease) -> Result<(Bytes, Lease), (BodyError, u64)>
where
    B: Body<Data = Bytes> + Unpin,
{
    let Some(first) = next_data(&mut body, 0).await? else { return Ok((Bytes::new(), lease)) };
    claim(first.len() as u64, bytes_max, &mut lease)?;
    // The common case: the body came in one piece, and is kept where it lies.
    let Some(second) = next_data(&mut body, first.len() as u64).await? else {
        lease.shrink(first.len() as u64);
        return Ok((first, lease));
    };
    let mut whole = Vec::with_capacity(2 * (first.len() + second.len()));
    whole.extend_from_slice(&first);
    drop(first);
    let mut next = Some(second);
    while let Some(data) = next {
        let read = whole.len() as u64 + data.len() as u64;
        claim(read, bytes_max, &mut lease)?;
        whole.extend_from_slice(&data);
        drop(data);
        next = next_data(&mut body, read).await?;
    }
    whole.shrink_to_fit();
    lease.shrink(whole.len() as u64);
    Ok((whole.into(), lease))
}

fn claim(read: u64, bytes_max: u64, lease: &mut Lease) -> Result<(), (BodyError, u64)> {
    if read > bytes_max {
        return Err((BodyError::TooLarge, read));
    }
    if lease.cover(read) { Ok(()) } else { Err((BodyError::Overloaded, read)) }
}

/// The next bytes; trailers and empty frames are passed over.
async fn next_data<B>(body: &mut B, read: u64) -> Result<Option<Bytes>, (BodyError, u64)>
where
    B: Body<Data = Bytes> + Unpin,
{
    while let Some(frame) = body.frame().await {
        match frame {
            Err(_) => return Err((BodyError::Broken, read)),
            Ok(frame) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                Ok(_) | Err(_) => {}
            },
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http_body::Frame;

    use super::*;

    struct Frames(VecDeque<Bytes>);

    impl Body for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(|data| Ok(Frame::data(data))))
        }
    }

    async fn read_sizes(sizes: &[usize], bytes_max: u64, budget: &Arc<Budget>) -> Result<(Bytes, Lease), BodyError> {
        let frames = sizes.iter().map(|&size| Bytes::from(vec![b'x'; size])).collect();
        read(Frames(frames), bytes_max, budget.lease()).await.map_err(|(error, _)| error)
    }

    fn taken(budget: &Budget) -> u64 {
        budget.taken.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn a_body_is_the_same_in_one_piece_and_in_many() {
        let budget = Budget::new(1 << 20);
        for sizes in [&[][..], &[5], &[0, 5, 0], &[1, 2, 3, 4000, 70_000]] {
            let (body, lease) = read_sizes(sizes, 1 << 20, &budget).await.unwrap();
            assert_eq!(body.len(), sizes.iter().sum::<usize>());
            assert_eq!(taken(&budget), body.len() as u64);
            drop(lease);
            assert_eq!(taken(&budget), 0);
        }
    }

    #[tokio::test]
    async fn the_cap_holds_to_the_byte() {
        let budget = Budget::new(1 << 20);
        assert!(read_sizes(&[100], 100, &budget).await.is_ok());
        assert!(read_sizes(&[60, 40], 100, &budget).await.is_ok());
        assert_eq!(read_sizes(&[101], 100, &budget).await.unwrap_err(), BodyError::TooLarge);
        assert_eq!(read_sizes(&[60, 41], 100, &budget).await.unwrap_err(), BodyError::TooLarge);
        let whole = |bytes: &'static [u8]| take(Bytes::from_static(bytes), 3, budget.lease()).map(|(body, _)| body);
        assert_eq!((whole(b"123"), whole(b"1234")), (Ok("123".into()), Err((BodyError::TooLarge, 4))));
        assert_eq!(taken(&budget), 0);
    }

    #[tokio::test]
    async fn all_bodies_together_stay_within_the_budget() {
        let budget = Budget::new(1000);
        let (_, first) = read_sizes(&[600], 1000, &budget).await.unwrap();
        assert_eq!(read_sizes(&[200, 201], 1000, &budget).await.unwrap_err(), BodyError::Overloaded);
        let whole = |size| take(Bytes::from(vec![b'x'; size]), 1000, budget.lease()).map_err(|(error, _)| error);
        assert_eq!(whole(401).unwrap_err(), BodyError::Overloaded);
        assert_eq!(whole(400).map(|(body, _)| body.len()), Ok(400));
        assert!(read_sizes(&[200, 200], 1000, &budget).await.is_ok());
        drop(first);
        assert!(read_sizes(&[500, 500], 1000, &budget).await.is_ok());
        assert_eq!(taken(&budget), 0);
    }
}
