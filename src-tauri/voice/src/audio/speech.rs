//! A synthetic speech signal for tests of echo, noise and loss.
//!
//! It is a pulse train of varying pitch through three formants that change every syllable, with hiss for consonants and
//! pauses between words: 4 syllables a second, as people speak.

use std::f32::consts::TAU;

use super::{BLOCK, FRAME};

const RATE: f32 = 48_000.0;

/// An endless speech signal, determined by its seed.
#[derive(Clone, Debug)]
pub struct Speech {
    state: u32,
    at: u32,
    phase: f32,
    pitch: f32,
    formants: [Formant; 3],
    voiced: bool,
    silent: bool,
    loudness: f32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Formant {
    hertz: f32,
    memory: [f32; 2],
}

impl Formant {
    /// A resonance of 90 Hz width.
    fn filter(&mut self, input: f32) -> f32 {
        let radius = (-TAU / 2.0 * 90.0 / RATE).exp();
        let feedback = 2.0 * radius * (TAU * self.hertz / RATE).cos();
        let output = input * (1.0 - radius) + feedback * self.memory[0] - radius * radius * self.memory[1];
        self.memory = [output, self.memory[0]];
        output
    }
}

impl Speech {
    /// Makes a signal; other seeds give other speakers.
    pub fn new(seed: u32) -> Self {
        let formants = [Formant::default(); 3];
        let (state, pitch) = (seed.wrapping_mul(2_654_435_761) | 1, 120.0);
        Self { state, at: 0, phase: 0.0, pitch, formants, voiced: true, silent: false, loudness: 0.0 }
    }

    /// The next 20 ms.
    pub fn frame(&mut self) -> [f32; FRAME] {
        std::array::from_fn(|_| self.sample())
    }

    /// The next 10 ms.
    pub fn block(&mut self) -> [f32; BLOCK] {
        std::array::from_fn(|_| self.sample())
    }

    /// The next sample, mostly below 0.5.
    pub fn sample(&mut self) -> f32 {
        if self.at.is_multiple_of(12_000) {
            self.syllable();
        }
        // The envelope of a syllable.
        let part = f32::from(u16::try_from(self.at % 12_000).unwrap_or(0)) / 12_000.0;
        let shape = (TAU / 2.0 * part).sin().powf(0.6);
        self.at = self.at.wrapping_add(1);
        self.phase += self.pitch * (1.1 - 0.2 * part) / RATE;
        let pulse = if self.phase >= 1.0 {
            self.phase -= 1.0;
            30.0
        } else {
            0.0
        };
        let hiss = self.chance() - 0.5;
        let source = if self.voiced { pulse + 0.2 * hiss } else { 3.0 * hiss };
        let voice: f32 = self.formants.iter_mut().map(|formant| formant.filter(source)).sum();
        let target = if self.silent { 0.0 } else { 0.5 * shape };
        self.loudness += (target - self.loudness) * 0.002;
        (voice * self.loudness).clamp(-0.95, 0.95)
    }

    fn syllable(&mut self) {
        let number = self.at / 12_000;
        // A pause after every word of five syllables.
        self.silent = number % 6 == 5;
        self.voiced = self.chance() < 0.8;
        self.pitch = 90.0 + 80.0 * self.chance();
        let bands = [(300.0, 500.0), (900.0, 1_300.0), (2_300.0, 900.0)];
        for (formant, (least, width)) in (0..).zip(bands) {
            let hertz = least + width * self.chance();
            self.formants[formant].hertz = if self.voiced { hertz } else { 2.2 * hertz };
        }
    }

    /// A pseudorandom number from 0 to 1.
    fn chance(&mut self) -> f32 {
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(u16::try_from(self.state >> 16).unwrap_or(0)) / 65_536.0
    }
}
