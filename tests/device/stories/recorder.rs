//! A shell that records its events, and a vault in memory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crewbell_core::screen::{Alert, AskError, CoreEvent};
use crewbell_core::shell::{Recording, Shell, TokenPlace, Vault, VaultError};
use crewbell_shared::request::Priority;
use tokio::sync::watch;

/// A shell that records its events.
#[derive(Debug)]
pub struct Recorder {
    pub told: Mutex<Vec<CoreEvent>>,
    pub rings: Mutex<Vec<Vec<Alert>>>,
    pub played: Mutex<Vec<Option<Recording>>>,
    /// The last settings received.
    pub settings: Mutex<BTreeMap<String, String>>,
    /// The settings received before the first ring list.
    pub set_before_rings: Mutex<Option<BTreeMap<String, String>>>,
    /// Counts the events, so that a story can wait for more.
    pub news: watch::Sender<u64>,
    pub downloads: PathBuf,
    /// Flags that make the next call of `tell`, or of `ring`, panic once.
    pub trips: [AtomicBool; 2],
}

impl Recorder {
    pub fn new(downloads: PathBuf) -> Arc<Self> {
        let (told, rings, played, settings, set_before_rings) = Default::default();
        let (news, trips) = (watch::Sender::new(0), Default::default());
        Arc::new(Self { told, rings, played, settings, set_before_rings, news, downloads, trips })
    }

    /// Returns the alerts that ring.
    pub fn ringing(&self) -> Vec<Alert> {
        self.rings.lock().unwrap().last().cloned().unwrap_or_default()
    }

    fn more(&self) {
        self.news.send_modify(|news| *news += 1);
    }
}

impl Shell for Recorder {
    fn tell(&self, told: &[CoreEvent]) {
        assert!(!self.trips[0].swap(false, Ordering::SeqCst), "the shell trips over what it is told");
        self.told.lock().unwrap().extend_from_slice(told);
        self.more();
    }

    fn ring(&self, alerts: &[Alert], _open: usize) {
        assert!(!self.trips[1].swap(false, Ordering::SeqCst), "the shell trips over a ring");
        let settings = self.settings.lock().unwrap().clone();
        self.set_before_rings.lock().unwrap().get_or_insert(settings);
        self.rings.lock().unwrap().push(alerts.to_vec());
        self.more();
    }

    fn test_sound(&self, _priority: Priority) -> Result<(), AskError> {
        Ok(())
    }

    fn play(&self, recording: Option<Recording>) -> Result<(), AskError> {
        self.played.lock().unwrap().push(recording);
        self.more();
        Ok(())
    }

    fn setting(&self, name: &str, value: Option<&str>) {
        let mut settings = self.settings.lock().unwrap();
        match value {
            Some(value) => drop(settings.insert(name.to_owned(), value.to_owned())),
            None => drop(settings.remove(name)),
        }
    }

    fn downloads(&self) -> PathBuf {
        self.downloads.clone()
    }
}

/// A vault in memory.
#[derive(Debug, Default)]
pub struct Drawer {
    pub token: Mutex<Option<String>>,
    /// The owner, whom the vault asks before each change: while a story holds this, the vault hangs.
    pub owner: tokio::sync::Mutex<()>,
    /// Whether the vault waits for its owner.
    pub waits: AtomicBool,
}

impl Drawer {
    fn ask_owner(&self) {
        self.waits.store(true, Ordering::SeqCst);
        drop(self.owner.blocking_lock());
        self.waits.store(false, Ordering::SeqCst);
    }
}

impl Vault for Drawer {
    fn token(&self) -> Result<Option<String>, VaultError> {
        Ok(self.token.lock().unwrap().clone())
    }

    fn keep(&self, token: &str) -> Result<TokenPlace, VaultError> {
        self.ask_owner();
        *self.token.lock().unwrap() = Some(token.to_owned());
        Ok(TokenPlace::File)
    }

    fn forget(&self) -> Result<(), VaultError> {
        self.ask_owner();
        *self.token.lock().unwrap() = None;
        Ok(())
    }
}
