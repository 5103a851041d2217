//! What is kept, and what comes next.
//!
//! The one measure is the delay: how long after the fastest packet's moment (see `depth`) a sample is played. It doesn't
//! depend on what happens to be in the buffer, so a lost packet or the sender's silence doesn't look like a change of it.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    MS, Ticks,
    depth::{Depth, MOST},
    numbers::Unwrapped,
};
use crate::{
    Packet,
    audio::codec::{duration, has_redundancy},
};

/// What is asked for at once where there is no packet.
const BLOCK: Ticks = 10 * MS;
/// The redundancy in a packet is of so much.
const FRAME: Ticks = 20 * MS;
/// A delay that is wrong by less is left alone: too short, and too long.
const SHORT: Ticks = 5 * MS;
const LONG: Ticks = 15 * MS;
/// From here on it is changed though that may be heard.
const URGENT: Ticks = 60 * MS;
/// From here on what is stale is left out at once.
const STALE: Ticks = 160 * MS;
/// A packet that comes sooner than the base by more is from another time: the sender's clock has jumped.
const JUMP: Ticks = 1_000 * MS;
/// When nothing but packets from another time came for so long, theirs is the time.
const CONVINCED: Ticks = 300 * MS;
const ENOUGH: u32 = 10;
/// No sender has more on its way: 2.5 s.
const HELD: usize = 128;
/// Of the last so many packets it is known which came.
const SEEN: i64 = 128;
/// By which part a new delay counts: over about 0.3 s.
const SMOOTHING: Ticks = 16;
/// So many of the last 128 lost, and one frame more is waited for: the redundancy is in the next packet.
const LOSSY: u32 = 3;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This packet.
    Play(Bytes),
    /// So much that was lost, from the redundancy in the packet that follows it (which comes as the next step).
    Recover(Bytes, Ticks),
    /// So much that isn't there: lost, or late, or the sender is silent.
    Conceal(Ticks),
    /// No sound yet: so much silence.
    Wait(Ticks),
}

/// How what is played ought to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Not at all.
    Keep,
    /// Take some of it out.
    Shorten {
        /// Even where it is heard.
        urgent: bool,
    },
    /// Put some more into it.
    Lengthen {
        /// As above.
        urgent: bool,
    },
}

/// What has become of the packets, from the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that came, of every kind.
    pub received: u64,
    /// That had come before.
    pub duplicates: u64,
    /// That came when it was too late to play them.
    pub late: u64,
    /// That have not come.
    pub lost: u64,
    /// That were no Opus, or from another time.
    pub refused: u64,
    /// That were played.
    pub played: u64,
    /// That were left out to catch up.
    pub dropped: u64,
    /// Lost ones that were played by the redundancy in the next.
    pub recovered: u64,
    /// What was made up for lost and late ones, in milliseconds.
    pub concealed_ms: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct JitterBuffer {
    held: BTreeMap<Ticks, Held>,
    sequences: Unwrapped,
    timestamps: Unwrapped,
    seen: Seen,
    depth: Depth,
    playing: Option<Playing>,
    /// Since when, and how many, packets from another time came.
    strange: Option<(Ticks, u32)>,
    /// Until when packets may come that an outage has held back.
    backlog: Option<Ticks>,
    counts: Counts,
}

#[derive(Debug)]
struct Held {
    sequence: i64,
    payload: Bytes,
    duration: Ticks,
}

#[derive(Debug)]
struct Playing {
    /// The sample that comes next.
    next: Ticks,
    /// The end of the last packet that was played, and its number.
    through: Ticks,
    sequence: i64,
    /// What was made up since.
    made_up: Ticks,
    /// The smoothed delay.
    delay: Ticks,
}

