//! The controller: one task, one input at a time. Decide, write, commit, perform (`engine`); nothing waits for a screen
//! or for the network.
//!
//! | file | what |
//! |---|---|
//! | `run` | the loop |
//! | `disk` | writing, and going on while the storage fails |
//! | `perform` | doing what the engine asks |
//! | `ask`, `calls` | answering what a face asks |
//! | `sign_in` | a person signs in on this device |
//! | `keys`, `revoke` | the token, kept in the shell's vault; ending those of sign-ins that are over |
//! | `activity`, `names`, `words` | what happened, and what is waiting, for people to read |
//! | `files` | files that a person asked for |
//! | `code` | QR codes |
//! | `window` | a window's bounded queue: overflow says "look again" |
//! | `clock` | time, randomness, ids: the only place that reads them |
//!
//! A panic while one input is worked on costs that input: the engine begins again from what is stored, and says anew
//! what rings and all else (`Input::Recovered`). Where a part of the shell panics over what it is told, all is said again
//! in a moment (`Input::SayAgain`).

mod activity;
mod ask;
mod calls;
mod clock;
mod code;
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
mod words;

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

/// Posts that may wait. Whoever posts more waits itself; the controller never does.
const QUEUE: usize = 256;

/// What a controller works with.
pub struct Parts<S> {
    /// What the device keeps.
    pub store: S,
    /// How many waiting commands were saved when the store had to be rebuilt; none: it hadn't.
    pub rebuilt: Option<u32>,
    /// Commands that the store can't read.
    pub unreadable: Vec<Unreadable>,
    /// The device.
    pub shell: Arc<dyn Shell>,
    /// Its voice.
    pub handset: Arc<dyn Handset>,
    /// Where the token is kept.
    pub vault: Arc<dyn Vault>,
    /// Time and randomness.
    pub clock: Clock,
    /// The app's data folder: recordings that were heard go below it, and `server-ca.pem` is read from it.
    pub data: PathBuf,
    /// How this device is called in the list of sessions.
    pub device_name: String,
    /// This app's version.
    pub version: String,
}

impl<S> std::fmt::Debug for Parts<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("data", &self.data).field("version", &self.version).finish_non_exhaustive()
    }
}

/// Why a controller couldn't be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// What is stored can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network can't be used: `server-ca.pem` is no certificate.
    #[error("the network can't be used: {0}")]
    Net(String),
}

/// The way to a controller; cheap to clone. The controller ends when all are gone, or by [`stop`](Self::stop).
#[derive(Clone, Debug)]
pub struct Handle {
    posts: mpsc::Sender<Post>,
    reports: mpsc::UnboundedSender<Input>,
    audio: AudioLine,
}

/// Starts a controller on the runtime that is there.
///
/// # Errors
/// What is stored can't be read, or the network can't be used.
pub async fn start<S: Store + 'static>(parts: Parts<S>) -> Result<Handle, StartError> {
    let http = trust(&parts.data).and_then(Http::new).map_err(StartError::Net)?;
    let (posts, posted) = mpsc::channel(QUEUE);
    let (reports, reported) = mpsc::unbounded_channel();
    // The controller itself holds no strong sender: it ends when nobody is left to post.
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
    /// Asks; what the answer is stands with each variant of [`Ask`].
    ///
    /// # Errors
    /// As [`AskError`] says.
    pub async fn ask(&self, ask: Ask) -> Result<Box<RawValue>, AskError> {
        let (answer, answered) = oneshot::channel();
        let gone = || AskError::NotKept { why: "the app is closing".to_owned(), full: false };
        self.posts.send(Post::Ask(Box::new(ask), answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Reports what the device found out: `Ears`, `Sounded`, `Network`, `Addresses`, `Woke`; or that a part of it was started
    /// anew, and is to be told everything again: `SayAgain`. Never waits.
    pub fn input(&self, input: Input) {
        // A controller that is gone needs no reports.
        let _ = self.reports.send(input);
    }

    /// Sends a packet of a call's voice over the live socket; lost when there is none, or the line is full: what is old
    /// by then is worth nothing.
    pub fn speak(&self, packet: Vec<u8>) {
        self.audio.speak(packet);
    }

    /// Stops the controller; when this returns, its store is closed.
    pub async fn stop(self) {
        let (stopped, waiting) = oneshot::channel();
        if self.posts.send(Post::Stop(stopped)).await.is_ok() {
            let _ = waiting.await;
        }
    }
}
