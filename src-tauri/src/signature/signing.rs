//! Signs requests as a provider would: the headers, and the body where the signature stands inside it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::algorithm::{Kind, sha256};
use super::explanation::HIDDEN;
use super::json_edit::Written;
use super::jwt::Token;
use super::key_pair::KeyPair;
use super::place::{Place, Sources};
use super::signature_place::SignaturePlace;
use super::template::{Context, Lack, Template};
use super::timestamp_place::{TimeUnit, TimestampAt, judge};
use super::verification::Verification;
use super::{SignatureError, SignedRequest};
use crate::domain::{HeaderBlockError, Headers, Secret};

/// Hexadecimal digits of an id that is made for a request that brings none.
const MADE_ID_DIGITS: usize = 24;
/// Seconds that a token of ours may be used (RFC 7519 section 4.1.4).
const TOKEN_SECONDS: i64 = 300;

/// What makes a request verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The scheme that it was signed with.
    pub scheme: String,
    /// Headers; each replaces those of the same name.
    pub headers: Vec<(String, String)>,
    /// The body to send, when it is another: the signature or its time stands inside. Every other byte is as it was.
    pub body: Option<Vec<u8>>,
    /// The public half of the key that signed, as the provider writes its own; none when a shared secret did.
    pub public_key: Option<String>,
    /// Where the secret itself stands, when that is the signature.
    secret_at: Option<SignaturePlace>,
}

impl Signed {
    /// The headers and the body that are sent, as they may be shown: without the secret, when that is the signature.
    #[must_use]
    pub fn without_secret(&self, headers: &Headers, body: &[u8]) -> (Vec<(String, String)>, Vec<u8>) {
        let mut pairs = headers.to_text_pairs();
        let Some(place) = &self.secret_at else { return (pairs, body.to_vec()) };
        let Some(name) = place.header_to_write() else {
            // Rather no body than one with the secret.
            return (pairs, place.place.write(body, HIDDEN, Written::Text).unwrap_or_default());
        };
        let its = pairs.iter_mut().filter(|(own, _)| own.eq_ignore_ascii_case(&name));
        its.for_each(|(_, value)| HIDDEN.clone_into(value));
        (pairs, body.to_vec())
    }

    /// The headers to send, made of a request's own.
    ///
    /// # Errors
    /// When they are no header block any more, for instance because it is too large.
    pub fn headers_in(&self, headers: &Headers) -> Result<Headers, HeaderBlockError> {
        headers_with(headers, &self.headers)
    }
}

fn headers_with(headers: &Headers, others: &[(String, String)]) -> Result<Headers, HeaderBlockError> {
    let is_replaced = |name: &str| others.iter().any(|(replaced, _)| replaced.eq_ignore_ascii_case(name));
    let kept = headers.iter().filter(|(name, _)| !is_replaced(name));
    Headers::from_pairs(kept.chain(others.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))))
}

