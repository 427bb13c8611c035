//! Nonces of proofs of life: the ingress answers only those that this engine issued, and only while they are waited for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Random bytes in a nonce.
const NONCE_BYTES: usize = 18;

/// The nonces that are waited for, each with whether it has arrived.
#[derive(Debug, Default)]
pub struct Nonces {
    waiting: Mutex<HashMap<String, bool>>,
}

/// A nonce that is waited for; forgotten when dropped.
#[derive(Debug)]
pub struct Nonce<'a> {
    nonces: &'a Nonces,
    text: String,
}

impl Nonces {
    /// A fresh one.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn issue(&self) -> Result<Nonce<'_>, getrandom::Error> {
        let mut random = [0; NONCE_BYTES];
        getrandom::fill(&mut random)?;
        let text = URL_SAFE_NO_PAD.encode(random);
        self.lock().insert(text.clone(), false);
        Ok(Nonce { nonces: self, text })
    }

    /// Notes that a nonce came in; whether it is one of ours.
    pub fn arrived(&self, text: &str) -> bool {
        self.lock().get_mut(text).is_some_and(|arrived| {
            *arrived = true;
            true
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, bool>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Nonce<'_> {
    /// As it stands in the path.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it came in.
    pub fn has_arrived(&self) -> bool {
        self.nonces.lock().get(&self.text).copied().unwrap_or(false)
    }
}

impl Drop for Nonce<'_> {
    fn drop(&mut self) {
        self.nonces.lock().remove(&self.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_known_while_it_is_waited_for_and_no_longer() {
        let nonces = Nonces::default();
        assert!(!nonces.arrived("guess"));
        let nonce = nonces.issue().unwrap();
        let text = nonce.as_str().to_owned();
        assert!(!nonce.has_arrived());
        assert!(nonces.arrived(&text) && nonce.has_arrived());
        drop(nonce);
        assert!(!nonces.arrived(&text));
    }
}
