//! Tests of the limits: unauthenticated clients and floods are bounded, and known buttons aren't affected.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use rstest::rstest;
use tokio::net::{TcpSocket, TcpStream};

use super::{
    super::{ClientIssue, Gone, Limits, Taken},
    handler::{Connect, Fixture, ROOM, Raw, publish, soon},
};
use crate::limits::{Budget, Full, MostConnections, raise_descriptors};

/// Opens `count` connections that send nothing; `from` maps a number to the source address.
async fn silent(fixture: SocketAddr, count: u16, from: impl Fn(u16) -> Ipv4Addr) -> Vec<TcpStream> {
    let mut all = Vec::new();
    for number in 0..count {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((from(number), 0).into()).expect("an address of this machine");
        all.push(socket.connect(fixture).await.expect("it listens"));
    }
    all
}

/// Whether the system allows a test so many open files; reports the test as skipped otherwise.
fn may_open(files: usize) -> bool {
    let may = raise_descriptors();
    if may < files {
        crewbell_shared::testing::skipped(&format!("the system allows {may} open files, and this needs {files}"));
    }
    may >= files
}

#[tokio::test]
async fn fifteen_hundred_silent_connections_keep_no_button_out() {
    if !may_open(4096) {
        return;
    }
    let fixture = Fixture::open().await.takes_all();
    let mut slowest = Duration::ZERO;
    let mut held = Vec::new();
    for wave in 0..5 {
        // From the buttons' own address, and from three others.
        held.extend(silent(fixture, 300, |n| Ipv4Addr::new(127, 0, 0, 1 + u8::try_from(n % 4).expect("small"))).await);
        for button in 0..10 {
            let began = Instant::now();
            let mut client = Raw::guest(fixture, 4 + button % 2, &format!("button-{button}")).await;
            client.send(&publish(4 + button % 2, 1, 1, "obedio/button/7/pressed", b"{}")).await;
            assert_eq!(client.packet().await, [0x40, 2, 0, 1][..], "wave {wave}");
            slowest = slowest.max(began.elapsed());
        }
    }
    assert_eq!(held.len(), 1500);
    println!("the slowest of 50 buttons that came back and pressed took {slowest:?}");
}

#[tokio::test]
async fn strangers_who_hold_all_their_places_make_room_for_whoever_comes() {
    let most = MostConnections { unauthenticated: 12, unauthenticated_per_address: 4, ..ROOM };
    let mut fixture = Fixture::for_most(most, Limits::default(), None).await;
    let held = silent(fixture.addr, 12, |n| Ipv4Addr::new(127, 0, 1, 1 + u8::try_from(n / 4).expect("small"))).await;
    for _ in 0..20 {
        fixture.lives().await;
    }
    // A single address is limited to four.
    let more = silent(fixture.addr, 40, |_| Ipv4Addr::new(127, 0, 2, 1)).await;
    fixture.lives().await;
    drop((held, more));
}

