//! One way of signing, as a recipe: a `[[schemes]]` table of a provider's file. [`super::verification`] carries it out.

use schemars::JsonSchema;
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer, Serialize};

use super::algorithm::{Algorithm, Kind};
use super::certificate::CertificatePlace;
use super::check::{Check, Condition};
use super::encoding::Encoding;
use super::key_pair::{KeyPair, PublicKeyForm};
use super::options::OptionName;
use super::place::Place;
use super::secret_form::SecretForm;
use super::signature_place::SignaturePlace;
use super::timestamp_place::{TimeUnit, TimestampPlace};
use super::{SignatureError, Template};
use crate::domain::Secret;

/// A signature scheme, as a `[[schemes]]` table of a provider's file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SchemeTable")]
pub struct Scheme {
    /// Its name within the provider.
    pub name: String,
    /// What turns key and text into a signature.
    pub algorithm: Algorithm,
    /// How the configured secret becomes key bytes.
    pub secret: SecretForm,
    /// What is signed; any of several will do.
    pub(super) contents: Vec<Template>,
    /// Where signatures stand.
    pub(super) places: Vec<SignaturePlace>,
    /// Where the timestamp stands.
    pub(super) timestamp: Option<TimestampPlace>,
    /// Where the message's id stands, when it is signed.
    pub(super) id: Option<Place>,
    /// When a request is of this scheme, where a provider has several.
    pub(super) when: Vec<Condition>,
    /// What must be true besides the signature.
    pub(super) checks: Vec<Check>,
    /// Seconds that a token may be used after it was made, where the scheme says so.
    pub(super) token_age: Option<u32>,
    /// Where the certificate's address stands, and the hosts it may be on.
    pub(super) certificate: Option<CertificatePlace>,
    /// How the provider writes its public key, where it has one.
    pub(super) public_key: PublicKeyForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemeTable {
    name: String,
    algorithm: Algorithm,
    #[serde(default = "utf8")]
    secret: SecretForm,
    #[serde(default)]
    content: Option<OneOrMany<Template>>,
    #[serde(default)]
    signature: Option<OneOrMany<SignaturePlace>>,
    #[serde(default)]
    timestamp: Option<TimestampPlace>,
    #[serde(default)]
    id: Option<Place>,
    #[serde(default)]
    when: Vec<Condition>,
    #[serde(default)]
    checks: Vec<Check>,
    #[serde(default)]
    token_age_seconds: Option<u32>,
    #[serde(default)]
    certificate: Option<CertificatePlace>,
    #[serde(default)]
    public_key: Option<PublicKeyForm>,
}

/// A value, or an array of such values.
struct OneOrMany<T>(Vec<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
    /// By hand: an untagged enum would hide what is wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = match toml::Value::deserialize(deserializer)? {
            toml::Value::Array(items) => items,
            one => vec![one],
        };
        let items: Result<Vec<T>, _> = items.into_iter().map(toml::Value::try_into).collect();
        items.map(Self).map_err(|error: toml::de::Error| de::Error::custom(error.message()))
    }
}

const fn utf8() -> SecretForm {
    SecretForm::Utf8
}

/// A scheme as `GET /providers` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct SchemeView {
    /// What an endpoint's `scheme` names it.
    pub name: String,
    /// What turns key and text into a signature.
    pub algorithm: Algorithm,
    /// How the configured secret becomes key bytes.
    pub secret: SecretForm,
    /// The signed text as a template; empty when nothing is signed but the secret sent.
    pub content: String,
    /// Header that carries the signature, or another place such as `body:signature.signature`.
    pub header: String,
    /// What stands before the digest.
    pub prefix: String,
    /// How the digest is written.
    pub encoding: Encoding,
    /// How the timestamp is written; null when there is none.
    pub timestamp_unit: Option<TimeUnit>,
    /// Seconds that a timestamp may be old; null: any age will do.
    pub tolerance_seconds: Option<u32>,
    /// What `provider_options` it takes.
    pub options: Vec<OptionName>,
    /// Whether Creel can sign with it: given the secret or, where that is a public key, a private key in its place.
    pub can_sign: bool,
}

impl TryFrom<SchemeTable> for Scheme {
    type Error = String;

    fn try_from(table: SchemeTable) -> Result<Self, Self::Error> {
        let scheme = Self {
            name: table.name,
            algorithm: table.algorithm,
            secret: table.secret,
            contents: table.content.map(|many| many.0).unwrap_or_default(),
            places: table.signature.map(|many| many.0).unwrap_or_default(),
            timestamp: table.timestamp,
            id: table.id,
            when: table.when,
            checks: table.checks,
            token_age: table.token_age_seconds,
            certificate: table.certificate,
            public_key: table.public_key.unwrap_or(PublicKeyForm::Pem),
        };
        if table.public_key.is_some() && scheme.secret != SecretForm::PublicKey {
            return Err(format!("{}: `public_key` is for schemes whose secret is one", scheme.name));
        }
        scheme.check().map(|()| scheme)
    }
}

impl Scheme {
    /// A scheme whose signature is the whole value of a header.
    pub(super) fn of_header(
        name: &str,
        algorithm: Algorithm,
        secret: SecretForm,
        content: Template,
        place: SignaturePlace,
    ) -> Result<Self, String> {
        let contents = if algorithm.kind() == Kind::Token { Vec::new() } else { vec![content] };
        let scheme = Self {
            name: name.to_owned(),
            algorithm,
            secret,
            contents,
            places: vec![place],
            timestamp: None,
            id: None,
            when: Vec::new(),
            checks: Vec::new(),
            token_age: None,
            certificate: None,
            public_key: PublicKeyForm::Pem,
        };
        scheme.check().map(|()| scheme)
    }

