//! The controller: a task that handles one input at a time. It decides, writes, commits and performs (`engine`), and
//! never waits for the UI or the network.
//!
//! | file | purpose |
//! |---|---|
//! | `run` | the event loop |
//! | `disk` | writes to the store, buffered while the storage fails |
//! | `perform` | performs the engine's outputs |
//! | `ask`, `calls` | answers requests from the UI |
//! | `sign_in` | signing in on this device |
//! | `keys`, `revoke` | the session token in the shell's vault; revocation of old tokens |
//! | `activity`, `names`, `words` | text form of entries and commands |
//! | `files` | exported files |
//! | `code` | QR codes |
//! | `window` | a window's bounded event queue; an overflow emits `Reload` |
//! | `clock` | time, randomness and ids: the only module that reads them |
//!
//! A panic while handling an input loses that input alone: the engine restarts from the store and emits its complete
//! state again (`Input::Recovered`). If a part of the shell panics, the complete state is emitted again after a moment
//! (`Input::SayAgain`).

mod activity;
mod ask;
mod calls;
mod clock;
mod code;
mod command_text;
mod disk;
mod files;
mod keys;
mod names;
mod perform;
mod revoke;
mod run;
mod sign_in;
#[cfg(test)]
mod tests;
mod window;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

use crate::engine::Input;
use crate::net::AudioLine;
use crate::net::{Http, trust};
use crate::screen::{Ask, AskError};
use crate::shell::{Handset, Shell, Vault};
use crate::store::{Store, StoreError, Unreadable};

pub use clock::Clock;
pub use window::Window;

use run::{Controller, Post};

/// Capacity of the input queue. Senders wait if it is full; the controller never does.
const QUEUE: usize = 256;

/// The dependencies of a controller.
pub struct Deps<S> {
    /// The device's store.
    pub store: S,
    /// The number of waiting commands saved when the store had to be rebuilt; none if it hadn't.
    pub rebuilt: Option<u32>,
    /// The commands that the store can't read.
    pub unreadable: Vec<Unreadable>,
    /// The device's windows and sounds.
    pub shell: Arc<dyn Shell>,
    /// The device's voice.
    pub handset: Arc<dyn Handset>,
    /// Storage for the session token.
    pub vault: Arc<dyn Vault>,
    /// Source of time and randomness.
    pub clock: Clock,
    /// The app's data folder, with the cached recordings and an optional `server-ca.pem`.
    pub data: PathBuf,
    /// The device's name in the list of sessions.
    pub device_name: String,
    /// The app's version.
    pub version: String,
}

impl<S> std::fmt::Debug for Deps<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("data", &self.data).field("version", &self.version).finish_non_exhaustive()
    }
}

/// The reason why a controller couldn't be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The stored data can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network can't be used: `server-ca.pem` is no certificate.
    #[error("the network can't be used: {0}")]
    Net(String),
}

/// A handle to a controller; cheap to clone. The controller ends when all handles are dropped, or by
/// [`stop`](Self::stop).
#[derive(Clone, Debug)]
pub struct Handle {
    posts: mpsc::Sender<Post>,
    reports: mpsc::UnboundedSender<Input>,
    audio: AudioLine,
}

/// Starts a controller on the current runtime.
///
/// # Errors
/// Returns an error if the stored data can't be read, or the network can't be used.
pub async fn start<S: Store + 'static>(parts: Deps<S>) -> Result<Handle, StartError> {
    let http = trust(&parts.data).and_then(Http::new).map_err(StartError::Net)?;
    let (posts, posted) = mpsc::channel(QUEUE);
    let (reports, reported) = mpsc::unbounded_channel();
    // The controller holds only a weak sender, so that it ends when all handles are dropped.
    let controller = Controller::new(parts, http, posts.downgrade()).await?;
    let audio = controller.audio.clone();
    tokio::spawn(async move {
        let stopped = controller.run(posted, reported).await;
        if let Some(stopped) = stopped {
            let _ = stopped.send(());
        }
    });
    Ok(Handle { posts, reports, audio })
}

impl Handle {
    /// Sends a request; each variant of [`Ask`] documents its answer.
    ///
    /// # Errors
    /// Returns an [`AskError`] if the request fails.
    pub async fn ask(&self, ask: Ask) -> Result<Box<RawValue>, AskError> {
        let (answer, answered) = oneshot::channel();
        let gone = || AskError::NotKept { why: "the app is closing".to_owned(), full: false };
        self.posts.send(Post::Ask(Box::new(ask), answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Reports an input from the device without blocking: `Ears`, `Sounded`, `Network`, `Addresses`, `Woke`; or
    /// `SayAgain`, when a part of the device has restarted and needs the complete state.
    pub fn input(&self, input: Input) {
        // A controller that has ended needs no reports.
        let _ = self.reports.send(input);
    }

    /// Sends an audio packet of a call over the live socket. It is dropped if there is no socket or the queue is full,
    /// because late audio is useless.
    pub fn speak(&self, packet: Vec<u8>) {
        self.audio.speak(packet);
    }

    /// Stops the controller; its store is closed when this returns.
    pub async fn stop(self) {
        let (stopped, waiting) = oneshot::channel();
        if self.posts.send(Post::Stop(stopped)).await.is_ok() {
            let _ = waiting.await;
        }
    }
}
