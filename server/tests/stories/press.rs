//! A press from the button to the live sockets.

use serde_json::json;

use crate::ship::Ship;

#[tokio::test]
async fn a_press_is_in_the_database_before_the_button_hears_of_it_and_on_every_screen() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let (mut sams, mut siris) = (sam.screen(None).await, siri.screen(None).await);
    let mut gus = ship.gus_in(5).await;

    let press_id = gus.press("single").await;
    assert_eq!(ship.count("select count(*) from presses where request_id is not null").await, 1);

    for screen in [&mut sams, &mut siris] {
        let entry = screen.see("request_created").await;
        assert_eq!(entry["payload"]["place_name"], "Cabin 5");
        assert_eq!(entry["payload"]["last_press_id"], press_id.as_str());
        assert_eq!(entry["payload"]["state"], "open");
        assert_eq!(entry["payload"]["guest_id"], "00000000-0000-0000-0000-000000000005");
        assert_eq!(entry["meta"]["source"], "device");
    }
    ship.server.stop().await;
}

#[tokio::test]
async fn the_same_press_sent_twice_is_one_press() {
    let ship = Ship::sail().await;
    let mut gus = ship.gus_in(1).await;
    for _ in 0..3 {
        gus.press_as("boot-1", "single", "main").await;
    }
    assert_eq!(ship.count("select count(*) from presses").await, 1);
    assert_eq!(ship.count("select press_count::bigint from requests").await, 1);
}

#[tokio::test]
async fn a_guest_who_presses_again_has_one_card_that_counts() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut screen = sam.screen(None).await;
    let mut gus = ship.gus_in(2).await;
    gus.press("single").await;
    gus.press("single").await;
    screen.see("request_created").await;
    let again = screen.see("request_pressed_again").await;
    assert_eq!(again["payload"]["press_count"], 2);
    assert_eq!(again["payload"]["changed_fields"], json!(["last_press_at", "last_press_id", "press_count"]));
    assert_eq!(sam.open_requests().await.len(), 1);
    assert_eq!(ship.count("select count(*) from presses").await, 2);
}

#[tokio::test]
async fn after_the_window_a_press_is_a_new_request() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut gus = ship.gus_in(2).await;
    gus.press("single").await;
    ship.clock.advance(jiff::SignedDuration::from_secs(21));
    gus.press("single").await;
    assert_eq!(sam.open_requests().await.len(), 2);
}
