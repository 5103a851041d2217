//! The server's settings, from flags, environment, file and defaults in this order of precedence.
//!
//! Settings of a site, such as its time zone or its retention, are in the database. A new setting needs a field and its
//! default below, a line in `keys.rs` (a test fails without it), and a flag in `args.rs` if it is often used; the
//! environment variable is derived.

mod args;
mod check;
mod error;
mod keys;
mod resolve;
mod values;

#[cfg(test)]
mod tests;

pub use args::ServeArgs;
pub use error::ConfigError;
pub use keys::commented_defaults;
pub use resolve::{Resolved, Surroundings, resolve};
pub use values::Secret;

use crate::http::Network;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// All settings, checked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder for the server's own data.
    pub data_dir: PathBuf,
    /// The HTTP listener for apps and browsers.
    pub http: Http,
    /// The MQTT listener for buttons.
    pub mqtt: Mqtt,
    /// The certificate of both listeners.
    pub tls: Tls,
    /// Voice calls beyond one network.
    pub calls: Calls,
    /// The database, if it isn't the private one.
    pub database: Database,
    /// Logging.
    pub log: Log,
    /// The automatic backup.
    pub backup: Backup,
    /// The retention periods.
    pub retention: Retention,
}

/// Settings of the HTTP listener for apps and browsers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The listen address; port 0 takes any free one.
    #[serde(deserialize_with = "values::address")]
    pub listen: SocketAddr,
    /// Whether it uses HTTPS.
    pub tls: bool,
    /// Timeout for open requests when the server stops.
    #[serde(deserialize_with = "values::duration")]
    pub drain: Duration,
    /// The reverse proxies whose `X-Forwarded-For` is trusted.
    #[serde(deserialize_with = "values::networks")]
    pub trusted_proxies: Vec<Network>,
    /// The bearer token with which a collector reads the metrics.
    pub metrics_token: Option<Secret>,
}

/// The endpoint of the buttons' MQTT connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum MqttMode {
    /// The server itself.
    Embedded,
    /// A broker, of which the server is a client.
    External,
}

/// Settings of the MQTT listener for buttons.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mqtt {
    /// The endpoint of the buttons' connections.
    pub mode: MqttMode,
    /// The embedded listener's address; port 0 takes any free one.
    #[serde(deserialize_with = "values::address")]
    pub listen: SocketAddr,
    /// The listen address for TLS, if any.
    #[serde(deserialize_with = "values::some_address")]
    pub tls_listen: Option<SocketAddr>,
    /// The first levels of the topics.
    #[serde(deserialize_with = "values::topic_prefix")]
    pub topic_prefix: String,
    /// The file with the table of other makers' radio buttons.
    pub radio_table: Option<PathBuf>,
    /// Whether buttons may connect without credentials.
    pub anonymous: bool,
    /// Settings of the broker in external mode.
    pub external: ExternalBroker,
}

/// The broker of external mode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalBroker {
    /// The broker's URL: `mqtt://` or `mqtts://`, host and port.
    #[serde(deserialize_with = "values::some_broker")]
    pub url: Option<String>,
    /// The server's user name there.
    pub username: Option<String>,
    /// The server's password there.
    pub password: Option<Secret>,
    /// The certificate authority of the broker's certificate, PEM; for `mqtts://`.
    pub ca_file: Option<PathBuf>,
    /// The fixed client id of the persistent session, in which the broker queues messages while the server is away;
    /// `crewbell-<site>` by default.
    pub client_id: Option<String>,
    /// The site whose buttons use this broker.
    pub site: Option<String>,
}

/// The certificate for HTTPS and MQTT over TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain, PEM.
    pub cert: Option<PathBuf>,
    /// The certificate's private key, PEM.
    pub key: Option<PathBuf>,
}

/// The source of the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// Generated at the first start by the server's own certificate authority.
    SelfMade,
    /// Read from files.
    Files {
        /// The certificate chain.
        cert: PathBuf,
        /// The private key.
        key: PathBuf,
    },
}

