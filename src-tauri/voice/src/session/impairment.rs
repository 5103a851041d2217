//! Network impairment: simulated bad networks for tests and measurements.
//!
//! A [`ImpairedNetwork`] is placed between a session and its sockets. It drops, delays, duplicates and blocks datagrams that
//! the session sends, with seeded random numbers, so that a run can be repeated. It works on datagrams: RTP, RTCP, DTLS
//! and ICE are treated alike.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, TokioRuntime,
    Transmit,
};

/// The impairments of sent datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conditions {
    /// The probability that a datagram is lost, from 0 to 1.
    pub loss: f64,
    /// The minimum delay of a datagram.
    pub delay: Duration,
    /// The maximum additional delay, uniformly distributed; beyond the distance between packets it reorders them.
    pub jitter: Duration,
    /// The probability that a datagram is duplicated, from 0 to 1.
    pub duplicate: f64,
    /// Whether all datagrams are lost.
    pub cut: bool,
}

/// A simulated network whose conditions can be changed while a session uses it. Clones share the network.
#[derive(Clone)]
pub struct ImpairedNetwork {
    sky: Arc<NetworkConditions>,
}

struct NetworkConditions {
    now: Mutex<(Conditions, StdRng)>,
    /// The number of network changes; sockets from before the last one are dead.
    age: AtomicU64,
}

impl ImpairedNetwork {
    /// Makes a network without impairments; equal seeds give equal random numbers.
    pub fn new(seed: u64) -> Self {
        let now = Mutex::new((Conditions::default(), StdRng::seed_from_u64(seed)));
        Self { sky: Arc::new(NetworkConditions { now, age: AtomicU64::new(0) }) }
    }

    /// Sets the conditions for datagrams sent from now on.
    pub fn set(&self, conditions: Conditions) {
        self.sky.now.lock().unwrap_or_else(PoisonError::into_inner).0 = conditions;
    }

    /// Simulates a change of network: sockets that are open are dead from now on, later ones work.
    pub fn leave_network(&self) {
        self.sky.age.fetch_add(1, Ordering::Relaxed);
    }

    /// The delay of each copy of a datagram; none if it is lost.
    fn fate(&self) -> Vec<Duration> {
        let mut now = self.sky.now.lock().unwrap_or_else(PoisonError::into_inner);
        let (conditions, random) = &mut *now;
        if conditions.cut || random.random_bool(conditions.loss.clamp(0.0, 1.0)) {
            return Vec::new();
        }
        let copies = if random.random_bool(conditions.duplicate.clamp(0.0, 1.0)) { 2 } else { 1 };
        (0..copies).map(|_| conditions.delay + conditions.jitter.mul_f64(random.random::<f64>())).collect()
    }

    fn age(&self) -> u64 {
        self.sky.age.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for ImpairedNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weather").finish_non_exhaustive()
    }
}

/// Tokio's runtime with impaired UDP sockets.
#[derive(Debug)]
pub(super) struct Rough {
    weather: ImpairedNetwork,
}

impl Rough {
    pub(super) fn new(weather: ImpairedNetwork) -> Self {
        Self { weather }
    }
}

impl Runtime for Rough {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let socket = TokioRuntime.wrap_udp_socket(socket)?;
        Ok(Arc::new(RoughSocket { socket, weather: self.weather.clone(), opened_at: self.weather.age() }))
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        TokioRuntime.connect_tcp(remote)
    }

    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        TokioRuntime.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        TokioRuntime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }
}

#[derive(Debug)]
struct RoughSocket {
    socket: Arc<dyn AsyncUdpSocket>,
    weather: ImpairedNetwork,
    opened_at: u64,
}

impl RoughSocket {
    fn is_dead(&self) -> bool {
        self.weather.age() != self.opened_at
    }
}

/// Batching is disabled in both directions, so that each datagram is treated on its own.
impl AsyncUdpSocket for RoughSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let fate = if self.is_dead() { Vec::new() } else { self.weather.fate() };
        // Datagrams that can't be sent at once, or whose target is unreachable, are lost too.
        for delay in fate {
            if delay.is_zero() {
                let _ = self.socket.poll_send(cx, transmit);
                continue;
            }
            let socket = Arc::clone(&self.socket);
            let (contents, target) = (transmit.contents.to_vec(), transmit.destination);
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                let _ = socket.send_to(&contents, target).await;
            });
        }
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            let received = self.socket.poll_recv(cx, bufs, meta);
            if received.is_pending() || !self.is_dead() {
                return received;
            }
        }
    }

    fn max_gro_segments(&self) -> usize {
        self.socket.max_gro_segments()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(conditions: Conditions) -> Vec<Vec<Duration>> {
        let weather = ImpairedNetwork::new(7);
        weather.set(conditions);
        (0..10_000).map(|_| weather.fate()).collect()
    }

    #[test]
    fn the_weather_is_what_was_ordered() {
        let ms = Duration::from_millis;
        let fates = fates(Conditions { loss: 0.1, delay: ms(20), jitter: ms(60), duplicate: 0.2, cut: false });
        let lost = fates.iter().filter(|fate| fate.is_empty()).count();
        let twice = fates.iter().filter(|fate| fate.len() == 2).count();
        assert!((900..1100).contains(&lost), "{lost}");
        assert!((1600..2000).contains(&twice), "{twice}");
        assert!(fates.iter().flatten().all(|&delay| delay >= ms(20) && delay <= ms(80)));
    }

    #[test]
    fn the_same_seed_is_the_same_weather() {
        let conditions = Conditions { loss: 0.3, ..Conditions::default() };
        assert_eq!(fates(conditions), fates(conditions));
    }

    #[test]
    fn a_cut_lets_nothing_through() {
        assert!(fates(Conditions { cut: true, ..Conditions::default() }).iter().all(Vec::is_empty));
    }
}
