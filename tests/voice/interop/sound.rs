//! What is said, and how it is known again: a tone by its pitch, then speech by how alike it is.

use std::f32::consts::TAU;

use crewbell_voice::audio::speech::Speech;

use crate::score::{DECIMATION, Score, Search, score, thin};

const RATE: usize = 48_000;
const TONE: usize = RATE;
const PAUSE: usize = RATE / 2;
const SPEECH: usize = 3 * RATE;
/// What is looked for to find the speech again: so much of its beginning, at 6 kHz.
const BEGINNING: usize = RATE + PAUSE;

/// Half a second of silence, a tone, half a second of silence, and speech; 48 kHz.
pub struct Said {
    pub samples: Vec<f32>,
    hertz: f32,
}

/// How much of it came.
#[derive(Debug)]
pub struct Recognised {
    pub hertz: f32,
    pub speech: Score,
}

impl Said {
    /// With a tone of this pitch, by the speaker of this number.
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

    /// Finds it again in all that was heard.
    pub fn recognise(&self, heard: &[f32]) -> Option<Recognised> {
        let at = find(self.speech(), heard)?;
        // A tenth of a second on either side: the codec and the buffers don't keep to the sample.
        let tone = heard.get((at + RATE / 10).checked_sub(PAUSE + TONE)?..(at - RATE / 10).checked_sub(PAUSE)?)?;
        let speech = score(self.speech(), heard.get(at.checked_sub(RATE / 10)?..)?);
        Some(Recognised { hertz: pitch(tone), speech })
    }

    /// Whether the tone has the pitch that it was sent with, and the speech is the same, with next to nothing missing.
    pub fn is_in(&self, recognised: &Recognised) -> bool {
        let Recognised { hertz, speech } = recognised;
        (hertz - self.hertz).abs() < 10.0 && speech.found > 0.85 && speech.gaps_ms < 100 && speech.distance_db < 4.0
    }
}

/// Where in what was heard the beginning of what was said is most alike, if it is alike at all.
fn find(said: &[f32], heard: &[f32]) -> Option<usize> {
    let (said, heard) = (thin(&said[..BEGINNING]), thin(heard));
    let (at, alike) = Search::new().find(&said, &heard)?;
    (alike > 0.4).then_some(at * DECIMATION)
}

/// In hertz: half of the zero crossings of a second.
fn pitch(samples: &[f32]) -> f32 {
    let crossings = samples.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0)).count();
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let pitch = (crossings * RATE) as f32 / (2 * samples.len().max(1)) as f32;
    pitch
}
