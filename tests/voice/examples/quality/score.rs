//! Comparison of recorded speech with the original.

use std::f32::consts::TAU;

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex32};

/// Delay of the devices: the loudspeaker's recording begins with its first period (10 ms), which is heard one period
/// (10 ms) after it was taken.
const DEVICES_MS: f32 = 20.0;
/// Decimation for the correlation: every eighth sample, 6 kHz.
pub const DECIMATION: usize = 8;
/// Length of a stretch that is searched for as a whole: 320 ms.
const STRETCH: usize = 15_360;
/// Maximum delay that is searched: 700 ms.
const FARTHEST: usize = 33_600;
/// Length of a spectrum's window: 21 ms.
const WINDOW: usize = 1_024;
/// RMS thresholds: a louder block of the original is speech, and a softer block of the recording is a gap in it.
const SPOKEN: f32 = 0.02;
const GAP: f32 = 0.001;

/// Similarity of a recording to its original.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// Mouth-to-ear delay, devices included: the median, and the 95th percentile.
    pub delay_ms: f32,
    pub delay_95_ms: f32,
    /// The median delay in the recordings, in samples.
    pub shift: usize,
    /// Duration of speech for which nothing was heard.
    pub gaps_ms: usize,
    /// Log-spectral distance: 0 is identical, 2 hardly audible, 10 very different.
    pub distance_db: f32,
    /// Fraction of the speech that was found again.
    pub found: f32,
}

/// Compares a recording with the original.
pub fn score(said: &[f32], heard: &[f32]) -> Score {
    let (mut delays, mut distances, mut gaps, mut spoken) = (Vec::new(), Vec::new(), 0, 0);
    let (said_thin, heard_thin, mut search) = (thin(said), thin(heard), Search::new());
    let spectra = RealFftPlanner::new().plan_fft_forward(WINDOW);
    let mut from = 0;
    while from + STRETCH <= said.len() {
        let stretch = &said[from..from + STRETCH];
        if rms(stretch) > SPOKEN {
            spoken += 1;
            let from_thin = from / DECIMATION;
            let until = heard_thin.len().min(from_thin + (STRETCH + FARTHEST) / DECIMATION);
            let there = heard_thin.get(from_thin..until).unwrap_or_default();
            if let Some((shift, alike)) = search.find(&said_thin[from_thin..][..STRETCH / DECIMATION], there)
                && alike > 0.5
            {
                let shift = shift * DECIMATION;
                delays.push(milliseconds(shift) + DEVICES_MS);
                let there = &heard[from + shift..(from + shift + STRETCH).min(heard.len())];
                for (said, heard) in stretch.chunks_exact(WINDOW).zip(there.chunks_exact(WINDOW)) {
                    if rms(said) > SPOKEN {
                        distances.push(distance(&*spectra, said, heard));
                    }
                }
            }
        }
        from += STRETCH / 2;
    }
    delays.sort_by(f32::total_cmp);
    let at = |percent: usize| delays.get(delays.len() * percent / 100).copied().unwrap_or(f32::NAN);
    // Gaps are measured at the median delay, since missing sound can't be searched for.
    let shift = samples((at(50) - DEVICES_MS).max(0.0));
    for (number, block) in said.chunks_exact(480).enumerate() {
        // A word may come up to 10 ms earlier or later than the median.
        let from = (number * 480 + shift).saturating_sub(480);
        let heard = heard.get(from..from + 1_440).unwrap_or_default();
        gaps += usize::from(rms(block) > SPOKEN && rms(heard) < GAP) * 10;
    }
    Score {
        delay_ms: at(50),
        delay_95_ms: at(95),
        shift,
        gaps_ms: gaps,
        distance_db: mean(&distances),
        found: ratio(delays.len(), spoken.max(1)),
    }
}

/// Finds a stretch of the original in the recording by correlation, both decimated ([`thin`]). Caches the transforms of
/// each length.
pub struct Search(RealFftPlanner<f32>);

impl Search {
    pub fn new() -> Self {
        Self(RealFftPlanner::new())
    }

