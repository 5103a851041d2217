//! The report of all figures, as a table and as JSON.

use std::fmt;

use serde::Serialize;

use crate::{flood, latency};

/// The target ratio of press to last socket over the echo of the same frames with nothing stored.
const AIM_RATIO: f64 = 1.5;
/// Durable presses a second: the target, and the required minimum.
const AIM_RATE: f64 = 10_000.0;
const LEAST_RATE: f64 = 5_000.0;
/// The target ratio of the rate of presses that create a request each over that of presses that join one.
const AIM_NEW: f64 = 1.0 / 3.0;
/// The target memory in MB.
const AIM_MEMORY: f64 = 50.0;

/// All figures; those not measured are empty.
#[derive(Default, Serialize)]
pub(crate) struct Report {
    pub(crate) commit: Option<latency::Times>,
    pub(crate) mosquitto: Vec<latency::Figures>,
    pub(crate) echo: Vec<latency::Figures>,
    pub(crate) crewbell: Vec<latency::Figures>,
    pub(crate) generator: Option<flood::Figures>,
    pub(crate) durable: Option<flood::Figures>,
    /// Presses that create a request each, on a new site.
    pub(crate) new_on_new: Option<flood::Figures>,
    /// The same on a site with old requests of which the database has no statistics.
    pub(crate) new_on_uncounted: Option<flood::Figures>,
    /// Memory in MB, before any client has connected.
    pub(crate) idle_memory: Option<f64>,
    /// Memory in MB, at the end of a measurement with 200 sockets still open.
    pub(crate) busy_memory: Option<f64>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heard(f)?;
        self.kept(f)?;
        self.memory(f)
    }
}

impl Report {
    fn heard(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nPress to the last of N sockets, ms (p50 / p99)")?;
        writeln!(
            f,
            "  {:>7} {:>8}  {:>17}  {:>17}  {:>17}  {:>11}  {:>16}  {:>8}",
            "sockets",
            "presses",
            "Mosquitto echo",
            "echo, no storage",
            "Crewbell",
            "p99 to echo",
            "p99 to Mosquitto",
            "aim"
        )?;
        for (index, echo) in self.echo.iter().enumerate() {
            let (mosquitto, crewbell) = (self.mosquitto.get(index), self.crewbell.get(index));
            let pair = |figures: Option<&latency::Figures>| {
                figures.map_or("-".to_owned(), |figures| format!("{:.2} / {:.2}", figures.heard.p50, figures.heard.p99))
            };
            let ratio = |floor: Option<&latency::Figures>| {
                floor
                    .zip(crewbell)
                    .map_or("-".to_owned(), |(floor, own)| format!("{:.2}", own.heard.p99 / floor.heard.p99))
            };
            let aim = if echo.setting.rate == 100 { format!("<= {AIM_RATIO}") } else { String::new() };
            writeln!(
                f,
                "  {:>7} {:>6}/s  {:>17}  {:>17}  {:>17}  {:>11}  {:>16}  {aim:>8}",
                echo.setting.sockets,
                echo.setting.rate,
                pair(mosquitto),
                pair(Some(echo)),
                pair(crewbell),
                ratio(Some(echo)),
                ratio(mosquitto),
            )?;
        }
        for (name, all) in [("Mosquitto", &self.mosquitto), ("the echo", &self.echo), ("Crewbell", &self.crewbell)] {
            for figures in all.iter().filter(|figures| figures.unheard > 0) {
                writeln!(f, "  UNHEARD: {} presses through {name} ({})", figures.unheard, figures.setting)?;
            }
        }
        Ok(())
    }

    fn kept(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nPress to PUBACK, ms (p50 / p99)")?;
        if let Some(commit) = self.commit {
            writeln!(f, "  commit of one row, the floor     {:.2} / {:.2}", commit.p50, commit.p99)?;
            for figures in self.crewbell.iter().filter(|figures| figures.setting.rate == 100) {
                let (puback, sockets) = (figures.puback, figures.setting.sockets);
                let ratio = puback.p99 / commit.p99;
                writeln!(
                    f,
                    "  Crewbell, 100/s, {sockets:>3} sockets     {:.2} / {:.2}   {ratio:.1} times the floor's p99",
                    puback.p50, puback.p99
                )?;
            }
        }
        writeln!(f, "\nHighest rate of acknowledged presses")?;
        let uncounted = format!("new, {} uncounted", crate::site::PAST);
        for (name, figures) in [
            ("echo, no storage", &self.generator),
            ("Crewbell, joined", &self.durable),
            ("new, a new site", &self.new_on_new),
            (&uncounted, &self.new_on_uncounted),
        ] {
            let Some(figures) = figures else {
                continue;
            };
            writeln!(
                f,
                "  {name:<21} {:>9.0}/s  ({} buttons, {} under way each, {} sockets; PUBACK {:.1} / {:.1} ms; {:.2} cores)",
                figures.rate,
                figures.buttons,
                figures.window,
                figures.sockets,
                figures.puback.p50,
                figures.puback.p99,
                figures.server_cores
            )?;
            if let Some(error) = &figures.first_error {
                writeln!(f, "  BROKEN: {} connections, the first because: {error}", figures.broken)?;
            }
        }
        if let Some(durable) = &self.durable {
            writeln!(f, "  aim {AIM_RATE}/s, at least {LEAST_RATE}/s: {}", verdict(durable.rate))?;
            for (name, figures) in
                [("a new site", &self.new_on_new), ("one that nobody has counted", &self.new_on_uncounted)]
            {
                let Some(figures) = figures else { continue };
                let (ratio, lost) = (figures.rate / durable.rate, figures.is_complete() == Some(false));
                let met = if ratio >= AIM_NEW { "aim met" } else { "BELOW THE AIM" };
                let lost = if lost { "; WRONG: not what is in the database" } else { "" };
                writeln!(f, "  new requests on {name}: {ratio:.2} of the joined (at least {AIM_NEW:.2}): {met}{lost}")?;
            }
            let counts = format!("{} sent, {} acknowledged", durable.sent, durable.acknowledged);
            match (durable.stored, durable.is_complete()) {
                (Some(stored), Some(true)) => {
                    writeln!(f, "  {counts}, {stored} in the database: none lost, none twice")?;
                }
                (Some(stored), _) => {
                    writeln!(f, "  WRONG: {counts}, but {stored} in the database")?;
                }
                (None, _) => writeln!(f, "  {counts}; not verified: the server did not say where its database is")?,
            }
        }
        Ok(())
    }

    fn memory(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((idle, busy)) = self.idle_memory.zip(self.busy_memory) else {
            return Ok(());
        };
        writeln!(f, "\nResident memory of the server's process, MB (PostgreSQL's own not counted)")?;
        writeln!(f, "  idle {idle:.1}, with 200 sockets {busy:.1}; aim < {AIM_MEMORY}")
    }
}

fn verdict(rate: f64) -> &'static str {
    if rate >= AIM_RATE {
        "aim met"
    } else if rate >= LEAST_RATE {
        "the floor is met, the aim is not"
    } else {
        "BELOW THE FLOOR"
    }
}
