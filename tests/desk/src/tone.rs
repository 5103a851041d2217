//! Tone detection in samples.

use std::f32::consts::TAU;

/// Returns the amplitude of the tone of `hertz` in `samples`, `rate` of them a second, as of a steady sine (Goertzel's
/// algorithm). It separates tones that differ by more than the inverse of the samples' duration.
pub fn tone(samples: &[f32], rate: u32, hertz: f32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "neither rates nor lengths are beyond what an f32 counts exactly")]
    let (rate, length) = (rate as f32, samples.len().max(1) as f32);
    let turn = TAU * hertz / rate;
    let feedback = 2.0 * turn.cos();
    let (last, before) =
        samples.iter().fold((0.0, 0.0), |(last, before), sample| (sample + feedback * last - before, last));
    (last * last + before * before - feedback * last * before).max(0.0).sqrt() * 2.0 / length
}
