//! The bell's sample source without a device: for tests of the callback.

use std::fmt;
use std::num::NonZero;

use crewbell_shared::{ids::RequestId, request::Priority};

use super::{
    call_tone::CallTone,
    message::Message,
    pattern::pattern,
    program::{Cue, Program, Stage, program},
};
use crate::wake::Wake;

/// The body of the bell's callback, and its controls.
pub struct Rehearsal {
    rate: NonZero<u32>,
    program: Program,
    stage: Stage,
    messages: u64,
}

impl Rehearsal {
    /// Makes one for a device with this sample rate.
    pub fn new(rate: NonZero<u32>) -> Self {
        let (program, stage) = program(rate, Wake::default());
        Self { rate, program, stage, messages: 0 }
    }

    /// Starts this alert for one request.
    pub fn ring(&mut self, priority: Priority, request_id: RequestId) {
        let pattern = pattern(priority, self.rate.get());
        self.stage.cue(Cue::Ring { pattern, gain: 1.0, requests: vec![request_id] });
    }

    /// Stops the alert.
    pub fn quiet(&mut self) {
        self.stage.cue(Cue::Quiet);
    }

    /// Plays a priority's sound once.
    pub fn test(&mut self, priority: Priority) {
        self.stage.cue(Cue::Once { pattern: pattern(priority, self.rate.get()), gain: 1.0 });
    }

    /// Sets the tone of a call.
    pub fn call(&mut self, tone: Option<CallTone>) {
        let tone = tone.map(|tone| (tone.pattern(self.rate.get()), tone.times()));
        self.stage.cue(Cue::Call { tone, gain: 1.0 });
    }

    /// Plays this message.
    ///
    /// # Errors
    /// Returns the reason, fit to show, if it can't be played.
    pub fn play(&mut self, wav: Vec<u8>) -> Result<(), String> {
        self.messages += 1;
        let message = Box::new(Message::read(wav, self.rate.get())?);
        self.stage.cue(Cue::Play { message, number: self.messages, gain: 1.0 });
        Ok(())
    }

    /// Stops the message.
    pub fn stop(&mut self) {
        self.stage.cue(Cue::Stop);
    }

    /// Acts as the device's thread: pulls samples.
    pub fn pull(&mut self, samples: &mut [f32]) {
        for (sample, next) in samples.iter_mut().zip(&mut self.program) {
            *sample = next;
        }
    }

    /// Acts as the bell's thread: receives news, and frees used objects. Returns the number of news.
    pub fn tidy(&mut self) -> usize {
        std::iter::from_fn(|| self.stage.news()).count()
    }
}

impl fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rehearsal").field("rate", &self.rate).finish_non_exhaustive()
    }
}
