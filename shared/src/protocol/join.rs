//! The join link: the server's address and site, as encoded in the QR code on the pantry's wall.

use std::fmt;
use std::str::FromStr;

/// A join link: `crewbell://join?server=<http url>&site=<slug>`.
///
/// The link comes from a camera, so it is parsed strictly: this scheme and these two parameters, each exactly once. It
/// has one canonical text, in which everything but letters, digits and `-._~` is percent-encoded (RFC 3986, 2.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JoinLink {
    server: String,
    site: String,
}

/// The reason why a text is no valid join link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadJoinLink {
    /// The text has another prefix, or is longer than any valid link.
    #[error("it is no link to join a Crewbell by")]
    Foreign,
    /// A parameter is missing, repeated or unknown.
    #[error("the link names no server and site, or more than these")]
    Parameters,
    /// A percent sign is followed by invalid digits, or the bytes aren't valid UTF-8.
    #[error("the link is garbled")]
    Garbled,
    /// The server isn't `http://host` or `https://host`, with a port at most.
    #[error("the server's address must be like http://192.168.1.5:8080")]
    Server,
    /// The site is no slug: lower-case letters, digits and, between them, hyphens; 63 at most.
    #[error("the site's short name is lower-case letters, digits and hyphens")]
    Site,
}

impl JoinLink {
    const BEGINNING: &str = "crewbell://join?";

    /// Maximum length of a link, in bytes: a host name of 253 bytes fits, percent-encoded in full.
    const LONGEST: usize = 1024;

    /// Makes a link from an address and a slug.
    ///
    /// # Errors
    /// Returns [`BadJoinLink::Server`] or [`BadJoinLink::Site`].
    pub fn new(server: &str, site: &str) -> Result<Self, BadJoinLink> {
        let server = server.strip_suffix('/').unwrap_or(server);
        if !is_address(server) {
            return Err(BadJoinLink::Server);
        }
        if !is_slug(site) {
            return Err(BadJoinLink::Site);
        }
        Ok(Self { server: server.to_owned(), site: site.to_owned() })
    }

    /// The server's address, without a path: `http://192.168.1.5:8080`.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The site's slug.
    pub fn site(&self) -> &str {
        &self.site
    }
}

impl fmt::Display for JoinLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}server={}&site={}", Self::BEGINNING, encoded(&self.server), encoded(&self.site))
    }
}

impl FromStr for JoinLink {
    type Err = BadJoinLink;

    fn from_str(text: &str) -> Result<Self, BadJoinLink> {
        let query = text.strip_prefix(Self::BEGINNING).filter(|_| text.len() <= Self::LONGEST);
        let (mut server, mut site) = (None, None);
        for parameter in query.ok_or(BadJoinLink::Foreign)?.split('&') {
            let (name, value) = parameter.split_once('=').ok_or(BadJoinLink::Parameters)?;
            let place = match name {
                "server" => &mut server,
                "site" => &mut site,
                _ => return Err(BadJoinLink::Parameters),
            };
            if place.replace(decoded(value)?).is_some() {
                return Err(BadJoinLink::Parameters);
            }
        }
        let (server, site) = server.zip(site).ok_or(BadJoinLink::Parameters)?;
        Self::new(&server, &site)
    }
}

/// Checks for `http` or `https`, a host and an optional port. User, path, query and fragment are refused, because they
/// can make an address look like another one.
fn is_address(text: &str) -> bool {
    let Some(authority) = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")) else { return false };
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => (None, port),
            _ => return false,
        },
        None => match authority.find(':') {
            Some(colon) => (Some(&authority[..colon]), &authority[colon..]),
            None => (Some(authority), ""),
        },
    };
    let port_holds = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| {
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
    port_holds && host.is_none_or(is_host)
}

/// Checks for labels of letters, digits and hyphens (RFC 1123, 2.1); IPv4 addresses match too.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A last label of digits alone must be part of an IPv4 address (WHATWG URL, 3.5).
    let numeric = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    host.len() <= 253 && host.split('.').all(label) && (!numeric || host.parse::<std::net::Ipv4Addr>().is_ok())
}

fn is_slug(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let framed = text.starts_with('-') || text.ends_with('-');
    (1..=63).contains(&text.len()) && text.bytes().all(allowed) && !framed
}

