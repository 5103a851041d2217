//! Tests of a device that changes networks, which only its own addresses reveal.

use std::net::{IpAddr, Ipv4Addr};

use super::super::volatile_state::Socket;
use super::*;

const WIFI: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 7));
const MOBILE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 8, 7));
const ITSELF: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Device {
    /// Returns a live device with a socket from an address.
    fn live_from(from: IpAddr) -> Self {
        let mut device = Self::live();
        device.stands_from(from);
        device
    }

    fn stands_from(&mut self, from: IpAddr) {
        let socket = self.engine.live.sockets;
        self.take(Input::Opened { socket, from });
    }

    fn moves(&mut self, lost: &[IpAddr], gained: &[IpAddr]) -> Vec<Output> {
        self.take(Input::Addresses { lost: lost.to_vec(), gained: gained.to_vec() })
    }

    fn fails(&mut self) -> Vec<Output> {
        let socket = self.engine.live.sockets;
        self.take(Input::Closed { socket, why: ConnectionError::network("there is no network") })
    }

    fn link(&self) -> Link {
        self.engine.picture(now(self.tick)).status.link
    }
}

/// Returns the outputs about the connection, in order.
fn done(outputs: &[Output]) -> Vec<&'static str> {
    let doing = |output: &Output| match output {
        Output::Moved => Some("leave"),
        Output::Disconnect => Some("close"),
        Output::Connect { .. } => Some("connect"),
        _ => None,
    };
    outputs.iter().filter_map(doing).collect()
}

#[test]
fn a_socket_from_an_address_that_is_gone_is_left_and_the_next_opened_at_once() {
    let mut device = Device::live_from(WIFI);
    let before = device.engine.live.sockets;
    assert_eq!(done(&device.moves(&[WIFI], &[MOBILE])), ["leave", "connect"]);
    assert_eq!(device.engine.live.sockets, before + 1);
    assert_eq!(device.link(), Link::Connecting, "nothing has failed");
    device.frame(FromServer::Welcome { head: 7, server_time: at(0), person_id: siri().id, instance: None });
    assert_eq!(device.link(), Link::Live);
}

#[test]
fn what_the_old_socket_still_says_is_nobodys() {
    let mut device = Device::live_from(WIFI);
    let old = device.engine.live.sockets;
    device.moves(&[WIFI], &[MOBILE]);
    assert_eq!(done(&device.take(Input::Closed { socket: old, why: ConnectionError::network("aborted") })), [""; 0]);
    device.take(Input::Opened { socket: old, from: WIFI });
    assert_eq!(device.engine.live.from, None);
    assert!(matches!(device.engine.live.socket, Socket::Opening { .. }));
}

#[test]
fn a_socket_that_is_fine_is_left_in_peace() {
    let mut device = Device::live_from(WIFI);
    let (lost, gained) = (device.moves(&[MOBILE], &[]), device.moves(&[], &[MOBILE]));
    assert_eq!((done(&lost), done(&gained)), (Vec::new(), Vec::new()));
    // The server is on this machine, which has gone online.
    let mut device = Device::live_from(ITSELF);
    assert_eq!(done(&device.moves(&[ITSELF], &[WIFI])), [""; 0]);
    assert_eq!(device.link(), Link::Live);
}

#[test]
fn without_a_network_it_backs_off_and_is_back_the_moment_that_there_is_one() {
    let mut device = Device::live_from(WIFI);
    assert_eq!(done(&device.moves(&[WIFI], &[])), ["leave", "connect"]);
    for _ in 0..8 {
        assert_eq!(done(&device.fails()), [""; 0], "each failure is waited after");
        device.tick = device.engine.live.retry_at;
        assert_eq!(done(&device.take(Input::Tick)), ["connect"]);
    }
    device.fails();
    assert!(device.engine.live.failures > 8, "it has backed off");
    assert_eq!(done(&device.moves(&[], &[ITSELF])), [""; 0], "that is no network");
    assert_eq!(done(&device.moves(&[ITSELF], &[MOBILE])), ["connect"]);
}

#[test]
fn an_attempt_that_set_out_from_an_address_which_is_gone_is_made_anew() {
    let mut device = Device::live_from(WIFI);
    device.fails();
    device.tick = device.engine.live.retry_at;
    assert_eq!(done(&device.take(Input::Tick)), ["connect"]);
    // The socket isn't connected yet, so its local address is unknown.
    assert_eq!(done(&device.moves(&[WIFI], &[MOBILE])), ["leave", "connect"]);
    device.stands_from(MOBILE);
    assert_eq!(done(&device.moves(&[WIFI], &[])), [""; 0]);
}

#[test]
fn what_waited_for_an_answer_over_the_old_network_is_sent_again_over_the_new_one() {
    let mut device = Device::live_from(WIFI);
    assert_eq!(sent(&device.accept(1).unwrap()), [id(1)]);
    device.moves(&[WIFI], &[MOBILE]);
    let unanswered = Input::Outcomes(Err(Fault::Away(ConnectionError::Moved)));
    assert_eq!(sent(&device.take(unanswered)), Vec::new());
    let welcome = FromServer::Welcome { head: 7, server_time: at(0), person_id: siri().id, instance: None };
    assert_eq!(sent(&device.frame(welcome)), [id(1)], "with no wait");
}
