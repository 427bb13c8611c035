//! Mistakes of who signs: senders of one's own that do not follow the provider's document.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Case, Ground, NOW};
use crate::signature::algorithm::Kind;
use crate::signature::{Algorithm, Scheme, SecretForm, Template};

/// What one signer does wrong, another provider may do on purpose: then the request is just as that one sends it.
const OTHERS: &str = "wrong_provider";
const TEXT: &str = r#"{"type":"order.paid","count":3}"#;

pub(super) fn cases(ground: &Ground) -> Vec<Case> {
    let mut cases = Vec::new();
    let body = ground.body(TEXT);
    let mut add = |mistake, codes, scheme: &Scheme| {
        cases.extend(ground.sent_by(scheme, &ground.key, &body, NOW).map(|sent| Case { mistake, codes, sent }));
    };
    if ground.scheme.algorithm.kind() == Kind::Digest {
        let keyed = [
            ("algorithm: HMAC-MD5", Algorithm::HmacMd5),
            ("algorithm: HMAC-SHA1", Algorithm::HmacSha1),
            ("algorithm: HMAC-SHA256", Algorithm::HmacSha256),
            ("algorithm: HMAC-SHA384", Algorithm::HmacSha384),
            ("algorithm: HMAC-SHA512", Algorithm::HmacSha512),
            ("algorithm: SHA-256 without a key", Algorithm::Sha256),
        ];
        for (mistake, algorithm) in keyed {
            if algorithm != ground.scheme.algorithm {
                add(mistake, &["wrong_algorithm", OTHERS], &Scheme { algorithm, ..ground.scheme.clone() });
            }
        }
        let is_read = matches!(
            ground.scheme.secret,
            SecretForm::Hex | SecretForm::Base64 | SecretForm::Whsec | SecretForm::V1Whsec
        );
        if is_read {
            let scheme = Scheme { secret: SecretForm::Utf8, ..ground.scheme.clone() };
            add("key: the secret's text in place of what it decodes to", &["secret_not_decoded", OTHERS], &scheme);
        }
    }
    for (mistake, codes, content) in contents(ground.scheme) {
        add(mistake, codes, &Scheme { contents: vec![content], ..ground.scheme.clone() });
    }
    if ground.scheme.algorithm.kind() == Kind::Jwt {
        cases.extend(tokens(ground, &body));
    }
    cases
}

/// What is signed, with its parts left out or joined in another way.
fn contents(scheme: &Scheme) -> Vec<(&'static str, &'static [&'static str], Template)> {
    let Some(content) = scheme.content().map(Template::as_str) else { return Vec::new() };
    let wrong = &["signed_content_wrong", "signed_content_incomplete", OTHERS][..];
    let incomplete = &["signed_content_incomplete", OTHERS][..];
    let mut texts = Vec::new();
    if content.contains("{timestamp}") && content.contains("{body}") {
        texts.push(("content: the body alone", incomplete, "{body}".to_owned()));
        texts.push(("content: without the time", incomplete, content.replace("{timestamp}", "")));
        texts.push(("content: time and body with a dot", wrong, "{timestamp}.{body}".to_owned()));
        texts.push(("content: time and body with a colon", wrong, "{timestamp}:{body}".to_owned()));
        texts.push(("content: time and body with nothing", wrong, "{timestamp}{body}".to_owned()));
        texts.push(("content: time and body with a line end", wrong, "{timestamp}\n{body}".to_owned()));
        texts.push(("content: body before time", wrong, "{body}.{timestamp}".to_owned()));
    }
    if content.contains("{url}") && content.contains("{body}") {
        texts.push(("content: the body alone, without the URL", incomplete, "{body}".to_owned()));
        texts.push(("content: body before URL", wrong, "{body}{url}".to_owned()));
    }
    if content.contains("{id}") && content.contains("{timestamp}") {
        texts.push(("content: without the id", incomplete, "{timestamp}.{body}".to_owned()));
        texts.push(("content: time before id", wrong, "{timestamp}.{id}.{body}".to_owned()));
    }
    texts.retain(|(_, _, text)| scheme.contents.iter().all(|content| content.as_str() != text));
    texts.into_iter().map(|(mistake, codes, text)| (mistake, codes, Template::parse(&text).unwrap())).collect()
}

fn tokens(ground: &Ground, body: &[u8]) -> Vec<Case> {
    let sent = ground.sent(body);
    let mut cases = Vec::new();
    let Some(name) = ground.scheme.places[0].header_to_write() else { return cases };
    let at = sent.headers.iter().position(|(own, _)| own.eq_ignore_ascii_case(&name)).unwrap();
    let prefix = ground.scheme.places[0].prefix();
    let token = sent.headers[at].1.strip_prefix(prefix).unwrap().to_owned();
    let (_, rest) = token.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    for (mistake, algorithm) in [("token: alg none", "none"), ("token: alg ES512", "ES512")] {
        let header = URL_SAFE_NO_PAD.encode(format!("{{\"alg\":\"{algorithm}\",\"typ\":\"JWT\"}}"));
        let mut sent = sent.clone();
        sent.headers[at].1 = format!("{prefix}{header}.{claims}.{signature}");
        cases.push(Case { mistake, codes: &["wrong_algorithm"], sent });
    }
    for option in ["audience", "api_key", "email"] {
        let is_claimed = ground
            .scheme
            .checks
            .iter()
            .any(|check| check.claim().is_some() && check.option().is_some_and(|name| name.as_str() == option));
        if is_claimed {
            let mut sent = sent.clone();
            sent.options[option] = "https://another.example/".into();
            cases.push(Case { mistake: "token: a claim is another than expected", codes: &["claim_mismatch"], sent });
        }
    }
    cases
}
