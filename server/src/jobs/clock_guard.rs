//! Whether the clock may be believed by what moves or deletes things for their age.
//!
//! A small machine aboard has lost the time once the power was off for long, and gets it back from a network that may
//! itself be wrong. A clock that says "three years later" must cost nothing. So an age counts only when the time is
//! vouched for: by the log, which knew it days ago; or by the server, which has run for days while the clock kept step
//! with the one that nobody sets. A ship that lay in the yard is in doubt for those days, and her clean-up waits.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

/// How long a time must have been known before things are old by it.
const STEADY: Duration = Duration::from_hours(3 * 24);

/// How much a clock may be set, or a log be silent, without doubt: less than a day's worth of anything goes for it.
const SLACK: SignedDuration = SignedDuration::from_hours(2 * 24);

/// Watches a clock for jumps.
#[derive(Debug)]
pub struct ClockGuard {
    clock: Clock,
    since: Mutex<Steady>,
}

/// From when on the clock has kept step.
#[derive(Clone, Copy, Debug)]
struct Steady {
    at: Timestamp,
    elapsed: Duration,
}

/// Why the clock isn't believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the clock says {now}, and the log's last entry before that is of {known}")]
pub struct Doubt {
    /// What the clock says.
    pub now: Timestamp,
    /// The newest entry that is older than [`STEADY`].
    pub known: Timestamp,
}

impl ClockGuard {
    /// Begins to watch.
    pub fn new(clock: Clock) -> Self {
        let since = Mutex::new(Steady { at: clock.now(), elapsed: clock.elapsed() });
        Self { clock, since }
    }

    /// The time, and for how long the clock has kept step; a jump begins that anew.
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

/// The time before which the log must have known the time.
pub(super) fn vouched_before(now: Timestamp) -> Timestamp {
    SignedDuration::try_from(STEADY).ok().and_then(|steady| now.checked_sub(steady).ok()).unwrap_or(Timestamp::MIN)
}

/// Decides whether a time is believed: `known` is the newest entry from before [`vouched_before`].
pub(super) fn decide(now: Timestamp, steady: Duration, known: Option<Timestamp>) -> Result<Timestamp, Doubt> {
    // A site with no entry that old is new: it has nothing that could be too old.
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
