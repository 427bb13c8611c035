//! What `sign` makes, `verify` accepts, for every scheme that a secret is enough to sign with; and nothing else.

use proptest::prelude::*;
use serde_json::json;

use super::CATALOGUE;
use crate::domain::{Headers, Secret, SignatureReason, Timestamp};
use crate::signature::algorithm::sha256;
use crate::signature::{Encoding, Provider, Scheme, SecretForm, SignedRequest};

/// The clock of every property; whole seconds, as most schemes sign no smaller ones.
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// Schemes that can be signed with; fewer would mean that the properties test less than they say.
const SCHEMES_MIN: usize = 135;

fn signable() -> Vec<(&'static Provider, &'static Scheme)> {
    let providers =
        CATALOGUE.iter().flat_map(|provider| provider.schemes.iter().map(move |scheme| (&**provider, scheme)));
    providers.filter(|(_, scheme)| scheme.can_sign()).collect()
}

/// A secret in the form that a scheme wants.
fn secret_of(form: SecretForm, text: &str) -> Secret {
    Secret::new(match form {
        SecretForm::Hex => hex::encode(text),
        SecretForm::Base64 => Encoding::Base64.encode(text.as_bytes()),
        SecretForm::Whsec => format!("whsec_{}", Encoding::Base64.encode(text.as_bytes())),
        SecretForm::V1Whsec => format!("v1,whsec_{}", Encoding::Base64.encode(text.as_bytes())),
        _ => text.to_owned(),
    })
}

/// One request, signed.
struct Signed {
    url: String,
    headers: Vec<(String, String)>,
}

/// Headers that some schemes cover.
const COVERED: [(&str, &str); 2] =
    [("Content-Type", "application/json"), ("X-Contentful-Signed-Headers", "content-type,x-contentful-timestamp")];

fn sign(provider: &Provider, scheme: &Scheme, secret: &Secret, body: &[u8]) -> Signed {
    let url = format!("https://hooks.example.com/in?a=1&bodySHA256={}", hex::encode(sha256(body)));
    let mut headers: Vec<(String, String)> = COVERED.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    // What a scheme covers has to be there before it is signed.
    headers.push(("x-contentful-timestamp".to_owned(), NOW.as_millis().to_string()));
    let made = {
        let headers = Headers::from_pairs(headers.iter().map(|(n, v)| (n, v))).unwrap();
        let request = SignedRequest { method: "POST", url: Some(&url), headers: &headers, body };
        provider.sign(Some(&scheme.name), &json!({}), secret, &request, NOW).unwrap()
    };
    headers.retain(|(name, _)| !made.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
    headers.extend(made);
    Signed { url, headers }
}

fn reason(provider: &Provider, scheme: &Scheme, secret: &Secret, signed: &Signed, body: &[u8]) -> SignatureReason {
    let headers = Headers::from_pairs(signed.headers.iter().map(|(name, value)| (name, value))).unwrap();
    let request = SignedRequest { method: "POST", url: Some(&signed.url), headers: &headers, body };
    let secrets = std::slice::from_ref(secret);
    provider.verify(Some(&scheme.name), &json!({}), secrets, &request, NOW).unwrap().reason
}

fn covers_body(scheme: &Scheme) -> bool {
    let covers = |text: &str| text.contains("{body") || text.contains("sorted_params");
    scheme.contents.iter().any(|content| covers(content.as_str()))
        || scheme.checks.iter().any(|check| check.is_of_body())
}

/// Another letter or digit in its place.
fn other(character: u8) -> u8 {
    match character {
        b'9' => b'8',
        b'0'..=b'8' => character + 1,
        b'z' => b'y',
        b'a'..=b'y' => character + 1,
        b'Z' => b'Y',
        b'A'..=b'Y' => character + 1,
        _ => b'A',
    }
}

fn changed(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = other(bytes[at]);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_properties_are_about_most_of_the_catalogue() {
    assert!(signable().len() >= SCHEMES_MIN, "{}", signable().len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_sign_makes_verify_accepts_for_every_scheme(secret in "[!-~]{1,60}", body in "[a-zA-Z0-9]{0,200}") {
        for (provider, scheme) in signable() {
            let secret = secret_of(scheme.secret, &secret);
            let signed = sign(provider, scheme, &secret, body.as_bytes());
            let reason = reason(provider, scheme, &secret, &signed, body.as_bytes());
            prop_assert_eq!(reason, SignatureReason::Ok, "{} {}", provider.slug, scheme.name);
        }
    }

    #[test]
    fn one_changed_byte_in_body_or_secret_is_refused_by_every_scheme_that_covers_it(
        secret in "[a-z0-9]{8,40}", body in "[a-z0-9]{1,60}", at in any::<prop::sample::Index>(),
    ) {
        for (provider, scheme) in signable() {
            let key = secret_of(scheme.secret, &secret);
            let signed = sign(provider, scheme, &key, body.as_bytes());
            let wrong = secret_of(scheme.secret, &changed(&secret, at.index(secret.len())));
            let verdict = reason(provider, scheme, &wrong, &signed, body.as_bytes());
            prop_assert_ne!(verdict, SignatureReason::Ok, "{} {} secret", provider.slug, scheme.name);
            if covers_body(scheme) {
                let body = changed(&body, at.index(body.len()));
                let verdict = reason(provider, scheme, &key, &signed, body.as_bytes());
                prop_assert_ne!(verdict, SignatureReason::Ok, "{} {} body", provider.slug, scheme.name);
            }
        }
    }

    #[test]
    fn one_changed_byte_in_a_signed_header_is_refused_by_every_scheme(
        secret in "[a-z0-9]{8,40}", body in "[a-z0-9]{1,60}", at in any::<prop::sample::Index>(),
    ) {
        for (provider, scheme) in signable() {
            let key = secret_of(scheme.secret, &secret);
            let signed = sign(provider, scheme, &key, body.as_bytes());
            let made = signed.headers.iter().skip_while(|(name, _)| COVERED.iter().any(|(other, _)| other == name));
            for (name, value) in made.filter(|(name, _)| !name.eq_ignore_ascii_case("x-contentful-timestamp")) {
                let headers = signed.headers.iter().map(|(other, old)| {
                    let new = if other == name { changed(value, at.index(value.len())) } else { old.clone() };
                    (other.clone(), new)
                });
                let changed = Signed { url: signed.url.clone(), headers: headers.collect() };
                let verdict = reason(provider, scheme, &key, &changed, body.as_bytes());
                prop_assert_ne!(verdict, SignatureReason::Ok, "{} {} {}", provider.slug, scheme.name, name);
            }
        }
    }
}
