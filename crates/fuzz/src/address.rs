//! Addresses of subscribers: none that may be posted to names a place that is not public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use server::bare::may_post_to;
use url::{Host, Url};

/// The text of a URL.
///
/// # Panics
/// Where a post could go to an address that is not public, or with a user's name in it.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match may_post_to(text) {
        Err(why) => assert!(!why.is_empty()),
        Ok(()) => {
            let url = Url::parse(text).expect("what may be posted to is a URL");
            assert!(url.username().is_empty() && url.password().is_none(), "{text:?}");
            match url.host().expect("what may be posted to names a host") {
                Host::Ipv4(address) => assert!(!is_inner_v4(address), "{text:?} is {address}"),
                Host::Ipv6(address) => assert!(!is_inner_v6(address), "{text:?} is {address}"),
                // What a resolver would take for an address must have been taken for one.
                Host::Domain(name) => assert!(name.parse::<IpAddr>().is_err(), "{text:?} is {name}"),
            }
        }
    }
}

fn is_inner_v4(address: Ipv4Addr) -> bool {
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
}

fn is_inner_v6(address: Ipv6Addr) -> bool {
    let inner = address.to_ipv4().is_some_and(is_inner_v4);
    inner
        || address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
}
