//! Benchmarks of the crew's app: to start, to show and sound a press, to fetch a site, to catch up, and to send its
//! outbox.
//!
//! `cargo xtask bench app` prints the figures of this machine beside floors measured in the same run, because a figure
//! alone says little. The server is the real one with a real PostgreSQL that flushes to the disk, the store is SQLite,
//! the sockets are real, the presses come from a foreign MQTT client, and the bell plays to a sound server without a
//! sound card. All of it shares the machine's cores.
//!
//! - [`stage`]: a ship with a given number of entities; [`device`]: a device whose shell records the time of each event
//! - [`call`]: calls between two devices with a [`phone`] each; [`signalling`]: many calls at once, without a voice
//! - [`start`], [`press`], [`sync`], [`catch_up`], [`replay`], [`face`]: the benchmarks; [`window`]: the same in the
//!   app's window, where the app is built
//! - [`times`], [`memory`], [`report`]: figures and their output
//!
//! The program connects only to 127.0.0.1, is bounded in count and time, and ends what it started.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "its props are the tests', and a benchmark reads the clock"
)]

#[expect(dead_code, reason = "the server's cast can do more than is measured")]
#[path = "../../../server/tests/stories/cast.rs"]
mod cast;
#[path = "../../../server/tests/stories/database.rs"]
mod database;
#[expect(dead_code, reason = "the stories' phone can do more than is measured")]
#[path = "../stories/phone.rs"]
mod phone;
#[path = "../../../server/tests/props/mod.rs"]
mod props;
#[expect(dead_code, reason = "the server's ship can do more than is measured")]
#[path = "../../../server/tests/stories/ship.rs"]
mod ship;
#[expect(dead_code, reason = "the stories' wire can do more than is measured")]
#[path = "../stories/wire.rs"]
mod wire;

mod call;
mod catch_up;
mod device;
mod face;
mod memory;
mod press;
mod replay;
mod report;
mod signalling;
mod stage;
mod start;
mod sync;
mod times;
mod window;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use crewbell_desk::Sound;

use report::Report;

/// Environment variable that says that a sound server was started for this process. ALSA finds a server by the
/// environment, which a process can't change safely while it runs.
const AT_A_DESK: &str = "CREWBELL_BENCH_DESK";

#[derive(Clone, Debug, Parser)]
#[command(about = "Measures the crew's app, with the floors of this machine beside it")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
struct Options {
    /// A short run, with a tenth of everything
    #[arg(long)]
    quick: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Measure the app's window too; the app and its UI must be built (`--app`)
    #[arg(long)]
    window: bool,
    /// The app's program, for `--window`; else the one that was built with this benchmark's profile
    #[arg(long)]
    app: Option<PathBuf>,
    /// Measure only these: start, press, sync, catch-up, replay, call, face
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Start as a device on the store in this folder, and print the times
    #[arg(long, hide = true)]
    starts_on: Option<PathBuf>,
    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// Returns the count, or a tenth of it in a short run.
    fn many(&self, whole: usize) -> usize {
        if self.quick { whole / 10 } else { whole }
    }

    fn wants(&self, what: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == what)
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(folder) = &options.starts_on {
        return runtime.block_on(start::be_the_device(folder));
    }
    if std::env::var_os(AT_A_DESK).is_none() {
        return at_a_desk();
    }
    // An error means that another caller has installed the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let report = runtime.block_on(measure(&options))?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}

/// Runs this program again in an environment with a sound server, if one can be started.
fn at_a_desk() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("crewbell-bench-").tempdir()?;
    let sound = Sound::start(folder.path());
    let mut again = Command::new(std::env::current_exe()?);
    again.args(std::env::args_os().skip(1));
    match &sound {
        Ok(sound) => {
            again
                .env(AT_A_DESK, "sound")
                .env("PULSE_SERVER", sound.server())
                .env("HOME", folder.path())
                .env("XDG_RUNTIME_DIR", folder.path())
                .env_remove("DBUS_SESSION_BUS_ADDRESS");
        }
        Err(error) => {
            eprintln!("The bell is left out: {error:#}");
            again.env(AT_A_DESK, "silent");
        }
    }
    let status = again.status().context("could not start itself again")?;
    ensure!(status.success(), "it ended with {status}");
    Ok(())
}

async fn measure(options: &Options) -> Result<Report> {
    let say = |what: &str| eprintln!("measuring: {what}");
    let mut report = Report::default();
    let wants = |what: &str| options.wants(what);
    if wants("start") || wants("press") || options.window {
        let ship = stage::Stage::new(options.many(5_000)).await?;
        if wants("start") {
            say("the start");
            start::measure(&ship, options, &mut report).await?;
        }
        if wants("press") {
            say("presses");
            press::measure(&ship, options, &mut report).await?;
        }
        if options.window {
            say("the window");
            if let Err(error) = window::measure(&ship, options, &mut report).await {
                report.left_out("the window", format!("{error:#}"));
            }
        } else {
            report.left_out("the window", "built apps are measured with --window");
        }
    }
    if wants("sync") || wants("catch-up") || wants("replay") {
        let ship = stage::Stage::new(options.many(10_000)).await?;
        if wants("sync") {
            say("the first sync");
            sync::measure(&ship, options, &mut report).await?;
        }
        if wants("catch-up") {
            say("catching up");
            catch_up::measure(&ship, options, &mut report).await?;
        }
        if wants("replay") {
            say("what waited is sent");
            replay::measure(&ship, options, &mut report).await?;
        }
    }
    if wants("call") {
        say("calls");
        let ship = stage::Stage::new(options.many(2_500)).await?;
        if let Err(error) = call::measure(&ship, options, &mut report).await {
            report.left_out("what is missing of calls", format!("{error:#}"));
        }
    }
    if wants("face") {
        face::measure(&mut report);
    }
    Ok(report)
}
