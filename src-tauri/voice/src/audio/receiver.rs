//! The receiving chain: jitter buffer, decoder and time stretching.

use std::collections::VecDeque;

use super::{
    BLOCK,
    codec::{CodecError, Decoder},
    jitter::{Counts, JitterBuffer, MS, Pace, Step, Ticks, lengthen, shorten},
};
use crate::Packet;

/// The receiver of the other side's packets. Time is an argument of every call, in [`Ticks`].
#[derive(Debug)]
pub struct Receiver {
    jitter: JitterBuffer,
    decoder: Decoder,
    /// Decoded samples that were not pulled yet.
    ready: VecDeque<f32>,
    scratch: Vec<f32>,
    shortened: Ticks,
    lengthened: Ticks,
}

/// Statistics of the reception.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reception {
    /// The packet counters.
    pub counts: Counts,
    /// The present delay after the fastest packet, in milliseconds.
    pub depth_ms: i64,
    /// The target delay, in milliseconds.
    pub target_ms: i64,
    /// The total duration removed by time stretching, in milliseconds.
    pub shortened_ms: i64,
    /// The total duration inserted by time stretching, in milliseconds.
    pub lengthened_ms: i64,
}

impl Receiver {
    /// Makes a receiver in its initial state.
    ///
    /// # Errors
    /// Returns an error if memory is exhausted.
    pub fn new() -> Result<Self, CodecError> {
        Ok(Self {
            jitter: JitterBuffer::default(),
            decoder: Decoder::new()?,
            ready: VecDeque::new(),
            scratch: Vec::new(),
            shortened: 0,
            lengthened: 0,
        })
    }

    /// Adds a packet that arrived at `now`.
    pub fn put(&mut self, packet: &Packet, now: Ticks) {
        self.jitter.put(packet, now);
    }

    /// Takes the next 10 ms, to be played from `now` on.
    pub fn pull(&mut self, block: &mut [f32; BLOCK], now: Ticks) {
        while self.ready.len() < BLOCK {
            let step = self.jitter.next(now + ticks(self.ready.len()));
            self.follow(step);
        }
        for (sample, ready) in block.iter_mut().zip(self.ready.drain(..BLOCK)) {
            *sample = ready;
        }
    }

    /// The statistics.
    pub fn reception(&self) -> Reception {
        Reception {
            counts: self.jitter.counts(),
            depth_ms: self.jitter.delay() / MS,
            target_ms: self.jitter.target() / MS,
            shortened_ms: self.shortened / MS,
            lengthened_ms: self.lengthened / MS,
        }
    }

    fn follow(&mut self, step: Step) {
        let (sound, length, voice) = match step {
            Step::Play(payload) => {
                let length = super::codec::duration(&payload).unwrap_or(0);
                (self.decoder.decode(&payload), length, true)
            }
            Step::Recover(next, length) => (self.decoder.recover(&next, samples(length)), length, false),
            Step::Conceal(length) => (self.decoder.conceal(samples(length)), length, false),
            Step::Wait(length) => (Ok(&[][..]), length, false),
        };
        self.scratch.clear();
        match sound {
            Ok(sound) => self.scratch.extend_from_slice(sound),
            // Only its first byte was valid Opus.
            Err(error) => tracing::debug!(%error, "a packet of a call can't be decoded"),
        }
        // The output has the packet's duration, however much was decoded.
        self.scratch.resize(samples(length).max(1), 0.0);
        if voice {
            let by = match self.jitter.pace() {
                Pace::Keep => 0,
                Pace::Shorten { urgent } => -shorten(&mut self.scratch, urgent),
                Pace::Lengthen { urgent } => lengthen(&mut self.scratch, urgent),
            };
            self.jitter.stretched(by);
            self.shortened += (-by).max(0);
            self.lengthened += by.max(0);
        }
        self.ready.extend(&self.scratch);
    }
}

fn samples(length: Ticks) -> usize {
    usize::try_from(length).unwrap_or(0)
}

fn ticks(length: usize) -> Ticks {
    Ticks::try_from(length).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{FRAME, codec::Encoder, speech::Speech};

    /// The output if the packets for which `lost` is true don't arrive, and the others arrive 25 ms after they were
    /// spoken.
    fn heard(frames: usize, lost: impl Fn(usize) -> bool) -> (Vec<f32>, Vec<f32>, Receiver) {
        let (mut encoder, mut speech) = (Encoder::new(0, 0).unwrap(), Speech::new(3));
        encoder.expect_loss(0.2).unwrap();
        let mut receiver = Receiver::new().unwrap();
        let (mut spoken, mut heard) = (Vec::new(), Vec::new());
        for number in 0..frames {
            let now = ticks(number * FRAME);
            let frame = speech.frame();
            spoken.extend(frame);
            if let Some(packet) = encoder.encode(&frame).unwrap()
                && !lost(number)
            {
                receiver.put(&packet, now + 25 * MS);
            }
            for half in [0, 10 * MS] {
                let mut block = [0.0; BLOCK];
                receiver.pull(&mut block, now + 25 * MS + half);
                heard.extend(block);
            }
        }
        (spoken, heard, receiver)
    }

    fn rms(samples: &[f32]) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "some seconds")]
        let length = samples.len().max(1) as f32;
        (samples.iter().map(|sample| sample * sample).sum::<f32>() / length).sqrt()
    }

    #[test]
    fn what_is_said_is_heard() {
        let (spoken, heard, receiver) = heard(500, |_| false);
        let (said, heard) = (rms(&spoken[48_000..400_000]), rms(&heard[48_000..400_000]));
        assert!((heard / said - 1.0).abs() < 0.1, "{heard} of {said}");
        let reception = receiver.reception();
        assert_eq!((reception.counts.lost, reception.counts.late), (0, 0));
        assert!((15..=36).contains(&reception.depth_ms), "{reception:?}");
    }

    #[test]
    fn two_lost_seconds_fade_and_nothing_of_them_is_left_afterwards() {
        let (spoken, heard, _) = heard(500, |number| (200..300).contains(&number));
        let at = |seconds: f32| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
            let from = (seconds * 48_000.0) as usize;
            (rms(&spoken[from..from + 24_000]), rms(&heard[from..from + 24_000]))
        };
        let (_, gap) = at(5.0);
        assert!(gap < 0.01, "{gap} in the gap");
        let (said, heard) = at(7.0);
        assert!((heard / said - 1.0).abs() < 0.3, "{heard} of {said}");
    }

    #[test]
    fn packet_that_is_opus_only_at_first_sight_makes_silence_of_its_length() {
        let mut receiver = Receiver::new().unwrap();
        for number in 0..50_u16 {
            let payload = bytes::Bytes::from_static(&[0x0b, 0xff, 0x01, 0x02]);
            let packet = Packet { sequence: number, timestamp: u32::from(number) * 960, payload };
            receiver.put(&packet, Ticks::from(number) * 960);
            let mut block = [1.0; BLOCK];
            receiver.pull(&mut block, Ticks::from(number) * 960);
            receiver.pull(&mut block, Ticks::from(number) * 960 + 480);
            assert!(block.iter().all(|sample| sample.is_finite()));
        }
    }
}
