//! PESQ (ITU-T P.862.2, wideband: 1 bad to 4.6 identical), by a Python package that `cargo xtask setup` installs where
//! it can.

use std::{env, f32::consts::TAU, fs, path::Path, path::PathBuf, process::Command};

use anyhow::{Result, ensure};

/// The Python that `cargo xtask setup` installs. `PESQ_PYTHON` names another Python that has the package.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/pesq/bin/python");

/// Python program that computes the PESQ of pairs of files of 32-bit floats at 16 kHz, by pieces of 8 s, and prints a
/// line for each. A piece without speech has no score.
const PROGRAM: &str = "
import sys, numpy as np
from pesq import pesq, NoUtterancesError
piece, files = 8 * 16000, sys.argv[1:]
for said, heard in zip(files[::2], files[1::2]):
    said, heard, scores = np.fromfile(said, 'f4'), np.fromfile(heard, 'f4'), []
    for at in range(0, max(len(said) - piece // 2, 1), piece):
        a, b = said[at:at + piece], heard[at:at + piece]
        n = min(len(a), len(b))
        try:
            scores.append(pesq(16000, a[:n], b[:n], 'wb'))
        except NoUtterancesError:
            pass
    print(f'{np.mean(scores):.2f}' if scores else '-')
";

/// The speech, and the recording of it from its expected start, both at 48 kHz.
pub struct Pair<'a> {
    pub said: &'a [f32],
    pub heard: &'a [f32],
}

/// Returns the PESQ of each pair as text; "-" where it can't be computed.
pub fn pesq(pairs: &[Pair]) -> Result<Vec<String>> {
    let python = env::var_os("PESQ_PYTHON").map_or_else(|| PathBuf::from(PYTHON), PathBuf::from);
    let is_there = Command::new(&python).args(["-c", "import pesq"]).output();
    if !is_there.is_ok_and(|output| output.status.success()) {
        return Ok(pairs.iter().map(|_| "-".to_owned()).collect());
    }
    let folder = tempfile::tempdir()?;
    let mut run = Command::new(python);
    run.args(["-c", PROGRAM]);
    for (number, Pair { said, heard }) in pairs.iter().enumerate() {
        for (what, samples) in [("said", said), ("heard", heard)] {
            let file = folder.path().join(format!("{number}-{what}"));
            write(&file, &to_16_khz(samples))?;
            run.arg(file);
        }
    }
    let run = run.output()?;
    ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let scores: Vec<String> = String::from_utf8_lossy(&run.stdout).lines().map(str::to_owned).collect();
    ensure!(scores.len() == pairs.len(), "{scores:?}");
    Ok(scores)
}

fn write(file: &Path, samples: &[f32]) -> Result<()> {
    Ok(fs::write(file, samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<u8>>())?)
}

/// Resamples 48 kHz to 16 kHz: every third sample after a low-pass at 7.5 kHz, a sinc of 97 samples under a Hann
/// window.
fn to_16_khz(samples: &[f32]) -> Vec<f32> {
    const HALF: i16 = 48;
    const CUT: f32 = 7_500.0 / 48_000.0;
    let tap = |at: i16| {
        let at = f32::from(at);
        let sinc = if at == 0.0 { 2.0 * CUT } else { (TAU * CUT * at).sin() / (TAU / 2.0 * at) };
        sinc * (0.5 + 0.5 * (TAU / 2.0 * at / f32::from(HALF + 1)).cos())
    };
    let taps: Vec<f32> = (-HALF..=HALF).map(tap).collect();
    samples.windows(taps.len()).step_by(3).map(|window| window.iter().zip(&taps).map(|(a, b)| a * b).sum()).collect()
}
