//! The own addresses at which the other side may reach us.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

/// Which own addresses a session opens sockets at. Found anew at each ICE restart, since a device changes networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// Those of all interfaces. Loopback only when there is no other, so that two apps on a machine without any network
    /// can still call each other.
    #[default]
    All,
    /// Those of all interfaces, and loopback.
    AllAndLoopback,
    /// Only these.
    Only(Vec<IpAddr>),
}

impl Addresses {
    /// Those that there are now, sorted.
    pub fn now(&self) -> Vec<IpAddr> {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        match self {
            Self::Only(addresses) => addresses.clone(),
            Self::All => {
                let found = usable(&interfaces());
                if found.is_empty() { vec![loopback] } else { found }
            }
            Self::AllAndLoopback => {
                let mut found = usable(&interfaces());
                found.push(loopback);
                found
            }
        }
    }
}

/// With a free port each.
impl ToSocketAddrs for Addresses {
    type Iter = std::vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let free_port = |ip| SocketAddr::new(ip, 0);
        Ok(self.now().into_iter().map(free_port).collect::<Vec<_>>().into_iter())
    }
}

/// The addresses of this machine's interfaces; none when the system doesn't tell.
fn interfaces() -> Vec<IpAddr> {
    let found = rtc::shared::ifaces::ifaces().inspect_err(|error| {
        tracing::warn!(%error, "The system doesn't tell its network addresses.");
    });
    found.unwrap_or_default().iter().filter_map(|interface| Some(interface.addr?.ip())).collect()
}

/// Leaves out what no other device can send to: loopback, and link-local addresses, which mean nothing without the name
/// of the link.
fn usable(all: &[IpAddr]) -> Vec<IpAddr> {
    let is_usable = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_unspecified() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unspecified() || ip.is_unicast_link_local()),
    };
    let mut usable: Vec<IpAddr> = all.iter().copied().filter(is_usable).collect();
    usable.sort_unstable();
    usable.dedup();
    usable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn only_addresses_that_another_device_can_send_to_are_used_each_once() {
        let all =
            ips(&["127.0.0.1", "::1", "192.168.1.7", "fe80::1", "169.254.3.4", "fd00::7", "192.168.1.7", "0.0.0.0"]);
        assert_eq!(usable(&all), ips(&["192.168.1.7", "fd00::7"]));
    }

    #[test]
    fn a_session_always_has_an_address() {
        assert!(!Addresses::All.now().is_empty());
        assert!(Addresses::AllAndLoopback.now().contains(&IpAddr::V4(Ipv4Addr::LOCALHOST)));
    }
}
