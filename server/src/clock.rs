//! Time and randomness: the only place that reads them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

/// The time, to the microsecond, which is what the database keeps.
#[derive(Clone, Debug)]
pub struct Clock {
    /// When it was made, by the clock that nobody sets.
    made: Instant,
    /// Microseconds that a test has let pass.
    passed: Arc<AtomicI64>,
    /// Microseconds by which a test has set the clock.
    set: Arc<AtomicI64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { made: Instant::now(), passed: Arc::default(), set: Arc::default() }
    }
}

impl Clock {
    /// Now.
    #[expect(clippy::disallowed_methods, reason = "this is the edge that reads the clock")]
    pub fn now(&self) -> Timestamp {
        let micros =
            Timestamp::now().as_microsecond() + self.passed.load(Ordering::Relaxed) + self.set.load(Ordering::Relaxed);
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// How long it has run, by the clock that nobody sets: what [`Clock::now`] says may jump, this never does.
    pub fn elapsed(&self) -> Duration {
        let passed = Duration::from_micros(self.passed.load(Ordering::Relaxed).max(0).unsigned_abs());
        self.made.elapsed() + passed
    }

    /// Lets time pass, on both clocks: for tests.
    pub fn advance(&self, by: SignedDuration) {
        self.passed.fetch_add(micros(by), Ordering::Relaxed);
    }

    /// Sets the clock, also back, while no time passes: for tests.
    pub fn set_by(&self, by: SignedDuration) {
        self.set.fetch_add(micros(by), Ordering::Relaxed);
    }
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or_default()
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
