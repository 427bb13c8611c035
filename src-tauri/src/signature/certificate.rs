//! Certificates that a request names by address: which addresses are to be trusted.
//!
//! Nothing is fetched here. The certificate itself comes as the option `certificate_pem`; the address in the request is
//! judged all the same, since whoever may choose the address chooses the key. Where the option `trust` says `fetch`, the
//! app fetches it from that address and sets the option; it then stands for the address it was found at alone.

use serde::Deserialize;
use url::Url;

use super::algorithm::Algorithm;
use super::place::{Place, PlaceTable, Sources};
use super::public_key::PublicKey;

/// Whether a text holds an X.509 certificate (RFC 7468 section 5) whose key can be read.
#[must_use]
pub fn is_certificate(pem: &str) -> bool {
    pem.contains("-----BEGIN CERTIFICATE-----") && !PublicKey::read(pem, Algorithm::RsaSha256, None).is_empty()
}

/// Where the address stands, and the hosts it may be on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "CertificateTable")]
pub(super) struct CertificatePlace {
    place: Place,
    hosts: Vec<String>,
    /// The path of addresses that may be fetched: what a sender may name at the provider's hosts besides certificates need
    /// not be the provider's.
    path: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateTable {
    header: Option<String>,
    body: Option<String>,
    hosts: Vec<String>,
    path: String,
}

impl TryFrom<CertificateTable> for CertificatePlace {
    type Error = &'static str;

    fn try_from(table: CertificateTable) -> Result<Self, Self::Error> {
        let CertificateTable { header, body, hosts, path } = table;
        if hosts.is_empty() {
            return Err("`hosts` is empty");
        }
        Ok(Self { place: Place::try_from(PlaceTable { header, body, ..PlaceTable::default() })?, hosts, path })
    }
}

impl CertificatePlace {
    /// The address that the request names, where it is one that may be fetched.
    pub(super) fn fetchable(&self, sources: &Sources<'_>) -> Option<String> {
        let address = self.address(sources).filter(|_| self.is_trusted(sources) == Some(true))?;
        let url = Url::parse(&address).ok()?;
        let is_plain = url.query().is_none() && url.fragment().is_none();
        (is_plain && is_path(url.path(), &self.path)).then_some(address)
    }

    /// The address that the request names.
    pub(super) fn address(&self, sources: &Sources<'_>) -> Option<String> {
        self.place.read(sources).map(|text| text.into_owned())
    }

    /// Whether the request names an address that may be trusted: https, one of the hosts, no port and no credentials.
    /// None: it names none.
    pub(super) fn is_trusted(&self, sources: &Sources<'_>) -> Option<bool> {
        let text = self.place.read(sources)?;
        Some(Url::parse(&text).is_ok_and(|url| {
            let plain = url.port().is_none() && url.username().is_empty() && url.password().is_none();
            let host = url.host_str().unwrap_or_default();
            url.scheme() == "https" && plain && self.hosts.iter().any(|pattern| is_host(host, pattern))
        }))
    }
}

/// Whether a host is of a pattern, in which `*` stands for a region.
fn is_host(host: &str, pattern: &str) -> bool {
    let (host, pattern): (Vec<&str>, Vec<&str>) = (host.split('.').collect(), pattern.split('.').collect());
    host.len() == pattern.len()
        && host.iter().zip(&pattern).all(|(label, wanted)| match *wanted {
            "*" => is_region(label),
            wanted => *label == wanted,
        })
}

/// Whether a label names a region of Amazon's as `eu-central-1` and `us-gov-west-1` do. No other label may stand there:
/// `s3` and its like hold what anybody stores, under a name of anybody's choice
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>).
fn is_region(label: &str) -> bool {
    let parts: Vec<&str> = label.split('-').collect();
    let [area, between @ .., number] = parts.as_slice() else { return false };
    let letters = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    area.len() == 2 && letters(area) && !between.is_empty() && between.iter().all(letters) && is_number
}

/// Whether a path is of a pattern, in which `*` stands for a part of one segment.
fn is_path(path: &str, pattern: &str) -> bool {
    let Some((before, behind)) = pattern.split_once('*') else { return path == pattern };
    let inner = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
    inner.is_some_and(|inner| {
        !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Headers;

    #[test]
    fn only_the_path_of_a_certificate_is_fetched() {
        let place: CertificatePlace =
            toml::from_str("header = 'U'\nhosts = ['sns.*.amazonaws.com']\npath = '/Service-*.pem'").unwrap();
        let fetchable = |url: &str| {
            let headers = Headers::from_pairs([("U", url)]).unwrap();
            place.fetchable(&Sources { headers: &headers, body: b"", facts: None, url: None })
        };
        let good = "https://sns.eu-central-1.amazonaws.com/Service-0a1b.pem";
        assert_eq!(fetchable(good).as_deref(), Some(good));
        for url in [
            "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&x=/Service-0a1b.pem",
            "https://sns.eu-central-1.amazonaws.com/Service-0a1b.pem?a=b",
            "https://sns.eu-central-1.amazonaws.com/Service-0a1b.pem#a",
            "https://sns.eu-central-1.amazonaws.com/Service-a/../x.pem",
            "https://sns.eu-central-1.amazonaws.com/Service-%2f.pem",
            "https://sns.eu-central-1.amazonaws.com/Service-.pem",
            "https://evil.example/Service-0a1b.pem",
        ] {
            assert_eq!(fetchable(url), None, "{url}");
        }
    }

    #[test]
    fn only_https_on_a_listed_host_is_trusted() {
        let place: CertificatePlace =
            toml::from_str("header = 'U'\nhosts = ['sns.*.amazonaws.com', 'api.paypal.com']\npath = '/*'").unwrap();
        let trusted = |url: &str| {
            let headers = Headers::from_pairs([("U", url)]).unwrap();
            place.is_trusted(&Sources { headers: &headers, body: b"", facts: None, url: None })
        };
        assert_eq!(trusted("https://sns.eu-central-1.amazonaws.com/x.pem"), Some(true));
        assert_eq!(trusted("https://sns.us-gov-west-1.amazonaws.com/x.pem"), Some(true));
        assert_eq!(trusted("https://API.paypal.com/x"), Some(true));
        for url in [
            "http://api.paypal.com/x",
            "https://api.paypal.com.evil.example/x",
            "https://evil.example/api.paypal.com",
            "https://api.paypal.com:8443/x",
            "https://api.paypal.com@evil.example/",
            "https://a:b@api.paypal.com/",
            "https://sns.a.b.amazonaws.com/",
            "https://sns.s3.amazonaws.com/x.pem",
            "https://sns.s3-us-west-2.amazonaws.com/x.pem",
            "https://sns.s3-accelerate.amazonaws.com/x.pem",
            "https://sns..amazonaws.com/x.pem",
            "nonsense",
        ] {
            assert_eq!(trusted(url), Some(false), "{url}");
        }
        assert_eq!(trusted(" "), None);
    }
}
