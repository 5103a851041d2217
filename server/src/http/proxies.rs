//! Trusted reverse proxies, and the client address of a request behind them.

use std::net::IpAddr;

use axum::http::HeaderMap;

/// A network: an address and the length of its prefix in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    fn bits(address: IpAddr) -> (u128, u32) {
        match address.to_canonical() {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        }
    }

    /// Returns whether an address is in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let ((own, width), (other, other_width)) = (Self::bits(self.address), Self::bits(address));
        let differing = (own ^ other).checked_shr(width.saturating_sub(self.prefix)).unwrap_or(0);
        width == other_width && differing == 0
    }
}

impl std::str::FromStr for Network {
    type Err = String;

    /// Parses `10.0.0.5`, `10.0.0.0/8` or `fd00::/8` (RFC 4632, 3.1).
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no address or network; write 10.0.0.5, 10.0.0.0/8 or fd00::/8");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (_, width) = Self::bits(address);
        let prefix = prefix.map_or(Ok(width), str::parse).map_err(|_| wrong())?;
        if prefix > width { Err(wrong()) } else { Ok(Self { address, prefix }) }
    }
}

/// The reverse proxies whose `X-Forwarded-For` header is trusted.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// Trusts the proxies in these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Returns the client's address: the nearest one, from the connection backwards through `X-Forwarded-For`, that is
    /// no trusted proxy. Anybody may have written the entries before it. A header that can't be parsed counts up to the
    /// unreadable entry.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let trusted = |address: IpAddr| self.0.iter().any(|network| network.contains(address));
        let mut client = peer.to_canonical();
        let lines = headers.get_all("x-forwarded-for");
        let said: Vec<&str> = lines.iter().flat_map(|line| line.to_str().unwrap_or("?").split(',')).collect();
        for said in said.into_iter().rev() {
            if !trusted(client) {
                break;
            }
            match address(said.trim()) {
                Some(address) => client = address.to_canonical(),
                None => break,
            }
        }
        client
    }
}

/// Parses an address as proxies write it; some add the port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse().ok();
    let bracketed = || text.strip_prefix('[')?.split_once(']')?.0.parse().ok();
    bare.or_else(bracketed).or_else(|| Some(text.parse::<std::net::SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies = TrustedProxies::new(trusted.iter().map(|network| network.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_stranger_s_word_about_their_address_is_not_believed() {
        assert_eq!(client(&[], "10.0.0.9", &["1.2.3.4"]), "10.0.0.9");
        assert_eq!(client(&["127.0.0.1"], "10.0.0.9", &["1.2.3.4"]), "10.0.0.9");
        // The client wrote the first address itself; the proxy added the second.
        assert_eq!(client(&["127.0.0.1"], "127.0.0.1", &["6.6.6.6, 10.0.0.9"]), "10.0.0.9");
        assert_eq!(client(&["127.0.0.1"], "127.0.0.1", &["6.6.6.6", "10.0.0.9"]), "10.0.0.9");
    }

    #[test]
    fn behind_several_trusted_proxies_the_first_that_is_none_counts() {
        let trusted = ["127.0.0.0/8", "fd00::/8", "172.16.0.0/12"];
        assert_eq!(client(&trusted, "127.0.0.1", &["10.0.0.9, fd00::5, 172.20.1.1"]), "10.0.0.9");
        assert_eq!(client(&trusted, "::ffff:127.0.0.1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(client(&trusted, "127.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(client(&trusted, "127.0.0.1", &["10.0.0.9:4711"]), "10.0.0.9");
        assert_eq!(client(&trusted, "127.0.0.1", &["unknown, 172.20.1.1"]), "172.20.1.1");
        assert_eq!(client(&trusted, "127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(client(&["0.0.0.0/0"], "10.0.0.1", &["10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn a_network_is_read_or_refused_with_what_would_be_right() {
        for good in ["10.0.0.5", "10.0.0.0/8", "fd00::/8", "::1"] {
            assert!(good.parse::<Network>().is_ok(), "{good}");
        }
        for wrong in ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "proxy.local", "10.0.0.0/8/8"] {
            assert!(wrong.parse::<Network>().unwrap_err().contains("write 10.0.0.5"), "{wrong}");
        }
    }
}
