//! External broker: the buttons connect to a Mosquitto, and the server is its client.

use std::time::Duration;

use crewbell_shared::testing::skipped;
use serde_json::{Value, json};

use crate::foreign::until;
use crate::log_output::Words;
use crate::mosquitto::Broker;
use crate::ship::{Ship, soon};
use crate::wire::reckoning::{Reckoning, reckon};
use crate::wire::{Stormer, Storming, Wire};

const PRESSED: &str = "obedio/button/cabin-1/pressed";

/// Creates a ship that has subscribed to the broker, and in which each press makes a request of its own.
async fn ship_by(broker: &Broker) -> Ship {
    let ship = Box::pin(Ship::sail_by(broker.settings())).await;
    ship.settings(|settings| settings.press_window_s = 0).await;
    broker.subscribed(1).await;
    ship
}

fn press(id: &str) -> Value {
    json!({ "press_id": id, "kind": "single", "key": "main" })
}

async fn a_press_rings_and_lights_the_lamp(version: &'static str) {
    let broker = Broker::start().await;
    let ship = ship_by(&broker).await;
    let siri = ship.siri().await;
    let mut screen = siri.screen(None).await;
    let button = broker.client(version);
    let mut lamp = button.listen("obedio/button/cabin-1/ack").await;

    button.say(PRESSED, &press("7-1")).await;
    let rings = screen.see("request_created").await;
    assert_eq!(
        (&rings["payload"]["place_name"], &rings["payload"]["last_press_id"]),
        (&json!("Cabin 1"), &json!("7-1"))
    );
    let request = rings["payload"]["id"].as_str().unwrap();
    let received = lamp.hear().await;
    assert_eq!((&received["state"], &received["press_id"]), (&json!("received"), &json!("7-1")));
    assert_eq!(received["request_id"], request);
    for (verb, state) in [("accept", "accepted"), ("complete", "completed")] {
        siri.answer(request, verb).await;
        let shown = lamp.hear().await;
        assert_eq!((&shown["state"], &shown["by"]), (&json!(state), &json!("Siri")));
    }
}

#[tokio::test]
async fn a_press_at_the_broker_rings_and_its_lamp_tells_the_story_by_mqtt_3() {
    Box::pin(a_press_rings_and_lights_the_lamp("mqttv311")).await;
}

#[tokio::test]
async fn a_press_at_the_broker_rings_and_its_lamp_tells_the_story_by_mqtt_5() {
    Box::pin(a_press_rings_and_lights_the_lamp("mqttv5")).await;
}

#[tokio::test]
async fn what_was_pressed_while_the_server_was_stopped_rings_when_it_is_back_once() {
    let broker = Broker::start().await;
    let ship = ship_by(&broker).await;
    let button = broker.client("mqttv311");
    button.say(PRESSED, &press("7-1")).await;
    until("the first press is recorded", || async { ship.count("select count(*) from presses").await == 1 }).await;
    let cursor = u64::try_from(ship.count("select head from sites").await).unwrap();

    let ship = ship
        .stopped_while(async {
            // The press that was acknowledged before comes again too, as from a button that missed the PUBACK.
            for id in ["7-1", "7-2", "7-3", "7-3"] {
                button.say(PRESSED, &press(id)).await;
            }
        })
        .await;
    let mut screen = ship.sam().await.screen(Some(cursor)).await;
    for id in ["7-2", "7-3"] {
        assert_eq!(screen.see("request_created").await["payload"]["last_press_id"], id, "in the order of the presses");
    }

    let ship = ship.restart().await;
    broker.subscribed(3).await;
    button.say(PRESSED, &press("7-4")).await;
    until("the last press is recorded", || async {
        ship.count("select count(*) from presses where device_press_id = '7-4'").await == 1
    })
    .await;
    assert_eq!(ship.count("select count(*) from presses").await, 4);
    assert_eq!(ship.count("select sum(press_count)::bigint from requests").await, 4, "what rang doesn't ring again");
}

