//! A call with every part between microphone and loudspeaker: sound, session and sockets on both sides, and impaired
//! network conditions between the sockets. The server's only part, the live socket, is simulated by two queues.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bytes::Bytes;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::Signal;
use crewbell_voice::{
    audio::{
        self, Direction, ManualDriver, Statistics, Treatment,
        device::{ClockedDevice, ClockedDevices},
    },
    session::{
        Addresses, Options, PeerOptions,
        impairment::{Conditions, ImpairedNetwork},
        negotiation::{MediaPath, Role},
    },
    talk::{CallEvent, MediaState, Quality, Talk},
};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::driven::Driven;

const PATIENCE: Duration = Duration::from_secs(20);
/// Listening time after the last word.
const AFTER: Duration = Duration::from_secs(1);
const CALL: CallId = CallId(Uuid::from_u128(1));

/// One of the two people.
pub struct Person {
    talk: Arc<Talk>,
    devices: ClockedDevices,
    state: watch::Receiver<Option<MediaState>>,
    weather: ImpairedNetwork,
}

/// Two people who hear each other.
pub struct Call {
    pub people: [Person; 2],
    /// Whether the live socket is connected; messages meanwhile are delivered afterwards.
    open: watch::Sender<bool>,
    /// Time until both sides had reported a media path.
    pub found: Duration,
    _driven: Driven,
}

/// The network between the two people.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network {
    /// Conditions for the packets that each person sends.
    pub conditions: [Conditions; 2],
    /// Start and length of an outage in both directions.
    pub outage: Option<(Duration, Duration)>,
}

impl Network {
    /// Creates a network with the same conditions in both directions.
    pub fn of(conditions: Conditions) -> Self {
        Self { conditions: [conditions; 2], outage: None }
    }
}

/// The result of a call for one listener.
pub struct Heard {
    pub samples: Vec<f32>,
    pub statistics: Statistics,
    /// The call quality last reported to the listener.
    pub quality: Quality,
}

/// A message over the live socket.
enum Message {
    Signal(EndpointId, Signal),
    Frame(Bytes),
}

/// Options without treatment of the microphone's sound: the effect of the network is measured.
pub fn untreated() -> audio::Options {
    audio::Options { treatment: Treatment { echo: false, noise: false, gain: false }, ..audio::Options::default() }
}

impl Call {
    /// Starts a call under perfect conditions; `seed` is for later conditions.
    pub async fn begin(seed: u64, sound: &audio::Options) -> Result<Self> {
        let began = Instant::now();
        let (open, is_open) = watch::channel(true);
        let (to_called, at_called) = mpsc::unbounded_channel();
        let (to_caller, at_caller) = mpsc::unbounded_channel();
        let (caller, hand) = person(Role::Caller, seed, sound, to_called, at_caller, is_open.clone())?;
        let (called, other_hand) = person(Role::Called, seed + 1, sound, to_caller, at_called, is_open)?;
        let hands = vec![(caller.devices.clone(), hand), (called.devices.clone(), other_hand)];
        let driven = Driven::start(hands)?;
        let mut call = Self { people: [caller, called], open, found: Duration::ZERO, _driven: driven };
        call.until("packets go by UDP", |state| state.way == MediaPath::Udp).await?;
        call.found = began.elapsed();
        call.until("something is heard", |state| state.silent_ms.is_some()).await?;
        Ok(call)
    }

    /// Waits until the states of both people satisfy a condition.
    pub async fn until(&mut self, what: &str, is_so: impl Fn(&MediaState) -> bool) -> Result<()> {
        for person in &mut self.people {
            let waiting = person.state.wait_for(|state| state.as_ref().is_some_and(&is_so));
            let found = tokio::time::timeout(PATIENCE, waiting).await;
            drop(found.with_context(|| format!("waited {PATIENCE:?} in vain until {what}"))??);
        }
        Ok(())
    }

