//! Broker settings: address, credentials, TLS.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rumqttc::{AckMode, Broker, MqttOptions};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio_rustls::TlsConnector;

use super::connection::{RECEIVE_MAXIMUM, ROOM};
use super::session::NothingInFlight;
use crate::devices::dialects::VOICE_MAX;

/// Session Expiry Interval, in seconds: the broker keeps messages for a week while the server is away.
pub(super) const SESSION_EXPIRY: u32 = 7 * 24 * 60 * 60;
/// Keep Alive interval, in seconds; a lost broker is noticed after two.
const KEEP_ALIVE: u16 = 15;
/// Size allowed for topic and properties beside the payload, in bytes. The broker drops larger packets.
const PACKET_HEAD: usize = 16 * 1024;

/// The settings of an external broker.
#[derive(Clone)]
pub struct BrokerConfig {
    /// Address: `mqtt://host:port`, or `mqtts://host:port` for TLS; the port is optional (1883, 8883).
    pub url: String,
    /// User name at the broker.
    pub username: Option<String>,
    /// Password at the broker.
    pub password: Option<String>,
    /// The fixed client id; `crewbell-` and the site's slug if none. The broker keeps the session under this id.
    pub client_id: Option<String>,
    /// The slug of the site that the broker's buttons belong to.
    pub site: String,
    /// Path of the trusted certificates (PEM) for a broker with TLS.
    pub ca_file: Option<PathBuf>,
}

impl fmt::Debug for BrokerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokerSettings")
            .field("url", &self.url)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("client_id", &self.client_id)
            .field("site", &self.site)
            .field("ca_file", &self.ca_file)
            .finish()
    }
}

/// An error in the settings.
#[derive(Debug, thiserror::Error)]
pub enum BadBroker {
    /// The address isn't of the form `mqtt://host:port` or `mqtts://host:port`. It isn't repeated, because it may
    /// contain a password.
    #[error("the broker's address must be mqtt://host:port or mqtts://host:port, without user and path")]
    Url,
    /// TLS is configured without a file of trusted certificates.
    #[error("mqtts:// needs the file with the certificate that the broker is trusted by")]
    NoCaFile,
    /// The file can't be read, isn't PEM, or contains no certificate.
    #[error("{path}: {source}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: pem::Error,
    },
    /// The host isn't a valid name for a certificate.
    #[error("the broker's host is no host name: {0}")]
    Host(#[from] InvalidDnsNameError),
    /// A certificate can't be used.
    #[error("the broker's certificates can't be used: {0}")]
    Tls(#[from] rustls::Error),
}

impl BrokerConfig {
    /// Checks the settings, including the certificate file.
    ///
    /// # Errors
    /// Returns the first error found.
    pub fn check(&self) -> Result<(), BadBroker> {
        self.options().map(|_| ())
    }

    /// The client id under which the broker keeps the session.
    pub fn client_id(&self) -> String {
        self.client_id.clone().unwrap_or_else(|| format!("crewbell-{}", self.site))
    }

    /// Builds the connection options, afresh for each connection: a certificate may have been renewed.
    pub(super) fn options(&self) -> Result<MqttOptions, BadBroker> {
        let Address { host, port, tls } = Address::parse(&self.url).ok_or(BadBroker::Url)?;
        let mut options = MqttOptions::new(self.client_id(), Broker::tcp(host, port));
        let mut network = options.network_options();
        network.set_tcp_nodelay(true);
        let packet_size = u32::try_from(VOICE_MAX + PACKET_HEAD).ok();
        options
            .set_clean_start(false)
            .set_session_expiry_interval(Some(SESSION_EXPIRY))
            .set_session_store(NothingInFlight)
            .set_receive_maximum(Some(RECEIVE_MAXIMUM))
            .set_max_packet_size(packet_size)
            .set_ack_mode(AckMode::Manual)
            .set_keep_alive(KEEP_ALIVE)
            .set_max_request_batch(ROOM)
            .set_network_options(network);
        match (&self.username, &self.password) {
            (Some(username), Some(password)) => options.set_credentials(username.clone(), password.clone()),
            (Some(username), None) => options.set_username(username.clone()),
            (None, Some(password)) => options.set_password(password.clone()),
            (None, None) => &mut options,
        };
        if tls {
            self.secure(&mut options, host)?;
        }
        Ok(options)
    }

    fn secure(&self, options: &mut MqttOptions, host: &str) -> Result<(), BadBroker> {
        let path = self.ca_file.as_ref().ok_or(BadBroker::NoCaFile)?;
        let bad = |source| BadBroker::CaFile { path: path.clone(), source };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(bad)? {
            roots.add(certificate.map_err(bad)?)?;
        }
        if roots.is_empty() {
            return Err(bad(pem::Error::NoItemsFound));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from(host.trim_matches(['[', ']']))?.to_owned();
        options.set_socket_connector(move |address, network| {
            let (connector, name) = (connector.clone(), name.clone());
            async move {
                let socket = rumqttc::default_socket_connect(address, network).await?;
                connector.connect(name, socket).await
            }
        });
        Ok(())
    }
}

/// A parsed broker address.
#[derive(Debug, PartialEq, Eq)]
struct Address<'u> {
    /// The host; an IPv6 address with its brackets.
    host: &'u str,
    port: u16,
    tls: bool,
}

impl<'u> Address<'u> {
    fn parse(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (tls, usual) = match scheme {
            "mqtt" => (false, 1883),
            "mqtts" => (true, 8883),
            _ => return None,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let port_at = rest.rfind(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match rest.get(port_at..)?.rfind(':') {
            Some(colon) => (rest.get(..port_at + colon)?, rest.get(port_at + colon + 1..)?.parse().ok()?),
            None => (rest, usual),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let valid = match bare {
            Some(bare) => bare.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.contains(['/', '@', ':', '[', ']', '?', '#', ' ']),
        };
        (valid && port != 0).then_some(Self { host, port, tls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_host_port_and_tls() {
        let of = |url| Address::parse(url).map(|Address { host, port, tls }| (host, port, tls));
        assert_eq!(of("mqtt://broker.lan:1884"), Some(("broker.lan", 1884, false)));
        assert_eq!(of("mqtt://10.0.0.2"), Some(("10.0.0.2", 1883, false)));
        assert_eq!(of("mqtts://broker/"), Some(("broker", 8883, true)));
        assert_eq!(of("mqtts://[fd00::1]:8884"), Some(("[fd00::1]", 8884, true)));
        for wrong in ["broker:1883", "http://broker", "mqtt://", "mqtt://b:0", "mqtt://b:x", "mqtt://b/x", "mqtt://[b]"]
        {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn neither_debug_nor_an_error_shows_a_password() {
        let settings = BrokerConfig {
            url: "mqtt://gus:s3cret@broker".into(),
            username: None,
            password: Some("s3cret".into()),
            client_id: None,
            site: "serenity".into(),
            ca_file: None,
        };
        let error = settings.check().expect_err("credentials in the address");
        assert!(!error.to_string().contains("s3cret"));
        let password = BrokerConfig { url: "mqtt://broker".into(), ..settings };
        assert!(!format!("{password:?}").contains("s3cret"));
        assert_eq!(password.client_id(), "crewbell-serenity");
    }
}
