//! Tones, sent and known again.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crewbell_voice::Packet;
use crewbell_voice::session::{MediaSession, WebRtcSession};
use tokio::task::JoinHandle;

const RATE: u32 = 48_000;
const FRAME: usize = 960;

/// Sends a tone until the task is aborted: Opus, 20 ms, mono.
pub fn speak(session: Arc<WebRtcSession>, hertz: f64) -> JoinHandle<()> {
    let mut encoder = opus::Encoder::new(RATE, opus::Channels::Mono, opus::Application::Voip).unwrap();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        for number in 0_u32.. {
            tick.tick().await;
            let first = number * u32::try_from(FRAME).unwrap();
            let sample = |place: u32| 0.3 * (TAU * hertz * f64::from(first + place) / f64::from(RATE)).sin();
            #[expect(clippy::cast_possible_truncation, reason = "audio needs no more digits")]
            let samples: Vec<f32> = (0..u32::try_from(FRAME).unwrap()).map(|place| sample(place) as f32).collect();
            let payload = encoder.encode_vec_float(&samples, 400).unwrap();
            let sequence = u16::try_from(number & 0xffff).unwrap();
            session.send(Packet { sequence, timestamp: first, payload: payload.into() });
        }
    })
}

/// The pitch of what came, in hertz: the half of its last half second's zero crossings in a second.
pub fn pitch(heard: &[(Instant, Packet)]) -> f64 {
    let mut decoder = opus::Decoder::new(RATE, opus::Channels::Mono).unwrap();
    let mut samples = Vec::new();
    for (_, packet) in heard {
        let mut frame = vec![0.0_f32; 6 * FRAME];
        let length = decoder.decode_float(&packet.payload, &mut frame, false).unwrap();
        samples.extend_from_slice(&frame[..length]);
    }
    let last = &samples[samples.len() - usize::try_from(RATE / 2).unwrap()..];
    let crossings = last.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0)).count();
    f64::from(u32::try_from(crossings).unwrap())
}
