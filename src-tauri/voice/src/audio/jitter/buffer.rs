//! The packet queue, and the choice of the next step in playback.
//!
//! The control variable is the delay: the time from the fastest packet's arrival (see `depth`) to playback of a sample.
//! It doesn't depend on the fill level of the buffer, so lost packets and the sender's silence don't look like changes
//! of it.

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

/// The amount of concealment in one step.
const BLOCK: Ticks = 10 * MS;
/// The duration of the redundancy in a packet.
const FRAME: Ticks = 20 * MS;
/// The tolerances for a delay that is too short, and too long.
const SHORT: Ticks = 5 * MS;
const LONG: Ticks = 15 * MS;
/// The error from which the delay is corrected even audibly.
const URGENT: Ticks = 60 * MS;
/// The excess from which stale packets are skipped at once.
const STALE: Ticks = 160 * MS;
/// The maximum by which a packet may be earlier than the base. Beyond it the sender's clock has jumped.
const JUMP: Ticks = 1_000 * MS;
/// The duration and number of packets with another clock after which the buffer adopts that clock.
const CONVINCED: Ticks = 300 * MS;
const ENOUGH: u32 = 10;
/// The maximum number of packets held: 2.5 s.
const HELD: usize = 128;
/// The number of recent sequence numbers that are tracked.
const SEEN: i64 = 128;
/// The smoothing divisor of the delay: over about 0.3 s.
const SMOOTHING: Ticks = 16;
/// The number of losses in the last 128 packets from which the target grows by a frame, so that the redundancy in the
/// next packet is in time.
const LOSSY: u32 = 3;

/// The next step of playback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Plays this packet.
    Play(Bytes),
    /// Recovers a lost frame of this duration from the redundancy in the packet after it (which comes as the next
    /// step).
    Recover(Bytes, Ticks),
    /// Conceals this duration: packets are lost or late, or the sender is silent.
    Conceal(Ticks),
    /// Plays silence of this duration: no sound has come yet.
    Wait(Ticks),
}

/// The needed change of the playback speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// None.
    Keep,
    /// Shorten the sound.
    Shorten {
        /// Whether to do so even audibly.
        urgent: bool,
    },
    /// Lengthen the sound.
    Lengthen {
        /// Whether to do so even audibly.
        urgent: bool,
    },
}

/// Packet counters, from the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All packets that arrived.
    pub received: u64,
    /// Packets that had arrived before.
    pub duplicates: u64,
    /// Packets that arrived too late to be played.
    pub late: u64,
    /// Packets that haven't arrived.
    pub lost: u64,
    /// Packets that aren't Opus, or have an implausible timestamp.
    pub refused: u64,
    /// Packets that were played.
    pub played: u64,
    /// Packets that were skipped to reduce the delay.
    pub dropped: u64,
    /// Lost packets that were recovered from the redundancy in the next one.
    pub recovered: u64,
    /// Concealment of lost and late packets, in milliseconds.
    pub concealed_ms: u64,
}

/// A jitter buffer; see the module.
#[derive(Debug, Default)]
pub struct JitterBuffer {
    held: BTreeMap<Ticks, Held>,
    sequences: Unwrapped,
    timestamps: Unwrapped,
    seen: Seen,
    depth: Depth,
    playing: Option<Playing>,
    /// The time of the first, and the number of packets with implausible timestamps in a row.
    strange: Option<(Ticks, u32)>,
    /// The time until which packets may be a backlog after an outage.
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
    /// The timestamp of the next sample.
    next: Ticks,
    /// The end of the last played packet, and its sequence number.
    through: Ticks,
    sequence: i64,
    /// The concealment since then.
    made_up: Ticks,
    /// The smoothed delay.
    delay: Ticks,
}

impl JitterBuffer {
    /// Adds a packet that arrived at `now`.
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
            // The packet's concealment was played, but the packet can still follow it; all later sound is delayed by
            // that.
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

    /// The next step of playback, if all earlier sound will have been played at `at`.
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
            // The sender was silent, so the next packet is played at the target delay, independent of the delay before.
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
            // No packet is missing, but this one came late.
            self.counts.concealed_ms += (playing.made_up / MS).unsigned_abs();
        }
        self.counts.played += 1;
        let end = timestamp + first.duration;
        *playing = Playing { next: end, through: end, sequence: first.sequence, made_up: 0, delay: playing.delay };
        Step::Play(first.payload)
    }

    /// Skips packets from before `wanted`, if there are later ones.
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
            // Packets before it were skipped, not lost.
            (playing.next, playing.sequence) = (*timestamp, first.sequence - 1);
        }
    }

    /// The change of playback speed that brings the delay to its target.
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

    /// Reports by how much the played sound was lengthened, or shortened (negative).
    pub fn stretched(&mut self, by: Ticks) {
        if let Some(playing) = &mut self.playing {
            playing.delay += by;
        }
    }

    /// The present delay after the fastest packet's arrival; zero before the first packet.
    pub fn delay(&self) -> Ticks {
        self.playing.as_ref().map_or(0, |playing| playing.delay)
    }

    /// The target delay.
    pub fn target(&self) -> Ticks {
        self.depth.target(if self.seen.missing() >= LOSSY { FRAME } else { 0 })
    }

    /// The packet counters.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether a packet's transit time is implausible: too late (true) or too early (false).
    fn is_strange(&self, transit: Ticks) -> Option<bool> {
        let off = transit - self.depth.base()?;
        if off > MOST { Some(true) } else { (off < -JUMP).then_some(false) }
    }

    /// Whether a packet is part of a backlog after an outage. Playing it would delay all later sound, and its transit
    /// time isn't jitter.
    fn is_backlog(&mut self, now: Ticks, transit: Ticks) -> bool {
        let in_time = self.depth.base().is_none_or(|base| transit - base <= self.target());
        self.backlog.take_if(|until| in_time || now >= *until);
        self.backlog.is_some()
    }

    fn count_late(&mut self, sequence: i64) {
        self.counts.late += 1;
        if self.playing.as_ref().is_some_and(|playing| sequence <= playing.sequence) {
            // It was counted as lost when its successor was played.
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

/// A bitmap of the packets that have arrived recently.
#[derive(Debug, Default)]
struct Seen {
    /// The bitmap; bit 0 is `newest`.
    bits: u128,
    newest: Option<i64>,
    /// The number of valid bits.
    known: u32,
}

impl Seen {
    fn has(&self, sequence: i64) -> bool {
        let age = self.newest.map_or(-1, |newest| newest - sequence);
        // Older packets are late, whether they are duplicates or not.
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

    /// The number of missing packets between two that have arrived.
    fn missing_between(&self, before: i64, after: i64) -> u64 {
        let oldest = self.newest.unwrap_or(after) - SEEN + 1;
        let forgotten = (oldest.min(after) - before - 1).max(0).unsigned_abs();
        let known = ((before + 1).max(oldest)..after).filter(|sequence| !self.has(*sequence)).count();
        forgotten + u64::try_from(known).unwrap_or(0)
    }

    /// The number of missing packets in the bitmap. The newest eight are excluded, as they may still arrive.
    fn missing(&self) -> u32 {
        let known = self.known.saturating_sub(8);
        known - ((self.bits >> 8) & u128::MAX.checked_shr(128 - known).unwrap_or(0)).count_ones().min(known)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
