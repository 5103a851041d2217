//! A foreign server at the ship's address: a hotel's sign-in page, a proxy, a router.

use std::net::SocketAddr;

use std::sync::atomic::Ordering;

use crewbell_core::screen::{Ask, AskError, ConnectionError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::device::{Device, accepted_by};
use crate::proxy::Proxy;
use crate::ship::Ship;

/// Starts a server that gives the same answer to every request.
async fn stranger(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = vec![0; 65536];
                while stream.read(&mut asked).await.is_ok_and(|count| count > 0) {
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

const PORTAL: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 33\r\n\r\n<html>Welcome to our Wi-Fi</html>";
const REDIRECT: &str = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/login\r\ncontent-length: 0\r\n\r\n";
const PROXY: &str = "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 11\r\n\r\nBad Gateway";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: 40\r\n\r\n{\"code\":\"not_signed_in\",\"message\":\"No.\"}";
const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn whatever_a_stranger_answers_nothing_is_refused_and_nothing_is_lost() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    ship.gus_in(5).await.press("single").await;
    let called = siri.sees("the card appears", |request| request.place_name == "Cabin 5").await.id;
    siri.goes_away().await;
    siri.accepts(called).await.unwrap();
    for answer in [PORTAL, REDIRECT, PROXY, FORBIDDEN, EMPTY] {
        siri.wire.lead_to(stranger(answer).await);
        siri.wire.cut();
        siri.wire.mend();
        siri.ask(Ask::Connect).await.unwrap();
        let found = siri.ask(Ask::FindServer { address: siri.wire.base() }).await;
        assert!(matches!(found, Err(AskError::NotCrewbell { .. })), "{answer}: {found:?}");
        let played = siri.ask(Ask::PlayVoice { request_id: called }).await;
        assert!(matches!(played, Err(AskError::Offline { .. })), "{answer}: {played:?}");
        let signed_in = siri.sign_in("Siri").await;
        assert!(matches!(signed_in, Err(AskError::Offline { .. })), "{answer}: {signed_in:?}");
        let picture = siri.look().await;
        assert!(picture.session.is_some(), "{answer}");
        assert_eq!((picture.status.waiting, picture.status.refused), (1, 0), "{answer}");
    }
    siri.wire.lead_to(ship.server.http);
    siri.wire.cut();
    siri.wire.mend();
    siri.ask(Ask::Connect).await.unwrap();
    siri.settled().await;
    siri.sees("it came through", |request| accepted_by(request) == Some("Siri")).await;
}

#[tokio::test]
async fn another_crewbell_at_the_same_address_gets_no_token_and_wipes_nothing() {
    let (ship, other) = (Ship::sail().await, Ship::sail().await);
    // Both databases are copies of one template; a new id makes them separate installations.
    let renamed = sqlx::query("update instance set id = gen_random_uuid()");
    renamed.execute(&mut crate::database::superuser(&other.db).await).await.unwrap();
    let siri = Device::of(ship.server.http, "Siri").await;
    let token = siri.vault.token.lock().unwrap().as_ref().unwrap().rsplit(' ').next().unwrap().to_owned();
    let proxy = Proxy::to(other.server.http).await;
    for sockets in [true, false] {
        proxy.lets_sockets_through.store(sockets, Ordering::SeqCst);
        // Another cabin each time, since an accepted request would ring for Siri again.
        ship.gus_in(if sockets { 5 } else { 4 }).await.press("single").await;
        let called = siri.sees("the card appears", |request| accepted_by(request).is_none()).await.id;
        siri.wire.lead_to(proxy.address);
        siri.wire.cut();
        siri.wire.mend();
        siri.until("Siri is told", |picture| picture.status.trouble == Some(ConnectionError::OtherServer)).await;
        siri.accepts(called).await.unwrap();
        for _ in 0..3 {
            siri.ask(Ask::Connect).await.unwrap();
            let heard = siri.ask(Ask::PlayVoice { request_id: called }).await;
            assert!(matches!(heard, Err(AskError::Offline { .. })), "{heard:?}");
        }
        let picture = siri.look().await;
        assert!(picture.session.is_some() && picture.entities.len() > 10, "nothing is wiped");
        assert_eq!((picture.status.waiting, picture.status.refused), (1, 0));
        siri.wire.lead_to(ship.server.http);
        siri.wire.cut();
        siri.wire.mend();
        siri.ask(Ask::Connect).await.unwrap();
        siri.settled().await;
        siri.sees("it came through", |request| request.id == called && accepted_by(request) == Some("Siri")).await;
    }
    assert!(proxy.has_heard("/api/server") && !proxy.has_heard(&token), "the token was sent to another");
}
