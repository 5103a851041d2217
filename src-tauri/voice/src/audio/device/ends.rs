//! The lock-free queues between a device's thread and the engine's.
//!
//! [`Capturing`] and [`Playing`] are the bodies of the device's callbacks. They run in a real-time thread: they take no
//! lock, allocate nothing, and make no system call but the one that wakes the engine (`tests/audio_callbacks.rs`
//! counts).

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use cpal::{FromSample, Sample};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::audio::{BLOCK, RATE, resample::Resampler};
use crate::wake::Wake;

/// The queue's capacity: more than a late engine leaves unread.
const ROOM: Duration = Duration::from_millis(500);
/// The step and the maximum of the output margin, which grows after underruns.
const MARGIN_MS: u32 = 5;
const MOST_MARGIN_MS: u32 = 40;
/// The decay factor for each sample after a sudden end of sound: a tenth in 2 ms.
const FALL: f32 = 0.976;

/// The shared state of a device's callback and the engine.
#[derive(Debug, Default)]
pub struct Flow {
    turns: AtomicU64,
    troubles: AtomicU64,
    latency_us: AtomicU32,
}

impl Flow {
    /// The number of callbacks so far, which shows whether the device stalls.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    fn count(&self, latency: Duration) {
        self.turns.fetch_add(1, Ordering::Relaxed);
        self.latency_us.store(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    fn latency(&self) -> Duration {
        Duration::from_micros(u64::from(self.latency_us.load(Ordering::Relaxed)))
    }
}

/// Makes the queue of a microphone, of `channels` at `rate` frames a second.
///
/// # Errors
/// Returns an error, fit to show, if one of them is zero.
pub fn capture(rate: u32, channels: u16, wake: &Wake) -> Result<(Capturing, Source), String> {
    let (producer, consumer) = RingBuffer::new(frames(ROOM, rate));
    let flow = Arc::new(Flow::default());
    let capturing =
        Capturing { ring: producer, channels: at_least_one(channels)?, flow: flow.clone(), wake: wake.clone() };
    let resampler = resampler(rate, RATE)?;
    Ok((capturing, Source { ring: consumer, resampler, ready: VecDeque::new(), flow }))
}

/// Makes the queue of a loudspeaker, which takes `period` frames at once.
///
/// # Errors
/// Returns an error as `capture` does.
pub fn playback(rate: u32, channels: u16, period: u32, wake: &Wake) -> Result<(Playing, Sink), String> {
    let (producer, consumer) = RingBuffer::new(frames(ROOM, rate));
    let (played, echo) = RingBuffer::new(frames(ROOM, rate));
    let flow = Arc::new(Flow::default());
    let playing = Playing {
        ring: consumer,
        played,
        channels: at_least_one(channels)?,
        last: 0.0,
        begun: false,
        flow: flow.clone(),
        wake: wake.clone(),
    };
    let sink = Sink {
        ring: producer,
        echo,
        to_device: resampler(RATE, rate)?,
        from_device: resampler(rate, RATE)?,
        rate,
        period,
        margin_ms: 0,
        seen_troubles: 0,
        waiting: VecDeque::new(),
        played: VecDeque::new(),
        flow,
    };
    Ok((playing, sink))
}

/// The microphone's callback.
#[derive(Debug)]
pub struct Capturing {
    ring: Producer<f32>,
    channels: usize,
    flow: Arc<Flow>,
    wake: Wake,
}

impl Capturing {
    /// Takes frames that were in the device for `latency`, mixed down to the mean of their channels.
    pub fn take<T>(&mut self, interleaved: &[T], latency: Duration)
    where
        T: Sample,
        f32: FromSample<T>,
    {
        let frames = interleaved.len() / self.channels;
        let room = frames.min(self.ring.slots());
        if let Ok(chunk) = self.ring.write_chunk_uninit(room) {
            let share = 1.0 / f32::from(u16::try_from(self.channels).unwrap_or(1));
            chunk.fill_from_iter(
                interleaved
                    .chunks_exact(self.channels)
                    .map(|frame| frame.iter().map(|sample| f32::from_sample(*sample)).sum::<f32>() * share),
            );
        }
        if room < frames {
            self.flow.troubles.fetch_add(1, Ordering::Relaxed);
        }
        self.flow.count(latency);
        self.wake.wake();
    }

