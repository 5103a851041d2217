//! The parsers of the settings' values, each with an error that says what would be right.

use serde::de::{Deserialize, Deserializer, Error as _};
use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use crate::http::Network;

/// A secret text, which neither `Debug` nor an error shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Serde's own error would quote the value.
        if let toml::Value::String(text) = toml::Value::deserialize(from)? {
            return Ok(Self(text));
        }
        Err(D::Error::custom("this must be a text in quotes"))
    }
}

/// Parses `IP:PORT`.
pub(super) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is no address to listen on; write IP:PORT, such as 0.0.0.0:8080 or [::]:8080 (port 0: any free one)")
    })
}

/// Parses `20s`, `1m 30s` or `2h`; not negative.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    jiff::SignedDuration::from_str(text).ok().and_then(|duration| Duration::try_from(duration).ok()).ok_or_else(|| {
        format!("`{text}` is no duration; write a number with its unit, such as 500ms, 20s, 5m or 1m 30s")
    })
}

/// Parses the first levels of the buttons' topics, such as `obedio` or `ship/bells`.
pub(super) fn parse_topic_prefix(text: &str) -> Result<String, String> {
    let levels_are_good = text.split('/').all(|level| !level.is_empty() && !level.contains(['+', '#', '\0']));
    if levels_are_good && !text.starts_with('$') {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` can't start a topic; write levels with / between them, without + and #, such as obedio"))
}

/// Parses `info`, or directives such as `info,crewbell_server::live=debug`.
pub(super) fn parse_level(text: &str) -> Result<String, String> {
    let is_level = |text: &str| tracing_subscriber::filter::LevelFilter::from_str(text.trim()).is_ok();
    let good = text.split(',').all(|directive| match directive.rsplit_once('=') {
        Some((target, level)) => !target.trim().is_empty() && is_level(level),
        None => is_level(directive),
    });
    if good && !text.trim().is_empty() {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is no log level; write off, error, warn, info, debug or trace, or info,crewbell_server=debug"
    ))
}

/// Parses an external broker's URL, which must not hold a login.
pub(super) fn parse_broker(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("mqtt://").or_else(|| text.strip_prefix("mqtts://"));
    match host {
        Some(host) if host.contains('@') => {
            Err("the broker's URL must not hold a login; use `username` and `password`".to_owned())
        }
        Some(host) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("`{text}` is no broker; write mqtt://HOST:1883, or mqtts://HOST:8883 for TLS")),
    }
}

/// Parses comma-separated addresses, each with one of `schemes`.
fn parse_servers(text: &str, schemes: &[&str]) -> Result<Vec<String>, String> {
    let servers = text.split(',').map(str::trim).filter(|server| !server.is_empty());
    let checked = servers.map(|server| {
        let host = schemes.iter().find_map(|scheme| server.strip_prefix(scheme));
        if host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !host.contains(char::is_whitespace)) {
            Ok(server.to_owned())
        } else {
            Err(format!("`{server}` is no server; write {}HOST:3478", schemes.join("HOST:3478 or ")))
        }
    });
    checked.collect()
}

/// Parses comma-separated addresses and networks.
pub(super) fn parse_networks(text: &str) -> Result<Vec<Network>, String> {
    text.split(',').map(str::trim).filter(|network| !network.is_empty()).map(str::parse).collect()
}

/// Parses STUN servers (RFC 7064).
pub(super) fn parse_stun(text: &str) -> Result<Vec<String>, String> {
    parse_servers(text, &["stun:", "stuns:"])
}

/// Parses TURN servers (RFC 7065).
pub(super) fn parse_turn(text: &str) -> Result<Vec<String>, String> {
    parse_servers(text, &["turn:", "turns:"])
}

pub(super) fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Network>, D::Error> {
    parsed(from, parse_networks)
}

pub(super) fn stun<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    parsed(from, parse_stun)
}

pub(super) fn turn<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    parsed(from, parse_turn)
}

pub(super) fn address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    parsed(from, parse_address)
}

pub(super) fn some_address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    parsed(from, parse_address).map(Some)
}

pub(super) fn days<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let days = i64::deserialize(from)?;
    u32::try_from(days).ok().filter(|days| *days <= 3650).ok_or_else(|| {
        D::Error::custom(format!("`{days}` is no number of days; write 0, which keeps for ever, to 3650"))
    })
}

pub(super) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    parsed(from, parse_duration)
}

pub(super) fn topic_prefix<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    parsed(from, parse_topic_prefix)
}

pub(super) fn level<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    parsed(from, parse_level)
}

pub(super) fn some_broker<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    parsed(from, parse_broker).map(Some)
}

fn parsed<'de, D: Deserializer<'de>, T>(from: D, parse: fn(&str) -> Result<T, String>) -> Result<T, D::Error> {
    parse(&String::deserialize(from)?).map_err(D::Error::custom)
}
