//! The quality of a call as perceived by both people, from the recent losses on either side and the delay.

use std::collections::VecDeque;

use crate::audio::Counts;
use crate::session::negotiation::MediaPath;
use crate::session::{Reported, Stats};

/// The quality of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Not known yet, or not connected.
    Unknown,
    /// Nothing is missing on either side.
    Good,
    /// Some sound is concealed.
    Fair,
    /// Words are lost.
    Poor,
}

/// The number of checks in the window: five seconds at one every half second.
const LOOKS: usize = 10;

/// The maximum loss for good and for fair quality, in percent. Opus conceals 3 % imperceptibly; at 10 %, with
/// redundancy, words are still intelligible (ITU-T G.113, appendix I).
const GOOD_PERCENT: u64 = 3;
const FAIR_PERCENT: u64 = 10;

/// The maximum round-trip times for good and for fair quality, in milliseconds (ITU-T G.114: 150 ms one way is good,
/// 400 ms the limit).
const GOOD_RTT_MS: f32 = 300.0;
const FAIR_RTT_MS: f32 = 800.0;

/// Computes the quality over the last checks.
#[derive(Debug, Default)]
pub(super) struct Scorer {
    /// The numbers of received and missed packets at each check.
    here: VecDeque<(u64, u64)>,
    there: Remote,
}

impl Scorer {
    /// The quality at a check; `counts` are cumulative.
    pub fn quality(&mut self, way: MediaPath, stats: &Stats, counts: &Counts) -> Quality {
        let (came, missed) = self.look(counts);
        let (expected_there, missed_there) = self.there.look(way, stats.reported);
        if way == MediaPath::Nowhere || came + missed == 0 {
            return Quality::Unknown;
        }
        // Losses at the other side count too, because a speaker can't notice them otherwise.
        let by_loss = worse(by_loss(missed, came + missed), by_loss(missed_there, expected_there));
        let by_delay = stats.rtt_ms.map_or(Quality::Good, |rtt| grade(rtt <= GOOD_RTT_MS, rtt <= FAIR_RTT_MS));
        worse(by_loss, by_delay)
    }

    /// The recent numbers of received and missed packets.
    fn look(&mut self, counts: &Counts) -> (u64, u64) {
        remember(&mut self.here, (counts.received, counts.lost + counts.late));
        let Some((first, now)) = self.here.front().zip(self.here.back()) else { return (0, 0) };
        (now.0.saturating_sub(first.0), now.1.saturating_sub(first.1))
    }
}

/// The losses at the other side, by its reports.
#[derive(Debug, Default)]
struct Remote {
    looks: VecDeque<Reported>,
    /// The last report from before UDP was used again; the next report counts packets that went otherwise as lost.
    outdated: Option<Reported>,
}

impl Remote {
    /// The recent numbers of expected and missed packets at the other side.
    fn look(&mut self, way: MediaPath, reported: Option<Reported>) -> (u64, u64) {
        if way != MediaPath::Udp {
            self.looks.clear();
            self.outdated = reported;
        } else if let Some(reported) = reported.filter(|_| reported != self.outdated) {
            self.outdated = None;
            remember(&mut self.looks, reported);
        }
        let Some((first, now)) = self.looks.front().zip(self.looks.back()) else { return (0, 0) };
        let missed = u64::try_from(now.missed.saturating_sub(first.missed)).unwrap_or(0);
        (u64::from(now.expected.wrapping_sub(first.expected)).max(missed), missed)
    }
}

fn remember<T>(looks: &mut VecDeque<T>, look: T) {
    looks.push_back(look);
    if looks.len() > LOOKS {
        looks.pop_front();
    }
}

fn by_loss(missed: u64, expected: u64) -> Quality {
    let percent = 100 * missed / expected.max(1);
    grade(percent <= GOOD_PERCENT, percent <= FAIR_PERCENT)
}

fn grade(is_good: bool, is_fair: bool) -> Quality {
    match (is_good, is_fair) {
        (true, _) => Quality::Good,
        (false, true) => Quality::Fair,
        (false, false) => Quality::Poor,
    }
}

