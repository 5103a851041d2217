//! What the controller may do to the device that it runs on. The app's shell implements it with windows, speakers and
//! the system's keyring; a test implements it with a list.

use std::path::PathBuf;

use crewbell_shared::call::Call;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::Signal;
use crewbell_shared::request::Priority;
use serde::Deserialize;

use crate::screen::{Alert, AskError, AudioDevices, Task, Told};

/// What the controller may do to the device that it runs on. None of it waits: a window that is slow or gone never holds
/// up the next press.
pub trait Shell: Send + Sync + 'static {
    /// Tells every open window, in order.
    fn tell(&self, told: &[Told]);

    /// What rings now, whole: start and stop sounds and notifications accordingly. `open` is the number for the badge.
    /// What came of the sound is reported back to the controller (`Input::Sounded`, `Input::Ears`).
    fn ring(&self, alerts: &[Alert], open: usize);

    /// Plays the sound of a priority once, at the volume that is set.
    ///
    /// # Errors
    /// The device can't make a sound.
    fn test_sound(&self, priority: Priority) -> Result<(), AskError>;

    /// Plays a recording (WAV), or stops; what comes of it is told to the windows as `Told::Voice`.
    ///
    /// # Errors
    /// The device can't play it.
    fn play(&self, recording: Option<Recording>) -> Result<(), AskError>;

    /// A setting of this device: volume, sounds, language. Each that is stored is told at the start, before anything
    /// rings, and then whenever it changes; one that isn't told is as [`settings`](crate::screen::settings) says.
    fn setting(&self, name: &str, value: Option<&str>);

    /// Where files go that a person asked for: the folder of downloads.
    fn downloads(&self) -> PathBuf;
}

/// What the controller may do to the device's voice. The app implements it with the voice engine. None of it waits.
pub trait Handset: Send + Sync + 'static {
    /// What this device does about calls now, whole: start and stop tones, microphone and connection accordingly.
    /// `call` is the one that it is about; `missed` is for the badge. What comes of it is reported back (`Input::Signal`, `Input::Media`).
    fn phone(&self, task: Task, call: Option<&Call>, missed: usize);

    /// Servers that help two devices to reach each other; told before they may be needed.
    fn ice_servers(&self, servers: &[IceServer]);

    /// The other side of the call that is spoken over says this.
    fn signal(&self, call_id: CallId, from: EndpointId, signal: &Signal);

    /// A packet of a call's voice that came over the live socket (`crewbell_shared::protocol::AudioFrame`).
    fn heard(&self, packet: &[u8]);

    /// The live socket is open again, of this side or the other's: signals that were said meanwhile are lost.
    fn socket_back(&self);

    /// Mutes the microphone in a call.
    fn mute(&self, on: bool);

    /// The button that one talks by is held, or released.
    fn talk(&self, held: bool);

    /// The microphones and speakers that can be chosen.
    ///
    /// # Errors
    /// The system's sound can't be asked.
    fn audio_devices(&self) -> Result<AudioDevices, AskError>;
}

/// A device without a voice: calls ring on the others of its person.
#[derive(Clone, Copy, Debug)]
pub struct NoHandset;

impl Handset for NoHandset {
    fn phone(&self, _task: Task, _call: Option<&Call>, _missed: usize) {}
    fn socket_back(&self) {}
    fn ice_servers(&self, _servers: &[IceServer]) {}
    fn signal(&self, _call_id: CallId, _from: EndpointId, _signal: &Signal) {}
    fn heard(&self, _packet: &[u8]) {}
    fn mute(&self, _on: bool) {}
    fn talk(&self, _held: bool) {}

    fn audio_devices(&self) -> Result<AudioDevices, AskError> {
        Ok(AudioDevices::default())
    }
}

/// A server that helps two devices to reach each other: STUN (RFC 8489) or TURN (RFC 8656).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IceServer {
    /// `stun:…`, `turn:…?transport=udp`.
    pub urls: Vec<String>,
    /// For TURN; worth something for some hours.
    #[serde(default)]
    pub username: Option<String>,
    /// For TURN.
    #[serde(default)]
    pub credential: Option<String>,
}

/// A recording to play.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Of which request.
    pub request_id: crewbell_shared::ids::RequestId,
    /// A WAV file.
    pub wav: Vec<u8>,
}

/// Where the token is kept: the system's keyring, or a file that only this user may read.
pub trait Vault: Send + Sync + 'static {
    /// The token, where there is one.
    ///
    /// # Errors
    /// The keyring can't be read (locked, gone).
    fn token(&self) -> Result<Option<String>, VaultError>;

    /// Keeps a token; says where it is now.
    ///
    /// # Errors
    /// It can't be kept anywhere.
    fn keep(&self, token: &str) -> Result<TokenPlace, VaultError>;

    /// Forgets the token.
    ///
    /// # Errors
    /// It can't be removed.
    fn forget(&self) -> Result<(), VaultError>;
}

/// Where a token is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// In the system's keyring.
    Keyring,
    /// In a file that only this user may read, because there is no keyring.
    File,
}

/// The token couldn't be kept, read or forgotten.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sign-in can't be kept safely: {0}")]
pub struct VaultError(pub String);
