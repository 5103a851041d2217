//! What the device pulls its samples from, in the device's own thread: nothing here waits for anything, and nothing is
//! allocated or freed (`tests/audio_callbacks.rs` counts). What isn't needed any more goes back to be freed elsewhere.
//!
//! Cues come by a ring, news go by another. A sample counts as heard when it was pulled, not when it was queued.

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

/// How often cues are looked for, in samples. A device pulls hundreds at once.
const LOOK: u64 = 128;
/// In which a change of loudness, and a sound's end in its middle, is not heard as a click.
const FADE_MS: u16 = 5;
/// So many cues, news and spent sounds may lie between the two threads. A device pulls every half second at the latest, and a
/// person gives no more cues in that time.
const ROOM: usize = 256;

/// What is to be heard from now on.
pub(super) enum Cue {
    /// This alert from its beginning, whose first sample sounds it for `requests`.
    Ring { pattern: Pattern, gain: f32, requests: Vec<RequestId> },
    /// No alert.
    Quiet,
    /// This sound of a call from its beginning, so often or until the next; none ends the one before.
    Call { tone: Option<(Pattern, Option<usize>)>, gain: f32 },
    /// This sound once, unless an alert rings.
    Once { pattern: Pattern, gain: f32 },
    /// How loud the alert, and the message and the call, are from now on.
    Gains { ring: f32, message: f32 },
    /// This message, instead of the one before it; `news` carry the number.
    Play { message: Box<Message>, number: u64, gain: f32 },
    /// No message.
    Stop,
}

/// What has become of it.
#[derive(Debug)]
pub(super) enum News {
    /// The first sample of these requests' alert was pulled.
    Sounding(Vec<RequestId>),
    /// So much of message `number` was pulled.
    Position { number: u64, at: Duration },
    /// Message `number` has no more samples.
    Ended { number: u64, at: Duration },
}

/// What the device's thread is through with.
#[expect(dead_code, reason = "it is only there to be dropped by another thread")]
enum Spent {
    Sound(Loop),
    Message(Box<Message>),
}

/// The other thread's end: gives cues, takes news, and frees what is spent.
pub(super) struct Stage {
    cues: Producer<Cue>,
    /// Cues that there was no room for.
    waiting: VecDeque<Cue>,
    news: Consumer<News>,
    spent: Consumer<Spent>,
    pulled: Arc<AtomicU64>,
}

impl Stage {
    /// Has it heard from now on.
    pub(super) fn cue(&mut self, cue: Cue) {
        self.waiting.push_back(cue);
        self.give();
    }

    /// What has become of the cues, oldest first.
    pub(super) fn news(&mut self) -> Option<News> {
        self.give();
        while let Ok(spent) = self.spent.pop() {
            drop(spent);
        }
        self.news.pop().ok()
    }

    /// How many samples were pulled.
    pub(super) fn pulled(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.pulled)
    }

    fn give(&mut self) {
        while self.cues.slots() > 0
            && let Some(cue) = self.waiting.pop_front()
        {
            // There is room.
            drop(self.cues.push(cue));
        }
    }
}

/// Makes both ends for a device of `rate` samples a second; `wake` is told when there are news.
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

/// A [`Source`] that never ends.
pub(super) struct Program {
    rate: NonZero<u32>,
    cues: Consumer<Cue>,
    news: Teller,
    spent: Producer<Spent>,
    /// How many samples were pulled, for the thread to see that it goes on.
    pulled: Arc<AtomicU64>,
    count: u64,
    /// By how much a loudness changes in one sample.
    slope: f32,
    ring: Option<Loop>,
    /// Ends within [`FADE_MS`].
    ending: Option<Loop>,
    /// A call's sound, how often it is repeated, and whether it stands still or is over.
    call: Option<Tone>,
    call_ending: Option<Loop>,
    once: Option<Loop>,
    speech: Option<Speech>,
}

/// The way of news to the other thread.
struct Teller {
    ring: Producer<News>,
    wake: Wake,
}

impl Teller {
    fn tell(&mut self, news: News) {
        // Who takes none for so long has no use for more.
        drop(self.ring.push(news));
        self.wake.wake();
    }
}

impl Program {
    fn follow(&mut self, cue: Cue) {
        match cue {
            Cue::Ring { pattern, gain, requests } => {
                // Who joins doesn't make it softer again.
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
                // At full loudness: it is to be judged.
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

    /// Has a sound freed by the other thread.
    fn free(&mut self, sound: Option<Loop>) {
        if let Some(sound) = sound {
            self.give_back(Spent::Sound(sound));
        }
    }

    fn give_back(&mut self, spent: Spent) {
        // Where the other thread has taken nothing back for very long, it is freed here.
        drop(self.spent.push(spent));
    }

    /// The alert's next sample, and whether it is in a repetition, not in the pause after it.
    fn alert(&mut self) -> (f32, bool) {
        let Some(ring) = &mut self.ring else { return (0.0, false) };
        let sounds = ring.at < ring.pattern.samples.len();
        if sounds && ring.target > 0.0 && !ring.requests.is_empty() {
            self.news.tell(News::Sounding(std::mem::take(&mut ring.requests)));
        }
        (ring.next(self.slope), sounds)
    }

    /// The call's next sample; silence while it waits.
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

    /// The message's next sample; silence while it waits.
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

/// A pattern as it is repeated.
struct Loop {
    pattern: Pattern,
    at: usize,
    repetition: usize,
    /// What the loudness is, and what it becomes.
    gain: f32,
    target: f32,
    /// For whom its first sample will have sounded it.
    requests: Vec<RequestId>,
}

impl Loop {
    fn new(pattern: Pattern, gain: f32) -> Self {
        Self { pattern, at: 0, repetition: 0, gain, target: gain, requests: Vec::new() }
    }

    /// The same, going silent.
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

/// What is heard of a call.
struct Tone {
    sound: Loop,
    times: Option<usize>,
    /// The loudness when it doesn't wait.
    loud: f32,
}

struct Speech {
    message: Box<Message>,
    number: u64,
    gain: f32,
    /// The loudness when it doesn't wait.
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