    /// The state shared with the engine.
    pub fn flow(&self) -> Arc<Flow> {
        self.flow.clone()
    }
}

/// The loudspeaker's callback.
#[derive(Debug)]
pub struct Playing {
    ring: Consumer<f32>,
    played: Producer<f32>,
    channels: usize,
    last: f32,
    begun: bool,
    flow: Arc<Flow>,
    wake: Wake,
}

impl Playing {
    /// Fills frames that will be audible after `latency`; missing samples become silence.
    pub fn fill<T>(&mut self, interleaved: &mut [T], latency: Duration)
    where
        T: Sample + FromSample<f32>,
    {
        let frames = interleaved.len() / self.channels;
        let available = frames.min(self.ring.slots());
        let mut sound = self.ring.read_chunk(available).ok().map(IntoIterator::into_iter);
        let echo = self.played.write_chunk_uninit(frames.min(self.played.slots())).ok();
        let (last, channels) = (&mut self.last, self.channels);
        let frames_played = interleaved.chunks_exact_mut(channels).map(|frame| {
            *last = sound.as_mut().and_then(Iterator::next).unwrap_or(*last * FALL);
            frame.fill(T::from_sample(*last));
            *last
        });
        // The chunk takes only as many as it has room for, so the rest is played without it.
        let mut frames_played = frames_played;
        if let Some(echo) = echo {
            echo.fill_from_iter(&mut frames_played);
        }
        frames_played.for_each(drop);
        if self.begun && available < frames {
            self.flow.troubles.fetch_add(1, Ordering::Relaxed);
        }
        self.begun |= available > 0;
        self.flow.count(latency);
        self.wake.wake();
    }

    /// The state shared with the engine.
    pub fn flow(&self) -> Arc<Flow> {
        self.flow.clone()
    }
}

/// The engine's end of a microphone's queue: 48 kHz, in blocks.
pub struct Source {
    ring: Consumer<f32>,
    resampler: Resampler,
    ready: VecDeque<f32>,
    flow: Arc<Flow>,
}

impl Source {
    /// Takes the next 10 ms, if available.
    pub fn pull(&mut self, block: &mut [f32; BLOCK]) -> bool {
        drain(&mut self.ring, &mut self.resampler, &mut self.ready);
        take_block(&mut self.ready, block)
    }

    /// The time that sound spends in the device.
    pub fn latency(&self) -> Duration {
        self.flow.latency()
    }

    /// The number of overruns: sound was lost because the queue was full.
    pub fn overruns(&self) -> u64 {
        self.flow.troubles.load(Ordering::Relaxed)
    }
}

/// The engine's end of a loudspeaker's queue: 48 kHz, in blocks.
pub struct Sink {
    ring: Producer<f32>,
    echo: Consumer<f32>,
    to_device: Resampler,
    from_device: Resampler,
    rate: u32,
    period: u32,
    margin_ms: u32,
    seen_troubles: u64,
    /// Converted samples that aren't in the queue yet.
    waiting: VecDeque<f32>,
    played: VecDeque<f32>,
    flow: Arc<Flow>,
}

impl Sink {
    /// Whether the queue lacks samples for the device's next callback. After underruns a margin is added, because the
    /// engine's thread or the device isn't regular.
    pub fn wants(&mut self) -> bool {
        let troubles = self.underruns();
        if troubles > self.seen_troubles {
            self.seen_troubles = troubles;
            self.margin_ms = (self.margin_ms + MARGIN_MS).min(MOST_MARGIN_MS);
        }
        let wanted = self.period + self.margin_ms * self.rate / 1_000;
        self.queued() < usize::try_from(wanted).unwrap_or(0)
    }

    /// Queues the next 10 ms.
    pub fn push(&mut self, block: &[f32; BLOCK]) {
        self.to_device.convert(block, &mut self.waiting);
        let room = self.waiting.len().min(self.ring.slots());
        if let Ok(chunk) = self.ring.write_chunk_uninit(room) {
            chunk.fill_from_iter(self.waiting.drain(..room));
        }
        // A device that takes nothing is closed soon; the samples that don't fit are stale.
        self.waiting.clear();
    }

    /// Takes the next 10 ms that the device has played, which are the reference for the echo canceller.
    pub fn played(&mut self, block: &mut [f32; BLOCK]) -> bool {
        drain(&mut self.echo, &mut self.from_device, &mut self.played);
        take_block(&mut self.played, block)
    }

    /// The time from a callback until its samples are audible.
    pub fn latency(&self) -> Duration {
        self.flow.latency()
    }

    /// The number of underruns: the device needed samples and there were none.
    pub fn underruns(&self) -> u64 {
        self.flow.troubles.load(Ordering::Relaxed)
    }

