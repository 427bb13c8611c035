//! Every mistake that Creel claims to explain, made with every scheme that it signs with: the first finding must name it.
//!
//! A mistake is made by what makes it in life (a parser, a writer, a text editor), never by the code that looks for it.
//! Where it changes nothing that is signed, it is none; those cases are passed over and counted. What shows in no request,
//! such as which byte of a body was changed, is asked for as far as it can be known.

mod bodies;
mod forms;
mod headers;
mod secrets;
mod signers;
mod urls;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::CATALOGUE;
use super::round_trips::{COVERED, NOW, body_of, inner_place, options_of, secret_of, signable};
use crate::domain::{EndpointId, Headers, Secret, SignatureStatus, Timestamp};
use crate::signature::algorithm::sha256;
use crate::signature::options::Options;
use crate::signature::verification::Verification;
use crate::signature::{Elsewhere, Explanation, OtherSecret, Provider, Scheme, SignedRequest};

/// What the sender's key is made of. In base64 it has the signs that the alphabets differ in.
const KEY: &str = "k~?>o-k~?>7Q";
/// What another key is made of.
const OTHER_KEY: &str = "another one, 5fQ";
/// The share of the cases in which the first finding must be the mistake, in percent.
const RIGHT_PERCENT_MIN: usize = 95;
/// The share for each single mistake.
const RIGHT_PERCENT_OF_EACH_MIN: usize = 90;
/// Cases in which a mistake changes what is signed; fewer would mean that less is tested than is said.
const CASES_MIN: usize = 10_000;

/// A scheme with a key.
struct Ground {
    provider: &'static Provider,
    scheme: &'static Scheme,
    /// What the sender signs with.
    key: Secret,
    /// What the receiver should have.
    secret: String,
    options: Value,
}

/// A request as it reaches the receiver.
#[derive(Clone)]
struct Sent {
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// What the receiver takes for the sender's secret.
    secret: String,
    /// Secrets of the receiver's other endpoints.
    others: Vec<Secret>,
    options: Value,
    now: Timestamp,
}

/// A mistake as it was made.
struct Case {
    /// The mistake in words.
    mistake: &'static str,
    /// What may be found first.
    codes: &'static [&'static str],
    sent: Sent,
}

impl Ground {
    fn new(provider: &'static Provider, scheme: &'static Scheme, key: &str) -> Self {
        let key = secret_of(scheme, key, false);
        let secret = scheme.public_key_of(&key).unwrap_or_else(|| key.expose().to_owned());
        Self { provider, scheme, key, secret, options: options_of(scheme) }
    }

    /// The body with a signature's place where the scheme wants one inside it.
    fn body(&self, text: &str) -> Vec<u8> {
        body_of(self.provider, self.scheme, text)
    }

    /// Whether any body will do.
    fn takes_any_body(&self) -> bool {
        inner_place(self.scheme).is_none() && self.body("x") == b"x"
    }

    /// Whether the body is read as a form before it is signed.
    fn signs_fields(&self) -> bool {
        self.scheme.contents.iter().any(|content| content.as_str().contains("sorted_params"))
    }

    fn sent(&self, body: &[u8]) -> Sent {
        self.sent_by(self.scheme, &self.key, body, NOW).unwrap_or_else(|| panic!("{}", self.name()))
    }

    /// A request that was signed by other rules or with another key.
    fn sent_by(&self, scheme: &Scheme, key: &Secret, body: &[u8], now: Timestamp) -> Option<Sent> {
        let url = format!("https://hooks.example.com/in/shop?a=1&bodySHA256={}", hex::encode(sha256(body)));
        self.sent_to(scheme, key, body, now, &url)
    }