    /// Whether the recipe can be carried out.
    fn check(&self) -> Result<(), String> {
        let name = &self.name;
        let kind = self.algorithm.kind();
        if kind == Kind::Nothing {
            return if self.places.is_empty() {
                Ok(())
            } else {
                Err(format!("{name} signs nothing, so no `signature`"))
            };
        }
        if self.places.is_empty() {
            return Err(format!("{name} has no `signature`"));
        }
        if matches!(kind, Kind::Digest | Kind::PublicKey) == self.contents.is_empty() {
            return Err(format!("{name}: `content` is for digests and public keys, and they need it"));
        }
        if self.contents.iter().any(Template::has_timestamp) && self.timestamp.is_none() {
            return Err(format!("{name} signs a timestamp but has no [schemes.timestamp]"));
        }
        if self.contents.iter().any(Template::has_id) && self.id.is_none() {
            return Err(format!("{name} signs an id but has no [schemes.id]"));
        }
        if (self.secret == SecretForm::Certificate) != self.certificate.is_some() {
            return Err(format!("{name}: the secret form `certificate` and [schemes.certificate] go together"));
        }
        Ok(())
    }

    /// Whether anything is signed at all.
    pub(super) fn signs(&self) -> bool {
        self.algorithm.kind() != Kind::Nothing
    }

    /// The template that is signed with and shown; the first.
    pub(super) fn content(&self) -> Option<&Template> {
        self.contents.first()
    }

    /// Whether the endpoint's secret is needed to verify; a certificate alone may be enough.
    pub(super) fn needs_secret(&self) -> bool {
        self.secret != SecretForm::Certificate
            || self.contents.iter().any(|content| content.as_str().contains("{secret}"))
    }

    /// The options that it makes use of; the two that only describe are taken by every scheme.
    pub(super) fn options(&self) -> Vec<OptionName> {
        let mut names = vec![OptionName::PublicUrl, OptionName::SecretIs];
        names.extend(self.places.iter().filter_map(|place| place.key));
        names.extend(self.places.iter().filter_map(SignaturePlace::prefix_option));
        names.extend(self.contents.iter().flat_map(Template::options));
        names.extend(self.checks.iter().filter_map(Check::option));
        names.extend(self.when.iter().filter_map(Condition::option));
        if self.certificate.is_some() {
            names.extend([OptionName::CertificatePem, OptionName::CertificateUrl, OptionName::Trust]);
        }
        names.dedup();
        names
    }

    /// Whether Creel can sign with it: given the secret, or a private key in its place.
    pub(super) fn can_sign(&self) -> bool {
        match self.algorithm.kind() {
            Kind::Digest | Kind::Token => true,
            Kind::Jwt if self.secret != SecretForm::PublicKey => true,
            Kind::Jwt | Kind::PublicKey => self.secret == SecretForm::PublicKey && KeyPair::signs(self.algorithm),
            Kind::Nothing => false,
        }
    }

    /// Whether it is signed with a private key, of which the endpoint's secret is the public half.
    pub(super) fn is_asymmetric(&self) -> bool {
        matches!(self.secret, SecretForm::PublicKey | SecretForm::Certificate)
    }

    /// A secret of the form that it wants, made up.
    pub(super) fn test_secret(&self) -> Result<Secret, SignatureError> {
        let unsupported = |why| SignatureError::SigningUnsupported { scheme: self.name.clone(), why };
        if !self.can_sign() {
            return Err(unsupported(self.why_not()));
        }
        let made = if self.is_asymmetric() { KeyPair::make(self.algorithm) } else { self.secret.made_up() };
        made.ok_or_else(|| unsupported("the system gives no random numbers"))
    }

    /// The public half of a private key that takes the place of the secret, as the provider writes its own.
    pub(super) fn public_key_of(&self, secret: &Secret) -> Option<String> {
        let pair = self.is_asymmetric().then(|| KeyPair::read(secret.expose(), self.algorithm)).flatten()?;
        Some(pair.public_text(self.public_key))
    }

    /// Why it cannot be signed with, where it cannot.
    pub(super) fn why_not(&self) -> &'static str {
        match self.algorithm {
            Algorithm::None => "it signs nothing",
            _ => "a receiver trusts only certificates of the provider's own hosts",
        }
    }

    /// Whether the right value of the signature can be shown: a digest can, a token would be the secret itself.
    pub(super) fn shows_expected(&self) -> bool {
        self.algorithm.kind() == Kind::Digest
    }

    /// Seconds that a signature stays good.
    pub(super) fn tolerance(&self) -> Option<u32> {
        self.timestamp.as_ref().and_then(|timestamp| timestamp.tolerance).or(self.token_age)
    }

    /// The scheme as shown.
    #[must_use]
    pub fn view(&self) -> SchemeView {
        let place = self.places.first();
        SchemeView {
            name: self.name.clone(),
            algorithm: self.algorithm,
            secret: self.secret,
            content: self.content().map(|content| content.as_str().to_owned()).unwrap_or_default(),
            header: place.map(|place| place.name().to_owned()).unwrap_or_default(),
            prefix: place.map(|place| place.prefix().to_owned()).unwrap_or_default(),
            encoding: place.map_or(Encoding::Text, |place| place.encoding),
            timestamp_unit: self.timestamp.as_ref().map(|timestamp| timestamp.unit),
            tolerance_seconds: self.tolerance(),
            options: self.options(),
            can_sign: self.can_sign(),
        }
    }

    /// The error of a secret that cannot be made into a key.
    pub(super) fn unusable(&self) -> SignatureError {
        SignatureError::UnusableSecret { scheme: self.name.clone() }
    }
}
