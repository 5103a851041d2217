//! Clock and random number generator: the only module that reads the system's time and randomness.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

/// The clock: wall-clock time in microseconds, the resolution of the database, and monotonic time.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Monotonic time at which the clock was created.
    made: Instant,
    /// Microseconds by which tests have advanced both clocks.
    passed: Arc<AtomicI64>,
    /// Microseconds by which tests have set the wall clock.
    set: Arc<AtomicI64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { made: Instant::now(), passed: Arc::default(), set: Arc::default() }
    }
}

impl Clock {
    /// Returns the current wall-clock time.
    #[expect(clippy::disallowed_methods, reason = "this is the edge that reads the clock")]
    pub fn now(&self) -> Timestamp {
        let micros =
            Timestamp::now().as_microsecond() + self.passed.load(Ordering::Relaxed) + self.set.load(Ordering::Relaxed);
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Returns the monotonic time since creation. Unlike [`Clock::now`], it never jumps.
    pub fn elapsed(&self) -> Duration {
        let passed = Duration::from_micros(self.passed.load(Ordering::Relaxed).max(0).unsigned_abs());
        self.made.elapsed() + passed
    }

    /// Advances both clocks, for tests.
    pub fn advance(&self, by: SignedDuration) {
        self.passed.fetch_add(micros(by), Ordering::Relaxed);
    }

    /// Sets the wall clock forwards or back without advancing the monotonic clock, for tests.
    pub fn set_by(&self, by: SignedDuration) {
        self.set.fetch_add(micros(by), Ordering::Relaxed);
    }
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or_default()
}

/// Random number generator for ids and secrets. A seed makes demos and tests reproducible.
#[derive(Clone, Debug)]
pub struct Ids {
    random: Arc<Mutex<StdRng>>,
}

impl Ids {
    /// Creates a generator seeded from the system's randomness.
    pub fn random() -> Self {
        Self { random: Arc::new(Mutex::new(rand::make_rng())) }
    }

    /// Creates a deterministic generator.
    pub fn seeded(seed: u64) -> Self {
        Self { random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))) }
    }

    /// Returns a new `UUIDv7` (RFC 9562, 5.7) with the given timestamp.
    pub fn next<Id: From<Uuid>>(&self, at: Timestamp) -> Id {
        let mut random = [0; 10];
        self.fill(&mut random);
        let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into()
    }

    /// Returns `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}
