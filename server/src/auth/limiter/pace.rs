//! The three measures of the sign-in limiter, each a few words of memory: back-off, a budget, a count of wrong secrets.
//!
//! Times are of the server's clock, which may be set back: a span that would be negative begins anew, so that nobody
//! waits longer than one whole wait.

use jiff::{SignedDuration, Timestamp};

/// Wrong secrets that cost no wait: fingers slip.
pub(super) const FREE: u32 = 5;

/// The wait after the last free one; each further wrong secret doubles it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(10);

/// The longest wait: a person whose device somebody else played with waits an hour at most.
pub(super) const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// The time without a wrong secret after which the earlier ones are forgotten.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Time from one moment to a later one; nothing when the clock was set back.
fn since(from: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_since(from).max(SignedDuration::ZERO)
}

/// Back-off that grows with each wrong secret and ends with a right one.
#[derive(Clone, Copy, Debug)]
pub(super) struct BackOff {
    wrong: u32,
    at: Timestamp,
}

impl BackOff {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { wrong: 0, at: now }
    }

    /// The time that is still to be waited.
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

    /// The wait after so many wrong secrets.
    fn whole_wait(&self) -> SignedDuration {
        let Some(doublings) = self.wrong.checked_sub(FREE) else { return SignedDuration::ZERO };
        let factor = 1_i32.checked_shl(doublings.min(16)).unwrap_or(i32::MAX);
        (FIRST_WAIT * factor).min(LONGEST_WAIT)
    }

    /// Counts an attempt as wrong, before it is known to be.
    pub(super) fn charge(&mut self, now: Timestamp) {
        self.wrong = self.wrong.saturating_add(1);
        self.at = now;
    }

    /// Takes a charge back: the attempt was right, or was never decided.
    pub(super) fn refund(&mut self) {
        self.wrong = self.wrong.saturating_sub(1);
    }

    /// When it was charged last.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }
}

/// A budget of attempts that refills one by one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    left: u32,
    at: Timestamp,
}

/// How large a budget is, and how fast it refills.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) most: u32,
    pub(super) every: SignedDuration,
}

impl Budget {
    pub(super) fn full(rate: Rate, now: Timestamp) -> Self {
        Self { left: rate.most, at: now }
    }

    /// The time until there is one attempt; none when there is one.
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

/// Wrong secrets in a row of days, and how many of them have been told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    wrong: u32,
    at: Option<Timestamp>,
    told: u32,
}

impl Tally {
    /// Counts a wrong secret; gives the count when it is time to tell it: at `first`, and each time that it has
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
