//! What a device would pull from the bell, without one: for tests that look at what its thread does.

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

/// The body of the bell's callback, and what it is told.
pub struct Rehearsal {
    rate: NonZero<u32>,
    program: Program,
    stage: Stage,
    messages: u64,
}

impl Rehearsal {
    /// For a device that takes so many samples a second.
    pub fn new(rate: NonZero<u32>) -> Self {
        let (program, stage) = program(rate, Wake::default());
        Self { rate, program, stage, messages: 0 }
    }

    /// This alert rings, for one request.
    pub fn ring(&mut self, priority: Priority, request_id: RequestId) {
        let pattern = pattern(priority, self.rate.get());
        self.stage.cue(Cue::Ring { pattern, gain: 1.0, requests: vec![request_id] });
    }

    /// No alert rings.
    pub fn quiet(&mut self) {
        self.stage.cue(Cue::Quiet);
    }

    /// A priority's sound is played once.
    pub fn test(&mut self, priority: Priority) {
        self.stage.cue(Cue::Once { pattern: pattern(priority, self.rate.get()), gain: 1.0 });
    }

    /// This is heard of a call.
    pub fn call(&mut self, tone: Option<CallTone>) {
        let tone = tone.map(|tone| (tone.pattern(self.rate.get()), tone.times()));
        self.stage.cue(Cue::Call { tone, gain: 1.0 });
    }

    /// This message is played.
    ///
    /// # Errors
    /// In words, when it is none.
    pub fn play(&mut self, wav: Vec<u8>) -> Result<(), String> {
        self.messages += 1;
        let message = Box::new(Message::read(wav, self.rate.get())?);
        self.stage.cue(Cue::Play { message, number: self.messages, gain: 1.0 });
        Ok(())
    }

    /// No message is played.
    pub fn stop(&mut self) {
        self.stage.cue(Cue::Stop);
    }

    /// What the device's thread does: takes so many samples.
    pub fn pull(&mut self, samples: &mut [f32]) {
        for (sample, next) in samples.iter_mut().zip(&mut self.program) {
            *sample = next;
        }
    }

    /// What the bell's thread does between: hears what became of it, and frees what is spent. Says how much was heard.
    pub fn tidy(&mut self) -> usize {
        std::iter::from_fn(|| self.stage.news()).count()
    }
}

impl fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rehearsal").field("rate", &self.rate).finish_non_exhaustive()
    }
}