impl Tls {
    /// Returns the source of the certificate.
    pub fn certificate(&self) -> Certificate {
        match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Certificate::Files { cert: cert.clone(), key: key.clone() },
            _ => Certificate::SelfMade,
        }
    }
}

/// Settings of voice calls beyond one network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calls {
    /// The STUN servers, from which a device learns its public address.
    #[serde(deserialize_with = "values::stun")]
    pub stun: Vec<String>,
    /// The TURN servers, which relay calls when no direct path works.
    #[serde(deserialize_with = "values::turn")]
    pub turn: Vec<String>,
    /// The TURN servers' shared secret.
    pub turn_secret: Option<Secret>,
    /// The address at which devices reach the server's own TURN server, if it has one.
    #[serde(deserialize_with = "values::some_address")]
    pub own_turn: Option<SocketAddr>,
    /// The lifetime of a device's TURN credentials.
    #[serde(deserialize_with = "values::duration")]
    pub turn_ttl: Duration,
}

/// Settings of the database.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// The URL of an external database, as the server's role; the private cluster is used without it.
    pub url: Option<Secret>,
    /// The URL of the same database, as the role that owns the tables: for migrations, backup and restore.
    pub owner_url: Option<Secret>,
    /// The maximum size of the pool of reading connections. As many more write, but 2 at least and 16 at most.
    pub pool_max: NonZeroU32,
    /// The number of reading connections kept open when idle.
    pub pool_min: u32,
    /// Timeout of waiting for a free connection.
    #[serde(deserialize_with = "values::duration")]
    pub acquire_timeout: Duration,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Human-readable text.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Settings of logging.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// The format of the lines.
    pub format: LogFormat,
    /// A level, or `tracing` directives.
    #[serde(deserialize_with = "values::level")]
    pub level: String,
}

/// Settings of the automatic backup.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backup {
    /// The folder of the daily backups; without it there are none.
    pub daily: Option<PathBuf>,
    /// The number of backups kept.
    pub keep: NonZeroU32,
}

/// Retention periods in days; 0 keeps for ever. The log's retention is a setting of each site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// The recordings of guests who held a button.
    #[serde(deserialize_with = "values::days")]
    pub recordings: u32,
    /// The single presses; their requests are kept.
    #[serde(deserialize_with = "values::days")]
    pub presses: u32,
    /// The command records, by which repeated commands are recognised.
    #[serde(deserialize_with = "values::days")]
    pub commands: u32,
    /// The ended sessions.
    #[serde(deserialize_with = "values::days")]
    pub sessions: u32,
    /// The unrecognised messages of devices.
    #[serde(deserialize_with = "values::days")]
    pub unrecognised: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("/var/lib/crewbell"),
            http: Http::default(),
            mqtt: Mqtt::default(),
            tls: Tls::default(),
            calls: Calls::default(),
            database: Database::default(),
            log: Log::default(),
            backup: Backup::default(),
            retention: Retention::default(),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        let (listen, drain) = (everywhere(8080), Duration::from_secs(10));
        Self { listen, tls: false, drain, trusted_proxies: Vec::new(), metrics_token: None }
    }
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            mode: MqttMode::Embedded,
            listen: everywhere(1883),
            tls_listen: None,
            topic_prefix: "obedio".to_owned(),
            radio_table: None,
            anonymous: false,
            external: ExternalBroker::default(),
        }
    }
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            stun: Vec::new(),
            turn: Vec::new(),
            turn_secret: None,
            own_turn: None,
            turn_ttl: Duration::from_hours(12),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            owner_url: None,
            pool_max: const { NonZeroU32::new(16).unwrap() },
            pool_min: 2,
            acquire_timeout: Duration::from_secs(5),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

impl Default for Backup {
    fn default() -> Self {
        Self { daily: None, keep: const { NonZeroU32::new(14).unwrap() } }
    }
}

impl Default for Retention {
    /// Returns the defaults: recordings are kept for a month, and what explains a season for a little more than a year.
    fn default() -> Self {
        Self { recordings: 30, presses: 400, commands: 90, sessions: 90, unrecognised: 30 }
    }
}

/// Returns a listen address on every interface: tablets, phones and buttons are other machines on the ship's network.
fn everywhere(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)
}
