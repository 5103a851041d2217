//! The subcommand `crewbell-server serve`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::database::{DatabaseAccess, Take};
use super::lan;
use crate::backup::{BackupTarget, daily};
use crate::clock::{Clock, Ids};
use crate::config::{
    Calls, Certificate, Config, LogFormat, MqttMode, Resolved, ServeArgs, Surroundings, commented_defaults, resolve,
};
use crate::devices::broker::BrokerConfig;
use crate::devices::dialects::RadioTable;
use crate::devices::listener::tls::{self, Made, Shown};
use crate::http::{Metering, TrustedProxies};
use crate::ice::Ice;
use crate::jobs;
use crate::live;
use crate::serve::{Mqtt, Server, ServerSettings};

/// Serves the sites in the database until SIGTERM or Ctrl-C.
///
/// # Errors
/// Returns an error if a setting is wrong, the database is unavailable or an address is in use.
pub async fn run(args: ServeArgs) -> anyhow::Result<()> {
    if args.write_config {
        std::io::stdout().write_all(commented_defaults().as_bytes())?;
        return Ok(());
    }
    let config = configuration(&args)?;
    let ground = DatabaseAccess::open(&config, Take::Own).await?;
    let server = start(&config, &ground, Clock::default()).await?;
    let stop = CancellationToken::new();
    let backups =
        tokio::spawn(keep_backups(config.clone(), ground.place(&config)?, server.registry.clock.clone(), stop.clone()));
    tracing::info!(http = %server.http, mqtt = ?server.mqtt, "Crewbell serves. Stop it with Ctrl-C or SIGTERM.");
    tell_address(&config, &server);
    if server.registry.open_all().await?.is_empty() {
        tracing::warn!("There is no site yet: `crewbell-server admin site add` makes one.");
    }
    told_to_stop().await?;
    tracing::info!("Going down: no new work, and what was taken is finished.");
    stop.cancel();
    server.stop().await;
    let _ = backups.await;
    ground.close().await
}

/// Prints the addresses for the app, on a terminal only; other callers read the log.
fn tell_address(config: &Config, server: &Server) {
    if std::io::stdout().is_terminal() {
        let urls = lan::urls(server.http, config.http.tls).join("  or  ");
        println!("The app asks for an address: {urls}   (as a code to scan: crewbell-server qr)");
    }
}

/// Reads the settings and starts logging.
///
/// # Errors
/// Returns an error if a setting is wrong.
pub fn configuration(args: &ServeArgs) -> anyhow::Result<Config> {
    let Resolved { config, file, warnings } = resolve(args, &Surroundings::of_this_process())?;
    log(&config)?;
    if let Some(file) = file {
        tracing::info!(file = %file.display(), "The settings are read.");
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(config)
}

fn log(config: &Config) -> anyhow::Result<()> {
    let filter = filter(&config.log.level)?;
    // The subscriber would report a failed write on standard error, which panics when that is closed too: closing the
    // log would stop the task that logs.
    let lines =
        tracing_subscriber::fmt().log_internal_errors(false).with_env_filter(filter).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Text => lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}

/// Libraries that log message contents at `debug` or `trace`: a token in a `hello` frame or a header, a guest's name in
/// a row.
const TALKATIVE: [&str; 7] = ["h2", "hyper", "hyper_util", "rumqttc", "sqlx", "tokio_tungstenite", "tungstenite"];

/// Builds the log filter. Libraries that log contents are capped at `info`, regardless of the level and of which of
/// their modules a directive names.
fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    let of_talkative = |directive: &&str| {
        let name = directive.trim().split([':', '=', '[']).next().unwrap_or_default();
        TALKATIVE.contains(&name)
    };
    let own: Vec<&str> = level.split(',').filter(|directive| !of_talkative(directive)).collect();
    let general = own.iter().rev().find_map(|directive| directive.trim().parse::<LevelFilter>().ok());
    let most = general.unwrap_or(LevelFilter::ERROR).min(LevelFilter::INFO);
    let quiet = TALKATIVE.map(|library| format!("{library}={most}"));
    let all: Vec<&str> = own.into_iter().chain(quiet.iter().map(String::as_str)).collect();
    all.join(",").parse().context("The log level can't be read.")
}

/// Starts a server with the given configuration.
///
/// # Errors
/// Returns an error if the database can't be reached or migrated, a certificate can't be read or an address is in use.
pub async fn start(config: &Config, ground: &DatabaseAccess, clock: Clock) -> anyhow::Result<Server> {
    Server::start(settings(config, ground, clock)?).await
}

