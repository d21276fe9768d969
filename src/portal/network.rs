//! Who asks: the address behind the connection, or behind the web server in front of it when that is
//! trusted. What a stranger writes into a header is believed of nobody (T-27).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;

use crate::faults;

/// An address, or all that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `10.0.0.7`, `192.0.2.0/24`, `2001:db8::/32`.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address.parse::<IpAddr>().ok()?, Some(prefix)),
            None => (text.parse::<IpAddr>().ok()?, None),
        };
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(bits), |prefix| prefix.parse().ok())?;
        (prefix <= bits).then_some(Network { address, prefix })
    }

    /// Whether an address is in it; an IPv4 one also when it is written as IPv6.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                same_bits(u32::from(network).into(), u32::from(ip).into(), 32, self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => {
                same_bits(network.into(), ip.into(), 128, self.prefix)
            }
            _ => false,
        }
    }
}

fn same_bits(one: u128, other: u128, bits: u32, prefix: u8) -> bool {
    prefix == 0 || (one ^ other) >> (bits - u32::from(prefix)) == 0
}

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From another machine, and nobody trusted in between.
    Direct,
    /// From this machine, or a trusted proxy that does not say how it was asked.
    Near,
    /// A trusted proxy says that it was asked over plain HTTP.
    ProxiedPlain,
    /// A trusted proxy says that it was asked over HTTPS.
    ProxiedTls,
}

/// Whoever sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    pub ip: IpAddr,
    pub way: Way,
}

impl Asker {
    /// Reads who asks. `is_trusted` knows the proxies; the last address of `X-Forwarded-For` that is
    /// none of theirs is whoever asked the first of them.
    pub fn of(peer: IpAddr, headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Asker {
        let peer = peer.to_canonical();
        if !is_trusted(peer) && faults::stands("T-27-proxies") {
            let way = if peer.is_loopback() { Way::Near } else { Way::Direct };
            return Asker { ip: peer, way };
        }
        let way = match values(headers, "x-forwarded-proto").next() {
            Some("https") => Way::ProxiedTls,
            Some("http") => Way::ProxiedPlain,
            _ => Way::Near,
        };
        let mut ip = peer;
        for hop in values(headers, "x-forwarded-for") {
            let Some(hop) = address(hop) else { break };
            ip = hop;
            if !is_trusted(hop) {
                break;
            }
        }
        Asker { ip, way }
    }

    /// Who is counted for it: an IPv4 address, or the /64 that one customer has of IPv6.
    pub fn counted(&self) -> String {
        match self.ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => {
                let network = u128::from(ip) >> 64 << 64;
                format!("{}/64", Ipv6Addr::from(network))
            }
        }
    }
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip.fmt(f)
    }
}

/// The entries of a list header, the last one first.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines: Vec<&str> =
        headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim)
}

// Some write a port behind it.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = match hop.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None if hop.matches(':').count() == 1 => hop.split(':').next()?,
        None => hop,
    };
    bare.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn asker(peer: &str, headers: &[(&'static str, &'static str)]) -> (String, Way) {
        let trusted = [Network::parse("10.0.0.0/24"), Network::parse("::1")];
        let is_trusted = |ip| trusted.iter().flatten().any(|network| network.contains(ip));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header"));
        }
        let asker = Asker::of(ip(peer), &map, is_trusted);
        (asker.ip.to_string(), asker.way)
    }

    #[test]
    fn a_network_holds_what_begins_like_it() {
        let within =
            |network, address| Network::parse(network).expect("a network").contains(ip(address));
        assert!(within("192.0.2.0/24", "192.0.2.255"));
        assert!(within("192.0.2.0/24", "::ffff:192.0.2.7"));
        assert!(!within("192.0.2.0/24", "192.0.3.0"));
        assert!(within("0.0.0.0/0", "203.0.113.9"));
        assert!(!within("0.0.0.0/0", "2001:db8::1"));
        assert!(within("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(within("::1", "::1") && !within("::1", "::2"));
        for bad in ["", "10.0.0.0/33", "::/129", "host", "10.0.0.0/", "10.0.0.0/-1"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn t_27_a_strangers_word_about_himself_is_not_believed() {
        let said = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https")];
        assert_eq!(asker("203.0.113.9", &said), ("203.0.113.9".to_owned(), Way::Direct));
        assert_eq!(asker("127.0.0.1", &said), ("127.0.0.1".to_owned(), Way::Near));
    }

    #[test]
    fn t_27_behind_proxies_it_is_whoever_asked_the_first_trusted_one() {
        let chain = [("x-forwarded-for", "1.2.3.4, 203.0.113.9, 10.0.0.2")];
        assert_eq!(asker("10.0.0.1", &chain), ("203.0.113.9".to_owned(), Way::Near));
        let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "[2001:db8::9]:443")];
        assert_eq!(asker("10.0.0.1", &lines).0, "2001:db8::9");
        assert_eq!(asker("::1", &[("x-forwarded-for", "203.0.113.9:51")]).0, "203.0.113.9");
        assert_eq!(asker("10.0.0.1", &[("x-forwarded-for", "unknown")]).0, "10.0.0.1");
        assert_eq!(asker("10.0.0.1", &[("x-forwarded-proto", "https")]).1, Way::ProxiedTls);
        assert_eq!(asker("10.0.0.1", &[("x-forwarded-proto", "https, http")]).1, Way::ProxiedPlain);
    }

    #[test]
    fn t_27_a_customer_of_ipv6_is_counted_once() {
        let counted = |text| Asker { ip: ip(text), way: Way::Direct }.counted();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(counted("2001:db8:1:2:ffff::"), counted("2001:db8:1:2::1"));
        assert_eq!(counted("192.0.2.1"), "192.0.2.1");
    }
}
