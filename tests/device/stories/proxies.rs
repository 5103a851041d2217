//! Proxies that block `WebSocket` connections, or refuse some request bodies.

use std::sync::atomic::Ordering;

use crewbell_core::engine::Input;
use crewbell_core::screen::{Ask, AskError, AudioOutputStatus, Notice};
use crewbell_core::store::CommandStatus;
use crewbell_shared::Code;
use crewbell_shared::ids::PersonId;

use crate::device::{Device, accepted_by, request};
use crate::proxy::{DISLIKED, Proxy};
use crate::ship::{Ship, id, soon};

fn has_calls(notices: &[Notice]) -> bool {
    !notices.contains(&Notice::NoCalls)
}

#[tokio::test]
async fn a_device_that_no_socket_gets_through_to_is_live_by_events_until_one_does() {
    let ship = Ship::sail().await;
    let proxy = Proxy::to(ship.server.http).await;
    let siri = Device::of(proxy.address, "Siri").await;
    let picture = siri.live().await;
    assert!(!has_calls(&picture.status.notices), "the person is told");

    siri.handle().input(Input::Ears(AudioOutputStatus::Able));
    let sounding = || ship.site.presence.people().iter().map(|there| there.sounding).sum::<u32>();
    soon(async {
        while sounding() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    ship.gus_in(5).await.press("single").await;
    let called = siri.sees("the card appears", |request| request.place_name == "Cabin 5").await.id;
    siri.rings(Some(called)).await;
    siri.handle().input(Input::Sounded { request_id: called });
    soon(async {
        while ship.site.reach(called, ship.clock.now()).is_none_or(|reach| reach.sounded == 0) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    siri.accepts(called).await.unwrap();
    siri.settled().await;
    siri.sees("it came through", |request| accepted_by(request) == Some("Siri")).await;
    let sam: PersonId = id(1);
    let refused = siri.ask(Ask::Call { person_id: sam, about: None }).await;
    assert!(matches!(&refused, Err(AskError::Refused { refusal }) if refusal.code == Code::NoSocket), "{refused:?}");

    // Entries that were missed while the stream was cut arrive as usual.
    siri.goes_away().await;
    let missed = ship.dana().await.asks_for(2, "ice").await;
    siri.wire.mend();
    siri.rings(Some(missed.parse().unwrap())).await;
    assert!(!has_calls(&siri.live().await.status.notices));

    proxy.lets_sockets_through.store(true, Ordering::SeqCst);
    siri.ask(Ask::Connect).await.unwrap();
    siri.until("a socket stands", |picture| picture.status.link.is_there() && has_calls(&picture.status.notices)).await;
    let busy = siri.ask(Ask::Call { person_id: sam, about: None }).await;
    assert!(busy.is_ok(), "{busy:?}");
}

#[tokio::test]
async fn one_command_that_a_proxy_does_not_like_is_named_and_the_others_go_on() {
    let ship = Ship::sail().await;
    let proxy = Proxy::to(ship.server.http).await;
    proxy.lets_sockets_through.store(true, Ordering::SeqCst);
    let siri = Device::of(proxy.address, "Siri").await;
    ship.gus_in(5).await.press("single").await;
    let called = siri.sees("the card appears", |request| request.place_name == "Cabin 5").await.id;
    for (round, status) in [403, 413].into_iter().enumerate() {
        proxy.refuses_with.store(status, Ordering::SeqCst);
        siri.goes_away().await;
        for text in ["Two towels", DISLIKED, "And a robe"] {
            siri.notes(called, text).await.unwrap();
        }
        siri.wire.mend();
        let picture =
            siri.until("two came through", |picture| picture.status.refused == 1 && picture.status.waiting == 0);
        let outbox = picture.await.outbox;
        let refused = outbox.iter().find(|item| matches!(item.doing, CommandStatus::Refused { .. })).unwrap();
        let CommandStatus::Refused { refusal, .. } = &refused.doing else { panic!("{refused:?}") };
        assert_eq!((refusal.code, &refusal.details["status"]), (Code::Blocked, &status.into()));
        siri.ask(Ask::Discard { command_id: refused.command_id }).await.unwrap();
        let picture = siri.settled().await;
        assert_eq!(request(&picture, called).0.notes.len(), 2 * (round + 1), "{status}");
    }
}
