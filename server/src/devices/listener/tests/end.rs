//! Tests of the end of connections: last wills, pending messages and shutdown.

use std::time::Duration;

use rstest::rstest;

use super::{
    super::{Gone, Limits, Taken},
    handler::{Connect, Fixture, publish, soon},
};

fn with_will(level: u8) -> Vec<u8> {
    Connect { level, will: Some(("obedio/button/7/status", "offline")), ..Connect::default() }.bytes()
}

#[rstest]
#[tokio::test]
async fn a_cut_socket_fires_the_will_after_what_was_pending(#[values(4, 5)] level: u8) {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.client().await;
    button.send(&[with_will(level), publish(level, 1, 1, "last", b"")].concat()).await;
    let last = fixture.handed().await;
    drop(button);
    last.is(Taken::Done);
    let will = fixture.handed().await;
    assert_eq!((will.message.topic.as_str(), &will.message.payload[..]), ("obedio/button/7/status", &b"offline"[..]));
    assert!(!will.message.retain, "it is news, though its sender wants it kept");
    assert_eq!(will.message.packet_id, None);
    will.is(Taken::Done);
    assert_eq!(fixture.gone().await.1, Gone::Lost);
}

#[rstest]
#[tokio::test]
async fn a_clean_disconnect_has_no_will_and_loses_nothing(#[values(4, 5)] level: u8) {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.client().await;
    let parting = [with_will(level), publish(level, 1, 1, "last", b""), vec![0xE0, 0]].concat();
    button.send(&parting).await;
    fixture.handed().await.is(Taken::Done);
    button.packet().await;
    assert_eq!(button.packet().await, [0x40, 2, 0, 1][..]);
    assert_eq!(button.next().await, None);
    assert_eq!(fixture.gone().await.1, Gone::Clean);
    assert!(fixture.is_quiet());
}

#[tokio::test]
async fn a_disconnect_that_asks_for_the_will_gets_it() {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.client().await;
    button.send(&[with_will(5), vec![0xE0, 1, 4]].concat()).await;
    fixture.handed().await.is(Taken::Done);
    assert_eq!(fixture.gone().await.1, Gone::Lost);
}

#[rstest]
#[tokio::test]
async fn who_falls_silent_is_lost_after_one_and_a_half_times_the_keep_alive(#[values(4, 5)] level: u8) {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.client().await;
    let will = Some(("w", "lost"));
    button.send(&Connect { level, keep_alive: 1, will, ..Connect::default() }.bytes()).await;
    button.packet().await;
    let started = std::time::Instant::now();
    assert_eq!(button.next().await, None);
    assert!(started.elapsed() > Duration::from_millis(1400), "{:?}", started.elapsed());
    drop(button);
    fixture.handed().await.is(Taken::Done);
    assert_eq!(fixture.gone().await.1, Gone::Lost);
}

#[tokio::test]
async fn a_half_open_socket_ends_though_a_take_hangs() {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.client().await;
    let opening = Connect { keep_alive: 1, ..Connect::default() }.bytes();
    button.send(&[opening, publish(4, 1, 1, "t", b"")].concat()).await;
    let hanging = fixture.handed().await;
    button.packet().await;
    assert_eq!(button.next().await, None);
    hanging.is(Taken::Done);
    assert_eq!(fixture.gone().await.1, Gone::Lost);
}

#[rstest]
#[tokio::test]
async fn shutdown_finishes_what_is_pending_and_closes_without_a_word(#[values(4, 5)] level: u8) {
    let mut fixture = Fixture::open().await;
    let mut button = fixture.client().await;
    button.send(&[with_will(level), publish(level, 1, 1, "t", b"")].concat()).await;
    button.packet().await;
    let pending = fixture.handed().await;
    let mut idle = fixture.guest(level, "idle").await;
    fixture.shutdown.cancel();
    assert_eq!(idle.next().await, None);
    assert_eq!(fixture.gone().await.1, Gone::Closed);
    // Messages sent after the shutdown aren't read.
    button.send(&publish(level, 1, 2, "t", b"")).await;
    pending.is(Taken::Done);
    assert_eq!(button.packet().await, [0x40, 2, 0, 1][..]);
    assert_eq!(button.next().await, None);
    drop((button, idle));
    soon(&mut fixture.running).await.expect("no panic");
    assert_eq!(fixture.gone().await.1, Gone::Closed);
    assert!(fixture.is_quiet(), "no will, and not the message that came too late");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_ever() {
    let limits = Limits { drain_timeout: Duration::from_millis(100), ..Limits::default() };
    let mut fixture = Fixture::with(limits, None).await;
    let mut button = fixture.guest(4, "button").await;
    let _silent = fixture.client().await;
    button.send(&publish(4, 1, 1, "t", b"")).await;
    let _hanging = fixture.handed().await;
    fixture.shutdown.cancel();
    assert_eq!(button.next().await, None);
    drop(button);
    soon(&mut fixture.running).await.expect("no panic");
}
