//! Processing of the microphone's sound: echo cancellation, noise suppression, gain control.
//!
//! The echo canceller compares the microphone's sound with the loudspeaker's actual output: after volume and
//! resampling, including the silence of underruns. Both are fed in blocks of 10 ms.

use std::fmt;

use sonora::{
    AudioProcessing, Config, StreamConfig,
    config::{
        AdaptiveDigital, EchoCanceller, GainController2, MaxProcessingRate, NoiseSuppression, NoiseSuppressionLevel,
        Pipeline,
    },
};

use super::{BLOCK, RATE};

/// The choice of processing stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Treatment {
    /// Whether echo is cancelled.
    pub echo: bool,
    /// Whether noise, such as engines and wind, is suppressed.
    pub noise: bool,
    /// Whether quiet voices are amplified.
    pub gain: bool,
}

impl Default for Treatment {
    fn default() -> Self {
        Self { echo: true, noise: true, gain: true }
    }
}

/// The processing chain; see the module.
pub struct Processing {
    sonora: AudioProcessing,
    /// Sonora's output for the loudspeaker's sound; discarded.
    unheard: [f32; BLOCK],
}

impl Processing {
    /// Makes the chain in its initial state: the echo canceller needs a second or two of sound to adapt.
    pub fn new(treatment: Treatment) -> Self {
        let stream = StreamConfig::new(RATE, 1);
        let gain = AdaptiveDigital { initial_gain_db: 6.0, max_gain_db: 30.0, ..AdaptiveDigital::default() };
        let config = Config {
            // The bands above 16 kHz are sent too, and splitting at 32 kHz would need resampling twice.
            pipeline: Pipeline {
                maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
                ..Pipeline::default()
            },
            echo_canceller: treatment.echo.then(EchoCanceller::default),
            noise_suppression: treatment
                .noise
                .then(|| NoiseSuppression { level: NoiseSuppressionLevel::Moderate, ..NoiseSuppression::default() }),
            gain_controller2: treatment
                .gain
                .then(|| GainController2 { adaptive_digital: Some(gain), ..GainController2::default() }),
            ..Config::default()
        };
        let sonora = AudioProcessing::builder().config(config).capture_config(stream).render_config(stream).build();
        Self { sonora, unheard: [0.0; BLOCK] }
    }

    /// Feeds the loudspeaker's output as the echo reference.
    pub fn played(&mut self, block: &[f32; BLOCK]) {
        if let Err(error) = self.sonora.process_render_f32(&[block], &mut [&mut self.unheard]) {
            tracing::debug!(?error, "the echo canceller refused a block");
        }
    }

    /// Processes the microphone's sound in place.
    ///
    /// `delay_ms` is the minimum time from feeding a block to [`Processing::played`] to its echo here.
    pub fn heard(&mut self, block: &mut [f32; BLOCK], delay_ms: i32) {
        // The library reports a delay out of range and clamps it.
        let _clamped = self.sonora.set_stream_delay_ms(delay_ms);
        let raw = *block;
        if let Err(error) = self.sonora.process_capture_f32(&[&raw], &mut [block]) {
            tracing::debug!(?error, "the microphone's sound goes out as it is");
            *block = raw;
        }
    }
}