fn worse(a: Quality, b: Quality) -> Quality {
    let rank = |quality| match quality {
        Quality::Unknown => 0,
        Quality::Good => 1,
        Quality::Fair => 2,
        Quality::Poor => 3,
    };
    if rank(a) >= rank(b) { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(received: u64, lost: u64) -> Counts {
        Counts { received, lost, ..Counts::default() }
    }

    fn after(steps: &[(u64, u64)], stats: &Stats) -> Quality {
        let mut judge = Scorer::default();
        let quality = |&(received, lost): &(u64, u64)| judge.quality(MediaPath::Udp, stats, &counts(received, lost));
        steps.iter().map(quality).last().unwrap()
    }

    #[test]
    fn what_is_lost_lately_counts_and_what_was_long_ago_does_not() {
        let stats = Stats::default();
        assert_eq!(after(&[(0, 0)], &stats), Quality::Unknown);
        assert_eq!(after(&[(0, 0), (100, 1)], &stats), Quality::Good);
        assert_eq!(after(&[(0, 0), (100, 8)], &stats), Quality::Fair);
        assert_eq!(after(&[(0, 0), (100, 25)], &stats), Quality::Poor);
        let recovered: Vec<(u64, u64)> =
            [(0, 0), (100, 25)].into_iter().chain((2..20).map(|n| (100 * n, 25))).collect();
        assert_eq!(after(&recovered, &stats), Quality::Good);
    }

    #[test]
    fn a_long_way_is_not_good_however_whole_it_is() {
        let stats = |rtt| Stats { rtt_ms: Some(rtt), ..Stats::default() };
        assert_eq!(after(&[(0, 0), (100, 0)], &stats(250.0)), Quality::Good);
        assert_eq!(after(&[(0, 0), (100, 0)], &stats(500.0)), Quality::Fair);
        assert_eq!(after(&[(0, 0), (100, 0)], &stats(900.0)), Quality::Poor);
    }

    /// The qualities if nothing is lost here, with the other side's report at each check.
    fn reported(looks: &[(MediaPath, Reported)]) -> Vec<Quality> {
        let mut judge = Scorer::default();
        let look = |(number, &(way, reported)): (u64, &(MediaPath, Reported))| {
            judge.quality(way, &Stats { reported: Some(reported), ..Stats::default() }, &counts(25 * number, 0))
        };
        (0..).zip(looks).map(look).collect()
    }

    fn report(expected: u32, missed: i32) -> Reported {
        Reported { expected, missed }
    }

    #[test]
    fn what_only_the_other_side_misses_is_no_better() {
        let looks = |missed: i32| {
            let reports = (0..8_u32).map(|second| report(65_500 + 50 * second, missed * second.cast_signed()));
            let looks: Vec<_> = reports.flat_map(|report| [(MediaPath::Udp, report); 2]).collect();
            reported(&looks)
        };
        assert_eq!(looks(0)[1..], [Quality::Good; 15]);
        assert_eq!(looks(1)[15], Quality::Good);
        assert_eq!(looks(4)[15], Quality::Fair);
        assert_eq!((looks(10)[1], looks(10)[2], looks(10)[15]), (Quality::Good, Quality::Poor, Quality::Poor));
        // More packets arrived than were sent.
        assert_eq!(looks(-3)[15], Quality::Good);
    }

    #[test]
    fn what_went_over_the_socket_is_not_missed_by_the_other_side() {
        let before = [(MediaPath::Udp, report(100, 0)), (MediaPath::Udp, report(150, 0))];
        let over_the_socket = [(MediaPath::Socket, report(150, 0)); 20];
        // The first report after it counts the thousand packets as missed that didn't come by UDP.
        let after = [
            (MediaPath::Udp, report(150, 0)),
            (MediaPath::Udp, report(1_200, 1_000)),
            (MediaPath::Udp, report(1_250, 1_000)),
        ];
        let looks: Vec<_> = before.into_iter().chain(over_the_socket).chain(after).collect();
        assert_eq!(reported(&looks)[1..], [Quality::Good; 24]);
    }

    #[test]
    fn nothing_is_said_of_what_is_not_connected() {
        assert_eq!(Scorer::default().quality(MediaPath::Nowhere, &Stats::default(), &counts(100, 0)), Quality::Unknown);
    }
}
