//! Conversion of device recordings to WAV.

use std::io::Cursor;

use hound::{SampleFormat, WavSpec, WavWriter};

/// Format of device recordings: 16-bit PCM, one channel, 16 kHz.
const SPEC: WavSpec =
    WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format: SampleFormat::Int };

/// Silence between two recordings, in samples: 0.4 s.
const PAUSE: usize = 6_400;

/// Maximum number of samples of a WAV file, whose lengths in bytes, with a header of 44, are 32-bit numbers.
const MOST: usize = (u32::MAX as usize - 44) / 2;

/// Error of a conversion to WAV. It doesn't contain the recording, because it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unplayable {
    /// The format is not supported.
    #[error("the format isn't known")]
    UnknownFormat,
    /// The format is `wav`, but the bytes are not a WAV file.
    #[error("it is no WAV file")]
    NotWav,
    /// The recording exceeds the 4 GiB of a WAV file.
    #[error("it is too long")]
    TooLong,
}

/// Converts a recording to a WAV file of 16-bit PCM, one channel, 16 kHz. A WAV file is returned unchanged.
///
/// Formats, in any case: `adpcm` is IMA ADPCM with 4 bits a sample, without header or blocks, the low nibble first;
/// `pcm` and `pcm16` are 16-bit samples, low byte first, of which an odd byte at the end is dropped; `wav`.
///
/// # Errors
/// Returns an error if the format isn't supported, or the bytes don't match it.
pub fn to_wav(format: &str, bytes: &[u8]) -> Result<Vec<u8>, Unplayable> {
    match format.to_ascii_lowercase().as_str() {
        "wav" if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WAVE") => Ok(bytes.to_vec()),
        "wav" => Err(Unplayable::NotWav),
        other => wav(&samples(other, bytes)?),
    }
}

/// Joins recordings into one WAV file, with a short silence between them. Recordings that can't be converted are left
/// out.
///
/// # Errors
/// Returns the last error if no recording can be converted, or `NotWav` if there are none.
pub fn together(recordings: &[(String, Vec<u8>)]) -> Result<Vec<u8>, Unplayable> {
    if let [(format, bytes)] = recordings {
        return to_wav(format, bytes);
    }
    let mut all = Vec::new();
    let mut failed = Unplayable::NotWav;
    for (format, bytes) in recordings {
        match samples(format, bytes) {
            Ok(samples) => {
                if !all.is_empty() {
                    all.resize(all.len() + PAUSE, 0);
                }
                all.extend(samples);
            }
            Err(error) => failed = error,
        }
    }
    if all.is_empty() { Err(failed) } else { wav(&all) }
}

/// Decodes a recording to samples: 16-bit, one channel, 16 kHz.
fn samples(format: &str, bytes: &[u8]) -> Result<Vec<i16>, Unplayable> {
    match format.to_ascii_lowercase().as_str() {
        "adpcm" => Ok(adpcm(bytes)),
        "pcm" | "pcm16" => Ok(pcm(bytes)),
        // Only with the header that this program and most devices write: other rates aren't resampled. Unlike hound's
        // reader, this ignores the lengths in it.
        "wav" => {
            let ours = wav(&[])?;
            let begins = bytes.get(8..40).zip(ours.get(8..40)).is_some_and(|(begins, ours)| begins == ours);
            let data = bytes.get(44..).filter(|_| begins && bytes.starts_with(b"RIFF"));
            data.map(pcm).ok_or(Unplayable::NotWav)
        }
        _ => Err(Unplayable::UnknownFormat),
    }
}

/// Builds a WAV file from samples.
fn wav(samples: &[i16]) -> Result<Vec<u8>, Unplayable> {
    if samples.len() > MOST {
        return Err(Unplayable::TooLong);
    }
    let mut file = Cursor::new(Vec::new());
    let written = WavWriter::new(&mut file, SPEC).and_then(|mut writer| {
        samples.iter().try_for_each(|&sample| writer.write_sample(sample))?;
        writer.finalize()
    });
    written.map_err(|_| Unplayable::TooLong)?;
    Ok(file.into_inner())
}

/// Decodes 16-bit samples, low byte first.
fn pcm(bytes: &[u8]) -> Vec<i16> {
    bytes.as_chunks().0.iter().copied().map(i16::from_le_bytes).collect()
}

/// Decodes IMA ADPCM.
fn adpcm(bytes: &[u8]) -> Vec<i16> {
    let mut state = Ima::default();
    bytes.iter().flat_map(|byte| [byte & 0x0f, byte >> 4]).map(|nibble| state.decode(nibble)).collect()
}

/// IMA ADPCM decoder (Interactive Multimedia Association, "Recommended Practices for Enhancing Digital Audio
/// Compatibility in Multimedia Systems", revision 3.00, 1992, section 6); the same as Intel's DVI (RFC 3551, 4.5.1).
/// Predictor and index begin at 0.
#[derive(Debug, Default)]
struct Ima {
    predictor: i16,
    index: usize,
}

impl Ima {
    /// Decodes the next sample. A nibble is a sign and a magnitude of three bits, in eighths of the step.
    fn decode(&mut self, nibble: u8) -> i16 {
        let step = i32::from(STEPS[self.index]);
        // The reference adds shifted steps instead of multiplying, and so must every decoder, to the last bit.
        let mut difference = step >> 3;
        for (bit, part) in [(4, step), (2, step >> 1), (1, step >> 2)] {
            if nibble & bit != 0 {
                difference += part;
            }
        }
        let sample = i32::from(self.predictor) + if nibble & 8 == 0 { difference } else { -difference };
        let bounded = sample.clamp(i32::from(i16::MIN), i32::from(i16::MAX));
        self.predictor = i16::try_from(bounded).unwrap_or_default();
        self.index = match nibble & 7 {
            magnitude @ 4..=7 => (self.index + 2 * usize::from(magnitude - 3)).min(STEPS.len() - 1),
            _ => self.index.saturating_sub(1),
        };
        self.predictor
    }
}

