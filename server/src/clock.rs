//! Time and randomness: the only place that reads them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

/// The time, to the microsecond, which is what the database keeps.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Microseconds by which a test has moved the time.
    moved: Arc<AtomicI64>,
}

impl Clock {
    /// Now.
    #[expect(clippy::disallowed_methods, reason = "this is the edge that reads the clock")]
    pub fn now(&self) -> Timestamp {
        let micros = Timestamp::now().as_microsecond() + self.moved.load(Ordering::Relaxed);
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves the time, also backwards: for tests, and for the demo's week of history.
    pub fn advance(&self, by: SignedDuration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or_default();
        self.moved.fetch_add(micros, Ordering::Relaxed);
    }
}

/// Where ids and secrets come from; seeded for a demo or test that shall come out the same each time.
#[derive(Clone, Debug)]
pub struct Ids {
    random: Arc<Mutex<StdRng>>,
}

impl Ids {
    /// Draws from the system's randomness.
    pub fn random() -> Self {
        Self { random: Arc::new(Mutex::new(rand::make_rng())) }
    }

    /// Draws the same each time.
    pub fn seeded(seed: u64) -> Self {
        Self { random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))) }
    }

    /// A new id of version 7 (RFC 9562, 5.7), made at a time.
    pub fn next<Id: From<Uuid>>(&self, at: Timestamp) -> Id {
        let mut random = [0; 10];
        self.fill(&mut random);
        let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into()
    }

    /// So many random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}