/// Converts the configuration into the server's settings.
///
/// # Errors
/// Returns an error if a certificate or the table of radio buttons can't be read.
pub fn settings(config: &Config, ground: &DatabaseAccess, clock: Clock) -> anyhow::Result<ServerSettings> {
    let wanted = config.http.tls || config.mqtt.tls_listen.is_some();
    let tls = if wanted { Some(certificate(config, &clock)?) } else { None };
    let mqtt = match config.mqtt.mode {
        MqttMode::Embedded => {
            let secure = config.mqtt.tls_listen.zip(tls.clone());
            Mqtt::Embedded { listen: config.mqtt.listen, secure, anonymous: config.mqtt.anonymous }
        }
        MqttMode::External => Mqtt::External(broker(config)?),
    };
    Ok(ServerSettings {
        db: ground.db.clone(),
        http: config.http.listen,
        http_tls: tls.filter(|_| config.http.tls),
        proxies: TrustedProxies::new(config.http.trusted_proxies.clone()),
        mqtt,
        prefix: config.mqtt.topic_prefix.clone(),
        radio: config.mqtt.radio_table.as_deref().map(radio_table).transpose()?.unwrap_or_default(),
        ice: ice(config),
        own_turn: config.calls.own_turn,
        retention: config.retention,
        clean_up_after: jobs::CLEAN_UP_AFTER,
        disk: config.database.url.is_none().then(|| config.data_dir.join("pg")),
        clock,
        ids: Ids::random(),
        metrics: Some(Metering { counted: meter()?, token: config.http.metrics_token.clone() }),
        silence: live::SILENCE,
        drain: config.http.drain,
    })
}

fn certificate(config: &Config, clock: &Clock) -> anyhow::Result<Arc<rustls::ServerConfig>> {
    match config.tls.certificate() {
        Certificate::Files { cert, key } => Ok(tls::load(&cert, &key)?),
        Certificate::SelfMade => {
            let folder: PathBuf = config.data_dir.join("tls");
            let own = tls::load_or_make(&folder, &names(config), clock.now())?;
            let (ca, fingerprint) = (own.ca_file.display(), &own.fingerprint);
            match own.made {
                Made::AllAnew => tracing::warn!(
                    %ca, fingerprint,
                    "The server's own certificate was out of its time, and so was the authority that made it: both were made \
                     anew. Devices that trusted the old one have to be given {ca}, with the fingerprint {fingerprint}."
                ),
                Made::Certificate => tracing::info!(
                    %ca, fingerprint,
                    "The certificate was made anew, for other addresses or another time; devices need nothing new."
                ),
                Made::Nothing | Made::All => tracing::info!(
                    %ca, fingerprint,
                    "The certificate is this server's own: give devices its CA, and compare the fingerprint."
                ),
            }
            tokio::spawn(keep_certificate(config.clone(), folder, Arc::downgrade(&own.shown), clock.clone()));
            Ok(own.config)
        }
    }
}

/// Renews the certificate when this machine's addresses change, for example when it gets one a minute after power-on.
async fn keep_certificate(config: Config, folder: PathBuf, shown: Weak<Shown>, clock: Clock) {
    let mut known = names(&config);
    let mut tick = tokio::time::interval(Duration::from_mins(1));
    loop {
        tick.tick().await;
        let Some(shown) = shown.upgrade() else { return };
        let now = names(&config);
        if now == known {
            continue;
        }
        match shown.renew(&folder, &now, clock.now()) {
            Ok(_) => {
                tracing::info!(
                    "The certificate is made anew, for this machine's new addresses; devices need nothing new."
                );
                known = now;
            }
            Err(error) => {
                tracing::warn!(%error, "The certificate can't be made anew for this machine's new addresses.");
            }
        }
    }
}

/// The names and addresses at which devices reach this machine, which are also those that the QR code offers.
fn names(config: &Config) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()));
    let listens = [Some(config.http.listen), config.mqtt.tls_listen];
    let addresses = listens.into_iter().flatten().flat_map(|listens| lan::addresses(listens.ip()));
    let mut addresses: Vec<String> = addresses.map(|address| address.to_string()).collect();
    // The system lists them in any order, and a changed list renews the certificate.
    addresses.sort();
    names.extend(addresses);
    let mut known = std::collections::BTreeSet::new();
    names.retain(|name| known.insert(name.clone()));
    names
}

fn ice(config: &Config) -> Ice {
    let Calls { stun, turn, turn_secret, turn_ttl, own_turn: _ } = config.calls.clone();
    Ice { stun, turn, secret: turn_secret, ttl: turn_ttl }
}

fn radio_table(file: &Path) -> anyhow::Result<RadioTable> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} can't be read.", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no table of radio buttons.", file.display()))
}

