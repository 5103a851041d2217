//! What the controller may do to the device that it runs on. The app's shell implements it with windows, speakers and
//! the system's keyring; a test implements it with a list.

use std::path::PathBuf;

use crewbell_shared::request::Priority;

use crate::screen::{Alert, AskError, Told};

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

    /// A setting of this device changed: volume, sounds, window.
    fn setting(&self, name: &str, value: Option<&str>);

    /// Where files go that a person asked for: the folder of downloads.
    fn downloads(&self) -> PathBuf;
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
