//! Who the true client of a request is, and by which address the ceilings count it.
//!
//! Forwarding headers are written by whoever sends them. They are believed only when the peer is a proxy that the user
//! named, and then from the right: each proxy appends the address it saw, so the right-most entry that is no trusted
//! proxy itself is the last one that nobody could forge.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::cidr::Cidr;
use crate::app::inbound::ClientAddress;
use crate::domain::Headers;

/// A request's client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// What is stored.
    pub address: ClientAddress,
    /// What the ceilings count by; none behind a loopback peer whose true client is unknown: there all senders look the
    /// same, and one would use up the others' share.
    pub counted_as: Option<IpAddr>,
}

/// Finds the client of a request. `forwarded`: the head has a header in which a proxy says for whom it speaks.
#[must_use]
pub fn client_of(peer: SocketAddr, forwarded: bool, headers: &Headers, trusted: &[Cidr]) -> Client {
    let peer = peer.ip().to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
    if forwarded && is_trusted(peer) {
        if let Some(ip) = from_forwarded_for(headers, &is_trusted) {
            return told(ip, "x-forwarded-for");
        }
        if let Some(ip) = headers.get_text("x-real-ip").and_then(parse_address) {
            return told(ip, "x-real-ip");
        }
    }
    if !peer.is_loopback() {
        return told(peer, "peer");
    }
    // A loopback peer that forwards is a tunnel: what it says is not believed, and its own address is not the client's.
    let ip = (!forwarded).then_some(peer);
    Client { address: ClientAddress { ip, source: "peer" }, counted_as: None }
}

fn told(ip: IpAddr, source: &'static str) -> Client {
    Client { address: ClientAddress { ip: Some(ip), source }, counted_as: Some(network_of(ip)) }
}

/// The right-most address that is no trusted proxy; when all are, the left-most. An entry that is no address ends the
/// search: what stands left of it was not written by a proxy we know.
fn from_forwarded_for(headers: &Headers, is_trusted: &dyn Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let lines: Vec<&[u8]> = headers.get_all("x-forwarded-for").collect();
    let entries = lines.iter().rev().flat_map(|line| line.rsplit(|&byte| byte == b','));
    let mut last = None;
    for entry in entries {
        let address = std::str::from_utf8(entry).ok().and_then(parse_address);
        match address {
            Some(ip) if is_trusted(ip) => last = Some(ip),
            Some(ip) => return Some(ip),
            None => break,
        }
    }
    last
}

/// `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:443`.
fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let ip = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6))?;
    Some(ip.to_canonical())
}

/// One IPv6 customer has a /64 at least, so single addresses would be no limit.
fn network_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, headers: &[(&str, &str)], trusted: &[&str]) -> Client {
        let trusted: Vec<Cidr> = trusted.iter().map(|range| range.parse().unwrap()).collect();
        let headers = Headers::from_pairs(headers.iter().copied()).unwrap();
        client_of(peer.parse().unwrap(), !headers.as_block().is_empty(), &headers, &trusted)
    }

    fn seen(client: &Client) -> (Option<String>, &'static str) {
        (client.address.ip.map(|ip| ip.to_string()), client.address.source)
    }

    fn some(ip: &str, source: &'static str) -> (Option<String>, &'static str) {
        (Some(ip.to_owned()), source)
    }

    #[test]
    fn without_trusted_proxies_a_forwarding_header_changes_nothing() {
        let told = client("192.0.2.1:9", &[("X-Forwarded-For", "203.0.113.5"), ("X-Real-IP", "203.0.113.6")], &[]);
        assert_eq!(seen(&told), some("192.0.2.1", "peer"));
        let other = client("192.0.2.1:9", &[("X-Forwarded-For", "203.0.113.5")], &["10.0.0.0/8"]);
        assert_eq!(seen(&other), some("192.0.2.1", "peer"));
    }

    #[test]
    fn behind_a_trusted_proxy_the_rightmost_untrusted_address_counts() {
        let told = client("10.0.0.1:9", &[("X-Forwarded-For", "203.0.113.5")], &["10.0.0.0/8"]);
        assert_eq!(seen(&told), some("203.0.113.5", "x-forwarded-for"));
        let forged = client("10.0.0.1:9", &[("X-Forwarded-For", "1.1.1.1, 203.0.113.5, 10.0.0.2")], &["10.0.0.0/8"]);
        assert_eq!(seen(&forged), some("203.0.113.5", "x-forwarded-for"));
        let lines = [("X-Forwarded-For", "1.1.1.1"), ("x-forwarded-for", "203.0.113.7:4711")];
        assert_eq!(seen(&client("10.0.0.1:9", &lines, &["10.0.0.0/8"])), some("203.0.113.7", "x-forwarded-for"));
    }

    #[test]
    fn an_entry_that_is_no_address_ends_the_search() {
        let headers = [("X-Forwarded-For", "203.0.113.5, unknown"), ("X-Real-IP", "[2001:db8::7]")];
        assert_eq!(seen(&client("10.0.0.1:9", &headers, &["10.0.0.1"])), some("2001:db8::7", "x-real-ip"));
        assert_eq!(seen(&client("10.0.0.1:9", &headers[..1], &["10.0.0.1"])), some("10.0.0.1", "peer"));
    }

    #[test]
    fn an_ipv6_peer_can_be_a_trusted_proxy() {
        let told = client("[fd00::1]:9", &[("X-Forwarded-For", "[2001:db8::5]:80")], &["fd00::/8"]);
        assert_eq!(seen(&told), some("2001:db8::5", "x-forwarded-for"));
        let mapped = client("[::ffff:10.0.0.1]:9", &[("X-Real-IP", "203.0.113.5")], &["10.0.0.0/8"]);
        assert_eq!(seen(&mapped), some("203.0.113.5", "x-real-ip"));
    }

    #[test]
    fn a_loopback_peer_is_not_counted_unless_its_client_is_known() {
        let plain = client("127.0.0.1:9", &[], &[]);
        assert_eq!((seen(&plain), plain.counted_as), (some("127.0.0.1", "peer"), None));
        let tunnel = client("127.0.0.1:9", &[("Cf-Connecting-Ip", "203.0.113.5")], &[]);
        assert_eq!((seen(&tunnel), tunnel.counted_as), ((None, "peer"), None));
        let proxy = client("127.0.0.1:9", &[("X-Forwarded-For", "203.0.113.5")], &["127.0.0.1"]);
        assert_eq!(proxy.counted_as, Some("203.0.113.5".parse().unwrap()));
    }

    #[test]
    fn an_ipv6_client_is_counted_by_its_network() {
        let one = client("[2001:db8::1]:9", &[], &[]);
        let other = client("[2001:db8::2]:9", &[], &[]);
        assert_ne!(one.address, other.address);
        assert_eq!(one.counted_as, other.counted_as);
    }
}
