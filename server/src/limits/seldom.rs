//! The same line of the log once in a while, with how often it would have stood there meanwhile.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Things that are said at most once in a while each, and so many different ones at most.
#[derive(Debug)]
pub struct Seldom<K> {
    every: Duration,
    most: usize,
    said: Mutex<BTreeMap<K, (Instant, u64)>>,
}

impl<K: Ord> Seldom<K> {
    /// Each once in `every`; of more than `most` different ones in that time the rest isn't said at all.
    pub fn new(every: Duration, most: usize) -> Self {
        Self { every, most, said: Mutex::default() }
    }

    /// Whether to say it now, and how often it was left out since it was said last.
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
