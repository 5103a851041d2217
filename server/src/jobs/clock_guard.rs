//! Plausibility check of the clock, for jobs that move or delete rows by age.
//!
//! A small machine aboard loses the time after a long power cut, and gets it back from a network that may itself be
//! wrong. A clock that jumps ahead, by days or by years, must delete nothing. So ages count only when the time is
//! confirmed: by the log, if it is nowhere silent for more than a day in the last three days; or by three days of
//! uptime in which the wall clock kept step with the monotonic clock.
//!
//! A clock that is ahead by some days when the server starts leaves a silence of as many days in the log, and so does a
//! server that was off for that time: neither the log nor the uptime tells one from the other. Both are in doubt for
//! three days of uptime, in which the clean-up waits and nothing else does. What a wrong clock writes meanwhile doesn't
//! confirm it, since the silence before stays in view. Therefore:
//! - A clock that is up to a day ahead is believed; one that is more than thirty hours ahead isn't.
//! - A server that lay in the yard for a week or a winter goes on by itself, three days after it is back.
//! - A server that is switched off for more than a day every few days, and never runs for three days on end, is never
//!   cleaned up. The log says so each hour.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

/// How long a time must have been confirmed before ages count.
const STEADY: Duration = Duration::from_hours(3 * 24);

/// Tolerance for an adjustment of the clock while the server runs: an error of this size is accepted.
const SLACK: SignedDuration = SignedDuration::from_hours(2 * 24);

/// Longest silence of the log that leaves no doubt. A night is shorter, and a ship in use has an entry every day; a
/// quieter one only waits for the clean-up.
const SILENCE: SignedDuration = SignedDuration::from_hours(24);

/// Distance of the [`checkpoints`]: by how much a silence may be longer than [`SILENCE`] and not be noticed.
const STEP: SignedDuration = SignedDuration::from_hours(6);

/// Number of steps, which make [`STEADY`].
const STEPS: i32 = 12;

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
#[error("the clock says {now}, and the log is silent for more than a day after {known}")]
pub struct Doubt {
    /// The wall-clock time.
    pub now: Timestamp,
    /// Time of the last entry before the silence.
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

/// Returns whether a clock has kept step for long enough, so that the log need not confirm it.
pub(super) fn is_confirmed(steady: Duration) -> bool {
    steady >= STEADY
}

/// Returns the times at which the log must not be silent for `now` to be plausible, from three days ago until `now`.
pub(super) fn checkpoints(now: Timestamp) -> impl Iterator<Item = Timestamp> {
    (0..=STEPS).rev().map(move |steps| now.checked_sub(STEP * steps).unwrap_or(Timestamp::MIN))
}

/// Returns whether the log is silent at a checkpoint: `known` is the newest entry until then.
pub(super) fn is_silent(checkpoint: Timestamp, known: Timestamp) -> bool {
    checkpoint.duration_since(known) > SILENCE
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: SignedDuration = SignedDuration::from_hours(24);
    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    /// Returns whether the log vouches for a time, if it has an entry every hour of these spans, in hours before it.
    fn is_vouched_for(spans: &[(i32, i32)]) -> bool {
        let hour = SignedDuration::from_hours(1);
        let hours = spans.iter().flat_map(|&(from, to)| to..=from);
        let entries: Vec<Timestamp> = hours.map(|hours| NOW - hour * hours).collect();
        checkpoints(NOW).all(|until| {
            let known = entries.iter().copied().filter(|at| *at <= until).max();
            known.is_some_and(|known| !is_silent(until, known))
        })
    }

    #[test]
    fn a_time_is_vouched_for_by_a_log_that_is_nowhere_silent_for_more_than_a_day() {
        let days = |days: i32| 24 * days;
        let first = checkpoints(NOW).next().map(|first| NOW.duration_since(first));
        assert_eq!(first, SignedDuration::try_from(STEADY).ok());
        assert_eq!(checkpoints(NOW).last(), Some(NOW));
        assert!(is_vouched_for(&[(days(9), 0)]));
        assert!(is_vouched_for(&[(days(9), days(1))]), "a quiet day");
        assert!(is_vouched_for(&[(days(9), days(4)), (days(3), days(2)), (days(1), 0)]), "quiet days in between");
        assert!(is_vouched_for(&[(days(9), days(7)), (days(4), 0)]), "what was before is past");
        for ahead in [31, days(2), days(3), days(5), days(9), days(3 * 365)] {
            let last_right = (ahead + days(5), ahead);
            assert!(!is_vouched_for(&[last_right]), "{ahead}: just started, or off for so long");
            for ran in [1, 20, days(1), days(2), days(3) - 1] {
                let wrong = (ran, 0);
                let last_right = (ran + ahead + days(5), ran + ahead);
                assert!(!is_vouched_for(&[last_right, wrong]), "{ahead}: its own entries of {ran} hours vouch for it");
            }
        }
    }

    #[test]
    fn three_days_of_running_confirm_a_clock() {
        assert!(!is_confirmed(Duration::ZERO) && !is_confirmed(Duration::from_hours(71)));
        assert!(is_confirmed(Duration::from_hours(72)));
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
