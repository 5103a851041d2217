//! A call with all there is between a microphone and a loudspeaker: sound, session and sockets on both sides, and bad weather
//! between these. Of the server only the live socket plays a part, by two queues.

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
        self, Direction, Hand, Statistics, Treatment,
        device::{ClockedDevice, ClockedDevices},
    },
    session::{
        Addresses, Options, PeerOptions,
        negotiation::{Role, Way},
        weather::{Conditions, Weather},
    },
    talk::{Quality, State, Talk, Told},
};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::driven::Driven;

const PATIENCE: Duration = Duration::from_secs(20);
/// How long is listened after the last word.
const AFTER: Duration = Duration::from_secs(1);
const CALL: CallId = CallId(Uuid::from_u128(1));

/// One of the two people.
pub struct Person {
    talk: Arc<Talk>,
    devices: ClockedDevices,
    state: watch::Receiver<Option<State>>,
    weather: Weather,
}

/// Two people who hear each other.
pub struct Call {
    pub people: [Person; 2],
    /// Whether the live socket gets through; what is said over it meanwhile comes afterwards.
    open: watch::Sender<bool>,
    /// How soon both were told that packets have a way.
    pub found: Duration,
    _driven: Driven,
}

/// What is between them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network {
    /// On the way to the other, of each of them.
    pub conditions: [Conditions; 2],
    /// From when on nothing gets through either way, and for how long.
    pub outage: Option<(Duration, Duration)>,
}

impl Network {
    /// The same both ways.
    pub fn of(conditions: Conditions) -> Self {
        Self { conditions: [conditions; 2], outage: None }
    }
}

/// What came of what one of them said.
pub struct Heard {
    pub samples: Vec<f32>,
    pub statistics: Statistics,
    /// How good the listener was told that the call is, at last.
    pub quality: Quality,
}

/// What one of them says, over the live socket.
enum Message {
    Signal(EndpointId, Signal),
    Frame(Bytes),
}

/// The microphone's sound as it is: what the network does is measured.
pub fn untreated() -> audio::Options {
    audio::Options { treatment: Treatment { echo: false, noise: false, gain: false }, ..audio::Options::default() }
}

impl Call {
    /// Begins one in fair weather; `seed` is of the weather to come.
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
        call.until("packets go by UDP", |state| state.way == Way::Udp).await?;
        call.found = began.elapsed();
        call.until("something is heard", |state| state.silent_ms.is_some()).await?;
        Ok(call)
    }

    /// Waits until both are told so.
    pub async fn until(&mut self, what: &str, is_so: impl Fn(&State) -> bool) -> Result<()> {
        for person in &mut self.people {
            let waiting = person.state.wait_for(|state| state.as_ref().is_some_and(&is_so));
            let found = tokio::time::timeout(PATIENCE, waiting).await;
            drop(found.with_context(|| format!("waited {PATIENCE:?} in vain until {what}"))??);
        }
        Ok(())
    }

    /// Changes the network for what is sent from now on.
    pub fn set(&self, conditions: [Conditions; 2]) {
        for (person, conditions) in self.people.iter().zip(conditions) {
            person.weather.set(conditions);
        }
    }

    /// Says it before the microphones, one thing each.
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

/// Says both over a network, and listens: what the second heard of the first, then the other way round.
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
) -> Result<(Person, Hand)> {
    let (own, other) = match role {
        Role::Caller => (2, 3),
        Role::Called => (3, 2),
    };
    let (own, peer) = (EndpointId(Uuid::from_u128(own)), EndpointId(Uuid::from_u128(other)));
    let devices = ClockedDevices::default();
    devices.plug(Direction::Input, "microphone", ClockedDevice::default());
    devices.plug(Direction::Output, "speaker", ClockedDevice::default());
    let weather = Weather::new(seed);
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
            Told::Say(signal) => drop(to_other.send(Message::Signal(own, signal))),
            Told::State(state) => drop(told.send_replace(Some(state))),
            Told::Levels(_) => {}
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
