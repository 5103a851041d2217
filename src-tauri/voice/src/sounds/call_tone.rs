//! The tones of a call before it is answered, synthesised like the alerts.
//!
//! | tone | listener | notes | period |
//! |---|---|---|---|
//! | ring | the callee | 698, 880, 1175, 880 Hz, 110 ms each, twice: a chord up and down | 2.6 s, until stopped |
//! | ringback | the caller | 425 Hz, 1 s | 5 s, until stopped |
//! | busy | the caller | 425 Hz, 480 ms | 960 ms, five times |
//!
//! The ring shares no pitch with an alert, and no alert reverses in its middle, so that a colleague's call isn't
//! mistaken for a guest's. Ringback and busy are those of European networks (ITU-T E.180, supplement 2), softer than
//! the ring, because they are held to an ear.

use super::pattern::{Note, Pattern, bell, melody};

/// A tone of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallTone {
    /// Ring: an incoming call.
    Ring,
    /// Ringback: the outgoing call rings.
    Ringback,
    /// Busy: the callee is in another call, or set to busy.
    Busy,
}

impl CallTone {
    /// The number of repetitions; none if it repeats until stopped.
    pub(super) fn times(self) -> Option<usize> {
        match self {
            Self::Ring | Self::Ringback => None,
            Self::Busy => Some(5),
        }
    }

    /// Synthesises the tone for a device with a sample rate of `rate`.
    pub(super) fn pattern(self, rate: u32) -> Pattern {
        const SOFT: &[f32] = &[0.35];
        let steady = |ms| Note { hertz: 425.0, ms, fades: false };
        match self {
            Self::Ring => {
                let (low, middle, high) = (bell(698.5, 110), bell(880.0, 110), bell(1174.7, 110));
                let notes = [low, middle, high, middle, low, middle, high, middle];
                melody(&notes, 2_600, &[0.5, 0.75, 1.0], rate)
            }
            Self::Ringback => melody(&[steady(1_000)], 5_000, SOFT, rate),
            Self::Busy => melody(&[steady(480)], 960, SOFT, rate),
        }
    }
}

#[cfg(test)]
mod tests {
    use crewbell_desk::tone;
    use crewbell_shared::request::Priority;

    use super::{
        super::pattern::{frames, pattern},
        *,
    };

    #[test]
    fn tones_have_their_pitch_length_and_pace_at_every_rate() {
        for rate in [16_000, 44_100, 48_000, 96_000] {
            let ring = CallTone::Ring.pattern(rate);
            assert_eq!((ring.samples.len(), ring.period), (8 * frames(110, rate), frames(2_600, rate)));
            for (at, hertz) in (0..).zip([698.5, 880.0, 1174.7, 880.0, 698.5, 880.0, 1174.7, 880.0]) {
                let note = &ring.samples[frames(at * 110, rate)..frames(at * 110, rate) + frames(110, rate)];
                let others = [523.3, 784.0, 1000.0, 1318.5, 1568.0];
                assert!(others.iter().all(|other| tone(note, rate, hertz) > tone(note, rate, *other)), "note {at}");
            }
            for (sound, ms, period_ms) in [(CallTone::Ringback, 1_000, 5_000), (CallTone::Busy, 480, 960)] {
                let pattern = sound.pattern(rate);
                assert_eq!((pattern.samples.len(), pattern.period), (frames(ms, rate), frames(period_ms, rate)));
                assert!(tone(&pattern.samples, rate, 425.0) > 0.5);
            }
        }
    }

    #[test]
    fn ring_is_none_of_the_alerts() {
        // The share of a sound's power at each of all pitches.
        let pitches = [523.3, 659.3, 698.5, 784.0, 880.0, 1000.0, 1046.5, 1174.7, 1318.5, 1568.0, 1600.0];
        let picture = |samples: &[f32]| pitches.map(|hertz| tone(samples, 48_000, hertz));
        let likeness = |a: [f32; 11], b: [f32; 11]| {
            let dot = |a: [f32; 11], b: [f32; 11]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        };
        let ring = picture(&CallTone::Ring.pattern(48_000).samples);
        for priority in Priority::ALL {
            let alike = likeness(ring, picture(&pattern(priority, 48_000).samples));
            assert!(alike < 0.4, "{priority:?}: {alike}");
        }
    }
}
