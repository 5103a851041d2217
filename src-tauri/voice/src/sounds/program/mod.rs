//! The sample source, pulled in the device's real-time thread: it never waits, and neither allocates nor frees memory
//! (`tests/audio_callbacks.rs` counts). Used objects are passed back to be freed elsewhere.
//!
//! Cues and news go through two ring buffers. A sample counts as played when it was pulled, not when it was queued.

use std::{
    collections::VecDeque,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crewbell_shared::ids::RequestId;
use rodio::{ChannelCount, SampleRate, Source};
use rtrb::{Consumer, Producer, RingBuffer};

use super::{
    message::Message,
    pattern::{Pattern, frames},
};
use crate::wake::Wake;

/// The interval between checks for cues, in samples. A device pulls hundreds at once.
const LOOK: u64 = 128;
/// The duration of gain changes and of fades at a sound's end, which avoids clicks.
const FADE_MS: u16 = 5;
/// The capacity of the ring buffers for cues, news and used sounds. A device pulls every half second at the latest, and
/// a person causes fewer cues in that time.
const ROOM: usize = 256;

/// A command to the source.
pub(super) enum Cue {
    /// Starts this alert; its first sample is reported for `requests`.
    Ring { pattern: Pattern, gain: f32, requests: Vec<RequestId> },
    /// Stops the alert.
    Quiet,
    /// Starts this tone of a call, repeated the given number of times or until the next; none stops it.
    Call { tone: Option<(Pattern, Option<usize>)>, gain: f32 },
    /// Plays this sound once, unless an alert rings.
    Once { pattern: Pattern, gain: f32 },
    /// Sets the gains of the alert, and of the message and the call.
    Gains { ring: f32, message: f32 },
    /// Plays this message instead of the one before it; `news` carry its number.
    Play { message: Box<Message>, number: u64, gain: f32 },
    /// Stops the message.
    Stop,
}

/// A report from the source.
#[derive(Debug)]
pub(super) enum News {
    /// The first sample of these requests' alert was pulled.
    Sounding(Vec<RequestId>),
    /// Message `number` was pulled up to this position.
    Position { number: u64, at: Duration },
    /// Message `number` has no more samples.
    Ended { number: u64, at: Duration },
}

/// A used object, passed back to be freed.
#[expect(dead_code, reason = "it is only there to be dropped by another thread")]
enum Spent {
    Sound(Loop),
    Message(Box<Message>),
}

/// The controlling thread's end: sends cues, receives news, and frees used objects.
pub(super) struct Stage {
    cues: Producer<Cue>,
    /// Cues that didn't fit into the ring buffer.
    waiting: VecDeque<Cue>,
    news: Consumer<News>,
    spent: Consumer<Spent>,
    pulled: Arc<AtomicU64>,
}

impl Stage {
    /// Sends a cue.
    pub(super) fn cue(&mut self, cue: Cue) {
        self.waiting.push_back(cue);
        self.give();
    }

    /// The next report, oldest first.
    pub(super) fn news(&mut self) -> Option<News> {
        self.give();
        while let Ok(spent) = self.spent.pop() {
            drop(spent);
        }
        self.news.pop().ok()
    }

    /// The number of pulled samples.
    pub(super) fn pulled(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.pulled)
    }

    fn give(&mut self) {
        while self.cues.slots() > 0
            && let Some(cue) = self.waiting.pop_front()
        {
            // There is room, so this can't fail.
            drop(self.cues.push(cue));
        }
    }
}

/// Makes both ends for a device of `rate` samples a second; `wake` is signalled when there are news.
pub(super) fn program(rate: NonZero<u32>, wake: Wake) -> (Program, Stage) {
    let ((cues, cues_in), (news_out, news), (spent_out, spent)) =
        (RingBuffer::new(ROOM), RingBuffer::new(ROOM), RingBuffer::new(ROOM));
    let pulled = Arc::default();
    let slope = 1.0 / f32::from(u16::try_from(frames(FADE_MS, rate.get())).unwrap_or(u16::MAX).max(1));
    let program = Program {
        rate,
        cues: cues_in,
        news: Teller { ring: news_out, wake },
        spent: spent_out,
        pulled: Arc::clone(&pulled),
        count: 0,
        slope,
        ring: None,
        ending: None,
        call: None,
        call_ending: None,
        once: None,
        speech: None,
    };
    (program, Stage { cues, waiting: VecDeque::new(), news, spent, pulled })
}

