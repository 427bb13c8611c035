//! Who the true client of a request is, and by which address the ceilings count it.
//!
//! Forwarding headers are written by whoever sends them. They are believed only when the peer is a proxy that the user
//! named, and then from the right: each proxy appends the address it saw, so the right-most entry that is no trusted
//! proxy itself is the last one that nobody could forge.
//!
//! A tunnel that Creel itself started is such a peer, too: its program connects from this machine, and what is known of
//! its kind says which header it writes.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::cidr::Cidr;
use crate::app::inbound::{ClientAddress, TunnelFront, network_of};
use crate::domain::Headers;

/// A request's client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// What is stored.
    pub address: ClientAddress,
    /// What the ceilings count by; none behind a loopback peer whose true client is unknown: there all senders look the
    /// same, and one would use up the others' share.
    pub counted_as: Option<IpAddr>,
    /// Row of the tunnel of ours that the request came by.
    pub tunnel: Option<i64>,
}

/// Finds the client of a request. `forwarded`: the head has a header in which a proxy says for whom it speaks.
#[must_use]
pub fn client_of(
    peer: SocketAddr,
    forwarded: bool,
    headers: &Headers,
    trusted: &[Cidr],
    tunnel: Option<&TunnelFront>,
) -> Client {
    let peer = peer.ip().to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
    let came_through =
        tunnel.filter(|tunnel| peer.is_loopback() && (forwarded || names_host(headers, &tunnel.public_url)));
    if forwarded && is_trusted(peer) {
        let by = came_through.map(|tunnel| tunnel.row);
        if let Some(ip) = from_forwarded_for(headers, &is_trusted) {
            return Client { tunnel: by, ..told(ip, "x-forwarded-for") };
        }
        if let Some(ip) = headers.get_text("x-real-ip").and_then(parse_address) {
            return Client { tunnel: by, ..told(ip, "x-real-ip") };
        }
    }
    if !peer.is_loopback() {
        return told(peer, "peer");
    }
    if let Some(tunnel) = came_through {
        return Client { tunnel: Some(tunnel.row), ..through_tunnel(headers, tunnel) };
    }
    // A loopback peer that forwards is a tunnel: what it says is not believed, and its own address is not the client's.
    let ip = (!forwarded).then_some(peer);
    Client { address: ClientAddress { ip, source: "peer" }, counted_as: None, tunnel: None }
}

/// What the tunnel says of the sender. One that says nothing leaves it unknown: the peer is the tunnel's own program.
fn through_tunnel(headers: &Headers, tunnel: &TunnelFront) -> Client {
    let said = tunnel.client.and_then(|client| {
        let values: Vec<&[u8]> = headers.get_all(client.header).collect();
        let value = std::str::from_utf8(values.last()?).ok()?;
        let part = if client.is_last { value.rsplit(',').next()? } else { value };
        Some((client, parse_address(part)?))
    });
    match said {
        Some((client, ip)) if client.is_claimed => {
            Client { address: ClientAddress { ip: Some(ip), source: client.source }, counted_as: None, tunnel: None }
        }
        Some((client, ip)) => told(ip, client.source),
        None => Client { address: ClientAddress { ip: None, source: "peer" }, counted_as: None, tunnel: None },
    }
}

/// Whether the request was sent to the host of this public URL.
fn names_host(headers: &Headers, public_url: &str) -> bool {
    let authority = public_url.split_once("://").map(|(_, authority)| authority);
    headers.get_text("host").zip(authority).is_some_and(|(host, authority)| host.eq_ignore_ascii_case(authority))
}

