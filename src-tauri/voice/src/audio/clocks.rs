//! Clocks for devices that are missing or inaccurate.

use std::time::Duration;

/// The duration of a block and of a frame.
const BLOCK_TIME: Duration = Duration::from_millis(10);
const FRAME_TIME: Duration = Duration::from_millis(20);
/// After a longer jump in time (the machine slept), missed blocks are not made up for.
const SLEPT: Duration = Duration::from_millis(200);
/// Time limit for a microphone's next sound, after which silence is sent instead.
const STARTING: Duration = Duration::from_millis(500);
/// The interval within which a late device catches up, if it does.
const CATCHING_UP: Duration = Duration::from_millis(500);
/// The maximum lag of a slow clock in that interval: 2 of 1000, in microseconds.
const DRIFT: i64 = 1_000;

/// A timer that fires every 10 ms, unless a device keeps the time.
#[derive(Debug, Default)]
pub(super) struct Metronome(Option<Duration>);

impl Metronome {
    /// Whether the next 10 ms have passed.
    pub(super) fn is_due(&mut self, now: Duration) -> bool {
        let due = *self.0.get_or_insert(now);
        if due > now {
            return false;
        }
        self.0 = Some(if now.saturating_sub(due) > SLEPT { now } else { due } + BLOCK_TIME);
        true
    }

    /// Suspends the timer because a device keeps the time; it resumes if the device stalls for half a second.
    pub(super) fn stop(&mut self, now: Duration) {
        self.0 = Some(now + STARTING);
    }
}

/// Detects stale blocks of a newly opened microphone. Some devices deliver buffered old sound at once, which would
/// delay everything after it at the other side.
#[derive(Debug, Default)]
pub(super) struct Opening {
    at: Duration,
    blocks: u32,
}

impl Opening {
    pub(super) fn at(at: Duration) -> Self {
        Self { at, blocks: 0 }
    }

    /// Whether a block is in excess of the time since opening; checked in the first second.
    pub(super) fn is_stale(&mut self, now: Duration) -> bool {
        let open = now.saturating_sub(self.at);
        if open > Duration::from_secs(1) {
            return false;
        }
        let stale = BLOCK_TIME * self.blocks > open + BLOCK_TIME;
        self.blocks += u32::from(!stale);
        stale
    }
}

/// Compares the blocks sent with the time passed. Lost microphone sound (a gap on a busy machine) would make the
/// sender's timestamps fall behind, a little more each time; the other side would take that for a slower network and
/// increase its delay.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// The duration of the blocks sent, in microseconds, as for all fields.
    sent: i64,
    /// The smallest lag seen so far.
    usually: Option<i64>,
    /// The smallest lag in the last half second.
    lately: Option<i64>,
    since: Duration,
}

impl Timeline {
    /// Counts a block that is sent.
    pub(super) fn count(&mut self) {
        self.sent += micros(BLOCK_TIME);
    }

    /// The number of frames that were lost for good.
    pub(super) fn missing(&mut self, now: Duration) -> u32 {
        let behind = micros(now) - self.sent;
        let lately = self.lately.map_or(behind, |lately| lately.min(behind));
        self.lately = Some(lately);
        if now.saturating_sub(self.since) < CATCHING_UP {
            return 0;
        }
        (self.lately, self.since) = (None, now);
        let usually = self.usually.unwrap_or(lately).min(lately);
        let lost = (lately - usually) / micros(FRAME_TIME);
        self.sent += lost * micros(FRAME_TIME);
        // The smallest lag follows a slow clock.
        self.usually = Some(usually + (lately - usually - lost * micros(FRAME_TIME)).min(DRIFT));
        u32::try_from(lost).unwrap_or(u32::MAX)
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn metronome_beats_every_ten_milliseconds_and_makes_up_for_no_sleep() {
        let mut clock = Metronome::default();
        let mut due = |at| std::iter::from_fn(|| clock.is_due(ms(at)).then_some(())).count();
        assert_eq!((due(0), due(5), due(30), due(31)), (1, 0, 3, 0));
        assert_eq!(due(3_600_000), 1);
    }

    #[test]
    fn metronome_takes_over_from_a_device_that_stands_still() {
        let mut clock = Metronome::default();
        clock.stop(ms(1_000));
        assert!(!clock.is_due(ms(1_499)));
        assert!(clock.is_due(ms(1_500)) && !clock.is_due(ms(1_505)) && clock.is_due(ms(1_510)));
    }

    #[test]
    fn microphone_begins_with_what_is_heard_now() {
        let mut opening = Opening::at(ms(5_000));
        let mut kept = |at: u64, blocks: u32| (0..blocks).filter(|_| !opening.is_stale(ms(5_000 + at))).count();
        assert_eq!((kept(5, 30), kept(10, 1), kept(50, 10)), (2, 1, 4));
        assert_eq!(kept(1_500, 30), 30, "later it is a machine that was busy");
    }

    /// The number of frames found missing if `due` gives the number of blocks at each 10 ms.
    fn missing(beats: u64, due: impl Fn(u64) -> u32) -> u32 {
        let mut timeline = Timeline::default();
        let mut sum = 0;
        for beat in 0..beats {
            for _ in 0..due(beat) {
                timeline.count();
            }
            sum += timeline.missing(ms(beat * 10));
        }
        sum
    }

    #[test]
    fn sound_that_was_lost_is_made_up_for_and_sound_that_is_late_is_not() {
        assert_eq!(missing(1_000, |_| 1), 0);
        // Two at a time.
        assert_eq!(missing(1_000, |beat| if beat % 2 == 0 { 2 } else { 0 }), 0);
        // 300 ms late, then all at once.
        assert_eq!(
            missing(1_000, |beat| match beat {
                300..330 => 0,
                330 => 31,
                _ => 1,
            }),
            0
        );
        // 100 ms lost, repeatedly.
        assert_eq!(missing(1_000, |beat| u32::from(!(300..310).contains(&beat))), 5);
        let lost = missing(1_000, |beat| u32::from(beat % 100 >= 5 || beat <= 50));
        assert!((9 * 5 / 2 - 2..=9 * 5 / 2).contains(&lost), "{lost} of 22");
        // A slow clock: 1 of 1000.
        assert_eq!(missing(9_000, |beat| u32::from(beat % 1_000 != 0)), 0);
    }
}
