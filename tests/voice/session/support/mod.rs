//! Two ends of a call in one process, and helpers to observe them.
#![allow(dead_code, unreachable_pub, reason = "each test program uses its part of it")]

pub mod devices;
#[cfg(target_os = "linux")]
pub mod machines;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use crewbell_voice::Packet;
use crewbell_voice::session::{Addresses, Event, MediaSession, Options, PacketSink, SessionError, WebRtcSession};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The received packets and their times.
#[derive(Clone, Default)]
pub struct Heard {
    packets: Arc<Mutex<Vec<(Instant, Packet)>>>,
}

impl Heard {
    pub fn sink(&self) -> PacketSink {
        let packets = Arc::clone(&self.packets);
        Arc::new(move |packet| packets.lock().unwrap().push((Instant::now(), packet)))
    }

    pub fn all(&self) -> Vec<(Instant, Packet)> {
        self.packets.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.packets.lock().unwrap().len()
    }

    /// Returns the time of the first packet after `start`.
    pub fn first_after(&self, start: Instant) -> Option<Instant> {
        self.packets.lock().unwrap().iter().map(|(at, _)| *at).find(|at| *at > start)
    }
}

/// One end of a call.
pub struct End {
    pub session: Arc<WebRtcSession>,
    pub events: UnboundedReceiver<Event>,
    pub heard: Heard,
}

impl End {
    pub async fn open(options: Options) -> Result<Self, SessionError> {
        let (told, events) = unbounded_channel();
        let heard = Heard::default();
        let session = Arc::new(WebRtcSession::open(options, heard.sink(), told).await?);
        Ok(Self { session, events, heard })
    }

    /// Sends a packet every 20 ms until the task is aborted.
    pub fn speak(&self) -> tokio::task::JoinHandle<()> {
        let session = Arc::clone(&self.session);
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            for number in 0_u32.. {
                tick.tick().await;
                session.send(packet(number));
            }
        })
    }
}

/// Returns options that make an end reachable from this machine only.
pub fn loopback() -> Options {
    Options { addresses: Addresses::Only(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]), ..Options::default() }
}

pub fn packet(number: u32) -> Packet {
    Packet {
        sequence: u16::try_from(number & 0xffff).unwrap(),
        timestamp: number.wrapping_mul(960),
        payload: Bytes::from(format!("packet {number}").into_bytes()),
    }
}

/// Waits until a condition holds; panics after `limit`.
pub async fn eventually(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < limit, "{what} not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    start.elapsed()
}

/// Passes candidates to the other end until an event comes.
pub async fn trickle_until(until: Event, from: &mut UnboundedReceiver<Event>, to: &WebRtcSession) {
    loop {
        let event = tokio::time::timeout(Duration::from_secs(10), from.recv()).await;
        let event = event.unwrap_or_else(|_| panic!("no {until:?} in ten seconds")).expect("the session goes on");
        if event == until {
            return;
        }
        if let Event::Candidate(candidate) = event {
            to.add_candidate(candidate).await.expect("a candidate of ours can be read");
        }
    }
}

/// Connects two ends.
pub async fn connected(ours: Options, theirs: Options) -> (End, End) {
    let mut caller = End::open(ours).await.unwrap();
    let mut callee = End::open(theirs).await.unwrap();
    let offer = caller.session.offer().await.unwrap();
    let answer = callee.session.accept_offer(&offer).await.unwrap();
    caller.session.accept_answer(&answer).await.unwrap();
    both(Event::Connected, &mut caller, &mut callee).await;
    (caller, callee)
}

/// Waits until both ends report an event.
pub async fn both(event: Event, caller: &mut End, callee: &mut End) {
    tokio::join!(
        trickle_until(event.clone(), &mut caller.events, &callee.session),
        trickle_until(event, &mut callee.events, &caller.session),
    );
}
