//! The core's handset: tones, and the ongoing call. The core decides on its task.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use crewbell_core::engine::Input;
use crewbell_core::screen::{self, AskError, AudioDevices, CoreEvent, Levels, Media, Task, settings};
use crewbell_core::shell::{Handset, IceServer};
use crewbell_shared::call::{Call, CallState, Outcome};
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::Signal;
use crewbell_voice::audio::{self, Devices as _, Direction, SystemDevices};
use crewbell_voice::session::negotiation::{MediaPath, Role};
use crewbell_voice::session::{self, PeerOptions};
use crewbell_voice::sounds::CallTone;
use crewbell_voice::talk::{self, Quality, Talk};
use tauri::{AppHandle, Manager};

use crate::core_handle::Core;
use crate::device::Device;

/// Lowest level on the meter, in dBFS; a quiet room is below it.
const QUIETEST_DBFS: f32 = -60.0;

/// The device's voice.
pub(crate) struct Phone {
    app: AppHandle,
    now: Arc<Mutex<Now>>,
}

/// The current call, and the options for the next one.
#[derive(Default)]
struct Now {
    talk: Option<Talk>,
    /// The last reported media state.
    media: Option<Media>,
    servers: Vec<session::IceServer>,
    sound: audio::Options,
}

impl Phone {
    /// Creates a handset without a call.
    pub(crate) fn new(app: &AppHandle) -> Self {
        Self { app: app.clone(), now: Arc::default() }
    }

    /// Applies a setting, also to the ongoing call.
    pub(crate) fn setting(&self, name: &str, value: Option<&str>) {
        let mut now = self.lock();
        let device = || value.filter(|name| !name.is_empty()).map(str::to_owned);
        match name {
            settings::MICROPHONE => now.sound.input = device(),
            settings::SPEAKER => now.sound.output = device(),
            settings::CALL_VOLUME => now.sound.volume = f32::from(settings::volume(value)) / 100.0,
            settings::PUSH_TO_TALK => now.sound.speaking.push_to_talk = value == Some("on"),
            _ => return,
        }
        let audio::Options { input, output, speaking, volume, .. } = now.sound.clone();
        let Some(talk) = &now.talk else { return };
        match name {
            settings::MICROPHONE => talk.sound().choose(Direction::Input, input),
            settings::SPEAKER => talk.sound().choose(Direction::Output, output),
            settings::CALL_VOLUME => talk.sound().set_volume(volume),
            _ => talk.sound().set_push_to_talk(speaking.push_to_talk),
        }
        self.report_speaking(&mut now);
    }

    /// Starts the audio of a call, or continues it.
    fn talk(&self, call_id: CallId, peer: EndpointId, offers: bool) {
        let mut now = self.lock();
        if now.talk.as_ref().is_some_and(|talk| talk.call_id() == call_id) {
            return;
        }
        let role = if offers { Role::Caller } else { Role::Called };
        let session = session::Options { ice_servers: now.servers.clone(), ..session::Options::default() };
        let options = PeerOptions { role, call_id, peer, session };
        let core = self.app.state::<Core>().inner().clone();
        let (frames, telling, app) = (core.clone(), Arc::clone(&self.now), self.app.clone());
        let tell = move |told| match told {
            talk::CallEvent::Say(signal) => core.report(Input::Signal { call_id, to: peer, signal }),
            talk::CallEvent::State(state) => {
                let media = media(call_id, state);
                lock(&telling).media = Some(media.clone());
                core.report(Input::Media(media));
            }
            talk::CallEvent::Levels(levels) => {
                let levels = Levels { microphone: meter(levels.input_dbfs), speaker: meter(levels.output_dbfs) };
                app.state::<Arc<Device>>().tell_window(CoreEvent::Levels { levels });
            }
        };
        // The call's tasks need a runtime context, which the caller may lack.
        let _runtime = tauri::async_runtime::handle().inner().enter();
        match Talk::open(options, &now.sound, Arc::new(move |frame: Bytes| frames.speak(frame.to_vec())), tell) {
            Ok(talk) => {
                let old = now.talk.replace(talk);
                drop(now);
                end(old);
            }
            Err(error) => eprintln!("There is no voice for this call: {error}"),
        }
    }

    fn hang_up(&self) {
        let mut now = self.lock();
        now.media = None;
        let old = now.talk.take();
        drop(now);
        end(old);
    }

