//! What must not be seen in a log: the secrets that were given, and what looks like one.

use regex::{Captures, Regex};

use crate::domain::{Secret, SeededBug, Token};

/// What stands in place of a secret.
const HIDDEN: &str = "•••";
/// A secret shorter than this many bytes is not looked for: it would blank ordinary words.
const SECRET_BYTES_MIN: usize = 4;

/// Blanks secrets in lines.
#[derive(Debug)]
pub(super) struct Redaction {
    secrets: Vec<Secret>,
    token: Regex,
    named: Regex,
    jwt: Regex,
}

impl Redaction {
    /// Of these secrets, and of everything that looks like one.
    pub(super) fn new(secrets: &[Secret]) -> Result<Self, regex::Error> {
        Ok(Self {
            secrets: secrets.iter().filter(|secret| secret.expose().len() >= SECRET_BYTES_MIN).cloned().collect(),
            token: Regex::new(&format!("{}[A-Za-z0-9_-]{{20,}}", Token::PREFIX))?,
            named: Regex::new(
                r#"(?i)\b((?:auth[_-]?)?token|secret|password|passwd|authorization)(["']?\s*[:=]\s*["']?(?:bearer\s+)?|\s+bearer\s+)([^\s"',;]{4,})"#,
            )?,
            jwt: Regex::new(r"\beyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+){1,2}")?,
        })
    }

    /// The line as it may be shown.
    pub(super) fn apply(&self, line: &str) -> String {
        if SeededBug::ShowTunnelSecrets.is_on() {
            return line.to_owned();
        }
        let mut shown = line.to_owned();
        for secret in &self.secrets {
            shown = shown.replace(secret.expose(), HIDDEN);
        }
        let shown = self.jwt.replace_all(&shown, HIDDEN);
        let shown = self.token.replace_all(&shown, format!("{}***", Token::PREFIX));
        self.named
            .replace_all(&shown, |found: &Captures<'_>| format!("{}{}{HIDDEN}", &found[1], &found[2]))
            .into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_secrets_and_what_looks_like_one_are_blanked() {
        let redaction = Redaction::new(&[Secret::new("hunter2".into()), Secret::new("abc".into())]).unwrap();
        let endpoint = format!("ep_{}", "a".repeat(43));
        for (line, shown) in [
            ("password is hunter2!", "password is •••!".to_owned()),
            ("abc stays", "abc stays".to_owned()),
            (r#"{"authtoken":"2abcDEF_x"}"#, r#"{"authtoken":"•••"}"#.to_owned()),
            ("Authorization: Bearer xyz123", "Authorization: Bearer •••".to_owned()),
            ("run --token=eyJhIjoiYWJjZGVmZ2hpamsifQ.abc.def", "run --token=•••".to_owned()),
            (&format!("POST /in/{endpoint}/x"), "POST /in/ep_***/x".to_owned()),
            ("listening at bore.pub:4000", "listening at bore.pub:4000".to_owned()),
        ] {
            assert_eq!(redaction.apply(line), shown);
        }
    }
}
