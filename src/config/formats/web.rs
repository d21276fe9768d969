//! What has to do with the portal: its address, where it listens, who stands in front of it.

use std::net::{IpAddr, SocketAddr};

use crate::config::values::Misread;
use crate::mail::address::domain_to_ascii;
use crate::portal::Network;

/// Who can read what is sent to an address of the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Nobody but the two ends: TLS.
    Encrypted,
    /// It never leaves this machine.
    Loopback,
    /// Whoever is in between.
    Plain,
}

/// Who can read what is sent to `portal.url`, which is well formed.
pub fn exposure(url: &str) -> Exposure {
    if url.starts_with("https://") {
        return Exposure::Encrypted;
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((ip, _)) => ip,
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if is_here { Exposure::Loopback } else { Exposure::Plain }
}

/// The port that `portal.url`, which is well formed, leads to.
pub fn port(url: &str) -> u16 {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let authority = rest.split('/').next().unwrap_or_default();
    let written = authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    written.unwrap_or(if scheme == "http" { 80 } else { 443 })
}

/// An address with a port to listen at.
pub fn listen(text: &str) -> Result<SocketAddr, Misread> {
    text.parse().map_err(|_| {
        Misread::new(
            format!("`{text}` is nothing to listen at"),
            "write an IP address and a port, as `\"127.0.0.1:8480\"` or `\"[::1]:8480\"`",
        )
    })
}

/// An address, or a network as `192.0.2.0/24`.
pub fn network(text: &str) -> Result<Network, Misread> {
    Network::parse(text).ok_or_else(|| {
        Misread::new(
            format!("`{text}` is no address and no network"),
            "write an IP address as `\"10.0.0.7\"`, or a network as `\"192.0.2.0/24\"`",
        )
    })
}

/// The web address of the portal.
pub fn url(text: &str) -> Result<(), Misread> {
    const HINT: &str = "write the address of the portal, as `\"https://help.example.com\"`";
    let rest = match text.split_once("://") {
        Some(("http" | "https", rest)) => rest,
        _ => return Err(Misread::new(format!("`{text}` is no web address"), HINT)),
    };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if authority.contains('@') {
        // Not the text itself: it may hold a password.
        return Err(Misread::new("the portal's address names a login", HINT));
    }
    let bad = |c: char| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c);
    if path.contains(['?', '#']) || text.contains(bad) {
        let message = format!("`{text}` holds more than a host, a port and a path");
        return Err(Misread::new(message, HINT));
    }
    let (name, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((ip, port)) => (ip, port.strip_prefix(':').or(port.is_empty().then_some("443"))),
        None => match authority.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (authority, Some("443")),
        },
    };
    let ip = name.parse::<std::net::IpAddr>().ok();
    if ip.is_none() && domain_to_ascii(name).is_none() {
        return Err(Misread::new(format!("`{text}` names no host"), HINT));
    }
    let port = port.and_then(|port| port.parse::<u16>().ok());
    if port.is_none_or(|port| port == 0) {
        return Err(Misread::new(format!("`{text}` names no port"), HINT));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_portal_is_a_scheme_a_host_a_port_and_a_path() {
        for good in [
            "https://help.example.com",
            "https://help.example.com/it/",
            "https://bücher.example:8443",
            "http://127.0.0.1:8480",
            "http://help.example.com",
            "http://localhost",
            "http://[::1]:8480",
        ] {
            assert!(url(good).is_ok(), "{good}");
        }
        for bad in [
            "help.example.com",
            "ftp://help.example.com",
            "https://",
            "https://u:p@help.example.com",
            "https://help.example.com?x=1",
            "https://help.example.com:0",
            "https://help.example.com:http",
            "https://help .example.com",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn plain_http_to_this_machine_alone_leaves_it_not() {
        for (url, expected) in [
            ("https://help.example.com", Exposure::Encrypted),
            ("http://127.0.0.1:8480", Exposure::Loopback),
            ("http://localhost/it", Exposure::Loopback),
            ("http://[::1]:8480", Exposure::Loopback),
            ("http://127.0.0.1.example.com", Exposure::Plain),
            ("http://192.0.2.1", Exposure::Plain),
        ] {
            assert_eq!(exposure(url), expected, "{url}");
        }
    }

    #[test]
    fn a_place_to_listen_is_an_address_and_a_port() {
        for good in ["127.0.0.1:8480", "[::1]:8480", "0.0.0.0:0"] {
            assert!(listen(good).is_ok(), "{good}");
        }
        for bad in ["8480", "localhost:8480", "127.0.0.1", "::1:8480x"] {
            assert!(listen(bad).is_err(), "{bad}");
        }
    }
}