impl JitterBuffer {
    /// Takes a packet that has come at `now`.
    pub fn put(&mut self, packet: &Packet, now: Ticks) {
        self.counts.received += 1;
        let Some(duration) = duration(&packet.payload) else {
            self.counts.refused += 1;
            return;
        };
        let mut timestamp = self.timestamps.timestamp(packet.timestamp);
        let mut sequence = self.sequences.sequence(packet.sequence);
        if self.seen.has(sequence) && self.is_strange(now - timestamp) != Some(false) {
            self.counts.duplicates += 1;
            return;
        }
        if let Some(too_late) = self.is_strange(now - timestamp) {
            let (since, count) = self.strange.map_or((now, 1), |(since, count)| (since, count + 1));
            self.strange = Some((since, count));
            if now - since < CONVINCED || count < ENOUGH {
                if too_late {
                    self.backlog = Some(now + CONVINCED);
                    self.seen.insert(sequence);
                    self.count_late(sequence);
                } else {
                    self.counts.refused += 1;
                }
                return;
            }
            *self = Self { counts: self.counts, ..Self::default() };
            (timestamp, sequence) = (i64::from(packet.timestamp), i64::from(packet.sequence));
        }
        self.strange = None;
        self.seen.insert(sequence);
        self.sequences.advance(sequence);
        self.timestamps.advance(timestamp);
        if self.is_backlog(now, now - timestamp) {
            self.count_late(sequence);
            return;
        }
        self.depth.heard(now - timestamp, now);
        if let Some(playing) = &mut self.playing {
            if timestamp < playing.through {
                self.count_late(sequence);
                return;
            }
            // What was made up instead of it has been heard; it itself not yet. From here on all is later by so much.
            if timestamp < playing.next {
                playing.delay += playing.next - timestamp;
                playing.next = timestamp;
            }
        }
        self.held.insert(timestamp, Held { sequence, payload: packet.payload.clone(), duration });
        if self.held.len() > HELD {
            self.counts.dropped += u64::from(self.held.pop_first().is_some());
        }
    }

    /// What comes next, when the last of what came before will have been played at `at`.
    pub fn next(&mut self, at: Ticks) -> Step {
        let (Some(base), target) = (self.depth.base(), self.target()) else { return Step::Wait(BLOCK) };
        let Some(mut playing) = self.playing.take().or_else(|| {
            let (timestamp, first) = self.held.first_key_value()?;
            (at - base - timestamp >= target).then(|| Playing::begin(*timestamp, first.sequence, target))
        }) else {
            return Step::Wait(BLOCK);
        };
        let delay = at - base - playing.next;
        playing.delay += (delay - playing.delay) / SMOOTHING;
        if delay > target + STALE {
            self.leave_out(&mut playing, at - base - target);
        }
        let step = self.step(&mut playing, at - base, target);
        self.playing = Some(playing);
        step
    }

    fn step(&mut self, playing: &mut Playing, at: Ticks, target: Ticks) -> Step {
        let Some((&timestamp, first)) = self.held.first_key_value() else { return playing.make_up(BLOCK) };
        let gap = timestamp - playing.next;
        if gap <= 0 {
            return self.play(playing);
        }
        let lost = first.sequence - playing.sequence - 1;
        if lost <= 0 {
            // The sender was silent. Its next word is said at the best moment, whatever the delay was before.
            if at - timestamp < target {
                return playing.make_up(BLOCK);
            }
            playing.delay = at - timestamp;
            return self.play(playing);
        }
        if gap == FRAME && has_redundancy(&first.payload) {
            playing.next = timestamp;
            self.counts.recovered += 1;
            return Step::Recover(first.payload.clone(), gap);
        }
        playing.make_up(gap.min(BLOCK))
    }

    fn play(&mut self, playing: &mut Playing) -> Step {
        let Some((timestamp, first)) = self.held.pop_first() else { return playing.make_up(BLOCK) };
        let lost = first.sequence - playing.sequence - 1;
        if lost > 0 {
            self.counts.lost += self.seen.missing_between(playing.sequence, first.sequence);
            self.counts.concealed_ms += (playing.made_up / MS).unsigned_abs();
        } else if timestamp <= playing.through {
            // Nothing is missing, but it came late.
            self.counts.concealed_ms += (playing.made_up / MS).unsigned_abs();
        }
        self.counts.played += 1;
        let end = timestamp + first.duration;
        *playing = Playing { next: end, through: end, sequence: first.sequence, made_up: 0, delay: playing.delay };
        Step::Play(first.payload)
    }

    /// Leaves out what was spoken before `wanted`, when there is something after it.
    fn leave_out(&mut self, playing: &mut Playing, wanted: Ticks) {
        while self.held.len() > 1 {
            let Some(first) = self.held.first_entry() else { break };
            if *first.key() + first.get().duration > wanted {
                break;
            }
            playing.sequence = first.get().sequence;
            playing.through = *first.key() + first.get().duration;
            first.remove();
            self.counts.dropped += 1;
        }
        if let Some((timestamp, first)) = self.held.first_key_value()
            && *timestamp > playing.next
        {
            playing.delay -= *timestamp - playing.next;
            // What lies before was left out, not lost.
            (playing.next, playing.sequence) = (*timestamp, first.sequence - 1);
        }
    }

