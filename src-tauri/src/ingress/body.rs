//! Reading a body: its size cap, and the budget of bytes in flight over all connections.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;

use super::exchange::Broken;
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
    /// Grows to cover `bytes`, in steps so that a large body does not ask for each packet. Small bodies take small steps:
    /// thousands of senders that have sent a few bytes each must not keep the budget from the others. False when there
    /// is not enough left.
    fn cover(&mut self, bytes: u64) -> bool {
        if bytes <= self.bytes {
            return true;
        }
        let step = bytes.next_power_of_two().min(bytes.next_multiple_of(BUDGET_STEP_BYTES)) - self.bytes;
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
    /// It did not come to its end.
    #[error("the body broke off")]
    Broken(Broken),
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

/// Where a body comes from: the gate.
pub trait BodySource {
    /// Puts the next bytes behind those that have come; ready with whether the body has ended.
    fn poll_more(&mut self, cx: &mut Context<'_>, body: &mut Vec<u8>) -> Poll<Result<bool, Broken>>;
}

/// Reads a body whole. Returns it with the lease that covers it, or why not with the number of bytes read.
///
/// # Errors
/// When it is larger than `bytes_max`, exceeds the budget, or breaks off.
pub async fn read<S: BodySource>(
    source: &mut S,
    bytes_max: u64,
    mut lease: Lease,
) -> Result<(Bytes, Lease), (BodyError, u64)> {
    let mut body = Vec::new();
    loop {
        let more = poll_fn(|cx| source.poll_more(cx, &mut body)).await;
        let read = body.len() as u64;
        let has_ended = more.map_err(|broken| (BodyError::Broken(broken), read))?;
        if read > bytes_max {
            return Err((BodyError::TooLarge, read));
        }
        if !lease.cover(read) {
            return Err((BodyError::Overloaded, read));
        }
        if has_ended {
            break;
        }
    }
    body.shrink_to_fit();
    lease.shrink(body.len() as u64);
    Ok((body.into(), lease))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body that comes in pieces of these sizes.
    struct Pieces<'a>(std::slice::Iter<'a, usize>);

    impl BodySource for Pieces<'_> {
        fn poll_more(&mut self, _: &mut Context<'_>, body: &mut Vec<u8>) -> Poll<Result<bool, Broken>> {
            let size = self.0.next().copied().unwrap_or_default();
            body.resize(body.len() + size, b'x');
            Poll::Ready(Ok(self.0.as_slice().is_empty()))
        }
    }

    async fn read_sizes(sizes: &[usize], bytes_max: u64, budget: &Arc<Budget>) -> Result<(Bytes, Lease), BodyError> {
        read(&mut Pieces(sizes.iter()), bytes_max, budget.lease()).await.map_err(|(error, _)| error)
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
    #[test]
    fn senders_that_have_sent_little_leave_the_budget_to_others() {
        let budget = Budget::new(1 << 20);
        let leases: Vec<Lease> = (0..1000)
            .map(|_| {
                let mut lease = budget.lease();
                assert!((1..=100).all(|bytes| lease.cover(bytes)));
                lease
            })
            .collect();
        assert!(taken(&budget) <= 1000 * 128);
        drop(leases);
        assert_eq!(taken(&budget), 0);
    }

    #[test]
    fn a_large_body_takes_whole_steps() {
        let budget = Budget::new(10 * BUDGET_STEP_BYTES);
        let mut lease = budget.lease();
        assert!(lease.cover(3 * BUDGET_STEP_BYTES + 1));
        assert_eq!(taken(&budget), 4 * BUDGET_STEP_BYTES);
        assert!(lease.cover(4 * BUDGET_STEP_BYTES + 1));
        assert_eq!(taken(&budget), 5 * BUDGET_STEP_BYTES);
    }
}
