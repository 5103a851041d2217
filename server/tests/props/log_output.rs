//! The log output of a test's thread.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;

use crate::props::until;

/// The log output of the servers of a story.
#[derive(Clone, Default)]
pub struct Words(Arc<Mutex<Vec<u8>>>);

impl Words {
    /// Captures the log output of this story.
    pub fn listen() -> (Self, DefaultGuard) {
        let words = Self::default();
        let writer = words.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        (words, tracing::subscriber::set_default(lines))
    }

    /// Waits until the log contains a text.
    pub async fn hear(&self, what: &str) {
        until(what, || async { self.times(what) > 0 }).await;
    }

    /// Returns how often the log contains a text.
    pub fn times(&self, what: &str) -> usize {
        String::from_utf8_lossy(&self.0.lock().unwrap()).matches(what).count()
    }
}

impl Write for Words {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
