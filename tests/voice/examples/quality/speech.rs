//! The speech to send.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use crewbell_voice::audio::speech::Speech;

const SENTENCES: &str = "The guest in cabin seven would like two towels and a bottle of water. \
    Can you take it, or shall I call the bridge? The tender leaves at a quarter past nine from the port side. \
    Please tell the captain that the wind has turned, and that we need another line on the bow. \
    Thank you, I am on my way and will be with you in about five minutes. \
    There is a leak under the sink in the crew mess; bring the long wrench and some tape.";

/// Returns half a minute of speech at 48 kHz, and the name of its source: `espeak-ng` with a voice, where it is
/// installed.
pub fn speech(folder: &Path, voice: &str) -> Result<(Vec<f32>, &'static str)> {
    let wav = folder.join("said.wav");
    let spoken = Command::new("espeak-ng").args(["-v", voice, "-s", "150", "-w"]).arg(&wav).arg(SENTENCES).status();
    let silence = std::iter::repeat_n(0.0, 24_000);
    if !spoken.is_ok_and(|status| status.success()) {
        println!("espeak-ng is not installed: what is said is made in code, and PESQ means less.");
        let mut speech = Speech::new(11);
        return Ok((silence.chain((0..30 * 48_000).map(|_| speech.sample())).collect(), "made in code"));
    }
    let raw = folder.join("said.raw");
    let converted = Command::new("sox")
        .arg(&wav)
        .args(["-r", "48000", "-c", "1", "-e", "floating-point", "-b", "32", "-t", "raw"])
        .arg(&raw)
        .args(["gain", "-n", "-6"])
        .status()
        .context("sox is missing; `cargo xtask setup` installs it")?;
    ensure!(converted.success(), "sox failed");
    let bytes = fs::read(raw)?;
    let samples = bytes.as_chunks().0.iter().map(|sample| f32::from_le_bytes(*sample));
    Ok((silence.chain(samples).collect(), "by espeak-ng"))
}
