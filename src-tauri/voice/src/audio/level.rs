//! Level metering and gain.

use super::BLOCK;

/// The level that is reported for silence.
pub const SILENCE_DBFS: f32 = -96.0;

/// A peak meter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Peak(f32);

impl Peak {
    pub(super) fn hear(&mut self, block: &[f32; BLOCK]) {
        self.0 = block.iter().fold(self.0, |peak, sample| peak.max(sample.abs()));
    }

    /// The peak since the last call, in dBFS, from [`SILENCE_DBFS`] to 0 and a little more.
    pub(super) fn take(&mut self) -> f32 {
        (20.0 * std::mem::take(&mut self.0).max(1e-9).log10()).max(SILENCE_DBFS)
    }
}

/// A gain that changes without a click.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fader(f32);

impl Fader {
    pub(super) fn new(gain: f32) -> Self {
        Self(gain)
    }

    /// Applies a ramp from the previous gain to `gain`.
    pub(super) fn apply(&mut self, block: &mut [f32; BLOCK], gain: f32) {
        let (from, to) = (std::mem::replace(&mut self.0, gain), gain);
        for (at, sample) in (0_u16..).zip(block) {
            *sample *= from + (to - from) * f32::from(at) / 480.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_is_that_of_all_since_it_was_asked_for() {
        let mut peak = Peak::default();
        let mut block = [0.0; BLOCK];
        block[7] = -0.5;
        peak.hear(&block);
        peak.hear(&[0.1; BLOCK]);
        assert!((peak.take() + 6.02).abs() < 0.01);
        assert!((peak.take() - SILENCE_DBFS).abs() < 1e-6);
    }

    #[test]
    fn loudness_changes_within_a_block_without_a_step() {
        let mut fader = Fader::new(1.0);
        let mut block = [1.0; BLOCK];
        fader.apply(&mut block, 0.0);
        assert!(block.windows(2).all(|pair| pair[0] - pair[1] < 0.01) && block[479] < 0.01 && block[0] > 0.99);
        let mut block = [1.0; BLOCK];
        fader.apply(&mut block, 0.0);
        assert!(block.iter().all(|sample| *sample <= 0.0));
    }
}
