//! Flap damping: a button that keeps connecting and disconnecting is reported once.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::dedup_state::within;

/// The number of connection changes within [`Flapping::STEADY`] from which a button flaps.
const CHANGES: usize = 5;

/// The recent connection changes of a button.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flapping {
    /// Whether it is connected, reported or not.
    online: Option<bool>,
    /// The times of its last connection changes, oldest first.
    changes: Vec<Timestamp>,
    /// Since when it flaps.
    since: Option<Timestamp>,
}

impl Flapping {
    /// The time without a change after which flapping ends.
    pub const STEADY: SignedDuration = SignedDuration::from_mins(10);

    /// Records whether it is connected at a time, and returns since when it flaps: from the first of five changes
    /// within ten minutes until ten minutes without a change.
    pub fn note(&mut self, online: Option<bool>, at: Timestamp) -> Option<Timestamp> {
        let is_steady = self.changes.last().is_some_and(|last| !within(Self::STEADY, *last, at));
        if is_steady {
            self.changes.clear();
            self.since = None;
        }
        if self.online.is_some() && online.is_some() && self.online != online {
            self.changes.push(at);
            let excess = self.changes.len().saturating_sub(CHANGES);
            self.changes.drain(..excess);
        }
        self.online = online.or(self.online);
        let first = self.changes.first().filter(|first| within(Self::STEADY, **first, at)).copied();
        if self.since.is_none() && self.changes.len() >= CHANGES {
            self.since = first;
        }
        self.since
    }

    /// Whether it is connected, reported or not.
    pub(super) fn online(&self) -> Option<bool> {
        self.online
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::button::{Health, Telemetry};
    use crate::testing::at;

    /// The reported changes of a day, given pairs of seconds and connection state.
    fn told(day: impl IntoIterator<Item = (i64, bool)>) -> Vec<(i64, Option<bool>, Option<i64>)> {
        let mut flapping = Flapping::default();
        let mut health = Health::default();
        let mut told = Vec::new();
        for (second, online) in day {
            let heard = health.heard(&Telemetry { online: Some(online), ..Telemetry::default() }, at(second));
            let now = health.damped(heard, &mut flapping, at(second));
            let moved = (health.online, health.flapping_since) != (now.online, now.flapping_since);
            if moved {
                let since = now.flapping_since.map(|since| since.duration_since(at(0)).as_secs());
                told.push((second, now.online, since));
            }
            health = now;
        }
        told
    }

    #[test]
    fn ten_times_a_minute_for_an_hour_is_one_line_that_says_since_when() {
        let hour = (0..600).map(|n| (n * 6, n % 2 == 0));
        let told = told(hour);
        assert_eq!(told.len(), 6, "{told:?}");
        assert_eq!(told.last(), Some(&(30, Some(false), Some(6))));
    }

    #[test]
    fn one_that_comes_and_goes_now_and_then_is_told_each_time() {
        let day = (0..50).map(|n| (n * 200, n % 2 == 0));
        assert_eq!(told(day).len(), 50);
    }

    #[test]
    fn after_ten_minutes_without_a_change_it_is_told_how_it_is() {
        let day = (0..9).map(|n| (n * 6, n % 2 == 0)).chain([(300, true), (660, true), (900, false)]);
        let told = told(day);
        assert_eq!(told[6..], [(660, Some(true), None), (900, Some(false), None)], "{told:?}");
    }

    #[test]
    fn one_that_falls_silent_is_told_as_it_was_at_last_when_it_has_been_so_for_ten_minutes() {
        let (mut flapping, mut health) = (Flapping::default(), Health::default());
        for second in (0..90).step_by(6) {
            let vitals = Telemetry { online: Some(second % 12 == 0), ..Telemetry::default() };
            let heard = health.heard(&vitals, at(second));
            health = health.damped(heard, &mut flapping, at(second));
        }
        // It last connected at second 84, but was reported as disconnected when it began to flap.
        assert_eq!((health.online, health.flapping_since.is_some()), (Some(false), true));
        let (early, late) = (health.settled(&mut flapping, at(684)), health.settled(&mut flapping, at(685)));
        assert_eq!(early, health);
        assert_eq!((late.online, late.flapping_since, late.last_seen_at), (Some(true), None, Some(at(84))));
        assert_eq!(late.settled(&mut flapping, at(9000)), late);
    }

    #[test]
    fn what_is_never_told_of_a_connection_does_not_flap() {
        let mut flapping = Flapping::default();
        assert!((0..100).all(|n| flapping.note(None, at(n)).is_none()));
        assert_eq!(flapping, Flapping::default());
    }
}
