//! The networks that whole calls are tried over, and how what was heard is written down.

use std::time::Duration;

use anyhow::Result;
use crewbell_voice::{audio::Options, session::weather::Conditions};

use crate::{
    call::{Heard, Network, say, untreated},
    pesq::{Pair, pesq},
    score::{Score, score},
};

/// When an outage begins, and how long it lasts.
pub const OUTAGE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(2));

/// The networks, by what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Fair,
    /// Fair, with echo, noise and gain of the microphone's sound treated; only the first speaks.
    Treated,
    /// So many of a hundred are lost.
    Loss(u8),
    /// Up to 60 ms late, so that they overtake each other; 5 % come twice.
    Jitter,
    Outage,
}

pub const ALL: [Kind; 7] =
    [Kind::Fair, Kind::Treated, Kind::Loss(5), Kind::Loss(10), Kind::Loss(20), Kind::Jitter, Kind::Outage];

/// What one heard of the other.
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

    /// A call over it in which both speak at once: what each heard of the other.
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

/// Prints a table of what was heard of what was said.
pub fn print(said: [&[f32]; 2], rows: &[Row]) -> Result<()> {
    // The first of two of a kind heard what was said first.
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
