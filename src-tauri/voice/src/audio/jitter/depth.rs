//! How deep the buffer has to be: so that nearly all packets are there when they are due, and no deeper.
//!
//! A packet's transit is when it came less when it was spoken, on two clocks that know nothing of each other: only
//! differences mean anything. The fastest of the last 10 s is the base; what the others took longer is the jitter. Clocks
//! that differ by 200 ppm move the base by 2 ms in these 10 s: it follows their drift.

use std::collections::VecDeque;

use super::{MS, Ticks};

/// What is remembered: 10 s, which are at most 500 packets. A sender that is silent or muted sends one in 400 ms: 500 of those
/// would be the last 200 s, in which two clocks drift apart by a frame and more.
const LONG: Span = Span { time: 10_000 * MS, packets: 500 };
/// In which a change for the worse is noticed soon.
const SHORT: Span = Span { time: 2_000 * MS, packets: 100 };
/// Before so many have come, little is known.
const FEW: usize = 25;
/// Until then: as much as a decent Wi-Fi needs.
const AT_FIRST: Ticks = 40 * MS;
/// What is asked for is asked for in blocks of 10 ms, by a thread that may be a little late.
const MARGIN: Ticks = 10 * MS;
/// One frame.
const LEAST: Ticks = 20 * MS;
/// Deeper, and two people talk at the same time; what comes later yet is lost.
pub(super) const MOST: Ticks = 200 * MS;

/// The last part of a call: so long, and so many packets.
struct Span {
    time: Ticks,
    packets: usize,
}

/// How long the packets took.
#[derive(Debug, Default)]
pub(super) struct Depth {
    /// When a packet came, and what it took; the newest last.
    transits: VecDeque<(Ticks, Ticks)>,
    sorted: Vec<Ticks>,
    base: Option<Ticks>,
    needed: Ticks,
    /// How many have come, up to `FEW`.
    known: usize,
}

impl Depth {
    /// Remembers the transit of a packet that came at `now`. Not for one that has come so late that no depth would have kept
    /// it.
    pub(super) fn heard(&mut self, transit: Ticks, now: Ticks) {
        let is_old = |&(at, _): &(Ticks, Ticks)| now - at > LONG.time;
        while self.transits.len() >= LONG.packets || self.transits.front().is_some_and(is_old) {
            self.transits.pop_front();
        }
        self.known = (self.known + 1).min(FEW);
        self.transits.push_back((now, transit));
        let base = self.transits.iter().map(|(_, transit)| *transit).min().unwrap_or(transit);
        self.base = Some(base);
        // All but 3 of the last 100, and all but 5 of the last 500.
        self.needed = self.all_but(&SHORT, now, 3).max(self.all_but(&LONG, now, 5)) - base;
    }

    /// The fastest packet's transit.
    pub(super) fn base(&self) -> Option<Ticks> {
        self.base
    }

    /// How long after the base's moment a sample is best played: 20 to 200 ms.
    pub(super) fn target(&self, frames_more: Ticks) -> Ticks {
        let needed = if self.known < FEW { self.needed.max(AT_FIRST - MARGIN) } else { self.needed };
        (needed + MARGIN + frames_more).clamp(LEAST, MOST)
    }

    /// The greatest transit of the last part when the `ignored` greatest are left out, or the same part of fewer.
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

    /// The same with one packet in so many milliseconds.
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
        // One packet in 400 ms, and 200 ppm: after 20 min the clocks are 240 ms apart.
        let depth = every(400, (0..3_000).map(|n| n * 400 * 200 / 1_000_000));
        assert!((20 * MS..=22 * MS).contains(&depth.target(0)), "{} ms", depth.target(0) / MS);
        // What was slow before the silence is forgotten ten seconds into it, as it would be in speech.
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