#[tokio::test]
async fn a_retained_press_does_not_ring_when_the_server_connects_nor_when_it_comes_back() {
    let broker = Broker::start().await;
    let button = broker.client("mqttv5");
    assert!(button.tell(PRESSED, press("old").to_string().as_bytes(), true).await, "kept by the broker");
    let mut ship = ship_by(&broker).await;
    for times in 1..=3 {
        broker.subscribed(times).await;
        // The broker sends retained messages before any new one.
        button.say(PRESSED, &press(&format!("new-{times}"))).await;
        until("the new press rings", || async {
            ship.count("select count(*) from requests").await == i64::try_from(times).unwrap()
        })
        .await;
        assert_eq!(ship.count("select count(*) from presses where device_press_id = 'old'").await, 0);
        until("the administrator sees why the old one didn't", || async {
            let retained =
                "select coalesce(sum(times), 0)::bigint from unrecognised_messages where reason = 'retained'";
            ship.count(retained).await == i64::try_from(times).unwrap()
        })
        .await;
        ship = ship.restart().await;
    }
}

fn storm(broker: &Broker) -> Vec<Stormer> {
    let storming = |cabin| Storming {
        to: broker.address,
        device: format!("cabin-{cabin}"),
        user: String::new(),
        password: String::new(),
        window: 8,
        pause: Duration::from_millis(4),
    };
    (1..4).map(|cabin| Stormer::begin(storming(cabin))).collect()
}

fn heard(storm: &[Stormer]) -> usize {
    storm.iter().map(Stormer::count).sum()
}

/// Ends the presses, and checks that the server has recorded all that the broker acknowledged, each once. Returns their
/// number and the number of resends.
async fn reckoned(ship: &Ship, storm: Vec<Stormer>) -> (usize, usize) {
    let (reckoning, resent) = reckoned_but(ship, storm, 0).await;
    (reckoning.acknowledged, resent)
}

/// Does the same where a killed broker may have lost up to `most_lost` presses.
async fn reckoned_but(ship: &Ship, storm: Vec<Stormer>, most_lost: usize) -> (Reckoning, usize) {
    let (mut acknowledged, mut resent) = (Vec::new(), 0);
    for stormer in storm {
        let (presses, again) = stormer.calm(Duration::from_mins(1)).await;
        acknowledged.extend(presses);
        resent += again;
    }
    let mut root = crate::database::superuser(&ship.db).await;
    let mut reckoning = reckon(&mut root, &acknowledged).await;
    let mut unchanged = 0;
    for _ in 0..600 {
        if reckoning.lost == 0 || (most_lost > 0 && unchanged > 80) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        let now = reckon(&mut root, &acknowledged).await;
        unchanged = if now == reckoning { unchanged + 1 } else { 0 };
        reckoning = now;
    }
    assert_eq!((reckoning.acknowledged, reckoning.doubled, reckoning.gaps), (acknowledged.len(), 0, 0));
    assert!(reckoning.lost <= most_lost, "{} lost, {most_lost} at most", reckoning.lost);
    (reckoning, resent)
}

/// Number of presses that a killed broker can lose. Mosquitto acknowledges a press before it has forwarded it, and
/// holds it in memory meanwhile. The bound is the number of unacknowledged presses: three buttons, eight each.
const HELD: usize = 3 * 8;

