//! Our end of a call: the session, and the sound on simulated devices that follow real time.

use std::sync::{Arc, OnceLock};

use crewbell_voice::Packet;
use crewbell_voice::audio::device::{ClockedDevice, ClockedDevices};
use crewbell_voice::audio::{self, AudioEngine, Direction, Treatment};
use crewbell_voice::session::{Addresses, Event, MediaSession, Options, WebRtcSession};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::driven::Driven;

pub struct Ours {
    pub session: Arc<WebRtcSession>,
    pub events: UnboundedReceiver<Event>,
    pub devices: ClockedDevices,
    pub engine: Arc<AudioEngine>,
    _driven: Driven,
}

impl Ours {
    pub async fn open() -> Self {
        let devices = ClockedDevices::default();
        devices.plug(Direction::Input, "microphone", ClockedDevice::default());
        devices.plug(Direction::Output, "speaker", ClockedDevice::default());
        // Treatment would remove a tone as noise.
        let treatment = Treatment { echo: false, noise: false, gain: false };
        let sound = audio::Options { treatment, ..audio::Options::default() };
        let session = Arc::new(OnceLock::<Arc<WebRtcSession>>::new());
        let speaking = Arc::clone(&session);
        let spoken = move |packet: Packet| {
            if let Some(session) = speaking.get() {
                session.send(packet);
            }
        };
        let (engine, hand) = AudioEngine::in_hand(&sound, devices.clone(), spoken, |_| {}).unwrap();
        let engine = Arc::new(engine);
        let driven = Driven::start(vec![(devices.clone(), hand)]).unwrap();

        let (told, events) = unbounded_channel();
        let options = Options { addresses: Addresses::AllAndLoopback, ..Options::default() };
        let hearing = Arc::clone(&engine);
        let heard = Arc::new(move |packet| hearing.receive(packet));
        let opened = Arc::new(WebRtcSession::open(options, heard, told).await.unwrap());
        assert!(session.set(Arc::clone(&opened)).is_ok());
        Self { session: opened, events, devices, engine, _driven: driven }
    }
}
