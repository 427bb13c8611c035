//! Mistakes with the secret: the sender signs as it should, the receiver has something else for the secret.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::{Case, Ground, KEY, NOW, OTHER_KEY, Sent};
use crate::domain::Secret;
use crate::signature::SecretForm;
use crate::signature::tests::round_trips::secret_of;

/// A sender that does not decode its secret sends just this; one provider does, and its signatures stand in the same header.
const BYTES: &[&str] = &["secret_encoding", "secret_not_decoded", "wrong_provider"];
const TEXT: &str = r#"{"type":"order.paid","count":3}"#;

pub(super) fn cases(ground: &Ground) -> Vec<Case> {
    let sent = ground.sent(&ground.body(TEXT));
    let mut cases = Vec::new();
    let mut add =
        |mistake, secret: String, codes| cases.push(Case { mistake, codes, sent: Sent { secret, ..sent.clone() } });
    let s = &ground.secret;

    let white = &["secret_whitespace"][..];
    add("secret: a space before", format!(" {s}"), white);
    add("secret: a space behind", format!("{s} "), white);
    add("secret: a line end behind", format!("{s}\n"), white);
    add("secret: CRLF behind", format!("{s}\r\n"), white);
    add("secret: tabs around", format!("\t{s}\t"), white);
    add("secret: a no-break space behind", format!("{s}\u{a0}"), white);
    add("secret: a zero-width space behind", format!("{s}\u{200b}"), white);
    add("secret: a byte order mark before", format!("\u{feff}{s}"), white);
    if !s.contains('\n') {
        let (head, tail) = s.split_at(s.len() / 2);
        add("secret: wrapped into two lines", format!("{head}\n{tail}"), white);
    }

    let quoted = &["secret_quoted"][..];
    add("secret: in double quotes", format!("\"{s}\""), quoted);
    add("secret: in single quotes", format!("'{s}'"), quoted);
    add("secret: in back quotes", format!("`{s}`"), quoted);
    add("secret: in typographic quotes", format!("\u{201c}{s}\u{201d}"), quoted);
    add("secret: in quotes, with a line end behind", format!("\"{s}\"\n"), quoted);

    let prefixed = &["secret_prefix"][..];
    add("secret: a line of a settings file", format!("WEBHOOK_SECRET={s}"), prefixed);
    add("secret: an exported line of a settings file", format!("export WEBHOOK_SECRET=\"{s}\""), prefixed);
    if !matches!(ground.scheme.secret, SecretForm::Whsec | SecretForm::V1Whsec | SecretForm::PublicKey) {
        add(
            "secret: whsec_ before one that has none",
            format!("whsec_{s}"),
            &["secret_prefix", "secret_prefix_stripped"],
        );
    }
    if ground.scheme.secret == SecretForm::Whsec {
        add("secret: whsec_ twice", format!("whsec_{s}"), prefixed);
    }

    let other = secret_of(ground.scheme, OTHER_KEY, true);
    let other = ground.scheme.public_key_of(&other).unwrap_or_else(|| other.expose().to_owned());
    add("secret: another", other.clone(), &["wrong_secret"]);
    add("secret: an API key", "sk_test_51Hq8x0mADEuP".to_owned(), &["wrong_secret_kind", "secret_malformed"]);
    cases.push(Case {
        mistake: "secret: that of another endpoint",
        codes: &["other_endpoint_secret"],
        sent: Sent { secret: other, others: vec![Secret::new(s.clone())], ..sent.clone() },
    });
    cases.extend(encoded(ground, &sent));
    cases.extend(stripped(ground));
    cases
}

/// The key written in another way than the scheme's secrets are.
fn encoded(ground: &Ground, sent: &Sent) -> Vec<Case> {
    let case = |mistake, secret: String, codes| Case { mistake, codes, sent: Sent { secret, ..sent.clone() } };
    let s = &ground.secret;
    let (hex, base64, base64url) = (hex::encode(KEY), STANDARD.encode(KEY), URL_SAFE_NO_PAD.encode(KEY));
    match ground.scheme.secret {
        SecretForm::Utf8 | SecretForm::Nfkd | SecretForm::Html | SecretForm::Sha1 | SecretForm::Basic => {
            let codes = &["secret_decoded"];
            vec![
                case("secret: text, given as base64", STANDARD.encode(s), codes),
                case("secret: text, given as base64url", URL_SAFE_NO_PAD.encode(s), codes),
                case("secret: text, given as hex", hex::encode(s), codes),
            ]
        }
        SecretForm::Hex => {
            let codes = &["secret_encoding"];
            vec![
                case("secret: hex, given as base64", base64, codes),
                case("secret: hex, given as the bytes", KEY.to_owned(), BYTES),
            ]
        }
        SecretForm::Base64 | SecretForm::Whsec | SecretForm::V1Whsec => {
            let codes = &["secret_encoding"];
            vec![
                case("secret: base64, given as hex", hex, codes),
                case("secret: base64, given as base64url", base64url, codes),
                case("secret: base64, given as base64 twice", STANDARD.encode(&base64), codes),
                case("secret: base64, given as the bytes", KEY.to_owned(), BYTES),
            ]
        }
        SecretForm::PublicKey if s.contains('\n') => {
            vec![case("key: line ends written as \\n", s.replace('\n', "\\n"), &["secret_escaped"])]
        }
        SecretForm::PublicKey | SecretForm::Certificate => Vec::new(),
    }
}

/// The prefix that is part of a secret is left out by the receiver, or by the sender.
fn stripped(ground: &Ground) -> Vec<Case> {
    if ground.scheme.secret != SecretForm::Utf8 {
        return Vec::new();
    }
    let whole = Secret::new(format!("whsec_{KEY}"));
    let body = ground.body(TEXT);
    let by_receiver = ground.sent_by(ground.scheme, &whole, &body, NOW).unwrap();
    let by_sender = Sent { secret: whole.expose().to_owned(), ..ground.sent(&body) };
    vec![
        Case {
            mistake: "secret: its prefix left out by the receiver",
            codes: &["secret_prefix_stripped"],
            sent: by_receiver,
        },
        Case {
            mistake: "secret: its prefix left out by the sender",
            codes: &["secret_prefix_stripped", "secret_prefix"],
            sent: by_sender,
        },
    ]
}
