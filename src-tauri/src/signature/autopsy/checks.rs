//! What must hold besides the signature, and does not: a digest of the body, a claim.

use super::super::SignedRequest;
use super::super::finding::{Confidence, Finding, Mistake};
use super::super::jwt::Token;
use super::super::verification::Verification;
use super::{bodies, rewritings};

/// The check that a genuine request does not meet, and the mistake behind it.
pub(super) fn unmet(verification: &Verification<'_>, token: Option<&Token>) -> Finding {
    let sources = verification.sources();
    let mut checks = verification.scheme.checks.iter();
    let unmet = checks.find(|check| !check.holds(token, verification.options, &sources));
    match unmet {
        Some(check) if check.is_of_body() => {
            let body = verification.request.body;
            let holds = |body: &[u8]| {
                let request = SignedRequest { body, ..*verification.request };
                let other = Verification { request: &request, ..*verification };
                check.holds(token, verification.options, &other.sources())
            };
            if let Some((mistake, _)) = bodies::formers(body).find(|(_, body)| holds(body)) {
                return mistake.certain();
            }
            if let Some(former) = rewritings::rewritings(body).find(|former| holds(&former.body)) {
                return former.way.found();
            }
            let sign = bodies::sign_of_change(verification.request);
            sign.map_or_else(|| Mistake::BodyTampered.certain(), |mistake| mistake.found(Confidence::Likely))
        }
        Some(check) if check.is_of_url() => Mistake::UrlMismatch.certain(),
        _ => Mistake::ClaimMismatch.certain(),
    }
}
