//! Rate limiter of what a client sends: a token bucket.

use std::time::Duration;

use tokio::time::Instant;

/// A token bucket.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    most: u32,
    every: Duration,
    left: u32,
    since: Instant,
}

impl TokenBucket {
    /// Creates a full bucket of `most` tokens that gains one token every `every`.
    pub(crate) fn new(most: u32, every: Duration) -> Self {
        Self::from(most, every, Instant::now())
    }

    fn from(most: u32, every: Duration, since: Instant) -> Self {
        Self { most, every, left: most, since }
    }

    /// Takes a token. Returns false if there is none.
    pub(crate) fn take(&mut self) -> bool {
        self.take_at(Instant::now())
    }

    fn take_at(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.since);
        let refill = u32::try_from(elapsed.as_nanos() / self.every.as_nanos().max(1)).unwrap_or(u32::MAX);
        if refill > 0 {
            self.left = self.left.saturating_add(refill).min(self.most);
            // The remainder of the elapsed time counts towards the next token.
            self.since += self.every.saturating_mul(refill).min(elapsed);
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_so_many_and_refills_in_time() {
        let begin = Instant::now();
        let mut allowance = TokenBucket::from(3, Duration::from_millis(50), begin);
        let mut taken = |after_ms: u64, tries: usize| {
            let now = begin + Duration::from_millis(after_ms);
            (0..tries).filter(|_| allowance.take_at(now)).count()
        };
        assert_eq!(taken(0, 5), 3);
        assert_eq!(taken(75, 5), 1);
        assert_eq!(taken(100, 5), 1, "the half from before counts");
        assert_eq!(taken(60_000, 9), 3);
    }
}
