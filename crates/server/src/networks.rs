//! Whether two requests come from the same network, without keeping an address.
//!
//! What is kept of an address is a keyed hash: IPv4 has so few addresses that a plain one would give
//! them all up.

use std::net::IpAddr;

use aws_lc_rs::hmac;
use luminous_store::{Network, SecretHash};

use crate::AppState;
use crate::visit;

/// Keyed hash of the network that `address` is in. This machine and all private networks are one: a
/// server that sees private addresses is at home with its displays. A public IPv4 address is a
/// network of its own (a household behind one router), and so is a /64 of IPv6 (RFC 6177).
#[must_use]
pub fn hash(state: &AppState, address: IpAddr) -> SecretHash {
    let network = match visit::network(address) {
        Network::Loopback | Network::Private => "local".to_owned(),
        Network::Public => subscriber(address).to_string(),
    };
    keyed(state, "network", &network)
}

/// The name of what `address` tried, for a counter: each address has its own, private ones too.
#[must_use]
pub fn bucket(state: &AppState, address: IpAddr) -> String {
    let hash = keyed(state, "address", &subscriber(address).to_string());
    hash[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same for the whole /48 that a site has (RFC 6177): whoever has one has 65536 /64s. `None` for
/// IPv4, where an address is all there is.
#[must_use]
pub fn site_bucket(state: &AppState, address: IpAddr) -> Option<String> {
    let site = site(address)?;
    let hash = keyed(state, "site", &site.to_string());
    Some(hash[..16].iter().map(|byte| format!("{byte:02x}")).collect())
}

fn site(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => Some(IpAddr::V6((v6.to_bits() >> 80 << 80).into())),
    }
}

/// Who counts as one: an IPv4 address, or the /64 that one IPv6 subscriber has.
#[must_use]
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

fn keyed(state: &AppState, what: &str, text: &str) -> SecretHash {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &state.secrets().key("networks"));
    let mut context = hmac::Context::with_key(&key);
    context.update(what.as_bytes());
    context.update(&[0]);
    context.update(text.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(context.sign().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_48_of_ipv6() {
        for (address, expected) in [
            ("192.0.2.7", None),
            ("::ffff:192.0.2.7", None),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1::")),
            ("2001:db8:1:ffff::1", Some("2001:db8:1::")),
            ("2001:db8:2:ffff::1", Some("2001:db8:2::")),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(site(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn a_subscriber_is_an_ipv4_address_or_a_64_of_ipv6() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ] {
            let expected: IpAddr = expected.parse().unwrap();
            assert_eq!(subscriber(address.parse().unwrap()), expected, "{address}");
        }
    }
}
