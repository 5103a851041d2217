//! The settings as command-line flags of `serve`.

use super::resolve::Said;
use super::values::{parse_address, parse_broker, parse_level, parse_topic_prefix};
use super::{LogFormat, MqttMode, Secret};
use clap::{Args, ValueEnum};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use toml::Value;

/// The flags of the settings. They override the environment (`CREWBELL_…`), which overrides the configuration file.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Configuration file [default: crewbell.toml in the data folder, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print a configuration file with every setting, its meaning and its default, and exit
    #[arg(long)]
    pub write_config: bool,
    /// Folder for the server's own data
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where apps and browsers connect; port 0 takes a free one [default: 0.0.0.0:8080]
    #[arg(long, value_name = "IP:PORT", value_parser = parse_address)]
    pub http: Option<SocketAddr>,
    /// Speak HTTPS
    #[arg(long)]
    pub http_tls: bool,
    /// Where buttons connect; port 0 takes a free one [default: 0.0.0.0:1883]
    #[arg(long, value_name = "IP:PORT", value_parser = parse_address)]
    pub mqtt: Option<SocketAddr>,
    /// Where buttons connect over TLS
    #[arg(long, value_name = "IP:PORT", value_parser = parse_address)]
    pub mqtt_tls: Option<SocketAddr>,
    /// Where buttons connect: this server, or an external broker [default: embedded]
    #[arg(long)]
    pub mqtt_mode: Option<MqttMode>,
    /// The broker of external mode
    #[arg(long, value_name = "URL", value_parser = parse_broker)]
    pub mqtt_url: Option<String>,
    /// The site whose buttons use that broker
    #[arg(long, value_name = "SITE")]
    pub mqtt_site: Option<String>,
    /// First level of the topics [default: obedio]
    #[arg(long, value_name = "TOPIC", value_parser = parse_topic_prefix)]
    pub topic_prefix: Option<String>,
    /// Let buttons connect without credentials
    #[arg(long)]
    pub anonymous: bool,
    /// Certificate chain, PEM
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// A PostgreSQL of your own; other users can see flags, so prefer the environment
    #[arg(long, value_name = "URL")]
    pub database_url: Option<Secret>,
    /// The same as the tables' owner; prefer the environment
    #[arg(long, value_name = "URL")]
    pub database_owner_url: Option<Secret>,
    /// How log lines are written [default: text]
    #[arg(long)]
    pub log_format: Option<LogFormat>,
    /// What is logged [default: info]
    #[arg(long, value_name = "LEVEL", value_parser = parse_level)]
    pub log_level: Option<String>,
    /// Folder for one backup a day
    #[arg(long, value_name = "DIR")]
    pub backup_daily: Option<PathBuf>,
    /// How many daily backups stay [default: 14]
    #[arg(long, value_name = "N")]
    pub backup_keep: Option<NonZeroU32>,
    /// Any other setting, as in --set http.drain=30s (see --write-config)
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub settings: Vec<(String, Secret)>,
}

impl ServeArgs {
    /// Returns the settings given by flags, by their names in the file.
    pub(super) fn said(&self) -> Vec<Said> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| Value::from(path.to_string_lossy().into_owned()));
        let text = |text: &Option<String>| text.clone().map(Value::from);
        let address = |address: Option<SocketAddr>| address.map(|address| Value::from(address.to_string()));
        let secret = |secret: &Option<Secret>| secret.as_ref().map(|secret| Value::from(secret.expose()));
        let switch = |on: bool| on.then_some(Value::Boolean(true));
        let all = [
            ("data_dir", "--data-dir", path(&self.data_dir)),
            ("http.listen", "--http", address(self.http)),
            ("http.tls", "--http-tls", switch(self.http_tls)),
            ("mqtt.listen", "--mqtt", address(self.mqtt)),
            ("mqtt.tls_listen", "--mqtt-tls", address(self.mqtt_tls)),
            ("mqtt.mode", "--mqtt-mode", choice(self.mqtt_mode)),
            ("mqtt.external.url", "--mqtt-url", text(&self.mqtt_url)),
            ("mqtt.external.site", "--mqtt-site", text(&self.mqtt_site)),
            ("mqtt.topic_prefix", "--topic-prefix", text(&self.topic_prefix)),
            ("mqtt.anonymous", "--anonymous", switch(self.anonymous)),
            ("tls.cert", "--tls-cert", path(&self.tls_cert)),
            ("tls.key", "--tls-key", path(&self.tls_key)),
            ("database.url", "--database-url", secret(&self.database_url)),
            ("database.owner_url", "--database-owner-url", secret(&self.database_owner_url)),
            ("log.format", "--log-format", choice(self.log_format)),
            ("log.level", "--log-level", text(&self.log_level)),
            ("backup.daily", "--backup-daily", path(&self.backup_daily)),
            ("backup.keep", "--backup-keep", self.backup_keep.map(|keep| Value::from(keep.get()))),
        ];
        all.into_iter()
            .filter_map(|(key, flag, value)| Some(Said { key, origin: flag.to_owned(), value: value? }))
            .collect()
    }
}

fn choice<T: ValueEnum>(value: Option<T>) -> Option<Value> {
    Some(Value::from(value?.to_possible_value()?.get_name()))
}

fn parse_pair(text: &str) -> Result<(String, Secret), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, as in http.drain=30s")?;
    Ok((key.trim().to_owned(), Secret::new(value.trim())))
}
