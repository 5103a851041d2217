//! Seeded random numbers.

use jiff::SignedDuration;

use crate::clock::Ids;

/// The base seed of the demo; another number makes another week.
pub(super) const SEED: u64 = 0x0005_E7E5_1117;

/// A seeded random number generator.
#[derive(Debug)]
pub(super) struct SeededRandom(Ids);

impl SeededRandom {
    /// Creates a generator from a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(Ids::seeded(seed))
    }

    /// Returns a number below `end`; 0 when `end` is 0.
    pub(super) fn below(&self, end: usize) -> usize {
        let drawn = u32::from_le_bytes(self.0.bytes());
        usize::try_from(drawn).unwrap_or_default().checked_rem(end).unwrap_or_default()
    }

    /// Returns a duration between two numbers of seconds, both included.
    pub(super) fn seconds(&self, from: i64, to: i64) -> SignedDuration {
        let span = usize::try_from(to - from + 1).unwrap_or_default();
        SignedDuration::from_secs(from + i64::try_from(self.below(span)).unwrap_or_default())
    }

    /// Returns true with a probability of `chance` percent.
    pub(super) fn percent(&self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// Returns a random item.
    pub(super) fn one<'a, T>(&self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }

    /// Returns a weighted random index; `None` when all weights are 0.
    pub(super) fn weighed(&self, weights: &[usize]) -> Option<usize> {
        let total: usize = weights.iter().sum();
        let mut left = self.below(total);
        weights.iter().position(|&weight| {
            let here = left < weight;
            left = left.saturating_sub(weight);
            here
        })
    }
}
