//! The engine's worker between devices and packets; it works in steps, called whenever sound has come or gone.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc::Receiver as Inbox},
    time::Duration,
};

use super::{
    BLOCK, FRAME,
    clocks::{Metronome, Opening, Timeline},
    codec::{CodecError, Encoder},
    device::{Sink, Source},
    engine::{Event, Levels, Options, Speaking, Statistics},
    jitter::Ticks,
    level::{Fader, Peak},
    processing::Processing,
    receiver::Receiver,
};
use crate::Packet;

/// The interval of level events: 20 times a second.
const REPORT: Duration = Duration::from_millis(50);

/// A message to the worker.
#[derive(Debug)]
pub(super) enum Order {
    Source(Option<Box<Source>>),
    Sink(Option<Box<Sink>>),
    Speaking(Speaking),
    Volume(f32),
    Loss(f32),
    Packet(Packet, Duration),
    Close,
}

/// The state of a call's audio processing.
pub(super) struct Worker {
    orders: Inbox<Order>,
    packets: Box<dyn FnMut(Packet) + Send>,
    events: Arc<dyn Fn(Event) + Send + Sync>,
    statistics: Arc<Mutex<Statistics>>,
    source: Option<Box<Source>>,
    opened: Opening,
    sink: Option<Box<Sink>>,
    /// The timers for the next block if no device keeps the time.
    mute_clock: Metronome,
    deaf_clock: Metronome,
    timeline: Timeline,
    processing: Processing,
    encoder: Encoder,
    receiver: Receiver,
    /// The frame being filled from two blocks.
    frame: [f32; FRAME],
    filled: usize,
    speaking: Speaking,
    gate: Fader,
    volume: f32,
    fader: Fader,
    heard: Peak,
    played: Peak,
    next_report: Duration,
    sent: u64,
}

impl Worker {
    /// # Errors
    /// Returns an error if there is no memory for a codec.
    pub(super) fn new(
        options: &Options,
        orders: Inbox<Order>,
        packets: Box<dyn FnMut(Packet) + Send>,
        events: Arc<dyn Fn(Event) + Send + Sync>,
        statistics: Arc<Mutex<Statistics>>,
    ) -> Result<Self, CodecError> {
        Ok(Self {
            orders,
            packets,
            events,
            statistics,
            source: None,
            opened: Opening::default(),
            sink: None,
            mute_clock: Metronome::default(),
            deaf_clock: Metronome::default(),
            timeline: Timeline::default(),
            processing: Processing::new(options.treatment),
            encoder: Encoder::new(0, 0)?,
            receiver: Receiver::new()?,
            frame: [0.0; FRAME],
            filled: 0,
            speaking: options.speaking,
            gate: Fader::new(0.0),
            volume: options.volume.clamp(0.0, 1.0),
            fader: Fader::new(options.volume.clamp(0.0, 1.0)),
            heard: Peak::default(),
            played: Peak::default(),
            next_report: Duration::ZERO,
            sent: 0,
        })
    }

    /// Does all work that is due at `now`; returns false once it is closed.
    pub(super) fn step(&mut self, now: Duration) -> bool {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Source(source) => {
                    self.source = source;
                    self.opened = Opening::at(now);
                }
                Order::Sink(sink) => self.sink = sink,
                Order::Speaking(speaking) => self.speaking = speaking,
                Order::Volume(volume) => self.volume = volume,
                Order::Loss(loss) => {
                    if let Err(error) = self.encoder.expect_loss(loss) {
                        tracing::warn!(%error, "the encoder doesn't follow the loss");
                    }
                }
                Order::Packet(packet, at) => self.receiver.put(&packet, ticks(at)),
                Order::Close => return false,
            }
        }
        self.speak(now);
        self.play(now);
        if now >= self.next_report {
            self.next_report = now + REPORT;
            self.report();
        }
        true
    }

    /// Processes the microphone's sound into packets. Without a microphone it sends silence, so that the other side
    /// knows that this one is connected.
    fn speak(&mut self, now: Duration) {
        let mut block = [0.0; BLOCK];
        // The playback reference goes first, because its echo comes later.
        while self.sink.as_mut().is_some_and(|sink| sink.played(&mut block)) {
            self.processing.played(&block);
        }
        if let Some(mut source) = self.source.take() {
            let delay = source.latency() + self.sink.as_ref().map(|sink| sink.latency()).unwrap_or_default();
            let delay_ms = i32::try_from(delay.as_millis()).unwrap_or(i32::MAX);
            while source.pull(&mut block) {
                if self.opened.is_stale(now) {
                    continue;
                }
                self.processing.heard(&mut block, delay_ms);
                self.heard.hear(&block);
                self.gate.apply(&mut block, if self.speaking.is_open() { 1.0 } else { 0.0 });
                self.send(&block);
                // From here on the device keeps the time.
                self.mute_clock.stop(now);
            }
            self.source = Some(source);
        }
        while self.mute_clock.is_due(now) {
            self.send(&[0.0; BLOCK]);
        }
        self.encoder.skip(self.timeline.missing(now));
    }

    fn send(&mut self, block: &[f32; BLOCK]) {
        self.frame[self.filled..self.filled + BLOCK].copy_from_slice(block);
        self.filled += BLOCK;
        self.timeline.count();
        if self.filled < FRAME {
            return;
        }
        self.filled = 0;
        match self.encoder.encode(&self.frame) {
            Ok(Some(packet)) => {
                self.sent += 1;
                (self.packets)(packet);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "20 ms of a call were not encoded"),
        }
    }

    /// Plays packets on the loudspeaker. Without a loudspeaker they are consumed all the same, so that playback is up
    /// to date when one comes.
    fn play(&mut self, now: Duration) {
        let mut block = [0.0; BLOCK];
        let Some(mut sink) = self.sink.take() else {
            while self.deaf_clock.is_due(now) {
                self.receiver.pull(&mut block, ticks(now));
            }
            return;
        };
        self.deaf_clock.stop(now);
        while sink.wants() {
            self.receiver.pull(&mut block, ticks(now));
            self.fader.apply(&mut block, self.volume);
            self.played.hear(&block);
            sink.push(&block);
        }
        self.sink = Some(sink);
    }

    fn report(&mut self) {
        let levels = Levels { input_dbfs: self.heard.take(), output_dbfs: self.played.take() };
        let statistics = Statistics {
            reception: self.receiver.reception(),
            sent: self.sent,
            underruns: self.sink.as_ref().map_or(0, |sink| sink.underruns()),
            overruns: self.source.as_ref().map_or(0, |source| source.overruns()),
        };
        *self.statistics.lock().unwrap_or_else(PoisonError::into_inner) = statistics;
        (self.events)(Event::Levels(levels));
    }
}

fn ticks(time: Duration) -> Ticks {
    Ticks::try_from(time.as_micros() * 48 / 1_000).unwrap_or(Ticks::MAX)
}