fn encoded(text: &str) -> String {
    use fmt::Write;
    text.bytes().fold(String::with_capacity(text.len() * 2), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

fn decoded(text: &str) -> Result<String, BadJoinLink> {
    let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
    let (mut bytes, mut decoded) = (text.bytes(), Vec::with_capacity(text.len()));
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let (high, low) = (digit(bytes.next()), digit(bytes.next()));
                let value = high.zip(low).map(|(high, low)| high * 16 + low);
                value.and_then(|value| u8::try_from(value).ok()).ok_or(BadJoinLink::Garbled)?
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).map_err(|_| BadJoinLink::Garbled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://192.168.1.5:8080", "serenity")]
    #[case("https://ship.example", "my-serenity-2")]
    #[case("http://[fd00::5]:8080", "s")]
    #[case("http://localhost", "0")]
    fn a_link_reads_back_as_it_was_made(#[case] server: &str, #[case] site: &str) {
        let link = JoinLink::new(server, site).unwrap();
        let read: JoinLink = link.to_string().parse().unwrap();
        assert_eq!((read.server(), read.site()), (server, site));
        assert_eq!(read, link);
    }

    #[test]
    fn a_link_is_written_percent_encoded_and_read_in_either_order() {
        let link = JoinLink::new("http://10.0.0.1:8080/", "serenity").unwrap();
        assert_eq!(link.to_string(), "crewbell://join?server=http%3A%2F%2F10.0.0.1%3A8080&site=serenity");
        assert_eq!("crewbell://join?site=serenity&server=http://10.0.0.1:8080".parse(), Ok(link));
    }

    #[rstest]
    #[case("", BadJoinLink::Foreign)]
    #[case("crewbell://join", BadJoinLink::Foreign)]
    #[case("CREWBELL://join?server=http://a&site=b", BadJoinLink::Foreign)]
    #[case(" crewbell://join?server=http://a&site=b", BadJoinLink::Foreign)]
    #[case("crewbell://join.evil.example/?server=http://a&site=b", BadJoinLink::Foreign)]
    #[case("https://evil.example/?crewbell://join?server=http://a&site=b", BadJoinLink::Foreign)]
    #[case("crewbell://join?", BadJoinLink::Parameters)]
    #[case("crewbell://join?server=http://a", BadJoinLink::Parameters)]
    #[case("crewbell://join?server=http://a&site=b&", BadJoinLink::Parameters)]
    #[case("crewbell://join?server=http://a&site=b&site=c", BadJoinLink::Parameters)]
    #[case("crewbell://join?server=http://a&server=http://b&site=c", BadJoinLink::Parameters)]
    #[case("crewbell://join?server=http://a&site=b&token=stolen", BadJoinLink::Parameters)]
    #[case("crewbell://join?server=http://a%&site=b", BadJoinLink::Garbled)]
    #[case("crewbell://join?server=http://a%4&site=b", BadJoinLink::Garbled)]
    #[case("crewbell://join?server=http://a%+4&site=b", BadJoinLink::Garbled)]
    #[case("crewbell://join?server=http://%FF&site=b", BadJoinLink::Garbled)]
    #[case("crewbell://join?server=javascript:alert(1)&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=file:///etc/passwd&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://ship@evil.example&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://a/path&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://a%3Fb&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://a%23b&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://a%00&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://a%0D%0AHost:b&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://a:0&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://a:65536&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://a:&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://a:+80&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://999.1.1.1&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://[::1&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://[::1]x&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://bücher.example&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://a..b&site=b", BadJoinLink::Server)]
    #[case("crewbell://join?server=http://a&site=", BadJoinLink::Site)]
    #[case("crewbell://join?server=http://a&site=Serenity", BadJoinLink::Site)]
    #[case("crewbell://join?server=http://a&site=..%2Fadmin", BadJoinLink::Site)]
    #[case("crewbell://join?server=http://a&site=-b", BadJoinLink::Site)]
    fn what_is_hostile_or_garbled_is_refused(#[case] text: &str, #[case] why: BadJoinLink) {
        assert_eq!(text.parse::<JoinLink>(), Err(why), "{text}");
    }

    #[test]
    fn a_link_without_end_is_not_read() {
        let text = format!("crewbell://join?server=http://a&site={}", "b".repeat(JoinLink::LONGEST));
        assert_eq!(text.parse::<JoinLink>(), Err(BadJoinLink::Foreign));
        let longest = format!("https://{}.example:65535", vec!["a".repeat(60); 4].join("."));
        let link = JoinLink::new(&longest, &"s".repeat(63)).unwrap();
        assert_eq!(link.to_string().parse(), Ok(link));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_is_read_is_written_the_same(
            text in prop_oneof![".*", "crewbell://join\\?server=http(s)?(://|%3A%2F%2F)[a-z0-9.:%@/\\[\\]-]{0,30}&site=[a-z0-9%-]{0,20}"]
        ) {
            if let Ok(link) = text.parse::<JoinLink>() {
                prop_assert_eq!(link.to_string().parse::<JoinLink>(), Ok(link));
            }
        }
    }
}