#[tokio::test]
async fn a_broker_killed_in_a_storm_loses_only_what_it_had_not_handed_on_and_nothing_is_doubled() {
    let mut broker = Broker::start().await;
    let ship = ship_by(&broker).await;
    let mut screen = ship.sam().await.screen(None).await;
    let storm = storm(&broker);
    for kills in 1..=3 {
        let before = heard(&storm);
        until("the storm is on", || async { heard(&storm) > before + 100 }).await;
        if kills == 2 {
            // The broker acknowledges too fast for a kill in between: suspended for a moment, it leaves presses
            // unacknowledged.
            broker.freeze();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        broker.kill().await;
        broker.start_again().await;
        broker.subscribed(kills + 1).await;
    }
    let (Reckoning { acknowledged, lost, .. }, resent) = reckoned_but(&ship, storm, 3 * HELD).await;
    assert!(resent > 0, "something was on its way when it happened");
    println!("acknowledged {acknowledged}, sent again {resent}, lost with the broker {lost}, doubled 0");
    let head = u64::try_from(ship.count("select head from sites").await).unwrap();
    while screen.cursor < head {
        screen.next().await;
    }
}

#[tokio::test]
async fn a_button_that_floods_behind_the_broker_is_told_of_and_delays_nobody_and_nothing_of_it_is_lost() {
    const FLOOD: u16 = 600;
    let broker = Broker::start().await;
    let ship = Box::pin(Ship::sail_by(broker.settings())).await;
    broker.subscribed(1).await;
    let (words, _guard) = Words::listen();
    let mut screen = ship.sam().await.screen(None).await;
    let flood = Wire::connect(broker.address, "stuck", None).await.unwrap().flood(PRESSED, FLOOD);
    let (flooded, ()) = tokio::join!(soon(flood), async {
        screen.see("request_created").await;
        // Another button presses while the server still reads the flood that the broker has queued.
        broker.client("mqttv5").say("obedio/button/cabin-2/pressed", &press("2-1")).await;
        assert_eq!(screen.see("request_created").await["payload"]["place_name"], "Cabin 2");
    });
    flooded.unwrap();
    until("all of it is recorded", || async {
        ship.count("select count(*) from presses").await == i64::from(FLOOD) + 1
    })
    .await;
    // The rate limit: a burst of two hundred, and a hundred in each second.
    let took = "select (extract(epoch from max(received_at) - min(received_at)) * 1000)::bigint from presses";
    if 200 + ship.count(took).await / 10 >= i64::from(FLOOD) {
        return skipped("this machine takes fewer presses in a second than a device may make");
    }
    until("the administrator sees it", || async {
        ship.count("select count(*) from unrecognised_messages where reason = 'flood' and device = 'cabin-1'").await
            == 1
    })
    .await;
    assert_eq!(ship.count("select count(*) from unrecognised_messages").await, 1, "of nobody else");
    assert_eq!(words.times("A device presses faster than any finger"), 1, "and the log says it once");
}

#[tokio::test]
async fn of_two_servers_one_is_connected_and_when_it_stops_the_other_goes_on() {
    let broker = Broker::start().await;
    let ship = ship_by(&broker).await;
    let (words, _guard) = Words::listen();
    let twin = ship.twin().await;
    words.hear("this one stands by").await;
    let mut screen = twin.sam().await.screen(None).await;
    let storm = storm(&broker);
    until("the storm is on", || async { heard(&storm) > 100 }).await;
    screen.see("request_created").await;
    assert_eq!(broker.connected(), 1, "the twin sees the presses in the log and leaves the broker alone");

    ship.server.stop().await;
    broker.subscribed(2).await;
    let before = heard(&storm);
    until("the storm goes on", || async { heard(&storm) > before + 100 }).await;
    let (acknowledged, _) = reckoned(&twin, storm).await;
    println!("acknowledged {acknowledged}, lost 0, doubled 0");
    assert_eq!((broker.connected(), broker.said("already connected")), (2, 0), "they never were there together");
    let head = u64::try_from(twin.count("select head from sites").await).unwrap();
    while screen.cursor < head {
        screen.next().await;
    }
}

#[tokio::test]
async fn a_server_whose_lease_is_cut_leaves_no_press_behind_and_rings_none_twice() {
    let broker = Broker::start().await;
    let ship = ship_by(&broker).await;
    let (words, _guard) = Words::listen();
    let twin = ship.twin().await;
    words.hear("this one stands by").await;
    let storm = storm(&broker);
    until("the storm is on", || async { heard(&storm) > 100 }).await;
    let cut = "select count(pg_terminate_backend(pid)) from pg_locks join pg_database d on d.oid = database \
               where locktype = 'advisory' and datname = current_database()";
    assert_eq!(ship.count(cut).await, 1, "one connection holds the lease");
    words.hear("This node has lost the broker's lease.").await;
    broker.subscribed(2).await;
    let before = heard(&storm);
    until("the storm goes on", || async { heard(&storm) > before + 100 }).await;
    let (acknowledged, _) = reckoned(&twin, storm).await;
    println!("acknowledged {acknowledged}, lost 0, doubled 0");
}
