//! The report as text and as JSON.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::times::Times;

/// All figures of a run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    rows: Vec<Row>,
    left_out: Vec<(String, String)>,
    /// Violations of correctness: anything lost or duplicated.
    wrong: Vec<String>,
}

/// A figure with its target and its floor.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    what: String,
    #[serde(flatten)]
    figure: Figure,
    /// Upper bound in the figure's unit; it applies to the p99, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    aim: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<Floor>,
}

/// The time of the minimal necessary work on the same machine.
#[derive(Debug, Serialize)]
struct Floor {
    of: &'static str,
    #[serde(flatten)]
    figure: Figure,
}

/// A measured figure.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Figure {
    /// A distribution of many times.
    Times(Times),
    /// One time, or the median of a few.
    Milliseconds { ms: f64 },
    /// 10^6 bytes.
    Megabytes { mb: f64 },
    /// 10^3 bytes.
    Kilobytes { kb: f64 },
    /// Percent of a core.
    Percent { percent: f64 },
    /// Rate per second; higher is better.
    ASecond { a_second: f64 },
}

impl Figure {
    pub(crate) fn ms(time: Duration) -> Self {
        Self::Milliseconds { ms: time.as_secs_f64() * 1e3 }
    }

    pub(crate) fn bytes(bytes: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "files of this project have some millions of bytes")]
        Self::Kilobytes { kb: bytes as f64 / 1e3 }
    }

    /// Returns the value that is compared with the target.
    fn decisive(&self) -> f64 {
        match self {
            Self::Times(times) => times.p99,
            Self::Milliseconds { ms } => *ms,
            Self::Megabytes { mb } => *mb,
            Self::Kilobytes { kb } => *kb,
            Self::Percent { percent } => *percent,
            Self::ASecond { a_second } => *a_second,
        }
    }
}

impl From<Times> for Figure {
    fn from(times: Times) -> Self {
        Self::Times(times)
    }
}

impl Report {
    /// Adds a figure; the returned row takes its target and its floor.
    pub(crate) fn add(&mut self, what: impl Into<String>, figure: impl Into<Figure>) -> &mut Row {
        self.rows.push(Row { what: what.into(), figure: figure.into(), aim: None, floor: None });
        let last = self.rows.len() - 1;
        &mut self.rows[last]
    }

    /// Records that something was not measured.
    pub(crate) fn left_out(&mut self, what: &str, why: impl Into<String>) {
        self.left_out.push((what.to_owned(), why.into()));
    }

    /// Records a violation of correctness.
    pub(crate) fn wrong(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }
}

impl Row {
    pub(crate) fn aim(&mut self, below: f64) -> &mut Self {
        self.aim = Some(below);
        self
    }

    pub(crate) fn floor(&mut self, of: &'static str, figure: impl Into<Figure>) -> &mut Self {
        self.floor = Some(Floor { of, figure: figure.into() });
        self
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Times(times) => format!("{:.1} / {:.1} ms", times.p50, times.p99),
            Self::Milliseconds { ms } => format!("{ms:.1} ms"),
            Self::Megabytes { mb } => format!("{mb:.1} MB"),
            Self::Kilobytes { kb } => format!("{kb:.0} kB"),
            Self::Percent { percent } => format!("{percent:.1} %"),
            Self::ASecond { a_second } => format!("{a_second:.0} a second"),
        };
        f.pad(&text)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nThe app; of many times p50 / p99, which the aim is about\n")?;
        for Row { what, figure, aim, floor } in &self.rows {
            write!(f, "  {what:<62} {figure:>20}")?;
            if let Some(aim) = aim {
                let verdict = if figure.decisive() < *aim { "met" } else { "MISSED" };
                write!(f, "   aim < {aim}: {verdict}")?;
            }
            writeln!(f)?;
            if let Some(Floor { of, figure: floor }) = floor {
                let ratio = figure.decisive() / floor.decisive();
                writeln!(f, "  {:<62} {floor:>20}   {ratio:.1} times this", format!("  floor: {of}"))?;
            }
        }
        for (what, why) in &self.left_out {
            writeln!(f, "  left out: {what}: {why}")?;
        }
        for wrong in &self.wrong {
            writeln!(f, "  WRONG: {wrong}")?;
        }
        Ok(())
    }
}
