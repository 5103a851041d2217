//! The table of all settings, with their texts in the printed configuration file.

use std::fmt::Write;

/// The type as which a setting's text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Switch,
}

/// One setting.
#[derive(Debug)]
pub(super) struct Key {
    /// Section and name, such as `http.listen`.
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    /// The default as TOML writes it; `None` if there is none to write.
    pub(super) default: Option<&'static str>,
    /// The value to print, commented out, for a setting without a default.
    pub(super) example: &'static str,
    pub(super) about: &'static str,
}

impl Key {
    /// Returns the environment variable: `CREWBELL_HTTP_LISTEN` for `http.listen`.
    pub(super) fn variable(&self) -> String {
        format!("CREWBELL_{}", self.path.replace('.', "_").to_uppercase())
    }

    pub(super) fn section(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(section, _)| section)
    }

    pub(super) fn name(&self) -> &'static str {
        self.path.rsplit_once('.').map_or(self.path, |(_, name)| name)
    }
}

const fn set(path: &'static str, kind: Kind, default: &'static str, about: &'static str) -> Key {
    Key { path, kind, default: Some(default), example: default, about }
}

const fn unset(path: &'static str, example: &'static str, about: &'static str) -> Key {
    Key { path, kind: Kind::Text, default: None, example, about }
}

