//! Tests of acknowledgements: when PUBACK is sent, and when it isn't.

use std::time::Duration;

use rstest::rstest;

use super::{
    super::{Gone, Limits, Taken, Why},
    handler::{Fixture, publish},
};

#[rstest]
#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_taken(#[values(4, 5)] level: u8) {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.guest(level, "button").await;
    button.send(&publish(level, 1, 7, "obedio/button/7/pressed", b"{}")).await;
    let handed = fixture.handed().await;
    assert_eq!(handed.message.topic, "obedio/button/7/pressed");
    assert_eq!((&handed.message.payload[..], handed.message.packet_id), (&b"{}"[..], Some(7)));
    assert_eq!((handed.message.qos, handed.message.retain, handed.message.dup), (1, false, false));
    assert_eq!(handed.peer.client_id, "button");
    button.ping().await;
    handed.is(Taken::Done);
    assert_eq!(button.packet().await, [0x40, 2, 0, 7][..]);
}

#[rstest]
#[tokio::test]
async fn acknowledgements_come_in_the_order_of_the_messages(#[values(4, 5)] level: u8) {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.guest(level, "button").await;
    let mut all = Vec::new();
    for id in 1..=5 {
        all.extend(publish(level, 1, id, "t", &[]));
    }
    button.send(&all).await;
    let mut handed = Vec::new();
    for id in 1..=5 {
        let next = fixture.handed().await;
        assert_eq!(next.message.packet_id, Some(id), "handed over in order");
        handed.push(next);
    }
    let first = handed.remove(0);
    for last in handed.into_iter().rev() {
        last.is(Taken::Done);
    }
    button.ping().await;
    first.is(Taken::Done);
    for id in 1..=5 {
        assert_eq!(button.packet().await, [0x40, 2, 0, id][..]);
    }
}

#[tokio::test]
async fn a_message_at_qos_0_is_taken_and_not_acknowledged() {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.guest(4, "button").await;
    button.send(&publish(4, 0, 0, "t", b"x")).await;
    let handed = fixture.handed().await;
    assert_eq!((handed.message.qos, handed.message.packet_id), (0, None));
    handed.is(Taken::Done);
    button.ping().await;
}

#[tokio::test]
async fn flags_are_handed_over() {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.guest(4, "button").await;
    let mut bytes = publish(4, 1, 1, "t", b"x");
    bytes[0] |= 0b1001;
    button.send(&bytes).await;
    let handed = fixture.handed().await;
    assert!(handed.message.retain && handed.message.dup);
}

#[rstest]
#[case(Why::NotAuthorized, 0x87)]
#[case(Why::PayloadInvalid, 0x99)]
#[case(Why::TopicInvalid, 0x90)]
#[tokio::test]
async fn a_refused_message_is_acknowledged_with_the_reason_where_there_are_words_for_it(
    #[case] why: Why,
    #[case] code: u8,
) {
    let mut fixture = Fixture::open().await;
    let mut new = fixture.guest(5, "new").await;
    new.send(&publish(5, 1, 3, "t", b"")).await;
    fixture.handed().await.is(Taken::Refused(why));
    assert_eq!(new.packet().await[..5], [0x40, new_length(), 0, 3, code]);
    let mut old = fixture.guest(4, "old").await;
    old.send(&publish(4, 1, 3, "t", b"")).await;
    fixture.handed().await.is(Taken::Refused(why));
    assert_eq!(old.packet().await, [0x40, 2, 0, 3][..]);
}