    /// Returns the offset in `heard` at which the whole stretch fits best, in samples, and the normalised correlation
    /// (1: identical). Costs as much as three transforms.
    pub fn find(&mut self, stretch: &[f32], heard: &[f32]) -> Option<(usize, f32)> {
        let length = (stretch.len() + heard.len()).next_power_of_two();
        let (forward, backward) = (self.0.plan_fft_forward(length), self.0.plan_fft_inverse(length));
        // The correlation theorem: one spectrum times the other's conjugate, transformed back.
        let mut product = spectrum(&*forward, heard.iter().copied());
        for (line, said) in product.iter_mut().zip(spectrum(&*forward, stretch.iter().copied())) {
            *line *= said.conj();
        }
        let mut products = backward.make_output_vec();
        backward.process(&mut product, &mut products).ok()?;

        let square = |sample: &f32| f64::from(*sample).powi(2);
        let own: f64 = stretch.iter().map(square).sum();
        let mut theirs: f64 = heard.get(..stretch.len())?.iter().map(square).sum();
        let alike = (0..=heard.len() - stretch.len()).map(|at| {
            // A floor of -50 dB: in near-silence the transforms' rounding errors would correlate with anything.
            let norm = (own * theirs.max(own * 1e-5)).sqrt().max(1e-9);
            // Slides the energy window to the next offset.
            theirs += heard.get(at + stretch.len()).map_or(0.0, square) - square(&heard[at]);
            (at, single(f64::from(products[at] / ratio(length, 1)) / norm))
        });
        alike.max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Returns the spectrum of a window that begins with these samples and is padded with silence.
fn spectrum(transform: &dyn RealToComplex<f32>, samples: impl Iterator<Item = f32>) -> Vec<Complex32> {
    let mut window = transform.make_input_vec();
    window.iter_mut().zip(samples).for_each(|(there, sample)| *there = sample);
    let mut lines = transform.make_output_vec();
    assert!(transform.process(&mut window, &mut lines).is_ok(), "the buffers are the transform's own");
    lines
}

/// Decimates samples: the mean of each eight.
pub fn thin(samples: &[f32]) -> Vec<f32> {
    samples.chunks_exact(DECIMATION).map(mean).collect()
}

/// Returns the distance of two spectra below 8 kHz in dB, after normalising their loudness. Parts that are 40 dB below
/// the loudest are masked and don't count.
fn distance(spectra: &dyn RealToComplex<f32>, said: &[f32], heard: &[f32]) -> f32 {
    let gain = rms(said) / rms(heard).max(1e-5);
    let (said, heard) = (powers(spectra, said, 1.0), powers(spectra, heard, gain));
    let floor = said.iter().fold(0.0_f32, |peak, power| peak.max(*power)) * 1e-4;
    let squares: Vec<f32> = said
        .chunks(4)
        .zip(heard.chunks(4))
        .map(|(a, b)| (10.0 * (mean(a).max(floor) / mean(b).max(floor)).log10()).powi(2))
        .collect();
    mean(&squares).sqrt()
}

/// Returns the power in each of the 170 bins below 8 kHz, under a Hann window.
fn powers(spectra: &dyn RealToComplex<f32>, samples: &[f32], gain: f32) -> Vec<f32> {
    let under = |(at, sample): (usize, &f32)| gain * sample * (0.5 - 0.5 * (TAU * ratio(at, WINDOW)).cos());
    let lines = spectrum(spectra, samples.iter().enumerate().map(under));
    lines.iter().take(WINDOW * 8_000 / 48_000).map(Complex32::norm_sqr).collect()
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / ratio(values.len().max(1), 1)
}

fn rms(samples: &[f32]) -> f32 {
    let squares: f32 = samples.iter().map(|sample| sample * sample).sum();
    (squares / ratio(samples.len().max(1), 1)).sqrt()
}

#[expect(clippy::cast_precision_loss, reason = "minutes of sound at most")]
fn ratio(part: usize, whole: usize) -> f32 {
    part as f32 / whole as f32
}

fn milliseconds(samples: usize) -> f32 {
    ratio(samples, 48)
}

#[expect(clippy::cast_possible_truncation, reason = "a part of 1")]
fn single(part: f64) -> f32 {
    part as f32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a second, and not negative")]
fn samples(ms: f32) -> usize {
    (ms * 48.0) as usize
}
