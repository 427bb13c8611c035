//! Findings: the mistakes that explain why a signature does not hold, with what to do about each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::Action;
use crate::domain::words;

/// A mistake that explains why a signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Finding {
    /// Its stable word, for example `secret_whitespace`.
    pub code: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// What is wrong, in one sentence.
    pub explanation: String,
    /// What to do about it.
    pub fix: String,
    /// What the engine can do about it when asked to; null where only people can.
    #[serde(default)]
    pub action: Option<Action>,
}

words! {
    /// How sure a finding is.
    Confidence {
        /// With the mistake undone the signature holds.
        Certain = "certain",
        /// The request shows signs of it.
        Likely = "likely",
        /// Nothing speaks against it.
        Possible = "possible",
    }
}

macro_rules! mistakes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal: $explanation:literal, $fix:literal;)+) => {
        words! {
            /// A mistake that findings name; the words are stable.
            Mistake { $($(#[$doc])* $variant = $word,)+ }
        }

        impl Mistake {
            const fn texts(self) -> (&'static str, &'static str) {
                match self { $(Self::$variant => ($explanation, $fix),)+ }
            }
        }
    };
}

mistakes! {
    /// The header is absent.
    SignatureHeaderMissing = "signature_header_missing":
        "The request has no signature header.",
        "Set a signing secret at the sender; a request that was not sent by the provider has no signature at all.";
    /// The field is absent.
    SignatureFieldMissing = "signature_field_missing":
        "The body has no signature where the provider puts it.",
        "Switch signing on at the sender, and check that the endpoint's provider is the right one.";
    /// The timestamp is absent.
    TimestampHeaderMissing = "timestamp_header_missing":
        "The signature is there, but the timestamp that is signed with it is not.",
        "Find out what drops the header between sender and receiver.";
    /// The id is absent.
    IdHeaderMissing = "id_header_missing":
        "The signature is there, but the message id that is signed with it is not.",
        "Find out what drops the header between sender and receiver.";
    /// Another version.
    UnsupportedVersion = "unsupported_version":
        "The signature is of a version that this scheme does not know.",
        "Choose the scheme that matches at the endpoint, or have the sender sign with the documented version.";
    /// No prefix.
    SignaturePrefixMissing = "signature_prefix_missing":
        "The digest is there, but not the prefix that the provider documents before it.",
        "Send the header's whole value, prefix included.";
    /// Hex against base64.
    EncodingMismatch = "encoding_mismatch":
        "The digest is written in another encoding than the provider documents.",
        "Write the digest in the documented encoding: hex and base64 are easily confused.";
    /// Another algorithm.
    WrongAlgorithm = "wrong_algorithm":
        "The signature was made with another algorithm than the provider documents.",
        "Sign with the documented algorithm.";
    /// Unreadable time.
    TimestampMalformed = "timestamp_malformed":
        "The timestamp is not in the form that the provider documents.",
        "Send the timestamp as documented, as a number where a number is asked for.";
    /// Unreadable signature.
    SignatureMalformed = "signature_malformed":
        "The signature is not in the form that the provider documents.",
        "Compare the header with the documented form; it may have been cut off or replaced on the way.";
    /// Too old.
    TimestampTooOld = "timestamp_too_old":
        "The signature fits; only its timestamp is older than the provider's tolerance allows.",
        "Replay with a fresh signature, or check the receiver's clock.";
    /// Too new.
    TimestampInFuture = "timestamp_in_future":
        "The signature fits; only its timestamp lies further ahead than the tolerance allows.",
        "Check the clocks of sender and receiver.";
    /// Milliseconds.
    TimestampUnitMs = "timestamp_unit_ms":
        "The signature fits, but the timestamp is in milliseconds where seconds are documented.",
        "Send the timestamp in seconds.";
    /// Seconds.
    TimestampUnitS = "timestamp_unit_s":
        "The signature fits, but the timestamp is in seconds where milliseconds are documented.",
        "Send the timestamp in milliseconds.";
    /// Expired.
    TokenExpired = "token_expired":
        "The token is genuine, but its time has run out.",
        "Have the sender make a new token, or check the receiver's clock.";
    /// A claim.
    ClaimMismatch = "claim_mismatch":
        "The token is genuine, but one of its claims has another value than expected.",
        "Compare the token's claims with the options of the endpoint, such as audience and email.";
    /// White space.
    SecretWhitespace = "secret_whitespace":
        "The configured secret has white space or invisible characters in it; without them the signature holds.",
        "Save the secret again without the space or line end.";
    /// Quotes.
    SecretQuoted = "secret_quoted":
        "The configured secret is in quotes; without them the signature holds.",
        "Save the secret again without the quotes.";
    /// A prefix.
    SecretPrefix = "secret_prefix":
        "The configured secret begins with a prefix that is not part of it.",
        "Save the secret again without the prefix.";
    /// A lost prefix.
    SecretPrefixStripped = "secret_prefix_stripped":
        "The secret's prefix, which is part of the key here, was left out on one of the two sides.",
        "Use the whole secret as the key, prefix included.";
    /// Not decoded.
    SecretNotDecoded = "secret_not_decoded":
        "The signature was made with the secret's text; the key is what the text decodes to.",
        "Decode the secret before it is used as the key.";
    /// Decoded.
    SecretDecoded = "secret_decoded":
        "The signature was made with the decoded secret; the key is the text as it stands.",
        "Use the secret's text as the key, without decoding it.";
    /// Another encoding.
    SecretEncoding = "secret_encoding":
        "The configured secret is written in another encoding than the scheme's secrets are; read so, the signature holds.",
        "Save the secret again as the provider shows it: hex and base64 are easily confused.";
    /// Written line ends.
    SecretEscaped = "secret_escaped":
        "The configured key has its line ends written as \\n; with real ones the signature holds.",
        "Save the key again with real line ends.";
    /// Unreadable.
    SecretMalformed = "secret_malformed":
        "The configured secret cannot be read as a key of this scheme.",
        "Copy the secret from the provider again, whole and unchanged.";
    /// Another kind.
    WrongSecretKind = "wrong_secret_kind":
        "The configured secret looks like another kind of credential, not like a signing secret.",
        "Configure the webhook's signing secret; API keys and ids do not sign webhooks.";
    /// Swapped.
    KeysSwapped = "keys_swapped":
        "The primary and the secondary key are configured the wrong way round.",
        "Swap the two keys.";
    /// Another endpoint's.
    OtherEndpointSecret = "other_endpoint_secret":
        "The signature holds with the secret of another endpoint.",
        "Set that secret here too, or point the sender at the other endpoint.";
    /// Another provider's.
    WrongProvider = "wrong_provider":
        "The signature holds by the rules of another provider.",
        "Choose that provider at the endpoint.";
    /// Another scheme's.
    WrongScheme = "wrong_scheme":
        "The signature holds by another scheme of the same provider.",
        "Choose that scheme at the endpoint.";
    /// A newline.
    TrailingNewline = "trailing_newline":
        "A line end at the end of the body was added or removed after signing.",
        "Verify over the exact bytes received; find out what trims or adds the line end.";
    /// Line ends.
    LineEndings = "line_endings":
        "The body's line ends were changed after signing.",
        "Verify over the exact bytes received; find out what rewrites CRLF and LF.";
    /// A byte order mark.
    BodyBom = "body_bom":
        "A byte order mark was added to or removed from the body after signing.",
        "Verify over the exact bytes received.";
    /// Base64.
    BodyBase64 = "body_base64":
        "The body arrived base64-encoded; the signature is over what it decodes to.",
        "Decode the body before verifying; gateways mark such bodies, for example with `isBase64Encoded`.";
    /// Compressed.
    BodyCompressed = "body_compressed":
        "The body arrived compressed; the signature is over the plain bytes.",
        "Unpack the body before verifying.";
    /// Unpacked.
    BodyUnpacked = "body_unpacked":
        "The request says that its body is compressed, and it is not: something unpacked it after signing.",
        "Verify over the exact bytes received; switch off the unpacking before that.";
    /// Wrapped.
    BodyWrapped = "body_wrapped":
        "The body arrived inside another one, such as a JSON string or a gateway's event; the signature is over what is inside.",
        "Take the original body out before verifying.";
    /// Cut off.
    BodyTruncated = "body_truncated":
        "The body ends in the middle of its JSON, so a part of it was lost after signing.",
        "Look for a limit on the way, or for a length counted in characters in place of bytes.";
    /// Empty.
    BodyEmpty = "body_empty":
        "The request has a content type and an empty body, so the body was lost after signing.",
        "Look for what reads the body on the way: a stream that was read once is empty afterwards.";
    /// Transcoded.
    Charset = "charset":
        "The body's text was converted to another character set after signing.",
        "Verify over the exact bytes received, before they are decoded as text.";
    /// Written again.
    BodyReserialised = "body_reserialised":
        "The body was parsed and written out again after signing; the signature fits it written in another way.",
        "Verify over the raw body, before any parser touches it.";
    /// The URL.
    UrlMismatch = "url_mismatch":
        "The signature covers another URL than the one that the receiver sees.",
        "Set the public URL exactly as it is registered at the provider.";
    /// A part left out.
    SignedContentIncomplete = "signed_content_incomplete":
        "The signer left out a part of what the provider documents as signed.",
        "Sign all documented parts, in the documented order.";
    /// Joined otherwise.
    SignedContentWrong = "signed_content_wrong":
        "The signer joined the signed parts in another way than the provider documents.",
        "Join the parts exactly as documented.";
    /// A changed header.
    SignedHeaderChanged = "signed_header_changed":
        "A header that is signed was changed on the way.",
        "Compare the signed headers with what the sender sends; proxies like to rewrite them.";
    /// A changed time.
    TimestampTampered = "timestamp_tampered":
        "The timestamp differs from the one that was signed.",
        "Find out what changes the timestamp on the way.";
    /// No certificate.
    CertificateMissing = "certificate_missing":
        "The certificate that the request was signed with is not here, so its signature cannot be judged yet.",
        "Set the option `trust` to `fetch` to have Creel fetch it from the provider, or give it as `certificate_pem`.";
    /// Untrusted.
    CertUrlUntrusted = "cert_url_untrusted":
        "The request names a certificate at an address that is not the provider's.",
        "Treat the request as forged.";
    /// Another key.
    WrongSecret = "wrong_secret":
        "The signature was made with another secret, or over another body.",
        "Compare the secret with the one at the provider: test and live, and each endpoint, have their own.";
    /// Changed bytes.
    BodyTampered = "body_tampered":
        "The body was changed after it was signed.",
        "Verify over the exact bytes received, and find out what changes them on the way.";
}

impl Mistake {
    /// The finding of this mistake.
    pub(super) fn found(self, confidence: Confidence) -> Finding {
        let (explanation, fix) = self.texts();
        Finding {
            code: self.as_str().to_owned(),
            confidence,
            explanation: explanation.to_owned(),
            fix: fix.to_owned(),
            action: None,
        }
    }

    /// The finding of this mistake, whose undoing makes the signature hold.
    pub(super) fn certain(self) -> Finding {
        self.found(Confidence::Certain)
    }
}

impl Finding {
    /// The finding with what can be done about it.
    #[must_use]
    pub(super) fn with_action(self, action: Option<Action>) -> Self {
        Self { action, ..self }
    }
}
