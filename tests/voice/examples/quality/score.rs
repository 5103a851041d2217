//! What was heard compared with what was said.

use std::f32::consts::TAU;

/// What devices add: what is recorded of a loudspeaker begins with its first period (10 ms), which is heard one period (10 ms)
/// after it was taken.
const DEVICES_MS: f32 = 20.0;
/// Correlation works on every eighth sample: 6 kHz.
const DECIMATION: usize = 8;
/// A stretch that is found again as a whole: 320 ms.
const STRETCH: usize = 15_360;
/// Looked for as far as this: 700 ms.
const FARTHEST: usize = 33_600;
/// A spectrum: 21 ms.
const WINDOW: usize = 1_024;
/// What is said louder is speech; what is heard softer where there is speech is a gap.
const SPOKEN: f32 = 0.02;
const GAP: f32 = 0.001;

/// How alike they are.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// From the mouth to the ear, devices included: the median, and what nineteen of twenty are below.
    pub delay_ms: f32,
    pub delay_95_ms: f32,
    /// The median in the recordings, in samples.
    pub shift: usize,
    /// Where there was speech and nothing was heard.
    pub gaps_ms: usize,
    /// Log-spectral distance: 0 is the same, 2 hardly to be heard, 10 unlike.
    pub distance_db: f32,
    /// Which part of the speech was found again.
    pub found: f32,
}

/// Compares them.
pub fn score(said: &[f32], heard: &[f32]) -> Score {
    let (mut delays, mut distances, mut gaps, mut spoken) = (Vec::new(), Vec::new(), 0, 0);
    let (said_thin, heard_thin) = (thin(said), thin(heard));
    let mut from = 0;
    while from + STRETCH <= said.len() {
        let stretch = &said[from..from + STRETCH];
        if rms(stretch) > SPOKEN {
            spoken += 1;
            if let Some((shift, alike)) = find(&said_thin, &heard_thin, from)
                && alike > 0.5
            {
                delays.push(milliseconds(shift) + DEVICES_MS);
                let there = &heard[from + shift..(from + shift + STRETCH).min(heard.len())];
                for (said, heard) in stretch.chunks_exact(WINDOW).zip(there.chunks_exact(WINDOW)) {
                    if rms(said) > SPOKEN {
                        distances.push(distance(said, heard));
                    }
                }
            }
        }
        from += STRETCH / 2;
    }
    delays.sort_by(f32::total_cmp);
    let at = |percent: usize| delays.get(delays.len() * percent / 100).copied().unwrap_or(f32::NAN);
    // Gaps by the median shift: what is missing can't be found.
    let shift = samples((at(50) - DEVICES_MS).max(0.0));
    for (number, block) in said.chunks_exact(480).enumerate() {
        // A word may come a little sooner or later than the others: from 10 ms before to 10 ms after.
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

/// By how many samples later a stretch of what was said is found in what was heard, and how alike they are (1: the same).
fn find(said: &[f32], heard: &[f32], from: usize) -> Option<(usize, f32)> {
    let stretch = said.get(from / DECIMATION..(from + STRETCH) / DECIMATION)?;
    let energy: f32 = stretch.iter().map(|sample| sample * sample).sum();
    let shifts = 0..FARTHEST / DECIMATION;
    let alike = shifts.filter_map(|shift| {
        let there = heard.get(from / DECIMATION + shift..from / DECIMATION + shift + stretch.len())?;
        let product: f32 = stretch.iter().zip(there).map(|(a, b)| a * b).sum();
        let theirs: f32 = there.iter().map(|sample| sample * sample).sum();
        Some((shift * DECIMATION, product / (energy * theirs).sqrt().max(1e-9)))
    });
    alike.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Every eighth sample of the mean of eight.
fn thin(samples: &[f32]) -> Vec<f32> {
    samples.chunks_exact(DECIMATION).map(mean).collect()
}

/// How far two spectra are apart below 8 kHz, in dB, after their loudness was made the same. What is 40 dB below the
/// loudest isn't heard beside it.
fn distance(said: &[f32], heard: &[f32]) -> f32 {
    let gain = rms(said) / rms(heard).max(1e-5);
    let (said, heard) = (spectrum(said, 1.0), spectrum(heard, gain));
    let floor = said.iter().fold(0.0_f32, |peak, power| peak.max(*power)) * 1e-4;
    let squares: Vec<f32> = said
        .chunks(4)
        .zip(heard.chunks(4))
        .map(|(a, b)| (10.0 * (mean(a).max(floor) / mean(b).max(floor)).log10()).powi(2))
        .collect();
    mean(&squares).sqrt()
}

/// The power in each of the 170 lines below 8 kHz, under a Hann window.
fn spectrum(samples: &[f32], gain: f32) -> Vec<f32> {
    let (mut real, mut imaginary) = (vec![0.0; WINDOW], vec![0.0; WINDOW]);
    for (at, sample) in samples.iter().enumerate() {
        real[at] = gain * sample * (0.5 - 0.5 * (TAU * ratio(at, WINDOW)).cos());
    }
    transform(&mut real, &mut imaginary);
    real.iter().zip(&imaginary).take(WINDOW * 8_000 / 48_000).map(|(a, b)| a * a + b * b).collect()
}

/// The fast Fourier transform, in place (Cooley and Tukey).
fn transform(real: &mut [f32], imaginary: &mut [f32]) {
    let length = real.len();
    let bits = length.trailing_zeros();
    for at in 0..length {
        let mirrored = at.reverse_bits() >> (usize::BITS - bits);
        if at < mirrored {
            real.swap(at, mirrored);
            imaginary.swap(at, mirrored);
        }
    }
    let mut half = 1;
    while half < length {
        for start in (0..length).step_by(2 * half) {
            for at in start..start + half {
                let angle = -TAU / 2.0 * ratio(at - start, half);
                let (cos, sin) = (angle.cos(), angle.sin());
                let (a, b) = (at, at + half);
                let (x, y) = (real[b] * cos - imaginary[b] * sin, real[b] * sin + imaginary[b] * cos);
                (real[b], imaginary[b]) = (real[a] - x, imaginary[a] - y);
                (real[a], imaginary[a]) = (real[a] + x, imaginary[a] + y);
            }
        }
        half *= 2;
    }
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

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a second, and not negative")]
fn samples(ms: f32) -> usize {
    (ms * 48.0) as usize
}
