//! The network link between a device and the ship: a TCP proxy that can be cut, stalled, restored or cut after a number
//! of bytes, and that can garble the ship's frames.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The bytes by which a frame with entries is recognised.
const ENTRIES: &[u8] = br#""entries":"#;

/// The state of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passage {
    Whole,
    /// Connections are reset, new ones too.
    Cut,
    /// Connections stay open, and nothing passes.
    Stalled,
}

#[derive(Clone, Copy, Debug)]
struct State {
    passage: Passage,
    /// Number of cuts: no connection outlives a cut, even if the link is restored at once.
    cuts: u32,
}

/// The network link between a device and the ship.
#[derive(Clone)]
pub struct Wire {
    pub address: SocketAddr,
    /// The scheme of the ship's address: `http` or `https`.
    pub scheme: &'static str,
    to: watch::Sender<SocketAddr>,
    state: watch::Sender<State>,
    /// Bytes until the link cuts itself, once; negative for never.
    fuse: Arc<AtomicI64>,
    /// Whether the next frame with entries will be garbled.
    noise: Arc<AtomicBool>,
}

impl Wire {
    pub async fn to(ship: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let wire = Self { address, ..Self::none(ship) };
        let carrying = wire.clone();
        tokio::spawn(async move {
            while let Ok((device, _)) = listener.accept().await {
                tokio::spawn(carrying.clone().carry(device));
            }
        });
        wire
    }

    /// Creates no proxy: the device reaches the ship by its own network.
    pub fn none(ship: SocketAddr) -> Self {
        Self {
            address: ship,
            scheme: "http",
            to: watch::Sender::new(ship),
            state: watch::Sender::new(State { passage: Passage::Whole, cuts: 0 }),
            fuse: Arc::new(AtomicI64::new(-1)),
            noise: Arc::default(),
        }
    }

    pub fn base(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub fn cut(&self) {
        self.state.send_modify(|state| *state = State { passage: Passage::Cut, cuts: state.cuts + 1 });
    }

    pub fn stall(&self) {
        self.state.send_modify(|state| state.passage = Passage::Stalled);
    }

    pub fn mend(&self) {
        self.state.send_modify(|state| state.passage = Passage::Whole);
    }

    /// Changes the address of the ship.
    pub fn lead_to(&self, ship: SocketAddr) {
        self.to.send_replace(ship);
    }

    /// Resets all connections, once, after a number of bytes in either direction; the link then works again.
    pub fn cut_after(&self, bytes: i64) {
        self.fuse.store(bytes, Ordering::SeqCst);
    }

    /// Returns whether the cut set by `cut_after` is still to come.
    pub fn is_armed(&self) -> bool {
        self.fuse.load(Ordering::SeqCst) >= 0
    }

    /// Turns the next live frame with entries into invalid JSON, once. It keeps its length, and stays valid text.
    pub fn garble_entries(&self) {
        self.noise.store(true, Ordering::SeqCst);
    }

    /// Returns whether the frame to be garbled is still to come.
    pub fn is_to_garble(&self) -> bool {
        self.noise.load(Ordering::SeqCst)
    }

    /// Garbles a frame with entries. A server's frames aren't masked (RFC 6455, 5.3), and this one's aren't compressed,
    /// so their content is visible.
    fn make_noise(&self, said: &mut [u8]) {
        let is_entries = |at: &[u8]| at == ENTRIES;
        if self.is_to_garble()
            && let Some(at) = said.windows(ENTRIES.len()).position(is_entries)
        {
            said[at..at + ENTRIES.len()].fill(b'x');
            self.noise.store(false, Ordering::SeqCst);
        }
    }

    async fn carry(self, mut device: TcpStream) {
        let mut state = self.state.subscribe();
        let cuts = state.borrow().cuts;
        let to = *self.to.borrow();
        if state.borrow().passage == Passage::Cut {
            return;
        }
        let Ok(mut ship) = TcpStream::connect(to).await else { return };
        let (mut up, mut down) = (vec![0; 4096], vec![0; 4096]);
        loop {
            let now = *state.borrow_and_update();
            if now.cuts != cuts {
                return;
            }
            let stalled = now.passage == Passage::Stalled;
            let passed = tokio::select! {
                changed = state.changed() => changed.ok(),
                read = device.read(&mut up), if !stalled => self.pass(read, &up, &mut ship).await,
                read = ship.read(&mut down), if !stalled => {
                    self.make_noise(&mut down[..*read.as_ref().unwrap_or(&0)]);
                    self.pass(read, &down, &mut device).await
                }
            };
            if passed.is_none() {
                return;
            }
        }
    }

    /// Forwards the bytes that were read; `None` if the connection is over.
    async fn pass(&self, read: std::io::Result<usize>, bytes: &[u8], to: &mut TcpStream) -> Option<()> {
        let count = read.ok().filter(|count| *count > 0)?;
        let fuse = self.fuse.load(Ordering::SeqCst);
        let length = i64::try_from(count).unwrap();
        let fits = if fuse < 0 { count } else { usize::try_from(fuse.min(length)).unwrap() };
        to.write_all(&bytes[..fits]).await.ok()?;
        if fuse >= 0 {
            let left = fuse - length;
            self.fuse.store(left.max(-1), Ordering::SeqCst);
            if left < 0 {
                self.cut();
                self.mend();
                return None;
            }
        }
        Some(())
    }
}