/// An endless [`Source`].
pub(super) struct Program {
    rate: NonZero<u32>,
    cues: Consumer<Cue>,
    news: Teller,
    spent: Producer<Spent>,
    /// The number of pulled samples, by which the controlling thread sees progress.
    pulled: Arc<AtomicU64>,
    count: u64,
    /// The change of a gain per sample.
    slope: f32,
    ring: Option<Loop>,
    /// The previous alert, which fades out within [`FADE_MS`].
    ending: Option<Loop>,
    /// The tone of the call, with its number of repetitions.
    call: Option<Tone>,
    call_ending: Option<Loop>,
    once: Option<Loop>,
    speech: Option<Speech>,
}

/// The sender of news to the controlling thread.
struct Teller {
    ring: Producer<News>,
    wake: Wake,
}

impl Teller {
    fn tell(&mut self, news: News) {
        // If the ring buffer is full, news are dropped.
        drop(self.ring.push(news));
        self.wake.wake();
    }
}

impl Program {
    fn follow(&mut self, cue: Cue) {
        match cue {
            Cue::Ring { pattern, gain, requests } => {
                // A request that joins doesn't reset the increase of loudness.
                let repetition = self.ring.as_ref().map_or(0, |ring| ring.repetition);
                self.end_ring();
                let once = self.once.take();
                self.free(once);
                self.ring = Some(Loop { repetition, requests, ..Loop::new(pattern, gain) });
            }
            Cue::Quiet => self.end_ring(),
            Cue::Call { tone, gain } => {
                let ending = self.call.take().map(|tone| tone.sound.ended());
                let before = std::mem::replace(&mut self.call_ending, ending);
                self.free(before);
                self.call = tone.map(|(pattern, times)| Tone { sound: Loop::new(pattern, gain), times, loud: gain });
            }
            Cue::Once { pattern, gain } if self.ring.is_none() => {
                let ending = self.once.take().map(Loop::ended);
                let before = std::mem::replace(&mut self.ending, ending);
                self.free(before);
                // At full loudness, as it is played to judge it.
                let repetition = pattern.growth.len();
                self.once = Some(Loop { repetition, ..Loop::new(pattern, gain) });
            }
            Cue::Once { pattern, gain } => self.free(Some(Loop::new(pattern, gain))),
            Cue::Gains { ring, message } => {
                if let Some(sound) = &mut self.ring {
                    sound.target = ring;
                }
                if let Some(speech) = &mut self.speech {
                    speech.loud = message;
                }
                if let Some(tone) = &mut self.call {
                    tone.loud = message;
                }
            }
            Cue::Play { message, number, gain } => {
                self.end_speech();
                self.speech = Some(Speech { message, number, gain: 0.0, loud: gain, pulled: 0 });
            }
            Cue::Stop => self.end_speech(),
        }
    }

    fn end_ring(&mut self) {
        if let Some(ring) = self.ring.take() {
            let before = self.ending.replace(ring.ended());
            self.free(before);
        }
    }

    fn end_speech(&mut self) {
        if let Some(speech) = self.speech.take() {
            self.give_back(Spent::Message(speech.message));
        }
    }

    /// Passes a sound back to be freed.
    fn free(&mut self, sound: Option<Loop>) {
        if let Some(sound) = sound {
            self.give_back(Spent::Sound(sound));
        }
    }

    fn give_back(&mut self, spent: Spent) {
        // If the ring buffer is full, it is freed here.
        drop(self.spent.push(spent));
    }

    /// The alert's next sample, and whether it belongs to a repetition rather than the pause after it.
    fn alert(&mut self) -> (f32, bool) {
        let Some(ring) = &mut self.ring else { return (0.0, false) };
        let sounds = ring.at < ring.pattern.samples.len();
        if sounds && ring.target > 0.0 && !ring.requests.is_empty() {
            self.news.tell(News::Sounding(std::mem::take(&mut ring.requests)));
        }
        (ring.next(self.slope), sounds)
    }

