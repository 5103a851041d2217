//! How good a call is, as a person hears it: by what had to be made up lately, and by how late it comes.

use crate::audio::Counts;
use crate::session::Stats;
use crate::session::negotiation::Way;

/// How good a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Nothing can be said yet, or nothing is connected.
    Unknown,
    /// Nothing is missing.
    Good,
    /// Some of it is mended.
    Fair,
    /// Words are lost.
    Poor,
}

/// Looks that are judged together: five seconds of one every half second.
const LOOKS: usize = 10;

/// What may be lost of what came, in percent, for a call to be good, and fair. Opus mends 3 % so that nobody notices; at
/// 10 % with its redundancy words are still understood (ITU-T G.113, appendix I).
const GOOD_PERCENT: u64 = 3;
const FAIR_PERCENT: u64 = 10;

/// Round trips in milliseconds that a talk stands without, and that it stands at all (ITU-T G.114: 150 ms one way is good,
/// 400 ms the most).
const GOOD_RTT_MS: f32 = 300.0;
const FAIR_RTT_MS: f32 = 800.0;

/// Remembers the last looks.
#[derive(Debug, Default)]
pub(super) struct Judge {
    looks: std::collections::VecDeque<(u64, u64)>,
}

impl Judge {
    /// How good it is at a look, `counts` being from the call's beginning.
    pub fn quality(&mut self, way: Way, stats: &Stats, counts: &Counts) -> Quality {
        self.looks.push_back((counts.received, counts.lost + counts.late));
        if self.looks.len() > LOOKS {
            self.looks.pop_front();
        }
        let Some((first, now)) = self.looks.front().zip(self.looks.back()) else { return Quality::Unknown };
        let (received, missed) = (now.0.saturating_sub(first.0), now.1.saturating_sub(first.1));
        if way == Way::Nowhere || received + missed == 0 {
            return Quality::Unknown;
        }
        let percent = 100 * missed / (received + missed);
        let by_loss = grade(percent <= GOOD_PERCENT, percent <= FAIR_PERCENT);
        let by_delay = stats.rtt_ms.map_or(Quality::Good, |rtt| grade(rtt <= GOOD_RTT_MS, rtt <= FAIR_RTT_MS));
        worse(by_loss, by_delay)
    }
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
        let mut judge = Judge::default();
        let quality = |&(received, lost): &(u64, u64)| judge.quality(Way::Udp, stats, &counts(received, lost));
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

    #[test]
    fn nothing_is_said_of_what_is_not_connected() {
        assert_eq!(Judge::default().quality(Way::Nowhere, &Stats::default(), &counts(100, 0)), Quality::Unknown);
    }
}
