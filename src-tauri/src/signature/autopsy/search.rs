//! The trials: whether a received signature fits with something about the request, the key or the recipe changed.

use std::cell::Cell;

use subtle::ConstantTimeEq as _;

use super::super::SignedRequest;
use super::super::Template;
use super::super::algorithm::{Algorithm, Kind};
use super::super::finding::Mistake;
use super::super::options::OptionName;
use super::super::public_key::PublicKey;
use super::super::signature_place::Signature;
use super::super::template::Context;
use super::super::verification::{Received, Verification, matches};
use super::unread;

/// Bytes that one search may hash: some thirty times a body of 256 KiB, which takes well under 50 ms.
const HASHED_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// However large a body is, it may be hashed so many times: the mistakes with the secret come first, and each costs one.
const HASHED_BODIES_MIN: u64 = 4;
/// What a trial costs besides its body, in bytes: the key's set-up, or a public key's arithmetic.
const TRIAL_BYTES: u64 = 512;
/// The same for public keys, whose check takes about as long as hashing so many bytes.
const PUBLIC_KEY_TRIAL_BYTES: u64 = 48 * 1024;
/// Received signatures that are tried.
const SIGNATURES_MAX: usize = 4;
/// Seconds by which a timestamp is moved to see whether it was changed.
const MOVED_SECONDS: std::ops::RangeInclusive<i64> = -10..=10;
/// Largest body for which what takes many trials is tried: changed timestamps, mistyped URLs. In bytes.
pub(super) const SMALL_BODY_BYTES_MAX: usize = 16 * 1024;

/// One search over one request.
pub(super) struct Search<'a> {
    pub(super) verification: &'a Verification<'a>,
    pub(super) received: &'a Received,
    left: Cell<u64>,
    /// Whether something was left out because the bytes had run out.
    is_cut: Cell<bool>,
}

/// Bytes that a search over a body of this size may hash, of which `usual` is enough for most.
pub(in crate::signature) fn bytes_to_hash(usual: u64, body: usize) -> u64 {
    usual.max(HASHED_BODIES_MIN * (body as u64 + TRIAL_BYTES))
}

/// What is tried.
#[derive(Clone, Copy)]
pub(super) struct Trial<'t> {
    /// Key bytes.
    pub(super) key: &'t [u8],
    /// The secret as text, where the signed text holds it.
    pub(super) secret: &'t str,
    /// Another body.
    pub(super) body: Option<&'t [u8]>,
    /// Another URL.
    pub(super) url: Option<&'t str>,
    /// Another timestamp.
    pub(super) timestamp: Option<&'t str>,
    /// Another template.
    pub(super) template: Option<&'t Template>,
    /// Another algorithm.
    pub(super) algorithm: Option<Algorithm>,
}

impl<'t> Trial<'t> {
    /// A trial with nothing changed but the key.
    pub(super) const fn with_key(key: &'t [u8], secret: &'t str) -> Self {
        Self { key, secret, body: None, url: None, timestamp: None, template: None, algorithm: None }
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(verification: &'a Verification<'a>, received: &'a Received) -> Self {
        let left = Cell::new(bytes_to_hash(HASHED_BYTES_MAX, verification.request.body.len()));
        Self { verification, received, left, is_cut: Cell::new(false) }
    }

    /// Whether a secret can be made into a key.
    pub(super) fn is_usable(&self, secret: &str) -> bool {
        let Some(key) = self.verification.key(secret) else { return false };
        if self.verification.scheme.algorithm.kind() != Kind::PublicKey {
            return true;
        }
        let algorithm = self.verification.scheme.algorithm;
        std::str::from_utf8(&key).is_ok_and(|text| !PublicKey::read(text, algorithm, None).is_empty())
    }

    /// Whether a body of that size may be hashed once more.
    pub(super) fn may_go_on(&self) -> bool {
        let may = self.left.get() > self.verification.request.body.len() as u64;
        self.is_cut.set(self.is_cut.get() || !may);
        may
    }

    /// Takes off what it costs to write a body of that size in another way: about as much as to hash it.
    pub(super) fn pay_for_writing(&self, bytes: usize) {
        self.left.set(self.left.get().saturating_sub(bytes as u64));
    }

    /// Does something whose early end is not said.
    pub(super) fn unmarked<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.is_cut.get();
        let done = work();
        self.is_cut.set(before);
        done
    }

    /// What was not tried, in a sentence.
    pub(super) fn not_tried(&self) -> Option<String> {
        self.is_cut.get().then(|| {
            let tried = bytes_to_hash(HASHED_BYTES_MAX, self.verification.request.body.len()) / (1024 * 1024);
            format!(
                "Not every way in which the request may have been changed was tried: for a body of this size the \
                 search ends after {tried} MiB hashed."
            )
        })
    }

    /// Whether any received signature fits.
    pub(super) fn fits(&self, trial: &Trial<'_>) -> bool {
        let verification = self.verification;
        let scheme = verification.scheme;
        let algorithm = trial.algorithm.unwrap_or(scheme.algorithm);
        let mut options;
        let options = match trial.url {
            Some(url) => {
                options = verification.options.clone();
                options.set(OptionName::PublicUrl, url);
                &options
            }
            None => verification.options,
        };
        let request = SignedRequest { body: trial.body.unwrap_or(verification.request.body), ..*verification.request };
        let cost = request.body.len() as u64
            + if algorithm.kind() == Kind::PublicKey { PUBLIC_KEY_TRIAL_BYTES } else { TRIAL_BYTES };
        let templates = trial.template.map_or(&scheme.contents[..], std::slice::from_ref);
        for (signature, time) in self.received.signatures.iter().take(SIGNATURES_MAX) {
            if algorithm.kind() == Kind::Token {
                if trial.key.ct_eq(&signature.bytes).into() {
                    return true;
                }
                continue;
            }
            let timestamp = trial.timestamp.or(time.as_ref().map(|(text, _)| text.as_str()));
            let id = self.received.id.as_deref();
            let context = Context { request: &request, options, secret: trial.secret, timestamp, id };
            for template in templates {
                let Some(left) = self.left.get().checked_sub(cost) else {
                    self.is_cut.set(true);
                    return false;
                };
                self.left.set(left);
                if matches(algorithm, trial.key, template, &context, &signature.bytes) == Ok(true) {
                    return true;
                }
            }
        }
        false
    }

