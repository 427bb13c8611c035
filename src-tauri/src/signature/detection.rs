//! What a request may be besides what its endpoint takes it for: another endpoint's, another provider's.
//!
//! A hint for people, never a silent switch.

use super::action::Action;
use super::event_source::EventSource;
use super::finding::{Finding, Mistake};
use super::place::{Place, Sources};
use super::{Catalogue, Provider, SignaturePlace, SignedRequest};
use crate::domain::{EndpointId, Headers, Secret};

/// Secrets of other endpoints that are tried.
const OTHER_SECRETS_MAX: usize = 64;
/// Providers whose signature header a request brings and that are tried.
const OTHER_PROVIDERS_MAX: usize = 24;
/// Bytes that may be hashed for the secrets of other endpoints, and as many for other providers: sixteen times a body of
/// 256 KiB. However large the body, a few are tried.
const ELSEWHERE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// What a try costs besides the body, in bytes.
const TRY_BYTES: u64 = 512;
/// What a signature in the documented form counts for; every other header of the provider counts 1.
const SIGNATURE_WEIGHT: usize = 3;
/// Words that the names of headers with signatures are made of.
const SIGNING_WORDS: [&str; 9] = ["signature", "sig", "sign", "hmac", "sha256", "hash", "digest", "token", "verify"];

/// Where else an explanation may look.
#[derive(Clone, Copy, Default)]
pub struct Elsewhere<'a> {
    /// The secrets of the other endpoints of the same provider.
    pub other_secrets: &'a [OtherSecret],
    /// The other providers.
    pub catalogue: Option<&'a Catalogue>,
    /// The request's URL on this machine, from which the sender's may be guessed where it is not known.
    pub local_url: Option<&'a str>,
}

/// A secret of another endpoint.
#[derive(Clone, Debug)]
pub struct OtherSecret {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Its name for people.
    pub name: String,
    /// The secret.
    pub secret: Secret,
}

/// The settings of which something else is tried, and the request.
#[derive(Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) provider: &'a Provider,
    /// The scheme that the endpoint insists on, where the request may be of another.
    pub(super) insists_on: Option<&'a str>,
    pub(super) scheme: Option<&'a str>,
    pub(super) secrets: &'a [Secret],
    pub(super) request: &'a SignedRequest<'a>,
}

/// What a search may still hash.
struct Purse {
    left: u64,
    price: u64,
}

impl Purse {
    fn new(request: &SignedRequest<'_>) -> Self {
        let body = request.body.len();
        Self { left: super::autopsy::bytes_to_hash(ELSEWHERE_BYTES_MAX, body), price: body as u64 + TRY_BYTES }
    }

    /// Pays for so many tries; false when there is not enough left.
    fn pay(&mut self, tries: usize) -> bool {
        let rest = self.left.checked_sub(self.price.saturating_mul(tries as u64));
        self.left = rest.unwrap_or(self.left);
        rest.is_some()
    }
}

impl Elsewhere<'_> {
    /// The finding, when the signature holds elsewhere. What was not tried for want of time is added to the sentences.
    pub(super) fn mistake(
        &self,
        here: &Here<'_>,
        not_tried: &mut Vec<String>,
        holds: impl Fn(&Provider, Option<&str>, &[Secret]) -> bool,
    ) -> Option<Finding> {
        other_scheme(here, &holds)
            .or_else(|| self.other_secret(here, not_tried, &holds))
            .or_else(|| self.other_provider(here, not_tried, &holds))
    }

    fn other_secret(
        &self,
        here: &Here<'_>,
        not_tried: &mut Vec<String>,
        holds: &impl Fn(&Provider, Option<&str>, &[Secret]) -> bool,
    ) -> Option<Finding> {
        let mut purse = Purse::new(here.request);
        let mut tried = 0;
        for other in self.other_secrets.iter().take(OTHER_SECRETS_MAX) {
            if !purse.pay(1) {
                break;
            }
            tried += 1;
            if holds(here.provider, here.scheme, std::slice::from_ref(&other.secret)) {
                let explanation = format!("The signature holds with the secret of the endpoint “{}”.", other.name);
                let action = Action::CopySecret { from_endpoint_id: other.endpoint };
                return Some(
                    Finding { explanation, ..Mistake::OtherEndpointSecret.certain() }.with_action(Some(action)),
                );
            }
        }
        let left = self.other_secrets.len() - tried;
        if left > 0 {
            not_tried.push(format!("{left} more secrets of other endpoints were not tried."));
        }
        None
    }

    fn other_provider(
        &self,
        here: &Here<'_>,
        not_tried: &mut Vec<String>,
        holds: &impl Fn(&Provider, Option<&str>, &[Secret]) -> bool,
    ) -> Option<Finding> {
        if here.secrets.is_empty() {
            return None;
        }
        let sources = sources(here.request);
        let others = self.catalogue?.iter().filter(|other| other.slug != here.provider.slug);
        let mut brought: Vec<&Provider> =
            others.filter(|other| brings_signature(other, &sources)).map(|other| &**other).collect();
        // Those that the request looks like in more than the signature come first.
        brought.sort_by_cached_key(|other| std::cmp::Reverse(score(other, &sources)));
        let mut purse = Purse::new(here.request);
        let mut tried = 0;
        for other in brought.iter().take(OTHER_PROVIDERS_MAX) {
            if !purse.pay(here.secrets.len()) {
                break;
            }
            tried += 1;
            if holds(other, None, here.secrets) {
                let explanation = format!("The signature holds by the rules of {} (`{}`).", other.name, other.slug);
                let action = Action::SetProvider { provider: other.slug.clone() };
                return Some(Finding { explanation, ..Mistake::WrongProvider.certain() }.with_action(Some(action)));
            }
        }
        let left = brought.len() - tried;
        if left > 0 {
            not_tried.push(format!("{left} more providers with such a header were not tried."));
        }
        None
    }
}

