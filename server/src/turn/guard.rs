//! Limits of the TURN relay: allowed targets and the number of relays.
//!
//! Authenticated clients can make this machine send datagrams. Datagrams go to devices, but not to services that listen
//! on the loopback interface only. Unauthenticated requests are answered in `challenge`, because the library keeps
//! state for each.

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

/// Maximum number of relays at a time: two for each call, on a machine that has other work too.
const MOST_RELAYS: usize = 256;

/// Maximum number of challenges sent per second. A challenge is larger than its request, and the sender's address may
/// be spoofed.
const ANSWERS: NonZeroU32 = NonZeroU32::new(500).unwrap();

/// Pause after a receive error, so that a permanent one doesn't keep the CPU busy.
const PAUSE: Duration = Duration::from_millis(10);

/// The listening socket of the TURN server.
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
                    // A failed send means that the client has gone.
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
        // A failed send means that the client has gone.
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

/// Allocator of the relay sockets.
pub(super) struct Relays {
    /// The external address of the relays.
    seen_at: IpAddr,
    /// The local address that they bind to.
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

/// A relay socket.
struct Relay {
    socket: UdpSocket,
    /// Whether loopback targets are allowed, as in tests.
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
            // Datagrams may be lost, so a failed send is ignored.
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

/// Receives the next datagram. Errors about earlier datagrams that could not be delivered are skipped, because the
/// library would stop listening at them.
async fn receive(socket: &UdpSocket, buf: &mut [u8]) -> (usize, SocketAddr) {
    loop {
        match socket.recv_from(buf).await {
            Ok(received) => return received,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Returns the error for methods that the library calls on connected sockets only.
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
