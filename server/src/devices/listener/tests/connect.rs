//! Tests of CONNECT: the clients that are accepted, and the answers to the others.

use std::time::Duration;

use rstest::rstest;

use super::{
    super::{Gone, Limits, Taken},
    handler::{Connect, Fixture, packet, publish, text},
};

#[rstest]
#[case("wrong", 4, 0x86)]
#[case("barred", 5, 0x87)]
#[case("later", 3, 0x88)]
#[tokio::test]
async fn those_who_are_not_let_in_are_told_why(#[case] username: &str, #[case] old: u8, #[case] new: u8) {
    let fixture = Fixture::open().await;
    for (level, answer) in [(4, vec![0x20, 2, 0, old]), (5, vec![0x20, 3, 0, new, 0])] {
        let mut client = fixture.client().await;
        client.send(&Connect { level, username: Some(username), ..Connect::default() }.bytes()).await;
        assert_eq!(client.packet().await, answer);
        assert_eq!(client.next().await, None);
    }
}

#[tokio::test]
async fn other_versions_are_told_so() {
    let fixture = Fixture::open().await;
    let mut client = fixture.client().await;
    client.send(&packet(0x10, &[&b"\0\x06MQIsdp\x03\x02\0\x3c"[..], &text("old")].concat())).await;
    assert_eq!(client.packet().await, [0x20, 2, 0, 1][..]);
    assert_eq!(client.next().await, None);
    let mut client = fixture.client().await;
    client.send(&Connect { level: 6, ..Connect::default() }.bytes()).await;
    assert_eq!(client.packet().await, [0x20, 3, 0, 0x84, 0][..]);
    assert_eq!(client.next().await, None);
}

#[tokio::test]
async fn the_nameless_get_a_name_unless_they_want_to_be_remembered() {
    let mut fixture = Fixture::open().await;
    let mut new = fixture.client().await;
    new.send(&Connect { level: 5, client_id: "", ..Connect::default() }.bytes()).await;
    let connack = new.packet().await;
    assert_eq!(connack[3], 0);
    new.send(&publish(5, 0, 0, "t", b"")).await;
    let named = fixture.handed().await.peer.client_id;
    assert!(!named.is_empty());
    assert!(connack.windows(named.len()).any(|part| part == named.as_bytes()), "it is told its name");
    let mut old = fixture.client().await;
    old.send(&Connect { client_id: "", ..Connect::default() }.bytes()).await;
    assert_eq!(old.packet().await, [0x20, 2, 0, 0][..]);
    old.send(&publish(4, 0, 0, "t", b"")).await;
    assert_ne!(fixture.handed().await.peer.client_id, named);
    let mut old = fixture.client().await;
    old.send(&Connect { client_id: "", clean: false, ..Connect::default() }.bytes()).await;
    assert_eq!(old.packet().await, [0x20, 2, 0, 2][..]);
    assert_eq!(old.next().await, None);
}

#[tokio::test]
async fn a_new_client_is_told_the_limits_and_that_nothing_is_kept() {
    let fixture = Fixture::open().await;
    let mut client = fixture.client().await;
    client.send(&Connect { level: 5, keep_alive: 0, clean: false, ..Connect::default() }.bytes()).await;
    let connack = client.packet().await;
    assert_eq!(connack[2], 0, "no session");
    let told = |property: &[u8]| connack.windows(property.len()).any(|part| part == property);
    assert!(told(&[17, 0, 0, 0, 0]), "session expiry");
    assert!(told(&[33, 0, 64]), "receive maximum");
    assert!(told(&[36, 1]), "maximum QoS");
    assert!(told(&[39, 0, 8, 0, 0]), "maximum packet size");
    assert!(told(&[34, 0, 0]), "topic aliases");
    assert!(told(&[19, 1, 44]), "server keep-alive");
}

#[tokio::test]
async fn what_is_sent_right_behind_connect_is_not_lost() {
    let mut fixture = Fixture::open().await;
    let mut client = fixture.client().await;
    client.send(&[Connect::default().bytes(), publish(4, 1, 1, "t", b"x")].concat()).await;
    fixture.handed().await.is(Taken::Done);
    assert_eq!(client.packet().await, [0x20, 2, 0, 0][..]);
    assert_eq!(client.packet().await, [0x40, 2, 0, 1][..]);
}

#[tokio::test]
async fn who_says_nothing_is_closed() {
    let limits = Limits { connect_timeout: Duration::from_millis(100), ..Limits::default() };
    let fixture = Fixture::with(limits, None).await;
    let mut silent = fixture.client().await;
    assert_eq!(silent.next().await, None);
    let mut slow = fixture.client().await;
    slow.send(&Connect::default().bytes()[..9]).await;
    assert_eq!(slow.next().await, None);
}

#[rstest]
#[tokio::test]
async fn the_same_client_takes_over_its_older_connection(#[values(4, 5)] level: u8) {
    let mut fixture = Fixture::open().await;
    let will = Some(("w", "lost"));
    let connect = Connect { level, will, ..Connect::default() }.bytes();
    let mut older = fixture.client().await;
    older.send(&connect).await;
    older.packet().await;
    older.send(&publish(level, 1, 1, "t", b"")).await;
    let pending = fixture.handed().await;
    let mut newer = fixture.client().await;
    newer.send(&connect).await;
    newer.packet().await;
    if level == 5 {
        assert_eq!(older.packet().await[..3], [0xE0, 1, 0x8E]);
    }
    assert_eq!(older.next().await, None);
    let number = pending.peer.connection;
    pending.is(Taken::Done);
    assert_eq!(fixture.gone().await, (number, Gone::TakenOver));
    assert!(fixture.is_quiet(), "no will: it isn't gone");
    newer.ping().await;
}

#[tokio::test]
async fn another_principal_cannot_throw_a_client_off_by_its_name() {
    let fixture = Fixture::open().await;
    let mut victim = fixture.guest(4, "button").await;
    let mut other = fixture.client().await;
    other.send(&Connect { username: Some("other"), ..Connect::default() }.bytes()).await;
    assert_eq!(other.packet().await, [0x20, 2, 0, 0][..]);
    victim.ping().await;
    other.ping().await;
}
