//! Unwrapping of sequence numbers and timestamps.

/// Unwraps a number of 16 or 32 bits on the wire.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unwrapped(Option<i64>);

impl Unwrapped {
    /// Unwraps a sequence number to the value that is nearest to the last.
    pub(super) fn sequence(&self, wire: u16) -> i64 {
        self.0.map_or(i64::from(wire), |last| {
            let low = u16::try_from(last.rem_euclid(1 << 16)).unwrap_or_default();
            last + i64::from(wire.wrapping_sub(low).cast_signed())
        })
    }

    /// Unwraps a timestamp, as `sequence`.
    pub(super) fn timestamp(&self, wire: u32) -> i64 {
        self.0.map_or(i64::from(wire), |last| {
            let low = u32::try_from(last.rem_euclid(1 << 32)).unwrap_or_default();
            last + i64::from(wire.wrapping_sub(low).cast_signed())
        })
    }

    /// Sets the last value, unless it was later.
    pub(super) fn advance(&mut self, number: i64) {
        self.0 = Some(self.0.map_or(number, |last| last.max(number)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_go_on_over_the_wrap(start in any::<u16>(), steps in proptest::collection::vec(-300_i64..900, 1..500)) {
            let (mut unwrapped, mut truth) = (Unwrapped::default(), i64::from(start));
            for step in steps {
                let wire = u16::try_from(truth.rem_euclid(65_536)).unwrap();
                prop_assert_eq!(unwrapped.sequence(wire), truth);
                unwrapped.advance(truth);
                truth += step;
            }
        }

        #[test]
        fn times_go_on_over_the_wrap(start in u32::MAX - 50_000.., steps in proptest::collection::vec(-9_600_i64..90_000, 1..99)) {
            let (mut unwrapped, mut truth) = (Unwrapped::default(), i64::from(start));
            for step in steps {
                let wire = u32::try_from(truth.rem_euclid(1 << 32)).unwrap();
                prop_assert_eq!(unwrapped.timestamp(wire), truth);
                unwrapped.advance(truth);
                truth += step;
            }
        }
    }
}
