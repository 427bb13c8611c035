//! What `sign` makes, `verify` accepts, for every scheme that Creel signs with; and nothing else.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::CATALOGUE;
use crate::domain::{Headers, Secret, SignatureReason, SignatureStatus, Timestamp};
use crate::signature::algorithm::sha256;
use crate::signature::form;
use crate::signature::json_edit::Written;
use crate::signature::json_path::JsonPath;
use crate::signature::key_pair::KeyPair;
use crate::signature::place::Sources;
use crate::signature::timestamp_place::TimestampAt;
use crate::signature::{Algorithm, BodyFacts, Encoding, Place, Provider, Scheme, SecretForm, SignedRequest};

/// The clock of every property; whole seconds, as most schemes sign no smaller ones.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// Schemes that can be signed with; fewer would mean that the properties test less than they say.
const SCHEMES_MIN: usize = 135;
/// How much later an example is signed anew; every timestamp in it has gone stale by then.
const LATER_SECONDS: i64 = 7 * 24 * 60 * 60;
/// RSA keys take long to make, so these are from files. They guard nothing.
const RSA: [&str; 2] = [include_str!("rsa_test_key.pem"), include_str!("rsa_other_key.pem")];

pub(super) fn signable() -> Vec<(&'static Provider, &'static Scheme)> {
    let providers =
        CATALOGUE.iter().flat_map(|provider| provider.schemes.iter().map(move |scheme| (&**provider, scheme)));
    providers.filter(|(_, scheme)| scheme.can_sign()).collect()
}

/// Two private keys of each kind: one that signs, and another.
static KEYS: LazyLock<[[String; 2]; 2]> = LazyLock::new(|| {
    [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256]
        .map(|algorithm| [(); 2].map(|()| KeyPair::make(algorithm).unwrap().expose().to_owned()))
});

/// A secret in the form that a scheme wants; of private keys one of two, as the text is or is not the other.
pub(super) fn secret_of(scheme: &Scheme, text: &str, is_other: bool) -> Secret {
    let at = usize::from(is_other);
    Secret::new(match (scheme.secret, scheme.algorithm) {
        (SecretForm::PublicKey, Algorithm::Ed25519) => KEYS[0][at].clone(),
        (SecretForm::PublicKey, Algorithm::EcdsaP256Sha256 | Algorithm::JwtEs256) => KEYS[1][at].clone(),
        (SecretForm::PublicKey, _) => RSA[at].to_owned(),
        (SecretForm::Hex, _) => hex::encode(text),
        (SecretForm::Base64, _) => Encoding::Base64.encode(text.as_bytes()),
        (SecretForm::Whsec, _) => format!("whsec_{}", Encoding::Base64.encode(text.as_bytes())),
        (SecretForm::V1Whsec, _) => format!("v1,whsec_{}", Encoding::Base64.encode(text.as_bytes())),
        _ => text.to_owned(),
    })
}

/// One request, signed.
struct Signed {
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// What the receiver verifies with.
    secret: Secret,
    /// The headers that signing made.
    made: Vec<String>,
}

/// Headers that some schemes cover, as an older request brought them.
pub(super) const COVERED: [(&str, &str); 4] = [
    ("Content-Type", "application/json"),
    ("X-Contentful-Signed-Headers", "content-type,x-contentful-timestamp"),
    ("X-Contentful-Timestamp", "1767225000000"),
    ("X-Hook0-Signature", "t=1767225000,h=content-type,v1=00"),
];

/// Where in the body the signature stands.
pub(super) fn inner_place(scheme: &Scheme) -> Option<&Place> {
    scheme.places.first().map(|place| &place.place).filter(|place| place.header_name().is_none())
}

/// A body that holds the text: the text itself or, for a scheme that signs inside the body or a field of it alone, the
/// example's with the text added.
pub(super) fn body_of(provider: &Provider, scheme: &Scheme, text: &str) -> Vec<u8> {
    let signs_a_field = scheme.contents.iter().any(|content| content.as_str().contains("{form:"));
    if inner_place(scheme).is_none() && !signs_a_field {
        return text.as_bytes().to_vec();
    }
    let first = &provider.schemes[0].name;
    let is_its = |name: &Option<String>| name.as_ref().unwrap_or(first) == &scheme.name;
    let mut examples = provider.examples.iter();
    let example = examples.find(|example| is_its(&example.scheme) && example.status == SignatureStatus::Valid).unwrap();
    let body = example.body.as_bytes();
    let with = JsonPath::parse("note").unwrap().with(body, text, Written::Text);
    with.or_else(|| form::with_field(body, "note", text.as_bytes())).unwrap()
}

pub(super) fn options_of(scheme: &Scheme) -> Value {
    let named = scheme.places.first().and_then(|place| place.prefix_option());
    named.map_or(json!({}), |option| json!({ option.as_str(): "a_public_key" }))
}

