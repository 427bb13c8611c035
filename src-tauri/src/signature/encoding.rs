//! How bytes are written as text.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::words;

/// Padding is written and, since senders and people lose it, not asked for.
const PADDED: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_encode_padding(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, PADDED);
const BASE64URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, PADDED.with_encode_padding(false));

words! {
    /// How a digest or token is written as text.
    Encoding {
        /// Hexadecimal; either case is read, lower case is written.
        Hex = "hex",
        /// Base64 with `+` and `/` (RFC 4648 section 4); padding is written, not asked for.
        Base64 = "base64",
        /// Base64 with `-` and `_` (RFC 4648 section 5) without padding.
        Base64url = "base64url",
        /// The bytes themselves, for tokens.
        Text = "text",
    }
}

impl Encoding {
    /// The bytes that a text stands for.
    pub(super) fn decode(self, text: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 => BASE64.decode(text).ok(),
            Self::Base64url => BASE64URL.decode(text).ok(),
            Self::Text => Some(text.to_vec()),
        }
    }

    /// The text of some bytes.
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => BASE64.encode(bytes),
            Self::Base64url => BASE64URL.encode(bytes),
            Self::Text => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_decodes_and_padding_is_not_asked_for() {
        for encoding in Encoding::ALL {
            let bytes = b"\x7f}~?".as_slice();
            assert_eq!(encoding.decode(encoding.encode(bytes).as_bytes()).as_deref(), Some(bytes), "{encoding}");
        }
        assert_eq!(Encoding::Base64.decode(b"YQ"), Some(b"a".to_vec()));
        assert_eq!(Encoding::Base64url.encode(b"\xff\xfe"), "__4");
        assert_eq!(Encoding::Base64.decode(b"__4="), None);
        assert_eq!(Encoding::Hex.decode(b"0"), None);
    }
}
