//! What an endpoint or a call says about signing, read; and which of a provider's schemes that makes a request's.

use super::check::Standing;
use super::options::{OptionName, Options};
use super::place::Sources;
use super::verification::{Verification, invalid};
use super::{Scheme, SignatureError, SignaturePlace, SignedRequest, Verdict};
use crate::domain::{Secret, SignatureReason, SignatureStatus, Timestamp};

/// What an endpoint or a call says about signing, read.
pub(super) struct Settings<'p> {
    /// All of the provider's, unless one is named.
    pub(super) schemes: Vec<&'p Scheme>,
    /// Whether one is named.
    pub(super) is_named: bool,
    /// What the scheme needs beyond one secret.
    pub(super) options: Options,
    /// One that the user describes; it goes before all others.
    pub(super) custom: Option<Scheme>,
}

/// The scheme that a request is judged by.
#[derive(Clone, Copy)]
pub(super) enum Choice<'s> {
    /// The provider signs nothing.
    Nothing,
    /// This one.
    Scheme(&'s Scheme),
    /// The request says that it is of a version that is not known; this one is the nearest.
    OtherVersion(&'s Scheme),
}

impl Settings<'_> {
    /// The scheme whose conditions the request meets and whose signature it brings; without one whose conditions it
    /// meets. A scheme that signs nothing is never chosen before one that does: leaving the signature out must not be a
    /// way past it.
    pub(super) fn choose(&self, request: &SignedRequest<'_>) -> Choice<'_> {
        if let Some(custom) = &self.custom {
            return Choice::Scheme(custom);
        }
        let Some(first) = self.schemes.first() else { return Choice::Nothing };
        if self.is_named {
            return Choice::Scheme(first);
        }
        if self.schemes.len() == 1 && first.when.is_empty() {
            // As most are; it would be chosen below too, after its places have been read twice.
            return Choice::Scheme(first);
        }
        let url = self.options.get(OptionName::PublicUrl).or(request.url);
        let sources = Sources { headers: request.headers, body: request.body, facts: None, url };
        let standings = |scheme: &&Scheme| -> Vec<Standing> {
            scheme.when.iter().map(|condition| condition.standing(&self.options, &sources)).collect()
        };
        let meets = |scheme: &&&Scheme| standings(scheme).iter().all(|standing| *standing == Standing::Met);
        let brings = |scheme: &&&Scheme| scheme.places.iter().any(|place| !place.values(&sources).is_empty());
        let met: Vec<&&Scheme> = self.schemes.iter().filter(meets).collect();
        let brought: Vec<&&Scheme> = met.iter().copied().filter(brings).collect();
        let is_plain = |scheme: &&&Scheme| {
            scheme.when.iter().any(|condition| condition.option().is_none()) || self.reads(scheme, &sources)
        };
        // A signature that cannot be read still says by its prefix which it was meant to be, and a blank header by its name.
        let is_begun = |scheme: &&&Scheme| scheme.places.iter().any(|place| place.is_begun(&sources));
        let is_blank = |scheme: &&&Scheme| scheme.places.iter().any(|place| place.has_header(&sources));
        let brought = brought
            .iter()
            .find(|scheme| is_plain(scheme))
            .or(brought.iter().find(|scheme| is_begun(scheme)))
            .or(brought.first());
        match brought.copied().or(met.iter().copied().find(|scheme| is_blank(scheme))).or(met.first().copied()) {
            Some(scheme) => Choice::Scheme(scheme),
            None if self.schemes.iter().any(|scheme| standings(scheme).contains(&Standing::Other)) => {
                Choice::OtherVersion(first)
            }
            None => Choice::Scheme(first),
        }
    }

    /// The scheme to sign with: that of the signature which the request brings; else the first whose conditions nothing
    /// contradicts and which the secret can be a key of.
    pub(super) fn choose_to_sign(&self, secret: Option<&Secret>, request: &SignedRequest<'_>) -> Choice<'_> {
        let chosen = self.choose(request);
        let (false, Choice::Scheme(first) | Choice::OtherVersion(first)) = (self.is_named, chosen) else {
            return chosen;
        };
        let url = self.options.get(OptionName::PublicUrl).or(request.url);
        let sources = Sources { headers: request.headers, body: request.body, facts: None, url };
        let brings = |place: &SignaturePlace| !place.values(&sources).is_empty();
        if self.custom.is_some() || first.places.iter().any(brings) {
            return chosen;
        }
        let suits = |scheme: &&&Scheme| {
            let fits = secret.is_none_or(|secret| scheme.secret.key(secret.expose()).is_some());
            let meets = scheme.when.iter().all(|condition| {
                // A condition on the signature's own header is met by signing.
                let is_own = scheme.places.iter().any(|place| place.is_header(condition.header()));
                is_own || condition.standing(&self.options, &sources) == Standing::Met
            });
            scheme.can_sign() && fits && meets
        };
        self.schemes.iter().find(suits).map_or(chosen, |scheme| Choice::Scheme(scheme))
    }

    /// Whether a signature of the scheme can be read, where only its form tells the schemes apart.
    fn reads(&self, scheme: &Scheme, sources: &Sources<'_>) -> bool {
        let mut found = Vec::new();
        let field = scheme.timestamp.as_ref().and_then(|timestamp| timestamp.field());
        scheme
            .places
            .iter()
            .any(|place| place.read(scheme.algorithm, field, &self.options, sources, &mut found).is_none())
    }

    /// A request under the scheme that was chosen for it; none where nothing is signed.
    pub(super) fn verification<'a>(
        &'a self,
        choice: Choice<'a>,
        request: &'a SignedRequest<'a>,
        now: Timestamp,
    ) -> Option<Verification<'a>> {
        match choice {
            Choice::Nothing => None,
            Choice::Scheme(scheme) | Choice::OtherVersion(scheme) => {
                Some(Verification { scheme, options: &self.options, request, now })
            }
        }
    }

    /// Judges a request by the scheme that was chosen for it.
    pub(super) fn verdict(
        &self,
        choice: Choice<'_>,
        secrets: &[Secret],
        request: &SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<Verdict, SignatureError> {
        match choice {
            Choice::Nothing => Ok(Verdict::without_match(SignatureStatus::NotRequired, SignatureReason::NotSigned)),
            Choice::Scheme(scheme) | Choice::OtherVersion(scheme)
                if secrets.is_empty() && scheme.needs_secret() && scheme.signs() =>
            {
                Ok(Verdict::without_match(SignatureStatus::NotRequired, SignatureReason::NoSecret))
            }
            Choice::Scheme(scheme) => Verification { scheme, options: &self.options, request, now }.verdict(secrets),
            Choice::OtherVersion(_) => Ok(invalid(SignatureReason::UnsupportedScheme)),
        }
    }
}