#[tokio::test]
async fn who_finds_no_room_is_told_and_those_with_a_secret_of_their_own_have_some_left() {
    let most = MostConnections { signed_in: 3, shared: 2, shared_per_address: 2, ..ROOM };
    let fixture = Fixture::for_most(most, Limits::default(), None).await;
    let shared = [fixture.guest(4, "one").await, fixture.guest(5, "two").await];
    for (level, answer) in [(4, &[0x20, 2, 0, 3][..]), (5, &[0x20, 3, 0, 0x97, 0])] {
        let mut third = fixture.client().await;
        third.send(&Connect { level, client_id: "three", ..Connect::default() }.bytes()).await;
        assert_eq!(third.packet().await, answer);
        assert_eq!(third.next().await, None);
    }
    assert_eq!(fixture.connections.is_full(), Some(Full::Shared));
    let mut known = fixture.client().await;
    known.send(&Connect { username: Some("cabin-1"), ..Connect::default() }.bytes()).await;
    assert_eq!(known.packet().await, [0x20, 2, 0, 0][..]);
    assert_eq!(fixture.connections.is_full(), Some(Full::SignedIn));
    drop((shared, known));
    while fixture.connections.is_full().is_some() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[rstest]
#[tokio::test]
async fn of_one_device_the_oldest_connections_end(#[values(4, 5)] level: u8) {
    let mut fixture = Fixture::with(Limits { of_a_device: 3, ..Limits::default() }, None).await;
    let connects = async |fixture: &Fixture, client_id: &str| {
        let (username, will) = (Some("cabin-1"), Some(("w", "lost")));
        let mut client = fixture.client().await;
        client.send(&Connect { level, client_id, username, will, ..Connect::default() }.bytes()).await;
        assert_eq!(client.packet().await[0], 0x20);
        client
    };
    let mut open = Vec::new();
    for client_id in ["c0", "c1", "c2", "c3"] {
        open.push(connects(&fixture, client_id).await);
    }
    let mut oldest = open.remove(0);
    if level == 5 {
        assert_eq!(oldest.packet().await[..3], [0xE0, 1, 0x97], "it isn't its client that came again");
    }
    assert_eq!(oldest.next().await, None);
    drop(oldest);
    let will = fixture.handed().await;
    let number = will.peer.connection;
    assert_eq!(will.message.topic, "w", "as of any client that is cut off");
    will.is(Taken::Done);
    assert_eq!(fixture.gone().await, (number, Gone::Lost));
    // A client that comes again takes its own place, and no other's.
    let again = connects(&fixture, "c3").await;
    assert_eq!(fixture.gone().await.1, Gone::TakenOver);
    open[2] = again;
    for client in &mut open {
        client.ping().await;
    }
    assert!(fixture.is_quiet());
}

#[tokio::test]
async fn twenty_boards_with_one_client_id_all_ring_and_it_is_told_once() {
    let fixture = Fixture::open().await;
    let judge = std::sync::Arc::clone(&fixture.judge);
    let fixture = fixture.takes_all();
    let mut boards: Vec<Raw> = Vec::new();
    for _ in 0..20 {
        boards.push(Raw::guest(fixture, 4, "esp32").await);
    }
    // The first ones were taken over, as the standard requires for one client; they reconnect, and stay.
    for board in &mut boards {
        board.send(&publish(4, 1, 1, "obedio/button/7/pressed", b"{}")).await;
        if board.next().await.is_none() {
            *board = Raw::guest(fixture, 4, "esp32").await;
        }
    }
    for round in 2..5 {
        for board in &mut boards {
            board.send(&publish(4, 1, round, "obedio/button/7/pressed", b"{}")).await;
            assert_eq!(board.packet().await, [0x40, 2, 0, u8::try_from(round).expect("small")][..]);
        }
    }
    assert_eq!(*judge.troubles.lock().expect("no panic"), [("esp32".to_owned(), ClientIssue::SharedClientId)]);
}

#[tokio::test]
async fn a_device_that_floods_is_read_slowly_and_told_of_and_loses_nothing() {
    let fixture = Fixture::with(Limits { pace: (20, 100), ..Limits::default() }, None).await;
    let judge = std::sync::Arc::clone(&fixture.judge);
    let fixture = fixture.takes_all();
    let mut flooding = Raw::connect(fixture).await;
    flooding.send(&Connect { username: Some("cabin-1"), ..Connect::default() }.bytes()).await;
    flooding.packet().await;
    let began = Instant::now();
    let mut all: Vec<u8> = Vec::new();
    for id in 1..=50 {
        all.extend(publish(4, 1, id, "t", b""));
    }
    flooding.send(&all).await;
    let mut calm = Raw::connect(fixture).await;
    calm.send(&Connect { username: Some("cabin-2"), client_id: "calm", ..Connect::default() }.bytes()).await;
    calm.packet().await;
    calm.send(&publish(4, 1, 1, "t", b"")).await;
    assert_eq!(calm.packet().await, [0x40, 2, 0, 1][..]);
    for id in 1..=50 {
        assert_eq!(flooding.packet().await, [0x40, 2, 0, id][..]);
    }
    flooding.ping().await;
    assert!(began.elapsed() >= Duration::from_millis(280), "{:?}", began.elapsed());
    assert_eq!(*judge.troubles.lock().expect("no panic"), [("button".to_owned(), ClientIssue::Flood)]);
}

#[tokio::test]
async fn bytes_that_wait_are_bounded_over_all_connections_and_presses_get_through() {
    let limits = Limits { waiting: Budget::new(250 * 1024), ..Limits::default() };
    let mut fixture = Fixture::with(limits, None).await;
    let large = vec![b'x'; 100 * 1024];
    let mut greedy = fixture.guest(4, "greedy").await;
    let mut pending = Vec::new();
    for id in 1..=2 {
        greedy.send(&publish(4, 1, id, "t", &large)).await;
        pending.push(fixture.handed().await);
    }
    // The third isn't read completely while the others wait; another client's small one is.
    greedy.send(&publish(4, 1, 3, "t", &large)).await;
    let mut button = fixture.guest(4, "button").await;
    button.send(&publish(4, 1, 1, "t", b"press")).await;
    let press = fixture.handed().await;
    assert_eq!(&press.message.payload[..], b"press");
    press.is(Taken::Done);
    assert_eq!(button.packet().await, [0x40, 2, 0, 1][..]);
    // A client that sends an incomplete large message is disconnected meanwhile.
    let mut late = fixture.guest(4, "late").await;
    late.send(&publish(4, 1, 1, "t", &large)[..90 * 1024]).await;
    assert_eq!(late.next().await, None);
    for handed in pending {
        handed.is(Taken::Done);
    }
    for id in 1..=2 {
        assert_eq!(greedy.packet().await, [0x40, 2, 0, id][..]);
    }
    fixture.handed().await.is(Taken::Done);
    assert_eq!(soon(greedy.packet()).await, [0x40, 2, 0, 3][..]);
}
