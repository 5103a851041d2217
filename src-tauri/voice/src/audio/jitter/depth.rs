//! The target delay of the jitter buffer: as small as possible while nearly all packets are in time.
//!
//! A packet's transit time is its arrival time minus its timestamp, on two unsynchronised clocks, so only differences
//! are meaningful. The smallest of the last 10 s is the base; the excess of the others is the jitter. Clocks that
//! differ by 200 ppm move the base by 2 ms in these 10 s, so it follows their drift.

use std::collections::VecDeque;

use super::{MS, Ticks};

/// The longer window: 10 s, which are at most 500 packets. The time limit matters for a silent or muted sender with one
/// packet in 400 ms: 500 of those would be the last 200 s, in which two clocks drift apart by a frame and more.
const LONG: Span = Span { time: 10_000 * MS, packets: 500 };
/// The shorter window, in which an increase of jitter is noticed soon.
const SHORT: Span = Span { time: 2_000 * MS, packets: 100 };
/// The minimum number of packets for an estimate.
const FEW: usize = 25;
/// The target before that: enough for a decent Wi-Fi.
const AT_FIRST: Ticks = 40 * MS;
/// The margin for playback, which runs in blocks of 10 ms on a thread that may be a little late.
const MARGIN: Ticks = 10 * MS;
/// The minimum target: one frame.
const LEAST: Ticks = 20 * MS;
/// The maximum target, beyond which two people begin to talk at the same time; packets with more delay are lost.
pub(super) const MOST: Ticks = 200 * MS;

/// A window of recent packets: a duration, and a number of packets.
struct Span {
    time: Ticks,
    packets: usize,
}

/// The estimate of the jitter.
#[derive(Debug, Default)]
pub(super) struct Depth {
    /// The arrival and transit times of packets, the newest last.
    transits: VecDeque<(Ticks, Ticks)>,
    sorted: Vec<Ticks>,
    base: Option<Ticks>,
    needed: Ticks,
    /// The number of packets so far, up to `FEW`.
    known: usize,
}

impl Depth {
    /// Records the transit time of a packet that arrived at `now`. Not for packets that are too late for any target.
    pub(super) fn heard(&mut self, transit: Ticks, now: Ticks) {
        let is_old = |&(at, _): &(Ticks, Ticks)| now - at > LONG.time;
        while self.transits.len() >= LONG.packets || self.transits.front().is_some_and(is_old) {
            self.transits.pop_front();
        }
        self.known = (self.known + 1).min(FEW);
        self.transits.push_back((now, transit));
        let base = self.transits.iter().map(|(_, transit)| *transit).min().unwrap_or(transit);
        self.base = Some(base);
        // Excludes 3 of the last 100, and 5 of the last 500.
        self.needed = self.all_but(&SHORT, now, 3).max(self.all_but(&LONG, now, 5)) - base;
    }

    /// The smallest transit time.
    pub(super) fn base(&self) -> Option<Ticks> {
        self.base
    }

    /// The target delay after the base: 20 to 200 ms.
    pub(super) fn target(&self, frames_more: Ticks) -> Ticks {
        let needed = if self.known < FEW { self.needed.max(AT_FIRST - MARGIN) } else { self.needed };
        (needed + MARGIN + frames_more).clamp(LEAST, MOST)
    }

    /// The greatest transit time in a window, excluding the `ignored` greatest, or the same share of fewer packets.
    fn all_but(&mut self, last: &Span, now: Ticks, ignored: usize) -> Ticks {
        self.sorted.clear();
        let recent = self.transits.iter().rev().take(last.packets).take_while(|(at, _)| now - at <= last.time);
        self.sorted.extend(recent.map(|(_, transit)| *transit));
        let ignored = ignored * self.sorted.len() / last.packets;
        let at = self.sorted.len().saturating_sub(1 + ignored);
        if self.sorted.is_empty() { 0 } else { *self.sorted.select_nth_unstable(at).1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(jitters: impl Iterator<Item = Ticks>) -> Depth {
        every(20, jitters)
    }

    /// The same, with one packet in `ms` milliseconds.
    fn every(ms: Ticks, jitters: impl Iterator<Item = Ticks>) -> Depth {
        let mut depth = Depth::default();
        for (number, jitter) in (0..).zip(jitters) {
            depth.heard(-77_000 + jitter * MS, number * ms * MS);
        }
        depth
    }

    #[test]
    fn steady_packets_need_one_frame_and_irregular_ones_their_jitter() {
        assert_eq!(after((0..100).map(|_| 0)).target(0), 20 * MS);
        let depth = after((0..1_000).map(|n| n * 37 % 61)).target(0);
        assert!((66 * MS..=70 * MS).contains(&depth), "{} ms", depth / MS);
        assert_eq!(after((0..100).map(|n| n * 37 % 400)).target(0), MOST);
    }

    #[test]
    fn single_stragglers_are_not_waited_for() {
        let depth = after((0..1_000).map(|n| if n % 200 == 199 { 150 } else { n % 5 }));
        assert!(depth.target(0) <= 20 * MS, "{} ms", depth.target(0) / MS);
    }

    #[test]
    fn worse_is_noticed_within_a_fifth_of_a_second_and_forgotten_after_ten() {
        let steady = (0..600).map(|_| 0);
        let worse = after(steady.chain((0..10).map(|n| n * 8)));
        assert!(worse.target(0) >= 50 * MS, "{} ms", worse.target(0) / MS);
        let better = after((0..100).map(|n| n % 80).chain((0..520).map(|_| 0)));
        assert_eq!(better.target(0), 20 * MS);
    }

    #[test]
    fn base_follows_a_clock_that_drifts() {
        // 200 ppm, for 10 minutes: 120 ms.
        let depth = after((0..30_000).map(|n| n * 20 * 200 / 1_000_000));
        assert!((20 * MS..=22 * MS).contains(&depth.target(0)), "{} ms", depth.target(0) / MS);
    }

    #[test]
    fn base_follows_a_clock_that_drifts_also_while_the_sender_is_silent() {
        // One packet in 400 ms at 200 ppm: after 20 min the clocks are 240 ms apart.
        let depth = every(400, (0..3_000).map(|n| n * 400 * 200 / 1_000_000));
        assert!((20 * MS..=22 * MS).contains(&depth.target(0)), "{} ms", depth.target(0) / MS);
        // Jitter from before the silence is dropped after ten seconds, as in speech.
        let mut depth = after((0..500).map(|n| n % 80));
        assert!(depth.target(0) > 80 * MS);
        for silent in 0..26 {
            depth.heard(-77_000, (10_000 + silent * 400) * MS);
        }
        assert_eq!(depth.target(0), 20 * MS);
    }

    #[test]
    fn first_packet_after_a_long_pause_is_the_measure_and_not_what_was_before_it() {
        let mut depth = after((0..500).map(|_| 0));
        depth.heard(-77_000 + 30 * MS, 60_000 * MS);
        assert_eq!((depth.base(), depth.target(0)), (Some(-77_000 + 30 * MS), 20 * MS));
    }

    #[test]
    fn little_known_is_forty_milliseconds() {
        assert_eq!(Depth::default().target(0), AT_FIRST);
        assert_eq!(after((0..3).map(|_| 0)).target(0), AT_FIRST);
    }
}
