//! Handle to the core, which starts concurrently with the window; requests wait until it has started.

use std::path::PathBuf;
use std::sync::Arc;

use crewbell_core::controller::{self, Clock, Deps, Handle};
use crewbell_core::engine::Input;
use crewbell_core::screen::{Ask, AskError};
use crewbell_core::shell::Shell;
use crewbell_core::store::Sqlite;
use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::device::Device;
use crate::vault::Vault;

/// A handle to the core; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Core(watch::Receiver<Start>);

/// Progress of the core's start.
#[derive(Clone, Debug)]
enum Start {
    Begun,
    Done(Handle),
    Failed(String),
    /// Another app uses this folder.
    AlreadyRunning,
}

impl Core {
    /// Starts the core on a data folder.
    pub(crate) fn start(folder: PathBuf, version: String, device: Arc<Device>) -> Self {
        let (done, core) = watch::channel(Start::Begun);
        tauri::async_runtime::spawn(async move {
            let start = open(folder, version, device).await.map_or_else(Start::Failed, Start::Done);
            if let Start::Failed(why) = &start {
                eprintln!("Crewbell can't use what it keeps on this device: {why}");
            }
            // There may be no receiver left while the app is closing.
            let _ = done.send(start);
        });
        Self(core)
    }

    /// Creates a handle without a core, because another app uses the folder. All requests fail accordingly.
    pub(crate) fn already_running() -> Self {
        let (_, core) = watch::channel(Start::AlreadyRunning);
        Self(core)
    }

    /// Sends a request once the core has started.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Box<RawValue>, AskError> {
        let mut core = self.0.clone();
        let gone = |why: String| AskError::NotKept { why, full: false };
        let start = core.wait_for(|start| !matches!(start, Start::Begun)).await;
        let start = start.map_err(|_| gone("the app is closing".to_owned()))?.clone();
        match start {
            Start::Done(handle) => handle.ask(ask).await,
            Start::Failed(why) => Err(gone(why)),
            Start::AlreadyRunning => Err(AskError::AlreadyRunning),
            Start::Begun => Err(gone("the app is starting".to_owned())),
        }
    }

    /// Sends a request and ignores the answer; the core emits failures to the windows by itself.
    #[cfg(desktop)]
    pub(crate) fn post(&self, ask: Ask) {
        let core = self.clone();
        tauri::async_runtime::spawn(async move {
            if let Err(error) = core.ask(ask).await {
                eprintln!("What was asked from outside the window came to nothing: {error}");
            }
        });
    }

    /// Reports an input to the core. Before the core has started, reports are dropped, as it queries the state at its
    /// start.
    pub(crate) fn report(&self, input: Input) {
        if let Start::Done(handle) = &*self.0.borrow() {
            handle.input(input);
        }
    }

    /// Sends an audio packet of a call over the live socket.
    pub(crate) fn speak(&self, packet: Vec<u8>) {
        if let Start::Done(handle) = &*self.0.borrow() {
            handle.speak(packet);
        }
    }

    /// Waits for the core's start, and then reports an input.
    pub(crate) async fn first_report(&self, input: Input) {
        let mut core = self.0.clone();
        if core.wait_for(|start| !matches!(start, Start::Begun)).await.is_ok() {
            self.report(input);
        }
    }
}

async fn open(folder: PathBuf, version: String, device: Arc<Device>) -> Result<Handle, String> {
    let (mut store, opened) = Sqlite::open(&folder).await.map_err(|error| error.to_string())?;
    let unreadable = store.unreadable().await.map_err(|error| error.to_string())?;
    let parts = Deps {
        store,
        rebuilt: opened.rebuilt.map(|rebuilt| rebuilt.saved),
        unreadable,
        shell: Arc::clone(&device) as Arc<dyn Shell>,
        handset: device,
        vault: Arc::new(Vault::new(&folder)),
        clock: Clock::default(),
        data: folder,
        device_name: device_name(),
        version,
    };
    controller::start(parts).await.map_err(|error| error.to_string())
}

/// Returns the device's name for the list of sessions.
fn device_name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").ok();
    let host = host.or_else(|| std::env::var("COMPUTERNAME").ok()).unwrap_or_default();
    let system = std::env::consts::OS;
    let host = host.trim();
    if host.is_empty() { system.to_owned() } else { format!("{host} ({system})") }
}
