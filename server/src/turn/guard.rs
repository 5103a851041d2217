//! What the relay may be used for, and how much of it there is.
//!
//! Whoever is signed in may have datagrams sent from here. To devices, that is; not to what listens on this machine
//! alone. Strangers are answered before the library, which remembers each, hears of them (`challenge`).

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::net::UdpSocket;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use turn::relay::RelayAddressGenerator;
use webrtc_util::Conn;

use super::challenge::{Challenges, Verdict};

/// The most relays at a time: two for each call, on a machine that has other things to do.
const MOST_RELAYS: usize = 256;

/// How many strangers are answered in a second: an answer is larger than what asks for it, and the sender may be made up.
const ANSWERS: NonZeroU32 = NonZeroU32::new(500).unwrap();

/// How long to wait after an error, so that one which stays doesn't keep the machine busy.
const PAUSE: Duration = Duration::from_millis(10);

/// The socket at which devices ask for relays.
pub(super) struct FrontDoor {
    socket: UdpSocket,
    challenges: Challenges,
    answers: DefaultDirectRateLimiter,
}

impl FrontDoor {
    pub(super) fn new(socket: UdpSocket, realm: &'static str) -> Self {
        let answers = RateLimiter::direct(Quota::per_second(ANSWERS));
        Self { socket, challenges: Challenges::new(realm), answers }
    }
}

#[async_trait]
impl Conn for FrontDoor {
    async fn recv_from(&self, buf: &mut [u8]) -> Result<(usize, SocketAddr), webrtc_util::Error> {
        loop {
            let (length, from) = receive(&self.socket, buf).await;
            match self.challenges.judge(buf.get(..length).unwrap_or_default(), Instant::now()) {
                Verdict::Pass => return Ok((length, from)),
                Verdict::Answer(answer) if self.answers.check().is_ok() => {
                    // Whoever can't be answered has gone.
                    let _ = self.socket.send_to(&answer, from).await;
                }
                Verdict::Answer(_) | Verdict::Drop => {
                    metrics::counter!("turn_strangers_dropped_total").increment(1);
                }
            }
        }
    }

    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> Result<usize, webrtc_util::Error> {
        self.challenges.learn(buf, Instant::now());
        // Whoever can't be answered has gone.
        Ok(self.socket.send_to(buf, target).await.unwrap_or(buf.len()))
    }

    async fn connect(&self, _: SocketAddr) -> Result<(), webrtc_util::Error> {
        Err(unused())
    }

    async fn recv(&self, _: &mut [u8]) -> Result<usize, webrtc_util::Error> {
        Err(unused())
    }

    async fn send(&self, _: &[u8]) -> Result<usize, webrtc_util::Error> {
        Err(unused())
    }

    fn local_addr(&self) -> Result<SocketAddr, webrtc_util::Error> {
        Ok(self.socket.local_addr()?)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    async fn close(&self) -> Result<(), webrtc_util::Error> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

/// Opens the sockets from which is relayed.
pub(super) struct Relays {
    /// Where others see them.
    seen_at: IpAddr,
    /// Where they are opened.
    opened_at: IpAddr,
    free: Arc<Semaphore>,
}

impl Relays {
    pub(super) fn new(seen_at: IpAddr, opened_at: IpAddr) -> Self {
        Self { seen_at, opened_at, free: Arc::new(Semaphore::new(MOST_RELAYS)) }
    }
}

#[async_trait]
impl RelayAddressGenerator for Relays {
    fn validate(&self) -> Result<(), turn::Error> {
        Ok(())
    }

    async fn allocate_conn(
        &self,
        _use_ipv4: bool,
        port: u16,
    ) -> Result<(Arc<dyn Conn + Send + Sync>, SocketAddr), turn::Error> {
        let permit = Arc::clone(&self.free).try_acquire_owned().map_err(|_| turn::Error::ErrMaxRetriesExceeded)?;
        let opened = UdpSocket::bind((self.opened_at, port)).await;
        let socket = opened.map_err(|error| turn::Error::Other(error.to_string()))?;
        let port = socket.local_addr().map_err(|error| turn::Error::Other(error.to_string()))?.port();
        let within_this_machine = self.seen_at.is_loopback();
        Ok((Arc::new(Relay { socket, within_this_machine, _permit: permit }), SocketAddr::new(self.seen_at, port)))
    }
}

/// A socket from which is relayed.
struct Relay {
    socket: UdpSocket,
    /// Whether devices are on this machine too, as in tests.
    within_this_machine: bool,
    _permit: OwnedSemaphorePermit,
}

impl Relay {
    fn may_send_to(&self, target: IpAddr) -> bool {
        let target = target.to_canonical();
        !target.is_unspecified() && !target.is_multicast() && (self.within_this_machine || !target.is_loopback())
    }
}

#[async_trait]
impl Conn for Relay {
    async fn recv_from(&self, buf: &mut [u8]) -> Result<(usize, SocketAddr), webrtc_util::Error> {
        Ok(receive(&self.socket, buf).await)
    }

    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> Result<usize, webrtc_util::Error> {
        if self.may_send_to(target.ip()) {
            // What the network doesn't take is lost, as datagrams are.
            let _ = self.socket.send_to(buf, target).await;
        }
        Ok(buf.len())
    }

    async fn connect(&self, _: SocketAddr) -> Result<(), webrtc_util::Error> {
        Err(unused())
    }

    async fn recv(&self, _: &mut [u8]) -> Result<usize, webrtc_util::Error> {
        Err(unused())
    }

    async fn send(&self, _: &[u8]) -> Result<usize, webrtc_util::Error> {
        Err(unused())
    }

    fn local_addr(&self) -> Result<SocketAddr, webrtc_util::Error> {
        Ok(self.socket.local_addr()?)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    async fn close(&self) -> Result<(), webrtc_util::Error> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

/// The next datagram. A socket also tells of those of ours that nobody took, which is no reason to stop listening, as
/// the library would.
async fn receive(socket: &UdpSocket, buf: &mut [u8]) -> (usize, SocketAddr) {
    loop {
        match socket.recv_from(buf).await {
            Ok(received) => return received,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// For what the library only asks of connected sockets.
fn unused() -> webrtc_util::Error {
    std::io::Error::from(std::io::ErrorKind::Unsupported).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_listens_on_this_machine_alone_is_not_relayed_to() {
        let relays = Relays::new([192, 0, 2, 1].into(), [127, 0, 0, 1].into());
        let (relay, seen_at) = relays.allocate_conn(true, 0).await.unwrap();
        assert_eq!(seen_at.ip(), IpAddr::from([192, 0, 2, 1]));
        let relay = relay.as_any().downcast_ref::<Relay>().unwrap();
        for (target, may) in [
            ("192.168.1.7", true),
            ("127.0.0.1", false),
            ("::ffff:127.0.0.1", false),
            ("::1", false),
            ("0.0.0.0", false),
        ] {
            assert_eq!(relay.may_send_to(target.parse().unwrap()), may, "{target}");
        }
    }

    #[tokio::test]
    async fn there_are_only_so_many_relays() {
        let relays = Relays::new([127, 0, 0, 1].into(), [127, 0, 0, 1].into());
        let mut open = Vec::new();
        for _ in 0..MOST_RELAYS {
            open.push(relays.allocate_conn(true, 0).await.unwrap());
        }
        assert!(relays.allocate_conn(true, 0).await.is_err());
        open.pop();
        assert!(relays.allocate_conn(true, 0).await.is_ok());
    }
}