    /// Whether a signature fits as it stands.
    pub(super) fn fits_unchanged(&self, secret: &str) -> bool {
        self.verification.key(secret).is_some_and(|key| self.fits(&Trial::with_key(&key, secret)))
    }

    /// A signature in another encoding that reads as one of the documented encoding too: those of public keys have no
    /// fixed length.
    pub(super) fn encoding_mistake(&self, secret: &str) -> Option<Mistake> {
        let verification = self.verification;
        let scheme = verification.scheme;
        if scheme.algorithm.kind() != Kind::PublicKey {
            return None;
        }
        let key = verification.key(secret)?;
        let (first, time) = self.received.signatures.first()?;
        let sources = verification.sources();
        let mut signatures = Vec::new();
        for place in &scheme.places {
            for value in place.values(&sources) {
                let texts = place.items(&value).into_iter();
                let texts = texts.filter_map(|item| item.strip_prefix(place.prefix().as_bytes()));
                let others = texts.flat_map(|text| unread::in_other_encodings(text, place.encoding));
                signatures.extend(others.map(|bytes| (Signature { bytes, ..first.clone() }, time.clone())));
            }
        }
        let received = Received { signatures, id: self.received.id.clone() };
        let other =
            Search { received: &received, left: Cell::new(self.left.get()), ..Search::new(verification, &received) };
        other.fits(&Trial::with_key(&key, secret)).then_some(Mistake::EncodingMismatch)
    }

    /// Any of the signed parts, in any order, joined in any way.
    pub(super) fn arrangement_mistake(&self, secret: &str) -> Option<Mistake> {
        if self.verification.request.body.len() > SMALL_BODY_BYTES_MAX {
            return None;
        }
        let key = self.verification.key(secret)?;
        let fits =
            |template: &Template| self.fits(&Trial { template: Some(template), ..Trial::with_key(&key, secret) });
        let mut contents = self.verification.scheme.contents.iter();
        contents.find_map(|content| {
            let mut arrangements = content.arrangements();
            let (is_whole, _) = arrangements.find(|(_, template)| self.may_go_on() && fits(template))?;
            Some(if is_whole { Mistake::SignedContentWrong } else { Mistake::SignedContentIncomplete })
        })
    }

    /// A part left out of the signed text, or the parts joined in another way.
    pub(super) fn content_mistake(&self, secret: &str) -> Option<Mistake> {
        let key = self.verification.key(secret)?;
        let fits =
            |template: &Template| self.fits(&Trial { template: Some(template), ..Trial::with_key(&key, secret) });
        for content in &self.verification.scheme.contents {
            let (incomplete, wrong) = content.mistakes();
            if incomplete.iter().any(fits) {
                return Some(Mistake::SignedContentIncomplete);
            }
            if wrong.iter().any(fits) {
                return Some(Mistake::SignedContentWrong);
            }
        }
        None
    }

    /// Another algorithm whose signatures are of the same length.
    pub(super) fn algorithm_mistake(&self, secret: &str) -> Option<Mistake> {
        let key = self.verification.key(secret)?;
        let scheme = self.verification.scheme;
        let others: &[Algorithm] = match scheme.algorithm {
            Algorithm::HmacSha256 => &[Algorithm::Sha256],
            Algorithm::HmacSha1 => &[Algorithm::Sha1],
            Algorithm::Sha256 => &[Algorithm::HmacSha256],
            Algorithm::Sha1 => &[Algorithm::HmacSha1],
            Algorithm::RsaSha1 => &[Algorithm::RsaSha256, Algorithm::RsaPssSha256],
            Algorithm::RsaSha256 => &[Algorithm::RsaSha1, Algorithm::RsaPssSha256],
            Algorithm::RsaPssSha256 => &[Algorithm::RsaSha256],
            _ => &[],
        };
        let body = Template::body();
        let fits = |algorithm: &Algorithm| {
            let trial = Trial { algorithm: Some(*algorithm), ..Trial::with_key(&key, secret) };
            self.fits(&trial) || self.fits(&Trial { template: Some(&body), ..trial })
        };
        others.iter().any(fits).then_some(Mistake::WrongAlgorithm)
    }

    /// A timestamp that was moved by a few seconds after signing.
    pub(super) fn moved_timestamp(&self, secret: &str) -> Option<Mistake> {
        let place = self.verification.scheme.timestamp.as_ref()?;
        if self.verification.request.body.len() > SMALL_BODY_BYTES_MAX {
            return None;
        }
        let (_, at) = self.received.signatures.iter().find_map(|(_, time)| time.clone())?;
        let key = self.verification.key(secret)?;
        let fits = |seconds: i64| {
            let moved = crate::domain::Timestamp::from_millis(at.as_millis().saturating_add(seconds * 1000));
            let text = place.unit.write(moved);
            self.fits(&Trial { timestamp: Some(&text), ..Trial::with_key(&key, secret) })
        };
        MOVED_SECONDS.filter(|seconds| *seconds != 0).any(fits).then_some(Mistake::TimestampTampered)
    }
}
