//! Local storage of a device: an image of the site as of a cursor, and the outbox.
//!
//! All durable changes are [`Write`]s. [`Image::apply`] defines their meaning in memory; a [`Store`] does the same on a
//! disk, so that a load after a crash returns the last committed state. The engine decides on writes, the store
//! persists them, and only then does the engine proceed (`engine`).

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod image;
mod memory;
#[cfg(feature = "native")]
mod sqlite;
mod write;

pub use crewbell_shared::EntityKey;
pub use image::{CommandStatus, Cursor, Image, Kept, Line, MOST_LINES, Session, Waiting};
pub use memory::Memory;
#[cfg(feature = "native")]
pub use sqlite::{Opened, Rebuilt, Sqlite, Unreadable};
pub use write::Write;

use std::future::Future;

/// An error of a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full: nothing was written, and a later retry may succeed.
    #[error("the device's storage is full")]
    Full,
    /// The stored data can't be read and must be rebuilt.
    #[error("what is stored can't be read: {0}")]
    Corrupt(String),
    /// Any other error of the file system or the database; nothing was written.
    #[error("the storage failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// Returns the system's error message, for troubleshooting; empty if there is none.
    pub fn system_words(&self) -> &str {
        match self {
            Self::Full => "",
            Self::Corrupt(why) | Self::Failed(why) => why,
        }
    }
}

/// Crash-safe storage of an [`Image`].
///
/// Both implementations pass one suite (`store::conformance`).
pub trait Store: Send {
    /// Loads the complete image.
    ///
    /// # Errors
    /// Returns [`StoreError::Corrupt`] if the data can't be read.
    fn load(&mut self) -> impl Future<Output = Result<Image, StoreError>> + Send;

    /// Writes all of these atomically. Data that only this device has ([`Write::is_precious`]) is on the disk when this
    /// returns.
    ///
    /// # Errors
    /// Returns an error if the writes failed; the same may be written again. Some of the server's data may be on the
    /// disk all the same, but nothing that only this device has, except for a started [`Write::Wipe`], which is
    /// finished at the next start.
    fn write(&mut self, writes: &[Write]) -> impl Future<Output = Result<(), StoreError>> + Send;
}
