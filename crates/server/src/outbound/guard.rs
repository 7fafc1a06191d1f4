//! Which addresses posts may go to: public ones, and those that the configuration allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// What may be posted to.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    allow: Vec<IpNet>,
}

/// An address that may not be posted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} may not be posted to: it is not a public address (push.allow in the configuration permits others)")]
pub(crate) struct Refused(IpAddr);

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(first: [u16; 2], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first[0], first[1], 0, 0, 0, 0, 0, 0), prefix)
}

/// IPv4 networks that are not public (IANA's registry of special-purpose addresses), and one public address that
/// serves a cloud's machines their metadata.
const NOT_PUBLIC_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 0, 8),        // this network
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // carriers' own, with a cloud's metadata service in it
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // Azure's metadata service
    v4(169, 254, 0, 0, 16),   // link-local, with most metadata services in it
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // protocol assignments
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 88, 99, 0, 24),   // 6to4 relays
    v4(192, 168, 0, 0, 16),   // private
    v4(198, 18, 0, 0, 15),    // benchmarks
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 4),      // multicast
    v4(240, 0, 0, 0, 4),      // reserved, and broadcast
];

/// All IPv6 addresses that are given out to hosts of the internet lie in here.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0], 3);

/// What in [`GLOBAL_V6`] is not public.
const NOT_PUBLIC_V6: [Ipv6Net; 5] = [
    v6([0x2001, 0], 23),     // protocol assignments: Teredo, benchmarks, ORCHID
    v6([0x2001, 0xdb8], 32), // documentation
    v6([0x2002, 0], 16),     // 6to4: an IPv4 address, of whatever kind, by way of a relay
    v6([0x3ffe, 0], 16),     // given back
    v6([0x3fff, 0], 20),     // documentation
];

/// NAT64: the last 32 bits are an IPv4 address.
const NAT64: Ipv6Net = v6([0x64, 0xff9b], 96);

impl Guard {
    /// Lets public addresses pass, and those in `allow`; a server that listens on a loopback address lets loopback
    /// pass too, since it serves this machine only.
    pub(crate) fn new(mut allow: Vec<IpNet>, listens_on: IpAddr) -> Self {
        if listens_on.is_loopback() {
            allow.push(IpNet::V4(v4(127, 0, 0, 0, 8)));
            allow.push(IpNet::new_assert(Ipv6Addr::LOCALHOST.into(), 128));
        }
        Self { allow }
    }

    /// The URL, if posts may go there as far as it tells by itself: a name in it is looked up later, and what it leads to
    /// checked then. An address that stands in the URL is checked here: no resolver is asked for it.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn checked(&self, url: &str) -> Result<Url, String> {
        let url = Url::parse(url).map_err(|error| format!("`{url}` is no URL: {error}"))?;
        // Of another scheme the host is any text, and an address in it would not be seen as one.
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("`{url}` is neither http:// nor https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address with a user name or a password in it is not posted to".into());
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(_)) => return Ok(url),
            None => return Err(format!("`{url}` names no host")),
        };
        self.check(address).map_err(|refused| refused.to_string())?;
        Ok(url)
    }

    /// Whether posts may go to `address`.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Refused> {
        // ::ffff:a.b.c.d is connected to as a.b.c.d.
        let meant = address.to_canonical();
        let allowed = self.allow.iter().any(|net| net.contains(&meant)) || is_public(meant);
        if allowed { Ok(()) } else { Err(Refused(address)) }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) if NAT64.contains(&address) => {
            let [.., a, b, c, d] = address.octets();
            is_public(IpAddr::from([a, b, c, d]))
        }
        IpAddr::V6(address) => GLOBAL_V6.contains(&address) && !NOT_PUBLIC_V6.iter().any(|net| net.contains(&address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

    fn passes(guard: &Guard, address: &str) -> bool {
        guard.check(address.parse().expect(address)).is_ok()
    }

    #[test]
    fn only_public_addresses_pass() {
        let guard = Guard::new(Vec::new(), ANY);
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "168.63.129.17",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2400:3200::1",
            "2001:200::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ];
        for address in public {
            assert!(passes(&guard, address), "{address} is public");
        }
        let others = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3ffe::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in others {
            assert!(!passes(&guard, address), "{address} is not public");
        }
    }

    #[test]
    fn only_urls_of_http_are_posted_to() {
        let guard = Guard::new(Vec::new(), ANY);
        for url in ["http://example.com/a", "https://1.1.1.1:8443/", "HTTP://example.com"] {
            assert!(guard.checked(url).is_ok(), "{url}");
        }
        // Of the first, nobody would take the host for an address.
        for url in ["attp://127.0.0.1/x", "file:///etc/passwd", "unix:/run/docker.sock", "data:,x"] {
            assert!(guard.checked(url).unwrap_err().contains("neither http:// nor https://"), "{url}");
        }
    }

    #[test]
    fn what_is_allowed_passes() {
        let guard = Guard::new(vec!["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()], ANY);
        for (address, good) in [("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("10.2.0.1", false), ("fd00::1", true)] {
            assert_eq!(passes(&guard, address), good, "{address}");
        }
    }

    #[test]
    fn a_server_on_loopback_allows_loopback() {
        for listens_on in ["127.0.0.1", "::1"] {
            let guard = Guard::new(Vec::new(), listens_on.parse().unwrap());
            assert!(["127.0.0.1", "127.0.0.9", "::1"].iter().all(|address| passes(&guard, address)));
            assert!(!passes(&guard, "10.0.0.1") && !passes(&guard, "169.254.169.254"));
        }
    }
}
