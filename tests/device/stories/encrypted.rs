//! A ship that serves HTTPS with a certificate of its own: only devices that have its authority trust it.

use std::time::Duration;

use crewbell_core::screen::AskError;
use crewbell_server::clock::{Clock, Ids};
use crewbell_server::config::Retention;
use crewbell_server::devices::dialects::RadioTable;
use crewbell_server::devices::listener::tls::load_or_make;
use crewbell_server::http::TrustedProxies;
use crewbell_server::ice::Ice;
use crewbell_server::serve::{Server, ServerSettings};

use crate::device::Device;
use crate::ship::{embedded, found};

#[tokio::test]
async fn a_ship_s_own_authority_is_trusted_from_its_file_and_from_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::default();
    let own = load_or_make(folder.path(), &["127.0.0.1".to_owned()], clock.now()).unwrap();
    let settings = ServerSettings {
        db: crate::database::fresh().await,
        http: ([127, 0, 0, 1], 0).into(),
        http_tls: Some(own.config),
        mqtt: embedded(),
        prefix: "obedio".into(),
        radio: RadioTable::default(),
        ice: Ice::default(),
        clock,
        ids: Ids::random(),
        metrics: None,
        own_turn: None,
        proxies: TrustedProxies::default(),
        retention: Retention::default(),
        clean_up_after: crewbell_server::jobs::CLEAN_UP_AFTER,
        disk: None,
        silence: crewbell_server::live::SILENCE,
        drain: Duration::from_secs(10),
    };
    let server = Box::pin(Server::start(settings)).await.unwrap();
    found(&server, 100, "serenity").await;

    let mut siri = Device::new(server.http).await;
    siri.wire.scheme = "https";
    let stranger = siri.sign_in("Siri").await;
    assert!(matches!(stranger, Err(AskError::Offline { .. })), "{stranger:?}");

    std::fs::copy(&own.ca_file, siri.folder.path().join("server-ca.pem")).unwrap();
    let siri = siri.restart().await;
    siri.sign_in("Siri").await.unwrap();
    siri.goes_on_duty().await;
}
