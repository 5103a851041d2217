//! Rate limiter for password attempts, by user name and origin (GCRA).
//!
//! A user name that has signed in from an origin has a large allowance there, which nobody elsewhere can use up, so
//! that a known button isn't locked out. Any other user name has a small allowance of wrong passwords from an origin,
//! and the origin one for all of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Origin;

/// Burst and refill interval for one user name from one origin.
const OF_A_NAME: (u32, Duration) = (10, Duration::from_secs(10));
/// Burst and refill interval for one origin, whatever the names.
const OF_AN_ADDRESS: (u32, Duration) = (100, Duration::from_millis(500));
/// Burst and refill interval for a user name that has signed in from the origin.
const OF_A_KNOWN_NAME: (u32, Duration) = (1000, Duration::from_millis(100));
/// Maximum entries of each map.
const MOST: usize = 8192;

type Name = (Origin, u64);

/// The rate limiter of password attempts.
#[derive(Debug, Default)]
pub struct Guesses {
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// When the bucket is full again, per user name and origin (a leaky bucket stored as one instant, GCRA).
    names: BTreeMap<Name, Instant>,
    addresses: BTreeMap<Origin, Instant>,
    /// The same for user names that have signed in from an origin.
    right: BTreeMap<Name, Instant>,
}

impl Guesses {
    /// Charges an attempt before its password is verified, so that concurrent attempts aren't free.
    ///
    /// # Errors
    /// Returns the time to wait if the allowance is used up.
    pub fn try_one(&self, from: Origin, name: &str, now: Instant) -> Result<(), Duration> {
        let mut memory = self.lock();
        let key = (from, hash(name));
        if let Some(debt) = memory.right.get_mut(&key) {
            *debt = owed(Some(debt), OF_A_KNOWN_NAME, now)?;
            return Ok(());
        }
        let name = owed(memory.names.get(&key), OF_A_NAME, now)?;
        let address = owed(memory.addresses.get(&from), OF_AN_ADDRESS, now)?;
        remember(&mut memory.names, key, name, now);
        remember(&mut memory.addresses, from, address, now);
        Ok(())
    }

    /// Refunds a successful attempt, and remembers the user name at its origin.
    pub fn was_right(&self, from: Origin, name: &str, now: Instant) {
        self.was_not_judged(from, name, now);
        let mut memory = self.lock();
        let key = (from, hash(name));
        if memory.right.contains_key(&key) {
            return;
        }
        if memory.right.len() >= MOST {
            let oldest = memory.right.iter().min_by_key(|(_, debt)| **debt).map(|(key, _)| *key);
            oldest.map(|oldest| memory.right.remove(&oldest));
        }
        memory.names.remove(&key);
        memory.right.insert(key, now);
    }

    /// Refunds an attempt whose password could not be verified.
    pub fn was_not_judged(&self, from: Origin, name: &str, now: Instant) {
        let memory = &mut *self.lock();
        let key = (from, hash(name));
        if let Some(debt) = memory.right.get_mut(&key) {
            *debt = debt.checked_sub(OF_A_KNOWN_NAME.1).unwrap_or(now);
            return;
        }
        if let Some(debt) = memory.names.get_mut(&key) {
            *debt = debt.checked_sub(OF_A_NAME.1).unwrap_or(now);
        }
        if let Some(debt) = memory.addresses.get_mut(&from) {
            *debt = debt.checked_sub(OF_AN_ADDRESS.1).unwrap_or(now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns when the bucket would be full again after one more attempt, or the time to wait.
fn owed(debt: Option<&Instant>, (burst, each): (u32, Duration), now: Instant) -> Result<Instant, Duration> {
    let paid = debt.map_or(now, |debt| (*debt).max(now));
    let after = paid + each;
    let over = after.saturating_duration_since(now).saturating_sub(each * burst);
    if over.is_zero() { Ok(after) } else { Err(over) }
}

/// Stores a bucket. Full buckets are removed when the map is at its limit. If none is full, a new user name isn't
/// stored; its origin is still charged.
fn remember<K: Ord>(debts: &mut BTreeMap<K, Instant>, key: K, debt: Instant, now: Instant) {
    if debts.len() >= MOST && !debts.contains_key(&key) {
        debts.retain(|_, debt| *debt > now);
        if debts.len() >= MOST {
            return;
        }
    }
    debts.insert(key, debt);
}

/// Hashes a user name, whose length the client chooses, to a fixed size.
fn hash(name: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn at(host: u8) -> Origin {
        IpAddr::from([10, 0, 0, host]).into()
    }

    #[test]
    fn a_thousand_wrong_ones_are_judged_a_few_times_and_then_slowly() {
        let guesses = Guesses::default();
        let start = Instant::now();
        let judged = (0..1000).filter(|_| guesses.try_one(at(1), "site/cabin-1", start).is_ok()).count();
        assert_eq!(judged, 10);
        let judged = |until: u64| {
            (0..until * 10)
                .filter(|tenth| {
                    let now = start + Duration::from_millis(tenth * 100);
                    guesses.try_one(at(1), "site/cabin-1", now).is_ok()
                })
                .count()
        };
        assert_eq!(judged(60), 5, "in a minute");
    }

    #[test]
    fn a_guesser_of_names_is_slowed_by_address() {
        let guesses = Guesses::default();
        let start = Instant::now();
        let judged = (0..1000).filter(|n| guesses.try_one(at(1), &format!("site/{n}"), start).is_ok()).count();
        assert_eq!(judged, 100);
        assert!(guesses.try_one(at(2), "site/cabin-1", start).is_ok(), "another address isn't concerned");
    }

    #[test]
    fn who_was_right_from_there_is_judged_whatever_names_others_try() {
        let guesses = Guesses::default();
        let start = Instant::now();
        guesses.try_one(at(1), "site/cabin-7", start).unwrap();
        guesses.was_right(at(1), "site/cabin-7", start);
        for n in 0..1000 {
            let _ = guesses.try_one(at(1), &format!("site/{n}"), start);
        }
        for _ in 0..10_000 {
            guesses.try_one(at(1), "site/cabin-7", start).unwrap();
            guesses.was_right(at(1), "site/cabin-7", start);
        }
        assert!(guesses.try_one(at(1), "site/cabin-8", start).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let guesses = Guesses::default();
        let mut now = Instant::now();
        for n in 0..u32::try_from(3 * MOST).unwrap() {
            let from = Origin::from(IpAddr::V4((0x0A00_0000 + n).into()));
            let _ = guesses.try_one(from, "x", now);
            guesses.was_right(from, "y", now);
            now += Duration::from_millis(1);
        }
        let memory = guesses.lock();
        assert!(memory.names.len() <= MOST && memory.addresses.len() <= MOST && memory.right.len() <= MOST);
    }
}