    fn sent_to(&self, scheme: &Scheme, key: &Secret, body: &[u8], now: Timestamp, url: &str) -> Option<Sent> {
        let kind = if body.starts_with(b"{") { "application/json" } else { "application/x-www-form-urlencoded" };
        let about = [("Content-Type", kind), ("User-Agent", "sender/1.0"), ("Host", "hooks.example.com")];
        let headers = Headers::from_pairs(COVERED[1..].iter().chain(&about).copied()).unwrap();
        let request = SignedRequest { method: "POST", url: Some(url), headers: &headers, body };
        let options = Options::read(&self.options).unwrap();
        let made = Verification { scheme, options: &options, request: &request, now }.sign(key).ok()?;
        Some(Sent {
            url: url.to_owned(),
            headers: made.headers_in(&headers).unwrap().to_text_pairs(),
            body: made.body.unwrap_or_else(|| body.to_vec()),
            secret: self.secret.clone(),
            others: Vec::new(),
            options: self.options.clone(),
            now: NOW,
        })
    }

    fn name(&self) -> String {
        format!("{}/{}", self.provider.slug, self.scheme.name)
    }

    fn explanation(&self, sent: &Sent, named: bool) -> Option<Explanation> {
        self.explanation_by(self.provider, named.then_some(&*self.scheme.name), sent)
    }

    fn explanation_by(&self, provider: &Provider, scheme: Option<&str>, sent: &Sent) -> Option<Explanation> {
        let headers = Headers::from_pairs(sent.headers.iter().map(|(name, value)| (name, value))).unwrap();
        let request = SignedRequest { method: "POST", url: Some(&sent.url), headers: &headers, body: &sent.body };
        let decoys =
            ["the secret of a shop", "whsec_c2l4dGVlbiBieXRlcyBvciBtb3Jl"].map(|text| Secret::new(text.into()));
        let other = |secret: &Secret| OtherSecret {
            endpoint: EndpointId::new(),
            name: "Other".to_owned(),
            secret: secret.clone(),
        };
        let others: Vec<OtherSecret> = decoys.iter().chain(&sent.others).map(other).collect();
        let local = Some("http://127.0.0.1:4100/in/shop?a=1");
        let elsewhere = Elsewhere { other_secrets: &others, catalogue: Some(&CATALOGUE), local_url: local };
        let secrets = [Secret::new(sent.secret.clone())];
        provider.explain(scheme, &sent.options, &secrets, &request, sent.now, elsewhere).ok()
    }

    /// Whether the scheme has to be named: the provider has others that such requests are taken for.
    fn must_be_named(&self) -> bool {
        let sent = self.sent(&self.body("{\"a\":1}"));
        let found = self.explanation(&sent, false);
        !found.is_some_and(|found| {
            found.status == SignatureStatus::Valid && found.scheme.as_ref() == Some(&self.scheme.name)
        })
    }

    fn cases(&self) -> Vec<Case> {
        let makers = [secrets::cases, bodies::cases, forms::cases, headers::cases, signers::cases, urls::cases];
        makers.iter().flat_map(|make| make(self)).collect()
    }
}

/// How often a mistake was made, and what was found in its place.
#[derive(Default)]
struct Row {
    right: usize,
    harmless: usize,
    misses: Vec<String>,
}

type Matrix = BTreeMap<&'static str, Row>;

fn matrix_of(grounds: &[(&'static Provider, &'static Scheme)]) -> Matrix {
    let mut matrix = Matrix::new();
    for (provider, scheme) in grounds {
        let ground = Ground::new(provider, scheme, KEY);
        let named = ground.must_be_named();
        for Case { mistake, codes, sent } in ground.cases() {
            let row = matrix.entry(mistake).or_default();
            let Some(found) = ground.explanation(&sent, named) else {
                row.misses.push(format!("{} (no answer)", ground.name()));
                continue;
            };
            let first = found.findings.first().map_or("nothing", |finding| finding.code.as_str());
            match found.status {
                SignatureStatus::Valid => row.harmless += 1,
                _ if codes.contains(&first) => row.right += 1,
                _ => row.misses.push(format!("{} ({first})", ground.name())),
            }
        }
    }
    matrix
}