impl Verification<'_> {
    /// What makes the request verify now.
    pub(super) fn sign(&self, secret: &Secret) -> Result<Signed, SignatureError> {
        self.check_key(secret)?;
        let scheme = self.scheme;
        let sources = self.sources();
        let mut headers = Vec::new();
        let id =
            scheme.id.as_ref().map(|place| place.read(&sources).map_or_else(|| self.made_id(), |id| id.into_owned()));
        if let (Some(name), Some(id)) = (scheme.id.as_ref().and_then(Place::header_name), &id) {
            headers.push((name.to_owned(), id.clone()));
        }
        let timestamp = self.timestamp_to_sign();
        let mut body = Cow::Borrowed(self.request.body);
        if let (Some(place), Some(text)) = (&scheme.timestamp, &timestamp)
            && let TimestampAt::Place(at) = &place.at
        {
            match at.header_name() {
                Some(name) => headers.push((name.to_owned(), text.clone())),
                None if at.read(&sources).as_deref() == Some(text) => {}
                None => {
                    let is_text = matches!(place.unit, TimeUnit::Rfc3339 | TimeUnit::HttpDate);
                    let written = if is_text { Written::Text } else { Written::Number };
                    body = Cow::Owned(at.write(&body, text, written).ok_or_else(|| self.body_unfit(at))?);
                }
            }
        }
        headers.extend(self.checked_headers());
        let place = self.place_to_sign(&body).ok_or_else(|| scheme.unusable())?;
        // Headers can be signed too: as they will be sent. Of an old signature nothing will be: what it lists beside
        // itself must not be signed along.
        let kept = place.header_to_write().map_or_else(
            || Ok(self.request.headers.clone()),
            |name| Headers::from_pairs(self.request.headers.iter().filter(|(own, _)| !own.eq_ignore_ascii_case(&name))),
        );
        let sent = kept
            .and_then(|kept| headers_with(&kept, &headers))
            .map_err(|error| SignatureError::HeaderUnfit { scheme: scheme.name.clone(), why: error.to_string() })?;
        let timed = SignedRequest { headers: &sent, body: &body, ..*self.request };
        let timed = Verification { request: &timed, ..*self };
        let value = timed.value(place, secret, timestamp.as_deref(), id.as_deref())?;
        if let Some(option) = place.prefix_option().filter(|name| self.options.get(*name).is_none()) {
            return Err(SignatureError::OptionMissing { scheme: scheme.name.clone(), option: option.as_str() });
        }
        match place.header_to_write() {
            Some(name) => headers.push((name, value)),
            None => {
                let unfit = || self.body_unfit(&place.place);
                body = Cow::Owned(place.place.write(&body, &value, Written::Text).ok_or_else(unfit)?);
            }
        }
        Ok(Signed {
            scheme: scheme.name.clone(),
            headers,
            body: (*body != *self.request.body).then(|| body.into_owned()),
            public_key: scheme.public_key_of(secret),
            secret_at: (scheme.algorithm.kind() == Kind::Token).then(|| place.clone()),
        })
    }

    /// Where the signature goes: of several places for the same key the first that suits the body, as where a webhook is
    /// sent as JSON or as a form by its setting.
    fn place_to_sign(&self, body: &[u8]) -> Option<&SignaturePlace> {
        let first = self.scheme.places.first()?;
        if first.place.header_name().is_some() {
            return Some(first);
        }
        let sources = Sources { body, ..self.sources() };
        let like = || self.scheme.places.iter().filter(|place| place.key == first.key);
        let has_one = |place: &&SignaturePlace| !place.values(&sources).is_empty();
        let takes = |place: &&SignaturePlace| place.place.write(body, "", Written::Text).is_some();
        like().find(has_one).or_else(|| like().find(takes)).or(Some(first))
    }

    /// Whether the secret can be signed with at all.
    fn check_key(&self, secret: &Secret) -> Result<(), SignatureError> {
        let scheme = self.scheme;
        let name = || scheme.name.clone();
        if !scheme.can_sign() {
            return Err(SignatureError::SigningUnsupported { scheme: name(), why: scheme.why_not() });
        }
        if secret.expose().is_empty() {
            return Err(SignatureError::EmptySecret);
        }
        if scheme.is_asymmetric() && KeyPair::read(secret.expose(), scheme.algorithm).is_none() {
            return Err(if KeyPair::is_private(secret.expose()) {
                scheme.unusable()
            } else {
                SignatureError::NeedsPrivateKey { scheme: name() }
            });
        }
        Ok(())
    }

    fn body_unfit(&self, place: &Place) -> SignatureError {
        SignatureError::BodyUnfit { scheme: self.scheme.name.clone(), place: place.word().to_owned() }
    }

    /// The time to sign with: now. One that stands in the body stays when it would still be taken for a while, and none
    /// is added that nothing asks for.
    fn timestamp_to_sign(&self) -> Option<String> {
        let place = self.scheme.timestamp.as_ref()?;
        let fresh = Some(place.unit.write(self.now));
        let TimestampAt::Place(at) = &place.at else { return fresh };
        if at.header_name().is_some() {
            return fresh;
        }
        let found = at.read(&self.sources());
        if found.is_none() && !self.scheme.contents.iter().any(Template::has_timestamp) {
            return None;
        }
        // Half the tolerance is left for the way to the receiver.
        let kept = found.filter(|text| {
            let Some(tolerance) = place.tolerance else { return false };
            let half = Some(tolerance / 2);
            place.unit.read(text).is_some_and(|time| judge(time, self.now, half, half).is_ok())
        });
        kept.map(Cow::into_owned).or(fresh)
    }

    fn made_id(&self) -> String {
        let digest = hex::encode(sha256(&[&self.now.as_millis().to_be_bytes(), self.request.body].concat()));
        format!("msg_{}", &digest[..MADE_ID_DIGITS])
    }

    /// Headers that are checked beside the signature, where it is known what they have to say.
    fn checked_headers(&self) -> Vec<(String, String)> {
        let sources = self.sources();
        let checks = self.scheme.checks.iter();
        checks.filter_map(|check| Some((check.header()?.to_owned(), check.value(self.options, &sources)?))).collect()
    }

    /// What a place of the signature would have to say.
    pub(super) fn value(
        &self,
        place: &SignaturePlace,
        secret: &Secret,
        timestamp: Option<&str>,
        id: Option<&str>,
    ) -> Result<String, SignatureError> {
        let scheme = self.scheme;
        let unusable = || scheme.unusable();
        let key = self.key(secret.expose()).ok_or_else(unusable)?;
        let bytes = match scheme.algorithm.kind() {
            Kind::Token => key.to_vec(),
            Kind::Jwt => Token::sign(&self.claims(), scheme.algorithm, &key).ok_or_else(unusable)?.into_bytes(),
            kind => {
                let template = scheme.content().ok_or_else(unusable)?;
                let secret = secret.expose();
                let context = Context { request: self.request, options: self.options, secret, timestamp, id };
                let pieces = template.pieces(&context).map_err(|lack| match lack {
                    Lack::Url => SignatureError::UrlUnknown { scheme: scheme.name.clone() },
                    Lack::Field | Lack::Unreadable => SignatureError::FieldAbsent { scheme: scheme.name.clone() },
                })?;
                let made = if kind == Kind::PublicKey {
                    let pair = KeyPair::read(secret, scheme.algorithm);
                    pair.and_then(|pair| pair.sign(scheme.algorithm, &pieces.concat()))
                } else {
                    scheme.algorithm.digest(&key, pieces.iter().map(|piece| &**piece))
                };
                made.ok_or_else(unusable)?
            }
        };
        let beside = scheme.timestamp.as_ref().and_then(|place| place.field()).zip(timestamp);
        Ok(place.write(&bytes, beside, self.options))
    }

    /// The claims that make a token verify.
    fn claims(&self) -> Value {
        let sources = self.sources();
        let mut claims = Map::new();
        for check in &self.scheme.checks {
            if let (Some(claim), Some(value)) = (check.claim(), check.value(self.options, &sources)) {
                claims.insert(claim.to_owned(), Value::String(value));
            }
        }
        let now = self.now.as_unix_seconds();
        claims.insert("iat".to_owned(), Value::from(now));
        claims.insert("exp".to_owned(), Value::from(now.saturating_add(TOKEN_SECONDS)));
        Value::Object(claims)
    }
}
