//! A call between two devices that can't reach each other, over the server's own TURN.
use std::time::{Duration, Instant};

use crate::support::{connected, eventually, loopback};
use crewbell_server::clock::{Clock, Ids};
use crewbell_server::db::{Db, DbSettings};
use crewbell_server::ice::{self, Ice, IceServers};
use crewbell_server::site_registry::SiteRegistry;
use crewbell_server::turn;
use crewbell_shared::ids::PersonId;
use crewbell_voice::session::{IceServer, Kind, MediaSession, Options};
use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const LIMIT: Duration = Duration::from_secs(10);

/// Returns session options from the server's list of ICE servers.
fn relayed(told: &IceServers) -> Options {
    let server = |server: &ice::IceServer| IceServer {
        urls: server.urls.clone(),
        username: server.username.clone().unwrap_or_default(),
        credential: server.credential.clone().unwrap_or_default(),
    };
    // Only relayed candidates are sent, so the call can't use the devices' own addresses.
    Options { ice_servers: told.ice_servers.iter().map(server).collect(), relay_only: true, ..loopback() }
}

#[tokio::test]
async fn devices_that_cannot_reach_each_other_call_over_the_servers_own_turn() {
    // No code here queries the database.
    let nowhere = PgConnectOptions::new().socket("/nonexistent").username("nobody");
    let settings = DbSettings { readers: 1, ..DbSettings::new(nowhere.clone(), nowhere) };
    let registry = SiteRegistry::new(Db::new(settings), Clock::default(), Ids::seeded(1), CancellationToken::new());
    let ice = Ice { ttl: Duration::from_hours(1), ..Ice::default() };
    let ice = turn::start(Some(([127, 0, 0, 1], 0).into()), ice, &registry).await.unwrap();
    let [siri, sam] = [1, 2].map(|person| ice.servers_for(PersonId(Uuid::from_u128(person)), registry.clock.now()));

    let start = Instant::now();
    let (caller, called) = connected(relayed(&siri), relayed(&sam)).await;
    let connected = start.elapsed();
    let talks = [caller.speak(), called.speak()];
    eventually("audio", LIMIT, || caller.heard.count() > 50 && called.heard.count() > 50).await;
    println!("connected over TURN after {connected:?}");
    for talk in talks {
        talk.abort();
    }
    for end in [&caller, &called] {
        assert_eq!(end.session.stats().await.kind, Some(Kind::Relay));
    }
    registry.stop.cancel();
}
