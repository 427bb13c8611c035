//! Which addresses the relay may dial: this machine's loopback, unless an endpoint allows more, and never Creel itself.
//!
//! A name is resolved once, every address it resolves to is checked, and only checked addresses are dialled, so that
//! a name cannot be one address when checked and another when dialled. Used when a target is saved and again before
//! each attempt.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::limits::RESOLVE_TIME;
use super::target_url::{TargetHost, TargetUrl};
use crate::domain::SeededBug;

/// What may be dialled.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    /// Whether addresses outside this machine's loopback are allowed.
    pub allow_non_loopback: bool,
    /// What Creel listens on.
    pub own_addresses: Vec<SocketAddr>,
    /// Hosts and ports under which Creel can be reached from outside: its public URLs.
    pub public_hosts: Vec<(String, u16)>,
}

/// Why a target may not be dialled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// An address outside this machine's loopback.
    #[error("{authority} is {address}, which is not a loopback address of this machine")]
    NotLoopback {
        /// Host and port of the target.
        authority: String,
        /// The address that is not allowed.
        address: IpAddr,
    },
    /// No address.
    #[error("{authority} does not resolve to an address: {detail}")]
    Unresolvable {
        /// Host and port of the target.
        authority: String,
        /// What the resolver said.
        detail: String,
    },
    /// Creel itself.
    #[error("{authority} is Creel itself: each delivery would come back as a new one")]
    Loop {
        /// Host and port of the target.
        authority: String,
    },
}

impl TargetError {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotLoopback { .. } => "target_not_loopback",
            Self::Unresolvable { .. } => "target_unresolvable",
            Self::Loop { .. } => "relay_loop",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotLoopback { .. } => {
                "Allow targets outside this machine for this endpoint, if that is what you want."
            }
            Self::Unresolvable { .. } => "Check the host's name, or use its address.",
            Self::Loop { .. } => "Name the address of your own app.",
        }
    }
}

/// The addresses to dial for a target, all of them allowed.
///
/// # Errors
/// When the host does not resolve, or one of its addresses is not allowed.
pub async fn check_target(url: &TargetUrl, policy: &AddressPolicy) -> Result<Vec<SocketAddr>, TargetError> {
    if is_public_host(url, policy) {
        return Err(TargetError::Loop { authority: url.authority() });
    }
    let addresses = match url.host() {
        TargetHost::Address(address) => vec![SocketAddr::new(*address, url.port())],
        // RFC 6761 section 6.3: these names always mean loopback; asking a resolver could only make it something else.
        TargetHost::Name(name) if is_localhost(name) => vec![
            SocketAddr::new(Ipv4Addr::LOCALHOST.into(), url.port()),
            SocketAddr::new(Ipv6Addr::LOCALHOST.into(), url.port()),
        ],
        TargetHost::Name(name) => resolve(url, name).await?,
    };
    check_addresses(url, &addresses, policy)?;
    Ok(addresses)
}

async fn resolve(url: &TargetUrl, name: &str) -> Result<Vec<SocketAddr>, TargetError> {
    let unresolvable = |detail: String| TargetError::Unresolvable { authority: url.authority(), detail };
    let found = tokio::time::timeout(RESOLVE_TIME, tokio::net::lookup_host((name, url.port())))
        .await
        .map_err(|_| unresolvable(format!("no answer from the resolver within {} s", RESOLVE_TIME.as_secs())))?
        .map_err(|error: io::Error| unresolvable(error.to_string()))?;
    let addresses: Vec<_> = found.collect();
    if addresses.is_empty() { Err(unresolvable("it has no address".into())) } else { Ok(addresses) }
}

fn check_addresses(url: &TargetUrl, addresses: &[SocketAddr], policy: &AddressPolicy) -> Result<(), TargetError> {
    for address in addresses {
        // `::ffff:127.0.0.1` is dialled as 127.0.0.1. No other embedding is: NAT64 and 6to4 leave this machine.
        let ip = address.ip().to_canonical();
        if policy.own_addresses.iter().any(|own| reaches(*own, ip, address.port())) {
            return Err(TargetError::Loop { authority: url.authority() });
        }
        if !policy.allow_non_loopback && !ip.is_loopback() && !SeededBug::NoLoopbackCheck.is_on() {
            return Err(TargetError::NotLoopback { authority: url.authority(), address: ip });
        }
    }
    Ok(())
}

