//! A device that can be called: the app's voice, on any sound server. Without one its calls are silent, but packets are
//! sent all the same.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bytes::Bytes;
use crewbell_core::controller::Handle;
use crewbell_core::engine::Input;
use crewbell_core::screen::{self, AskError, AudioDevices, Media, Task};
use crewbell_core::shell::{Handset, IceServer};
use crewbell_shared::call::Call;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::Signal;
use crewbell_voice::audio::{self, Treatment};
use crewbell_voice::session::addresses::{Addresses, Change, Watch};
use crewbell_voice::session::impairment::ImpairedNetwork;
use crewbell_voice::session::negotiation::{MediaPath, Role};
use crewbell_voice::session::{self, Options, PeerOptions};
use crewbell_voice::talk::{CallEvent, MediaState, Talk};
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(30);

/// No treatment: a tone that plays on both sides must not be removed as its echo.
const UNTREATED: Treatment = Treatment { echo: false, noise: false, gain: false };

/// A device's voice, which records its tasks and the states of its calls.
pub(crate) struct Phone {
    pub(crate) weather: ImpairedNetwork,
    relay_only: bool,
    servers: Mutex<Vec<session::IceServer>>,
    handle: OnceLock<Handle>,
    talk: Mutex<Option<Talk>>,
    seen: Mutex<Vec<(Instant, Seen)>>,
    news: watch::Sender<usize>,
}

#[derive(Clone, Debug)]
enum Seen {
    Task(Task),
    State(MediaState),
    /// A packet came over the live socket.
    Frame,
    /// The number of ICE servers that it was given.
    Helpers(usize),
}

impl Phone {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Self::open(seed, false)
    }

    /// Creates a voice that reaches others only through a TURN server, as between networks.
    pub(crate) fn far_away(seed: u64) -> Arc<Self> {
        Self::open(seed, true)
    }

    fn open(seed: u64, relay_only: bool) -> Arc<Self> {
        Arc::new(Self {
            weather: ImpairedNetwork::new(seed),
            relay_only,
            servers: Mutex::default(),
            handle: OnceLock::new(),
            talk: Mutex::default(),
            seen: Mutex::default(),
            news: watch::Sender::new(0),
        })
    }

    /// Sets the controller, which from then on gets the changes of the device's own addresses, as in the app.
    pub(crate) fn is_of(&self, handle: Handle) {
        let telling = handle.clone();
        tokio::spawn(async move {
            let mut own = Watch::new(Addresses::All);
            loop {
                let Change { lost, gained } = own.changed().await;
                telling.input(Input::Addresses { lost, gained });
            }
        });
        drop(self.handle.set(handle));
    }

    /// Returns the number of packets of the current call that arrived, over any path.
    pub(crate) fn received(&self) -> u64 {
        self.talk.lock().unwrap().as_ref().map_or(0, |talk| talk.sound().statistics().reception.counts.received)
    }

    /// Returns the last recorded state of the call.
    pub(crate) fn state(&self) -> Option<MediaState> {
        let seen = self.seen.lock().unwrap();
        seen.iter().rev().find_map(|(_, seen)| if let Seen::State(state) = seen { Some(state.clone()) } else { None })
    }

    /// Kills the voice: it falls silent without a farewell.
    pub(crate) fn dies(&self) {
        self.end();
    }

    /// Returns the number of records so far.
    pub(crate) fn position(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Waits for a task, and returns its time.
    pub(crate) async fn task(&self, from: usize, what: &str, is_it: impl Fn(Task) -> bool) -> Result<(Instant, Task)> {
        self.until(from, what, |seen| if let Seen::Task(task) = seen { is_it(*task).then_some(*task) } else { None })
            .await
    }

    /// Waits until packets use a media path.
    pub(crate) async fn goes_by(&self, from: usize, way: MediaPath) -> Result<Instant> {
        let is_so = |seen: &Seen| if let Seen::State(state) = seen { (state.way == way).then_some(()) } else { None };
        Ok(self.until(from, "the way is open", is_so).await?.0)
    }

    /// Waits until the other side is heard, or isn't.
    pub(crate) async fn hears(&self, from: usize, hears: bool) -> Result<Instant> {
        let is_so = |seen: &Seen| match seen {
            Seen::State(MediaState { silent_ms: Some(silent_ms), .. }) => ((*silent_ms == 0) == hears).then_some(()),
            Seen::State(_) | Seen::Task(_) | Seen::Frame | Seen::Helpers(_) => None,
        };
        Ok(self.until(from, "the other side is heard, or not", is_so).await?.0)
    }

    /// Waits until a packet comes over the live socket.
    pub(crate) async fn takes_a_frame(&self, from: usize) -> Result<Instant> {
        let is_so = |seen: &Seen| matches!(seen, Seen::Frame).then_some(());
        Ok(self.until(from, "a packet comes over the socket", is_so).await?.0)
    }

    /// Waits until an ICE server is known.
    pub(crate) async fn is_helped(&self, from: usize) -> Result<Instant> {
        let is_so = |seen: &Seen| matches!(seen, Seen::Helpers(1..)).then_some(());
        Ok(self.until(from, "a server helps", is_so).await?.0)
    }

    async fn until<T>(&self, from: usize, what: &str, find: impl Fn(&Seen) -> Option<T>) -> Result<(Instant, T)> {
        let mut news = self.news.subscribe();
        let (mut next, began) = (from, Instant::now());
        loop {
            news.borrow_and_update();
            let new: Vec<_> = self.seen.lock().unwrap().get(next..).unwrap_or_default().to_vec();
            next += new.len();
            if let Some(found) = new.iter().find_map(|(at, seen)| Some((*at, find(seen)?))) {
                return Ok(found);
            }
            let left = PATIENCE.saturating_sub(began.elapsed());
            if tokio::time::timeout(left, news.changed()).await.is_err() {
                bail!("waited {PATIENCE:?} in vain until {what}");
            }
        }
    }

    fn note(&self, seen: Seen) {
        self.seen.lock().unwrap().push((Instant::now(), seen));
        self.news.send_modify(|news| *news += 1);
    }

    fn end(&self) {
        if let Some(talk) = self.talk.lock().unwrap().take() {
            std::thread::spawn(move || drop(talk));
        }
    }
}

