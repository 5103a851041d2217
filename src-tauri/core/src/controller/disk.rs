//! Writes to the store, and buffers writes while the storage fails.
//!
//! The server's data is shown and rings although it can't be written: its writes are buffered in order, and come before
//! the next ones. A person's command is accepted only once it is written.

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::Step;
use crate::screen::{AskError, StorageState};
use crate::store::{Image, Store, StoreError, Write};

/// Maximum number of buffered writes; beyond it the server's writes are replaced by the resulting image.
const MOST_WAITING: usize = 5_000;

/// Retry interval of a failed storage.
const RETRY: Duration = Duration::from_secs(2);

/// The store, with the writes that it couldn't take.
pub(super) struct Disk<S> {
    store: S,
    waiting: Vec<Write>,
    failing: Option<StorageState>,
    retry_at: Instant,
}

/// The result of writing a step.
pub(super) enum Written {
    /// The writes are stored, or may go unwritten: commit the step.
    Commit,
    /// The writes failed: drop the step.
    Drop(AskError),
}

impl<S: Store> Disk<S> {
    pub fn new(store: S) -> Self {
        Self { store, waiting: Vec::new(), failing: None, retry_at: Instant::now() }
    }

    /// Loads the stored image and applies the buffered writes.
    pub async fn load(&mut self) -> Result<Image, StoreError> {
        let mut image = self.store.load().await?;
        image.apply(&self.waiting);
        Ok(image)
    }

    /// Writes a step, after the buffered writes. The second value is the storage state, if it changed. `image` is the
    /// engine's state before the step.
    pub async fn write(&mut self, step: &Step, image: &Image) -> (Written, Option<StorageState>) {
        if step.writes.is_empty() {
            return (Written::Commit, None);
        }
        let Err(error) = self.all(&step.writes).await else {
            return (Written::Commit, self.news(None));
        };
        tracing::warn!(%error, "The storage failed.");
        let full = error == StoreError::Full;
        let why = error.system_words().to_owned();
        let news = self.news(Some(StorageState::Failing { why: why.clone(), full }));
        if !step.may_go_unwritten() {
            return (Written::Drop(AskError::NotKept { why, full }), news);
        }
        if self.waiting.len() + step.writes.len() > MOST_WAITING {
            self.condense(image);
        }
        self.waiting.extend_from_slice(&step.writes);
        (Written::Commit, news)
    }

    /// Returns the time of the next retry.
    pub fn retry_at(&self) -> Option<Instant> {
        self.failing.is_some().then_some(self.retry_at)
    }

    /// Retries the storage.
    pub async fn retry(&mut self) -> Option<StorageState> {
        // A write that changes nothing tests the storage if nothing is buffered.
        let probe = [Write::Set("storage_probe".to_owned(), None)];
        match self.all(&probe).await {
            Ok(()) => self.news(None),
            Err(error) => {
                let failing =
                    StorageState::Failing { why: error.system_words().to_owned(), full: error == StoreError::Full };
                self.news(Some(failing))
            }
        }
    }

    /// Writes the buffered writes and these, atomically.
    async fn all(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return self.store.write(writes).await;
        }
        let kept = self.waiting.len();
        self.waiting.extend_from_slice(writes);
        let written = self.store.write(&self.waiting).await;
        self.waiting.truncate(if written.is_ok() { 0 } else { kept });
        written
    }

    fn news(&mut self, failing: Option<StorageState>) -> Option<StorageState> {
        if failing.is_some() {
            self.retry_at = Instant::now() + RETRY;
        }
        let news = (self.failing != failing).then(|| failing.clone().unwrap_or_default());
        self.failing = failing;
        news
    }

    /// Replaces the server's buffered writes by the resulting image; writes of data that only this device has remain.
    fn condense(&mut self, image: &Image) {
        self.waiting.retain(Write::is_precious);
        if let Some(cursor) = image.cursor {
            let entities = image.entities.values().map(|kept| std::sync::Arc::clone(&kept.entity)).collect();
            self.waiting.push(Write::Replace { entities, cursor });
            self.waiting.extend(image.lines.iter().cloned().map(Write::AppendLine));
            self.waiting.extend(image.heard_at.map(Write::Heard));
            self.waiting.push(Write::Seen(image.last_seen()));
        }
    }
}
