//! Measures the sound quality of calls over networks of every kind, in simulated time:
//! `cargo run -p crewbell-voice-tests --example quality`.
//!
//! The speech comes from `espeak-ng` if it is installed, and is synthesised in code otherwise. PESQ is computed where
//! `cargo xtask setup` could install it.

mod call;
mod pesq;
mod score;
mod speech;

use anyhow::Result;
use call::{Network, say};
use crewbell_voice::audio::{Options, Treatment};
use pesq::{Pair, pesq};
use score::score;
use speech::speech;

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (said, by) = speech(folder.path(), "en-gb")?;
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
        print_row(name, &said, network(row), &plain)?;
    }
    print_row("no loss, echo/noise/gain treated", &said, network(none), &Options::default())?;
    Ok(())
}

fn print_row(name: &str, said: &[f32], network: Network, options: &Options) -> Result<()> {
    let heard = say(said, network, options)?;
    let result = score(said, &heard.samples);
    let counts = heard.statistics.reception.counts;
    let pesq = pesq(&[Pair { said, heard: heard.samples.get(result.shift..).unwrap_or_default() }])?.concat();
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
        // For one of the two people; the devices and the network cost little.
        heard.cost * 100.0 / 2.0,
    );
    Ok(())
}
