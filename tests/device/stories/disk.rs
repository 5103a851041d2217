//! A device's storage: real files, which outlive the program, on a disk that can be full.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crewbell_core::store::{Image, Sqlite, Store, StoreError, Unreadable, Write};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::sync::Mutex;

/// A device's storage.
#[derive(Clone, Debug)]
pub struct Disk {
    folder: PathBuf,
    store: Arc<Mutex<Option<Sqlite>>>,
    full: Arc<AtomicBool>,
}

impl Disk {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.join("store"), store: Arc::default(), full: Arc::default() }
    }

    /// Closes the files, if they are open, and opens them like a program that starts. Returns the unreadable records.
    pub async fn open(&self) -> Vec<Unreadable> {
        let mut store = self.store.lock().await;
        if let Some(store) = store.take() {
            store.close().await;
        }
        let (mut opened, how) = Sqlite::open(&self.folder).await.unwrap();
        assert_eq!(how.rebuilt, None, "nothing was damaged");
        let unreadable = opened.unreadable().await.unwrap();
        assert_eq!(unreadable.len(), how.unreadable as usize);
        *store = Some(opened);
        unreadable
    }

    /// Closes the files, and changes the device's local database as a newer version or a failing disk might.
    pub async fn tamper(&self, sql: &'static str) {
        if let Some(store) = self.store.lock().await.take() {
            store.close().await;
        }
        let options = SqliteConnectOptions::new().filename(self.folder.join("local.db"));
        let mut keep = options.connect().await.unwrap();
        sqlx::query(sql).execute(&mut keep).await.unwrap();
        keep.close().await.unwrap();
    }

    /// Makes the disk full, or frees it.
    pub fn fill(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// Returns the contents of the store.
    pub async fn image(&self) -> Image {
        self.store.lock().await.as_mut().unwrap().load().await.unwrap()
    }
}

impl Store for Disk {
    async fn load(&mut self) -> Result<Image, StoreError> {
        Ok(self.image().await)
    }

    async fn write(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError::Full);
        }
        self.store.lock().await.as_mut().unwrap().write(writes).await
    }
}
