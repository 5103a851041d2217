//! A recording, decoded as it is played: a minute of speech would take seconds to decode at once, and an alert may come
//! meanwhile.

use std::{io::Cursor, time::Duration};

use rodio::{Decoder, Source};

/// What a guest has said, at a device's sample rate, one channel.
pub(super) struct Message {
    decoder: Decoder<Cursor<Vec<u8>>>,
    channels: u16,
    /// What its header says; zero when it doesn't.
    pub(super) duration: Duration,
    /// How many of its samples lie between two of the device's.
    step: f32,
    /// Between these two is what is heard next, `between` of the way.
    around: (f32, f32),
    between: f32,
}

impl Message {
    /// Reads a WAV's header.
    ///
    /// # Errors
    /// In words, when it is none that can be played.
    pub(super) fn read(wav: Vec<u8>, rate: u32) -> Result<Self, String> {
        let length = u64::try_from(wav.len()).unwrap_or(u64::MAX);
        let decoder = Decoder::builder()
            .with_data(Cursor::new(wav))
            .with_byte_len(length)
            .with_hint("wav")
            .build()
            .map_err(|_| "The recording is damaged: it can't be read.".to_owned())?;
        Ok(Self {
            channels: decoder.channels().get(),
            duration: decoder.total_duration().unwrap_or_default(),
            step: hertz(decoder.sample_rate().get()) / hertz(rate),
            decoder,
            around: (0.0, 0.0),
            between: 1.0,
        })
    }

    /// The mean of its channels.
    fn frame(&mut self) -> Option<f32> {
        let mut sum = 0.0;
        for _ in 0..self.channels {
            sum += self.decoder.next()?;
        }
        Some(sum / f32::from(self.channels))
    }
}

impl Iterator for Message {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        // A straight line between two samples: speech has little where that errs.
        while self.between >= 1.0 {
            self.around = (self.around.1, self.frame()?);
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