fn told(ip: IpAddr, source: &'static str) -> Client {
    Client { address: ClientAddress { ip: Some(ip), source }, counted_as: Some(network_of(ip)), tunnel: None }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::inbound::TunnelClient;

    fn client(peer: &str, headers: &[(&str, &str)], trusted: &[&str]) -> Client {
        let trusted: Vec<Cidr> = trusted.iter().map(|range| range.parse().unwrap()).collect();
        let headers = Headers::from_pairs(headers.iter().copied()).unwrap();
        client_of(peer.parse().unwrap(), !headers.as_block().is_empty(), &headers, &trusted, None)
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

    fn through(header: Option<(&'static str, bool, bool)>, peer: &str, headers: &[(&str, &str)]) -> Client {
        through_trusted(header, peer, headers, &[])
    }

    fn through_trusted(
        header: Option<(&'static str, bool, bool)>,
        peer: &str,
        headers: &[(&str, &str)],
        trusted: &[Cidr],
    ) -> Client {
        let client =
            header.map(|(header, is_last, is_claimed)| TunnelClient { header, is_last, source: header, is_claimed });
        let tunnel = TunnelFront { row: 7, public_url: "https://a.example".to_owned(), client };
        let headers = Headers::from_pairs(headers.iter().copied()).unwrap();
        let forwarded = headers.iter().any(|(name, _)| !name.eq_ignore_ascii_case("host"));
        client_of(peer.parse().unwrap(), forwarded, &headers, trusted, Some(&tunnel))
    }

    #[test]
    fn a_tunnel_of_known_kind_says_who_the_sender_is() {
        let cloudflare = Some(("cf-connecting-ip", false, false));
        let told =
            through(cloudflare, "127.0.0.1:9", &[("Cf-Connecting-Ip", "203.0.113.5"), ("X-Forwarded-For", "1.1.1.1")]);
        assert_eq!((seen(&told), told.counted_as.is_some()), (some("203.0.113.5", "cf-connecting-ip"), true));
        let ngrok = Some(("x-forwarded-for", true, false));
        let forged = through(ngrok, "127.0.0.1:9", &[("X-Forwarded-For", "1.1.1.1, 2001:db8::7")]);
        assert_eq!(seen(&forged), some("2001:db8::7", "x-forwarded-for"));
        let claimed = through(Some(("x-real-ip", false, true)), "127.0.0.1:9", &[("X-Real-Ip", "203.0.113.5")]);
        assert_eq!((seen(&claimed), claimed.counted_as), (some("203.0.113.5", "x-real-ip"), None));
    }

    #[test]
    fn what_came_by_a_tunnel_came_by_it_also_where_loopback_is_a_trusted_proxy() {
        let loopback = ["127.0.0.1".parse().unwrap()];
        let told = through_trusted(None, "127.0.0.1:9", &[("X-Forwarded-For", "203.0.113.5")], &loopback);
        assert_eq!((seen(&told), told.tunnel), (some("203.0.113.5", "x-forwarded-for"), Some(7)));
        let elsewhere = ["192.0.2.1".parse().unwrap()];
        let direct = through_trusted(None, "192.0.2.1:9", &[("X-Forwarded-For", "203.0.113.5")], &elsewhere);
        assert_eq!(direct.tunnel, None);
    }

    #[test]
    fn a_tunnels_header_counts_from_this_machine_only() {
        let told =
            through(Some(("cf-connecting-ip", false, false)), "192.0.2.1:9", &[("Cf-Connecting-Ip", "203.0.113.5")]);
        assert_eq!(seen(&told), some("192.0.2.1", "peer"));
    }

    #[test]
    fn behind_a_tunnel_that_says_nothing_the_sender_is_unknown_and_a_local_one_is_not() {
        let raw = through(None, "127.0.0.1:9", &[("Host", "A.example")]);
        assert_eq!((seen(&raw), raw.counted_as), ((None, "peer"), None));
        let forged = through(None, "127.0.0.1:9", &[("Host", "a.example"), ("X-Forwarded-For", "1.1.1.1")]);
        assert_eq!(seen(&forged), (None, "peer"));
        let local = through(None, "127.0.0.1:9", &[("Host", "127.0.0.1:4100")]);
        assert_eq!(seen(&local), some("127.0.0.1", "peer"));
        assert_eq!((raw.tunnel, forged.tunnel, local.tunnel), (Some(7), Some(7), None));
    }
}
