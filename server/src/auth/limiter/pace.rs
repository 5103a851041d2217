//! The three counters of the sign-in limiter: back-off, budget (token bucket) and a tally of wrong secrets. Each takes
//! a few machine words of memory.
//!
//! Times are of the server's clock, which may be set back. A negative span then restarts at zero, so that nobody waits
//! longer than one full wait.

use jiff::{SignedDuration, Timestamp};

/// Number of wrong secrets without a wait, to allow for typing errors.
pub(super) const FREE: u32 = 5;

/// Wait after the last free wrong secret; each further one doubles it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(10);

/// Longest wait. It bounds how long somebody is locked out of a device on which another person guessed.
pub(super) const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// Time without a wrong secret after which the counters are reset.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Returns the time from one moment to a later one; zero if the clock was set back.
fn since(from: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_since(from).max(SignedDuration::ZERO)
}

/// Exponential back-off that grows with each wrong secret and ends with a right one.
#[derive(Clone, Copy, Debug)]
pub(super) struct BackOff {
    wrong: u32,
    at: Timestamp,
}

impl BackOff {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { wrong: 0, at: now }
    }

    /// Returns the remaining wait.
    pub(super) fn wait(&mut self, now: Timestamp) -> SignedDuration {
        if now < self.at {
            self.at = now;
        }
        let elapsed = since(self.at, now);
        if elapsed >= FORGOTTEN_AFTER {
            self.wrong = 0;
        }
        (self.whole_wait() - elapsed).max(SignedDuration::ZERO)
    }

    /// Returns the full wait after the wrong secrets counted so far.
    fn whole_wait(&self) -> SignedDuration {
        let Some(doublings) = self.wrong.checked_sub(FREE) else { return SignedDuration::ZERO };
        let factor = 1_i32.checked_shl(doublings.min(16)).unwrap_or(i32::MAX);
        (FIRST_WAIT * factor).min(LONGEST_WAIT)
    }

    /// Counts an attempt as wrong before its secret is checked.
    pub(super) fn charge(&mut self, now: Timestamp) {
        self.wrong = self.wrong.saturating_add(1);
        self.at = now;
    }

    /// Refunds a charge, when the attempt could not be decided.
    pub(super) fn refund(&mut self) {
        self.wrong = self.wrong.saturating_sub(1);
    }

    /// Returns the time of the last charge.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }
}

/// A token bucket of attempts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    left: u32,
    at: Timestamp,
}

/// Capacity and refill interval of a budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) most: u32,
    pub(super) every: SignedDuration,
}

impl Budget {
    pub(super) fn full(rate: Rate, now: Timestamp) -> Self {
        Self { left: rate.most, at: now }
    }

    /// Refills the budget and returns the time until an attempt is available; zero if there is one.
    pub(super) fn wait(&mut self, rate: Rate, now: Timestamp) -> SignedDuration {
        if now < self.at || self.left >= rate.most {
            self.at = now;
        }
        let elapsed = since(self.at, now);
        let refill = u32::try_from(elapsed.as_millis() / rate.every.as_millis().max(1)).unwrap_or(u32::MAX);
        if refill >= rate.most - self.left.min(rate.most) {
            (self.left, self.at) = (rate.most, now);
        } else if let Ok(factor) = i32::try_from(refill) {
            self.left += refill;
            self.at += rate.every * factor;
        }
        if self.left > 0 { SignedDuration::ZERO } else { rate.every - since(self.at, now) }
    }

    pub(super) fn charge(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    pub(super) fn refund(&mut self, rate: Rate) {
        self.left = self.left.saturating_add(1).min(rate.most);
    }
}

/// Wrong secrets with less than a day between them, and the count at the last notification.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    wrong: u32,
    at: Option<Timestamp>,
    told: u32,
}

impl Tally {
    /// Counts a wrong secret. Returns the count if a notification is due: at `first`, and each time that it has
    /// quadrupled.
    pub(super) fn count(&mut self, first: u32, now: Timestamp) -> Option<u32> {
        if self.at.is_some_and(|at| since(at, now) >= FORGOTTEN_AFTER) {
            *self = Self::default();
        }
        self.wrong = self.wrong.saturating_add(1);
        self.at = Some(now);
        let next = if self.told == 0 { first } else { self.told.saturating_mul(4) };
        if self.wrong < next {
            return None;
        }
        self.told = self.wrong;
        Some(self.wrong)
    }
}