/// The handset that the controller uses for a phone.
pub(crate) struct Receiver(pub(crate) Arc<Phone>);

impl Handset for Receiver {
    fn phone(&self, task: Task, _call: Option<&Call>, _missed: usize) {
        let phone = &self.0;
        phone.note(Seen::Task(task));
        let Task::Talk { call_id, peer: Some(peer), offers } = task else { return phone.end() };
        let mut talk = phone.talk.lock().unwrap();
        if talk.as_ref().is_some_and(|talk| talk.call_id() == call_id) {
            return;
        }
        let role = if offers { Role::Caller } else { Role::Called };
        let session = Options {
            weather: Some(phone.weather.clone()),
            ice_servers: phone.servers.lock().unwrap().clone(),
            relay_only: phone.relay_only,
            ..Options::default()
        };
        let handle = phone.handle.get().unwrap().clone();
        let (telling, speaking) = (Arc::downgrade(phone), handle.clone());
        let tell = move |told| match told {
            CallEvent::Say(signal) => handle.input(Input::Signal { call_id, to: peer, signal }),
            CallEvent::State(state) => {
                handle.input(Input::Media(media(call_id, &state)));
                if let Some(phone) = telling.upgrade() {
                    phone.note(Seen::State(state));
                }
            }
            CallEvent::Levels(_) => {}
        };
        let sound = audio::Options { treatment: UNTREATED, ..audio::Options::default() };
        let frames = Arc::new(move |frame: Bytes| speaking.speak(frame.to_vec()));
        *talk = Some(Talk::open(PeerOptions { role, call_id, peer, session }, &sound, frames, tell).unwrap());
    }

    fn ice_servers(&self, servers: &[IceServer]) {
        let server = |server: &IceServer| session::IceServer {
            urls: server.urls.clone(),
            username: server.username.clone().unwrap_or_default(),
            credential: server.credential.clone().unwrap_or_default(),
        };
        *self.0.servers.lock().unwrap() = servers.iter().map(server).collect();
        self.0.note(Seen::Helpers(servers.len()));
    }

    fn signal(&self, call_id: CallId, from: EndpointId, signal: &Signal) {
        if let Some(talk) = self.0.talk.lock().unwrap().as_ref().filter(|talk| talk.call_id() == call_id) {
            talk.hear(from, signal.clone());
        }
    }

    fn heard(&self, packet: &[u8]) {
        self.0.note(Seen::Frame);
        if let Some(talk) = &*self.0.talk.lock().unwrap() {
            talk.hear_frame(&Bytes::copy_from_slice(packet));
        }
    }

    fn socket_back(&self) {
        if let Some(talk) = &*self.0.talk.lock().unwrap() {
            talk.socket_back();
        }
    }

    fn mute(&self, _on: bool) {}
    fn talk(&self, _held: bool) {}

    fn audio_devices(&self) -> Result<AudioDevices, AskError> {
        Ok(AudioDevices::default())
    }
}

/// Converts the state of a call into the media report.
fn media(call_id: CallId, state: &MediaState) -> Media {
    let way = match state.way {
        MediaPath::Nowhere => screen::MediaPath::None,
        MediaPath::Udp if state.relayed => screen::MediaPath::Turn,
        MediaPath::Udp => screen::MediaPath::Direct,
        MediaPath::Socket => screen::MediaPath::Server,
    };
    Media {
        call_id,
        way,
        quality: screen::Quality::Unknown,
        silent_ms: state.silent_ms,
        muted: false,
        push_to_talk: None,
        microphone_trouble: state.microphone_trouble.clone(),
        speaker_trouble: state.speaker_trouble.clone(),
    }
}
