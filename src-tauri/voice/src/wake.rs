//! Waking a thread from one that may wait for nothing.

use std::sync::{Arc, OnceLock};
use std::thread::Thread;

/// Wakes a thread that is parked; what comes before it parks isn't lost. Takes no lock and allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<OnceLock<Thread>>);

impl Wake {
    /// Says whom.
    pub(crate) fn set(&self, thread: Thread) {
        // It is set once, by whoever makes it.
        drop(self.0.set(thread));
    }

    pub(crate) fn wake(&self) {
        if let Some(thread) = self.0.get() {
            thread.unpark();
        }
    }
}
