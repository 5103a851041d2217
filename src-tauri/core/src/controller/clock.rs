//! Source of time, randomness and ids: the only module of the core that reads them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use uuid::Uuid;

use crate::engine::Now;

/// The device's clocks: a wall clock, which may be wrong and may be set, and a monotonic one.
#[derive(Clone, Debug)]
pub struct Clock {
    began: Instant,
    /// Offset that makes the wall clock wrong, in milliseconds.
    wrong_by: Arc<AtomicI64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { began: Instant::now(), wrong_by: Arc::default() }
    }
}

impl Clock {
    /// Returns the current time, with a random number.
    #[expect(clippy::disallowed_methods, reason = "this is the edge that reads the clock")]
    pub fn now(&self) -> Now {
        let wrong_by = SignedDuration::from_millis(self.wrong_by.load(Ordering::Relaxed));
        let wall = Timestamp::now();
        let tick = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { wall: wall.saturating_add(wrong_by).unwrap_or(wall), tick, jitter: rand::random() }
    }

    /// Sets the wall clock's offset, for tests of a wrong clock.
    pub fn set_wrong_by(&self, by: SignedDuration) {
        self.wrong_by.store(i64::try_from(by.as_millis()).unwrap_or_default(), Ordering::Relaxed);
    }

    /// Returns a new id of version 7 (RFC 9562, 5.7), with the device's time.
    pub fn id<Id: From<Uuid>>(&self) -> Id {
        let millis = u64::try_from(self.now().wall.as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid().into()
    }

    /// Converts a tick to an instant.
    pub(super) fn instant(&self, tick: u64) -> Instant {
        self.began + std::time::Duration::from_millis(tick)
    }
}
