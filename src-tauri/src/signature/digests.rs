//! The digests that a request's signature header carries.

use subtle::ConstantTimeEq as _;

use super::Verdict;
use super::scheme::SignaturePlace;
use crate::domain::{Headers, SignatureReason, SignatureStatus};

/// Bytes of the longest digest of any algorithm (SHA-256).
pub(super) const DIGEST_BYTES: usize = 32;
/// Values of a repeated signature header that are read; the rest is ignored. A sender has no reason to send more than
/// a few, and each one costs a comparison.
pub(super) const SIGNATURES_READ_MAX: usize = 16;

/// One message digest.
pub(super) type Digest = [u8; DIGEST_BYTES];

/// Up to [`SIGNATURES_READ_MAX`] digests, on the stack.
pub(super) struct Digests {
    digests: [Digest; SIGNATURES_READ_MAX],
    count: usize,
}

impl Digests {
    /// Reads the header's values; blank ones count as absent, unreadable ones are passed over for readable ones.
    ///
    /// # Errors
    /// The verdict, when there is no such header, or nothing in it is in the documented form.
    pub(super) fn read(place: &SignaturePlace, headers: &Headers) -> Result<Self, Verdict> {
        let mut found = Self { digests: [[0; DIGEST_BYTES]; SIGNATURES_READ_MAX], count: 0 };
        let mut malformed = false;
        for value in headers.get_all(&place.header).take(SIGNATURES_READ_MAX) {
            if value.is_empty() {
                continue;
            }
            match place.decode(value) {
                Some(digest) => {
                    found.digests[found.count] = digest;
                    found.count += 1;
                }
                None => malformed = true,
            }
        }
        match (found.count, malformed) {
            (0, false) => Err(Verdict::without_match(SignatureStatus::Missing, SignatureReason::MissingHeader)),
            (0, true) => Err(Verdict::without_match(SignatureStatus::Invalid, SignatureReason::MalformedHeader)),
            _ => Ok(found),
        }
    }

    /// Whether any digest is this one; takes the same time wherever they differ.
    pub(super) fn contain(&self, expected: &Digest) -> bool {
        let read = &self.digests[..self.count];
        read.iter().fold(subtle::Choice::from(0), |found, digest| found | digest.ct_eq(expected)).into()
    }
}
