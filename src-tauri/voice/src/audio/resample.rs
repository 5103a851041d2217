//! Resampling from a device's sample rate to the internal one, and back.

use std::collections::VecDeque;

use rubato::{
    Async, FixedAsync, Resampler as _, ResamplerConstructionError, SincInterpolationParameters, WindowFunction,
    audioadapter_buffers::direct::InterleavedSlice,
};

/// The filter's length in taps: flat to 90 % of the lower band's edge, with half of it (1.3 ms at 48 kHz) as delay.
const TAPS: usize = 128;

/// A resampler of one channel; it does nothing if the rates are equal.
pub(super) struct Resampler {
    sinc: Option<Async<f32>>,
    /// Samples that don't fill a chunk yet.
    waiting: Vec<f32>,
    converted: Vec<f32>,
}

impl Resampler {
    /// Makes a resampler from one rate to another, in chunks of 5 ms.
    ///
    /// # Errors
    /// Returns an error if one of them is zero.
    pub(super) fn new(from: u32, to: u32) -> Result<Self, ResamplerConstructionError> {
        if from == to && from > 0 {
            return Ok(Self { sinc: None, waiting: Vec::new(), converted: Vec::new() });
        }
        let filter = SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris2);
        let chunk = usize::try_from(from / 200).unwrap_or(1).max(1);
        let sinc = Async::new_sinc(f64::from(to) / f64::from(from), 1.0, &filter, chunk, 1, FixedAsync::Input)?;
        let converted = vec![0.0; sinc.output_frames_max()];
        Ok(Self { sinc: Some(sinc), waiting: Vec::with_capacity(2 * chunk), converted })
    }

    /// Converts `samples` in whole chunks; the rest waits for the next call.
    pub(super) fn convert(&mut self, samples: &[f32], into: &mut VecDeque<f32>) {
        let Some(sinc) = &mut self.sinc else {
            into.extend(samples);
            return;
        };
        self.waiting.extend_from_slice(samples);
        loop {
            let (chunk, room) = (sinc.input_frames_next(), self.converted.len());
            if self.waiting.len() < chunk {
                return;
            }
            let (Ok(input), Ok(mut output)) = (
                InterleavedSlice::new(&self.waiting, 1, chunk),
                InterleavedSlice::new_mut(&mut self.converted, 1, room),
            ) else {
                return;
            };
            // Its only errors are buffers that are too short.
            let Ok((read, written)) = sinc.process_into_buffer(&input, &mut output, None) else { return };
            into.extend(&self.converted[..written]);
            self.waiting.drain(..read);
        }
    }
}

#[cfg(test)]
mod tests {
    use crewbell_desk::tone;

    use super::*;

    #[test]
    fn tone_keeps_its_pitch_and_loudness_at_every_rate_both_ways() {
        for (from, to) in
            [(8_000, 48_000), (16_000, 48_000), (44_100, 48_000), (48_000, 44_100), (48_000, 16_000), (96_000, 48_000)]
        {
            let mut resampler = Resampler::new(from, to).unwrap();
            let mut heard = VecDeque::new();
            let samples: Vec<f32> = (0..from)
                .map(|at| {
                    #[expect(clippy::cast_precision_loss, reason = "a second")]
                    let turns = std::f32::consts::TAU * 1_000.0 * at as f32 / from as f32;
                    0.5 * turns.sin()
                })
                .collect();
            // Devices deliver arbitrary amounts.
            for part in samples.chunks(137) {
                resampler.convert(part, &mut heard);
            }
            let heard: Vec<f32> = heard.into_iter().skip(usize::try_from(to / 100).unwrap()).collect();
            let expected = usize::try_from(to).unwrap();
            assert!((expected * 97 / 100..=expected).contains(&heard.len()), "{} of {expected}", heard.len());
            let strength = tone(&heard, to, 1_000.0);
            assert!((strength - 0.5).abs() < 0.01, "{from} to {to}: {strength}");
        }
    }

    #[test]
    fn what_a_lower_rate_cannot_hold_is_filtered_out() {
        let mut resampler = Resampler::new(48_000, 16_000).unwrap();
        let mut heard = VecDeque::new();
        let samples: Vec<f32> =
            (0_u16..48_000).map(|at| (std::f32::consts::TAU * f32::from(at % 4) / 4.0).sin()).collect();
        resampler.convert(&samples, &mut heard);
        let peak = heard.iter().skip(1_000).fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!(peak < 0.001, "{peak}");
    }

    #[test]
    fn no_rate_is_refused() {
        assert!(Resampler::new(0, 48_000).is_err() && Resampler::new(0, 0).is_err());
    }
}
