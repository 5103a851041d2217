//! The Opus codec (RFC 6716) with a call's settings: 48 kHz, mono, 20 ms, about 32 kbit/s, discontinuous in silence.

use bytes::Bytes;
use opus::{Application, Bitrate, Channels, Signal};

use super::{FRAME, RATE};
use crate::Packet;

/// The longest packet: 120 ms.
const LONGEST: usize = 6 * FRAME;
/// The maximum size of a frame (RFC 6716, section 3.2.1), plus the byte before it.
const GREATEST: usize = 1_276;
/// The minimum loss rate to expect, until the first report and after: Wi-Fi always loses a little.
const LEAST_LOSS: f32 = 0.05;
/// The loss rate beyond which Opus adds no more redundancy.
const MOST_LOSS: f32 = 0.3;
/// The smoothing factor for a decreasing loss rate. Increases apply at once.
const TRUST: f32 = 0.125;

/// An error of Opus: the library is broken, or out of memory, or a packet isn't Opus.
#[derive(Debug, thiserror::Error)]
#[error("Opus: {0}")]
pub struct CodecError(#[from] opus::Error);

/// An encoder of one person's speech.
#[derive(Debug)]
pub struct Encoder {
    opus: opus::Encoder,
    bytes: Box<[u8; GREATEST]>,
    sequence: u16,
    timestamp: u32,
    loss: f32,
}

impl Encoder {
    /// Makes an encoder; its first packet has these numbers.
    ///
    /// # Errors
    /// Returns an error if memory is exhausted.
    pub fn new(sequence: u16, timestamp: u32) -> Result<Self, CodecError> {
        let mut opus = opus::Encoder::new(RATE, Channels::Mono, Application::Voip)?;
        opus.set_bitrate(Bitrate::Bits(32_000))?;
        opus.set_signal(Signal::Voice)?;
        opus.set_inband_fec(true)?;
        opus.set_dtx(true)?;
        let mut encoder = Self { opus, bytes: Box::new([0; GREATEST]), sequence, timestamp, loss: LEAST_LOSS };
        encoder.apply()?;
        Ok(encoder)
    }

    /// Sets the packet loss rate, 0 to 1, as the other side last reported it; redundancy depends on it.
    ///
    /// # Errors
    /// None that is known.
    pub fn expect_loss(&mut self, loss: f32) -> Result<(), CodecError> {
        if !loss.is_finite() {
            return Ok(());
        }
        let loss = loss.clamp(LEAST_LOSS, MOST_LOSS);
        self.loss = if loss > self.loss { loss } else { self.loss + (loss - self.loss) * TRUST };
        self.apply()
    }

    /// Encodes the next 20 ms. In silence it returns none (DTX), except a packet every 400 ms.
    ///
    /// # Errors
    /// None that is known.
    pub fn encode(&mut self, frame: &[f32; FRAME]) -> Result<Option<Packet>, CodecError> {
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(FRAME_TICKS);
        let length = self.opus.encode_float(frame, self.bytes.as_mut_slice())?;
        // "If the return value is 2 bytes or less, then the packet does not need to be transmitted."
        if length <= 2 {
            return Ok(None);
        }
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Ok(Some(Packet { sequence, timestamp, payload: Bytes::copy_from_slice(&self.bytes[..length]) }))
    }

    /// Advances the timestamp by frames that were missed.
    pub fn skip(&mut self, frames: u32) {
        self.timestamp = self.timestamp.wrapping_add(FRAME_TICKS.wrapping_mul(frames));
    }

    fn apply(&mut self) -> Result<(), CodecError> {
        #[expect(clippy::cast_possible_truncation, reason = "from 5 to 30")]
        let percent = (self.loss * 100.0).round() as i32;
        Ok(self.opus.set_packet_loss_perc(percent)?)
    }
}

const FRAME_TICKS: u32 = 960;

/// A decoder with loss concealment.
#[derive(Debug)]
pub struct Decoder {
    opus: opus::Decoder,
    samples: Box<[f32]>,
}

impl Decoder {
    /// Makes a decoder in its initial state.
    ///
    /// # Errors
    /// Returns an error if memory is exhausted.
    pub fn new() -> Result<Self, CodecError> {
        Ok(Self { opus: opus::Decoder::new(RATE, Channels::Mono)?, samples: vec![0.0; LONGEST].into_boxed_slice() })
    }

    /// Decodes a packet.
    ///
    /// # Errors
    /// Returns an error if it isn't Opus.
    pub fn decode(&mut self, payload: &[u8]) -> Result<&[f32], CodecError> {
        let length = self.opus.decode_float(payload, &mut self.samples, false)?;
        Ok(&self.samples[..length])
    }

    /// Decodes the last `samples` before a packet from the redundancy in it, if the packet before it is lost.
    ///
    /// # Errors
    /// Returns an error if it isn't Opus.
    pub fn recover(&mut self, next: &[u8], samples: usize) -> Result<&[f32], CodecError> {
        let length = self.opus.decode_float(next, &mut self.samples[..samples.min(LONGEST)], true)?;
        Ok(&self.samples[..length])
    }

    /// Conceals the next `samples` by extrapolation, which fades out. In the sender's silence it makes comfort noise.
    ///
    /// # Errors
    /// Returns an error if `samples` is no multiple of 2.5 ms.
    pub fn conceal(&mut self, samples: usize) -> Result<&[f32], CodecError> {
        let length = self.opus.decode_float(&[], &mut self.samples[..samples.min(LONGEST)], false)?;
        Ok(&self.samples[..length])
    }
}

/// The number of samples in a packet at 48 kHz; none if it isn't Opus.
pub(super) fn duration(payload: &[u8]) -> Option<i64> {
    if payload.is_empty() || payload.len() > GREATEST * 6 {
        return None;
    }
    i64::try_from(opus::packet::get_nb_samples(payload, RATE).ok()?).ok().filter(|samples| *samples > 0)
}

/// Whether a packet contains its predecessor's redundancy (LBRR; RFC 6716, sections 3.1 and 4.2.4). Only detected in
/// packets of one mono frame of 10 or 20 ms; false for others.
pub(super) fn has_redundancy(payload: &[u8]) -> bool {
    let [toc, first, ..] = payload else { return false };
    let (config, stereo, code) = (toc >> 3, toc & 0b100 != 0, toc & 0b11);
    // SILK of 10 and 20 ms is 0, 1, 4, 5, 8, 9; hybrid is 12 to 15; CELT has none.
    let short_silk = matches!(config, 0 | 1 | 4 | 5 | 8 | 9 | 12..=15);
    // The first bit is the voice activity flag, the second the redundancy flag.
    short_silk && !stereo && code == 0 && first & 0b0100_0000 != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::speech::Speech;

    fn packets(frames: usize, loss: f32) -> Vec<Packet> {
        let mut encoder = Encoder::new(65_530, u32::MAX - 5_000).unwrap();
        encoder.expect_loss(loss).unwrap();
        let mut speech = Speech::new(1);
        (0..frames).filter_map(|_| encoder.encode(&speech.frame()).unwrap()).collect()
    }

    #[test]
    fn speech_takes_about_32_kbit_a_second_and_its_numbers_wrap() {
        let packets = packets(500, 0.0);
        let bytes: usize = packets.iter().map(|packet| packet.payload.len()).sum();
        let rate = bytes * 8 * 50 / packets.len();
        println!("{rate} bit/s while it is spoken");
        assert!((20_000..40_000).contains(&rate), "{rate}");
        for pair in packets.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
            let gap = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
            assert!(gap >= FRAME_TICKS && gap.is_multiple_of(FRAME_TICKS), "{gap}");
        }
        assert!(packets.iter().all(|packet| duration(&packet.payload) == Some(960)));
    }

    #[test]
    fn silence_is_hardly_sent() {
        let mut encoder = Encoder::new(0, 0).unwrap();
        let sent = (0..500).filter_map(|_| encoder.encode(&[0.0; FRAME]).unwrap()).count();
        assert!((10..60).contains(&sent), "{sent} of 500");
        // The timestamp advances.
        let mut speech = Speech::new(1);
        let packet = (0..50).find_map(|_| encoder.encode(&speech.frame()).unwrap()).unwrap();
        assert!(packet.timestamp >= 500 * FRAME_TICKS && usize::from(packet.sequence) == sent);
    }

    #[test]
    fn lost_frame_is_recovered_from_the_next_better_than_concealed() {
        let packets = packets(300, 0.2);
        let (mut with, mut without, mut whole) =
            (Decoder::new().unwrap(), Decoder::new().unwrap(), Decoder::new().unwrap());
        let (mut recovered, mut concealed, mut lost) = (0.0, 0.0, 0);
        for (number, packet) in packets.iter().enumerate() {
            let original = whole.decode(&packet.payload).unwrap().to_vec();
            let error = |heard: &[f32]| heard.iter().zip(&original).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
            match packets.get(number + 1) {
                Some(next) if number % 10 == 5 && has_redundancy(&next.payload) => {
                    lost += 1;
                    recovered += error(with.recover(&next.payload, FRAME).unwrap());
                    concealed += error(without.conceal(FRAME).unwrap());
                }
                Some(_) | None => {
                    with.decode(&packet.payload).unwrap();
                    without.decode(&packet.payload).unwrap();
                }
            }
        }
        println!("of {lost} lost frames: error {recovered} recovered, {concealed} concealed");
        assert!(lost > 10 && recovered < 0.6 * concealed, "{lost}: {recovered} and {concealed}");
    }

    #[test]
    fn redundancy_grows_with_the_loss_that_is_reported_and_falls_slowly() {
        let mut encoder = Encoder::new(0, 0).unwrap();
        let percent = |encoder: &mut Encoder| encoder.opus.get_packet_loss_perc().unwrap();
        assert_eq!(percent(&mut encoder), 5);
        encoder.expect_loss(0.2).unwrap();
        assert_eq!(percent(&mut encoder), 20);
        encoder.expect_loss(0.0).unwrap();
        assert_eq!(percent(&mut encoder), 18);
        for _ in 0..60 {
            encoder.expect_loss(0.0).unwrap();
        }
        assert_eq!(percent(&mut encoder), 5);
        encoder.expect_loss(f32::NAN).unwrap();
        encoder.expect_loss(7.0).unwrap();
        assert_eq!(percent(&mut encoder), 30);
        let redundant = |packets: &[Packet]| packets.iter().filter(|packet| has_redundancy(&packet.payload)).count();
        let (few, many) = (redundant(&packets(300, 0.0)), redundant(&packets(300, 0.3)));
        assert!(few <= many && many > 100, "{few} and {many} packets with redundancy");
    }

    #[test]
    fn what_is_no_opus_is_refused_without_a_panic() {
        let mut decoder = Decoder::new().unwrap();
        for bad in [&[][..], &[0xff], &[0xff; 3], &[0x03, 0xff, 0x00]] {
            if duration(bad).is_some() {
                drop(decoder.decode(bad).map(<[f32]>::len));
            }
        }
        assert_eq!(duration(&[]), None);
        assert_eq!(duration(&vec![0; 9_000]), None);
    }
}
