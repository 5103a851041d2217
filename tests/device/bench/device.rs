//! A crew device: the real controller on SQLite, and a shell that records the time of each event.
//!
//! Events pass through a window's queue and become JSON, as in the app; the time is taken when the JSON exists.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use crewbell_core::controller::{Clock, Deps, Handle, Window, start};
use crewbell_core::engine::Input;
use crewbell_core::screen::{Alert, Ask, AskError, AudioOutputStatus, CoreEvent, Link};
use crewbell_core::shell::{Handset, NoHandset, Recording, Shell, TokenPlace, Vault, VaultError};
use crewbell_core::store::Sqlite;
use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::Priority;
use crewbell_voice::sounds::{Bell, Report, Ringing};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::phone::{Phone, Receiver};
use crate::ship::PIN;

/// Length of the window's queue, the same as in the app.
const WINDOW_QUEUE: usize = 1024;

/// Time limit for expected events.
const PATIENCE: Duration = Duration::from_mins(2);

/// An event that reached the shell.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    /// Events whose JSON has reached the window.
    Told(Arc<Vec<CoreEvent>>),
    /// The complete list of ringing requests.
    Ring(Vec<RequestId>),
    /// The sound system took the first samples of an alert.
    Sounding(RequestId),
}

/// A shell that records events.
pub(crate) struct Ear {
    window: Arc<Window>,
    bell: OnceLock<Bell>,
    heard: Mutex<Vec<(Instant, Heard)>>,
    news: watch::Sender<usize>,
    folder: PathBuf,
}

impl Ear {
    fn new(folder: &Path) -> Arc<Self> {
        let window = Arc::new(Window::new(WINDOW_QUEUE));
        let ear = Arc::new(Self {
            window: Arc::clone(&window),
            bell: OnceLock::new(),
            heard: Mutex::default(),
            news: watch::Sender::new(0),
            folder: folder.to_owned(),
        });
        let noting = Arc::downgrade(&ear);
        tokio::spawn(async move {
            loop {
                let told = window.take().await;
                let json = serde_json::to_string(&told).map(|json| json.len());
                let Some(ear) = noting.upgrade() else { return };
                ear.note(Instant::now(), Heard::Told(Arc::new(told)));
                drop(json);
            }
        });
        ear
    }

    fn note(&self, at: Instant, what: Heard) {
        self.heard.lock().unwrap().push((at, what));
        self.news.send_modify(|news| *news += 1);
    }

    /// Returns the number of events so far.
    pub(crate) fn position(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// Returns all events from a position on.
    pub(crate) fn since(&self, position: usize) -> Vec<(Instant, Heard)> {
        self.heard.lock().unwrap().get(position..).unwrap_or_default().to_vec()
    }

    /// Waits for an event from a position on, and returns its time.
    pub(crate) async fn until(
        &self,
        from: usize,
        what: &str,
        mut is_it: impl FnMut(&Heard) -> bool,
    ) -> Result<Instant> {
        let mut news = self.news.subscribe();
        let mut next = from;
        let began = Instant::now();
        loop {
            news.borrow_and_update();
            for (at, heard) in self.since(next) {
                next += 1;
                if is_it(&heard) {
                    return Ok(at);
                }
            }
            let left = PATIENCE.saturating_sub(began.elapsed());
            if tokio::time::timeout(left, news.changed()).await.is_err() {
                bail!("waited {PATIENCE:?} in vain until {what}");
            }
        }
    }

    /// Waits until the window is notified of a connection state.
    pub(crate) async fn link(&self, from: usize, is_so: impl Fn(Link) -> bool) -> Result<Instant> {
        let is_it = |told: &CoreEvent| matches!(told, CoreEvent::Status { status } if is_so(status.link));
        self.until(from, "the connection is as it should be", |heard| heard.told().iter().any(is_it)).await
    }

    /// Waits until the window is notified that the outbox is empty.
    pub(crate) async fn settled(&self, from: usize) -> Result<Instant> {
        let is_it =
            |told: &CoreEvent| matches!(told, CoreEvent::Outbox { put, gone } if put.is_empty() && !gone.is_empty());
        self.until(from, "nothing waits", |heard| heard.told().iter().any(is_it)).await
    }
}

impl Heard {
    /// Returns the events for the window.
    pub(crate) fn told(&self) -> &[CoreEvent] {
        match self {
            Self::Told(told) => told,
            Self::Ring(_) | Self::Sounding(_) => &[],
        }
    }
}

impl Shell for Ear {
    fn tell(&self, told: &[CoreEvent]) {
        self.window.emit(told);
    }

