//! The four alert sounds, synthesised: no files that could be missing, and equal on every device.
//!
//! | priority | notes | period | reason |
//! |---|---|---|---|
//! | low | 659 → 523 Hz, 450 ms each, falling | 8 s | a falling third, slow and soft: noticeable, not urgent |
//! | normal | 784 → 1047 Hz, 300 ms each, rising | 4 s | a rising fourth, an inverted doorbell: somebody waits |
//! | high | 1319, 1319, 1568 Hz, 120 ms each, twice | 2 s | short and quick, higher than the two before: urgent |
//! | emergency | 1000 / 1600 Hz alternating, 200 ms each | without a pause | see below |
//!
//! They differ in pitch, direction, number of notes and pace, so that any one of these alone identifies them, also on a
//! loudspeaker without bass and for ears that hear little above 3 kHz. ISO 7731 requires a danger signal's main energy
//! between 500 and 2500 Hz, some of it below 1500 Hz for people hard of hearing, and its pitch or loudness to change
//! 0.5 to 4 times a second; engines and wind are loudest below 500 Hz. 1000 and 1600 Hz lie in that range, more than
//! half an octave apart and in no musical ratio, changing 2.5 times a second, with harmonics up to 4800 Hz where small
//! loudspeakers are strongest.
//!
//! Every note rises over 10 ms and falls to zero, to avoid clicks. The three that are not alarms decay like a struck
//! bell.

use std::{f32::consts::TAU, sync::Arc};

use crewbell_shared::request::Priority;

/// The peak amplitude: below full scale, so that a converter's resampling can't clip it.
const PEAK: f32 = 0.9;
/// The length of a note's fades. A shorter onset is heard as a click, a longer one is blurred.
const EDGE_MS: u16 = 10;

/// A sound at a device's sample rate.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// The samples of one repetition, one channel.
    pub(super) samples: Arc<[f32]>,
    /// The distance between the starts of two repetitions, in samples; the rest of it is silence.
    pub(super) period: usize,
    /// The gains of the first repetitions; the last value stays. The increase avoids startling people nearby, but soon
    /// reaches those far away.
    pub(super) growth: &'static [f32],
}

/// Synthesises a priority's sound for a device with a sample rate of `rate`.
pub(super) fn pattern(priority: Priority, rate: u32) -> Pattern {
    const GROWING: &[f32] = &[0.4, 0.6, 0.8, 1.0];
    let (notes, period_ms, growth): (&[Note], _, _) = match priority {
        Priority::Low => (&[bell(659.3, 450), bell(523.3, 450)], 8_000, GROWING),
        Priority::Normal => (&[bell(784.0, 300), bell(1046.5, 300)], 4_000, GROWING),
        Priority::High => {
            let (low, high, rest) = (bell(1318.5, 120), bell(1568.0, 120), Note { hertz: 0.0, ms: 120, fades: false });
            (&[low, low, high, rest, low, low, high], 2_000, GROWING)
        }
        Priority::Emergency => {
            let tone = |hertz| Note { hertz, ms: 200, fades: false };
            (&[tone(1000.0), tone(1600.0)], 400, &[1.0])
        }
    };
    let mut pattern = melody(notes, period_ms, growth, rate);
    if priority == Priority::Emergency {
        // Continuous to the sample, however the rate rounds.
        pattern.period = pattern.samples.len();
    }
    pattern
}

/// Synthesises notes for a device with a sample rate of `rate`.
pub(super) fn melody(notes: &[Note], period_ms: u16, growth: &'static [f32], rate: u32) -> Pattern {
    let mut samples: Vec<f32> = notes.iter().flat_map(|note| note.samples(rate)).collect();
    let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    for sample in &mut samples {
        *sample *= PEAK / peak;
    }
    Pattern { samples: samples.into(), period: frames(period_ms, rate), growth }
}

/// The number of samples in a duration.
pub(super) fn frames(ms: u16, rate: u32) -> usize {
    usize::try_from(u64::from(ms) * u64::from(rate) / 1000).unwrap_or(usize::MAX)
}

/// A note of a melody.
#[derive(Clone, Copy)]
pub(super) struct Note {
    /// The pitch; 0 is a rest.
    pub(super) hertz: f32,
    pub(super) ms: u16,
    /// Whether it decays like a struck bell; otherwise it is sustained.
    pub(super) fades: bool,
}

/// Makes a note that decays.
pub(super) const fn bell(hertz: f32, ms: u16) -> Note {
    Note { hertz, ms, fades: true }
}

