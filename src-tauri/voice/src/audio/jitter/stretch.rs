//! Time stretching by one or a few pitch periods without a change of pitch: the waveform is overlapped with itself at
//! the point of greatest similarity (WSOLA).

use super::{MS, Ticks};

/// The length of comparison and overlap: 10 ms.
const OVERLAP: usize = 480;
/// The shortest shift: a voice of 400 Hz.
const LEAST: usize = 120;
/// The longest shift: a voice of 100 Hz, or two periods of a higher one.
const MOST: usize = 480;
/// The step of the coarse search.
const COARSE: usize = 4;
/// The level below which changes are inaudible: about -54 dBFS.
const QUIET: f32 = 0.002;
/// The minimum similarity for sound above that level.
const ALIKE: f32 = 0.6;

/// Removes one shift from 20 ms or more. Returns its length; 0 if it would be audible and isn't `urgent`.
pub(crate) fn shorten(samples: &mut Vec<f32>, urgent: bool) -> Ticks {
    let Some(shift) = shift(samples, urgent) else { return 0 };
    for at in 0..OVERLAP {
        samples[at] = mix(samples[at], samples[at + shift], at);
    }
    samples.drain(OVERLAP..OVERLAP + shift);
    ticks(shift)
}

/// Inserts one shift into 20 ms or more; as [`shorten`].
pub(crate) fn lengthen(samples: &mut Vec<f32>, urgent: bool) -> Ticks {
    let Some(shift) = shift(samples, urgent) else { return 0 };
    // Plays up to `shift`, then again from the beginning.
    let again: Vec<f32> = (0..OVERLAP).map(|at| mix(samples[at + shift], samples[at], at)).collect();
    samples.splice(shift..OVERLAP, again);
    ticks(shift)
}

/// The shift of greatest similarity.
fn shift(samples: &[f32], urgent: bool) -> Option<usize> {
    if samples.len() < OVERLAP + MOST {
        return None;
    }
    let energy = |samples: &[f32]| samples.iter().map(|sample| sample * sample).sum::<f32>();
    let here = &samples[..OVERLAP];
    if energy(&samples[..OVERLAP + MOST]) < QUIET * QUIET * 960.0 {
        return Some(MOST);
    }
    let likeness = |shift: usize| {
        let there = &samples[shift..shift + OVERLAP];
        let product: f32 = here.iter().zip(there).map(|(a, b)| a * b).sum();
        product / (energy(here) * energy(there)).sqrt().max(1e-9)
    };
    let best = |shifts: &mut dyn Iterator<Item = usize>| {
        shifts.map(|shift| (shift, likeness(shift))).max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let (coarse, _) = best(&mut (LEAST..=MOST).step_by(COARSE))?;
    let (shift, alike) = best(&mut ((coarse.saturating_sub(COARSE)).max(LEAST)..=(coarse + COARSE).min(MOST)))?;
    (urgent || alike > ALIKE).then_some(shift)
}

/// Crossfades linearly from `old` to `new`.
fn mix(old: f32, new: f32, at: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "less than 480")]
    let part = at as f32 / OVERLAP as f32;
    old + (new - old) * part
}

fn ticks(samples: usize) -> Ticks {
    Ticks::try_from(samples).unwrap_or(10 * MS)
}

#[cfg(test)]
mod tests {
    use crewbell_desk::tone;

    use super::*;

    fn voiced(hertz: f32, samples: usize) -> Vec<f32> {
        (0..samples)
            .map(|at| {
                #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
                let turns = std::f32::consts::TAU * hertz * at as f32 / 48_000.0;
                0.3 * turns.sin() + 0.1 * (2.0 * turns).sin()
            })
            .collect()
    }

    fn steepest(samples: &[f32]) -> f32 {
        samples.windows(2).fold(0.0, |steepest, pair| (pair[1] - pair[0]).abs().max(steepest))
    }

    #[test]
    fn voice_becomes_shorter_and_longer_by_whole_periods_with_its_pitch_and_no_click() {
        for hertz in [110.0, 180.0, 240.0] {
            let original = voiced(hertz, 4_800);
            let (mut shorter, mut longer) = (original.clone(), original.clone());
            let (less, more) = (shorten(&mut shorter, false), lengthen(&mut longer, false));
            assert!(less > 0 && more > 0, "{hertz} Hz: {less} and {more}");
            assert_eq!(shorter.len(), 4_800 - usize::try_from(less).unwrap());
            assert_eq!(longer.len(), 4_800 + usize::try_from(more).unwrap());
            for changed in [&shorter, &longer] {
                assert!((tone(changed, 48_000, hertz) - 0.3).abs() < 0.02, "{hertz} Hz");
                assert!(steepest(changed) < 1.05 * steepest(&original), "{hertz} Hz: a click");
            }
        }
    }

    #[test]
    fn noise_is_left_alone_unless_it_is_urgent_and_silence_is_not() {
        let mut state = 7_u32;
        let noise: Vec<f32> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from(i16::try_from(state >> 17).unwrap()) / 32_768.0 - 0.25
        })
        .take(960)
        .map(|sample| sample * 0.5 - 0.06)
        .collect();
        let mean = noise.iter().sum::<f32>() / 960.0;
        let noise: Vec<f32> = noise.into_iter().map(|sample| sample - mean).collect();
        assert_eq!(shorten(&mut noise.clone(), false), 0);
        assert!(shorten(&mut noise.clone(), true) > 0);
        let mut silence = vec![0.0; 960];
        assert_eq!(shorten(&mut silence, false), 480);
        assert_eq!(lengthen(&mut vec![0.0; 960], false), 480);
        assert_eq!(lengthen(&mut vec![0.0; 700], true), 0, "too little to compare");
    }
}
