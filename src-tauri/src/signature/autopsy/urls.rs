//! Mistakes with the URL: the receiver sees another one than the sender signed.

use url::{Host, Url};

use super::super::finding::Mistake;
use super::super::verification::Verification;
use super::search::{Search, Trial};

/// Whether the URL is signed, and the only one known is that of a listener on this machine.
pub(super) fn is_local(verification: &Verification<'_>) -> bool {
    let signs_url = verification.scheme.contents.iter().any(|content| content.has_url());
    let Some(url) = verification.sources().url else { return signs_url };
    signs_url
        && Url::parse(url).is_ok_and(|url| match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".local") || !name.contains('.'),
            Some(Host::Ipv4(address)) => address.is_loopback() || address.is_private(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        })
}

/// The URL as it may have been signed.
pub(super) fn mistaken(search: &Search<'_>, secret: &str) -> Option<Mistake> {
    let verification = search.verification;
    if !verification.scheme.contents.iter().any(|content| content.has_url()) {
        return None;
    }
    let key = verification.key(secret)?;
    let seen = [verification.sources().url, verification.request.url];
    let fits = |url: &String| search.fits(&Trial { url: Some(url), ..Trial::with_key(&key, secret) });
    seen.into_iter()
        .flatten()
        .flat_map(|url| others(url, verification))
        .any(|url| fits(&url))
        .then_some(Mistake::UrlMismatch)
}

/// The URLs that a receiver may take for this one, and those that the request's headers speak of.
fn others(url: &str, verification: &Verification<'_>) -> Vec<String> {
    let mut urls = vec![swapped_scheme(url)];
    for url in [url.to_owned(), swapped_scheme(url)] {
        let (base, query) = url.split_once('?').map_or((url.as_str(), None), |(base, query)| (base, Some(query)));
        let with_query = |base: &str| query.map_or_else(|| base.to_owned(), |query| format!("{base}?{query}"));
        urls.push(base.to_owned());
        urls.push(with_query(base.strip_suffix('/').unwrap_or(base)));
        urls.push(with_query(&format!("{base}/")));
        let fields: Vec<&str> = query.unwrap_or_default().split('&').collect();
        let mut sorted = fields.clone();
        sorted.sort_unstable();
        urls.push(format!("{base}?{}", sorted.join("&")));
        urls.push(format!("{base}?{}", fields.iter().rev().copied().collect::<Vec<_>>().join("&")));
    }
    let headers = verification.request.headers;
    let scheme = headers.get_text("x-forwarded-proto").unwrap_or("https");
    for name in ["x-forwarded-host", "x-original-host", "host"] {
        if let (Some(host), Some(start)) = (headers.get_text(name), url.find("://")) {
            let path = url[start + 3..].find('/').map_or("/", |at| &url[start + 3 + at..]);
            urls.push(format!("{scheme}://{host}{path}"));
        }
    }
    let sources = verification.sources();
    for check in &verification.scheme.checks {
        if let (Some(name), Some(value)) = (check.query(), check.value(verification.options, &sources)) {
            urls.extend(with_parameter(url, name, &value));
        }
    }
    urls.retain(|other| other != url);
    urls
}

fn swapped_scheme(url: &str) -> String {
    match url.strip_prefix("https://") {
        Some(rest) => format!("http://{rest}"),
        None => url.strip_prefix("http://").map_or_else(|| url.to_owned(), |rest| format!("https://{rest}")),
    }
}

/// The URL with a query parameter set to another value.
fn with_parameter(url: &str, name: &str, value: &str) -> Option<String> {
    let (base, query) = url.split_once('?')?;
    let fields: Vec<String> = query
        .split('&')
        .map(|field| match field.split_once('=') {
            Some((field, _)) if field == name => format!("{name}={value}"),
            _ => field.to_owned(),
        })
        .collect();
    Some(format!("{base}?{}", fields.join("&")))
}
