//! The sound that each end sends, and its recognition: a tone by its pitch, then speech by correlation.

use std::f32::consts::TAU;

use crewbell_voice::audio::speech::Speech;

use crate::score::{DECIMATION, Score, Search, score, thin};

const RATE: usize = 48_000;
const TONE: usize = RATE;
const PAUSE: usize = RATE / 2;
const SPEECH: usize = 3 * RATE;
/// Length of the beginning of the speech that is searched for at 6 kHz.
const BEGINNING: usize = RATE + PAUSE;

/// Half a second of silence, a tone, half a second of silence, and speech; 48 kHz.
pub struct Said {
    pub samples: Vec<f32>,
    hertz: f32,
}

/// The parts of a sound that were recognised.
#[derive(Debug)]
pub struct Recognised {
    pub hertz: f32,
    pub speech: Score,
}

impl Said {
    /// Creates a sound with a tone of this pitch and speech of this speaker.
    pub fn new(hertz: u16, speaker: u32) -> Self {
        let hertz = f32::from(hertz);
        let mut phase = 0.0_f32;
        let tone = std::iter::repeat_with(move || {
            phase = (phase + hertz / 48_000.0).fract();
            0.3 * (TAU * phase).sin()
        });
        let mut speech = Speech::new(speaker);
        let silence = || std::iter::repeat_n(0.0, PAUSE);
        let speech = std::iter::repeat_with(move || speech.sample()).take(SPEECH);
        let samples = silence().chain(tone.take(TONE)).chain(silence()).chain(speech).collect();
        Self { samples, hertz }
    }

    fn speech(&self) -> &[f32] {
        &self.samples[PAUSE + TONE + PAUSE..]
    }

    /// Finds the sound in a recording.
    pub fn recognise(&self, heard: &[f32]) -> Option<Recognised> {
        let at = find(self.speech(), heard)?;
        // A margin of a tenth of a second on either side: the codec and the buffers aren't exact to the sample.
        let tone = heard.get((at + RATE / 10).checked_sub(PAUSE + TONE)?..(at - RATE / 10).checked_sub(PAUSE)?)?;
        let speech = score(self.speech(), heard.get(at.checked_sub(RATE / 10)?..)?);
        Some(Recognised { hertz: pitch(tone), speech })
    }

    /// Returns whether the tone has its original pitch, and the speech is the original with almost no gaps.
    pub fn is_in(&self, recognised: &Recognised) -> bool {
        let Recognised { hertz, speech } = recognised;
        (hertz - self.hertz).abs() < 10.0 && speech.found > 0.85 && speech.gaps_ms < 100 && speech.distance_db < 4.0
    }
}

/// Returns the offset at which a recording correlates best with the beginning of the speech; `None` if the correlation
/// is low.
fn find(said: &[f32], heard: &[f32]) -> Option<usize> {
    let (said, heard) = (thin(&said[..BEGINNING]), thin(heard));
    let (at, alike) = Search::new().find(&said, &heard)?;
    (alike > 0.4).then_some(at * DECIMATION)
}

/// Returns the pitch in hertz: half of the zero crossings per second.
fn pitch(samples: &[f32]) -> f32 {
    let crossings = samples.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0)).count();
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let pitch = (crossings * RATE) as f32 / (2 * samples.len().max(1)) as f32;
    pitch
}
