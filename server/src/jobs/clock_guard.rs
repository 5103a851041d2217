//! Plausibility check of the clock, for jobs that move or delete rows by age.
//!
//! A small machine aboard loses the time after a long power cut, and gets it back from a network that may itself be
//! wrong. A clock that jumps three years ahead must delete nothing. So ages count only when the time is confirmed: by
//! the log, if it has an entry from three to five days before; or by three days of uptime in which the wall clock kept
//! step with the monotonic clock. After a long time in the yard the clock is in doubt for those days, and the clean-up
//! waits.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

/// How long a time must have been confirmed before ages count.
const STEADY: Duration = Duration::from_hours(3 * 24);

/// Tolerance for a clock adjustment, or for a gap in the log: an error of this size is accepted.
const SLACK: SignedDuration = SignedDuration::from_hours(2 * 24);

/// Detects jumps of a clock.
#[derive(Debug)]
pub struct ClockGuard {
    clock: Clock,
    since: Mutex<Steady>,
}

/// Start of the period in which the wall clock has kept step with the monotonic clock.
#[derive(Clone, Copy, Debug)]
struct Steady {
    at: Timestamp,
    elapsed: Duration,
}

/// The reason why the clock is implausible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the clock says {now}, and the log's last entry before that is of {known}")]
pub struct Doubt {
    /// The wall-clock time.
    pub now: Timestamp,
    /// Time of the newest entry that is older than [`STEADY`].
    pub known: Timestamp,
}

impl ClockGuard {
    /// Starts watching a clock.
    pub fn new(clock: Clock) -> Self {
        let since = Mutex::new(Steady { at: clock.now(), elapsed: clock.elapsed() });
        Self { clock, since }
    }

    /// Returns the time, and for how long the clock has kept step; a jump resets that to zero.
    pub(super) fn look(&self) -> (Timestamp, Duration) {
        let (now, elapsed) = (self.clock.now(), self.clock.elapsed());
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let steady = elapsed.saturating_sub(since.elapsed);
        let expected = since.at.saturating_add(SignedDuration::try_from(steady).unwrap_or(SignedDuration::MAX));
        let off = now.duration_since(expected.unwrap_or(Timestamp::MAX)).abs();
        if off <= SLACK {
            return (now, steady);
        }
        *since = Steady { at: now, elapsed };
        (now, Duration::ZERO)
    }
}

/// Returns the time at or before which the log must have an entry for `now` to be plausible.
pub(super) fn vouched_before(now: Timestamp) -> Timestamp {
    SignedDuration::try_from(STEADY).ok().and_then(|steady| now.checked_sub(steady).ok()).unwrap_or(Timestamp::MIN)
}

/// Decides whether a time is plausible: `known` is the newest entry at or before [`vouched_before`].
pub(super) fn decide(now: Timestamp, steady: Duration, known: Option<Timestamp>) -> Result<Timestamp, Doubt> {
    // A site with no entry that old is new, so nothing of it can be too old.
    let Some(known) = known.filter(|_| steady < STEADY) else { return Ok(now) };
    let silent = vouched_before(now).duration_since(known);
    if silent <= SLACK { Ok(now) } else { Err(Doubt { now, known }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: SignedDuration = SignedDuration::from_hours(24);
    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn days_ago(days: i64) -> Option<Timestamp> {
        NOW.checked_sub(SignedDuration::from_hours(24 * days)).ok()
    }

    #[test]
    fn a_time_is_believed_when_the_log_or_three_days_vouch_for_it() {
        let just_started = Duration::ZERO;
        for (steady, known, believed) in [
            (just_started, days_ago(3), true),
            (just_started, days_ago(5), true),
            (just_started, days_ago(6), false),
            (just_started, days_ago(3 * 365), false),
            (just_started, None, true),
            (Duration::from_hours(71), days_ago(3 * 365), false),
            (Duration::from_hours(72), days_ago(3 * 365), true),
        ] {
            assert_eq!(decide(NOW, steady, known).is_ok(), believed, "{steady:?} {known:?}");
        }
    }

    #[test]
    fn a_clock_that_is_set_begins_anew_and_one_that_is_corrected_a_little_does_not() {
        let clock = Clock::default();
        let guard = ClockGuard::new(clock.clone());
        clock.advance(4 * DAY);
        assert!(guard.look().1 >= STEADY, "time that passes is no jump");
        clock.set_by(SignedDuration::from_hours(30));
        assert!(guard.look().1 >= STEADY, "a day more or less is none either");
        for jump in [3 * 365 * DAY, -3 * 365 * DAY, -20 * 365 * DAY, 3 * DAY] {
            clock.set_by(jump);
            assert_eq!(guard.look().1, Duration::ZERO, "{jump}");
            clock.advance(DAY);
            assert!(guard.look().1 < STEADY);
            clock.advance(2 * DAY);
            assert!(guard.look().1 >= STEADY, "{jump}");
        }
    }
}
