//! Time, randomness and ids: the only place of the core that reads them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use uuid::Uuid;

use crate::engine::Now;

/// The device's clocks: one that may be wrong and set, and one that only goes forward.
#[derive(Clone, Debug)]
pub struct Clock {
    began: Instant,
    /// Milliseconds by which the wall clock is set wrong.
    wrong_by: Arc<AtomicI64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { began: Instant::now(), wrong_by: Arc::default() }
    }
}

impl Clock {
    /// Now, with a number drawn by lot.
    #[expect(clippy::disallowed_methods, reason = "this is the edge that reads the clock")]
    pub fn now(&self) -> Now {
        let wrong_by = SignedDuration::from_millis(self.wrong_by.load(Ordering::Relaxed));
        let wall = Timestamp::now();
        let tick = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { wall: wall.saturating_add(wrong_by).unwrap_or(wall), tick, luck: rand::random() }
    }

    /// Sets the wall clock wrong, as a person or a flat battery does: for tests.
    pub fn set_wrong_by(&self, by: SignedDuration) {
        self.wrong_by.store(i64::try_from(by.as_millis()).unwrap_or_default(), Ordering::Relaxed);
    }

    /// A new id of version 7 (RFC 9562, 5.7), made now by the device's clock.
    pub fn id<Id: From<Uuid>>(&self) -> Id {
        let millis = u64::try_from(self.now().wall.as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid().into()
    }

    /// When a tick comes.
    pub(super) fn instant(&self, tick: u64) -> Instant {
        self.began + std::time::Duration::from_millis(tick)
    }
}