    fn ring(&self, alerts: &[Alert], _open: usize) {
        let at = Instant::now();
        if let Some(bell) = self.bell.get() {
            let loud = alerts.iter().filter(|alert| !alert.silenced);
            let ringing = loud.map(|alert| Ringing { request_id: alert.request_id, priority: alert.priority });
            bell.ring(ringing.collect());
        }
        self.note(at, Heard::Ring(alerts.iter().map(|alert| alert.request_id).collect()));
    }

    fn test_sound(&self, _priority: Priority) -> Result<(), AskError> {
        Ok(())
    }

    fn play(&self, _recording: Option<Recording>) -> Result<(), AskError> {
        Ok(())
    }

    fn setting(&self, _name: &str, _value: Option<&str>) {}

    fn downloads(&self) -> PathBuf {
        self.folder.clone()
    }
}

/// A vault in memory.
#[derive(Debug, Default)]
struct Drawer(Mutex<Option<String>>);

impl Vault for Drawer {
    fn token(&self) -> Result<Option<String>, VaultError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn keep(&self, token: &str) -> Result<TokenPlace, VaultError> {
        *self.0.lock().unwrap() = Some(token.to_owned());
        Ok(TokenPlace::Keyring)
    }

    fn forget(&self) -> Result<(), VaultError> {
        *self.0.lock().unwrap() = None;
        Ok(())
    }
}

/// A vault that is locked: a device that starts with it keeps its session and its store.
#[derive(Debug)]
pub(crate) struct Locked;

impl Vault for Locked {
    fn token(&self) -> Result<Option<String>, VaultError> {
        Err(VaultError("it is locked".to_owned()))
    }

    fn keep(&self, _token: &str) -> Result<TokenPlace, VaultError> {
        Err(VaultError("it is locked".to_owned()))
    }

    fn forget(&self) -> Result<(), VaultError> {
        Ok(())
    }
}

/// A crew device.
pub(crate) struct Device {
    pub(crate) ear: Arc<Ear>,
    pub(crate) handle: Handle,
    vault: Arc<Drawer>,
    folder: Arc<TempDir>,
}

impl Device {
    /// Creates a device without a session.
    pub(crate) async fn new() -> Result<Self> {
        Self::speaking_by(Arc::new(NoHandset)).await
    }

    /// Creates a device with a voice, signs a person in, and waits until it is up to date.
    pub(crate) async fn with_phone(server: &str, name: &str, phone: &Arc<Phone>) -> Result<Self> {
        let device = Self::speaking_by(Arc::new(Receiver(Arc::clone(phone)))).await?;
        phone.is_of(device.handle.clone());
        device.begin(server, name).await
    }

    async fn speaking_by(handset: Arc<dyn Handset>) -> Result<Self> {
        let folder = Arc::new(tempfile::Builder::new().prefix("crewbell-bench-device-").tempdir()?);
        let (store, _) = Sqlite::open(folder.path()).await?;
        let (ear, vault) = (Ear::new(folder.path()), Arc::<Drawer>::default());
        let handle =
            start_with(store, Arc::<Ear>::clone(&ear), handset, Arc::<Drawer>::clone(&vault), folder.path()).await?;
        Ok(Self { ear, handle, vault, folder })
    }

