//! Mistakes with the URL: the receiver sees another one than the sender signed.

use url::{Host, Url};

use super::super::verification::Verification;
use super::search::{SMALL_BODY_BYTES_MAX, Search, Trial};

/// Longest URL in which a mistyped character is looked for, in bytes.
const MISTYPED_URL_BYTES_MAX: usize = 256;
/// What paths and hosts are mostly made of.
const URL_LETTERS: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_./";

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

/// The URL as it was signed, where the receiver sees another. `local` is the request's URL on this machine.
pub(super) fn mistaken(search: &Search<'_>, secret: &str, local: Option<&str>) -> Option<String> {
    let verification = search.verification;
    if !verification.scheme.contents.iter().any(|content| content.has_url()) {
        return None;
    }
    let key = verification.key(secret)?;
    let seen = [verification.sources().url, verification.request.url, local];
    let fits = |url: &String| search.fits(&Trial { url: Some(url), ..Trial::with_key(&key, secret) });
    let known = seen[0].map(str::to_owned);
    let others = seen.into_iter().flatten().flat_map(|url| others(url, verification));
    others.filter(|url| Some(url) != known.as_ref()).find(fits)
}

/// The URL as it was signed, where it differs from the known one by one character: a slip of typing or pasting.
pub(super) fn mistyped(search: &Search<'_>, secret: &str) -> Option<String> {
    let verification = search.verification;
    let url = verification.sources().url?;
    let signs_url = verification.scheme.contents.iter().any(|content| content.has_url());
    if !signs_url || url.len() > MISTYPED_URL_BYTES_MAX || verification.request.body.len() > SMALL_BODY_BYTES_MAX {
        return None;
    }
    let key = verification.key(secret)?;
    let fits = |url: &String| search.fits(&Trial { url: Some(url), ..Trial::with_key(&key, secret) });
    // That this ends early is nothing to be told of: a slip is the last and least likely of all that is tried.
    search.unmarked(|| slips(url).take_while(|_| search.may_go_on()).find(fits))
}

/// The URLs that differ by one character, behind `https://`: one less, one more, another.
fn slips(url: &str) -> impl Iterator<Item = String> {
    let start = url.find("://").map_or(0, |at| at + 3);
    let places = move || (start..=url.len()).filter(|at| url.is_char_boundary(*at));
    let behind = |at: usize| url[at..].chars().next().map_or(at, |letter| at + letter.len_utf8());
    let less = places().filter(|at| *at < url.len()).map(move |at| format!("{}{}", &url[..at], &url[behind(at)..]));
    let letters = || URL_LETTERS.chars();
    let more =
        places().flat_map(move |at| letters().map(move |letter| format!("{}{letter}{}", &url[..at], &url[at..])));
    let other = places()
        .filter(|at| *at < url.len())
        .flat_map(move |at| letters().map(move |letter| format!("{}{letter}{}", &url[..at], &url[behind(at)..])));
    less.chain(more).chain(other)
}

/// The URLs that a receiver may take for this one, itself among them, and those that the request's headers speak of.
fn others(url: &str, verification: &Verification<'_>) -> Vec<String> {
    let mut urls = vec![url.to_owned(), swapped_scheme(url)];
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
    urls.extend(spelled_otherwise(url));
    urls.extend(of_headers(url, verification));
    let sources = verification.sources();
    for check in &verification.scheme.checks {
        if let (Some(name), Some(value)) = (check.query(), check.value(verification.options, &sources)) {
            urls.extend(with_parameter(url, name, &value));
        }
    }
    urls
}

