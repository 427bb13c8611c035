//! Certificates that a request names by address: which addresses are to be trusted.
//!
//! Nothing is fetched here. The certificate itself comes as the option `certificate_pem`; the address in the request is
//! judged all the same, since whoever may choose the address chooses the key.

use serde::Deserialize;
use url::Url;

use super::place::{Place, PlaceTable, Sources};

/// Where the address stands, and the hosts it may be on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "CertificateTable")]
pub(super) struct CertificatePlace {
    place: Place,
    hosts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateTable {
    header: Option<String>,
    body: Option<String>,
    hosts: Vec<String>,
}

impl TryFrom<CertificateTable> for CertificatePlace {
    type Error = &'static str;

    fn try_from(table: CertificateTable) -> Result<Self, Self::Error> {
        let CertificateTable { header, body, hosts } = table;
        if hosts.is_empty() {
            return Err("`hosts` is empty");
        }
        Ok(Self { place: Place::try_from(PlaceTable { header, body, ..PlaceTable::default() })?, hosts })
    }
}

impl CertificatePlace {
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

/// Whether a host is of a pattern, in which `*` stands for one label.
fn is_host(host: &str, pattern: &str) -> bool {
    let (host, pattern): (Vec<&str>, Vec<&str>) = (host.split('.').collect(), pattern.split('.').collect());
    host.len() == pattern.len() && host.iter().zip(&pattern).all(|(label, wanted)| *wanted == "*" || label == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Headers;

    #[test]
    fn only_https_on_a_listed_host_is_trusted() {
        let place: CertificatePlace =
            toml::from_str("header = 'U'\nhosts = ['sns.*.amazonaws.com', 'api.paypal.com']").unwrap();
        let trusted = |url: &str| {
            let headers = Headers::from_pairs([("U", url)]).unwrap();
            place.is_trusted(&Sources { headers: &headers, body: b"", facts: None, url: None })
        };
        assert_eq!(trusted("https://sns.eu-central-1.amazonaws.com/x.pem"), Some(true));
        assert_eq!(trusted("https://API.paypal.com/x"), Some(true));
        for url in [
            "http://api.paypal.com/x",
            "https://api.paypal.com.evil.example/x",
            "https://evil.example/api.paypal.com",
            "https://api.paypal.com:8443/x",
            "https://api.paypal.com@evil.example/",
            "https://a:b@api.paypal.com/",
            "https://sns.a.b.amazonaws.com/",
            "nonsense",
        ] {
            assert_eq!(trusted(url), Some(false), "{url}");
        }
        assert_eq!(trusted(" "), None);
    }
}
