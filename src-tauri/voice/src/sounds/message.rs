//! Voice messages, decoded before playback, because decoders allocate and a device's thread may not. A minute of PCM
//! takes some milliseconds, in an unoptimised build some hundred.

use std::{io::Cursor, time::Duration};

use rodio::{Decoder, Source};

/// A decoded message, resampled to a device's rate, one channel.
pub(super) struct Message {
    /// The samples, as the mean of the channels.
    samples: Vec<f32>,
    at: usize,
    /// The duration in the header; zero if it has none.
    pub(super) duration: Duration,
    /// The number of source samples per output sample.
    step: f32,
    /// The two source samples around the next output sample; `between` is the position between them.
    around: (f32, f32),
    between: f32,
}

impl Message {
    /// Decodes a WAV.
    ///
    /// # Errors
    /// Returns the reason, fit to show, if it can't be played.
    pub(super) fn read(wav: Vec<u8>, rate: u32) -> Result<Self, String> {
        let length = u64::try_from(wav.len()).unwrap_or(u64::MAX);
        let mut decoder = Decoder::builder()
            .with_data(Cursor::new(wav))
            .with_byte_len(length)
            .with_hint("wav")
            .build()
            .map_err(|_| "The recording is damaged: it can't be read.".to_owned())?;
        let (channels, duration) = (decoder.channels().get(), decoder.total_duration().unwrap_or_default());
        let step = hertz(decoder.sample_rate().get()) / hertz(rate);
        let mut samples = Vec::new();
        while let Some(sample) = frame(&mut decoder, channels) {
            samples.push(sample);
        }
        Ok(Self { samples, at: 0, duration, step, around: (0.0, 0.0), between: 1.0 })
    }
}

/// The mean of the channels of the next frame.
fn frame(decoder: &mut impl Iterator<Item = f32>, channels: u16) -> Option<f32> {
    let mut sum = 0.0;
    for _ in 0..channels {
        sum += decoder.next()?;
    }
    Some(sum / f32::from(channels))
}

impl Iterator for Message {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        // Linear interpolation suffices for speech.
        while self.between >= 1.0 {
            self.around = (self.around.1, *self.samples.get(self.at)?);
            self.at += 1;
            self.between -= 1.0;
        }
        let (before, after) = self.around;
        let sample = before + (after - before) * self.between;
        self.between += self.step;
        Some(sample)
    }
}

#[expect(clippy::cast_precision_loss, reason = "no sample rate is beyond what an f32 counts exactly")]
fn hertz(rate: u32) -> f32 {
    rate as f32
}

#[cfg(test)]
pub(super) mod tests {
    use crewbell_desk::tone;
    use hound::{SampleFormat, WavSpec, WavWriter};
    use proptest::prelude::*;

    use super::*;

    /// A WAV in the server's format, with a tone of `hertz`.
    pub(in super::super) fn wav(hertz: f32, ms: u16) -> Vec<u8> {
        let mut wav = Cursor::new(Vec::new());
        let spec = WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let mut writer = WavWriter::new(&mut wav, spec).unwrap();
        for at in 0..u32::from(ms) * 16 {
            #[expect(clippy::cast_possible_truncation, reason = "half of full scale fits")]
            let sample = (16_384.0 * (std::f32::consts::TAU * hertz * super::hertz(at) / 16_000.0).sin()) as i16;
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
        wav.into_inner()
    }

    #[test]
    fn speech_keeps_its_pitch_and_length_at_every_rate() {
        for rate in [8_000, 16_000, 44_100, 48_000, 96_000] {
            let message = Message::read(wav(440.0, 500), rate).unwrap();
            assert_eq!(message.duration, Duration::from_millis(500));
            let samples: Vec<f32> = message.collect();
            let expected = usize::try_from(rate / 2).unwrap();
            assert!(samples.len().abs_diff(expected) <= 12, "{} samples at {rate}", samples.len());
            let strength = tone(&samples, rate, 440.0);
            assert!((strength - 0.5).abs() < 0.02, "{strength} at {rate}");
            assert!(tone(&samples, rate, 880.0) < 0.02);
        }
    }

    #[test]
    fn what_is_no_recording_is_refused_in_words() {
        for wav in [Vec::new(), b"RIFF".to_vec(), b"<html>not found</html>".to_vec(), wav(440.0, 100)[..30].to_vec()] {
            let why = Message::read(wav, 48_000).err();
            assert_eq!(why.as_deref(), Some("The recording is damaged: it can't be read."));
        }
    }

    proptest! {
        #[test]
        fn damaged_recordings_end_without_a_panic(
            damage in proptest::collection::vec((0_usize..200, any::<u8>()), 1..6),
            cut in 0_usize..3_300,
        ) {
            let mut wav = wav(440.0, 100);
            for (at, byte) in damage {
                wav[at % 44] = byte;
            }
            wav.truncate(cut);
            if let Ok(message) = Message::read(wav, 48_000) {
                // A corrupt sample rate makes it long, but finite.
                prop_assert!(message.take(100_000).all(f32::is_finite));
            }
        }
    }
}