fn sign(provider: &Provider, scheme: &Scheme, secret: &Secret, text: &str) -> Signed {
    let body = body_of(provider, scheme, text);
    let url = format!("https://hooks.example.com/in?a=1&bodySHA256={}", hex::encode(sha256(&body)));
    let headers = Headers::from_pairs(COVERED).unwrap();
    let request = SignedRequest { method: "POST", url: Some(&url), headers: &headers, body: &body };
    let made = provider.sign(Some(&scheme.name), &options_of(scheme), secret, &request, NOW);
    let made = made.unwrap_or_else(|error| panic!("{} {}: {error}", provider.slug, scheme.name));
    assert_eq!(made.body.is_some(), inner_place(scheme).is_some(), "{}", scheme.name);
    Signed {
        headers: made.headers_in(&headers).unwrap().to_text_pairs(),
        made: made.headers.into_iter().map(|(name, _)| name).collect(),
        body: made.body.unwrap_or(body),
        secret: made.public_key.map_or_else(|| secret.clone(), Secret::new),
        url,
    }
}

fn reason(provider: &Provider, scheme: &Scheme, secret: &Secret, signed: &Signed, body: &[u8]) -> SignatureReason {
    let headers = Headers::from_pairs(signed.headers.iter().map(|(name, value)| (name, value))).unwrap();
    let request = SignedRequest { method: "POST", url: Some(&signed.url), headers: &headers, body };
    let (options, secrets) = (options_of(scheme), std::slice::from_ref(secret));
    provider.verify(Some(&scheme.name), &options, secrets, &request, NOW).unwrap().reason
}

fn covers_body(scheme: &Scheme) -> bool {
    let covers = |text: &str| text.contains("{body") || text.contains("sorted_params");
    scheme.contents.iter().any(|content| covers(content.as_str()))
        || scheme.checks.iter().any(|check| check.is_of_body())
}

/// The fields of the body that are signed one by one.
fn covered_fields(scheme: &Scheme) -> Vec<Place> {
    let content = scheme.content().map(|content| content.as_str().to_owned()).unwrap_or_default();
    let parts = content.split('{').filter_map(|part| Some(part.split_once('}')?.0.trim_start_matches('?').to_owned()));
    parts
        .filter_map(|part| {
            let (word, argument) = part.split_once(':')?;
            let toml = match word {
                "json" => format!("body = '{argument}'"),
                "form" => format!("form = '{argument}'"),
                // All fields but that one: such as the one that `body_of` adds.
                "php_form" => "form = 'note'".to_owned(),
                "form_json" => {
                    argument.split_once('/').map(|(form, body)| format!("form = '{form}'\nbody = '{body}'"))?
                }
                _ => return None,
            };
            Some(toml::from_str(&toml).unwrap())
        })
        .collect()
}

