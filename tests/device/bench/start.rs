//! Benchmark of the time from the start of a process to a list that a window can show, with a full store.
//!
//! Each start is a process of its own, on files that were dropped from the page cache, so that they are read from the
//! disk. A phone that was just switched on does the same.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use crewbell_core::screen::{Ask, ViewState};
use crewbell_core::store::Sqlite;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use serde::{Deserialize, Serialize};

use crate::Options;
use crate::device::{Device, Locked, boot, ear};
use crate::memory;
use crate::report::{Figure, Report};
use crate::stage::Stage;
use crate::times::Times;

/// The report of a device that has started.
#[derive(Debug, Deserialize, Serialize)]
struct Started {
    /// Time to open, check and read the files.
    open: Duration,
    /// Time to create the engine and start the controller.
    engine: Duration,
    /// Time to request and receive the view state.
    picture: Duration,
    /// Time to serialise it as JSON.
    json: Duration,
    bytes: usize,
    entities: usize,
    /// Resident memory in MB.
    resident: f64,
}

/// Starts on a folder, prints the time of each step, and ends.
pub(crate) async fn be_the_device(folder: &Path) -> Result<()> {
    let mut last = Instant::now();
    let mut lap = || std::mem::replace(&mut last, Instant::now()).elapsed();
    let (store, _) = Sqlite::open(folder).await?;
    let open = lap();
    let handle = boot(store, ear(folder), Arc::new(Locked), folder).await?;
    let engine = lap();
    let picture = handle.ask(Ask::Look).await?;
    let pictured = lap();
    // As the app hands it to the window: JSON in a string, which is JSON again.
    let json = serde_json::to_string(&serde_json::to_string(&picture)?)?;
    let written = lap();
    let resident = memory::of(std::process::id()).context("no /proc")?.resident;
    let picture: ViewState = serde_json::from_str(picture.get())?;
    let started = Started {
        open,
        engine,
        picture: pictured,
        json: written,
        bytes: json.len(),
        entities: picture.entities.len(),
        resident,
    };
    println!("{}", serde_json::to_string(&started)?);
    Ok(())
}

pub(crate) async fn measure(stage: &Stage, options: &Options, report: &mut Report) -> Result<()> {
    let times = if options.quick { 3 } else { 11 };
    let full = Device::of(&stage.base(), "Sam").await?.close().await?;
    let empty = Device::new().await?.close().await?;
    let (floor, _) = starts(empty.path(), times)?;
    let (whole, last) = starts(full.path(), times)?;
    ensure!(last.entities == stage.entities, "{} entities were cached, and {} wanted", last.entities, stage.entities);
    report
        .add(format!("start to list as JSON, cold, {} entities", last.entities), Figure::ms(whole))
        .aim(1000.0)
        .floor("the same with an empty cache", Figure::ms(floor));
    report.add("  of it: files opened, checked, read", Figure::ms(last.open));
    report.add("  of it: engine", Figure::ms(last.engine));
    report.add("  of it: picture", Figure::ms(last.picture));
    report.add(format!("  of it: JSON of {} kB", last.bytes / 1000), Figure::ms(last.json));
    report
        .add("memory of a process that is the app without its window", Figure::Megabytes { mb: last.resident })
        .aim(150.0);
    Ok(())
}

/// Starts several times; returns the median time from the start of the process to its list, and the last report.
fn starts(folder: &Path, times: u32) -> Result<(Duration, Started)> {
    let mut took = Vec::new();
    let mut last = None;
    for _ in 0..times {
        forget(folder)?;
        let began = Instant::now();
        let mut command = Command::new(std::env::current_exe()?);
        let output = command.arg("--starts-on").arg(folder).stderr(Stdio::inherit()).output()?;
        took.push(began.elapsed());
        ensure!(output.status.success(), "a device that starts ended with {}", output.status);
        last = Some(serde_json::from_slice(&output.stdout)?);
    }
    let median = Duration::from_secs_f64(Times::of(took)?.p50 / 1e3);
    Ok((median, last.context("no start")?))
}

/// Asks the system to drop the files in a folder from its page cache.
fn forget(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let file = File::open(entry?.path())?;
        if file.metadata()?.is_file() {
            file.sync_all()?;
            posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        }
    }
    Ok(())
}
