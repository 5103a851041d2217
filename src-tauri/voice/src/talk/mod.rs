//! A call that is spoken over: its sound ([`audio`]) and its way to the other device
//! ([`session`](crate::session)), put together.
//!
//! ```text
//!  microphone ─► AudioEngine ── Packet ─► Peer ─► the other device
//!  loudspeaker ◄─ AudioEngine ◄─ Packet ─ Peer ◄─
//!                     └── every half second: how good is it? ──► Told::State
//! ```
//! It begins with [`Talk::open`] and ends when it is dropped. Nothing that goes wrong with a microphone, a loudspeaker or a
//! network ends it: that is said, and the call lives.

mod quality;

pub use quality::Quality;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::Signal;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::Packet;
use crate::audio::{self, AudioEngine, DeviceState, Devices, Hand, Levels, SystemDevices};
use crate::session::negotiation::Way;
use crate::session::{FrameSink, Output, PacketSink, Peer, PeerOptions};
use quality::Judge;

/// How often it is looked at how good the call is.
const LOOK: Duration = Duration::from_millis(500);

/// How long the other side is given to hear that the session is closed.
const GOODBYE: Duration = Duration::from_secs(1);

/// Levels that are told: each third of the twenty a second, which is as much as an eye follows.
const EACH: u64 = 3;

/// What is told of a call. Comes from the call's own threads: whoever takes it must not block.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Say this to the other device, over the live socket.
    Say(Signal),
    /// How it stands; when it changed, and twice a second while nothing is heard.
    State(State),
    /// How loud it is; seven times a second.
    Levels(Levels),
}

/// How a call stands.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// By which way packets go.
    pub way: Way,
    /// Whether they go through a TURN server (RFC 8656).
    pub relayed: bool,
    /// How good it is.
    pub quality: Quality,
    /// Milliseconds since something came from the other side, in steps of half a second; none: nothing came yet.
    pub silent_ms: Option<u32>,
    /// Whether what is said goes out.
    pub speaking: audio::Speaking,
    /// Why there is no microphone.
    pub microphone_trouble: Option<String>,
    /// Why there is no loudspeaker.
    pub speaker_trouble: Option<String>,
}

/// A call that is spoken over, from when it is opened until it is dropped.
pub struct Talk {
    call_id: CallId,
    sound: Arc<AudioEngine>,
    shared: Arc<Shared>,
    /// The network's thread ends when this is dropped.
    inbox: mpsc::UnboundedSender<Heard>,
}

/// Where the sound puts what is said, and what it tells.
type Spoken = Box<dyn FnMut(Packet) + Send>;
type Heeded = Box<dyn Fn(audio::Event) + Send + Sync>;

/// What the other side said before there was a way to hear it.
enum Heard {
    Signal(EndpointId, Signal),
    SocketBack,
}

/// What the threads of a call know together.
struct Shared {
    began: Instant,
    peer: OnceLock<Peer>,
    /// Milliseconds from the beginning to the last packet that came, and one; 0: none came.
    heard_at: AtomicU64,
    /// Levels that the sound told so far.
    levels: AtomicU64,
    troubles: Mutex<Troubles>,
    /// Packets go another way than before.
    turned: Notify,
    tell: Box<dyn Fn(Told) + Send + Sync>,
}

#[derive(Clone, Debug, Default)]
struct Troubles {
    microphone_trouble: Option<String>,
    speaker_trouble: Option<String>,
}

impl std::fmt::Debug for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Talk").field("call_id", &self.call_id).finish_non_exhaustive()
    }
}

impl Talk {
    /// Opens microphone and loudspeaker, and begins to find the other device; waits for nothing. `frames` takes what goes over the live socket, should UDP not get through.
    ///
    /// # Errors
    /// When the machine has no thread or memory left.
    pub fn open(
        options: PeerOptions,
        sound: &audio::Options,
        frames: FrameSink,
        tell: impl Fn(Told) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let start =
            |spoken: Spoken, told: Heeded| Ok((AudioEngine::start(sound, SystemDevices::default(), spoken, told)?, ()));
        Ok(Self::build(options, frames, Box::new(tell), start)?.0)
    }

    /// The same with other devices and no thread for the sound, which goes on when the hand says so, and only then.
    ///
    /// # Errors
    /// As `open`.
    pub fn in_hand(
        options: PeerOptions,
        sound: &audio::Options,
        devices: impl Devices + 'static,
        frames: FrameSink,
        tell: impl Fn(Told) + Send + Sync + 'static,
    ) -> io::Result<(Self, Hand)> {
        let start = |spoken: Spoken, told: Heeded| AudioEngine::in_hand(sound, devices, spoken, told);
        Self::build(options, frames, Box::new(tell), start)
    }