impl fmt::Debug for Processing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processing").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::speech::Speech;

    /// A simulated room: output comes back after 35 ms by three paths, 10 dB softer.
    struct Room {
        played: Vec<f32>,
        at: usize,
    }

    impl Room {
        const WAYS: [(usize, f32); 3] = [(1_680, 0.3), (1_851, -0.12), (2_560, 0.06)];

        fn echo(&mut self, block: &[f32; BLOCK]) -> [f32; BLOCK] {
            self.played.extend(block);
            let echo = std::array::from_fn(|at| {
                let way = |(delay, gain): (usize, f32)| {
                    (self.at + at).checked_sub(delay).map_or(0.0, |at| self.played[at] * gain)
                };
                Self::WAYS.into_iter().map(way).sum()
            });
            self.at += BLOCK;
            echo
        }
    }

    fn decibel(of: &[f32], to: &[f32]) -> f32 {
        let power = |samples: &[f32]| samples.iter().map(|sample| sample * sample).sum::<f32>().max(1e-12);
        10.0 * (power(of) / power(to)).log10()
    }

    /// The maximum correlation of two sounds at shifts of up to 20 ms: 1 if equal.
    fn likeness(a: &[f32], b: &[f32]) -> f32 {
        (0..960)
            .map(|shift| {
                let (a, b) = (&a[..a.len() - 960], &b[shift..b.len() - 960 + shift]);
                let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
                dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1e-9)
            })
            .fold(0.0, f32::max)
    }

    #[test]
    fn echo_is_taken_out_and_who_speaks_here_is_heard() {
        let mut processing = Processing::new(Treatment { gain: false, ..Treatment::default() });
        let (mut far, mut near, mut room) = (Speech::new(1), Speech::new(9), Room { played: Vec::new(), at: 0 });
        let (mut echoes, mut left, mut said, mut sent) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for number in 0..1_800 {
            let played = far.block();
            processing.played(&played);
            let echo = room.echo(&played);
            // From the twelfth second on both sides speak.
            let voice = if number < 1_200 { [0.0; BLOCK] } else { near.block().map(|sample| sample * 0.7) };
            let mut heard: [f32; BLOCK] = std::array::from_fn(|at| echo[at] + voice[at]);
            processing.heard(&mut heard, 0);
            if (600..1_200).contains(&number) {
                echoes.extend(echo);
                left.extend(heard);
            } else if number >= 1_300 {
                said.extend(voice);
                sent.extend(heard);
            }
        }
        let (attenuated, kept, alike) = (decibel(&echoes, &left), decibel(&sent, &said), likeness(&said, &sent));
        println!(
            "echo {attenuated:.1} dB softer; in double talk the voice's level changes by {kept:.1} dB, alike by {alike:.2}"
        );
        assert!(attenuated > 25.0, "{attenuated} dB");
        assert!(kept > -6.0 && alike > 0.5, "{kept} dB, {alike}");
    }

    #[test]
    fn without_the_canceller_the_echo_goes_out() {
        let mut processing = Processing::new(Treatment { echo: false, noise: false, gain: false });
        let (mut far, mut room) = (Speech::new(1), Room { played: Vec::new(), at: 0 });
        let (mut echoes, mut left) = (Vec::new(), Vec::new());
        for _ in 0..600 {
            let played = far.block();
            processing.played(&played);
            let mut heard = room.echo(&played);
            echoes.extend(heard);
            processing.heard(&mut heard, 0);
            left.extend(heard);
        }
        let attenuated = decibel(&echoes, &left);
        assert!(attenuated.abs() < 1.0, "{attenuated} dB");
    }

    #[test]
    fn steady_noise_becomes_softer_and_a_soft_voice_louder() {
        let mut processing = Processing::new(Treatment { gain: false, ..Treatment::default() });
        let mut state = 5_u32;
        let mut hiss = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (f32::from(u16::try_from(state >> 16).unwrap()) / 65_536.0 - 0.5) * 0.02
        };
        let (mut noise, mut left) = (Vec::new(), Vec::new());
        for number in 0..800 {
            let mut block: [f32; BLOCK] = std::array::from_fn(|_| hiss());
            if number >= 400 {
                noise.extend(block);
            }
            processing.heard(&mut block, 0);
            if number >= 400 {
                left.extend(block);
            }
        }
        let softer = decibel(&noise, &left);

        let mut processing = Processing::new(Treatment::default());
        let mut speech = Speech::new(4);
        let (mut said, mut sent) = (Vec::new(), Vec::new());
        for number in 0..1_000 {
            let mut block = speech.block().map(|sample| sample * 0.05);
            if number >= 600 {
                said.extend(block);
            }
            processing.heard(&mut block, 0);
            if number >= 600 {
                sent.extend(block);
            }
        }
        let louder = decibel(&sent, &said);
        println!("noise {softer:.1} dB softer, a soft voice {louder:.1} dB louder");
        assert!(softer > 8.0 && louder > 6.0, "{softer} and {louder} dB");
    }
}