/// The matrix of all schemes, on as many threads as there are processors.
fn matrix() -> Matrix {
    let grounds = signable();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = grounds.len().div_ceil(threads);
    let mut whole = Matrix::new();
    std::thread::scope(|scope| {
        let parts: Vec<_> = grounds.chunks(share).map(|part| scope.spawn(|| matrix_of(part))).collect();
        for (mistake, row) in parts.into_iter().flat_map(|part| part.join().unwrap()) {
            let all: &mut Row = whole.entry(mistake).or_default();
            all.right += row.right;
            all.harmless += row.harmless;
            all.misses.extend(row.misses);
        }
    });
    whole
}

#[test]
fn the_first_finding_is_the_mistake_that_was_made_for_every_scheme() {
    let matrix = matrix();
    let (mut right, mut wrong, mut table) = (0, 0, String::new());
    let mut weak = Vec::new();
    for (mistake, row) in &matrix {
        let Row { right: of_row, harmless, misses } = row;
        let made = of_row + misses.len();
        (right, wrong) = (right + of_row, wrong + misses.len());
        writeln!(table, "{mistake}: {of_row} of {made} ({harmless} harmless) {}", misses.join(", ")).unwrap();
        if of_row * 100 < made * RIGHT_PERCENT_OF_EACH_MIN {
            weak.push(*mistake);
        }
    }
    println!("{right} right, {wrong} wrong\n{table}");
    assert!(right + wrong >= CASES_MIN, "{right} {wrong}");
    assert!(right * 100 >= (right + wrong) * RIGHT_PERCENT_MIN, "{right} right, {wrong} wrong\n{table}");
    assert!(weak.is_empty(), "seldom found: {weak:?}\n{table}");
}

#[test]
fn a_signature_header_by_another_name_is_named() {
    for (provider, scheme) in signable() {
        let ground = Ground::new(provider, scheme, KEY);
        let Some(name) = scheme.places.first().and_then(|place| place.header_to_write()) else { continue };
        let sent = ground.sent(&ground.body("{}"));
        for new in [name.replace('-', "_"), format!("HTTP_{}", name.replace('-', "_").to_uppercase())] {
            let mut sent = sent.clone();
            let own = sent.headers.iter_mut().filter(|(own, _)| own.eq_ignore_ascii_case(&name));
            own.for_each(|(own, _)| new.clone_into(own));
            let found = ground.explanation(&sent, true).unwrap();
            if found.status == SignatureStatus::Missing && name.contains('-') {
                assert_eq!(found.nearest_header.as_ref(), Some(&new), "{}", ground.name());
            }
        }
    }
}

#[test]
fn the_provider_that_was_meant_is_named_where_another_was_chosen() {
    let (mut right, mut wrong) = (0, Vec::new());
    for (meant, scheme) in signable() {
        let ground = Ground::new(meant, scheme, KEY);
        let body = if ground.signs_fields() { b"a=1&b=2".to_vec() } else { ground.body("{\"type\":\"order.paid\"}") };
        let sent = ground.sent(&body);
        for slug in ["generic", "github", "stripe", "svix", "twilio"] {
            let chosen = CATALOGUE.get(slug).filter(|chosen| chosen.slug != meant.slug);
            let Some(chosen) = chosen else { continue };
            let Some(found) = ground.explanation_by(chosen, None, &Sent { options: Value::Null, ..sent.clone() })
            else {
                continue;
            };
            // Some sign as the chosen one does, or carry the signature where no header tells of it.
            let is_silent = scheme
                .places
                .iter()
                .all(|place| place.header_to_write().is_none_or(|name| name.eq_ignore_ascii_case("authorization")));
            if found.status == SignatureStatus::Valid || is_silent || !sent.options.as_object().unwrap().is_empty() {
                continue;
            }
            match found.findings.first().map(|finding| finding.code.as_str()) {
                Some("wrong_provider") => right += 1,
                other => wrong.push(format!("{} as {slug}: {other:?}", ground.name())),
            }
        }
    }
    println!("{right} of {} named; not: {wrong:#?}", right + wrong.len());
    assert!(right * 100 >= (right + wrong.len()) * RIGHT_PERCENT_MIN, "{right}; not: {wrong:#?}");
}