    fn build<T>(
        options: PeerOptions,
        frames: FrameSink,
        tell: Box<dyn Fn(Told) + Send + Sync>,
        start: impl FnOnce(Spoken, Heeded) -> io::Result<(AudioEngine, T)>,
    ) -> io::Result<(Self, T)> {
        let call_id = options.call_id;
        let shared = Arc::new(Shared {
            began: Instant::now(),
            peer: OnceLock::new(),
            heard_at: AtomicU64::new(0),
            levels: AtomicU64::new(0),
            troubles: Mutex::default(),
            turned: Notify::new(),
            tell,
        });
        let (speaking, telling) = (Arc::clone(&shared), Arc::clone(&shared));
        let spoken = move |packet: Packet| {
            if let Some(peer) = speaking.peer.get() {
                peer.send(packet);
            }
        };
        let (sound, rest) = start(Box::new(spoken), Box::new(move |event| telling.sound(event)))?;
        let sound = Arc::new(sound);
        let (inbox, heard) = mpsc::unbounded_channel();
        // A runtime of one thread: a packet that comes is handed on where it came, where a runtime of several wakes
        // another thread for each.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (network_shared, network_sound) = (Arc::clone(&shared), Arc::downgrade(&sound));
        thread::Builder::new().name("call-network".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = network(options, Arc::clone(&network_shared), Weak::clone(&network_sound), frames, heard) => {}
                    () = look(Arc::clone(&network_shared), network_sound) => {}
                }
                if let Some(peer) = network_shared.peer.get() {
                    // A session that can't say goodbye is missed by the other side.
                    let _ = tokio::time::timeout(GOODBYE, peer.close()).await;
                }
            });
        })?;
        Ok((Self { call_id, sound, shared, inbox }, rest))
    }

    /// Which call it is.
    pub fn call_id(&self) -> CallId {
        self.call_id
    }

    /// The other device said this, over the live socket.
    pub fn hear(&self, from: EndpointId, signal: Signal) {
        let _ = self.inbox.send(Heard::Signal(from, signal));
    }

    /// A binary message came over the live socket.
    pub fn hear_frame(&self, message: &Bytes) {
        if let Some(peer) = self.shared.peer.get() {
            peer.hear_frame(message);
        }
    }

    /// The live socket is open again, of this side or the other.
    pub fn socket_back(&self) {
        let _ = self.inbox.send(Heard::SocketBack);
    }

    /// The sound, to mute, to choose devices, to be louder.
    pub fn sound(&self) -> &AudioEngine {
        &self.sound
    }
}

impl Shared {
    fn sound(&self, event: audio::Event) {
        let trouble = |state: DeviceState| match state {
            DeviceState::Missing { why } => Some(why),
            DeviceState::Open { .. } => None,
        };
        match event {
            audio::Event::Levels(levels) => {
                if self.levels.fetch_add(1, Ordering::Relaxed).is_multiple_of(EACH) {
                    (self.tell)(Told::Levels(levels));
                }
            }
            // Told at the next look.
            audio::Event::Input(state) => self.troubles().microphone_trouble = trouble(state),
            audio::Event::Output(state) => self.troubles().speaker_trouble = trouble(state),
        }
    }

    fn troubles(&self) -> std::sync::MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self) {
        let at = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.heard_at.store(at + 1, Ordering::Relaxed);
    }

    /// Whole half seconds since something came, in milliseconds.
    fn silent_ms(&self) -> Option<u32> {
        let at = self.heard_at.load(Ordering::Relaxed).checked_sub(1)?;
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let step = u64::try_from(LOOK.as_millis()).unwrap_or(500);
        u32::try_from(now.saturating_sub(at) / step * step).ok()
    }
}

/// Finds the other device, and carries what it says.
async fn network(
    options: PeerOptions,
    shared: Arc<Shared>,
    sound: Weak<AudioEngine>,
    frames: FrameSink,
    mut heard: mpsc::UnboundedReceiver<Heard>,
) {
    let call_id = options.call_id;
    let packets: PacketSink = {
        let shared = Arc::clone(&shared);
        Arc::new(move |packet| {
            shared.heard();
            if let Some(sound) = sound.upgrade() {
                sound.receive(packet);
            }
        })
    };
    let (told, mut outputs) = mpsc::unbounded_channel();
    let peer = Peer::open(options, packets, frames, told).await;
    if shared.peer.set(peer).is_err() {
        return;
    }
    loop {
        tokio::select! {
            said = heard.recv() => match (said, shared.peer.get()) {
                (Some(Heard::Signal(from, signal)), Some(peer)) => peer.hear(call_id, from, signal),
                (Some(Heard::SocketBack), Some(peer)) => peer.socket_back(),
                // Dropped.
                (None, _) | (_, None) => return,
            },
            Some(output) = outputs.recv() => match output {
                Output::Say(signal) => (shared.tell)(Told::Say(signal)),
                Output::Way(_) => shared.turned.notify_one(),
                // The log says so.
                Output::HungUp => {}
            },
        }
    }
}

/// Looks at how it stands, tells it when it changed, and lets the sound prepare for what gets lost.
async fn look(shared: Arc<Shared>, sound: Weak<AudioEngine>) {
    let mut judge = Judge::default();
    let mut last = None;
    let mut ticks = tokio::time::interval_at(Instant::now() + LOOK, LOOK);
    loop {
        // A way that opens is told at once, the rest twice a second.
        tokio::select! {
            _ = ticks.tick() => {}
            () = shared.turned.notified() => {}
        }
        let way = shared.peer.get().map_or(Way::Nowhere, Peer::way);
        let stats = match shared.peer.get() {
            Some(peer) => peer.stats().await,
            None => crate::session::Stats::default(),
        };
        let Some(sound) = sound.upgrade() else { return };
        if let Some(lost) = stats.lost_fraction {
            sound.expect_loss(lost);
        }
        let quality = judge.quality(way, &stats, &sound.statistics().reception.counts);
        let Troubles { microphone_trouble, speaker_trouble } = shared.troubles().clone();
        let state = State {
            way,
            relayed: way == Way::Udp && stats.kind == Some(crate::session::Kind::Relay),
            quality,
            silent_ms: shared.silent_ms(),
            speaking: sound.speaking(),
            microphone_trouble,
            speaker_trouble,
        };
        drop(sound);
        if last.as_ref() != Some(&state) {
            (shared.tell)(Told::State(state.clone()));
            last = Some(state);
        }
    }
}
