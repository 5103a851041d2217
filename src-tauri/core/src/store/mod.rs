//! What a device keeps: an image of the site as of a cursor, and what its person did and the server hasn't answered.
//!
//! Everything durable changes by [`Write`]s, and by nothing else. [`Image::apply`] says what a write means in memory; a
//! [`Store`] does the same on a disk, so that what is loaded after a crash is what the engine last saw committed. The
//! engine decides what to write, the store writes it, and only then does the engine go on (`engine`).

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod flat;
mod image;
mod memory;
#[cfg(feature = "native")]
mod sqlite;
mod write;

pub use image::{Cursor, Doing, Image, Kept, Key, Line, MOST_LINES, Session, Waiting};
pub use memory::Memory;
#[cfg(feature = "native")]
pub use sqlite::{Opened, Rebuilt, Sqlite, Unreadable};
pub use write::Write;

use std::future::Future;

/// Why a store couldn't do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk has no room: nothing was written, trying again later is right.
    #[error("the device's storage is full")]
    Full,
    /// What is stored can't be read: it must be rebuilt.
    #[error("what is stored can't be read: {0}")]
    Corrupt(String),
    /// Anything else that the file system or the database said; nothing was written.
    #[error("the storage failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// What the system says, for whoever mends it; empty where there is no more to say.
    pub fn system_words(&self) -> &str {
        match self {
            Self::Full => "",
            Self::Corrupt(why) | Self::Failed(why) => why,
        }
    }
}

/// A place that keeps an [`Image`] through a crash.
///
/// Both implementations pass one suite (`store::conformance`).
pub trait Store: Send {
    /// Reads all of it.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it can't be read any more.
    fn load(&mut self) -> impl Future<Output = Result<Image, StoreError>> + Send;

    /// Writes all of these, or none. What a person did ([`Write::is_precious`]) is on the disk when this returns.
    ///
    /// # Errors
    /// Then nothing counts as written, and the same may be written again. Of what the server said, some may be on the disk
    /// all the same; of what a person did, nothing, unless a [`Write::Wipe`] was on its way: that is done at the next start.
    fn write(&mut self, writes: &[Write]) -> impl Future<Output = Result<(), StoreError>> + Send;
}
