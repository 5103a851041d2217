//! Benchmark of catching up: a device reconnects after an absence, and gets the entries that it missed.

use std::time::Instant;

use anyhow::{Result, ensure};
use crewbell_core::screen::{Ask, CoreEvent, Link};
use crewbell_core::store::EntityKey;
use crewbell_shared::protocol::EntityType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Options;
use crate::cast::{Crew, command};
use crate::device::Device;
use crate::report::{Figure, Report};
use crate::stage::Stage;
use crate::times::Times;
use crate::wire::Wire;

pub(crate) async fn measure(stage: &Stage, options: &Options, report: &mut Report) -> Result<()> {
    let times = if options.quick { 1 } else { 7 };
    let missed = options.many(1_000);
    let wire = Wire::to(stage.ship.server.http).await;
    let device = Device::of(&wire.base(), "Sam").await?;
    let siri = stage.ship.siri().await;
    let (mut applied, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let from = device.ear.position();
        wire.cut();
        device.ear.link(from, |link| !link.is_there()).await?;
        let before = stage.ship.head();
        let last = write(&siri, missed).await?;
        ensure!(stage.ship.head() - before == missed as u64, "another number of entries than wanted");

        let path = format!("/api/sync/entries?after={before}");
        let asked = Instant::now();
        stage.download(&path, &siri.token).await?;
        plain.push(asked.elapsed());

        let from = device.ear.position();
        let began = Instant::now();
        wire.mend();
        device.ask(Ask::Connect).await?;
        let key = EntityKey::new(EntityType::Request, last);
        let has_it = |told: &CoreEvent| matches!(told, CoreEvent::Patch { put, .. } if put.iter().any(|shown| EntityKey::of(&shown.entity) == key));
        let told = device.ear.until(from, "the last entry is told", |heard| heard.told().iter().any(has_it)).await?;
        let live = device.ear.link(from, |link| link == Link::Live).await?;
        applied.push(told.max(live) - began);
    }
    let (applied, plain) = (Times::of(applied)?, Times::of(plain)?);
    report
        .add(format!("catch-up of {missed} entries: reconnect to told"), Figure::Milliseconds { ms: applied.p50 })
        .aim(300.0)
        .floor("downloading the same entries and dropping them", Figure::Milliseconds { ms: plain.p50 });
    device.close().await.map(drop)
}

/// Writes a number of entries: requests that are made, accepted and completed. The last request stays open; returns its
/// id.
async fn write(siri: &Crew, entries: usize) -> Result<Uuid> {
    let mut commands: Vec<Value> = Vec::new();
    let mut last = Uuid::now_v7();
    while commands.len() + 3 < entries {
        last = Uuid::now_v7();
        let cabin = Uuid::from_u128(1 + commands.len() as u128 % 5);
        let make = json!({ "type": "create_request", "request_id": last, "place_id": cabin, "kind": "call",
            "text": "Two towels and a pot of tea, please" });
        commands.push(command(make));
        commands.push(command(json!({ "type": "accept_request", "request_id": last })));
        commands.push(command(json!({ "type": "complete_request", "request_id": last })));
    }
    while commands.len() < entries {
        last = Uuid::now_v7();
        let cabin = Uuid::from_u128(1);
        commands
            .push(command(json!({ "type": "create_request", "request_id": last, "place_id": cabin, "kind": "call" })));
    }
    for batch in commands.chunks(100) {
        let outcomes = siri.sends(batch).await;
        ensure!(outcomes.iter().all(|outcome| outcome["refusal"].is_null()), "{outcomes:?}");
    }
    Ok(last)
}
