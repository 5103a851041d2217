//! A device's storage, which outlives its program, and whose disk can be full.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crewbell_core::store::{Image, Store, StoreError, Write};

/// A device's storage.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    image: Arc<Mutex<Image>>,
    full: Arc<AtomicBool>,
}

impl Disk {
    /// Fills it up, or makes room.
    pub fn fill(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// What is on it.
    pub fn image(&self) -> Image {
        self.image.lock().unwrap().clone()
    }
}

impl Store for Disk {
    async fn load(&mut self) -> Result<Image, StoreError> {
        Ok(self.image())
    }

    async fn write(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError::Full);
        }
        self.image.lock().unwrap().apply(writes);
        Ok(())
    }
}
