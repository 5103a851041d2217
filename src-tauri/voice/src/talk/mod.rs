//! A running voice call: combines its audio ([`audio`]) and its connection to the other device
//! ([`session`](crate::session)).
//!
//! ```text
//!  microphone ─► AudioEngine ── Packet ─► Peer ─► the other device
//!  loudspeaker ◄─ AudioEngine ◄─ Packet ─ Peer ◄─
//!                     └── every half second: how good is it? ──► Told::State
//! ```
//! It starts with [`Talk::open`] and ends on drop. No failure of a microphone, a loudspeaker or a network ends it:
//! failures are reported, and the call continues.

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
use crate::audio::{self, AudioEngine, DeviceState, Devices, Levels, ManualDriver, SystemDevices};
use crate::session::negotiation::MediaPath;
use crate::session::{FrameSink, Output, PacketSink, Peer, PeerOptions};
use quality::Scorer;

/// The interval between quality checks.
const LOOK: Duration = Duration::from_millis(500);

/// Time limit for closing the session, which informs the other side.
const GOODBYE: Duration = Duration::from_secs(1);

/// The divisor of level events: every third of the twenty a second, which suffices for the eye.
const EACH: u64 = 3;

/// An event of a call. Sent from the call's own threads, so the callback must not block.
#[derive(Clone, Debug, PartialEq)]
pub enum CallEvent {
    /// Send this signal to the other device, over the live socket.
    Say(Signal),
    /// The call's state; sent when it changed, and twice a second while nothing is received.
    State(MediaState),
    /// The levels; sent seven times a second.
    Levels(Levels),
}

/// The state of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaState {
    /// The path of packets.
    pub way: MediaPath,
    /// Whether packets go through a TURN server (RFC 8656).
    pub relayed: bool,
    /// The quality.
    pub quality: Quality,
    /// Milliseconds since the last packet from the other side, in steps of half a second; none if none came yet.
    pub silent_ms: Option<u32>,
    /// Whether the microphone's sound is sent.
    pub speaking: audio::Speaking,
    /// The reason why there is no microphone.
    pub microphone_trouble: Option<String>,
    /// The reason why there is no loudspeaker.
    pub speaker_trouble: Option<String>,
}

/// A running call; it ends on drop.
pub struct Talk {
    call_id: CallId,
    sound: Arc<AudioEngine>,
    shared: Arc<Shared>,
    /// The queue to the network thread, which ends when this is dropped.
    inbox: mpsc::UnboundedSender<Heard>,
}

/// The audio engine's callbacks for packets and events.
type OnPacket = Box<dyn FnMut(Packet) + Send>;
type OnAudioEvent = Box<dyn Fn(audio::Event) + Send + Sync>;

/// A message to the network thread.
enum Heard {
    Signal(EndpointId, Signal),
    SocketBack,
}

/// State shared by the threads of a call.
struct Shared {
    began: Instant,
    peer: OnceLock<Peer>,
    /// Milliseconds from the start to the last received packet, plus one; 0 if none came.
    heard_at: AtomicU64,
    /// The number of level events from the audio engine so far.
    levels: AtomicU64,
    troubles: Mutex<Troubles>,
    /// Notified when the path of packets changes.
    turned: Notify,
    tell: Box<dyn Fn(CallEvent) + Send + Sync>,
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
    /// Opens microphone and loudspeaker, and begins to connect; doesn't block. `frames` gets the frames for the live
    /// socket, in case UDP is blocked.
    ///
    /// # Errors
    /// Returns an error if no thread can be started or memory is exhausted.
    pub fn open(
        options: PeerOptions,
        sound: &audio::Options,
        frames: FrameSink,
        tell: impl Fn(CallEvent) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let start = |spoken: OnPacket, told: OnAudioEvent| {
            Ok((AudioEngine::start(sound, SystemDevices::default(), spoken, told)?, ()))
        };
        Ok(Self::build(options, frames, Box::new(tell), start)?.0)
    }

