//! Benchmark of presses: the latency until the crew's devices receive them, and the highest rate of stored presses.
//!
//! `cargo xtask bench press` prints the figures of this machine beside floors measured in the same run, because a
//! figure alone says little: a commit of one row on this disk, an echo through Mosquitto, and an echo of the same
//! frames to the same sockets by a program that stores nothing. The server is the real one, in a process of its own,
//! with the demo site in a new folder. The load generators share the machine's cores with it, so they are as cheap as
//! possible.
//!
//! - [`target`]: the process under test and its addresses
//! - [`mqtt`], [`buttons`]: the buttons' side; [`screens`], [`board`]: the crew's side
//! - [`latency`], [`flood`], [`memory`]: the measurements; [`site`]: changes of the site under test
//! - [`commit`], [`mosquitto`], [`stand_in`]: the floors
//! - [`report`]: the table
//!
//! The benchmark sends only to 127.0.0.1, is bounded in count and time, and ends the processes that it started.

mod board;
mod buttons;
mod commit;
mod flood;
mod latency;
mod memory;
mod mosquitto;
mod mqtt;
mod report;
mod screens;
mod site;
mod stand_in;
mod target;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use clap::Parser;

use latency::Setting;
use report::Report;
use target::Process;

#[derive(Parser)]
#[command(about = "Measures press to crew, with the floors of this machine beside it")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
struct Options {
    /// Make a short run: a few seconds for each figure
    #[arg(long)]
    quick: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Measure the floors alone
    #[arg(long)]
    floors_only: bool,
    /// Measure the highest rates alone
    #[arg(long)]
    rates_only: bool,
    /// Folder for the data of the server and the floor, removed afterwards. Must be on the disk to be measured
    #[arg(long, default_value = "/var/tmp")]
    dir: PathBuf,
    /// Presses that all buttons together may have unacknowledged while the highest rate is measured
    #[arg(long, default_value_t = 1_800)]
    window: usize,
    /// Crew sockets that are open while the highest rate is measured
    #[arg(long, default_value_t = 0)]
    flood_sockets: usize,
    /// Another build of the server
    #[arg(long, default_value = env!("CARGO_BIN_EXE_crewbell-server"))]
    server: PathBuf,
    /// Run as the echo that stores nothing
    #[arg(long, hide = true)]
    stand_in: bool,
    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    fn settings(&self) -> Vec<Setting> {
        if self.rates_only {
            return Vec::new();
        }
        let (warm_up, measured) = if self.quick { (1, 3) } else { (2, 10) };
        [(20, 10), (20, 100), (200, 10), (200, 100)]
            .map(|(sockets, rate)| Setting {
                sockets,
                rate,
                warm_up: Duration::from_secs(warm_up),
                measured: Duration::from_secs(measured),
            })
            .to_vec()
    }

    fn flood(&self) -> flood::Setting {
        let (warm_up, measured) = if self.quick { (1, 4) } else { (3, 15) };
        flood::Setting {
            window: self.window,
            sockets: self.flood_sockets,
            warm_up: Duration::from_secs(warm_up),
            measured: Duration::from_secs(measured),
        }
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    if options.stand_in {
        return stand_in::run();
    }
    let say = |what: &str| eprintln!("measuring: {what}");
    let mut report = Report::default();

    say("the commit of one row");
    report.commit = Some(commit::measure(&options.dir, options.flood().measured / 5)?);

    if !options.rates_only {
        let broker = mosquitto::Broker::start()?;
        for setting in options.settings() {
            say(&format!("echo through Mosquitto, {setting}"));
            report.mosquitto.push(latency::measure(&broker.target(), setting)?);
        }
    }

    let echo = Process::stand_in()?;
    for setting in options.settings() {
        say(&format!("echo with nothing stored, {setting}"));
        report.echo.push(latency::measure(&echo.target, setting)?);
    }
    say("how fast the generator itself can press");
    report.generator = Some(flood::measure(&echo.target, options.flood())?);
    drop(echo);

    if !options.floors_only {
        let folder = tempfile::Builder::new()
            .prefix("crewbell-bench-")
            .tempdir_in(&options.dir)
            .context("could not make a folder for the server's data")?;
        say("the server, starting with the demo site");
        let mut server = Process::demo(&options.server, folder.path())?;
        std::thread::sleep(Duration::from_secs(2));
        report.idle_memory = memory::resident(server.target.pid);
        for setting in options.settings() {
            say(&format!("Crewbell, {setting}"));
            let (figures, memory) =
                latency::measure_with(&server.target, setting, || memory::resident(server.target.pid))?;
            report.crewbell.push(figures);
            if setting.sockets == 200 {
                report.busy_memory = memory;
            }
        }
        say("Crewbell's highest durable rate");
        site::with_a_crowd(&mut server.target)?;
        report.durable = Some(flood::measure(&server.target, options.flood())?);
        drop(server);
        folder.close()?;
        measure_new(&options, &mut report)?;
    }

    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}

/// Measures the highest rate of presses that create a request each: on a new site, and on the same site with old
/// requests of which the database has no statistics. The server isn't restarted in between, because a start collects
/// the statistics.
fn measure_new(options: &Options, report: &mut Report) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("crewbell-bench-").tempdir_in(&options.dir)?;
    let mut server = Process::demo(&options.server, folder.path())?;
    site::with_a_crowd(&mut server.target)?;
    site::without_window(&server.target)?;
    eprintln!("measuring: new requests on a site that was just made");
    report.new_on_new = Some(flood::measure(&server.target, options.flood())?);
    site::with_a_past(&server.target)?;
    eprintln!("measuring: new requests beside {} that nobody has counted", site::PAST);
    report.new_on_uncounted = Some(flood::measure(&server.target, options.flood())?);
    Ok(())
}