    fn queued(&self) -> usize {
        self.ring.buffer().capacity() - self.ring.slots()
    }
}

fn drain(ring: &mut Consumer<f32>, resampler: &mut Resampler, into: &mut VecDeque<f32>) {
    if let Ok(chunk) = ring.read_chunk(ring.slots()) {
        let (first, second) = chunk.as_slices();
        resampler.convert(first, into);
        resampler.convert(second, into);
        chunk.commit_all();
    }
}

fn take_block(ready: &mut VecDeque<f32>, block: &mut [f32; BLOCK]) -> bool {
    if ready.len() < BLOCK {
        return false;
    }
    for (sample, ready) in block.iter_mut().zip(ready.drain(..BLOCK)) {
        *sample = ready;
    }
    true
}

fn frames(time: Duration, rate: u32) -> usize {
    usize::try_from(time.as_millis() * u128::from(rate) / 1_000).unwrap_or(0).max(1)
}

fn at_least_one(channels: u16) -> Result<usize, String> {
    if channels == 0 { Err("The sound device has no channel.".to_owned()) } else { Ok(usize::from(channels)) }
}

fn resampler(from: u32, to: u32) -> Result<Resampler, String> {
    Resampler::new(from, to).map_err(|_| "The sound device has no sample rate.".to_owned())
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("flow", &self.flow).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink").field("rate", &self.rate).field("flow", &self.flow).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_become_one_and_one_becomes_all() {
        let wake = Wake::default();
        let (mut capturing, mut source) = capture(RATE, 2, &wake).unwrap();
        capturing.take(&[0.5_f32, 0.1].repeat(BLOCK), Duration::from_millis(7));
        let mut block = [0.0; BLOCK];
        assert!(source.pull(&mut block) && !source.pull(&mut block));
        assert!(block.iter().all(|sample| (sample - 0.3).abs() < 1e-6));
        assert_eq!(source.latency(), Duration::from_millis(7));

        let (mut playing, mut sink) = playback(RATE, 3, 480, &wake).unwrap();
        sink.push(&[0.25; BLOCK]);
        let mut out = [0_i16; 3 * BLOCK];
        playing.fill(&mut out, Duration::ZERO);
        assert!(out.iter().all(|sample| (8_190..=8_193).contains(sample)));
    }

    fn are(told: &[f32], played: &[f32]) -> bool {
        told.iter().zip(played).all(|(told, played)| (told - played).abs() < 1e-9)
    }

    #[test]
    fn what_was_played_is_told_with_the_silence_in_it() {
        let (mut playing, mut sink) = playback(RATE, 1, 480, &Wake::default()).unwrap();
        let (mut out, mut told) = ([0.0_f32; BLOCK], [1.0; BLOCK]);
        playing.fill(&mut out, Duration::ZERO);
        assert_eq!(sink.underruns(), 0, "nothing was expected yet");
        assert!(sink.played(&mut told) && are(&told, &[0.0; BLOCK]));
        sink.push(&[0.25; BLOCK]);
        playing.fill(&mut out, Duration::ZERO);
        assert!(sink.played(&mut told) && are(&told, &[0.25; BLOCK]));
        playing.fill(&mut out, Duration::ZERO);
        assert!(sink.played(&mut told) && are(&told, &out), "it falls, and that is heard too");
        assert!(out[0] < 0.25 && out[0] > 0.2 && out[300] < 0.001);
        assert_eq!(sink.underruns(), 1);
    }

    #[test]
    fn more_is_kept_ready_after_sound_was_missing() {
        let (mut playing, mut sink) = playback(RATE, 1, 480, &Wake::default()).unwrap();
        let fill_up = |sink: &mut Sink| std::iter::from_fn(|| sink.wants().then(|| sink.push(&[0.1; BLOCK]))).count();
        assert_eq!(fill_up(&mut sink), 1);
        let mut out = [0.0_f32; BLOCK];
        playing.fill(&mut out, Duration::ZERO);
        playing.fill(&mut out, Duration::ZERO);
        assert_eq!(fill_up(&mut sink), 2);
        for _ in 0..50 {
            playing.fill(&mut [0.0_f32; 2_000], Duration::ZERO);
            fill_up(&mut sink);
        }
        assert!(sink.queued() <= 480 + 40 * 48 + 480, "{}", sink.queued());
    }

    #[test]
    fn engine_that_stands_still_loses_sound_and_it_is_counted() {
        let (mut capturing, source) = capture(RATE, 1, &Wake::default()).unwrap();
        for _ in 0..60 {
            capturing.take(&[0.1_f32; BLOCK], Duration::ZERO);
        }
        assert_eq!(source.overruns(), 10);
        assert_eq!(capturing.flow().turns(), 60);
    }

    #[test]
    fn rates_differ_and_no_sound_is_lost() {
        let (mut capturing, mut source) = capture(44_100, 1, &Wake::default()).unwrap();
        let (mut blocks, mut block) = (0, [0.0; BLOCK]);
        for _ in 0..1_000 {
            capturing.take(&[0.1_f32; 441], Duration::ZERO);
            while source.pull(&mut block) {
                blocks += 1;
            }
        }
        assert!((998..=1_000).contains(&blocks), "{blocks}");
    }

    #[test]
    fn device_without_rate_or_channel_is_refused() {
        let wake = Wake::default();
        assert!(capture(0, 1, &wake).is_err() && capture(RATE, 0, &wake).is_err() && playback(0, 1, 1, &wake).is_err());
    }
}