    /// Opens a call with other devices, and with audio that runs only in calls of the returned driver.
    ///
    /// # Errors
    /// Returns an error as `open` does.
    pub fn in_hand(
        options: PeerOptions,
        sound: &audio::Options,
        devices: impl Devices + 'static,
        frames: FrameSink,
        tell: impl Fn(CallEvent) + Send + Sync + 'static,
    ) -> io::Result<(Self, ManualDriver)> {
        let start = |spoken: OnPacket, told: OnAudioEvent| AudioEngine::in_hand(sound, devices, spoken, told);
        Self::build(options, frames, Box::new(tell), start)
    }

    fn build<T>(
        options: PeerOptions,
        frames: FrameSink,
        tell: Box<dyn Fn(CallEvent) + Send + Sync>,
        start: impl FnOnce(OnPacket, OnAudioEvent) -> io::Result<(AudioEngine, T)>,
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
        // A single-threaded runtime handles a packet on the thread that received it, where a multi-threaded one wakes
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
                    // The limit is harmless: without a goodbye the other side notices the loss.
                    let _ = tokio::time::timeout(GOODBYE, peer.close()).await;
                }
            });
        })?;
        Ok((Self { call_id, sound, shared, inbox }, rest))
    }

    /// The call's id.
    pub fn call_id(&self) -> CallId {
        self.call_id
    }

    /// Handles a signal from the other device.
    pub fn hear(&self, from: EndpointId, signal: Signal) {
        let _ = self.inbox.send(Heard::Signal(from, signal));
    }

    /// Handles a binary message from the live socket.
    pub fn hear_frame(&self, message: &Bytes) {
        if let Some(peer) = self.shared.peer.get() {
            peer.hear_frame(message);
        }
    }

    /// Handles that the live socket of this side or the other is open again.
    pub fn socket_back(&self) {
        let _ = self.inbox.send(Heard::SocketBack);
    }

    /// The audio engine, for muting, devices and volume.
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
                    (self.tell)(CallEvent::Levels(levels));
                }
            }
            // Reported at the next check.
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

    /// The time since the last packet in milliseconds, rounded down to half seconds.
    fn silent_ms(&self) -> Option<u32> {
        let at = self.heard_at.load(Ordering::Relaxed).checked_sub(1)?;
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let step = u64::try_from(LOOK.as_millis()).unwrap_or(500);
        u32::try_from(now.saturating_sub(at) / step * step).ok()
    }
}

/// Runs the connection to the other device.
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
                // The call was dropped.
                (None, _) | (_, None) => return,
            },
            Some(output) = outputs.recv() => match output {
                Output::Say(signal) => (shared.tell)(CallEvent::Say(signal)),
                Output::Way(_) => shared.turned.notify_one(),
                // The log reports this.
                Output::HungUp => {}
            },
        }
    }
}

/// Checks the state, emits changes, and adapts the encoder to the loss rate.
async fn look(shared: Arc<Shared>, sound: Weak<AudioEngine>) {
    let mut judge = Scorer::default();
    let mut last = None;
    let mut ticks = tokio::time::interval_at(Instant::now() + LOOK, LOOK);
    loop {
        // A change of path is emitted at once, the rest twice a second.
        tokio::select! {
            _ = ticks.tick() => {}
            () = shared.turned.notified() => {}
        }
        let way = shared.peer.get().map_or(MediaPath::Nowhere, Peer::way);
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
        let state = MediaState {
            way,
            relayed: way == MediaPath::Udp && stats.kind == Some(crate::session::Kind::Relay),
            quality,
            silent_ms: shared.silent_ms(),
            speaking: sound.speaking(),
            microphone_trouble,
            speaker_trouble,
        };
        drop(sound);
        if last.as_ref() != Some(&state) {
            (shared.tell)(CallEvent::State(state.clone()));
            last = Some(state);
        }
    }
}
