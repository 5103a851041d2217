//! The networks for whole calls, and the table of results.

use std::time::Duration;

use anyhow::Result;
use crewbell_voice::{audio::Options, session::impairment::Conditions};

use crate::{
    call::{Heard, Network, say, untreated},
    pesq::{Pair, pesq},
    score::{Score, score},
};

/// Start and length of an outage.
pub const OUTAGE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(2));

/// The kinds of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Fair,
    /// A perfect network, with echo, noise and gain treatment of the microphone's sound; only the first person speaks.
    Treated,
    /// Packet loss in percent.
    Loss(u8),
    /// Delays of up to 60 ms, so that packets overtake each other; 5 % are duplicated.
    Jitter,
    Outage,
}

pub const ALL: [Kind; 7] =
    [Kind::Fair, Kind::Treated, Kind::Loss(5), Kind::Loss(10), Kind::Loss(20), Kind::Jitter, Kind::Outage];

/// The result for one listener.
pub struct Row {
    pub kind: Kind,
    pub score: Score,
    pub heard: Heard,
}

impl Kind {
    fn network(self) -> Network {
        match self {
            Self::Fair | Self::Treated => Network::default(),
            Self::Loss(percent) => {
                Network::of(Conditions { loss: f64::from(percent) / 100.0, ..Conditions::default() })
            }
            Self::Jitter => {
                Network::of(Conditions { jitter: Duration::from_millis(60), duplicate: 0.05, ..Conditions::default() })
            }
            Self::Outage => Network { outage: Some(OUTAGE), ..Network::default() },
        }
    }

    fn name(self) -> String {
        match self {
            Self::Fair => "no loss".to_owned(),
            Self::Treated => "no loss, echo/noise/gain treated".to_owned(),
            Self::Loss(percent) => format!("loss {percent} %"),
            Self::Jitter => "jitter 60 ms (reorders), 5 % twice".to_owned(),
            Self::Outage => "outage of 2 s".to_owned(),
        }
    }

    /// Runs a call over the network in which both speak at once; returns the result for each listener.
    pub async fn hear(self, said: [&[f32]; 2], seed: u64) -> Result<Vec<Row>> {
        let (sound, said) = match self {
            Self::Treated => (Options::default(), [said[0], &[]]),
            Self::Fair | Self::Loss(_) | Self::Jitter | Self::Outage => (untreated(), said),
        };
        let heard = say(said, self.network(), seed, &sound).await?;
        let rows = heard.into_iter().zip(said).filter(|(_, said)| !said.is_empty());
        Ok(rows.map(|(heard, said)| Row { kind: self, score: score(said, &heard.samples), heard }).collect())
    }
}

/// Prints a table of the results.
pub fn print(said: [&[f32]; 2], rows: &[Row]) -> Result<()> {
    // Of two rows of a kind, the first is for the listener of the first sound.
    let is_first = |number: usize| number == 0 || rows[number - 1].kind != rows[number].kind;
    let pairs: Vec<Pair> = (0..)
        .zip(rows)
        .map(|(number, row)| Pair {
            said: said[usize::from(!is_first(number))],
            heard: row.heard.samples.get(row.score.shift..).unwrap_or_default(),
        })
        .collect();
    println!(
        "{:34} {:>8} {:>7} {:>6} {:>6} {:>5} {:>6} {:>5} {:>5} {:>5} {:>7} {:>6} {:>5}",
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
        "sign"
    );
    for (row, pesq) in rows.iter().zip(pesq(&pairs)?) {
        let reception = row.heard.statistics.reception;
        let (score, counts) = (row.score, reception.counts);
        println!(
            "{:34} {:8.0} {:7.0} {:6} {:6.1} {pesq:>5} {:6.0} {:5} {:5} {:5} {:7} {:6} {:>5}",
            row.kind.name(),
            score.delay_ms,
            score.delay_95_ms,
            score.gaps_ms,
            score.distance_db,
            score.found * 100.0,
            counts.lost,
            counts.recovered,
            counts.late,
            counts.concealed_ms,
            reception.depth_ms,
            format!("{:?}", row.heard.quality),
        );
    }
    Ok(())
}
