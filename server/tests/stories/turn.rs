//! The server's own TURN server from a device's view: announced over REST, with credentials for each person. The client
//! is the library's; the device stories test whole calls over TURN.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::net::UdpSocket;
use turn::client::{Client, ClientConfig};
use webrtc_util::Conn;

use crate::ship::{Ship, soon};

const TTL: Duration = Duration::from_hours(1);

/// Creates a ship with `calls.own_turn` set.
async fn with_own_turn() -> Ship {
    Ship::sail_with(|settings| {
        settings.own_turn = Some(([127, 0, 0, 1], 0).into());
        settings.ice.ttl = TTL;
    })
    .await
}

/// Creates a TURN client from the server's answer, as the standards require (RFC 7065, RFC 8656).
async fn client(told: &Value) -> Client {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let server = &told["ice_servers"][0];
    let url = text(&server["urls"][0]);
    let address = url.strip_prefix("turn:").and_then(|rest| rest.strip_suffix("?transport=udp"));
    let address = address.unwrap_or_else(|| panic!("{url} is no TURN server over UDP")).to_owned();
    let client = Client::new(ClientConfig {
        stun_serv_addr: address.clone(),
        turn_serv_addr: address,
        username: text(&server["username"]),
        password: text(&server["credential"]),
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
async fn who_asks_is_told_of_the_own_turn_server_and_relayed_by_it() {
    let ship = with_own_turn().await;
    let sam = ship.sam().await;
    let told = sam.get("/api/call/ice").await;
    let username = told["ice_servers"][0]["username"].as_str().unwrap();
    let (ends, whose) = username.split_once(':').unwrap();
    assert_eq!(whose, sam.id);
    let ends = Timestamp::from_second(ends.parse().unwrap()).unwrap();
    assert_eq!(told["expires_at"].as_str().unwrap().parse::<Timestamp>().unwrap(), ends);
    let left = ends.duration_since(ship.clock.now());
    assert!(left > SignedDuration::from_mins(59) && left <= SignedDuration::from_hours(1), "{left}");

    let relay = soon(client(&told).await.allocate()).await.unwrap();
    let friend = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    relay.send_to(b"hello", friend.local_addr().unwrap()).await.unwrap();
    let mut heard = [0; 100];
    let (length, from) = soon(friend.recv_from(&mut heard)).await.unwrap();
    assert_eq!((&heard[..length], from), (&b"hello"[..], relay.local_addr().unwrap()));
}

#[tokio::test]
async fn credentials_that_ran_out_or_are_somebody_else_s_make_are_refused() {
    let ship = with_own_turn().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let good = sam.get("/api/call/ice").await;
    let with = |field: &str, value: Value| {
        let mut changed = good.clone();
        changed["ice_servers"][0][field] = value;
        changed
    };
    let siris = siri.get("/api/call/ice").await["ice_servers"][0]["credential"].clone();
    let later = format!("9999999999:{}", sam.id);
    for bad in [with("credential", "let me in".into()), with("credential", siris), with("username", later.into())] {
        assert!(soon(client(&bad).await.allocate()).await.is_err(), "{bad}");
    }
    soon(client(&good).await.allocate()).await.unwrap();
    ship.clock.advance(SignedDuration::try_from(TTL).unwrap());
    assert!(soon(client(&good).await.allocate()).await.is_err(), "they have run out");
}