/// Another scheme of the same provider, where the endpoint names one.
fn other_scheme(here: &Here<'_>, holds: &impl Fn(&Provider, Option<&str>, &[Secret]) -> bool) -> Option<Finding> {
    let named = here.insists_on.filter(|_| !here.secrets.is_empty())?;
    let mut purse = Purse::new(here.request);
    let others = here.provider.schemes.iter().filter(|scheme| scheme.name != named && scheme.signs());
    let other = others
        .take_while(|_| purse.pay(here.secrets.len()))
        .find(|scheme| holds(here.provider, Some(&scheme.name), here.secrets))?;
    let explanation = format!("The signature holds by the scheme `{}` of {}.", other.name, here.provider.name);
    let action = Action::SetScheme { scheme: other.name.clone() };
    Some(Finding { explanation, ..Mistake::WrongScheme.certain() }.with_action(Some(action)))
}

/// The header of a request that comes nearest to one that it does not have.
pub(super) fn nearest_header(headers: &Headers, wanted: &str) -> Option<String> {
    let words = |name: &str| -> Vec<String> {
        let words = name.split(['-', '_']).map(str::to_ascii_lowercase);
        words.filter(|word| !matches!(word.as_str(), "" | "x")).collect()
    };
    let wanted_words = words(wanted);
    // The same name in other signs: underscores, as CGI and some proxies write it (RFC 3875 section 4.1.18).
    let letters = |name: &str| name.replace(['-', '_'], "").to_ascii_lowercase();
    let wanted_letters = letters(wanted);
    let is_same = |name: &str| {
        let own = letters(name);
        own == wanted_letters || own.strip_prefix("http") == Some(&*wanted_letters)
    };
    let score = |name: &str| {
        if is_same(name) {
            return usize::MAX;
        }
        let words = words(name);
        let shared = words.iter().filter(|word| wanted_words.contains(word)).count();
        let signs = words.iter().any(|word| SIGNING_WORDS.contains(&word.as_str()));
        if signs { 2 * shared + 1 } else { 0 }
    };
    let mut best: Option<(usize, &str)> = None;
    for (name, value) in headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(wanted)) {
        let score = score(name);
        if score > best.map_or(0, |(best, _)| best) && !value.is_empty() {
            best = Some((score, name));
        }
    }
    best.map(|(_, name)| name.to_owned())
}

/// The provider that a request looks most like; none when it looks like no one in particular.
pub(super) fn looks_like<'c>(catalogue: &'c Catalogue, request: &SignedRequest<'_>) -> Option<&'c Provider> {
    let sources = sources(request);
    let known = catalogue.iter().filter(|provider| !provider.takes_custom && brings_signature(provider, &sources));
    let mut scored: Vec<(usize, &Provider)> = known.map(|provider| (score(provider, &sources), &**provider)).collect();
    let best = scored.iter().map(|(score, _)| *score).max()?;
    scored.retain(|(score, _)| *score == best);
    match &scored[..] {
        [(_, only)] => Some(only),
        several => several.iter().map(|(_, provider)| *provider).find(|provider| provider.is_family),
    }
}

fn sources<'a>(request: &SignedRequest<'a>) -> Sources<'a> {
    Sources { headers: request.headers, body: request.body, facts: None, url: request.url }
}

/// Whether one of its signature headers is there. Headers that everybody uses say nothing about who sends.
fn brings_signature(provider: &Provider, sources: &Sources<'_>) -> bool {
    let is_there = |place: &SignaturePlace| {
        let name = place.place.header_name().filter(|name| !name.eq_ignore_ascii_case("authorization"));
        name.is_some() && !place.values(sources).is_empty()
    };
    provider.schemes.iter().flat_map(|scheme| &scheme.places).any(is_there)
}

fn score(provider: &Provider, sources: &Sources<'_>) -> usize {
    let has = |place: &Place| usize::from(place.header_name().is_some() && place.read(sources).is_some());
    let signs = |scheme: &super::Scheme| {
        let mut found = Vec::new();
        let field = scheme.timestamp.as_ref().and_then(|timestamp| timestamp.field());
        let options = super::options::Options::default();
        let reads = scheme.places.iter().any(|place| {
            place.place.header_name().is_some()
                && place.read(scheme.algorithm, field, &options, sources, &mut found).is_none()
        });
        SIGNATURE_WEIGHT * usize::from(reads)
    };
    let signature = provider.schemes.iter().map(signs).max().unwrap_or_default();
    let events: usize = provider.events.iter().map(EventSource::place).map(has).sum();
    let dedupe: usize = provider.dedupe.iter().map(has).sum();
    signature + events + dedupe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_header_is_one_that_may_carry_a_signature() {
        let near = |wanted: &str, names: &[&str]| {
            let headers = Headers::from_pairs(names.iter().map(|name| (*name, "v"))).unwrap();
            nearest_header(&headers, wanted)
        };
        let hub = near("X-Hub-Signature-256", &["Content-Type", "X-Request-Hash", "X-Hub-Signature", "X-GitHub-Event"]);
        assert_eq!(hub.as_deref(), Some("X-Hub-Signature"));
        assert_eq!(near("Stripe-Signature", &["x_stripe_signature"]).as_deref(), Some("x_stripe_signature"));
        assert_eq!(near("Stripe-Signature", &["Content-Type", "User-Agent", "Stripe-Account"]), None);
    }
}
