//! The address of a client: that of the peer, or what trusted proxies say.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use actix_web::http::header::HeaderMap;
use ipnet::IpNet;

/// The header to which each proxy adds an address at the end.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// Nobody has more proxies in a row.
const HOPS_MAX: usize = 16;

/// Which proxies are trusted to say a client's address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TrustedProxies {
    /// None: the peer's address is the client's.
    #[default]
    Nobody,
    /// This many proxies are in front of the hub.
    Hops(usize),
    /// Proxies with addresses in these ranges.
    Ranges(Vec<IpNet>),
}

impl FromStr for TrustedProxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(hops) = text.parse::<usize>() {
            return match hops {
                0 => Ok(Self::Nobody),
                1..=HOPS_MAX => Ok(Self::Hops(hops)),
                _ => Err(format!("at most {HOPS_MAX} hops")),
            };
        }
        let range = |part: &str| {
            let part = part.trim();
            part.parse::<IpNet>().or_else(|_no_range| part.parse::<IpAddr>().map(IpNet::from)).map_err(
                |_no_address| {
                    format!(
                        "{part:?} is not an address, not a range like 10.0.0.0/8, and not a number of hops"
                    )
                },
            )
        };
        text.split(',').map(range).collect::<Result<_, _>>().map(Self::Ranges)
    }
}

impl TrustedProxies {
    /// True for a proxy that is trusted, and so stands for many clients.
    pub fn is_trusted(&self, peer: IpAddr) -> bool {
        match self {
            Self::Nobody => false,
            Self::Hops(_) => true,
            Self::Ranges(ranges) => ranges.iter().any(|range| range.contains(&peer.to_canonical())),
        }
    }

    /// The client's address. What a sender that is not trusted claims is ignored.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        match self {
            Self::Nobody => peer,
            Self::Hops(hops) => nth_from_the_right(*hops, peer, headers),
            Self::Ranges(ranges) => first_outside(ranges, peer, headers),
        }
    }
}

/// The addresses that proxies added, the nearest first. The first entry that is not an address ends the list.
fn chain(headers: &HeaderMap) -> impl Iterator<Item = IpAddr> {
    let values: Vec<&str> = headers.get_all(FORWARDED_FOR).filter_map(|value| value.to_str().ok()).collect();
    let nearest_first: Vec<&str> = values.iter().rev().flat_map(|value| value.rsplit(',')).collect();
    nearest_first.into_iter().map_while(|text| address(text.trim()))
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse()
        .ok()
        .or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip()))
        .map(|ip: IpAddr| ip.to_canonical())
}

fn nth_from_the_right(hops: usize, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    chain(headers).take(hops).last().unwrap_or(peer)
}

fn first_outside(ranges: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let trusted = |address: &IpAddr| ranges.iter().any(|range| range.contains(address));
    let mut client = peer;
    for next in chain(headers) {
        if !trusted(&client) {
            break;
        }
        client = next;
    }
    client
}

/// The key by which requests are limited: the address, or for IPv6 its /64, which one customer has.
pub fn limit_key(address: IpAddr) -> IpAddr {
    const NETWORK_BITS: u128 = !0 << 64;
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(long) => Ipv6Addr::from_bits(long.to_bits() & NETWORK_BITS).into(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(HeaderName::from_static(FORWARDED_FOR), HeaderValue::from_static(value));
        }
        let trusted = if trusted.is_empty() { TrustedProxies::Nobody } else { trusted.parse().unwrap() };
        trusted.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        for (trusted, peer, forwarded, expected) in [
            ("", "10.0.0.1", &["6.6.6.6"][..], "10.0.0.1"),
            ("1", "10.0.0.1", &["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            ("2", "10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.2"], "1.2.3.4"),
            ("2", "10.0.0.1", &["6.6.6.6, 1.2.3.4", "10.0.0.2"], "1.2.3.4"),
            ("3", "10.0.0.1", &["1.2.3.4"], "1.2.3.4"),
            ("1", "10.0.0.1", &[], "10.0.0.1"),
            ("1", "10.0.0.1", &["nonsense"], "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.2"], "1.2.3.4"),
            ("10.0.0.0/8", "9.9.9.9", &["1.2.3.4"], "9.9.9.9"),
            ("10.0.0.1", "10.0.0.1", &["1.2.3.4:5678"], "1.2.3.4"),
            ("::1/128", "::1", &["[2001:db8::1]:443"], "2001:db8::1"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", &["1.2.3.4"], "1.2.3.4"),
        ] {
            assert_eq!(client(trusted, peer, forwarded), expected, "{trusted:?} {peer} {forwarded:?}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_named() {
        assert!("10.0.0.0/8, here".parse::<TrustedProxies>().unwrap_err().contains("here"));
        assert!("17".parse::<TrustedProxies>().is_err());
        assert_eq!("0".parse(), Ok(TrustedProxies::Nobody));
    }

    #[test]
    fn a_customer_with_a_whole_network_has_one_limit() {
        let key = |text: &str| limit_key(text.parse().unwrap());
        assert_eq!(key("2001:db8:1:2:3::4"), key("2001:db8:1:2:ffff::"));
        assert_ne!(key("2001:db8:1:2::"), key("2001:db8:1:3::"));
    }
}
