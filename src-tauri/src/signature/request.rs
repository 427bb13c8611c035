//! What is judged, and how the judgement reads.

use crate::domain::{Headers, SignatureReason, SignatureStatus};

/// The parts of a request that a signature can cover.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// HTTP method as received.
    pub method: &'a str,
    /// The URL as the sender saw it, when known.
    pub url: Option<&'a str>,
    /// All headers as received.
    pub headers: &'a Headers,
    /// The body's bytes as received.
    pub body: &'a [u8],
}

/// Whether a signature holds, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The word that is stored.
    pub status: SignatureStatus,
    /// Why.
    pub reason: SignatureReason,
    /// Index of the secret that made it hold.
    pub matched_secret: Option<usize>,
}

impl Verdict {
    pub(super) const fn without_match(status: SignatureStatus, reason: SignatureReason) -> Self {
        Self { status, reason, matched_secret: None }
    }

    pub(super) const fn valid(secret: usize) -> Self {
        Self { status: SignatureStatus::Valid, reason: SignatureReason::Ok, matched_secret: Some(secret) }
    }
}

/// Why no judgement is possible. Never says a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The provider has no scheme of this name.
    #[error("{provider} has no signature scheme {scheme:?}; it has: {known}")]
    UnknownScheme {
        /// Slug of the provider.
        provider: String,
        /// What was asked for.
        scheme: String,
        /// The names there are, or `none`.
        known: String,
    },
    /// The options are no JSON object.
    #[error("provider_options must be a JSON object")]
    OptionsNotObject,
    /// The scheme has no use for an option; taking it silently would promise something.
    #[error("the signature scheme {scheme:?} of {provider} does not take the option {option:?}; remove it")]
    OptionNotTaken {
        /// Slug of the provider.
        provider: String,
        /// The scheme.
        scheme: String,
        /// The option.
        option: String,
    },
    /// No option of that name exists.
    #[error("there is no provider option {option:?}; remove it")]
    UnknownOption {
        /// The name.
        option: String,
    },
    /// An option's value is no text.
    #[error("the provider option {option:?} must be text")]
    OptionNotText {
        /// The option.
        option: String,
    },
    /// A custom scheme that cannot be carried out.
    #[error("the custom scheme cannot be used: {why}")]
    Custom {
        /// The member that it is about, where it is about one.
        member: Option<&'static str>,
        /// What is wrong with it.
        why: String,
    },
    /// The URL is signed, and it is not known how the sender saw it.
    #[error("the scheme {scheme:?} signs the URL, which is not known; give the public URL")]
    UrlUnknown {
        /// The scheme.
        scheme: String,
    },
    /// A header or field that is signed is not there.
    #[error("the scheme {scheme:?} signs a header or a field of the body that the request does not have")]
    FieldAbsent {
        /// The scheme.
        scheme: String,
    },
    /// Only the provider has the private key.
    #[error(
        "the scheme {scheme:?} is signed with a private key, and the configured secret is none: with the provider's \
             public key signatures can be verified, not made"
    )]
    NeedsPrivateKey {
        /// The scheme.
        scheme: String,
    },
    /// Creel verifies such signatures and makes none.
    #[error("Creel does not make signatures of the scheme {scheme:?}: {why}")]
    SigningUnsupported {
        /// The scheme.
        scheme: String,
        /// Why not.
        why: &'static str,
    },
    /// The signature stands in the body, which has no room for it.
    #[error("the scheme {scheme:?} signs inside the body, at {place}, and the body has no place for it")]
    BodyUnfit {
        /// The scheme.
        scheme: String,
        /// Where the signature stands.
        place: String,
    },
    /// The signature begins with what an option says, and it is not set.
    #[error("the scheme {scheme:?} needs the option {option:?} to sign")]
    OptionMissing {
        /// The scheme.
        scheme: String,
        /// The option.
        option: &'static str,
    },
    /// What is to be sent along cannot stand in a header.
    #[error("what the scheme {scheme:?} sends along cannot stand in a header: {why}")]
    HeaderUnfit {
        /// The scheme.
        scheme: String,
        /// Why not.
        why: String,
    },
    /// An empty text: anybody can sign with it, so it verifies nothing.
    #[error("the signing secret is empty; set one, or clear it to accept unsigned requests")]
    EmptySecret,
    /// The text cannot be made into a key of this scheme.
    #[error("the signing secret cannot be used as a key of the scheme {scheme:?}")]
    UnusableSecret {
        /// The scheme.
        scheme: String,
    },
    /// Nothing to sign with.
    #[error("{provider} does not sign its webhooks, so there is no signature to make")]
    NotSigned {
        /// Slug of the provider.
        provider: String,
    },
}

impl SignatureError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NeedsPrivateKey { .. } => {
                "Use a test key pair of your own: its private half (PEM) as the secret, its public half in your app."
            }
            Self::SigningUnsupported { .. } => "Let the provider send, or choose another scheme of it.",
            Self::BodyUnfit { .. } => {
                "Check that the body is of the form that the provider sends, or name another scheme."
            }
            Self::UrlUnknown { .. } => "Set the public URL of the endpoint, or the option `public_url`.",
            Self::UnusableSecret { .. } | Self::EmptySecret => "Correct the signing secret.",
            Self::FieldAbsent { .. } => "Add the header or the field that the scheme signs.",
            Self::OptionMissing { .. } => "Set it among the provider's options.",
            Self::HeaderUnfit { .. } => "Correct the provider's options.",
            Self::NotSigned { .. } => "Send it without a signature.",
            _ => "`creel providers show PROVIDER` says what its schemes need.",
        }
    }
}
