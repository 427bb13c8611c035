//! What a request may be besides what its endpoint takes it for: another endpoint's, another provider's.
//!
//! A hint for people, never a silent switch.

use super::event_source::EventSource;
use super::finding::{Confidence, Finding, Mistake};
use super::place::{Place, Sources};
use super::{Catalogue, Provider, SignedRequest};
use crate::domain::Secret;

/// Secrets of other endpoints that are tried.
const OTHER_SECRETS_MAX: usize = 64;
/// Providers whose signature header a request brings and that are tried.
const OTHER_PROVIDERS_MAX: usize = 24;
/// What a signature in the documented form counts for; every other header of the provider counts 1.
const SIGNATURE_WEIGHT: usize = 3;

/// Where else an explanation may look.
#[derive(Clone, Copy, Default)]
pub struct Elsewhere<'a> {
    /// The secrets of the other endpoints of the same provider.
    pub other_secrets: &'a [Secret],
    /// The other providers.
    pub catalogue: Option<&'a Catalogue>,
}

impl Elsewhere<'_> {
    /// The finding, when the signature holds elsewhere.
    pub(super) fn mistake(
        &self,
        provider: &Provider,
        secrets: &[Secret],
        request: &SignedRequest<'_>,
        holds: impl Fn(&Provider, &[Secret]) -> bool,
    ) -> Option<Finding> {
        let mut others = self.other_secrets.iter().take(OTHER_SECRETS_MAX);
        if others.any(|secret| holds(provider, std::slice::from_ref(secret))) {
            return Some(Mistake::OtherEndpointSecret.found(Confidence::Certain));
        }
        let sources = sources(request);
        let others = self.catalogue?.iter().filter(|other| other.slug != provider.slug && !secrets.is_empty());
        let mut brought = others.filter(|other| brings_signature(other, &sources)).take(OTHER_PROVIDERS_MAX);
        let other = brought.find(|other| holds(other, secrets))?;
        let finding = Mistake::WrongProvider.found(Confidence::Certain);
        let explanation = format!("The signature holds by the rules of {} (`{}`).", other.name, other.slug);
        Some(Finding { explanation, ..finding })
    }
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
    let is_there = |place: &Place| {
        let name = place.header_name().filter(|name| !name.eq_ignore_ascii_case("authorization"));
        name.is_some() && place.read(sources).is_some()
    };
    provider.schemes.iter().flat_map(|scheme| &scheme.places).any(|place| is_there(&place.place))
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
