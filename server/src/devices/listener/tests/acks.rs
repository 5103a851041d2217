//! Tests of lamp messages to the buttons.

use rstest::rstest;

use super::{
    super::{Limits, Outgoing, Taken},
    handler::{Connect, Fixture, packet, publish, subscribe, text},
};

fn suback(level: u8, packet_id: u8, code: u8) -> Vec<u8> {
    if level == 5 { vec![0x90, 4, 0, packet_id, 0, code] } else { vec![0x90, 3, 0, packet_id, code] }
}

fn lamp(level: u8, retain: bool, topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = publish(level, 0, 0, topic, payload);
    bytes[0] |= u8::from(retain);
    bytes
}

#[rstest]
#[tokio::test]
async fn a_subscriber_gets_the_current_state_at_once_and_then_the_changes(#[values(4, 5)] level: u8) {
    let fixture = Fixture::open().await;
    let topic = "obedio/button/7/ack";
    let now = Outgoing { topic: topic.to_owned(), payload: "accepted".into() };
    fixture.judge.state.lock().expect("no panic").insert(topic.to_owned(), now);
    let mut button = fixture.guest(level, "button").await;
    button.send(&subscribe(level, 1, topic)).await;
    assert_eq!(button.packet().await, suback(level, 1, 0));
    assert_eq!(button.packet().await, lamp(level, true, topic, b"accepted"));
    fixture.lamps.publish(topic, b"completed");
    fixture.lamps.publish("obedio/button/8/ack", b"not this one's");
    fixture.lamps.publish(topic, b"open");
    assert_eq!(button.packet().await, lamp(level, false, topic, b"completed"));
    assert_eq!(button.packet().await, lamp(level, false, topic, b"open"));
}

#[rstest]
#[tokio::test]
async fn an_unsubscribed_client_hears_nothing_more(#[values(4, 5)] level: u8) {
    let fixture = Fixture::open().await;
    let mut button = fixture.guest(level, "button").await;
    button.send(&subscribe(level, 1, "a")).await;
    button.packet().await;
    let mut unsubscribe = vec![0, 2];
    unsubscribe.extend((level == 5).then_some(0));
    unsubscribe.extend([text("a"), text("never")].concat());
    button.send(&packet(0xA2, &unsubscribe)).await;
    let unsuback = if level == 5 { vec![0xB0, 5, 0, 2, 0, 0, 0x11] } else { vec![0xB0, 2, 0, 2] };
    assert_eq!(button.packet().await, unsuback);
    fixture.lamps.publish("a", b"x");
    button.ping().await;
}

#[tokio::test]
async fn subscribe_unsubscribe_subscribe_ends_subscribed() {
    let fixture = Fixture::open().await;
    let mut button = fixture.guest(4, "button").await;
    let unsubscribe = packet(0xA2, &[&[0, 2], &text("a")[..]].concat());
    button.send(&[subscribe(4, 1, "a"), unsubscribe, subscribe(4, 3, "a")].concat()).await;
    for _ in 0..3 {
        button.packet().await;
    }
    fixture.lamps.publish("a", b"x");
    assert_eq!(button.packet().await, lamp(4, false, "a", b"x"));
}

#[rstest]
#[case(4, 0x80)]
#[case(5, 0x87)]
#[tokio::test]
async fn wildcards_are_refused_unless_the_intake_allows_them(#[case] level: u8, #[case] refusal: u8) {
    let fixture = Fixture::open().await;
    let mut button = fixture.guest(level, "button").await;
    button.send(&subscribe(level, 1, "#")).await;
    assert_eq!(button.packet().await, suback(level, 1, refusal));
    let mut admin = fixture.client().await;
    admin.send(&Connect { level, username: Some("admin"), ..Connect::default() }.bytes()).await;
    admin.packet().await;
    admin.send(&[subscribe(level, 1, "#"), subscribe(level, 2, "a/+")].concat()).await;
    assert_eq!(admin.packet().await, suback(level, 1, 0));
    assert_eq!(admin.packet().await, suback(level, 2, 0));
    fixture.lamps.publish("a/b", b"x");
    assert_eq!(admin.packet().await, lamp(level, false, "a/b", b"x"), "once, though two filters cover it");
    admin.ping().await;
    button.ping().await;
}

#[tokio::test]
async fn filters_that_make_no_sense_are_refused_one_by_one() {
    let fixture = Fixture::with(Limits { subscriptions: 1, ..Limits::default() }, None).await;
    let mut button = fixture.guest(5, "button").await;
    let mut body = vec![0, 1, 0];
    for filter in ["a#", "$share/g/a", "a", "b", "a"] {
        body.extend(text(filter));
        body.push(0);
    }
    button.send(&packet(0x82, &body)).await;
    assert_eq!(button.packet().await, [0x90, 8, 0, 1, 0, 0x8F, 0x9E, 0, 0x97, 0][..]);
}

#[tokio::test]
async fn a_lamp_of_a_client_that_reads_nothing_is_dropped_and_disturbs_nobody() {
    let mut fixture = Fixture::with(Limits { lamp_room: 4, ..Limits::default() }, None).await;
    let mut deaf = fixture.guest(4, "deaf").await;
    deaf.send(&subscribe(4, 1, "a")).await;
    deaf.packet().await;
    let payload = vec![0; 100_000];
    // More than all buffers in between hold: publishing neither waits nor fails.
    for _ in 0..500 {
        fixture.lamps.publish("a", &payload);
        tokio::task::yield_now().await;
    }
    fixture.lives().await;
    let mut button = fixture.guest(4, "button").await;
    button.send(&publish(4, 1, 1, "t", b"")).await;
    fixture.handed().await.is(Taken::Done);
    assert_eq!(button.packet().await, [0x40, 2, 0, 1][..]);
}