impl Note {
    fn samples(self, rate: u32) -> impl Iterator<Item = f32> {
        let (length, edge) = (frames(self.ms, rate), frames(EDGE_MS, rate));
        (0..length).map(move |at| {
            let turns = TAU * self.hertz * seconds(at, rate);
            let wave = turns.sin() + 0.3 * (2.0 * turns).sin() + 0.15 * (3.0 * turns).sin();
            // A bell decays to a twentieth by its end.
            let fading = if self.fades { (-3.0 * ratio(at, length)).exp() } else { 1.0 };
            wave * fading * ramp(at, edge) * ramp(length - 1 - at, edge)
        })
    }
}

/// A cosine ramp from 0 to 1 over `edge` samples.
fn ramp(at: usize, edge: usize) -> f32 {
    if at >= edge { 1.0 } else { 0.5 - 0.5 * (ratio(at, edge) * TAU / 2.0).cos() }
}

#[expect(clippy::cast_precision_loss, reason = "a note has fewer samples than an f32 counts exactly")]
fn ratio(part: usize, whole: usize) -> f32 {
    part as f32 / whole as f32
}

#[expect(clippy::cast_precision_loss, reason = "a note has fewer samples than an f32 counts exactly")]
fn seconds(at: usize, rate: u32) -> f32 {
    at as f32 / rate as f32
}

#[cfg(test)]
mod tests {
    use crewbell_desk::tone;

    use super::*;

    const RATES: [u32; 4] = [16_000, 44_100, 48_000, 96_000];

    fn note(pattern: &Pattern, rate: u32, from_ms: u16, ms: u16) -> &[f32] {
        &pattern.samples[frames(from_ms, rate)..frames(from_ms + ms, rate)]
    }

    #[test]
    fn no_sound_clips_or_clicks_or_pushes_the_membrane() {
        for (priority, rate) in Priority::ALL.into_iter().flat_map(|priority| RATES.map(|rate| (priority, rate))) {
            let samples = pattern(priority, rate).samples;
            let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            assert!((peak - PEAK).abs() < 1e-4, "{priority:?} at {rate}: peak {peak}");
            let mean = samples.iter().sum::<f32>() * ratio(1, samples.len());
            assert!(mean.abs() < 1e-3, "{priority:?} at {rate}: mean {mean}");
            let (first, last) = (samples[0], samples[samples.len() - 1]);
            assert!(first == 0.0 && last.abs() < 1e-6, "{priority:?} at {rate}: from {first} to {last}");
            // A soft onset: in its first millisecond a sound stays below a twentieth of its peak.
            let onset = samples[..frames(1, rate)].iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            assert!(onset < PEAK / 20.0, "{priority:?} at {rate}: begins with {onset}");
        }
    }

    #[test]
    fn sounds_last_and_repeat_as_long_as_is_said() {
        for rate in RATES {
            let lengths = Priority::ALL.map(|priority| {
                let sound = pattern(priority, rate);
                (sound.samples.len(), sound.period)
            });
            let ms = |ms| frames(ms, rate);
            let expected = [
                (2 * ms(450), ms(8_000)),
                (2 * ms(300), ms(4_000)),
                (7 * ms(120), ms(2_000)),
                // Without a pause.
                (2 * ms(200), 2 * ms(200)),
            ];
            assert_eq!(lengths, expected);
        }
    }

    #[test]
    fn each_note_has_its_pitch() {
        let notes: [(Priority, u16, &[f32]); 4] = [
            (Priority::Low, 450, &[659.3, 523.3]),
            (Priority::Normal, 300, &[784.0, 1046.5]),
            (Priority::High, 120, &[1318.5, 1318.5, 1568.0, 0.0, 1318.5, 1318.5, 1568.0]),
            (Priority::Emergency, 200, &[1000.0, 1600.0]),
        ];
        let pitches = [523.3, 659.3, 784.0, 1000.0, 1046.5, 1318.5, 1568.0, 1600.0];
        for rate in RATES {
            for (priority, ms, hertz) in notes {
                let sound = pattern(priority, rate);
                for (at, hertz) in (0..).zip(hertz).filter(|(_, hertz)| **hertz > 0.0) {
                    let heard = note(&sound, rate, at * ms, ms);
                    let strongest =
                        pitches.into_iter().max_by(|a, b| tone(heard, rate, *a).total_cmp(&tone(heard, rate, *b)));
                    assert_eq!(strongest, Some(*hertz), "{priority:?} at {rate}, note {at}");
                }
            }
        }
    }

    #[test]
    fn emergency_is_the_strongest_and_full_at_once() {
        let power = |priority| {
            let sound = pattern(priority, 48_000);
            let period = sound.period.max(sound.samples.len());
            sound.samples.iter().map(|sample| sample * sample).sum::<f32>() * ratio(1, period)
        };
        let powers = Priority::ALL.map(power);
        assert!(powers.is_sorted(), "{powers:?}");
        assert_eq!(pattern(Priority::Emergency, 48_000).growth, [1.0]);
        assert!(pattern(Priority::High, 48_000).growth[0] < 0.5);
    }
}
