//! Handshakes: requests by which a provider asks whether an endpoint is there, and what it wants to hear.
//!
//! A recipe in the provider's file says how one is recognised and answered. A challenge is never echoed or signed as it
//! comes: it is bounded, and its characters are restricted so far that no answer can be mistaken for the signature of a
//! webhook, nor bring a header or markup of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::algorithm::Algorithm;
use super::check::{Condition, Standing};
use super::encoding::Encoding;
use super::options::{OptionName, Options};
use super::place::{Place, Sources};
use super::secret_form::SecretForm;
use crate::domain::{Secret, words};

/// Bytes of the longest challenge that is echoed.
const ECHOED_BYTES_MAX: usize = 1024;
/// Bytes of the longest challenge that is signed.
const SIGNED_BYTES_MAX: usize = 128;
/// HTTP status for a request that brings the wrong token.
const REFUSED: u16 = 403;

words! {
    /// The characters that a challenge may have.
    Charset {
        /// Hexadecimal digits.
        Hex = "hex",
        /// Letters, digits and `-_.~+/=`: neither JSON nor a text with separators.
        Token = "token",
        /// Printable ASCII but `"`, `\`, `<` and `>`.
        Line = "line",
    }
}

impl Charset {
    fn allows(self, byte: u8) -> bool {
        match self {
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Token => byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(&byte),
            Self::Line => matches!(byte, b' '..=b'~') && !b"\"\\<>".contains(&byte),
        }
    }
}

/// One handshake, as a `[[handshakes]]` table of a provider's file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handshake {
    /// The methods that it comes with.
    methods: Vec<String>,
    /// How it is recognised besides its method.
    #[serde(default)]
    when: Vec<Condition>,
    /// What is echoed or signed.
    #[serde(default)]
    challenge: Option<Place>,
    /// The characters that it may have.
    #[serde(default = "token")]
    charset: Charset,
    /// Whether the challenge is the key of the signatures to come, handed over once.
    #[serde(default)]
    hands_over_key: bool,
    /// What must be one of the endpoint's secrets, when it has any.
    #[serde(default)]
    token: Option<Place>,
    /// Whether the request is signed like any other: then it is answered only when its signature holds.
    #[serde(default)]
    signed: bool,
    /// How the challenge is signed for `{{hmac}}`.
    #[serde(default)]
    hmac: Option<ChallengeHmac>,
    /// HTTP status of the answer.
    #[serde(default = "ok")]
    status: u16,
    /// Headers of the answer.
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// Body of the answer.
    #[serde(default)]
    body: String,
}

/// How a challenge is signed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChallengeHmac {
    algorithm: Algorithm,
    #[serde(default = "utf8")]
    secret: SecretForm,
    encoding: Encoding,
}

const fn token() -> Charset {
    Charset::Token
}

const fn ok() -> u16 {
    200
}

const fn utf8() -> SecretForm {
    SecretForm::Utf8
}

/// What a provider wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeReply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
    /// The key of the signatures to come, where the provider hands it over with the handshake: the endpoint's secret, when
    /// it has none.
    pub key: Option<Secret>,
}

impl Handshake {
    /// The answer, when the request is this handshake. `holds`: whether its signature holds, or none is asked for.
    pub(super) fn reply(
        &self,
        method: &str,
        sources: &Sources<'_>,
        options: &Options,
        secrets: &[Secret],
        holds: bool,
    ) -> Option<HandshakeReply> {
        let meets = |condition: &Condition| condition.standing(options, sources) == Standing::Met;
        let is_this = self.methods.iter().any(|known| known == method) && self.when.iter().all(meets);
        if !is_this || (self.signed && !holds) {
            return None;
        }
        let challenge = match &self.challenge {
            Some(place) => place.read(sources)?.into_owned(),
            None => String::new(),
        };
        let bytes_max = if self.hmac.is_some() { SIGNED_BYTES_MAX } else { ECHOED_BYTES_MAX };
        if challenge.len() > bytes_max || !challenge.bytes().all(|byte| self.charset.allows(byte)) {
            return None;
        }
        if let Some(place) = &self.token
            && !secrets.is_empty()
        {
            let token = place.read(sources).unwrap_or_default();
            let is_ours = |secret: &Secret| bool::from(secret.expose().as_bytes().ct_eq(token.as_bytes()));
            if !secrets.iter().any(is_ours) {
                return Some(HandshakeReply { status: REFUSED, headers: Vec::new(), body: String::new(), key: None });
            }
        }
        let hmac = match &self.hmac {
            Some(hmac) => hmac.of(&challenge, secrets.first()?)?,
            None => String::new(),
        };
        let public_key = options.get(OptionName::PublicKey).unwrap_or_default();
        let filled = |text: &str| {
            let text = text.replace("{{hmac}}", &hmac).replace("{{public_key}}", public_key);
            text.replace("{{challenge}}", &challenge)
        };
        Some(HandshakeReply {
            status: self.status,
            headers: self.headers.iter().map(|(name, value)| (name.clone(), filled(value))).collect(),
            body: filled(&self.body),
            key: (self.hands_over_key && !challenge.is_empty()).then(|| Secret::new(challenge.clone())),
        })
    }
}

