//! Waking of a thread from a real-time thread.

use std::sync::{Arc, OnceLock};
use std::thread::Thread;

/// A handle that wakes a parked thread; a wake-up before parking isn't lost. Takes no lock and allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<OnceLock<Thread>>);

impl Wake {
    /// Sets the thread to wake.
    pub(crate) fn set(&self, thread: Thread) {
        // It is set only once, by its owner.
        drop(self.0.set(thread));
    }

    pub(crate) fn wake(&self) {
        if let Some(thread) = self.0.get() {
            thread.unpark();
        }
    }
}