/// Whether dialling `ip:port` reaches a listener on `own`.
fn reaches(own: SocketAddr, ip: IpAddr, port: u16) -> bool {
    if own.port() != port {
        return false;
    }
    let own_ip = own.ip().to_canonical();
    // Dialling the unspecified address reaches this machine.
    if ip.is_unspecified() || own_ip == ip {
        return true;
    }
    // A listener on `::` may take IPv4 as well.
    let same_family = own_ip.is_ipv6() || ip.is_ipv4();
    own_ip.is_unspecified() && same_family && (ip.is_loopback() || is_on_this_machine(ip))
}

/// Only an address of this machine can be bound to; nothing is sent.
fn is_on_this_machine(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || name.len() > ".localhost".len() && name.to_ascii_lowercase().ends_with(".localhost")
}

fn is_public_host(url: &TargetUrl, policy: &AddressPolicy) -> bool {
    let host = match url.host() {
        TargetHost::Address(address) => address.to_canonical().to_string(),
        TargetHost::Name(name) => name.trim_end_matches('.').to_ascii_lowercase(),
    };
    // A public URL is served on both of the web's own ports as a rule.
    let port = |port: u16| if port == 443 { 80 } else { port };
    policy.public_hosts.iter().any(|(public, public_port)| {
        let public = public.trim_start_matches('[').trim_end_matches([']', '.']);
        public.eq_ignore_ascii_case(&host) && port(*public_port) == port(url.port())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN_PORT: u16 = 4100;

    fn policy() -> AddressPolicy {
        AddressPolicy {
            allow_non_loopback: false,
            own_addresses: vec![SocketAddr::from(([127, 0, 0, 1], OWN_PORT))],
            public_hosts: vec![("hooks.example.com".into(), 443), ("203.0.113.7".into(), 8080)],
        }
    }

    /// `ok`, or the code of the refusal, be it of the text or of the address.
    async fn verdict(host: &str, port: u16, policy: &AddressPolicy) -> &'static str {
        match TargetUrl::parse(&format!("http://{host}:{port}/")) {
            Err(error) => error.code(),
            Ok(url) => match check_target(&url, policy).await {
                Ok(addresses) => {
                    assert!(!addresses.is_empty());
                    "ok"
                }
                Err(error) => error.code(),
            },
        }
    }

    const LOOPBACK_SPELLINGS: &[&str] = &[
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0x7f.0.0.1",
        "0x7F000001",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0177.0.0.01",
        "127.0.0.0x1",
        "0x7f.0.1",
        "127.2.3.4",
        "127.255.255.254",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "app.localhost",
        "a.b.LocalHost.",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000::0001]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.1.2.3]",
        "%31%32%37.0.0.1",
        "①②⑦.0.0.1",
        "127。0。0。1",
    ];

    const OUTSIDE_SPELLINGS: &[&str] = &[
        "0.0.0.0",
        "0",
        "0x0",
        "[::]",
        "[0:0:0:0:0:0:0:0]",
        "[::ffff:0.0.0.0]",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "169.16689662",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[fd00:ec2::254]",
        "[::127.0.0.1]",
        "[::7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "10.0.0.1",
        "10.1",
        "192.168.1.1",
        "3232235777",
        "172.16.0.1",
        "100.64.0.1",
        "8.8.8.8",
        "134744072",
        "255.255.255.255",
        "224.0.0.1",
        "[ff02::1]",
        "128.0.0.1",
        "126.255.255.255",
        "[::2]",
        "1.1.1.1.",
        "0x08080808",
        "[::ffff:8.8.8.8]",
        "[2001:db8::1]",
    ];

    #[tokio::test]
    async fn every_spelling_of_loopback_is_dialled_and_no_spelling_of_anything_else() {
        const { assert!(LOOPBACK_SPELLINGS.len() + OUTSIDE_SPELLINGS.len() >= 60) };
        for host in LOOPBACK_SPELLINGS {
            assert_eq!(verdict(host, 3000, &policy()).await, "ok", "{host}");
        }
        for host in OUTSIDE_SPELLINGS {
            assert_eq!(verdict(host, 3000, &policy()).await, "target_not_loopback", "{host}");
        }
        for host in
            ["256.1.1.1", "127.0.0.1.5", "4294967296", "0x100000000", "[::1", "127.0.0.09", "[::ffff:127.0.0.256]"]
        {
            assert_eq!(verdict(host, 3000, &policy()).await, "target_url_invalid", "{host}");
        }
        assert_eq!(verdict("nothing.invalid", 3000, &policy()).await, "target_unresolvable");
    }

    #[tokio::test]
    async fn an_endpoint_that_allows_it_reaches_outside_but_never_creel() {
        let policy = AddressPolicy { allow_non_loopback: true, ..policy() };
        for host in OUTSIDE_SPELLINGS {
            assert_eq!(verdict(host, 3000, &policy).await, "ok", "{host}");
        }
        assert_eq!(verdict("127.0.0.1", OWN_PORT, &policy).await, "relay_loop");
        assert_eq!(verdict("nothing.invalid", 3000, &policy).await, "target_unresolvable");
    }

    #[tokio::test]
    async fn creels_own_listener_is_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "localhost",
            "localhost.",
            "x.localhost",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
            "0",
            "[::]",
            "[::ffff:0:0]",
        ] {
            assert_eq!(verdict(host, OWN_PORT, &policy()).await, "relay_loop", "{host}");
        }
        // Another loopback address with the same port is another listener.
        assert_eq!(verdict("127.0.0.2", OWN_PORT, &policy()).await, "ok");
        assert_eq!(verdict("[::1]", OWN_PORT, &policy()).await, "ok");
    }

    #[tokio::test]
    async fn a_listener_on_all_addresses_is_reached_by_every_address_of_this_machine() {
        let any_v4 = AddressPolicy {
            own_addresses: vec![SocketAddr::from(([0, 0, 0, 0], OWN_PORT))],
            ..AddressPolicy::default()
        };
        assert_eq!(verdict("127.9.9.9", OWN_PORT, &any_v4).await, "relay_loop");
        assert_eq!(verdict("[::1]", OWN_PORT, &any_v4).await, "ok");
        let any = AddressPolicy {
            own_addresses: vec![SocketAddr::from((Ipv6Addr::UNSPECIFIED, OWN_PORT))],
            allow_non_loopback: true,
            ..AddressPolicy::default()
        };
        assert_eq!(verdict("[::1]", OWN_PORT, &any).await, "relay_loop");
        assert_eq!(verdict("127.0.0.1", OWN_PORT, &any).await, "relay_loop");
        assert_eq!(verdict("198.51.100.1", OWN_PORT, &any).await, "ok");
    }

    #[tokio::test]
    async fn the_public_url_is_a_loop_on_either_of_the_webs_ports() {
        let policy = AddressPolicy { allow_non_loopback: true, ..policy() };
        for (host, port) in [
            ("hooks.example.com", 443),
            ("hooks.example.com", 80),
            ("HOOKS.example.com.", 443),
            ("203.0.113.7", 8080),
            ("[::ffff:203.0.113.7]", 8080),
        ] {
            assert_eq!(verdict(host, port, &policy).await, "relay_loop", "{host}:{port}");
        }
        assert_eq!(verdict("203.0.113.7", 3000, &policy).await, "ok");
    }

    #[test]
    fn one_bad_address_among_good_ones_refuses_the_target() {
        let url = TargetUrl::parse("http://app.test:3000/").unwrap();
        let address = |ip: [u8; 4]| SocketAddr::from((ip, 3000));
        let mixed = [address([127, 0, 0, 1]), address([10, 0, 0, 1])];
        assert_eq!(check_addresses(&url, &mixed, &policy()).unwrap_err().code(), "target_not_loopback");
        assert_eq!(check_addresses(&url, &mixed[..1], &policy()), Ok(()));
    }
}
