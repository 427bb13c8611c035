//! Signing secrets in memory: hidden from `Debug`, wiped when dropped, without a serde form.

use std::fmt;

use zeroize::Zeroizing;

use super::limits::{SECRET_HINT_BYTES_MIN, SECRET_HINT_CHARS, SHORT_SECRET_BYTES};

/// A signing secret exactly as the user gave it. Never trimmed: white space around it may be the very mistake to explain.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps the text; the caller's copy is the caller's to wipe.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself, for signing and storing; for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, or nothing when that would give away too much of a short secret, or tells no key from
    /// another: those of PEM (RFC 7468) all end alike.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        if self.0.chars().count() < SECRET_HINT_BYTES_MIN || self.0.trim_end().ends_with("-----") {
            return None;
        }
        let tail: Vec<char> = self.0.chars().rev().take(SECRET_HINT_CHARS).collect();
        Some(tail.into_iter().rev().collect())
    }

    /// Shorter than what HMAC keys should have: accepted, with a warning.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.0.len() < SHORT_SECRET_BYTES
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_its_last_four_characters_only_when_it_has_twelve() {
        assert_eq!(Secret::new("abcdefghijk".into()).hint(), None);
        assert_eq!(Secret::new("abcdefghijkl".into()).hint().as_deref(), Some("ijkl"));
        assert_eq!(Secret::new("-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n".into()).hint(), None);
    }

    #[test]
    fn a_secret_never_appears_in_debug_output() {
        assert!(!format!("{:?}", Secret::new("hunter2hunter2".into())).contains("hunter2"));
    }
}
