//! Throttle for repeated log lines, with a count of those suppressed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A throttle that lets each key through once per interval, for a bounded number of keys.
#[derive(Debug)]
pub struct Seldom<K> {
    every: Duration,
    most: usize,
    said: Mutex<BTreeMap<K, (Instant, u64)>>,
}

impl<K: Ord> Seldom<K> {
    /// Creates a throttle of one pass per key in `every`. Beyond `most` keys in that time, further keys are suppressed.
    pub fn new(every: Duration, most: usize) -> Self {
        Self { every, most, said: Mutex::default() }
    }

    /// Returns whether to log a key at `now`: `Some` with the count of suppressed lines since its last pass, or `None`.
    pub fn say(&self, what: K, now: Instant) -> Option<u64> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, left_out)) = said.get_mut(&what) {
            if now.saturating_duration_since(*at) < self.every {
                *left_out += 1;
                return None;
            }
            *at = now;
            return Some(std::mem::take(left_out));
        }
        if said.len() >= self.most {
            said.retain(|_, (at, _)| now.saturating_duration_since(*at) < self.every);
        }
        if said.len() >= self.most {
            return None;
        }
        said.insert(what, (now, 0));
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_often_is_said_once_a_minute_with_the_count() {
        let seldom = Seldom::new(Duration::from_mins(1), 2);
        let start = Instant::now();
        assert_eq!(seldom.say("a", start), Some(0));
        for _ in 0..999 {
            assert_eq!(seldom.say("a", start + Duration::from_secs(59)), None);
        }
        assert_eq!(seldom.say("a", start + Duration::from_mins(1)), Some(999));
        assert_eq!(seldom.say("b", start + Duration::from_mins(1)), Some(0));
        assert_eq!(seldom.say("c", start + Duration::from_secs(61)), None, "too many different things");
        assert_eq!(seldom.say("c", start + Duration::from_secs(121)), Some(0), "the others are forgotten");
    }
}