impl ChallengeHmac {
    fn of(&self, challenge: &str, secret: &Secret) -> Option<String> {
        let key = self.secret.key(secret.expose())?;
        let digest = self.algorithm.digest(&key, std::iter::once(challenge.as_bytes()))?;
        Some(self.encoding.encode(&digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Headers;

    const CRC: &str = "methods = ['GET']\nchallenge = { query = 'crc' }\nbody = '{{hmac}}'\n\
                       hmac = { algorithm = 'hmac-sha256', encoding = 'base64' }\n";

    fn reply(toml: &str, method: &str, query: &str, secrets: &[&str], holds: bool) -> Option<HandshakeReply> {
        let handshake: Handshake = toml::from_str(toml).unwrap();
        let (headers, url) = (Headers::default(), format!("/?{query}"));
        let sources = Sources { headers: &headers, body: b"", facts: None, url: Some(&url) };
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
        handshake.reply(method, &sources, &Options::default(), &secrets, holds)
    }

    #[test]
    fn a_challenge_is_signed_only_when_it_is_short_and_can_be_no_webhook() {
        assert!(reply(CRC, "GET", "crc=b7mMw%2FxZ-_.", &["s"], false).is_some());
        assert_eq!(reply(CRC, "GET", "crc=a", &[], false), None);
        assert_eq!(reply(CRC, "POST", "crc=a", &["s"], false), None);
        assert_eq!(reply(CRC, "GET", "", &["s"], false), None);
        for challenge in ["%7B%22a%22:1%7D", "v0:1:a", "a%0Ab", "a b", &"a".repeat(SIGNED_BYTES_MAX + 1)] {
            assert_eq!(reply(CRC, "GET", &format!("crc={challenge}"), &["s"], true), None, "{challenge}");
        }
    }

    #[test]
    fn a_wrong_token_is_refused_without_an_echo() {
        let toml = "methods = ['GET']\nchallenge = { query = 'c' }\ntoken = { query = 't' }\nbody = '{{challenge}}'\n";
        let status =
            |query: &str, secrets: &[&str]| reply(toml, "GET", query, secrets, false).map(|r| (r.status, r.body));
        assert_eq!(status("c=7&t=right", &["wrong", "right"]), Some((200, "7".to_owned())));
        assert_eq!(status("c=7&t=right", &[]), Some((200, "7".to_owned())));
        for query in ["c=7&t=Right", "c=7", "c=7&t="] {
            assert_eq!(status(query, &["right"]), Some((403, String::new())), "{query}");
        }
    }

    #[test]
    fn a_signed_handshake_waits_for_its_signature() {
        let toml = "methods = ['POST']\nsigned = true\nstatus = 204\n";
        assert_eq!(reply(toml, "POST", "", &["s"], false), None);
        assert_eq!(reply(toml, "POST", "", &["s"], true).map(|reply| reply.status), Some(204));
    }

    #[test]
    fn a_key_that_is_handed_over_is_told_apart_from_a_mere_challenge() {
        let toml = "methods = ['GET']\nchallenge = { query = 'c' }\nhands_over_key = true\n";
        let key = |toml: &str, query: &str| reply(toml, "GET", query, &[], true)?.key;
        assert_eq!(key(toml, "c=the-key").unwrap().expose(), "the-key");
        assert!(!format!("{:?}", reply(toml, "GET", "c=the-key", &[], true)).contains("the-key"));
        assert_eq!(key(toml, "c=a%20b"), None, "it is restricted as every challenge is");
        assert_eq!(key(&toml.replace("true", "false"), "c=the-key"), None);
    }
}