    /// How what is played next ought to change, so that the delay becomes the right one.
    pub fn pace(&self) -> Pace {
        let Some(playing) = &self.playing else { return Pace::Keep };
        let over = playing.delay - self.target();
        if over > LONG {
            Pace::Shorten { urgent: over > URGENT }
        } else if over < -SHORT {
            Pace::Lengthen { urgent: over < -URGENT }
        } else {
            Pace::Keep
        }
    }

    /// Says by how much what was played has become longer, or shorter (negative).
    pub fn stretched(&mut self, by: Ticks) {
        if let Some(playing) = &mut self.playing {
            playing.delay += by;
        }
    }

    /// How long after the fastest packet's moment samples are played; zero before the first.
    pub fn delay(&self) -> Ticks {
        self.playing.as_ref().map_or(0, |playing| playing.delay)
    }

    /// What the delay ought to be.
    pub fn target(&self) -> Ticks {
        self.depth.target(if self.seen.missing() >= LOSSY { FRAME } else { 0 })
    }

    /// What has become of the packets.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether a packet's transit is from another time, and whether from too late (else from too soon).
    fn is_strange(&self, transit: Ticks) -> Option<bool> {
        let off = transit - self.depth.base()?;
        if off > MOST { Some(true) } else { (off < -JUMP).then_some(false) }
    }

    /// Whether a packet was held back by an outage. To play it would make all that follows late, and no jitter is learnt
    /// from it.
    fn is_backlog(&mut self, now: Ticks, transit: Ticks) -> bool {
        let in_time = self.depth.base().is_none_or(|base| transit - base <= self.target());
        self.backlog.take_if(|until| in_time || now >= *until);
        self.backlog.is_some()
    }

    fn count_late(&mut self, sequence: i64) {
        self.counts.late += 1;
        if self.playing.as_ref().is_some_and(|playing| sequence <= playing.sequence) {
            // It was counted when its successor was played.
            self.counts.lost = self.counts.lost.saturating_sub(1);
        }
    }
}

impl Playing {
    fn begin(timestamp: Ticks, sequence: i64, target: Ticks) -> Self {
        Self { next: timestamp, through: timestamp, sequence: sequence - 1, made_up: 0, delay: target }
    }

    fn make_up(&mut self, samples: Ticks) -> Step {
        self.next += samples;
        self.made_up += samples;
        Step::Conceal(samples)
    }
}

/// Which of the last packets came.
#[derive(Debug, Default)]
struct Seen {
    /// Bit 0 is `newest`.
    bits: u128,
    newest: Option<i64>,
    /// How many there may be in `bits`.
    known: u32,
}

impl Seen {
    fn has(&self, sequence: i64) -> bool {
        let age = self.newest.map_or(-1, |newest| newest - sequence);
        // What is older is late, whether it came before or not.
        (0..SEEN).contains(&age) && self.bits >> age & 1 == 1
    }

    fn insert(&mut self, sequence: i64) {
        let ahead = sequence - self.newest.unwrap_or(sequence - 1);
        if ahead > 0 {
            let shift = u32::try_from(ahead).unwrap_or(u32::MAX);
            self.bits = self.bits.checked_shl(shift).unwrap_or(0) | 1;
            self.known = self.known.saturating_add(shift).min(128);
            self.newest = Some(sequence);
        } else if -ahead < SEEN {
            self.bits |= 1 << -ahead;
        }
    }

    /// How many between two that have come didn't.
    fn missing_between(&self, before: i64, after: i64) -> u64 {
        let oldest = self.newest.unwrap_or(after) - SEEN + 1;
        let forgotten = (oldest.min(after) - before - 1).max(0).unsigned_abs();
        let known = ((before + 1).max(oldest)..after).filter(|sequence| !self.has(*sequence)).count();
        forgotten + u64::try_from(known).unwrap_or(0)
    }

    /// How many of the last ones didn't come. The newest eight may be on their way still.
    fn missing(&self) -> u32 {
        let known = self.known.saturating_sub(8);
        known - ((self.bits >> 8) & u128::MAX.checked_shr(128 - known).unwrap_or(0)).count_ones().min(known)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
