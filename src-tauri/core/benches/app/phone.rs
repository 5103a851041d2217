//! A device that can be called: the app's voice, on whatever sound server there is.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bytes::Bytes;
use crewbell_core::controller::Handle;
use crewbell_core::engine::Input;
use crewbell_core::screen::{AskError, AudioDevices, Task};
use crewbell_core::shell::{Handset, IceServer};
use crewbell_shared::call::Call;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::Signal;
use crewbell_voice::audio::{self, Treatment};
use crewbell_voice::session::negotiation::{Role, Way};
use crewbell_voice::session::weather::Weather;
use crewbell_voice::session::{Options, PeerOptions};
use crewbell_voice::talk::{State, Talk, Told};
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(30);

/// Of a tone that is played to both sides nothing may be taken for an echo of it.
const UNTREATED: Treatment = Treatment { echo: false, noise: false, gain: false };

/// A device's voice: notes what it is to do, and how its calls stand.
pub(crate) struct Phone {
    pub(crate) weather: Weather,
    handle: OnceLock<Handle>,
    talk: Mutex<Option<Talk>>,
    seen: Mutex<Vec<(Instant, Seen)>>,
    news: watch::Sender<usize>,
}

#[derive(Clone, Debug)]
enum Seen {
    Task(Task),
    State(State),
}

impl Phone {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            weather: Weather::new(seed),
            handle: OnceLock::new(),
            talk: Mutex::default(),
            seen: Mutex::default(),
            news: watch::Sender::new(0),
        })
    }

    /// Its controller, once it is there.
    pub(crate) fn is_of(&self, handle: Handle) {
        drop(self.handle.set(handle));
    }

    /// How much was seen so far.
    pub(crate) fn position(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Waits until it has something to do, and says when that was.
    pub(crate) async fn task(&self, from: usize, what: &str, is_it: impl Fn(Task) -> bool) -> Result<(Instant, Task)> {
        self.until(from, what, |seen| if let Seen::Task(task) = seen { is_it(*task).then_some(*task) } else { None })
            .await
    }

    /// Waits until packets go by a way.
    pub(crate) async fn goes_by(&self, from: usize, way: Way) -> Result<Instant> {
        let is_so = |seen: &Seen| if let Seen::State(state) = seen { (state.way == way).then_some(()) } else { None };
        Ok(self.until(from, "the way is open", is_so).await?.0)
    }

    /// Waits until it hears the other side, or doesn't any more.
    pub(crate) async fn hears(&self, from: usize, hears: bool) -> Result<Instant> {
        let is_so = |seen: &Seen| match seen {
            Seen::State(State { silent_ms: Some(silent_ms), .. }) => ((*silent_ms == 0) == hears).then_some(()),
            Seen::State(_) | Seen::Task(_) => None,
        };
        Ok(self.until(from, "the other side is heard, or not", is_so).await?.0)
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

/// The device's end of a phone.
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
        let session = Options { weather: Some(phone.weather.clone()), ..Options::default() };
        let handle = phone.handle.get().unwrap().clone();
        let (telling, speaking) = (Arc::downgrade(phone), handle.clone());
        let tell = move |told| match told {
            Told::Say(signal) => handle.input(Input::Signal { call_id, to: peer, signal }),
            Told::State(state) => {
                if let Some(phone) = telling.upgrade() {
                    phone.note(Seen::State(state));
                }
            }
            Told::Levels(_) => {}
        };
        let sound = audio::Options { treatment: UNTREATED, ..audio::Options::default() };
        let frames = Arc::new(move |frame: Bytes| speaking.speak(frame.to_vec()));
        *talk = Some(Talk::open(PeerOptions { role, call_id, peer, session }, &sound, frames, tell).unwrap());
    }

    fn ice_servers(&self, _servers: &[IceServer]) {}

    fn signal(&self, call_id: CallId, from: EndpointId, signal: &Signal) {
        if let Some(talk) = self.0.talk.lock().unwrap().as_ref().filter(|talk| talk.call_id() == call_id) {
            talk.hear(from, signal.clone());
        }
    }

    fn heard(&self, packet: &[u8]) {
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
