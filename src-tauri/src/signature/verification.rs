//! Carries out a scheme: judges requests. [`super::signing`] signs them.

use std::borrow::Cow;

use subtle::ConstantTimeEq as _;

use super::algorithm::{Algorithm, Kind};
use super::certificate_set::found_at;
use super::jwt::Token;
use super::options::{OptionName, Options};
use super::place::Sources;
use super::public_key::PublicKey;
use super::scheme::Scheme;
use super::secret_form::SecretForm;
use super::signature_place::{Signature, Unread};
use super::template::{Context, Lack, Template};
use super::timestamp_place::{TimestampAt, judge};
use super::{SignatureError, SignedRequest, Verdict};
use crate::domain::{Secret, SignatureReason, SignatureStatus, Timestamp};

/// Seconds by which the clocks of the makers and readers of tokens may differ.
const TOKEN_LEEWAY_SECONDS: i64 = 0;

/// A scheme applied to one request.
#[derive(Clone, Copy)]
pub(super) struct Verification<'a> {
    pub(super) scheme: &'a Scheme,
    pub(super) options: &'a Options,
    pub(super) request: &'a SignedRequest<'a>,
    pub(super) now: Timestamp,
}

/// A signature with its timestamp as text and as time.
pub(super) type TimedSignature = (Signature, Option<(String, Timestamp)>);

/// The signatures of a request with their times and its id.
#[derive(Debug)]
pub(super) struct Received {
    /// Signatures, each with its timestamp as text and as time.
    pub(super) signatures: Vec<TimedSignature>,
    /// The message's id.
    pub(super) id: Option<String>,
}

/// Why a scheme's key material and text do not come together.
pub(super) const fn invalid(reason: SignatureReason) -> Verdict {
    Verdict::without_match(SignatureStatus::Invalid, reason)
}

/// A required header or field is absent.
pub(super) const MISSING: Verdict = Verdict::without_match(SignatureStatus::Missing, SignatureReason::MissingHeader);

