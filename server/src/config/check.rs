//! Checks that involve several settings.

use super::{Config, MqttMode};

/// The setting to change, and the reason.
pub(super) type Complaint = (&'static str, &'static str);

/// Returns the first conflict between settings.
pub(super) fn check(config: &Config) -> Result<(), Complaint> {
    let external = &config.mqtt.external;
    let is_external = config.mqtt.mode == MqttMode::External;
    let complaints = [
        (
            is_external && external.url.is_none(),
            ("mqtt.external.url", "needed because mqtt.mode is \"external\"; write mqtt://HOST:1883"),
        ),
        (
            is_external && external.site.is_none(),
            (
                "mqtt.external.site",
                "needed because mqtt.mode is \"external\"; name the site whose buttons use the broker",
            ),
        ),
        (
            is_external && config.mqtt.tls_listen.is_some(),
            ("mqtt.tls_listen", "nothing listens when mqtt.mode is \"external\"; leave it out, or use \"embedded\""),
        ),
        (
            external.password.is_some() && external.username.is_none(),
            ("mqtt.external.username", "needed because there is a password"),
        ),
        (config.tls.cert.is_some() && config.tls.key.is_none(), ("tls.key", "needed because tls.cert is set")),
        (config.tls.key.is_some() && config.tls.cert.is_none(), ("tls.cert", "needed because tls.key is set")),
        (
            config.database.owner_url.is_some() && config.database.url.is_none(),
            ("database.url", "needed because database.owner_url is set"),
        ),
        (
            config.database.pool_min > config.database.pool_max.get(),
            ("database.pool_min", "must not be more than database.pool_max"),
        ),
        (
            !config.calls.turn.is_empty() && config.calls.turn_secret.is_none(),
            ("calls.turn_secret", "needed because calls.turn is set: devices sign in there with what it makes"),
        ),
        (
            config.calls.own_turn.is_some_and(|own| own.ip().is_unspecified()),
            ("calls.own_turn", "must be an address that devices can reach, not 0.0.0.0"),
        ),
        (config.data_dir.as_os_str().is_empty(), ("data_dir", "must name a folder")),
    ];
    complaints.into_iter().find(|(wrong, _)| *wrong).map_or(Ok(()), |(_, complaint)| Err(complaint))
}