/// Step sizes, each about 1.1 times the previous one.
const STEPS: [i16; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107,
    118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963,
    1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894,
    6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794,
    32767,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wav: &[u8]) -> Vec<i16> {
        pcm(&wav[44..])
    }

    /// Encodes as the reference encoder does: the greatest magnitude that doesn't overshoot, with a decoder in step.
    fn encode(samples: &[i16]) -> Vec<u8> {
        let mut state = Ima::default();
        let mut nibble = |sample: i16| {
            let mut step = i32::from(STEPS[state.index]);
            let difference = i32::from(sample) - i32::from(state.predictor);
            let (mut nibble, mut left) = (if difference < 0 { 8 } else { 0 }, difference.abs());
            for bit in [4, 2, 1] {
                if left >= step {
                    nibble |= bit;
                    left -= step;
                }
                step >>= 1;
            }
            state.decode(nibble);
            nibble
        };
        samples.chunks(2).map(|pair| nibble(pair[0]) | nibble(pair[1]) << 4).collect()
    }

    /// Test vector made with the `audioop` module of Python 3.11, which is Jack Jansen's implementation of the standard
    /// (with the nibbles swapped, for it takes the high one first). Covers both bounds of the samples and of the steps.
    #[test]
    fn adpcm_decodes_as_the_reference_does_to_the_last_bit() {
        let adpcm = [0x00, 0x08, 0x7f, 0xf7, 0x77, 0x77, 0x77, 0x8f, 0xff, 0xff, 0xff, 0x12, 0x34, 0x9a, 0xbc, 0xde];
        let expected = [
            0, 0, 0, 0, -11, 19, 82, -54, 239, 870, 2227, 5137, 11373, 24745, -3921, -8016, -32768, -32768, -32768,
            -32768, -32768, -32768, -12290, -1118, 29353, 32767, 14146, 3990, -23710, -32768, -32768, -32768,
        ];
        assert_eq!(read(&to_wav("ADPCM", &adpcm).unwrap()), expected);
    }

    #[test]
    fn a_tone_comes_through_adpcm_as_the_same_tone() {
        // A second of 440 Hz at half of full scale.
        #[expect(clippy::cast_possible_truncation, reason = "within a sample's bounds")]
        let tone: Vec<i16> = (0..16_000)
            .map(|n| (16_384.0 * (f64::from(n) * 440.0 * std::f64::consts::TAU / 16_000.0).sin()) as i16)
            .collect();
        let adpcm = encode(&tone);
        assert_eq!(adpcm.len(), 8000);
        let heard = read(&to_wav("adpcm", &adpcm).unwrap());
        let power = |sample: f64| sample * sample;
        let signal: f64 = tone.iter().map(|&sample| power(sample.into())).sum();
        let noise: f64 = tone.iter().zip(&heard).map(|(&a, &b)| power(f64::from(a) - f64::from(b))).sum();
        let ratio = 10.0 * (signal / noise).log10();
        assert!(ratio > 30.0, "{ratio} dB");
    }

    #[test]
    fn a_wav_file_says_what_is_in_it() {
        let wav = to_wav("pcm", &[1, 2, 3, 4, 5]).unwrap();
        let expected = [
            b"RIFF".as_slice(),
            &40_u32.to_le_bytes(),
            b"WAVEfmt ",
            &16_u32.to_le_bytes(),
            &[1, 0, 1, 0],
            &16_000_u32.to_le_bytes(),
            &32_000_u32.to_le_bytes(),
            &[2, 0, 16, 0],
            b"data",
            &4_u32.to_le_bytes(),
            &[1, 2, 3, 4],
        ];
        assert_eq!(wav, expected.concat());
        assert_eq!(to_wav("pcm16", &[1, 2, 3, 4]), Ok(wav.clone()));
        assert_eq!(to_wav("wav", &wav), Ok(wav), "what is WAV stays as it is");
    }

    #[test]
    fn several_recordings_are_one_sound_with_a_silence_between() {
        let one = || ("pcm".to_owned(), vec![1, 1, 2, 2]);
        let wav_of = ("wav".to_owned(), to_wav("pcm", &[3, 3]).unwrap());
        let opus = ("opus".to_owned(), b"OggS".to_vec());
        let sound = together(&[one(), opus.clone(), wav_of]).unwrap();
        assert_eq!(sound.len(), 44 + 4 + 2 * PAUSE + 2);
        assert_eq!((&sound[44..48], &sound[48 + 2 * PAUSE..]), (&[1, 1, 2, 2][..], &[3, 3][..]));
        assert_eq!(together(&[one()]), to_wav("pcm", &[1, 1, 2, 2]));
        assert_eq!(together(&[opus.clone(), opus]), Err(Unplayable::UnknownFormat));
        assert_eq!(together(&[]), Err(Unplayable::NotWav));
    }

    #[test]
    fn nothing_said_is_an_empty_sound() {
        for format in ["adpcm", "pcm"] {
            assert_eq!(to_wav(format, &[]).unwrap().len(), 44);
        }
    }

    #[test]
    fn what_is_not_what_it_says_is_refused() {
        assert_eq!(to_wav("wav", b"RIFF\0\0\0\0AVI LIST"), Err(Unplayable::NotWav));
        assert_eq!(to_wav("wav", b"RIFF"), Err(Unplayable::NotWav));
        assert_eq!(to_wav("opus", b"OggS"), Err(Unplayable::UnknownFormat));
    }
}
