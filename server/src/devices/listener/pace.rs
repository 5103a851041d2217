//! The message rate limiter of a connection: a burst, then a rate per second. Excess messages are delayed, not refused.

use std::time::Duration;

use tokio::time::Instant;

/// A leaky bucket stored as one instant (GCRA): the time at which all messages so far have drained.
#[derive(Debug)]
pub(super) struct Pace {
    burst: Duration,
    each: Duration,
    paid: Option<Instant>,
    /// When the rate limit was last reported.
    told: Option<Instant>,
}

impl Pace {
    /// Creates a limiter of a burst in messages, and a rate in messages per second.
    pub(super) fn new((burst, per_second): (u32, u32)) -> Self {
        let each = Duration::from_secs(1) / per_second.max(1);
        Self { burst: each * burst, each, paid: None, told: None }
    }

    /// Counts a message.
    pub(super) fn count(&mut self, now: Instant) {
        let paid = self.paid.map_or(now, |paid| paid.max(now));
        self.paid = Some(paid + self.each);
    }

    /// Returns the time until which reading is paused, if it is.
    pub(super) fn held_until(&self, now: Instant) -> Option<Instant> {
        let until = self.paid?.checked_sub(self.burst)?;
        (until > now).then_some(until)
    }

    /// Whether the rate limit is to be reported: at most once a minute.
    pub(super) fn tell(&mut self, now: Instant) -> bool {
        let due = self.told.is_none_or(|told| now.saturating_duration_since(told) >= Duration::from_mins(1));
        if due {
            self.told = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_it_is_so_many_a_second() {
        let mut pace = Pace::new((10, 5));
        let start = Instant::now() + Duration::from_hours(1);
        for _ in 0..10 {
            assert_eq!(pace.held_until(start), None);
            pace.count(start);
        }
        pace.count(start);
        let until = pace.held_until(start).unwrap();
        assert_eq!(until - start, Duration::from_millis(200));
        assert_eq!(pace.held_until(until), None);
        assert!(pace.tell(start) && !pace.tell(until) && pace.tell(start + Duration::from_mins(1)));
        let later = start + Duration::from_mins(10);
        pace.count(later);
        assert_eq!(pace.held_until(later), None, "silence pays everything off");
    }
}