    /// The call's next sample; silence while it is paused.
    fn call(&mut self, waits: bool) -> f32 {
        let ending = self.call_ending.as_mut().map_or(0.0, |ending| ending.next(self.slope));
        let faded = self.call_ending.take_if(|ending| ending.gain <= 0.0);
        self.free(faded);
        let over = self.call.take_if(|tone| tone.times.is_some_and(|times| tone.sound.repetition >= times));
        self.free(over.map(|tone| tone.sound));
        let Some(tone) = &mut self.call else { return ending };
        tone.sound.target = if waits { 0.0 } else { tone.loud };
        if waits && tone.sound.gain <= 0.0 {
            return ending;
        }
        ending + tone.sound.next(self.slope)
    }

    /// The message's next sample; silence while it is paused.
    fn speech(&mut self, waits: bool) -> f32 {
        let Some(speech) = &mut self.speech else { return 0.0 };
        let loud = if waits { 0.0 } else { speech.loud };
        speech.gain = toward(speech.gain, loud, self.slope);
        if waits && speech.gain <= 0.0 {
            return 0.0;
        }
        let (number, at) = (speech.number, speech.position(self.rate));
        let Some(sample) = speech.message.next() else {
            self.end_speech();
            self.news.tell(News::Ended { number, at });
            return 0.0;
        };
        let due = speech.pulled.is_multiple_of(u64::from(self.rate.get() / 4).max(1));
        speech.pulled += 1;
        let heard = sample * speech.gain;
        if due {
            self.news.tell(News::Position { number, at });
        }
        heard
    }
}

impl Iterator for Program {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        if self.count.is_multiple_of(LOOK) {
            while let Ok(cue) = self.cues.pop() {
                self.follow(cue);
            }
            self.pulled.store(self.count, Ordering::Relaxed);
        }
        self.count += 1;
        let (alert, sounds) = self.alert();
        let ending = self.ending.as_mut().map_or(0.0, |ending| ending.next(self.slope));
        let faded = self.ending.take_if(|ending| ending.gain <= 0.0);
        self.free(faded);
        let once = self.once.as_mut().map_or(0.0, |once| once.next(self.slope));
        let over = self.once.take_if(|once| once.at >= once.pattern.samples.len());
        self.free(over);
        let waits = sounds || self.once.is_some();
        let (call, speech) = (self.call(waits), self.speech(waits));
        Some((alert + ending + once + call + speech).clamp(-1.0, 1.0))
    }
}

impl Source for Program {
    fn current_span_len(&self) -> Option<usize> {
        None
    }

    fn channels(&self) -> ChannelCount {
        ChannelCount::MIN
    }

    fn sample_rate(&self) -> SampleRate {
        self.rate
    }

    fn total_duration(&self) -> Option<Duration> {
        None
    }
}

/// A repeated pattern.
struct Loop {
    pattern: Pattern,
    at: usize,
    repetition: usize,
    /// The present and the target gain.
    gain: f32,
    target: f32,
    /// The requests to report with its first sample.
    requests: Vec<RequestId>,
}

impl Loop {
    fn new(pattern: Pattern, gain: f32) -> Self {
        Self { pattern, at: 0, repetition: 0, gain, target: gain, requests: Vec::new() }
    }

    /// The same, fading out.
    fn ended(self) -> Self {
        Self { target: 0.0, ..self }
    }

    fn next(&mut self, slope: f32) -> f32 {
        let growth = self.pattern.growth.get(self.repetition).or(self.pattern.growth.last()).copied().unwrap_or(1.0);
        let sample = self.pattern.samples.get(self.at).copied().unwrap_or(0.0) * growth * self.gain;
        self.gain = toward(self.gain, self.target, slope);
        self.at += 1;
        if self.at >= self.pattern.period {
            self.at = 0;
            self.repetition = self.repetition.saturating_add(1);
        }
        sample
    }
}

/// The tone of a call.
struct Tone {
    sound: Loop,
    times: Option<usize>,
    /// The gain when it isn't paused.
    loud: f32,
}

struct Speech {
    message: Box<Message>,
    number: u64,
    gain: f32,
    /// The gain when it isn't paused.
    loud: f32,
    pulled: u64,
}

impl Speech {
    fn position(&self, rate: NonZero<u32>) -> Duration {
        Duration::from_millis(self.pulled * 1000 / u64::from(rate.get()))
    }
}

fn toward(value: f32, target: f32, slope: f32) -> f32 {
    if value < target { (value + slope).min(target) } else { (value - slope).max(target) }
}

#[cfg(test)]
mod tests;