impl<'a> Verification<'a> {
    /// Where values are read from.
    pub(super) fn sources(&self) -> Sources<'a> {
        let url = self.options.get(OptionName::PublicUrl).or(self.request.url);
        Sources { headers: self.request.headers, body: self.request.body, facts: None, url }
    }

    /// Judges the request; every secret is tried until one fits.
    pub(super) fn verdict(&self, secrets: &[Secret]) -> Result<Verdict, SignatureError> {
        match self.scheme.algorithm.kind() {
            Kind::Nothing => {
                return Ok(Verdict::without_match(SignatureStatus::NotRequired, SignatureReason::NotSigned));
            }
            Kind::Jwt => return self.token_verdict(secrets),
            Kind::Digest | Kind::PublicKey | Kind::Token => {}
        }
        let received = match self.received() {
            Ok(received) => received,
            Err(verdict) => return Ok(verdict),
        };
        if let Some(certificate) = &self.scheme.certificate {
            match certificate.is_trusted(&self.sources()) {
                None => return Ok(MISSING),
                Some(false) => return Ok(invalid(SignatureReason::WrongSecretOrBody)),
                Some(true) if self.lacks_certificate() => {
                    return Ok(invalid(SignatureReason::UnsupportedScheme));
                }
                Some(true) => {}
            }
        }
        let none = [Secret::new(String::new())];
        let secrets = if secrets.is_empty() { &none } else { secrets };
        for (index, secret) in secrets.iter().enumerate() {
            if secret.expose().is_empty() && self.scheme.needs_secret() {
                return Err(SignatureError::EmptySecret);
            }
            for (signature, time) in &received.signatures {
                match self.fits(secret, signature, time.as_ref(), received.id.as_deref()) {
                    Ok(true) => return Ok(self.judge_time(index, time.as_ref().map(|(_, at)| *at))),
                    Ok(false) | Err(Lack::Url | Lack::Unreadable) => {}
                    Err(Lack::Field) => return Ok(MISSING),
                }
            }
        }
        Ok(invalid(SignatureReason::WrongSecretOrBody))
    }

    fn judge_time(&self, index: usize, signed_at: Option<Timestamp>) -> Verdict {
        let (Some(place), Some(signed_at)) = (&self.scheme.timestamp, signed_at) else { return Verdict::valid(index) };
        match place.judge(signed_at, self.now) {
            Ok(()) => Verdict::valid(index),
            Err(reason) => Verdict { matched_secret: Some(index), ..invalid(reason) },
        }
    }

    /// Reads the signatures, the timestamps and the id, or says why there is nothing to compare.
    pub(super) fn received(&self) -> Result<Received, Verdict> {
        let sources = self.sources();
        let field = self.scheme.timestamp.as_ref().and_then(|timestamp| timestamp.field());
        let mut signatures = Vec::new();
        let mut worst = Unread::Missing;
        for place in &self.scheme.places {
            match place.read(self.scheme.algorithm, field, self.options, &sources, &mut signatures) {
                None | Some(Unread::Missing) => {}
                Some(Unread::Malformed) if worst == Unread::OtherVersion => {}
                Some(unread) => worst = unread,
            }
        }
        if signatures.is_empty() {
            return Err(match worst {
                Unread::Missing => MISSING,
                Unread::Malformed => invalid(SignatureReason::MalformedHeader),
                Unread::OtherVersion => invalid(SignatureReason::UnsupportedScheme),
            });
        }
        let id = self.scheme.id.as_ref().and_then(|place| place.read(&sources)).map(Cow::into_owned);
        if self.scheme.id.is_some() && id.is_none() {
            return Err(MISSING);
        }
        Ok(Received { signatures: self.timed(signatures, &sources)?, id })
    }

    /// The timestamp on its own, for a request whose signature cannot be read.
    pub(super) fn lone_timestamp(&self) -> Option<(String, Timestamp)> {
        let place = self.scheme.timestamp.as_ref()?;
        let TimestampAt::Place(at) = &place.at else { return None };
        let text = at.read(&self.sources())?.into_owned();
        let at = place.unit.read(&text)?;
        Some((text, at))
    }

    /// Gives each signature its timestamp.
    fn timed(&self, signatures: Vec<Signature>, sources: &Sources<'_>) -> Result<Vec<TimedSignature>, Verdict> {
        let Some(place) = &self.scheme.timestamp else {
            return Ok(signatures.into_iter().map(|signature| (signature, None)).collect());
        };
        let read = |text: String| place.unit.read(&text).map(|at| (text, at));
        match &place.at {
            TimestampAt::Place(at) => {
                let time = match at.read(sources) {
                    Some(text) => Some(read(text.into_owned()).ok_or(invalid(SignatureReason::MalformedHeader))?),
                    None if self.scheme.contents.iter().any(Template::has_timestamp) => return Err(MISSING),
                    None => None,
                };
                Ok(signatures.into_iter().map(|signature| (signature, time.clone())).collect())
            }
            TimestampAt::Field(_) => {
                let timed: Vec<_> = signatures
                    .into_iter()
                    .filter_map(|signature| {
                        let time = read(signature.timestamp.clone()?)?;
                        Some((signature, Some(time)))
                    })
                    .collect();
                if timed.is_empty() { Err(invalid(SignatureReason::MalformedHeader)) } else { Ok(timed) }
            }
        }
    }

    /// Whether a signature fits one of the templates.
    fn fits(
        &self,
        secret: &Secret,
        signature: &Signature,
        time: Option<&(String, Timestamp)>,
        id: Option<&str>,
    ) -> Result<bool, Lack> {
        let secret = match signature.key {
            Some(option) => match self.options.get(option) {
                Some(key) => key,
                None => return Ok(false),
            },
            None => secret.expose(),
        };
        let Some(key) = self.key(secret) else { return Ok(false) };
        let timestamp = time.map(|(text, _)| text.as_str());
        let context = Context { request: self.request, options: self.options, secret, timestamp, id };
        if self.scheme.algorithm.kind() == Kind::Token {
            return Ok(key.ct_eq(&signature.bytes).into());
        }
        let mut lack = None;
        for template in &self.scheme.contents {
            match matches(self.scheme.algorithm, &key, template, &context, &signature.bytes) {
                Ok(true) => return Ok(self.checks_hold(None)),
                Ok(false) => {}
                Err(found) => lack = Some(found),
            }
        }
        lack.map_or(Ok(false), Err)
    }

    /// The key of a secret; none when the secret is not of the form.
    pub(super) fn key<'s>(&self, secret: &'s str) -> Option<Cow<'s, [u8]>>
    where
        'a: 's,
    {
        match self.scheme.secret {
            SecretForm::Certificate => self.certificate().map(|pem| Cow::Borrowed(pem.as_bytes())),
            form => form.key(secret),
        }
    }

    /// The certificates that the request may be signed with. One that was fetched stands for the address it was found at
    /// alone: the next may have another key.
    fn certificate(&self) -> Option<&'a str> {
        let pems = self.options.get(OptionName::CertificatePem)?;
        if !self.options.allows_fetch() {
            return Some(pems);
        }
        let url = self.scheme.certificate.as_ref()?.address(&self.sources())?;
        found_at(&url, self.options.get(OptionName::CertificateUrl)?, pems)
    }

    /// Whether the scheme needs a certificate that the options do not bring.
    pub(super) fn lacks_certificate(&self) -> bool {
        self.scheme.certificate.is_some() && self.certificate().is_none()
    }

    /// Whether all checks hold.
    pub(super) fn checks_hold(&self, token: Option<&Token>) -> bool {
        let sources = self.sources();
        self.scheme.checks.iter().all(|check| check.holds(token, self.options, &sources))
    }

    /// The token of the request.
    pub(super) fn token(&self) -> Result<Token, Verdict> {
        let sources = self.sources();
        let mut found = Vec::new();
        for place in &self.scheme.places {
            if let Some(Unread::Malformed | Unread::OtherVersion) =
                place.read(self.scheme.algorithm, None, self.options, &sources, &mut found)
            {
                return Err(invalid(SignatureReason::MalformedHeader));
            }
        }
        let first = found.first().ok_or(MISSING)?;
        Token::read(&first.bytes).ok_or(invalid(SignatureReason::MalformedHeader))
    }

    fn token_verdict(&self, secrets: &[Secret]) -> Result<Verdict, SignatureError> {
        let token = match self.token() {
            Ok(token) => token,
            Err(verdict) => return Ok(verdict),
        };
        for (index, secret) in secrets.iter().enumerate() {
            if secret.expose().is_empty() {
                return Err(SignatureError::EmptySecret);
            }
            let Some(key) = self.key(secret.expose()) else { continue };
            if token.is_signed(self.scheme.algorithm, &key) {
                if !self.checks_hold(Some(&token)) {
                    return Ok(invalid(SignatureReason::WrongSecretOrBody));
                }
                return Ok(match self.token_time(&token) {
                    Ok(()) => Verdict::valid(index),
                    Err(reason) => Verdict { matched_secret: Some(index), ..invalid(reason) },
                });
            }
        }
        Ok(invalid(SignatureReason::WrongSecretOrBody))
    }

    /// `exp` and `nbf` (RFC 7519 section 4.1), and the age by `iat` where the scheme limits it.
    fn token_time(&self, token: &Token) -> Result<(), SignatureReason> {
        let now = self.now.as_unix_seconds();
        if token.seconds("exp").is_some_and(|end| now > end.saturating_add(TOKEN_LEEWAY_SECONDS)) {
            return Err(SignatureReason::StaleTimestamp);
        }
        if token.seconds("nbf").is_some_and(|start| now < start.saturating_sub(TOKEN_LEEWAY_SECONDS)) {
            return Err(SignatureReason::FutureTimestamp);
        }
        match (self.scheme.token_age, token.seconds("iat")) {
            (Some(age), Some(made)) => {
                judge(Timestamp::from_millis(made.saturating_mul(1000)), self.now, Some(age), Some(age))
            }
            (Some(_), None) => Err(SignatureReason::StaleTimestamp),
            (None, _) => Ok(()),
        }
    }
}

/// Whether a signature is that of the filled template.
pub(super) fn matches(
    algorithm: Algorithm,
    key: &[u8],
    template: &Template,
    context: &Context<'_>,
    signature: &[u8],
) -> Result<bool, Lack> {
    let pieces = template.pieces(context)?;
    if algorithm.kind() == Kind::Digest {
        let expected = algorithm.digest(key, pieces.iter().map(|piece| &**piece)).unwrap_or_default();
        return Ok(expected.ct_eq(signature).into());
    }
    let Ok(text) = std::str::from_utf8(key) else { return Ok(false) };
    let message = pieces.concat();
    Ok(PublicKey::read(text, algorithm, None).iter().any(|key| key.verifies(algorithm, &message, signature)))
}
