//! Writing, and going on while the storage fails.
//!
//! What the server tells is shown and rings although it can't be written: it waits here, in order, and is written
//! before whatever comes next. What a person does is taken only when it is written.

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::Step;
use crate::screen::{AskError, StorageState};
use crate::store::{Image, Store, StoreError, Write};

/// Writes that may wait. More of what the server told is replaced by the image that it made.
const MOST_WAITING: usize = 5_000;

/// How often a storage that failed is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// The store, and what it couldn't take.
pub(super) struct Disk<S> {
    store: S,
    waiting: Vec<Write>,
    failing: Option<StorageState>,
    retry_at: Instant,
}

/// What came of a step's writes.
pub(super) enum Written {
    /// They are kept, or may go unwritten: commit.
    Commit,
    /// They aren't: drop the step.
    Drop(AskError),
}

impl<S: Store> Disk<S> {
    pub fn new(store: S) -> Self {
        Self { store, waiting: Vec::new(), failing: None, retry_at: Instant::now() }
    }

    /// What is stored, with what waits over it.
    pub async fn load(&mut self) -> Result<Image, StoreError> {
        let mut image = self.store.load().await?;
        image.apply(&self.waiting);
        Ok(image)
    }

    /// Writes a step, after what waits. The second is how it stands with the storage, where that is news. `image` is
    /// what the engine has without the step.
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

    /// When the storage is to be tried again.
    pub fn retry_at(&self) -> Option<Instant> {
        self.failing.is_some().then_some(self.retry_at)
    }

    /// Tries the storage again.
    pub async fn retry(&mut self) -> Option<StorageState> {
        // A write that changes nothing shows whether there is room again when nothing waits.
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

    /// Writes what waits and these, all or none.
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

    /// Replaces what the server told by the image that it made; what only this device knows stays as it is.
    fn condense(&mut self, image: &Image) {
        self.waiting.retain(Write::is_precious);
        if let Some(cursor) = image.cursor {
            let nouns = image.nouns.values().map(|kept| std::sync::Arc::clone(&kept.noun)).collect();
            self.waiting.push(Write::Replace { nouns, cursor });
            self.waiting.extend(image.lines.iter().cloned().map(Write::Tell));
            self.waiting.extend(image.heard_at.map(Write::Heard));
            self.waiting.push(Write::Seen(image.last_seen()));
        }
    }
}
