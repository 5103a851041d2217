//! Benchmark of the first sync: from an empty device to one with the site in its store and a live connection.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use crewbell_core::screen::Link;
use crewbell_core::store::{Sqlite, Store};

use crate::Options;
use crate::device::Device;
use crate::report::{Figure, Report};
use crate::stage::Stage;
use crate::times::Times;

pub(crate) async fn measure(stage: &Stage, options: &Options, report: &mut Report) -> Result<()> {
    let times = if options.quick { 1 } else { 5 };
    let (mut signing_in, mut syncing, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    for _ in 0..times {
        let device = Device::new().await?;
        let (from, began) = (device.ear.position(), Instant::now());
        device.sign_in(&stage.base(), "Sam").await?;
        let signed_in = Instant::now();
        let live = device.ear.link(from, |link| link == Link::Live).await?;
        signing_in.push(signed_in - began);
        syncing.push(live - began);
        let token = device.token()?;

        let asked = Instant::now();
        bytes = stage.download("/api/sync/snapshot", &token).await?;
        plain.push(asked.elapsed());

        let folder = device.close().await?;
        let (mut store, _) = Sqlite::open(folder.path()).await?;
        let kept = store.load().await?.entities.len();
        store.close().await;
        ensure!(kept == stage.entities, "{kept} entities were kept, and {} wanted", stage.entities);
    }
    let median = |times: Vec<Duration>| Ok::<_, anyhow::Error>(Figure::Milliseconds { ms: Times::of(times)?.p50 });
    report
        .add(format!("first sync, {} entities: sign-in to live", stage.entities), median(syncing)?)
        .aim(2000.0)
        .floor("downloading the snapshot and dropping it", median(plain)?);
    report.add("  of it: the PIN is checked (argon2id)", median(signing_in)?);
    report.add("  the snapshot, unpacked", Figure::bytes(bytes));
    Ok(())
}