/// The same address in other words: with its usual port, with and without `www.`, with its escapes otherwise.
fn spelled_otherwise(url: &str) -> Vec<String> {
    let Some(start) = url.find("://").map(|at| at + 3) else { return Vec::new() };
    let end = url[start..].find(['/', '?']).map_or(url.len(), |at| start + at);
    let (scheme, host, tail) = (&url[..start], &url[start..end], &url[end..]);
    let (name, has_port) = host.rsplit_once(':').map_or((host, false), |(name, _)| (name, true));
    let mut urls = vec![format!("{scheme}{}{tail}", host.to_ascii_lowercase())];
    if has_port {
        // A listener's own port, where the sender knows that of a proxy before it.
        urls.push(format!("{scheme}{name}{tail}"));
        urls.push(format!("https://{name}{tail}"));
    } else {
        urls.push(format!("https://{host}:443{tail}"));
        urls.push(format!("http://{host}:80{tail}"));
    }
    urls.push(match host.strip_prefix("www.") {
        Some(bare) => format!("{scheme}{bare}{tail}"),
        None => format!("{scheme}www.{host}{tail}"),
    });
    for (from, to) in [("+", "%20"), ("%20", "+"), ("~", "%7E"), ("%7E", "~"), (":", "%3A"), ("%3A", ":"), ("%2F", "/")]
    {
        urls.push(format!("{scheme}{host}{}", tail.replace(from, to)));
    }
    let escapes = |change: fn(char) -> char| -> String {
        let mut behind = 0;
        let letters = tail.chars().map(|letter| {
            behind = if letter == '%' { 2 } else { i32::max(behind - 1, -1) };
            if behind >= 0 && letter != '%' { change(letter) } else { letter }
        });
        letters.collect()
    };
    urls.push(format!("{scheme}{host}{}", escapes(|letter| letter.to_ascii_lowercase())));
    urls.push(format!("{scheme}{host}{}", escapes(|letter| letter.to_ascii_uppercase())));
    urls
}

/// The URLs that the request's own headers and those of proxies make likely.
fn of_headers(url: &str, verification: &Verification<'_>) -> Vec<String> {
    let headers = verification.request.headers;
    let Some(start) = url.find("://").map(|at| at + 3) else { return Vec::new() };
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    let (own, path) = (&url[start..end], if end < url.len() { &url[end..] } else { "/" });
    let first = |name: &str| headers.get_text(name).and_then(|text| text.split(',').next()).map(str::trim);
    let forwarded = headers.get_text("forwarded").unwrap_or_default();
    let scheme = first("x-forwarded-proto").or(parameter(forwarded, "proto")).unwrap_or("https");
    let named = ["x-forwarded-host", "x-original-host", "host"].map(first);
    let mut hosts: Vec<String> =
        named.into_iter().flatten().chain(parameter(forwarded, "host")).map(str::to_owned).collect();
    hosts.push(own.to_owned());
    if let Some(port) = first("x-forwarded-port") {
        let bare = |host: &String| host.rsplit_once(':').map_or(host.clone(), |(name, _)| name.to_owned());
        hosts.extend(hosts.iter().map(|host| format!("{}:{port}", bare(host))).collect::<Vec<_>>());
    }
    let mut paths = vec![path.to_owned()];
    for name in ["x-forwarded-prefix", "x-script-name"] {
        paths.extend(first(name).map(|prefix| format!("{}{path}", prefix.trim_end_matches('/'))));
    }
    let written =
        ["x-original-url", "x-original-uri", "x-rewrite-url", "x-forwarded-uri"].map(|name| headers.get_text(name));
    paths.extend(written.into_iter().flatten().filter(|path| path.starts_with('/')).map(str::to_owned));
    let both = hosts.iter().flat_map(|host| paths.iter().map(move |path| format!("{scheme}://{host}{path}")));
    both.collect()
}

/// The value of a parameter of the first element of `Forwarded` (RFC 7239 section 4).
fn parameter<'h>(forwarded: &'h str, name: &str) -> Option<&'h str> {
    let mut pairs = forwarded.split(',').next()?.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_matches('"'))
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

#[cfg(test)]
mod tests {
    use super::slips;

    #[test]
    fn one_character_less_more_or_other_and_never_in_the_scheme() {
        let slips: Vec<String> = slips("https://h/ab").collect();
        for url in ["https://h/a", "https://h/abc", "https://h/b", "https://x/ab", "https://h/ac", "https://h/.ab"] {
            assert!(slips.contains(&url.to_owned()), "{url}");
        }
        assert!(slips.iter().all(|slip| slip.starts_with("https://")));
    }
}
