//! Tests of the TURN server with the library's client.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::ids::PersonId;
use crewbell_shared::testing::id;
use sqlx::postgres::PgConnectOptions;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;
use turn::client::{Client, ClientConfig};
use webrtc_util::Conn;

use super::start;
use crate::clock::{Clock, Ids};
use crate::db::{Db, DbSettings};
use crate::ice::{Ice, IceServers};
use crate::site_registry::SiteRegistry;

async fn own() -> (SiteRegistry, Ice) {
    // These tests don't use the database.
    let nowhere = PgConnectOptions::new().socket("/nonexistent").username("nobody");
    let settings = DbSettings { readers: 1, ..DbSettings::new(nowhere.clone(), nowhere) };
    let registry = SiteRegistry::new(Db::new(settings), Clock::default(), Ids::seeded(1), CancellationToken::new());
    let ice = Ice { ttl: Duration::from_hours(12), ..Ice::default() };
    let ice = start(Some(([127, 0, 0, 1], 0).into()), ice, &registry).await.unwrap();
    (registry, ice)
}

/// Returns a TURN client configured with the servers that REST gives.
async fn client(servers: &IceServers) -> Client {
    let server = &servers.ice_servers[0];
    let address = server.urls[0].strip_prefix("turn:").and_then(|rest| rest.split('?').next()).unwrap();
    let client = Client::new(ClientConfig {
        stun_serv_addr: address.to_owned(),
        turn_serv_addr: address.to_owned(),
        username: server.username.clone().unwrap(),
        password: server.credential.clone().unwrap(),
        realm: String::new(),
        software: String::new(),
        rto_in_ms: 0,
        conn: Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap()),
        vnet: None,
    })
    .await
    .unwrap();
    client.listen().await.unwrap();
    client
}

#[tokio::test]
async fn a_person_has_datagrams_relayed_with_the_credentials_they_were_given() {
    let (registry, ice) = own().await;
    let client = client(&ice.servers_for(id(1), registry.clock.now())).await;
    let relay = client.allocate().await.unwrap();
    let friend = UdpSocket::bind("127.0.0.1:0").await.unwrap();

    relay.send_to(b"hello", friend.local_addr().unwrap()).await.unwrap();
    let mut buffer = [0; 100];
    let heard = tokio::time::timeout(Duration::from_secs(5), friend.recv_from(&mut buffer)).await;
    let (length, from) = heard.expect("relayed within five seconds").unwrap();
    assert_eq!((&buffer[..length], from), (&b"hello"[..], relay.local_addr().unwrap()));

    friend.send_to(b"hello yourself", from).await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(5), relay.recv_from(&mut buffer)).await;
    assert_eq!(heard.expect("relayed back within five seconds").unwrap().0, b"hello yourself".len());
    registry.stop.cancel();
}

#[tokio::test]
async fn credentials_that_ran_out_or_were_made_up_are_refused() {
    let (registry, ice) = own().await;
    let good = ice.servers_for(id(1), registry.clock.now());

    let mut made_up = good.clone();
    made_up.ice_servers[0].credential = Some("let me in".to_owned());
    assert!(client(&made_up).await.allocate().await.is_err());

    let mut longer = good.clone();
    longer.ice_servers[0].username = Some(format!("9999999999:{}", id::<PersonId>(1).0));
    assert!(client(&longer).await.allocate().await.is_err());

    registry.clock.advance(jiff::SignedDuration::from_hours(12));
    assert!(client(&good).await.allocate().await.is_err());
}

#[tokio::test]
async fn a_flood_of_strangers_is_answered_and_keeps_no_person_from_a_relay() {
    let (registry, ice) = own().await;
    let good = ice.servers_for(id(1), registry.clock.now());
    let url = &good.ice_servers[0].urls[0];
    let address = url.strip_prefix("turn:").and_then(|rest| rest.split('?').next()).unwrap().to_owned();
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // Refresh and Allocate without authentication attributes (RFC 8489, 5).
    for n in 0..400_u32 {
        let mut request = vec![0, if n % 2 == 0 { 4 } else { 3 }, 0, 0, 0x21, 0x12, 0xA4, 0x42];
        request.extend([n.to_be_bytes(), [7; 4], [8; 4]].concat());
        stranger.send_to(&request, &address).await.unwrap();
    }
    for person in 1..=3 {
        let client = client(&ice.servers_for(id(person), registry.clock.now())).await;
        client.allocate().await.unwrap();
    }
    registry.stop.cancel();
}
