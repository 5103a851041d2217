//! The addresses at which devices on the same network reach this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

/// Name prefixes of virtual network interfaces within the machine; no tablet is on those networks.
const INNER: [&str; 5] = ["docker", "br-", "veth", "virbr", "cni"];

/// The URLs to type into the app for a listen address, the likeliest first; never empty.
pub(super) fn urls(listens: SocketAddr, tls: bool) -> Vec<String> {
    urls_among(listens, tls, own_addresses())
}

/// The addresses at which devices reach a listener: its own, or all of this machine's if it listens on every interface.
pub(super) fn addresses(listens: IpAddr) -> Vec<IpAddr> {
    if listens.is_unspecified() { own_addresses().into_iter().map(IpAddr::from).collect() } else { vec![listens] }
}

fn urls_among(listens: SocketAddr, tls: bool, own: Vec<Ipv4Addr>) -> Vec<String> {
    let scheme = if tls { "https" } else { "http" };
    let url = |ip: IpAddr| format!("{scheme}://{}", SocketAddr::new(ip, listens.port()));
    if !listens.ip().is_unspecified() {
        return vec![url(listens.ip())];
    }
    // Private networks (RFC 1918) first: that is where tablets are.
    let (mut near, far): (Vec<_>, Vec<_>) = own.into_iter().partition(Ipv4Addr::is_private);
    near.extend(far);
    if near.is_empty() {
        near.push(Ipv4Addr::LOCALHOST);
    }
    near.into_iter().map(|ip| url(ip.into())).collect()
}

/// The IPv4 addresses of the network interfaces that are up; empty when the system doesn't list them.
fn own_addresses() -> Vec<Ipv4Addr> {
    let interfaces = getifaddrs().into_iter().flatten();
    let outer = interfaces.filter(|interface| {
        interface.flags.contains(InterfaceFlags::IFF_UP)
            && !interface.flags.contains(InterfaceFlags::IFF_LOOPBACK)
            && !INNER.iter().any(|inner| interface.interface_name.starts_with(inner))
    });
    outer.filter_map(|interface| Some(interface.address?.as_sockaddr_in()?.ip())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(listens: &str, tls: bool, own: &[[u8; 4]]) -> Vec<String> {
        urls_among(listens.parse().unwrap(), tls, own.iter().map(|&octets| octets.into()).collect())
    }

    #[test]
    fn a_server_on_all_addresses_is_found_under_the_machine_s_own_the_private_first() {
        let own = [[203, 0, 113, 9], [192, 168, 7, 5]];
        assert_eq!(at("0.0.0.0:8080", false, &own), ["http://192.168.7.5:8080", "http://203.0.113.9:8080"]);
        assert_eq!(at("[::]:8443", true, &own[1..]), ["https://192.168.7.5:8443"]);
        assert_eq!(at("0.0.0.0:8080", false, &[]), ["http://127.0.0.1:8080"]);
    }

    #[test]
    fn a_server_on_one_address_is_found_there_only() {
        assert_eq!(at("127.0.0.1:8080", false, &[[192, 168, 7, 5]]), ["http://127.0.0.1:8080"]);
        assert_eq!(at("[fd00::5]:80", false, &[]), ["http://[fd00::5]:80"]);
    }
}