    /// Changes the network conditions for packets sent from this point on.
    pub fn set(&self, conditions: [Conditions; 2]) {
        for (person, conditions) in self.people.iter().zip(conditions) {
            person.weather.set(conditions);
        }
    }

    /// Plays a sound into each of the two microphones.
    pub fn say(&self, said: [&[f32]; 2]) {
        for (person, said) in self.people.iter().zip(said) {
            drop(person.devices.heard());
            person.devices.say(said);
        }
    }

    fn heard(&self) -> [Heard; 2] {
        [0, 1].map(|listener| {
            let Person { talk, devices, state, .. } = &self.people[listener];
            let quality = state.borrow().as_ref().map_or(Quality::Unknown, |state| state.quality);
            Heard { samples: devices.heard(), statistics: talk.sound().statistics(), quality }
        })
    }
}

/// Plays both sounds over a network and records them: first what the second person heard, then what the first heard.
pub async fn say(said: [&[f32]; 2], network: Network, seed: u64, sound: &audio::Options) -> Result<[Heard; 2]> {
    let call = Call::begin(seed, sound).await?;
    call.set(network.conditions);
    call.say(said);
    let longest = said.iter().map(|said| said.len()).max().unwrap_or(0);
    let lasts = Duration::from_millis(u64::try_from(longest)? / 48) + AFTER;
    if let Some((from, length)) = network.outage {
        tokio::time::sleep(from).await;
        call.open.send_replace(false);
        call.set(network.conditions.map(|conditions| Conditions { cut: true, ..conditions }));
        tokio::time::sleep(length).await;
        call.set(network.conditions);
        call.open.send_replace(true);
        tokio::time::sleep(lasts.saturating_sub(from + length)).await;
    } else {
        tokio::time::sleep(lasts).await;
    }
    let [by_caller, by_called] = call.heard();
    Ok([by_called, by_caller])
}

fn person(
    role: Role,
    seed: u64,
    sound: &audio::Options,
    to_other: mpsc::UnboundedSender<Message>,
    mut from_other: mpsc::UnboundedReceiver<Message>,
    mut is_open: watch::Receiver<bool>,
) -> Result<(Person, ManualDriver)> {
    let (own, other) = match role {
        Role::Caller => (2, 3),
        Role::Called => (3, 2),
    };
    let (own, peer) = (EndpointId(Uuid::from_u128(own)), EndpointId(Uuid::from_u128(other)));
    let devices = ClockedDevices::default();
    devices.plug(Direction::Input, "microphone", ClockedDevice::default());
    devices.plug(Direction::Output, "speaker", ClockedDevice::default());
    let weather = ImpairedNetwork::new(seed);
    let addresses = Addresses::Only(vec![std::net::Ipv4Addr::LOCALHOST.into()]);
    let session = Options { addresses, weather: Some(weather.clone()), ..Options::default() };
    let (told, state) = watch::channel(None);
    let frames = to_other.clone();
    let (talk, hand) = Talk::in_hand(
        PeerOptions { role, call_id: CALL, peer, session },
        sound,
        devices.clone(),
        Arc::new(move |frame| drop(frames.send(Message::Frame(frame)))),
        move |what| match what {
            CallEvent::Say(signal) => drop(to_other.send(Message::Signal(own, signal))),
            CallEvent::State(state) => drop(told.send_replace(Some(state))),
            CallEvent::Levels(_) => {}
        },
    )?;
    let talk = Arc::new(talk);
    let ear = Arc::downgrade(&talk);
    tokio::spawn(async move {
        while let Some(message) = from_other.recv().await {
            let Ok(_) = is_open.wait_for(|is_open| *is_open).await else { return };
            let Some(talk) = ear.upgrade() else { return };
            match message {
                Message::Signal(from, signal) => talk.hear(from, signal),
                Message::Frame(frame) => talk.hear_frame(&frame),
            }
        }
    });
    Ok((Person { talk, devices, state, weather }, hand))
}