    /// Creates a device, signs a person in, and waits until it is up to date.
    pub(crate) async fn of(server: &str, name: &str) -> Result<Self> {
        Self::new().await?.begin(server, name).await
    }

    async fn begin(self, server: &str, name: &str) -> Result<Self> {
        let from = self.ear.position();
        self.sign_in(server, name).await?;
        self.ear.link(from, |link| link == Link::Live).await?;
        Ok(self)
    }

    pub(crate) async fn sign_in(&self, server: &str, name: &str) -> Result<()> {
        let (server, site) = (server.to_owned(), "serenity".to_owned());
        self.ask(Ask::SignIn { server, site, name: name.to_owned(), secret: PIN.to_owned() }).await.map(drop)
    }

    pub(crate) async fn ask(&self, ask: Ask) -> Result<Value> {
        Ok(serde_json::from_str(self.handle.ask(ask).await?.get())?)
    }

    /// Runs a verb, and waits until the server has it.
    pub(crate) async fn does(&self, verb: Verb) -> Result<()> {
        let from = self.ear.position();
        self.ask(Ask::Do { verb }).await?;
        self.ear.settled(from).await.map(drop)
    }

    /// Opens the device's bell, and waits until it can play.
    pub(crate) async fn hang_bell(&self) -> Result<()> {
        let (report, mut reports) = tokio::sync::mpsc::unbounded_channel();
        let bell = Bell::open(move |said| drop(report.send((Instant::now(), said))));
        let (able, mut is_able) = watch::channel(false);
        let (ear, handle) = (Arc::downgrade(&self.ear), self.handle.clone());
        tokio::spawn(async move {
            while let Some((at, report)) = reports.recv().await {
                match report {
                    Report::Able => {
                        able.send_replace(true);
                        handle.input(Input::Ears(AudioOutputStatus::Able));
                    }
                    Report::Unable { why } => handle.input(Input::Ears(AudioOutputStatus::Unable { why })),
                    Report::Sounding { request_id } => {
                        handle.input(Input::Sounded { request_id });
                        let Some(ear) = ear.upgrade() else { return };
                        ear.note(at, Heard::Sounding(request_id));
                    }
                    Report::Playing { .. } => {}
                }
            }
        });
        let waiting = is_able.wait_for(|able| *able);
        tokio::time::timeout(Duration::from_secs(15), waiting).await.context("the bell can't be heard")??;
        drop(self.ear.bell.set(bell));
        Ok(())
    }

    /// Returns the token of the session.
    pub(crate) fn token(&self) -> Result<String> {
        self.vault.0.lock().unwrap().clone().context("nobody is signed in")
    }

    /// Closes the program; its store stays in its folder, intact.
    pub(crate) async fn close(self) -> Result<Arc<TempDir>> {
        self.handle.stop().await;
        // The files are closed a moment later.
        let began = Instant::now();
        loop {
            match Sqlite::open(self.folder.path()).await {
                Ok((store, _)) => {
                    store.close().await;
                    return Ok(self.folder);
                }
                Err(_) if began.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Starts a controller on a store, as the app does.
pub(crate) async fn boot(store: Sqlite, shell: Arc<dyn Shell>, vault: Arc<dyn Vault>, folder: &Path) -> Result<Handle> {
    start_with(store, shell, Arc::new(NoHandset), vault, folder).await
}

async fn start_with(
    store: Sqlite,
    shell: Arc<dyn Shell>,
    handset: Arc<dyn Handset>,
    vault: Arc<dyn Vault>,
    folder: &Path,
) -> Result<Handle> {
    let parts = Deps {
        unreadable: Vec::new(),
        store,
        rebuilt: None,
        shell,
        handset,
        vault,
        clock: Clock::default(),
        data: folder.to_owned(),
        device_name: "a tablet".into(),
        version: "1".into(),
    };
    Ok(start(parts).await?)
}

/// Creates a shell for [`boot`] that only records.
pub(crate) fn ear(folder: &Path) -> Arc<Ear> {
    Ear::new(folder)
}
