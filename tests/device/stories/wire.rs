//! The wire between a device and the ship: a TCP proxy that can be cut, stalled, mended, cut after so many bytes, and that
//! can garble what the ship says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What only a frame with entries says.
const ENTRIES: &[u8] = br#""entries":"#;

/// How it stands with the wire.
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
    /// Counts the cuts: a connection doesn't outlive one, also if the wire is mended at once.
    cuts: u32,
}

/// The wire between a device and the ship.
#[derive(Clone)]
pub struct Wire {
    pub address: SocketAddr,
    /// How the ship is spoken to: `http` or `https`.
    pub scheme: &'static str,
    to: watch::Sender<SocketAddr>,
    state: watch::Sender<State>,
    /// Bytes until it cuts itself, once; negative: never.
    fuse: Arc<AtomicI64>,
    /// The next frame with entries is to be garbled.
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

    /// None at all: the device reaches the ship by its own network.
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

    /// The ship is somewhere else now.
    pub fn lead_to(&self, ship: SocketAddr) {
        self.to.send_replace(ship);
    }

    /// Resets all connections when so many bytes have passed, either way, once; then it is whole again.
    pub fn cut_after(&self, bytes: i64) {
        self.fuse.store(bytes, Ordering::SeqCst);
    }

    /// Whether the fuse has not blown.
    pub fn is_armed(&self) -> bool {
        self.fuse.load(Ordering::SeqCst) >= 0
    }

    /// Makes the next live frame that carries entries one that is no JSON, once. It keeps its length, and stays text.
    pub fn garble_entries(&self) {
        self.noise.store(true, Ordering::SeqCst);
    }

    /// Whether what was to be garbled hasn't come yet.
    pub fn is_to_garble(&self) -> bool {
        self.noise.load(Ordering::SeqCst)
    }

    /// A ship's frames aren't masked (RFC 6455, 5.3), and this one's aren't compressed: what they say can be seen.
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

    /// Passes on what was read; none when the connection is over.
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
