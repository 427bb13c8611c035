//! The certificates that were fetched for an endpoint: a few, since senders use several in turn.
//!
//! They stand in the endpoint's options, where its user sees them: `certificate_pem` holds one PEM block after the other
//! and `certificate_url` the address that each was found at, in the same order, with a space between them. No address
//! that may be fetched holds a space.

use serde_json::Value;

use super::options::{FETCH, OptionName};
use crate::domain::Timestamp;

/// Certificates kept for one endpoint. Amazon SNS has one for each region and changes it now and then; that much is room
/// for topics of several regions while one of them changes.
pub(super) const KEPT_MAX: usize = 8;
/// What a PEM block of a certificate begins with (RFC 7468 section 5).
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
/// And ends with.
const END: &str = "-----END CERTIFICATE-----";

/// A certificate and where it was found.
type Found<'t> = (&'t str, &'t str);

/// The certificates of two options, with their addresses.
fn pairs<'t>(urls: &'t str, pems: &'t str) -> impl Iterator<Item = Found<'t>> {
    urls.split_ascii_whitespace().zip(blocks(pems))
}

/// The PEM blocks of certificates in a text.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let from = rest.find(BEGIN)?;
        let to = from + rest[from..].find(END)? + END.len();
        let block = &rest[from..to];
        rest = &rest[to..];
        Some(block)
    })
}

/// The one of two options that was found at this address.
pub(super) fn found_at<'t>(url: &str, urls: &'t str, pems: &'t str) -> Option<&'t str> {
    pairs(urls, pems).find(|(at, _)| *at == url).map(|(_, pem)| pem)
}

fn text(options: &Value, name: OptionName) -> Option<&str> {
    options.get(name.as_str())?.as_str()
}

fn may_fetch(options: &Value) -> bool {
    text(options, OptionName::Trust) == Some(FETCH)
}

/// The certificate of options that was fetched from that address.
#[must_use]
pub fn certificate_in<'o>(options: &'o Value, url: &str) -> Option<&'o str> {
    let (urls, pems) = (text(options, OptionName::CertificateUrl)?, text(options, OptionName::CertificatePem)?);
    found_at(url, urls, pems).filter(|_| may_fetch(options))
}

/// The options with a certificate that was fetched, the newest first; none where the user does not allow that. When there
/// are too many, the one that was used least recently gives way: `used_at` says when each address was, if that is known.
#[must_use]
pub fn options_with_certificate(
    options: &Value,
    url: &str,
    pem: &str,
    used_at: impl Fn(&str) -> Option<Timestamp>,
) -> Option<Value> {
    // A provider may send the chain behind it; what signs is the first.
    let pem = may_fetch(options).then(|| blocks(pem).next())??;
    let old = |name| text(options, name).unwrap_or_default();
    let (urls, pems) = (old(OptionName::CertificateUrl), old(OptionName::CertificatePem));
    let mut kept: Vec<Found<'_>> = pairs(urls, pems).filter(|(at, _)| *at != url).collect();
    while kept.len() >= KEPT_MAX {
        // From the end: of those not used, the one that has been there longest.
        let oldest = (0..kept.len()).rev().min_by_key(|&index| used_at(kept[index].0))?;
        kept.remove(oldest);
    }
    kept.insert(0, (url, pem));
    let (urls, pems): (Vec<&str>, Vec<&str>) = kept.into_iter().unzip();
    let mut with = options.clone();
    let members = with.as_object_mut()?;
    members.insert(OptionName::CertificateUrl.as_str().to_owned(), Value::from(urls.join(" ")));
    members.insert(OptionName::CertificatePem.as_str().to_owned(), Value::from(format!("{}\n", pems.join("\n"))));
    Some(with)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pem(content: &str) -> String {
        format!("{BEGIN}\n{content}\n{END}")
    }

    fn with(options: &Value, url: &str, used_at: impl Fn(&str) -> Option<Timestamp>) -> Value {
        options_with_certificate(options, url, &pem(url), used_at).unwrap()
    }

    #[test]
    fn certificates_stand_beside_each_other_and_each_is_found_at_its_own_address_alone() {
        let fetch = json!({ "trust": "fetch" });
        let never = |_: &str| None;
        let both = with(&with(&fetch, "https://a/", never), "https://b/", never);
        assert_eq!(both["certificate_url"], "https://b/ https://a/");
        for url in ["https://a/", "https://b/"] {
            assert_eq!(certificate_in(&both, url), Some(pem(url).as_str()));
        }
        assert_eq!(certificate_in(&both, "https://a/ https://b/"), None);
        assert_eq!(certificate_in(&both, "https://c/"), None);
        let again = options_with_certificate(&both, "https://a/", &pem("newer"), never).unwrap();
        assert_eq!(certificate_in(&again, "https://a/"), Some(pem("newer").as_str()), "what is newer replaces");
        assert_eq!(again["certificate_url"], "https://a/ https://b/");
    }

    #[test]
    fn without_leave_nothing_is_kept_or_found_and_what_is_no_certificate_is_not_kept() {
        let own = json!({ "trust": "mine", "certificate_url": "https://a/", "certificate_pem": pem("a") });
        assert_eq!(certificate_in(&own, "https://a/"), None);
        assert_eq!(options_with_certificate(&own, "https://b/", &pem("b"), |_| None), None);
        assert_eq!(options_with_certificate(&json!({ "trust": "fetch" }), "https://b/", "text", |_| None), None);
    }

    #[test]
    fn of_a_chain_only_the_certificate_that_signs_is_kept() {
        let chain = format!("{}\n{}\n", pem("leaf"), pem("root"));
        let kept = options_with_certificate(&json!({ "trust": "fetch" }), "https://a/", &chain, |_| None).unwrap();
        let kept = with(&kept, "https://b/", |_| None);
        assert_eq!(certificate_in(&kept, "https://a/"), Some(pem("leaf").as_str()));
        assert!(!kept.to_string().contains("root"));
    }

    #[test]
    fn the_one_used_least_recently_gives_way_and_among_those_never_used_the_oldest() {
        let url = |n: usize| format!("https://{n}/");
        let fill = |used_at: &dyn Fn(&str) -> Option<Timestamp>| {
            (0..=KEPT_MAX).fold(json!({ "trust": "fetch" }), |options, n| with(&options, &url(n), used_at))
        };
        let is_kept = |options: &Value, n: usize| certificate_in(options, &url(n)).is_some();
        let never = fill(&|_| None);
        assert_eq!((0..=KEPT_MAX).filter(|&n| !is_kept(&never, n)).collect::<Vec<_>>(), [0]);
        let backwards = fill(&|at| {
            let n: i64 = at.trim_matches(|letter: char| !letter.is_ascii_digit()).parse().unwrap();
            Some(Timestamp::from_millis(1_000 - n))
        });
        assert_eq!((0..=KEPT_MAX).filter(|&n| !is_kept(&backwards, n)).collect::<Vec<_>>(), [KEPT_MAX - 1]);
        let unused = fill(&|at| (at != url(3)).then_some(Timestamp::from_millis(1)));
        assert_eq!((0..=KEPT_MAX).filter(|&n| !is_kept(&unused, n)).collect::<Vec<_>>(), [3]);
    }
}
