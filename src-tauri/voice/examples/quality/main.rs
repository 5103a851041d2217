//! How a call sounds over networks of every kind: `cargo run -p crewbell-voice --example quality`, in simulated time.
//!
//! What is said is spoken by `espeak-ng` where it is installed, else made in code. PESQ (ITU-T P.862.2, wideband: 1 bad to 4.6
//! the same) is computed where a Python with `numpy`, `scipy` and `pesq` is named by `PESQ_PYTHON`:
//! `python3 -m venv v && v/bin/pip install numpy scipy pesq`, then `PESQ_PYTHON=v/bin/python cargo run …`.

mod call;
mod score;

use std::{env, fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use call::{Network, say};
use crewbell_voice::audio::{Options, Treatment, speech::Speech};
use score::score;

const SENTENCES: &str = "The guest in cabin seven would like two towels and a bottle of water. \
    Can you take it, or shall I call the bridge? The tender leaves at a quarter past nine from the port side. \
    Please tell the captain that the wind has turned, and that we need another line on the bow. \
    Thank you, I am on my way and will be with you in about five minutes. \
    There is a leak under the sink in the crew mess; bring the long wrench and some tape.";

/// PESQ of two files of 32-bit floats at 48 kHz, by pieces of 8 s, the second shifted by so many samples.
const PESQ: &str = "
import sys, numpy as np
from scipy.signal import resample_poly
from pesq import pesq
said, heard = (resample_poly(np.fromfile(f, 'f4'), 1, 3) for f in sys.argv[1:3])
shift, piece, scores = int(sys.argv[3]) // 3, 8 * 16000, []
for at in range(0, len(said) - piece // 2, piece):
    a, b = said[at:at + piece], heard[at + shift:at + shift + piece]
    n = min(len(a), len(b))
    scores.append(pesq(16000, a[:n], b[:n], 'wb'))
print(f'{np.mean(scores):.2f}')
";

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (said, by) = speech(folder.path())?;
    let seconds = said.len() / 48_000;
    println!(
        "{seconds} s of speech {by}; 48 kHz devices with periods of 10 ms; the network takes 1 ms and what is said\n"
    );
    println!(
        "{:34} {:>8} {:>7} {:>6} {:>6} {:>5} {:>6} {:>6} {:>5} {:>5} {:>7} {:>6} {:>6}",
        "network",
        "delay ms",
        "95 % ms",
        "gap ms",
        "LSD dB",
        "PESQ",
        "found%",
        "lost",
        "FEC",
        "late",
        "made ms",
        "depth",
        "CPU %"
    );
    let plain = Options { treatment: Treatment { echo: false, noise: false, gain: false }, ..Options::default() };
    let network = |network: Network| Network { seed: 42, ..network };
    let none = Network::default();
    let outage_ms = Some((10_000, 2_000));
    let rows = [
        ("no loss", none),
        ("loss 5 %", Network { loss: 5, ..none }),
        ("loss 10 %", Network { loss: 10, ..none }),
        ("loss 20 %", Network { loss: 20, ..none }),
        ("jitter 60 ms (reorders)", Network { jitter_ms: 60, ..none }),
        ("jitter 60 ms, 10 % twice, loss 5 %", Network { jitter_ms: 60, doubled: 10, loss: 5, ..none }),
        ("jitter 20 ms, loss 10 %", Network { jitter_ms: 20, loss: 10, ..none }),
        ("outage of 2 s", Network { outage_ms, ..none }),
    ];
    for (name, row) in rows {
        print_row(folder.path(), name, &said, network(row), &plain)?;
    }
    print_row(folder.path(), "no loss, echo/noise/gain treated", &said, network(none), &Options::default())?;
    Ok(())
}

fn print_row(folder: &Path, name: &str, said: &[f32], network: Network, options: &Options) -> Result<()> {
    let heard = say(said, network, options)?;
    let result = score(said, &heard.samples);
    let counts = heard.statistics.reception.counts;
    let pesq = pesq(folder, said, &heard.samples, result.delay_ms)?;
    println!(
        "{name:34} {:8.0} {:7.0} {:6} {:6.1} {:>5} {:6.0} {:6} {:5} {:5} {:7} {:6} {:6.1}",
        result.delay_ms,
        result.delay_95_ms,
        result.gaps_ms,
        result.distance_db,
        pesq,
        result.found * 100.0,
        counts.lost,
        counts.recovered,
        counts.late,
        counts.concealed_ms,
        heard.statistics.reception.depth_ms,
        // Of two people, of whom one listens; the devices and the network cost little.
        heard.cost * 100.0 / 2.0,
    );
    Ok(())
}

/// Half a minute of speech at 48 kHz, and who speaks it.
fn speech(folder: &Path) -> Result<(Vec<f32>, &'static str)> {
    let wav = folder.join("said.wav");
    let spoken = Command::new("espeak-ng").args(["-v", "en-gb", "-s", "150", "-w"]).arg(&wav).arg(SENTENCES).status();
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

/// PESQ in words; "-" where there is no Python for it.
fn pesq(folder: &Path, said: &[f32], heard: &[f32], delay_ms: f32) -> Result<String> {
    let Some(python) = env::var_os("PESQ_PYTHON") else { return Ok("-".to_owned()) };
    let (reference, degraded) = (folder.join("reference"), folder.join("degraded"));
    for (file, samples) in [(&reference, said), (&degraded, heard)] {
        fs::write(file, samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<u8>>())?;
    }
    let shift = Duration::from_secs_f32((delay_ms - 20.0).max(0.0) / 1_000.0).as_micros() * 48 / 1_000;
    let run = Command::new(python).args(["-c", PESQ]).args([&reference, &degraded]).arg(shift.to_string()).output()?;
    ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Ok(String::from_utf8_lossy(&run.stdout).trim().to_owned())
}
