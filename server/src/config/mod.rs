//! The server's settings: flags over environment over a file over defaults.
//!
//! What belongs to a site, such as its time zone or how long it keeps things, is in the database and not here. To add
//! a setting: a field and its default below, a line in `keys.rs` (a test fails until it is there), and a flag in
//! `args.rs` if people will want to say it often; the environment variable comes by itself.

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
    /// Where the server keeps all that is its own.
    pub data_dir: PathBuf,
    /// The door for apps and browsers.
    pub http: Http,
    /// The door for buttons.
    pub mqtt: Mqtt,
    /// The certificate of both.
    pub tls: Tls,
    /// Voice calls beyond one network.
    pub calls: Calls,
    /// The database, if not the private one.
    pub database: Database,
    /// What the server writes down about itself.
    pub log: Log,
    /// The automatic backup.
    pub backup: Backup,
    /// How long things stay.
    pub retention: Retention,
}

/// The door for apps and browsers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where to listen; port 0 takes any free one.
    #[serde(deserialize_with = "values::address")]
    pub listen: SocketAddr,
    /// Whether it speaks HTTPS.
    pub tls: bool,
    /// How long open requests may take to finish when the server stops.
    #[serde(deserialize_with = "values::duration")]
    pub drain: Duration,
    /// The reverse proxies whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "values::networks")]
    pub trusted_proxies: Vec<Network>,
    /// What a collector reads the metrics with.
    pub metrics_token: Option<Secret>,
}

/// Who ends the buttons' MQTT connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum MqttMode {
    /// The server itself.
    Embedded,
    /// A broker, to which the server is a client.
    External,
}

/// The door for buttons.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mqtt {
    /// Who ends the buttons' connections.
    pub mode: MqttMode,
    /// Where the embedded listener listens; port 0 takes any free one.
    #[serde(deserialize_with = "values::address")]
    pub listen: SocketAddr,
    /// Where it listens for TLS, if at all.
    #[serde(deserialize_with = "values::some_address")]
    pub tls_listen: Option<SocketAddr>,
    /// The first levels of the topics.
    #[serde(deserialize_with = "values::topic_prefix")]
    pub topic_prefix: String,
    /// What other makers' radio buttons mean: a file with a table.
    pub radio_table: Option<PathBuf>,
    /// Whether buttons may connect without credentials.
    pub anonymous: bool,
    /// The broker of external mode.
    pub external: ExternalBroker,
}

/// The broker of external mode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalBroker {
    /// `mqtt://` or `mqtts://`, host and port.
    #[serde(deserialize_with = "values::some_broker")]
    pub url: Option<String>,
    /// The server's login there.
    pub username: Option<String>,
    /// Its password there.
    pub password: Option<Secret>,
    /// The authority of its certificate, PEM; for `mqtts://`.
    pub ca_file: Option<PathBuf>,
    /// The fixed client id, by which the broker keeps what came while the server was away; `crewbell-<site>` when none is given.
    pub client_id: Option<String>,
    /// The site whose buttons speak through this broker.
    pub site: Option<String>,
}

/// The certificate for HTTPS and MQTT over TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain, PEM.
    pub cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
}

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// Made at the first start, by an authority of the server's own.
    SelfMade,
    /// Read from files.
    Files {
        /// The chain.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
    },
}

impl Tls {
    /// Where the certificate comes from.
    pub fn certificate(&self) -> Certificate {
        match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Certificate::Files { cert: cert.clone(), key: key.clone() },
            _ => Certificate::SelfMade,
        }
    }
}

/// Voice calls beyond one network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calls {
    /// STUN servers, by which a device learns how it is seen from outside.
    #[serde(deserialize_with = "values::stun")]
    pub stun: Vec<String>,
    /// TURN servers, by which voices go where no other way leads.
    #[serde(deserialize_with = "values::turn")]
    pub turn: Vec<String>,
    /// The secret that the TURN servers share.
    pub turn_secret: Option<Secret>,
    /// Where devices reach the server's own TURN server, if it is to have one.
    #[serde(deserialize_with = "values::some_address")]
    pub own_turn: Option<SocketAddr>,
    /// How long a device's credentials for them hold.
    #[serde(deserialize_with = "values::duration")]
    pub turn_ttl: Duration,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// A database of the user's own, as the server's role; without it the private cluster is used.
    pub url: Option<Secret>,
    /// The same, as the role that owns the tables: for migrations, backup and restore.
    pub owner_url: Option<Secret>,
    /// The most connections the server holds.
    pub pool_max: NonZeroU32,
    /// How many it keeps open when idle.
    pub pool_min: u32,
    /// How long a question waits for a free connection.
    #[serde(deserialize_with = "values::duration")]
    pub acquire_timeout: Duration,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// What the server writes down about itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How a line is written.
    pub format: LogFormat,
    /// A level, or `tracing` directives.
    #[serde(deserialize_with = "values::level")]
    pub level: String,
}

/// The automatic backup.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backup {
    /// The folder for one dump a day; without it there is none.
    pub daily: Option<PathBuf>,
    /// How many of them stay.
    pub keep: NonZeroU32,
}

/// For how many days things stay; 0 keeps them for ever. The log's own is a setting of each site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// What guests said while they held a button.
    #[serde(deserialize_with = "values::days")]
    pub recordings: u32,
    /// The single presses; the requests that came of them stay.
    #[serde(deserialize_with = "values::days")]
    pub presses: u32,
    /// What became of commands, by which one that comes again is known.
    #[serde(deserialize_with = "values::days")]
    pub commands: u32,
    /// Sessions that ended.
    #[serde(deserialize_with = "values::days")]
    pub sessions: u32,
    /// Messages of devices that were no press.
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
    /// A guest's voice goes after a month, what is needed to explain a season stays for a little more than a year.
    fn default() -> Self {
        Self { recordings: 30, presses: 400, commands: 90, sessions: 90, unrecognised: 30 }
    }
}

/// On every interface: tablets, phones and buttons are other machines on the ship's network.
fn everywhere(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)
}
