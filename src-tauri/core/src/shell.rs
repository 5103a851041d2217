//! Traits for the device that the controller runs on. The app's shell implements them with windows, speakers and the
//! system's keyring; tests implement them with a list.

use std::path::PathBuf;

use crewbell_shared::call::Call;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::Signal;
use crewbell_shared::request::Priority;
use serde::Deserialize;

use crate::screen::{Alert, AskError, AudioDevices, CoreEvent, Task};

/// The windows, sounds and notifications of the device. No method blocks, so that a slow or closed window never delays
/// the next press.
pub trait Shell: Send + Sync + 'static {
    /// Emits events to every open window, in order.
    fn tell(&self, told: &[CoreEvent]);

    /// Sets the complete list of ringing alerts; sounds and notifications start and stop accordingly. `open` is the
    /// number for the badge. The outcome of the sound is reported to the controller (`Input::Sounded`, `Input::Ears`).
    fn ring(&self, alerts: &[Alert], open: usize);

    /// Plays the sound of a priority once, at the volume that is set.
    ///
    /// # Errors
    /// Returns an error if the device can't make a sound.
    fn test_sound(&self, priority: Priority) -> Result<(), AskError>;

    /// Plays a recording (WAV), or stops playback; progress is emitted to the windows as `Told::Voice`.
    ///
    /// # Errors
    /// Returns an error if the device can't play it.
    fn play(&self, recording: Option<Recording>) -> Result<(), AskError>;

    /// Applies a setting of this device: volume, sounds, language. Each stored setting is passed at the start, before
    /// anything rings, and again whenever it changes; any other has the default of
    /// [`settings`](crate::screen::settings).
    fn setting(&self, name: &str, value: Option<&str>);

    /// Returns the folder for files that a person exports: the downloads folder.
    fn downloads(&self) -> PathBuf;
}

/// The voice side of the device, implemented by the app with the voice engine. No method blocks.
pub trait Handset: Send + Sync + 'static {
    /// Sets this device's complete call task; tones, microphone and connection start and stop accordingly. `call` is
    /// the call concerned; `missed` is for the badge. Results are reported back (`Input::Signal`, `Input::Media`).
    fn phone(&self, task: Task, call: Option<&Call>, missed: usize);

    /// Sets the STUN and TURN servers, before they may be needed.
    fn ice_servers(&self, servers: &[IceServer]);

    /// Delivers a signal from the other endpoint of the ongoing call.
    fn signal(&self, call_id: CallId, from: EndpointId, signal: &Signal);

    /// Delivers an audio packet of a call that arrived over the live socket (`crewbell_shared::protocol::AudioFrame`).
    fn heard(&self, packet: &[u8]);

    /// Reports that the live socket of this or the other endpoint is open again; signals sent in between are lost.
    fn socket_back(&self);

    /// Mutes the microphone in a call.
    fn mute(&self, on: bool);

    /// Sets whether the push-to-talk button is held.
    fn talk(&self, held: bool);

    /// Returns the microphones and speakers to choose from.
    ///
    /// # Errors
    /// Returns an error if the system's audio devices can't be listed.
    fn audio_devices(&self) -> Result<AudioDevices, AskError>;
}

/// A device without voice support: calls ring on the person's other devices.
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

/// A STUN (RFC 8489) or TURN (RFC 8656) server for connecting two devices.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IceServer {
    /// URLs of the form `stun:…` or `turn:…?transport=udp`.
    pub urls: Vec<String>,
    /// User name for TURN; valid for some hours.
    #[serde(default)]
    pub username: Option<String>,
    /// Credential for TURN.
    #[serde(default)]
    pub credential: Option<String>,
}

/// A recording to play.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The request that the recording belongs to.
    pub request_id: crewbell_shared::ids::RequestId,
    /// The audio as a WAV file.
    pub wav: Vec<u8>,
}

/// Storage for the session token: the system's keyring, or a file that only this user may read.
pub trait Vault: Send + Sync + 'static {
    /// Returns the stored token, if there is one.
    ///
    /// # Errors
    /// Returns an error if the keyring can't be read (locked, gone).
    fn token(&self) -> Result<Option<String>, VaultError>;

    /// Stores a token and returns where it was stored.
    ///
    /// # Errors
    /// Returns an error if the token can't be stored anywhere.
    fn keep(&self, token: &str) -> Result<TokenPlace, VaultError>;

    /// Deletes the token.
    ///
    /// # Errors
    /// Returns an error if the token can't be deleted.
    fn forget(&self) -> Result<(), VaultError>;
}

/// The place where a token is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// The system's keyring.
    Keyring,
    /// A file that only this user may read, used when there is no keyring.
    File,
}

/// Storing, reading or deleting the token failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sign-in can't be kept safely: {0}")]
pub struct VaultError(pub String);
