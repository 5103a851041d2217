//! The device's own network addresses, for ICE host candidates.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

/// The poll interval: a change of network is noticed within half a second.
const LOOK: Duration = Duration::from_millis(500);

/// The own addresses at which a session opens sockets. Evaluated at each ICE restart, since a device changes networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// The addresses of all interfaces. Loopback is used only if there is no other, so that two apps on a machine
    /// without a network can call each other.
    #[default]
    All,
    /// The addresses of all interfaces, and loopback.
    AllAndLoopback,
    /// Only these addresses.
    Only(Vec<IpAddr>),
}

impl Addresses {
    /// The present addresses, sorted.
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

/// Each address with a free port.
impl ToSocketAddrs for Addresses {
    type Iter = std::vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let free_port = |ip| SocketAddr::new(ip, 0);
        Ok(self.now().into_iter().map(free_port).collect::<Vec<_>>().into_iter())
    }
}

/// A change between two polls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Addresses that are gone; sockets bound to them are dead.
    pub lost: Vec<IpAddr>,
    /// Addresses that are new.
    pub gained: Vec<IpAddr>,
}

impl Change {
    /// The change between two lists; none if they are equal.
    fn between(before: &[IpAddr], now: &[IpAddr]) -> Option<Self> {
        let missing_in = |there: &[IpAddr], from: &[IpAddr]| -> Vec<IpAddr> {
            from.iter().filter(|address| !there.contains(address)).copied().collect()
        };
        let change = Self { lost: missing_in(now, before), gained: missing_in(before, now) };
        (!change.lost.is_empty() || !change.gained.is_empty()).then_some(change)
    }
}

/// Watches the own addresses by polling every half second, which needs no support by the operating system.
#[derive(Debug)]
pub struct Watch {
    addresses: Addresses,
    known: Vec<IpAddr>,
    look: Interval,
}

impl Watch {
    /// Starts from the present addresses. Needs a Tokio runtime.
    pub fn new(addresses: Addresses) -> Self {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { known: addresses.now(), addresses, look }
    }

    /// Waits until the addresses change. Cancel-safe: no change is missed between calls.
    pub async fn changed(&mut self) -> Change {
        loop {
            self.look.tick().await;
            let now = self.addresses.now();
            let change = Change::between(&self.known, &now);
            self.known = now;
            if let Some(change) = change {
                return change;
            }
        }
    }
}

/// The addresses of this machine's interfaces; none if the system doesn't report them.
fn interfaces() -> Vec<IpAddr> {
    let found = rtc::shared::ifaces::ifaces().inspect_err(|error| {
        tracing::warn!(%error, "The system doesn't tell its network addresses.");
    });
    found.unwrap_or_default().iter().filter_map(|interface| Some(interface.addr?.ip())).collect()
}

/// Filters out addresses that other devices can't send to: loopback, and link-local ones, which are meaningless without
/// their link's name.
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
    fn a_change_names_what_is_gone_and_what_is_new() {
        let (one, two) = (ips(&["192.168.1.7", "fd00::7"]), ips(&["10.9.8.7", "fd00::7"]));
        assert_eq!(Change::between(&one, &one), None);
        let change = Change { lost: ips(&["192.168.1.7"]), gained: ips(&["10.9.8.7"]) };
        assert_eq!(Change::between(&one, &two), Some(change));
    }

    #[test]
    fn a_session_always_has_an_address() {
        assert!(!Addresses::All.now().is_empty());
        assert!(Addresses::AllAndLoopback.now().contains(&IpAddr::V4(Ipv4Addr::LOCALHOST)));
    }
}