/// The body with one character of the text at a place changed; none when nothing stands there.
fn changed_at(place: &Place, body: &[u8], at: prop::sample::Index) -> Option<Vec<u8>> {
    let none = Headers::default();
    let found = place.read(&Sources { headers: &none, body, facts: None, url: None })?.into_owned();
    place.write(body, &changed(&found, at.index(found.len())), Written::Text)
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
    for (_, scheme) in signable().iter().filter(|(_, scheme)| inner_place(scheme).is_some()) {
        let is_token = scheme.algorithm == Algorithm::Token;
        assert!(is_token || scheme.timestamp.is_some() || !covered_fields(scheme).is_empty(), "{}", scheme.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_sign_makes_verify_accepts_for_every_scheme(secret in "[!-~]{1,60}", body in "[a-zA-Z0-9]{0,200}") {
        for (provider, scheme) in signable() {
            let secret = secret_of(scheme, &secret, false);
            let signed = sign(provider, scheme, &secret, &body);
            for secret in [&secret, &signed.secret] {
                let reason = reason(provider, scheme, secret, &signed, &signed.body);
                prop_assert_eq!(reason, SignatureReason::Ok, "{} {}", provider.slug, scheme.name);
            }
        }
    }

    #[test]
    fn one_changed_byte_in_body_or_secret_is_refused_by_every_scheme_that_covers_it(
        secret in "[a-z0-9]{8,40}", body in "[a-z0-9]{1,60}", at in any::<prop::sample::Index>(),
    ) {
        for (provider, scheme) in signable() {
            let key = secret_of(scheme, &secret, false);
            let signed = sign(provider, scheme, &key, &body);
            let wrong = secret_of(scheme, &changed(&secret, at.index(secret.len())), true);
            let verdict = reason(provider, scheme, &wrong, &signed, &signed.body);
            prop_assert_ne!(verdict, SignatureReason::Ok, "{} {} secret", provider.slug, scheme.name);
            if covers_body(scheme) {
                let body = changed(&body, at.index(body.len()));
                let verdict = reason(provider, scheme, &signed.secret, &signed, body.as_bytes());
                prop_assert_ne!(verdict, SignatureReason::Ok, "{} {} body", provider.slug, scheme.name);
            }
        }
    }

    #[test]
    fn one_changed_byte_of_what_is_signed_inside_a_body_is_refused(
        secret in "[a-z0-9]{8,40}", text in "[a-z0-9]{1,60}", at in any::<prop::sample::Index>(),
    ) {
        for (provider, scheme) in signable() {
            let Some(place) = inner_place(scheme) else { continue };
            let key = secret_of(scheme, &secret, false);
            let signed = sign(provider, scheme, &key, &text);
            prop_assert_eq!(reason(provider, scheme, &key, &signed, &signed.body), SignatureReason::Ok);
            let mut places = covered_fields(scheme);
            places.push(place.clone());
            if let Some(TimestampAt::Place(at)) = scheme.timestamp.as_ref().map(|timestamp| &timestamp.at) {
                places.push(at.clone());
            }
            let mut seen = 0;
            for body in places.iter().filter_map(|place| changed_at(place, &signed.body, at)) {
                let verdict = reason(provider, scheme, &key, &signed, &body);
                // What stands before the signature may be read as part of it or not.
                let is_prefix = place.word().ends_with("bt_signature");
                prop_assert!(verdict != SignatureReason::Ok || is_prefix, "{} {}", provider.slug, scheme.name);
                seen += 1;
            }
            prop_assert!(seen > 0);
        }
    }

    #[test]
    fn one_changed_byte_in_a_signed_header_is_refused_by_every_scheme(
        secret in "[a-z0-9]{8,40}", body in "[a-z0-9]{1,60}", at in any::<prop::sample::Index>(),
    ) {
        for (provider, scheme) in signable() {
            let key = secret_of(scheme, &secret, false);
            let signed = sign(provider, scheme, &key, &body);
            for name in &signed.made {
                let headers = signed.headers.iter().map(|(other, old)| {
                    let new = if other == name { changed(old, at.index(old.len())) } else { old.clone() };
                    (other.clone(), new)
                });
                let (headers, made) = (headers.collect(), Vec::new());
                let changed = Signed { url: signed.url.clone(), headers, made, body: Vec::new(), secret: key.clone() };
                let verdict = reason(provider, scheme, &signed.secret, &changed, &signed.body);
                prop_assert_ne!(verdict, SignatureReason::Ok, "{} {} {}", provider.slug, scheme.name, name);
            }
        }
    }
}

#[test]
fn a_complete_example_that_is_signed_anew_later_verifies_then() {
    let mut signed_anew = 0;
    for provider in CATALOGUE.iter() {
        for example in provider.examples.iter().filter(|example| example.status == SignatureStatus::Valid) {
            let named = |scheme: &&Scheme| example.scheme.as_ref().is_none_or(|name| name == &scheme.name);
            let Some(scheme) = provider.schemes.iter().find(named).filter(|scheme| scheme.can_sign()) else { continue };
            let label = format!("{}: {}", provider.slug, example.title);
            let secret = secret_of(scheme, "a secret of the tests", false);
            let options = example.options.clone().unwrap_or_default();
            let headers = Headers::from_pairs(example.headers.iter().map(|(name, value)| (name, value))).unwrap();
            let url = example.url.as_deref().or(Some("https://hooks.example.com/in"));
            let old = SignedRequest { method: &example.method, url, headers: &headers, body: example.body.as_bytes() };
            let later = Timestamp::from_millis((example.now + LATER_SECONDS) * 1000);
            let made = provider.sign(Some(&scheme.name), &options, &secret, &old, later);
            let made = made.unwrap_or_else(|error| panic!("{label}: {error}"));
            let headers = made.headers_in(&headers).unwrap();
            let anew = SignedRequest { headers: &headers, body: made.body.as_deref().unwrap_or(old.body), ..old };
            let verdict = provider.verify(Some(&scheme.name), &options, &[secret], &anew, later).unwrap();
            assert_eq!(verdict.reason, SignatureReason::Ok, "{label}");
            signed_anew += 1;
        }
    }
    assert!(signed_anew >= SCHEMES_MIN, "{signed_anew}");
}

#[test]
fn a_signed_example_keeps_its_event_and_every_other_byte() {
    for (provider, scheme) in signable() {
        let Some(place) = inner_place(scheme) else { continue };
        let signed = sign(provider, scheme, &secret_of(scheme, "a secret", false), "text");
        let again = Headers::default();
        let value = place.read(&Sources { headers: &again, body: &signed.body, facts: None, url: None }).unwrap();
        let before = body_of(provider, scheme, "text");
        let back = |body: &[u8]| {
            let mut places = vec![place.clone()];
            if let Some(timestamp) = &scheme.timestamp
                && let TimestampAt::Place(at) = &timestamp.at
            {
                places.push(at.clone());
            }
            places.iter().fold(body.to_vec(), |body, place| place.write(&body, "0", Written::Text).unwrap())
        };
        assert_eq!(back(&before), back(&signed.body), "{} {}", provider.slug, scheme.name);
        assert!(!value.is_empty());
        let name = |body: &[u8]| provider.event_name(&again, &BodyFacts::read(body), body).name;
        assert_eq!(name(&before), name(&signed.body), "{}", provider.slug);
    }
}