    /// Reports the person's changes to the microphone at once.
    fn report_speaking(&self, now: &mut Now) {
        if let (Some(talk), Some(media)) = (&now.talk, &mut now.media) {
            let speaking = talk.sound().speaking();
            media.muted = speaking.muted;
            media.push_to_talk = speaking.push_to_talk.then_some(speaking.held);
            self.app.state::<Core>().report(Input::Media(media.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        lock(&self.now)
    }
}

fn lock(now: &Mutex<Now>) -> MutexGuard<'_, Now> {
    now.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Closes a call's audio in a separate thread, as devices are slow to close.
fn end(talk: Option<Talk>) {
    if let Some(talk) = talk {
        std::thread::spawn(move || drop(talk));
    }
}

/// Converts the voice engine's state of a call.
fn media(call_id: CallId, state: talk::MediaState) -> Media {
    let talk::MediaState { way, relayed, quality, silent_ms, speaking, microphone_trouble, speaker_trouble } = state;
    let way = match way {
        MediaPath::Nowhere => screen::MediaPath::None,
        MediaPath::Udp if relayed => screen::MediaPath::Turn,
        MediaPath::Udp => screen::MediaPath::Direct,
        MediaPath::Socket => screen::MediaPath::Server,
    };
    let quality = match quality {
        Quality::Unknown => screen::Quality::Unknown,
        Quality::Good => screen::Quality::Good,
        Quality::Fair => screen::Quality::Fair,
        Quality::Poor => screen::Quality::Poor,
    };
    let push_to_talk = speaking.push_to_talk.then_some(speaking.held);
    Media { call_id, way, quality, silent_ms, muted: speaking.muted, push_to_talk, microphone_trouble, speaker_trouble }
}

/// Converts a level to the meter's range, 0 to 100.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=100")]
fn meter(dbfs: f32) -> u8 {
    ((dbfs - QUIETEST_DBFS) / -QUIETEST_DBFS * 100.0).clamp(0.0, 100.0) as u8
}

/// Returns the tone at the end of a call: a busy tone if the call failed or broke off.
fn farewell(call: Option<&Call>) -> Option<CallTone> {
    match call.map(|call| &call.state) {
        Some(CallState::Ended { outcome, .. }) => match outcome {
            Outcome::Missed { .. } | Outcome::Rejected | Outcome::Dropped => Some(CallTone::Busy),
            Outcome::Completed | Outcome::Cancelled => None,
        },
        Some(CallState::Ringing | CallState::Ongoing { .. }) | None => None,
    }
}

impl Handset for Device {
    fn phone(&self, task: Task, call: Option<&Call>, missed: usize) {
        let tone = match task {
            Task::Ring { .. } => Some(CallTone::Ring),
            Task::RingBack { .. } => Some(CallTone::Ringback),
            Task::Over { .. } => farewell(call),
            Task::Idle | Task::Talk { .. } => None,
        };
        self.bell().set_call(tone);
        match task {
            Task::Talk { call_id, peer: Some(peer), offers } => self.voice().talk(call_id, peer, offers),
            Task::Talk { peer: None, .. }
            | Task::Idle
            | Task::Ring { .. }
            | Task::RingBack { .. }
            | Task::Over { .. } => self.voice().hang_up(),
        }
        self.show_call(task, call, missed);
    }

    fn ice_servers(&self, servers: &[IceServer]) {
        let server = |server: &IceServer| session::IceServer {
            urls: server.urls.clone(),
            username: server.username.clone().unwrap_or_default(),
            credential: server.credential.clone().unwrap_or_default(),
        };
        self.voice().lock().servers = servers.iter().map(server).collect();
    }

    fn signal(&self, call_id: CallId, from: EndpointId, signal: &Signal) {
        if let Some(talk) = self.voice().lock().talk.as_ref().filter(|talk| talk.call_id() == call_id) {
            talk.hear(from, signal.clone());
        }
    }

    fn heard(&self, packet: &[u8]) {
        if let Some(talk) = &self.voice().lock().talk {
            talk.hear_frame(&Bytes::copy_from_slice(packet));
        }
    }

    fn socket_back(&self) {
        if let Some(talk) = &self.voice().lock().talk {
            talk.socket_back();
        }
    }

    fn mute(&self, on: bool) {
        let mut now = self.voice().lock();
        if let Some(talk) = &now.talk {
            talk.sound().set_muted(on);
        }
        self.voice().report_speaking(&mut now);
    }

    fn talk(&self, held: bool) {
        let mut now = self.voice().lock();
        if let Some(talk) = &now.talk {
            talk.sound().hold(held);
        }
        self.voice().report_speaking(&mut now);
    }

    fn audio_devices(&self) -> Result<AudioDevices, AskError> {
        let mut system = SystemDevices::default();
        Ok(AudioDevices { microphones: system.names(Direction::Input), speakers: system.names(Direction::Output) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_is_empty_in_a_quiet_room_and_full_at_full_scale() {
        assert_eq!([-96.0, -60.0, -30.0, 0.0, 3.0].map(meter), [0, 0, 50, 100, 100]);
    }
}