fn broker(config: &Config) -> anyhow::Result<BrokerConfig> {
    let external = &config.mqtt.external;
    let settings = BrokerConfig {
        url: external.url.clone().context("mqtt.external.url names no broker.")?,
        username: external.username.clone(),
        password: external.password.as_ref().map(|password| password.expose().to_owned()),
        client_id: external.client_id.clone(),
        site: external.site.clone().context("mqtt.external.site names no site.")?,
        ca_file: external.ca_file.clone(),
    };
    settings.check()?;
    Ok(settings)
}

/// Installs the metrics recorder. Batch sizes get histogram buckets, because a mean hides bursts.
fn meter() -> anyhow::Result<PrometheusHandle> {
    let batches = Matcher::Full("actions_batch_size".to_owned());
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(batches, &[1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 256.0])?;
    let handle = builder.install_recorder()?;
    let upkeep = handle.clone();
    // Samples stay in memory until they are read, which may never happen.
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(5));
        loop {
            tick.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

/// Makes the daily backups if the settings name a folder for them.
async fn keep_backups(config: Config, place: BackupTarget, clock: Clock, stop: CancellationToken) {
    let Some(folder) = &config.backup.daily else { return };
    let keep = usize::try_from(config.backup.keep.get()).unwrap_or(usize::MAX);
    let mut tick = tokio::time::interval(Duration::from_mins(10));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        let today = clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        match daily(&place, folder, today, keep).await {
            Ok(Some(file)) => tracing::info!(file = %file.display(), "Today's backup is made."),
            Ok(None) => {}
            Err(error) => {
                metrics::counter!("backups_failed_total").increment(1);
                tracing::error!(%error, "Today's backup failed; trying again in ten minutes.");
            }
        }
    }
}

/// Waits for SIGTERM or Ctrl-C.
///
/// # Errors
/// Returns an error if the signals can't be watched.
pub async fn told_to_stop() -> anyhow::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::listener::tests::secure::write_foreign;
    use crate::log_output::Words;

    #[tokio::test]
    async fn an_authority_that_is_made_anew_at_the_start_is_said_with_its_new_fingerprint() {
        // One that has expired, and one that isn't valid yet.
        for (from, to) in [(1970, 1981), (2200, 2211)] {
            let data = tempfile::tempdir().unwrap();
            let folder = data.path().join("tls");
            std::fs::create_dir(&folder).unwrap();
            write_foreign(&folder, from, to);
            let (config, clock) = (Config { data_dir: data.path().to_owned(), ..Config::default() }, Clock::default());
            let start = || {
                let (words, _listening) = Words::listen();
                certificate(&config, &clock).unwrap();
                words
            };
            let (first, second) = (start(), start());
            let own = tls::load_or_make(&folder, &names(&config), clock.now()).unwrap();
            assert_eq!(own.made, Made::Nothing, "{from}: it was made anew before");
            for said in [own.fingerprint.as_str(), &own.ca_file.display().to_string(), "WARN", "made anew"] {
                assert!(first.times(said) > 0, "{from}: {said}");
            }
            // From then on it is the known one.
            assert!(second.times(&own.fingerprint) > 0, "{from}");
            assert_eq!((second.times("WARN"), second.times("made anew")), (0, 0), "{from}");
        }
    }

    #[test]
    fn no_level_makes_a_library_log_what_crosses_a_wire() {
        for level in ["trace", "info,tungstenite=trace", "debug,hyper::proto=trace,sqlx=debug", "TRACE"] {
            let filter = filter(level).unwrap().to_string().to_lowercase();
            for library in TALKATIVE {
                let said: Vec<_> = filter.split(',').filter(|one| one.starts_with(library)).collect();
                assert!(said.iter().any(|one| *one == format!("{library}=info")), "{level}: {filter}");
                assert!(!said.iter().any(|one| one.ends_with("trace") || one.ends_with("debug")), "{level}: {filter}");
            }
        }
        assert!(filter("error").unwrap().to_string().contains("hyper=error"), "and none says more than it was to");
        assert!(filter("info,crewbell_server=debug").unwrap().to_string().contains("crewbell_server=debug"));
    }

    #[test]
    fn the_certificate_names_every_address_that_the_code_for_tablets_gives_out() {
        for listens in ["0.0.0.0:0", "192.0.2.7:443"] {
            let listens: std::net::SocketAddr = listens.parse().unwrap();
            let mut config = Config::default();
            config.http.listen = listens;
            let names = names(&config);
            for url in lan::urls(listens, true) {
                let host = url.trim_start_matches("https://").rsplit_once(':').unwrap().0;
                assert!(names.iter().any(|name| name == host), "{host} of {names:?}");
            }
            let known: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(known.len(), names.len(), "each once: {names:?}");
        }
    }
}
