//! What a request target asks for.

use super::limits::REFUSAL_PATH_BYTES_MAX;
use crate::domain::Token;

/// Before the token of every ingress URL.
const INGRESS_PREFIX: &str = "/in/";
/// Before the nonce of a tunnel's proof of life.
const ALIVE_PREFIX: &str = "/.well-known/creel/";

/// A target, taken apart but not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// `/in/{token}[/any/suffix][?query]`.
    Endpoint {
        /// What stands where the token belongs.
        token: &'a str,
        /// Empty, or begins with `/`.
        suffix: &'a str,
        /// Without `?`; none when there was no `?`.
        query: Option<&'a str>,
    },
    /// `/.well-known/creel/{nonce}`.
    Alive {
        /// The nonce.
        nonce: &'a str,
    },
    /// Anything else.
    Unknown,
}

/// Takes a target apart.
#[must_use]
pub fn asked(target: &str) -> Asked<'_> {
    let (path, query) = split_query(target);
    if let Some(rest) = path.strip_prefix(INGRESS_PREFIX) {
        let (token, suffix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        return Asked::Endpoint { token, suffix, query };
    }
    match path.strip_prefix(ALIVE_PREFIX) {
        Some(nonce) => Asked::Alive { nonce },
        None => Asked::Unknown,
    }
}

/// The path as a refusal shows it: what stands where a token belongs, and what looks like one elsewhere, is masked; the
/// query is left out, because senders put credentials there.
#[must_use]
pub fn masked(target: &str) -> String {
    let (path, _) = split_query(target);
    let is_ingress = path.starts_with(INGRESS_PREFIX);
    let mut shown = String::with_capacity(path.len().min(REFUSAL_PATH_BYTES_MAX));
    for (place, segment) in path.split('/').enumerate() {
        if place > 0 {
            shown.push('/');
        }
        if (is_ingress && place == 2 && !segment.is_empty()) || segment.contains(Token::PREFIX) {
            shown.push_str("ep_***");
        } else {
            shown.push_str(segment);
        }
    }
    shown.truncate(shown.floor_char_boundary(REFUSAL_PATH_BYTES_MAX));
    shown
}

fn split_query(target: &str) -> (&str, Option<&str>) {
    match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffix_and_query_stay_as_they_came() {
        let endpoint = |token, suffix, query| Asked::Endpoint { token, suffix, query };
        assert_eq!(asked("/in/ep_a"), endpoint("ep_a", "", None));
        assert_eq!(asked("/in/ep_a/"), endpoint("ep_a", "/", None));
        assert_eq!(asked("/in/ep_a?"), endpoint("ep_a", "", Some("")));
        assert_eq!(asked("/in/ep_a/b%2F../c?d=%20&e?f"), endpoint("ep_a", "/b%2F../c", Some("d=%20&e?f")));
        assert_eq!(asked("/in/"), endpoint("", "", None));
    }

    #[test]
    fn only_the_exact_prefixes_are_known() {
        assert_eq!(asked("/.well-known/creel/n1?x"), Asked::Alive { nonce: "n1" });
        for target in ["/", "/in", "/IN/ep_a", "//in/ep_a", "/api/health", "/.well-known/creel", "/x?/in/ep_a"] {
            assert_eq!(asked(target), Asked::Unknown, "{target}");
        }
    }

    #[test]
    fn a_refusal_never_shows_a_token() {
        assert_eq!(masked("/in/ep_secret/hook?key=1"), "/in/ep_***/hook");
        assert_eq!(masked("/in/guess"), "/in/ep_***");
        assert_eq!(masked("//in/ep_secret/x"), "//in/ep_***/x");
        assert_eq!(masked("/x/%2Fep_secret"), "/x/ep_***");
        assert_eq!(masked("/api/health"), "/api/health");
        assert_eq!(masked("/in/"), "/in/");
    }

    #[test]
    fn a_long_path_is_cut_between_characters() {
        let shown = masked(&format!("/{}", "é".repeat(4000)));
        assert!(shown.len() <= REFUSAL_PATH_BYTES_MAX && shown.ends_with('é'));
    }
}
