//! The own TURN server, with the library's client.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::testing::id;
use tokio::net::UdpSocket;
use turn::client::{Client, ClientConfig};
use webrtc_util::Conn;

use super::*;

async fn own(clock: &Clock) -> (Ice, CancellationToken) {
    let stop = CancellationToken::new();
    let settings = IceSettings { turn: Some(([127, 0, 0, 1], 0).into()), ..IceSettings::default() };
    (Ice::start(settings, clock, &Ids::seeded(1), stop.clone()).await.unwrap(), stop)
}

/// A client that was given the servers by REST.
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
    let clock = Clock::default();
    let (ice, stop) = own(&clock).await;
    let client = client(&ice.servers_for(id(1), clock.now())).await;
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
    stop.cancel();
}

#[tokio::test]
async fn credentials_that_ran_out_or_were_made_up_are_refused() {
    let clock = Clock::default();
    let (ice, _stop) = own(&clock).await;
    let good = ice.servers_for(id(1), clock.now());

    let mut made_up = good.clone();
    made_up.ice_servers[0].credential = Some("let me in".to_owned());
    assert!(client(&made_up).await.allocate().await.is_err());

    let mut longer = good.clone();
    longer.ice_servers[0].username = Some(format!("9999999999:{}", id::<PersonId>(1).0));
    assert!(client(&longer).await.allocate().await.is_err());

    clock.advance(GOOD_FOR);
    assert!(client(&good).await.allocate().await.is_err());
}

#[tokio::test]
async fn devices_are_told_of_all_servers_and_given_credentials_for_turn_alone() {
    let clock = Clock::default();
    let others = ["stun:stun.example.org:3478", "turn:turn.example.org:3478?transport=udp"];
    let settings =
        IceSettings { turn: None, others: others.map(str::to_owned).to_vec(), secret: Some(Secret::new("north")) };
    let ice = Ice::start(settings, &clock, &Ids::seeded(1), CancellationToken::new()).await.unwrap();
    let at = Timestamp::from_second(1_000).unwrap();
    let told = serde_json::to_value(ice.servers_for(id(1), at)).unwrap();
    let username = format!("{}:{}", 1_000 + GOOD_FOR.as_secs(), id::<PersonId>(1).0);
    let credential = credentials::credential(&Secret::new("north"), &username);
    let expected = serde_json::json!({
        "ice_servers": [
            {"urls": [others[1]], "username": username, "credential": credential},
            {"urls": [others[0]]},
        ],
        "expires_at": "1970-01-01T12:16:40Z",
    });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn without_any_setting_devices_are_told_of_none() {
    let clock = Clock::default();
    let ice = Ice::start(IceSettings::default(), &clock, &Ids::seeded(1), CancellationToken::new()).await.unwrap();
    assert_eq!(ice.servers_for(id(1), clock.now()).ice_servers, []);
}
