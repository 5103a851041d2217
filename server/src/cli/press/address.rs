//! The address of an MQTT server: `host`, `host:port` or `[::1]:port`, with or without `mqtt://`.

use std::fmt;
use std::str::FromStr;

/// MQTT's port without TLS (IANA).
const PORT: u16 = 1883;

/// The address of an MQTT server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Host name or IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A text that is not an address; the message says why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoAddress(&'static str);

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if text.starts_with("mqtts://") || text.starts_with("ssl://") {
            return Err(NoAddress("this client speaks MQTT without TLS; name a port without it"));
        }
        let text = text.strip_prefix("mqtt://").unwrap_or(text).trim_end_matches('/');
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':').or_else(|| rest.is_empty().then_some(""))),
            // More than one colon and no brackets: an IPv6 address alone.
            None if text.matches(':').count() > 1 => (text, Some("")),
            None => text.split_once(':').map_or((text, Some("")), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            Some("") => PORT,
            Some(port) => port.parse().map_err(|_| NoAddress("the port is a number from 1 to 65535"))?,
            None => return Err(NoAddress("host:port, such as 127.0.0.1:1883")),
        };
        if host.is_empty() || port == 0 || host.contains(['/', ' ']) {
            return Err(NoAddress("host:port, such as 127.0.0.1:1883"));
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("127.0.0.1:1884", "127.0.0.1:1884")]
    #[case("ship.local", "ship.local:1883")]
    #[case("mqtt://ship.local:2000/", "ship.local:2000")]
    #[case("[::1]:1884", "[::1]:1884")]
    #[case("[::1]", "[::1]:1883")]
    #[case("fe80::1", "[fe80::1]:1883")]
    fn addresses_are_read_as_people_write_them(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(text.parse::<Address>().unwrap().to_string(), expected);
    }

    #[rstest]
    fn what_is_no_address_is_refused(
        #[values("", ":1883", "ship:0", "ship:70000", "ship:x", "[::1]x", "mqtts://ship", "a b:1")] text: &str,
    ) {
        assert!(text.parse::<Address>().is_err(), "{text}");
    }
}