/// Returns the remaining length of an MQTT 5 PUBACK: identifier and reason code. Properties are optional (section
/// 3.4.2.2.1).
fn new_length() -> u8 {
    3
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_taken_now_closes_without_acknowledgement(#[values(4, 5)] level: u8) {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.guest(level, "button").await;
    button.send(&[publish(level, 1, 1, "a", b""), publish(level, 1, 2, "b", b"")].concat()).await;
    let (first, second) = (fixture.handed().await, fixture.handed().await);
    second.is(Taken::Done);
    first.is(Taken::NotNow);
    assert_eq!(button.next().await, None, "not even the second, which was taken");
    assert_eq!(fixture.gone().await.1, Gone::Closed);
}

#[tokio::test]
async fn a_take_that_hangs_closes_without_acknowledgement() {
    let limit = Duration::from_millis(200);
    let mut fixture =
        Fixture::with(Limits { take_timeout: limit, drain_timeout: limit, ..Limits::default() }, None).await;
    let mut button = fixture.guest(4, "button").await;
    button.send(&publish(4, 1, 1, "t", b"")).await;
    let hanging = fixture.handed().await;
    button.ping().await;
    assert_eq!(button.next().await, None);
    assert_eq!(fixture.gone().await.1, Gone::Closed);
    hanging.is(Taken::Done);
    fixture.lives().await;
}

#[tokio::test]
async fn an_old_client_may_send_more_than_are_taken_at_once_and_is_still_heard() {
    let mut fixture = Fixture::with(Limits { in_flight: 4, ..Limits::default() }, None).await;
    let mut button = fixture.guest(4, "button").await;
    let all: Vec<u8> = (1..=300).flat_map(|id| publish(4, 1, id, "t", b"")).collect();
    button.send(&all).await;
    let mut four = Vec::new();
    for _ in 0..4 {
        four.push(fixture.handed().await);
    }
    button.ping().await;
    assert!(fixture.is_quiet(), "only four at a time");
    for handed in four {
        handed.is(Taken::Done);
    }
    for id in 5..=300 {
        let handed = fixture.handed().await;
        assert_eq!(handed.message.packet_id, Some(id));
        handed.is(Taken::Done);
    }
    for id in 1..=300_u16 {
        let [high, low] = id.to_be_bytes();
        assert_eq!(button.packet().await, [0x40, 2, high, low][..]);
    }
}

#[tokio::test]
async fn a_flood_is_held_back_and_then_goes_through_whole() {
    let mut fixture = Fixture::with(Limits { in_flight: 2, ..Limits::default() }, None).await;
    let mut button = fixture.guest(4, "button").await;
    let count = 400;
    let sending = tokio::spawn(async move {
        let payload = vec![7; 60_000];
        for id in 1..=count {
            button.send(&publish(4, 1, id, "t", &payload)).await;
        }
        button
    });
    let first = fixture.handed().await;
    assert!(!sending.is_finished(), "24 MB don't fit into what may wait");
    first.is(Taken::Done);
    for _ in 1..count {
        fixture.handed().await.is(Taken::Done);
    }
    let mut button = sending.await.expect("no panic");
    for id in 1..=count {
        let [high, low] = id.to_be_bytes();
        assert_eq!(button.packet().await, [0x40, 2, high, low][..]);
    }
}

#[tokio::test]
async fn a_new_client_that_exceeds_the_receive_maximum_is_told_so() {
    let mut fixture = Fixture::with(Limits { in_flight: 2, ..Limits::default() }, None).await;
    let mut button = fixture.guest(5, "button").await;
    button.send(&(1..=3).flat_map(|id| publish(5, 1, id, "t", b"")).collect::<Vec<_>>()).await;
    assert_eq!(button.packet().await[..3], [0xE0, 1, 0x93]);
    assert_eq!(button.next().await, None);
    fixture.handed().await.is(Taken::Done);
    fixture.handed().await.is(Taken::Done);
    fixture.lives().await;
}

#[tokio::test]
async fn qos_2_is_taken_once_and_confirmed_after_it() {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.guest(4, "button").await;
    let mut again = publish(4, 2, 5, "t", b"");
    again[0] |= 0b1000;
    button.send(&[publish(4, 2, 5, "t", b""), again.clone()].concat()).await;
    let handed = fixture.handed().await;
    button.ping().await;
    handed.is(Taken::Done);
    assert_eq!(button.packet().await, [0x50, 2, 0, 5][..], "PUBREC only now, and one");
    button.send(&again).await;
    assert_eq!(button.packet().await, [0x50, 2, 0, 5][..], "a resend is confirmed again");
    button.send(&[0x62, 2, 0, 5]).await;
    assert_eq!(button.packet().await, [0x70, 2, 0, 5][..]);
    assert!(fixture.is_quiet());
}

#[tokio::test]
async fn a_new_client_is_told_that_there_is_no_qos_2() {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.guest(5, "button").await;
    button.send(&publish(5, 2, 5, "t", b"")).await;
    assert_eq!(button.packet().await[..3], [0xE0, 1, 0x9B]);
    assert_eq!(button.next().await, None);
    assert!(fixture.is_quiet());
}