/// All settings in the order of the printed file; those of one section are adjacent.
pub(super) const KEYS: &[Key] = &[
    unset(
        "data_dir",
        "\"/var/lib/crewbell\"",
        "Where the server keeps all that is its own: the private database, certificates, archives.\n\
         Without it: /var/lib/crewbell for root, else $XDG_DATA_HOME/crewbell, else ~/.local/share/crewbell.",
    ),
    set(
        "http.listen",
        Kind::Text,
        "\"0.0.0.0:8080\"",
        "Where apps and browsers connect: every interface, because tablets and phones are other machines.\n\
         127.0.0.1:8080 for this machine alone; port 0 takes a free one, and the log says which.",
    ),
    set("http.tls", Kind::Switch, "false", "Whether to speak HTTPS there, with the certificate of [tls]."),
    set("http.drain", Kind::Text, "\"10s\"", "How long open requests may take to finish when the server stops."),
    unset(
        "http.trusted_proxies",
        "\"127.0.0.1, 10.0.0.0/8\"",
        "Reverse proxies in front of the server, addresses or networks with commas between them: what they add to\n\
         X-Forwarded-For is believed. Without it, all who come through a proxy are slowed together when they guess PINs.",
    ),
    unset(
        "http.metrics_token",
        "\"…\"",
        "What a collector shows (Authorization: Bearer …) to read /metrics, also on this machine; better kept in the\n\
         environment. Without it they are read with an administrator's token alone.",
    ),
    set(
        "mqtt.mode",
        Kind::Text,
        "\"embedded\"",
        "Who ends the buttons' connections: \"embedded\" (this server) or \"external\" (a broker, see [mqtt.external]).",
    ),
    set(
        "mqtt.listen",
        Kind::Text,
        "\"0.0.0.0:1883\"",
        "Where buttons connect in embedded mode; port 0 takes a free one.",
    ),
    unset(
        "mqtt.tls_listen",
        "\"0.0.0.0:8883\"",
        "Where buttons connect over TLS in embedded mode, with the certificate of [tls].",
    ),
    set(
        "mqtt.topic_prefix",
        Kind::Text,
        "\"obedio\"",
        "The first level of the topics, as in obedio/button/ID/pressed.",
    ),
    unset(
        "mqtt.radio_table",
        "\"/etc/crewbell/radio.json\"",
        "What other makers' LoRaWAN buttons mean: a JSON file, a list of\n\
         {\"f_port\": 3, \"offset\": 0, \"presses\": [{\"value\": 1, \"kind\": \"single\"}], \"battery_offset\": 1}.",
    ),
    set(
        "mqtt.anonymous",
        Kind::Switch,
        "false",
        "Whether buttons may connect without credentials. Anyone on the network can then press any button.",
    ),
    unset(
        "mqtt.external.url",
        "\"mqtt://broker.local:1883\"",
        "The broker: mqtt://HOST:PORT, or mqtts://HOST:PORT for TLS. Needed in external mode.",
    ),
    unset("mqtt.external.username", "\"crewbell\"", "The server's login at the broker."),
    unset("mqtt.external.password", "\"…\"", "Its password there; better kept in the environment."),
    unset(
        "mqtt.external.ca_file",
        "\"/etc/crewbell/broker-ca.pem\"",
        "The authority of the broker's certificate, PEM. Needed for mqtts://.",
    ),
    unset(
        "mqtt.external.client_id",
        "\"crewbell-my-serenity\"",
        "The client id by which the broker keeps what came while the server was away: crewbell-SITE when not given.",
    ),
    unset(
        "mqtt.external.site",
        "\"my-serenity\"",
        "The site whose buttons speak through the broker. Needed in external mode.",
    ),
    unset(
        "tls.cert",
        "\"/etc/crewbell/cert.pem\"",
        "The certificate chain (PEM) for HTTPS and MQTT. Without it, the server makes its own at the first start.",
    ),
    unset("tls.key", "\"/etc/crewbell/key.pem\"", "The certificate's private key (PEM)."),
    unset(
        "calls.stun",
        "\"stun:stun.example:3478\"",
        "STUN servers, several with commas between them: only for calls between networks. On one network none is needed.",
    ),
    unset(
        "calls.turn",
        "\"turn:turn.example:3478?transport=udp\"",
        "TURN servers, several with commas between them, which share calls.turn_secret (coturn: use-auth-secret).",
    ),
    unset("calls.turn_secret", "\"…\"", "The secret that the TURN servers share; better kept in the environment."),
    unset(
        "calls.own_turn",
        "\"192.168.1.10:3478\"",
        "Makes this server a TURN server over UDP, for networks that can't reach each other: an address of this machine\n\
         that devices in all of them reach. Within one network calls need none; where UDP is blocked they go over HTTP.",
    ),
    set("calls.turn_ttl", Kind::Text, "\"12h\"", "How long a device's credentials for the TURN servers hold."),
    unset(
        "database.url",
        "\"postgres://crewbell_server:PASSWORD@db.local/crewbell\"",
        "A PostgreSQL of your own (14 or newer), as a role that can't change tables.\n\
         Without it, the server runs a private one in the data folder.",
    ),
    unset(
        "database.owner_url",
        "\"postgres://crewbell_owner:PASSWORD@db.local/crewbell\"",
        "The same database as the role that owns the tables: for migrations, backup and restore.",
    ),
    set(
        "database.pool_max",
        Kind::Number,
        "16",
        "The most connections that read. As many more write, but 2 at least and 16 at most.\n\
         The private database allows for both, and for 24 besides.",
    ),
    set("database.pool_min", Kind::Number, "2", "How many it keeps open when nothing happens."),
    set(
        "database.acquire_timeout",
        Kind::Text,
        "\"5s\"",
        "How long a question waits for a free connection before it fails.",
    ),
    set("log.format", Kind::Text, "\"text\"", "\"text\" for people, \"json\" for collectors."),
    set(
        "log.level",
        Kind::Text,
        "\"info\"",
        "off, error, warn, info, debug or trace; or by module, as in \"info,crewbell_server=debug\".",
    ),
    unset(
        "backup.daily",
        "\"/var/backups/crewbell\"",
        "A folder for one backup a day; without it there is none. Best on another disk.",
    ),
    set("backup.keep", Kind::Number, "14", "How many daily backups stay."),
    set(
        "retention.recordings",
        Kind::Number,
        "30",
        "For how many days what guests said stays; here and below 0 keeps for ever, and 3650 is the most.\n\
         The log's own retention is a setting of each site, in the app.",
    ),
    set(
        "retention.presses",
        Kind::Number,
        "400",
        "For how many days the single presses stay. The requests that came of them stay with the log.",
    ),
    set(
        "retention.commands",
        Kind::Number,
        "90",
        "For how many days it is known what became of a command, so that a device that sends it again does nothing twice.",
    ),
    set("retention.sessions", Kind::Number, "90", "For how many days a session stays on record after it ended."),
    set(
        "retention.unrecognised",
        Kind::Number,
        "30",
        "For how many days the list of messages that weren't understood keeps one that came no more.",
    ),
];

/// Returns the configuration file with every setting, its meaning and its default, as `serve --write-config` prints it.
pub fn commented_defaults() -> String {
    let mut text = String::from(
        "# Crewbell server. Every setting with its default; those that start with # have none.\n\
         # Flags go before the environment (the variable is named at each setting), and that before this file.\n",
    );
    let mut section = "";
    for key in KEYS {
        if key.section() != section {
            section = key.section();
            let _ = write!(text, "\n[{section}]\n");
        }
        text.push('\n');
        for line in key.about.lines() {
            let _ = writeln!(text, "# {line}");
        }
        let mark = if key.default.is_some() { "" } else { "# " };
        let _ = writeln!(text, "# ({})\n{mark}{} = {}", key.variable(), key.name(), key.example);
    }
    text
}
