//! Turns text that a person types or scans into candidate server addresses.
//!
//! | input | candidates; the first to answer is used |
//! |---|---|
//! | `https://crew.example`, `http://10.0.0.2:8080` | that URL |
//! | `10.0.0.2:8080`, `crew.local:9000` | `https://`, then `http://`, at that port |
//! | `10.0.0.2`, `crew.example` | `https://` at 8080 (the default port) and 443, then `http://` at 8080 and 80 |
//! | `crewbell://join?server=…&site=…` | the server in the link |
//!
//! All candidates are tried concurrently, so that wrong addresses cost no time; an encrypted address takes precedence
//! over a plain one.

use crewbell_shared::protocol::{BadJoinLink, JoinLink};
use url::{Host, Url};

/// The server's default port.
const DEFAULT_PORT: u16 = 8080;

/// Maximum length of the input; longer text was pasted by mistake.
const LONGEST: usize = 2000;

/// The candidate addresses of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    /// Base URLs without a trailing slash, the preferred one first; never empty.
    pub bases: Vec<String>,
    /// The site named by a join link.
    pub site: Option<String>,
}

/// Parses typed or scanned text.
///
/// # Errors
/// Returns an error if the text is no address; the message is a sentence that says why.
pub fn read(text: &str) -> Result<Candidates, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("nothing was typed".to_owned());
    }
    if text.len() > LONGEST {
        return Err("that is too long for an address".to_owned());
    }
    if text.get(..9).is_some_and(|scheme| scheme.eq_ignore_ascii_case("crewbell:")) {
        return link(text);
    }
    Ok(Candidates { bases: bases(text)?, site: None })
}

/// Builds the join link that connects another device to a server.
///
/// # Errors
/// Returns an error if the address has a path, which a link can't express.
pub fn join_link(server: &str, site: &str) -> Result<String, String> {
    JoinLink::new(server, site).map(|link| link.to_string()).map_err(|error| error.to_string())
}

fn link(text: &str) -> Result<Candidates, String> {
    let link: JoinLink = text.parse().map_err(|error: BadJoinLink| error.to_string())?;
    Ok(Candidates { bases: bases(link.server())?, site: Some(link.site().to_owned()) })
}

fn bases(text: &str) -> Result<Vec<String>, String> {
    if text.contains("://") {
        return base(text).map(|base| vec![base]);
    }
    // An IPv6 address in the usual notation, without brackets.
    let bare = if text.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{text}]") } else { text.to_owned() };
    let has_port = host_part(&bare).rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    let attempts = if has_port {
        vec![format!("https://{bare}"), format!("http://{bare}")]
    } else {
        let (host, path) = bare.split_at(host_part(&bare).len());
        let at = |scheme: &str| format!("{scheme}://{host}:{DEFAULT_PORT}{path}");
        vec![at("https"), format!("https://{bare}"), at("http"), format!("http://{bare}")]
    };
    attempts.iter().map(|attempt| base(attempt)).collect()
}

/// Returns the part before the path.
fn host_part(text: &str) -> &str {
    text.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Normalises a URL to a base: scheme, host, port and an optional path for a reverse proxy.
fn base(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(wrong)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("an address begins with http:// or https://, not with {}://", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address has no name and password in it".to_owned());
    }
    let host = match url.host() {
        Some(Host::Domain("")) => None,
        Some(Host::Ipv4(address)) if address.is_unspecified() => None,
        host => host,
    };
    let host = host.ok_or("the address names no machine")?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{}://{host}{port}{}", url.scheme(), url.path().trim_end_matches('/')))
}

fn wrong(error: url::ParseError) -> String {
    format!("that is no address: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases_of(text: &str) -> Vec<String> {
        read(text).unwrap().bases
    }

    #[test]
    fn what_is_typed_in_full_is_taken_as_it_is() {
        for (typed, base) in [
            ("https://crew.example", "https://crew.example"),
            (" http://10.0.0.2:8080/ ", "http://10.0.0.2:8080"),
            ("HTTP://Crew.Local:80/bell/#top", "http://crew.local/bell"),
            ("http://[fd00::7]:8080", "http://[fd00::7]:8080"),
        ] {
            assert_eq!(bases_of(typed), [base], "{typed}");
        }
    }

    #[test]
    fn a_port_without_a_scheme_is_tried_encrypted_first() {
        assert_eq!(bases_of("10.0.0.2:8080"), ["https://10.0.0.2:8080", "http://10.0.0.2:8080"]);
        assert_eq!(bases_of("crew.local:443"), ["https://crew.local", "http://crew.local:443"]);
        assert_eq!(bases_of("[fd00::7]:9000"), ["https://[fd00::7]:9000", "http://[fd00::7]:9000"]);
    }

    #[test]
    fn a_bare_host_is_looked_for_where_a_crewbell_listens() {
        let expected = ["https://crew.local:8080", "https://crew.local", "http://crew.local:8080", "http://crew.local"];
        assert_eq!(bases_of("crew.local"), expected);
        assert_eq!(bases_of("fd00::7")[0], "https://[fd00::7]:8080");
        assert_eq!(bases_of("crew.local/bell")[2], "http://crew.local:8080/bell");
    }

    #[test]
    fn a_link_names_server_and_site_and_is_read_as_it_was_made() {
        let link = join_link("http://10.0.0.2:8080", "serenity").unwrap();
        let expected = Candidates { bases: vec!["http://10.0.0.2:8080".into()], site: Some("serenity".into()) };
        assert_eq!(read(&link).unwrap(), expected);
        assert!(join_link("http://10.0.0.2:8080/bell", "serenity").is_err());
    }

    #[test]
    fn what_is_no_address_is_told_in_words() {
        for (typed, why) in [
            ("", "nothing was typed"),
            ("ftp://crew.local", "begins with http:// or https://"),
            ("http://sam:4711@crew.local", "no name and password"),
            ("crew local", "no address"),
            ("10.0.0.2:99999", "no address"),
            ("http://0.0.0.0:8080", "names no machine"),
            ("crewbell://join?site=serenity", "names no server"),
            ("crewbell://leave?server=crew.local", "no link to join"),
            (&"x".repeat(2001), "too long"),
        ] {
            let said = read(typed).unwrap_err();
            assert!(said.contains(why), "{typed}: {said}");
        }
    }
}
